/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_codec.h"

int mext_open_encode(const struct mext_open *o, uint8_t out[MEXT_OPEN_LEN])
{
    struct mext_buf b;

    mext_buf_init(&b, out, MEXT_OPEN_LEN);
    mext_put(&b, MEXT_OPEN_MAGIC, 8);
    mext_put(&b, o->id, MEXT_ID_LEN);
    mext_put16(&b, o->index);
    mext_put16(&b, o->count);
    return mext_buf_end(&b);
}

int mext_open_decode(const uint8_t in[MEXT_OPEN_LEN], struct mext_open *o_r)
{
    struct mext_buf b;
    struct mext_open o;

    mext_buf_init(&b, (uint8_t *)in, MEXT_OPEN_LEN);
    if (memcmp(mext_view(&b, 8), MEXT_OPEN_MAGIC, 8))
        return MEXT_ERR_FORMAT;
    mext_get(&b, o.id, MEXT_ID_LEN);
    o.index = mext_get16(&b);
    o.count = mext_get16(&b);
    if (!o.count || o.count > MEXT_CHANNELS_MAX || o.index >= o.count)
        return MEXT_ERR_LIMIT;
    *o_r = o;
    return 0;
}

/* True if [gfn, gfn + count) lies below the highest gfn and is not empty. */
static bool gfns_ok(uint64_t gfn, uint64_t count)
{
    return count && gfn <= MEXT_GFN_MAX && count - 1 <= MEXT_GFN_MAX - gfn;
}

/* Number of pages that follow a map, -1 if it is against the specification. */
static int map_count(const uint8_t *map, unsigned span)
{
    int n = 0;

    for (unsigned i = 0; i < (span + 3) / 4 * 4; i++) {
        unsigned v = mext_map_get(map, i);

        if (i >= span && v != MEXT_MAP_NONE)
            return -1;
        n += mext_map_follows(v);
    }
    return n;
}

/* In the word that tells a packed page's coding and its length. */
#define CODING_SHIFT 12
#define LENGTH_MASK  0xfffu

static bool length_ok(unsigned coding, unsigned len)
{
    switch (coding) {
    case MEXT_CODING_LZ4:
        return len && len <= MEXT_PACKED_MAX;
    case MEXT_CODING_ZSTD:
        return !len;
    case MEXT_CODING_DELTA:
        return len >= 8 && len <= MEXT_DELTA_MAX;
    default:
        return false;
    }
}

/* True for bytes of a batch of so many pages; 0 of 0 is none. */
static bool batch_ok(uint32_t bytes, unsigned pages)
{
    if (!pages)
        return !bytes;
    return bytes && bytes <= MEXT_BATCH_MAX && pages <= MEXT_BATCH_PAGES &&
           bytes < pages * MEXT_PAGE_SIZE;
}

static int pages_put(const struct mext_data *m, struct mext_buf *b)
{
    unsigned n = 0, members = 0;

    if (m->u.pages.span > MEXT_PAGES_SPAN_MAX)
        return MEXT_ERR_LIMIT;
    mext_put64(b, m->u.pages.base);
    mext_put16(b, m->u.pages.span);
    mext_put(b, m->u.pages.map, (m->u.pages.span + 3u) / 4);
    for (unsigned i = 0; i < m->u.pages.span; i++) {
        unsigned v = mext_map_get(m->u.pages.map, i), coding, len;

        if (!mext_map_follows(v))
            continue;
        if (n == MEXT_PAGES_DATA_MAX)
            return MEXT_ERR_LIMIT;
        coding = m->u.pages.coding[n];
        len = coding == MEXT_CODING_ZSTD ? 0 : m->u.pages.len[n];
        n++;
        if (v != MEXT_MAP_PACKED)
            continue;
        if (!length_ok(coding, len))
            return MEXT_ERR_LIMIT;
        mext_put16(b, (uint16_t)(coding << CODING_SHIFT | len));
        members += coding == MEXT_CODING_ZSTD;
    }
    if (!batch_ok(m->u.pages.batch, members))
        return MEXT_ERR_LIMIT;
    if (members)
        mext_put32(b, m->u.pages.batch);
    return 0;
}

/* The pieces of the batch, whose size stands behind the codings. */
static int batch_get(struct mext_buf *b, struct mext_data *m, unsigned members)
{
    unsigned piece = 0;

    m->u.pages.batch = members ? mext_get32(b) : 0;
    if (b->bad)
        return MEXT_ERR_FORMAT;
    if (!batch_ok(m->u.pages.batch, members))
        return MEXT_ERR_LIMIT;
    for (unsigned i = 0; i < m->u.pages.ndata; i++)
        if (m->u.pages.coding[i] == MEXT_CODING_ZSTD)
            m->u.pages.len[i] = mext_batch_piece(m->u.pages.batch, piece++);
    return 0;
}

