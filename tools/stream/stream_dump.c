/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a source says to mstrap on a data channel, without its seals: the frames
 * of docs/specs/transport.md, whose numbers are mext_wire.h's.  Read from the
 * specification, not by the product's codec, so each is a check of the other.
 */
#include "stream_dump.h"

#define BODY_MAX (MEXT_DATA_BODY_MAX - MEXT_TAG_LEN)

static bool gfns_fit(uint64_t gfn, uint64_t n)
{
    return n && gfn <= MEXT_GFN_MAX && n - 1 <= MEXT_GFN_MAX - gfn;
}

static const char *type_name(uint32_t type)
{
    switch (type) {
    case MEXT_DATA_PAGES:
        return "PAGES";
    case MEXT_DATA_BARRIER:
        return "BARRIER";
    case MEXT_DATA_ABSENT:
        return "ABSENT";
    case MEXT_DATA_END:
        return "END";
    default:
        return NULL;
    }
}

/* ---- PAGES ---- */

/* Looks at the map; -1: over. */
static int check_map(struct stream *s, struct dump_pages *f, size_t left)
{
    unsigned follow = 0;

    if (left < (f->span + 3u) / 4)
        return stream_lost(s, STREAM_R_DUMP_BODY, "the map does not fit");
    for (unsigned i = 0; i < (f->span + 3u) / 4 * 4; i++) {
        unsigned v = dump_map(f, i);

        if (i >= f->span && v != MEXT_MAP_NONE)
            return stream_lost(s, STREAM_R_DUMP_MAP, "a bit behind gfn %#llx",
                               (unsigned long long)(f->base + f->span - 1));
        follow += v == MEXT_MAP_DATA || v == MEXT_MAP_PACKED;
        f->packed += v == MEXT_MAP_PACKED;
    }
    if (follow > MEXT_PAGES_DATA_MAX)
        return stream_lost(s, STREAM_R_DUMP_MAP, "%u follow", follow);
    return 0;
}

