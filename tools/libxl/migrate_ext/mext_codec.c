/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_codec.h"

void mext_buf_init(struct mext_buf *b, void *p, size_t len)
{
    b->p = p;
    b->len = len;
    b->pos = 0;
    b->bad = false;
}

/* The next n bytes, moving on; NULL and bad when there are fewer. */
static uint8_t *take(struct mext_buf *b, size_t n)
{
    uint8_t *p;

    if (b->bad || n > b->len - b->pos) {
        b->bad = true;
        return NULL;
    }
    p = b->p + b->pos;
    b->pos += n;
    return p;
}

static void put_be(struct mext_buf *b, uint64_t v, unsigned n)
{
    uint8_t *p = take(b, n);

    while (p && n) {
        p[--n] = (uint8_t)v;
        v >>= 8;
    }
}

static uint64_t get_be(struct mext_buf *b, unsigned n)
{
    const uint8_t *p = take(b, n);
    uint64_t v = 0;

    for (unsigned i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

void mext_put8(struct mext_buf *b, uint8_t v)
{
    put_be(b, v, 1);
}

void mext_put16(struct mext_buf *b, uint16_t v)
{
    put_be(b, v, 2);
}

void mext_put32(struct mext_buf *b, uint32_t v)
{
    put_be(b, v, 4);
}

void mext_put64(struct mext_buf *b, uint64_t v)
{
    put_be(b, v, 8);
}

void mext_put(struct mext_buf *b, const void *src, size_t n)
{
    uint8_t *p = take(b, n);

    if (p && n)
        memcpy(p, src, n);
}

uint8_t mext_get8(struct mext_buf *b)
{
    return (uint8_t)get_be(b, 1);
}

uint16_t mext_get16(struct mext_buf *b)
{
    return (uint16_t)get_be(b, 2);
}

uint32_t mext_get32(struct mext_buf *b)
{
    return (uint32_t)get_be(b, 4);
}

uint64_t mext_get64(struct mext_buf *b)
{
    return get_be(b, 8);
}

void mext_get(struct mext_buf *b, void *dst, size_t n)
{
    const uint8_t *p = take(b, n);

    if (p && n)
        memcpy(dst, p, n);
    else
        memset(dst, 0, n);
}

const uint8_t *mext_view(struct mext_buf *b, size_t n)
{
    return take(b, n);
}

int mext_buf_end(const struct mext_buf *b)
{
    return b->bad || b->pos != b->len ? MEXT_ERR_FORMAT : 0;
}

void mext_store32(uint8_t *p, uint32_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

uint32_t mext_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

void mext_store64(uint8_t *p, uint64_t v)
{
    mext_store32(p, (uint32_t)(v >> 32));
    mext_store32(p + 4, (uint32_t)v);
}

/* Texts from a peer reach terminals and logs: printable ASCII or refused. */
static bool printable(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < 0x20 || s[i] > 0x7e)
            return false;
    return true;
}

/* u16 length + text of at most MEXT_TEXT_MAX. */
static const uint8_t *get_text(struct mext_buf *b, uint16_t *len)
{
    const uint8_t *s;

    *len = mext_get16(b);
    if (*len > MEXT_TEXT_MAX)
        b->bad = true;
    s = mext_view(b, *len);
    if (s && !printable(s, *len))
        b->bad = true;
    return s;
}

static void put_text(struct mext_buf *b, const void *text, uint16_t len)
{
    if (len > MEXT_TEXT_MAX || !printable(text, len))
        b->bad = true;
    mext_put16(b, len);
    mext_put(b, text, len);
}

/* ---- data channels ---- */

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

static bool packed_ok(uint16_t len)
{
    return len && len <= MEXT_PACKED_MAX;
}

static int pages_put(const struct mext_data *m, struct mext_buf *b)
{
    unsigned n = 0;

    if (m->u.pages.span > MEXT_PAGES_SPAN_MAX)
        return MEXT_ERR_LIMIT;
    mext_put64(b, m->u.pages.base);
    mext_put16(b, m->u.pages.span);
    mext_put(b, m->u.pages.map, (m->u.pages.span + 3u) / 4);
    for (unsigned i = 0; i < m->u.pages.span; i++) {
        unsigned v = mext_map_get(m->u.pages.map, i);

        if (!mext_map_follows(v))
            continue;
        if (n == MEXT_PAGES_DATA_MAX ||
            (v == MEXT_MAP_PACKED && !packed_ok(m->u.pages.len[n])))
            return MEXT_ERR_LIMIT;
        if (v == MEXT_MAP_PACKED)
            mext_put16(b, m->u.pages.len[n]);
        n++;
    }
    return 0;
}

/* The lengths behind the map. */
static int lengths_get(struct mext_buf *b, struct mext_data *m)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->u.pages.span; i++) {
        unsigned v = mext_map_get(m->u.pages.map, i);

        if (!mext_map_follows(v))
            continue;
        m->u.pages.len[n] = v == MEXT_MAP_PACKED ? mext_get16(b)
                                                 : MEXT_PAGE_SIZE;
        if (v == MEXT_MAP_PACKED && !packed_ok(m->u.pages.len[n]))
            return b->bad ? MEXT_ERR_FORMAT : MEXT_ERR_LIMIT;
        n++;
    }
    return 0;
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
    return lengths_get(b, m);
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
    s = get_text(b, &m->u.error.len);
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
        put_text(b, m->u.error.text, m->u.error.len);
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

/* ---- control channel ---- */

static int config_put(const struct mext_ctl *m, struct mext_buf *b)
{
    if (m->u.config.json_len > MEXT_CONFIG_JSON_MAX ||
        m->u.config.nleaves > MEXT_LEAVES_MAX ||
        m->u.config.nmsrs > MEXT_MSRS_MAX)
        return MEXT_ERR_LIMIT;
    mext_put64(b, m->u.config.memory_kib);
    mext_put32(b, m->u.config.json_len);
    mext_put(b, m->u.config.json, m->u.config.json_len);
    mext_put32(b, m->u.config.nleaves);
    mext_put(b, m->u.config.leaves, m->u.config.nleaves * 24u);
    mext_put32(b, m->u.config.nmsrs);
    mext_put(b, m->u.config.msrs, m->u.config.nmsrs * 16u);
    return 0;
}

static int config_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.config.memory_kib = mext_get64(b);
    m->u.config.json_len = mext_get32(b);
    if (m->u.config.json_len > MEXT_CONFIG_JSON_MAX)
        return MEXT_ERR_LIMIT;
    m->u.config.json = mext_view(b, m->u.config.json_len);
    m->u.config.nleaves = mext_get32(b);
    if (m->u.config.nleaves > MEXT_LEAVES_MAX)
        return MEXT_ERR_LIMIT;
    m->u.config.leaves = mext_view(b, m->u.config.nleaves * 24u);
    m->u.config.nmsrs = mext_get32(b);
    if (m->u.config.nmsrs > MEXT_MSRS_MAX)
        return MEXT_ERR_LIMIT;
    m->u.config.msrs = mext_view(b, m->u.config.nmsrs * 16u);
    return 0;
}