/* What stands behind the map. */
static int codings_get(struct mext_buf *b, struct mext_data *m)
{
    unsigned n = 0, members = 0;

    for (unsigned i = 0; i < m->u.pages.span; i++) {
        unsigned v = mext_map_get(m->u.pages.map, i), word;

        if (!mext_map_follows(v))
            continue;
        m->u.pages.len[n] = MEXT_PAGE_SIZE;
        m->u.pages.coding[n] = 0;
        if (v == MEXT_MAP_PACKED) {
            word = mext_get16(b);
            m->u.pages.len[n] = word & LENGTH_MASK;
            m->u.pages.coding[n] = (uint8_t)(word >> CODING_SHIFT);
            if (!length_ok(m->u.pages.coding[n], m->u.pages.len[n]))
                return b->bad ? MEXT_ERR_FORMAT : MEXT_ERR_LIMIT;
            members += m->u.pages.coding[n] == MEXT_CODING_ZSTD;
        }
        n++;
    }
    return batch_get(b, m, members);
}

static int pages_get(struct mext_buf *b, struct mext_data *m)
{
    const uint8_t *map;
    int n;

    m->u.pages.base = mext_get64(b);
    m->u.pages.span = mext_get16(b);
    if (b->bad)
        return MEXT_ERR_FORMAT;
    if (m->u.pages.span > MEXT_PAGES_SPAN_MAX ||
        !gfns_ok(m->u.pages.base, m->u.pages.span))
        return MEXT_ERR_LIMIT;
    map = mext_view(b, (m->u.pages.span + 3u) / 4);
    if (!map)
        return MEXT_ERR_FORMAT;
    n = map_count(map, m->u.pages.span);
    if (n < 0)
        return MEXT_ERR_FORMAT;
    if (n > MEXT_PAGES_DATA_MAX)
        return MEXT_ERR_LIMIT;
    m->u.pages.ndata = (uint16_t)n;
    memcpy(m->u.pages.map, map, (m->u.pages.span + 3u) / 4);
    return codings_get(b, m);
}

static int absent_get(struct mext_buf *b, struct mext_data *m)
{
    m->u.absent.n = mext_get16(b);
    if (m->u.absent.n > MEXT_ABSENT_MAX)
        return MEXT_ERR_LIMIT;
    for (unsigned i = 0; i < m->u.absent.n; i++) {
        struct mext_extent *e = &m->u.absent.e[i];

        e->gfn = mext_get64(b);
        e->count = mext_get32(b);
        if (!b->bad && !gfns_ok(e->gfn, e->count))
            return MEXT_ERR_LIMIT;
    }
    return 0;
}

static void error_get(struct mext_buf *b, struct mext_data *m)
{
    const uint8_t *s;

    m->u.error.code = mext_get16(b);
    s = mext_get_text(b, &m->u.error.len);
    if (s && !b->bad) {
        memcpy(m->u.error.text, s, m->u.error.len);
        m->u.error.text[m->u.error.len] = 0;
    }
}

int mext_data_encode(const struct mext_data *m, struct mext_buf *b)
{
    mext_put8(b, m->type);
    switch (m->type) {
    case MEXT_DATA_PAGES:
        if (pages_put(m, b))
            return MEXT_ERR_LIMIT;
        break;
    case MEXT_DATA_BARRIER:
    case MEXT_DATA_BARRIER_ACK:
        mext_put32(b, m->u.barrier.iteration);
        break;
    case MEXT_DATA_ABSENT:
        if (m->u.absent.n > MEXT_ABSENT_MAX)
            return MEXT_ERR_LIMIT;
        mext_put16(b, m->u.absent.n);
        for (unsigned i = 0; i < m->u.absent.n; i++) {
            mext_put64(b, m->u.absent.e[i].gfn);
            mext_put32(b, m->u.absent.e[i].count);
        }
        break;
    case MEXT_DATA_END:
        mext_put64(b, m->u.end.data);
        mext_put64(b, m->u.end.zero);
        break;
    case MEXT_DATA_DONE:
        mext_put64(b, m->u.done.data);
        mext_put64(b, m->u.done.zero);
        mext_put64(b, m->u.done.absent);
        mext_put64(b, m->u.done.populated);
        break;
    case MEXT_DATA_ERROR:
        mext_put16(b, m->u.error.code);
        mext_put_text(b, m->u.error.text, m->u.error.len);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return b->bad ? MEXT_ERR_FULL : 0;
}

static int data_get(const uint8_t *body, size_t len, struct mext_data *m)
{
    struct mext_buf b;
    int rc = 0;

    mext_buf_init(&b, (uint8_t *)body, len);
    m->type = mext_get8(&b);
    switch (m->type) {
    case MEXT_DATA_PAGES:
        rc = pages_get(&b, m);
        break;
    case MEXT_DATA_BARRIER:
    case MEXT_DATA_BARRIER_ACK:
        m->u.barrier.iteration = mext_get32(&b);
        break;
    case MEXT_DATA_ABSENT:
        rc = absent_get(&b, m);
        break;
    case MEXT_DATA_END:
        m->u.end.data = mext_get64(&b);
        m->u.end.zero = mext_get64(&b);
        break;
    case MEXT_DATA_DONE:
        m->u.done.data = mext_get64(&b);
        m->u.done.zero = mext_get64(&b);
        m->u.done.absent = mext_get64(&b);
        m->u.done.populated = mext_get64(&b);
        break;
    case MEXT_DATA_ERROR:
        error_get(&b, m);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return rc ? rc : mext_buf_end(&b);
}

int mext_data_decode(const uint8_t *body, size_t len, struct mext_data *m_r)
{
    struct mext_data m;
    int rc = data_get(body, len, &m);

    if (!rc)
        *m_r = m;
    return rc;
}
