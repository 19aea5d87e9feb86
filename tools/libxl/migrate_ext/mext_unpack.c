/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <lz4.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "mext_seal.h"
#include "mext_unpack.h"

/* What the decoder keeps, ZSTD_estimateDCtxSize() and some more. */
#define DECODER_LEN 98304

static union {
    uint64_t align;
    uint8_t bytes[DECODER_LEN];
} decoder;
static ZSTD_DCtx *zstd; /* in there; NULL: not made yet */
static uint8_t packed[MEXT_BATCH_MAX];
static uint8_t unpacked[MEXT_BATCH_PAGES * MEXT_PAGE_SIZE];
static size_t packed_used, unpacked_used; /* the most so far, bytes */

static void used(size_t *most, size_t n)
{
    if (*most < n)
        *most = n;
}

int mext_unpack(uint8_t *page, unsigned n)
{
    if (n > MEXT_PACKED_MAX)
        return MEXT_ERR_LIMIT;
    memcpy(packed, page, n);
    used(&packed_used, n);
    if (LZ4_decompress_safe((const char *)packed, (char *)page, (int)n,
                            MEXT_PAGE_SIZE) != MEXT_PAGE_SIZE)
        return MEXT_ERR_FORMAT;
    return 0;
}

static int make_decoder(void)
{
    if (zstd)
        return 0;
    zstd = ZSTD_initStaticDCtx(decoder.bytes, sizeof(decoder.bytes));
    if (!zstd || ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_format,
                                                     ZSTD_f_zstd1_magicless)))
        return MEXT_ERR_LIB;
    return 0;
}

/* Puts the pieces together. */
static void gather(uint8_t *const *page, uint32_t n)
{
    uint16_t piece;

    for (unsigned i = 0; (piece = mext_batch_piece(n, i)); i++)
        memcpy(packed + i * MEXT_PAGE_SIZE, page[i], piece);
    used(&packed_used, n);
}

/* True if the pages follow each other, as those of gfns in a row do. */
static bool in_a_row(uint8_t *const *page, unsigned pages)
{
    for (unsigned i = 1; i < pages; i++)
        if (page[i] != page[0] + i * MEXT_PAGE_SIZE)
            return false;
    return true;
}

int mext_unpack_batch(uint8_t *const *page, unsigned pages, uint32_t n)
{
    size_t whole = (size_t)pages * MEXT_PAGE_SIZE;
    bool direct;

    if (!pages || pages > MEXT_BATCH_PAGES || n > MEXT_BATCH_MAX || n > whole)
        return MEXT_ERR_LIMIT;
    if (make_decoder())
        return MEXT_ERR_LIB;
    direct = in_a_row(page, pages);
    gather(page, n);
    /* What is above `whole` is an error. */
    if (ZSTD_decompressDCtx(zstd, direct ? page[0] : unpacked, whole, packed,
                            n) != whole)
        return MEXT_ERR_FORMAT;
    if (direct)
        return 0;
    used(&unpacked_used, whole);
    for (unsigned i = 0; i < pages; i++)
        memcpy(page[i], unpacked + i * MEXT_PAGE_SIZE, MEXT_PAGE_SIZE);
    return 0;
}

uint64_t mext_page_sum(const uint8_t *page)
{
    uint64_t s = MEXT_DELTA_SEED, w;

    for (unsigned i = 0; i < MEXT_PAGE_SIZE; i += sizeof(w)) {
        memcpy(&w, page + i, sizeof(w)); /* x86 is little-endian */
        s = (s ^ w) * MEXT_DELTA_SEED;
        s ^= s >> 32;
    }
    return s;
}

int mext_unpack_delta(uint8_t *page, const uint8_t *delta, unsigned n)
{
    unsigned end = 0; /* of the run before, in words */
    struct mext_buf b;
    uint64_t sum;

    mext_buf_init(&b, (uint8_t *)delta, n);
    sum = mext_get64(&b);
    while (!b.bad && b.pos < b.len) {
        unsigned run = mext_get16(&b), at = run >> MEXT_RUN_SHIFT;
        unsigned words = run & MEXT_RUN_MAX;
        const uint8_t *from = mext_view(&b, words * 8);

        if (!from || !words || (end && at <= end) ||
            at + words > MEXT_PAGE_SIZE / 8)
            return MEXT_ERR_FORMAT;
        memcpy(page + at * 8, from, words * 8);
        end = at + words;
    }
    if (mext_buf_end(&b) || mext_page_sum(page) != sum)
        return MEXT_ERR_FORMAT;
    return 0;
}

void mext_unpack_forget(void)
{
    mext_wipe(packed, packed_used);
    mext_wipe(unpacked, unpacked_used);
    if (zstd)
        mext_wipe(&decoder, sizeof(decoder));
    zstd = NULL;
    packed_used = unpacked_used = 0;
}