static void final_put(const struct mext_ctl *m, struct mext_buf *b)
{
    mext_put32(b, m->u.final.tsc_mode);
    mext_put32(b, m->u.final.tsc_khz);
    mext_put32(b, m->u.final.tsc_incarnation);
    mext_put64(b, m->u.final.tsc_nsec);
    mext_put64(b, m->u.final.target_kib);
    mext_put64(b, m->u.final.data);
    mext_put64(b, m->u.final.zero);
    mext_put64(b, m->u.final.absent);
    mext_put32(b, m->u.final.report_ms);
    mext_put32(b, m->u.final.context_len);
    mext_put(b, m->u.final.context, m->u.final.context_len);
}

static int final_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.final.tsc_mode = mext_get32(b);
    m->u.final.tsc_khz = mext_get32(b);
    m->u.final.tsc_incarnation = mext_get32(b);
    m->u.final.tsc_nsec = mext_get64(b);
    m->u.final.target_kib = mext_get64(b);
    m->u.final.data = mext_get64(b);
    m->u.final.zero = mext_get64(b);
    m->u.final.absent = mext_get64(b);
    m->u.final.report_ms = mext_get32(b);
    m->u.final.context_len = mext_get32(b);
    if (m->u.final.report_ms > MEXT_REPORT_MS_MAX ||
        m->u.final.context_len > MEXT_CONTEXT_MAX)
        return MEXT_ERR_LIMIT;
    m->u.final.context = mext_view(b, m->u.final.context_len);
    return 0;
}

