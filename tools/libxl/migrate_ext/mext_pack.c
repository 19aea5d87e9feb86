/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "mext_net.h"
#include "mext_pack.h"

#define OUT_LEN       (MEXT_PAGES_DATA_MAX * MEXT_PACKED_MAX)
#define PAGES_LEN     (MEXT_PAGES_DATA_MAX * MEXT_PAGE_SIZE)
#define DELTAS_LEN    (MEXT_PAGES_DATA_MAX * MEXT_DELTA_MAX)
#define WINDOW_LOG    17 /* a whole batch */
#define LEVEL_DEFAULT 3

/* Of fewer pages nothing is learned about those that follow. */
#define TELLING 8

/* Bytes that have to be left of a page at most for packing to be worth it. */
#define PAGE_SHRUNK (MEXT_PAGE_SIZE - MEXT_PAGE_SIZE / 32)

_Static_assert(OUT_LEN >= MEXT_BATCH_MAX, "");
_Static_assert(1 << WINDOW_LOG == MEXT_BATCH_PAGES * MEXT_PAGE_SIZE, "");

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
    p->pages = aligned_alloc(MEXT_PAGE_SIZE, PAGES_LEN);
    p->deltas = malloc(DELTAS_LEN);
    return p->out && p->pages && p->deltas ? 0 : -1;
}

void mext_packer_free(struct mext_packer *p)
{
    free(p->out);
    free(p->pages);
    free(p->deltas);
    mext_pack_batch_end(p->context);
    p->out = p->pages = p->deltas = NULL;
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

/* What is left to pack of a frame. */
struct work {
    struct mext_data *d;
    const uint8_t **page;             /* of the frame */
    unsigned n;                       /* pages to pack ... */
    unsigned i[MEXT_PAGES_DATA_MAX];  /* ... which of the frame's */
    unsigned at[MEXT_PAGES_DATA_MAX]; /* ... and where in its map */
};

/* A page goes so, `as` being its `len` bytes. */
static void mark(struct work *w, unsigned k, uint8_t coding, const uint8_t *as,
                 unsigned len)
{
    struct mext_data *d = w->d;

    mext_map_set(d->u.pages.map, w->at[k], MEXT_MAP_PACKED);
    d->u.pages.coding[w->i[k]] = coding;
    d->u.pages.len[w->i[k]] = (uint16_t)len;
    w->page[w->i[k]] = as;
}

/* Each page by itself; bytes that are left. */
static uint64_t pack_each(struct mext_packer *p, struct work *w)
{
    uint64_t bytes = 0;

    for (unsigned k = 0; k < w->n; k++) {
        uint8_t *out = p->out + (size_t)k * MEXT_PACKED_MAX;
        unsigned n = mext_pack(w->page[w->i[k]], out);

        bytes += n ? n : MEXT_PAGE_SIZE;
        if (!n)
            continue;
        mark(w, k, MEXT_CODING_LZ4, out, n);
        p->packed++;
    }
    return bytes;
}

/*
 * The pages side by side in p->pages.  Zstandard says nothing of input that changes
 * while it is packed, and the guest may write all the time.
 */
static void copy_pages(struct mext_packer *p, struct work *w)
{
    for (unsigned k = 0; k < w->n; k++) {
        uint8_t *copy = p->pages + (size_t)k * MEXT_PAGE_SIZE;

        if (w->page[w->i[k]] != copy)
            memcpy(copy, w->page[w->i[k]], MEXT_PAGE_SIZE);
        w->page[w->i[k]] = copy;
    }
}

/* All pages as a batch; bytes that are left, 0: they do not fit. */
static uint64_t pack_together(struct mext_packer *p, struct work *w)
{
    uint32_t bytes;

    if (w->n > MEXT_BATCH_PAGES)
        return 0;
    copy_pages(p, w);
    bytes = mext_pack_batch(&p->context, level_of(p), p->pages, w->n, p->out);
    if (!bytes)
        return 0;
    for (unsigned k = 0; k < w->n; k++)
        mark(w, k, MEXT_CODING_ZSTD, p->out + (size_t)k * MEXT_PAGE_SIZE,
             mext_batch_piece(bytes, k));
    w->d->u.pages.batch = bytes;
    p->packed += w->n;
    p->zstd += w->n;
    return bytes;
}

/* Whether to pack at all: two pages, others in each frame, tell. */
static bool worth_it(struct mext_packer *p, const struct work *w)
{
    unsigned one = p->coder.batches % w->n, other = (one + w->n / 2) % w->n;
    bool shrank;

    if (!mext_coder_look(&p->coder))
        return false;
    shrank = mext_pack(w->page[w->i[one]], p->out) ||
             mext_pack(w->page[w->i[other]], p->out);
    mext_coder_looked(&p->coder, shrank, false);
    return shrank;
}

static void pack(struct mext_packer *p, struct work *w)
{
    bool free_choice = p->packing.by == MEXT_PACK_AUTO;
    uint64_t start = mext_now_us(), bytes = 0;

    if (free_choice ? p->way == MEXT_WAY_NONE || !worth_it(p, w)
                    : !mext_coder_look(&p->coder))
        return;
    if (level_of(p))
        bytes = pack_together(p, w);
    if (!bytes)
        bytes = pack_each(p, w);
    if (!free_choice && w->n >= TELLING)
        mext_coder_looked(&p->coder, bytes < (uint64_t)w->n * PAGE_SHRUNK,
                          true);
    mext_coder_packed(&p->coder, p->way, w->n, bytes, mext_now_us() - start);
}

/*
 * What was sent before goes as what has changed.  A guest that writes while it is
 * looked at must not make the cache remember something else than what is sent:
 * both come from one copy.
 */
static bool send_change(struct mext_packer *p, struct work *w, uint64_t gfn)
{
    unsigned k = w->n, i = w->i[k], n;
    uint8_t *copy = p->pages + (size_t)k * MEXT_PAGE_SIZE;
    uint8_t *delta = p->deltas + (size_t)i * MEXT_DELTA_MAX;

    memcpy(copy, w->page[i], MEXT_PAGE_SIZE);
    w->page[i] = copy;
    n = mext_cache_send(p->cache, gfn, copy, delta);
    if (!n)
        return false;
    mark(w, k, MEXT_CODING_DELTA, delta, n);
    p->packed++;
    p->delta++;
    return true;
}

/* Finds the pages, and takes away those that go as what has changed. */
static void begin(struct mext_packer *p, struct work *w)
{
    struct mext_data *d = w->d;
    unsigned i = 0;

    for (unsigned at = 0; at < d->u.pages.span; at++) {
        unsigned v = mext_map_get(d->u.pages.map, at);
        bool again = p->again && v == MEXT_MAP_DATA;

        if (p->cache && v != MEXT_MAP_NONE && !again)
            mext_cache_drop(p->cache, d->u.pages.base + at);
        if (v != MEXT_MAP_DATA)
            continue;
        d->u.pages.len[i] = MEXT_PAGE_SIZE;
        d->u.pages.coding[i] = 0;
        w->at[w->n] = at;
        w->i[w->n] = i++;
        if (!p->cache || !again || !send_change(p, w, d->u.pages.base + at))
            w->n++;
    }
}

void mext_packer_frame(struct mext_packer *p, struct mext_data *d,
                       const uint8_t **page)
{
    struct work w = { .d = d, .page = page };
    uint64_t start = mext_now_us();

    d->u.pages.batch = 0;
    begin(p, &w);
    if (p->packing.by != MEXT_PACK_NONE && w.n)
        pack(p, &w);
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
