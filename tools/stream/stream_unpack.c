/* SPDX-License-Identifier: LGPL-2.1-only */
/* Pages of a data channel's dump: as they are, or packed. */
#include <lz4.h>
#define ZSTD_STATIC_LINKING_ONLY /* frames without a magic number */
#include <zstd.h>

#include "stream_dump.h"

#define WORDS (STREAM_PAGE_LEN / 8)

static void tell_page(struct stream *s, uint64_t gfn, const uint8_t *data)
{
    const struct stream_page page = {
        .pfn = gfn,
        .kind = data ? STREAM_RAM_PAGE : STREAM_RAM_ZERO,
        .data = data,
        .len = data ? STREAM_PAGE_LEN : 0,
    };

    stream_page(s, &page);
}

static int read_plain(struct stream *s, uint64_t gfn)
{
    const uint8_t *p = stream_take(s, STREAM_PAGE_LEN);

    if (!p)
        return -1;
    tell_page(s, gfn, p);
    return 0;
}

static int read_block(struct stream *s, uint64_t gfn, unsigned len)
{
    const uint8_t *p = stream_take(s, len);
    char *page = (char *)s->big.unpacked;
    int n;

    if (!p)
        return -1;
    n = LZ4_decompress_safe((const char *)p, page, (int)len, STREAM_PAGE_LEN);
    if (n != STREAM_PAGE_LEN)
        return stream_odd(s, STREAM_R_DUMP_LZ4, "of gfn %#llx not",
                          (unsigned long long)gfn);
    tell_page(s, gfn, s->big.unpacked);
    return 0;
}

/* A sum, then runs: first word and how many, and these words. */
static bool runs_fit(const uint8_t *p, size_t n)
{
    unsigned first, words, free = 0; /* the first word that may be in a run */
    size_t at = 8;

    while (at < n) {
        if (n - at < 2)
            return false;
        first = load16be(p + at) >> MEXT_RUN_SHIFT;
        words = load16be(p + at) & MEXT_RUN_MAX;
        at += 2;
        if (!words || first < free || first + words > WORDS ||
            n - at < (size_t)words * 8)
            return false;
        at += (size_t)words * 8;
        free = first + words + 1;
    }
    return true;
}

static int read_delta(struct stream *s, uint64_t gfn, unsigned len)
{
    const uint8_t *p = stream_take(s, len);
    struct stream_page page = {
        .pfn = gfn, .kind = STREAM_RAM_XBZRLE, .data = p, .len = len
    };

    if (!p)
        return -1;
    stream_page(s, &page);
    if (!s->dump.iteration &&
        stream_odd(s, STREAM_R_DUMP_DELTA_PLACE, "of gfn %#llx",
                   (unsigned long long)gfn))
        return -1;
    return runs_fit(p, len)
               ? 0
               : stream_odd(s, STREAM_R_DUMP_DELTA, "of gfn %#llx not",
                            (unsigned long long)gfn);
}

/* ---- a batch ---- */

struct batch {
    uint64_t gfn[MEXT_BATCH_PAGES];
    unsigned n;
};

static int unpack_batch(struct stream *s, const struct dump_pages *f,
                        const struct batch *b)
{
    size_t want = (size_t)f->members * STREAM_PAGE_LEN, got;
    ZSTD_DCtx *z = ZSTD_createDCtx();

    if (!z)
        return stream_no_memory(s);
    ZSTD_DCtx_setParameter(z, ZSTD_d_format, ZSTD_f_zstd1_magicless);
    got = ZSTD_decompressDCtx(z, s->big.unpacked, want, s->big.batch, f->batch);
    ZSTD_freeDCtx(z);
    if (ZSTD_isError(got) || got != want)
        return stream_odd(s, STREAM_R_DUMP_ZSTD, "from gfn %#llx on not",
                          (unsigned long long)f->base);
    for (unsigned i = 0; i < f->members; i++)
        tell_page(s, b->gfn[i], s->big.unpacked + (size_t)i * STREAM_PAGE_LEN);
    return 0;
}

/* The piece at the next of its pages; what it holds is told at the last. */
static int read_piece(struct stream *s, const struct dump_pages *f,
                      struct batch *b, uint64_t gfn)
{
    size_t at = (size_t)b->n * STREAM_PAGE_LEN, n;
    const uint8_t *p;

    if (at < f->batch) {
        n = f->batch - at < STREAM_PAGE_LEN ? f->batch - at : STREAM_PAGE_LEN;
        p = stream_take(s, n);
        if (!p)
            return -1;
        memcpy(s->big.batch + at, p, n);
    }
    b->gfn[b->n++] = gfn;
    return b->n == f->members ? unpack_batch(s, f, b) : 0;
}

static int read_packed(struct stream *s, const struct dump_pages *f,
                       struct batch *b, uint64_t gfn, unsigned word)
{
    switch (word >> DUMP_CODING_SHIFT) {
    case MEXT_CODING_LZ4:
        return read_block(s, gfn, word & DUMP_LEN_MASK);
    case MEXT_CODING_DELTA:
        return read_delta(s, gfn, word & DUMP_LEN_MASK);
    default:
        return read_piece(s, f, b, gfn);
    }
}

int stream_read_dump_pages(struct stream *s, const struct dump_pages *f)
{
    const uint8_t *word = f->words;
    struct batch b = { .n = 0 };
    int rc = 0;

    for (unsigned i = 0; i < f->span && !rc; i++) {
        uint64_t gfn = f->base + i;
        unsigned v = dump_map(f, i);

        s->dump.data += v == MEXT_MAP_DATA || v == MEXT_MAP_PACKED;
        s->dump.zero += v == MEXT_MAP_ZERO;
        if (v == MEXT_MAP_ZERO) {
            tell_page(s, gfn, NULL);
        } else if (v == MEXT_MAP_DATA) {
            rc = read_plain(s, gfn);
        } else if (v == MEXT_MAP_PACKED) {
            rc = read_packed(s, f, &b, gfn, load16be(word));
            word += 2;
        }
    }
    return rc;
}