static bool evidence_ok(const struct mext_ctl *m)
{
    return m->u.evidence.attest_len &&
           m->u.evidence.attest_len <= MEXT_ATTEST_MAX &&
           m->u.evidence.sig_len && m->u.evidence.sig_len <= MEXT_TPMSIG_MAX;
}

static void evidence_put(const struct mext_ctl *m, struct mext_buf *b)
{
    mext_put16(b, m->u.evidence.attest_len);
    mext_put(b, m->u.evidence.attest, m->u.evidence.attest_len);
    mext_put16(b, m->u.evidence.sig_len);
    mext_put(b, m->u.evidence.sig, m->u.evidence.sig_len);
}

static int evidence_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.evidence.attest_len = mext_get16(b);
    m->u.evidence.attest = mext_view(b, m->u.evidence.attest_len);
    m->u.evidence.sig_len = mext_get16(b);
    m->u.evidence.sig = mext_view(b, m->u.evidence.sig_len);
    return b->bad || evidence_ok(m) ? 0 : MEXT_ERR_LIMIT;
}

int mext_ctl_encode(const struct mext_ctl *m, struct mext_buf *b)
{
    int rc;

    mext_put8(b, m->type);
    switch (m->type) {
    case MEXT_CTL_CONFIG:
        rc = config_put(m, b);
        if (rc)
            return rc;
        break;
    case MEXT_CTL_FINAL:
        if (m->u.final.report_ms > MEXT_REPORT_MS_MAX ||
            m->u.final.context_len > MEXT_CONTEXT_MAX)
            return MEXT_ERR_LIMIT;
        final_put(m, b);
        break;
    case MEXT_CTL_COMMIT:
        break;
    case MEXT_CTL_STEP:
        put_text(b, m->u.step.text, m->u.step.len);
        break;
    case MEXT_CTL_RECEIPT:
        mext_put(b, m->u.receipt.bytes, MEXT_RECEIPT_LEN);
        break;
    case MEXT_CTL_EVIDENCE:
        if (!evidence_ok(m))
            return MEXT_ERR_LIMIT;
        evidence_put(m, b);
        break;
    case MEXT_CTL_PREPARED:
        mext_put64(b, m->u.prepared.tidy_us);
        mext_put64(b, m->u.prepared.prepare_us);
        break;
    case MEXT_CTL_RUNNING:
        mext_put32(b, m->u.running.domid);
        mext_put64(b, m->u.running.handover_us);
        break;
    case MEXT_CTL_GUEST:
        mext_put64(b, m->u.guest.stopped_ms);
        break;
    case MEXT_CTL_ABORT:
        mext_put16(b, m->u.abort.code);
        put_text(b, m->u.abort.text, m->u.abort.len);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return b->bad ? MEXT_ERR_FULL : 0;
}

static int ctl_get(const uint8_t *body, size_t len, struct mext_ctl *m)
{
    struct mext_buf b;
    int rc = 0;

    mext_buf_init(&b, (uint8_t *)body, len);
    m->type = mext_get8(&b);
    switch (m->type) {
    case MEXT_CTL_CONFIG:
        rc = config_get(&b, m);
        break;
    case MEXT_CTL_FINAL:
        rc = final_get(&b, m);
        break;
    case MEXT_CTL_COMMIT:
        break;
    case MEXT_CTL_STEP:
        m->u.step.text = (const char *)get_text(&b, &m->u.step.len);
        break;
    case MEXT_CTL_RECEIPT:
        m->u.receipt.bytes = mext_view(&b, MEXT_RECEIPT_LEN);
        break;
    case MEXT_CTL_EVIDENCE:
        rc = evidence_get(&b, m);
        break;
    case MEXT_CTL_PREPARED:
        m->u.prepared.tidy_us = mext_get64(&b);
        m->u.prepared.prepare_us = mext_get64(&b);
        break;
    case MEXT_CTL_RUNNING:
        m->u.running.domid = mext_get32(&b);
        m->u.running.handover_us = mext_get64(&b);
        break;
    case MEXT_CTL_GUEST:
        m->u.guest.stopped_ms = mext_get64(&b);
        break;
    case MEXT_CTL_ABORT:
        m->u.abort.code = mext_get16(&b);
        m->u.abort.text = (const char *)get_text(&b, &m->u.abort.len);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return rc ? rc : mext_buf_end(&b);
}

int mext_ctl_decode(const uint8_t *body, size_t len, struct mext_ctl *m_r)
{
    struct mext_ctl m;
    int rc = ctl_get(body, len, &m);

    if (!rc)
        *m_r = m;
    return rc;
}

void mext_leaf_get(const uint8_t *leaves, unsigned i, struct mext_leaf *l_r)
{
    struct mext_buf b;

    mext_buf_init(&b, (uint8_t *)leaves + i * 24u, 24);
    l_r->leaf = mext_get32(&b);
    l_r->subleaf = mext_get32(&b);
    l_r->a = mext_get32(&b);
    l_r->b = mext_get32(&b);
    l_r->c = mext_get32(&b);
    l_r->d = mext_get32(&b);
}

void mext_leaf_put(uint8_t *leaves, unsigned i, const struct mext_leaf *l)
{
    struct mext_buf b;

    mext_buf_init(&b, leaves + i * 24u, 24);
    mext_put32(&b, l->leaf);
    mext_put32(&b, l->subleaf);
    mext_put32(&b, l->a);
    mext_put32(&b, l->b);
    mext_put32(&b, l->c);
    mext_put32(&b, l->d);
}

void mext_msr_get(const uint8_t *msrs, unsigned i, struct mext_msr *m_r)
{
    struct mext_buf b;

    mext_buf_init(&b, (uint8_t *)msrs + i * 16u, 16);
    m_r->idx = mext_get32(&b);
    m_r->flags = mext_get32(&b);
    m_r->val = mext_get64(&b);
}

void mext_msr_put(uint8_t *msrs, unsigned i, const struct mext_msr *m)
{
    struct mext_buf b;

    mext_buf_init(&b, msrs + i * 16u, 16);
    mext_put32(&b, m->idx);
    mext_put32(&b, m->flags);
    mext_put64(&b, m->val);
}

const char *mext_reason(unsigned code)
{
    static const char *const words[] = {
        [MEXT_E_INTERNAL] = "internal failure",
        [MEXT_E_MALFORMED] = "malformed message",
        [MEXT_E_SIGNATURE] = "signature does not verify",
        [MEXT_E_UNTRUSTED] = "source key is not trusted",
        [MEXT_E_AUDIENCE] = "token is for another host",
        [MEXT_E_EXPIRED] = "token expired or not yet valid",
        [MEXT_E_REPLAY] = "token was used before",
        [MEXT_E_IMAGE] = "mstrap image differs from the one asked for",
        [MEXT_E_CONFIG] = "configuration refused",
        [MEXT_E_NAME] = "domain name in use",
        [MEXT_E_MEMORY] = "not enough free memory",
        [MEXT_E_CREATE] = "domain could not be created",
        [MEXT_E_POLICY] = "CPU policy not acceptable",
        [MEXT_E_MSTRAP] = "mstrap failed",
        [MEXT_E_GFN] = "gfn may not be written",
        [MEXT_E_COUNT] = "page counts do not agree",
        [MEXT_E_HANDOVER] = "hand-over failed",
        [MEXT_E_CANCELLED] = "cancelled",
        [MEXT_E_LINK] = "connection lost",
        [MEXT_E_ANSWER] = "answer is not for this token",
        [MEXT_E_REFUSED] = "policy of the destination",
    };

    if (code >= sizeof(words) / sizeof(words[0]) || !words[code])
        return "unknown reason";
    return words[code];
}