static bool coding_fits(unsigned word)
{
    unsigned len = word & DUMP_LEN_MASK;

    switch (word >> DUMP_CODING_SHIFT) {
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

/* Looks at p[left] behind the map; -1: over. */
static int check_codings(struct stream *s, struct dump_pages *f,
                         const uint8_t *p, size_t left)
{
    size_t need = 2 * (size_t)f->packed;

    f->words = p;
    for (unsigned i = 0; i < f->packed && need <= left; i++) {
        unsigned word = load16be(p + 2 * (size_t)i);

        if (!coding_fits(word))
            return stream_lost(s, STREAM_R_DUMP_CODING, "%#x", word);
        f->members += word >> DUMP_CODING_SHIFT == MEXT_CODING_ZSTD;
    }
    if (f->members)
        need += 4;
    if (left != need)
        return stream_lost(s, STREAM_R_DUMP_BODY, "%zu bytes of codings", left);
    f->batch = f->members ? load32be(p + 2 * (size_t)f->packed) : 0;
    if (f->members && (!f->batch || f->batch > MEXT_BATCH_MAX ||
                       f->members > MEXT_BATCH_PAGES ||
                       f->batch >= f->members * STREAM_PAGE_LEN))
        return stream_lost(s, STREAM_R_DUMP_BATCH, "%u bytes of %u pages",
                           f->batch, f->members);
    return 0;
}

/* type, base 8, span 2, map, codings, batch */
static int read_pages(struct stream *s, const uint8_t *p, size_t len)
{
    struct dump_pages f = { 0 };
    size_t map;

    if (len < 11)
        return stream_lost(s, STREAM_R_DUMP_BODY, "it has %zu bytes", len);
    f.base = load64be(p + 1);
    f.span = load16be(p + 9);
    f.map = p + 11;
    if (f.span > MEXT_PAGES_SPAN_MAX || !gfns_fit(f.base, f.span))
        return stream_lost(s, STREAM_R_DUMP_SPAN, "%u from %#llx on", f.span,
                           (unsigned long long)f.base);
    map = (f.span + 3u) / 4;
    if (check_map(s, &f, len - 11) ||
        check_codings(s, &f, p + 11 + map, len - 11 - map))
        return -1;
    return stream_read_dump_pages(s, &f);
}

/* ---- the others ---- */

static int check_len(struct stream *s, size_t len, size_t want)
{
    if (len == want)
        return 0;
    return stream_lost(s, STREAM_R_DUMP_BODY, "it has %zu bytes, not %zu", len,
                       want);
}

static int read_barrier(struct stream *s, const uint8_t *p, size_t len)
{
    uint32_t iteration;

    if (check_len(s, len, 5))
        return -1;
    iteration = load32be(p + 1);
    stream_note(s, "iteration %u", iteration);
    s->dump.absent = 0;
    if (iteration == ++s->dump.iteration)
        return 0;
    return stream_odd(s, STREAM_R_DUMP_ITERATION, "%u, not %u", iteration,
                      s->dump.iteration);
}

static int read_absent(struct stream *s, const uint8_t *p, size_t len)
{
    uint64_t gfns = 0;
    unsigned n;

    if (len < 3)
        return check_len(s, len, 3);
    n = load16be(p + 1);
    if (n > MEXT_ABSENT_MAX)
        return stream_lost(s, STREAM_R_DUMP_ABSENT, "%u runs", n);
    if (check_len(s, len, 3 + 12 * (size_t)n))
        return -1;
    for (p += 3; n--; p += 12) {
        uint64_t gfn = load64be(p);
        uint32_t count = load32be(p + 8);

        gfns += count;
        if (!gfns_fit(gfn, count) &&
            stream_odd(s, STREAM_R_DUMP_ABSENT, "%u from %#llx on", count,
                       (unsigned long long)gfn))
            return -1;
    }
    stream_note(s, "%llu gfns", (unsigned long long)gfns);
    s->dump.absent += gfns;
    if (s->dump.absent <= MEXT_ABSENT_PAGES)
        return 0;
    return stream_odd(s, STREAM_R_DUMP_ABSENT, "%llu gfns since the barrier",
                      (unsigned long long)s->dump.absent);
}

static int read_end(struct stream *s, const uint8_t *p, size_t len)
{
    unsigned long long data, zero;

    if (check_len(s, len, 17))
        return -1;
    s->dump.ended = true;
    data = load64be(p + 1);
    zero = load64be(p + 9);
    stream_note(s, "%llu data, %llu zero", data, zero);
    if (data == s->dump.data && zero == s->dump.zero)
        return 0;
    return stream_odd(
        s, STREAM_R_DUMP_COUNTS, "%llu and %llu, not %llu and %llu", data, zero,
        (unsigned long long)s->dump.data, (unsigned long long)s->dump.zero);
}

/* ---- the whole ---- */

static int read_frame(struct stream *s)
{
    uint8_t body[BODY_MAX];
    const uint8_t *p;
    const char *name;
    size_t n;
    uint32_t len;
    int rc;

    stream_at_record(s, STREAM_DUMP);
    p = stream_peek(s, 5, &n);
    name = n == 5 ? type_name(p[4]) : NULL;
    stream_begin(s, n == 5 ? p[4] : 0, name ? name : "?");
    p = stream_take(s, MEXT_FRAME_HDR_LEN);
    if (!p)
        return -1;
    len = load32be(p);
    if (!len || len > BODY_MAX)
        return stream_lost(s, STREAM_R_DUMP_LENGTH, "it has %u", len);
    s->left = len;
    p = stream_body(s, len);
    if (!p)
        return -1;
    if (!name)
        return stream_lost(s, STREAM_R_DUMP_TYPE, "%#x is not", *p);
    memcpy(body, p, len); /* the window slides on */
    if (*body == MEXT_DATA_PAGES)
        rc = read_pages(s, body, len);
    else if (*body == MEXT_DATA_BARRIER)
        rc = read_barrier(s, body, len);
    else if (*body == MEXT_DATA_ABSENT)
        rc = read_absent(s, body, len);
    else
        rc = read_end(s, body, len);
    if (rc)
        return -1;
    stream_end(s);
    return 0;
}

static int read_open(struct stream *s)
{
    const uint8_t *p;
    unsigned index, count;

    stream_at_record(s, STREAM_DUMP);
    stream_begin(s, 0, "OPEN");
    p = stream_take(s, MEXT_OPEN_LEN);
    if (!p)
        return -1;
    index = load16be(p + 24);
    count = load16be(p + 26);
    stream_note(s, "channel %u of %u", index, count);
    if ((!count || count > MEXT_CHANNELS_MAX || index >= count) &&
        stream_odd(s, STREAM_R_DUMP_OPEN, "%s", s->rec.note))
        return -1;
    stream_end(s);
    return 0;
}

int stream_read_dump(struct stream *s)
{
    if (read_open(s))
        return -1;
    while (!s->dump.ended)
        if (read_frame(s))
            return -1;
    return 0;
}

int stream_read_sealed(struct stream *s)
{
    stream_at_record(s, STREAM_DUMP);
    stream_begin(s, 0, "OPEN");
    return stream_lost(s, STREAM_R_DUMP_SEALED, "as it was on the wire");
}
