/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "mext_net.h"
#include "mext_pack.h"

#define OUT_LEN       (MEXT_PAGES_DATA_MAX * MEXT_PACKED_MAX)
#define BATCH_LEN     (MEXT_BATCH_PAGES * MEXT_PAGE_SIZE)
#define WINDOW_LOG    17 /* a whole batch */
#define LEVEL_DEFAULT 3

_Static_assert(OUT_LEN >= MEXT_BATCH_MAX, "");
_Static_assert(1 << WINDOW_LOG == BATCH_LEN, "");

bool mext_packing_parse(const char *word, struct mext_packing *out_r)
{
    static const char *const words[] = { "auto", "none", "lz4", "zstd" };
    struct mext_packing p = { .level = LEVEL_DEFAULT };
    size_t n = strcspn(word, ":");
    char *end;

    for (; p.by <= MEXT_PACK_ZSTD; p.by++)
        if (strlen(words[p.by]) == n && !memcmp(word, words[p.by], n))
            break;
    if (p.by > MEXT_PACK_ZSTD)
        return false;
    if (word[n]) {
        p.level = (int)strtol(word + n + 1, &end, 10);
        if (p.by != MEXT_PACK_ZSTD || *end || word[n + 1] < '1' ||
            word[n + 1] > '9' || p.level > MEXT_ZSTD_LEVEL_MAX)
            return false;
    }
    *out_r = p;
    return true;
}

unsigned mext_pack(const uint8_t *page, uint8_t *out)
{
    return (unsigned)LZ4_compress_default((const char *)page, (char *)out,
                                          MEXT_PAGE_SIZE, MEXT_PACKED_MAX);
}

static ZSTD_CCtx *make_context(void)
{
    static const struct {
        ZSTD_cParameter what;
        int value;
    } set[] = {
        { ZSTD_c_format, ZSTD_f_zstd1_magicless },
        { ZSTD_c_contentSizeFlag, 0 },
        { ZSTD_c_windowLog, WINDOW_LOG },
    };
    ZSTD_CCtx *c = ZSTD_createCCtx();

    for (unsigned i = 0; c && i < sizeof(set) / sizeof(set[0]); i++)
        if (ZSTD_isError(
                ZSTD_CCtx_setParameter(c, set[i].what, set[i].value))) {
            ZSTD_freeCCtx(c);
            c = NULL;
        }
    return c;
}

uint32_t mext_pack_batch(void **context_r, int level, const uint8_t *page,
                         unsigned pages, uint8_t *out)
{
    size_t max = (size_t)pages * MEXT_PACKED_MAX, n;

    if (!*context_r)
        *context_r = make_context();
    if (!*context_r || ZSTD_isError(ZSTD_CCtx_setParameter(
                           *context_r, ZSTD_c_compressionLevel, level)))
        return 0;
    n = ZSTD_compress2(*context_r, out,
                       max < MEXT_BATCH_MAX ? max : MEXT_BATCH_MAX, page,
                       (size_t)pages * MEXT_PAGE_SIZE);
    return ZSTD_isError(n) ? 0 : (uint32_t)n;
}

void mext_pack_batch_end(void *context)
{
    ZSTD_freeCCtx(context);
}

int mext_packer_init(struct mext_packer *p, const struct mext_packing *packing)
{
    memset(p, 0, sizeof(*p));
    p->packing = *packing;
    mext_coder_init(&p->coder);
    if (packing->by == MEXT_PACK_NONE)
        return 0;
    p->out = malloc(OUT_LEN);
    p->batch = malloc(BATCH_LEN);
    return p->out && p->batch ? 0 : -1;
}

void mext_packer_free(struct mext_packer *p)
{
    free(p->out);
    free(p->batch);
    mext_pack_batch_end(p->context);
    p->out = p->batch = NULL;
    p->context = NULL;
}

/* Zstandard's level for the next frame, 0: not by it. */
static int level_of(const struct mext_packer *p)
{
    switch (p->packing.by) {
    case MEXT_PACK_ZSTD:
        return p->packing.level;
    case MEXT_PACK_AUTO:
        return mext_way_level(p->way);
    default:
        return 0;
    }
}

unsigned mext_packer_room(struct mext_packer *p)
{
    if (p->packing.by == MEXT_PACK_AUTO)
        p->way = mext_coder_choose(&p->coder);
    return level_of(p) ? MEXT_BATCH_PAGES : MEXT_PAGES_DATA_MAX;
}

/* The i-th page of the frame, at this place of its map, goes so. */
static void mark(struct mext_data *d, unsigned at, unsigned i, uint8_t coding,
                 unsigned len)
{
    mext_map_set(d->u.pages.map, at, MEXT_MAP_PACKED);
    d->u.pages.coding[i] = coding;
    d->u.pages.len[i] = (uint16_t)len;
}

/* Each page by itself; bytes that are left. */
static uint64_t pack_each(struct mext_packer *p, struct mext_data *d,
                          const uint8_t **page)
{
    uint64_t bytes = 0;
    unsigned i = 0;

    for (unsigned at = 0; at < d->u.pages.span; at++) {
        uint8_t *out = p->out + (size_t)i * MEXT_PACKED_MAX;
        unsigned n;

        if (mext_map_get(d->u.pages.map, at) != MEXT_MAP_DATA)
            continue;
        n = mext_pack(page[i], out);
        bytes += n ? n : MEXT_PAGE_SIZE;
        if (n) {
            mark(d, at, i, MEXT_CODING_LZ4, n);
            page[i] = out;
            p->packed++;
        }
        i++;
    }
    return bytes;
}

/* The frame's pages side by side: where they are, or a copy. */
static const uint8_t *side_by_side(struct mext_packer *p, const uint8_t **page,
                                   unsigned n)
{
    unsigned i = 1;

    while (i < n && page[i] == page[0] + (size_t)i * MEXT_PAGE_SIZE)
        i++;
    if (i == n)
        return page[0];
    for (i = 0; i < n; i++)
        memcpy(p->batch + (size_t)i * MEXT_PAGE_SIZE, page[i], MEXT_PAGE_SIZE);
    return p->batch;
}

/* All pages as a batch; bytes that are left, 0: nothing was changed. */
static uint64_t pack_together(struct mext_packer *p, struct mext_data *d,
                              const uint8_t **page)
{
    unsigned n = d->u.pages.ndata, i = 0;
    uint32_t bytes;

    if (n > MEXT_BATCH_PAGES)
        return 0;
    bytes = mext_pack_batch(&p->context, level_of(p), side_by_side(p, page, n),
                            n, p->out);
    if (!bytes)
        return 0;
    d->u.pages.batch = bytes;
    for (unsigned at = 0; at < d->u.pages.span; at++) {
        if (mext_map_get(d->u.pages.map, at) != MEXT_MAP_DATA)
            continue;
        mark(d, at, i, MEXT_CODING_ZSTD, mext_batch_piece(bytes, i));
        page[i] = p->out + (size_t)i * MEXT_PAGE_SIZE;
        i++;
    }
    p->packed += n;
    p->zstd += n;
    return bytes;
}

/* Whether to pack at all: two pages, others in each frame, tell. */
static bool worth_it(struct mext_packer *p, const uint8_t **page, unsigned n)
{
    unsigned one = p->coder.batches % n, other = (one + n / 2) % n;
    bool shrank;

    if (!mext_coder_look(&p->coder))
        return false;
    shrank = mext_pack(page[one], p->out) || mext_pack(page[other], p->out);
    mext_coder_looked(&p->coder, shrank);
    return shrank;
}

static void pack(struct mext_packer *p, struct mext_data *d,
                 const uint8_t **page)
{
    uint64_t start = mext_now_us(), bytes = 0;

    if (p->packing.by == MEXT_PACK_AUTO &&
        (p->way == MEXT_WAY_NONE || !worth_it(p, page, d->u.pages.ndata)))
        return;
    if (level_of(p))
        bytes = pack_together(p, d, page);
    if (!bytes)
        bytes = pack_each(p, d, page);
    mext_coder_packed(&p->coder, p->way, d->u.pages.ndata, bytes,
                      mext_now_us() - start);
}

void mext_packer_frame(struct mext_packer *p, struct mext_data *d,
                       const uint8_t **page)
{
    uint64_t start = mext_now_us();

    for (unsigned i = 0; i < d->u.pages.ndata; i++) {
        d->u.pages.len[i] = MEXT_PAGE_SIZE;
        d->u.pages.coding[i] = 0;
    }
    d->u.pages.batch = 0;
    if (p->packing.by != MEXT_PACK_NONE && d->u.pages.ndata)
        pack(p, d, page);
    p->us = mext_now_us() - start;
}

void mext_packer_sent(struct mext_packer *p, uint64_t bytes,
                      uint64_t blocked_us)
{
    uint64_t now = mext_now_us();

    if (p->sent_at)
        mext_coder_sent(&p->coder, bytes, now - p->sent_at, p->us, blocked_us);
    p->sent_at = now;
}

void mext_packer_pause(struct mext_packer *p)
{
    p->sent_at = 0;
}
