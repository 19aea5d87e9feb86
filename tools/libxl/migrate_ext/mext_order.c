/* SPDX-License-Identifier: LGPL-2.1-only */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mext_order.h"

/* Of the bitmap of words. */
static size_t taken_bytes(const struct mext_order *o)
{
    return (o->ngfns / 64 + 63) / 64 * 8;
}

int mext_order_init(struct mext_order *o, uint64_t *todo, uint64_t ngfns)
{
    o->todo = todo;
    o->ngfns = ngfns;
    o->block = calloc(ngfns / MEXT_BLOCK_GFNS + 1, sizeof(*o->block));
    o->taken = malloc(taken_bytes(o) + 8);
    return o->block && o->taken ? 0 : -1;
}

void mext_order_free(struct mext_order *o)
{
    free(o->block);
    free(o->taken);
    o->block = NULL;
    o->taken = NULL;
}

void mext_order_begin(struct mext_order *o)
{
    o->gfn = 0;
    o->second = false;
    memset(o->taken, 0, taken_bytes(o));
}

static uint64_t block_end(const struct mext_order *o, uint64_t first)
{
    return first + MEXT_BLOCK_GFNS < o->ngfns ? first + MEXT_BLOCK_GFNS
                                              : o->ngfns;
}

static unsigned count(const struct mext_order *o, const uint64_t *map,
                      uint64_t first)
{
    unsigned n = 0;

    for (uint64_t i = first / 64; i < block_end(o, first) / 64; i++)
        n += (unsigned)__builtin_popcountll(map[i]);
    return n;
}

/* Word i of the bitmaps: what was left of it before was hot, and still is. */
static void take_word(struct mext_order *o, uint64_t i)
{
    uint64_t bit = 1ULL << i % 64;

    assert(!(o->taken[i / 64] & bit));
    o->taken[i / 64] |= bit;
}

/* Takes what is to do of the gfns from o->gfn to end, as far as it fits. */
static unsigned take(struct mext_order *o, uint64_t end, const uint64_t *hot,
                     uint64_t *list, unsigned n, unsigned max)
{
    for (; o->gfn < end && n + 64 <= max; o->gfn += 64) {
        uint64_t i = o->gfn / 64, bits = o->todo[i] & ~(hot ? hot[i] : 0);

        if (bits)
            take_word(o, i);
        o->todo[i] &= ~bits;
        for (; bits; bits &= bits - 1)
            list[n++] = o->gfn + (unsigned)__builtin_ctzll(bits);
    }
    return n;
}

/* Blocks that are not written to, and the rest of one that was not so far. */
static unsigned first_pass(struct mext_order *o, const uint64_t *hot,
                           uint64_t *list, unsigned max)
{
    unsigned n = 0;

    while (o->gfn < o->ngfns && n + 64 <= max) {
        uint64_t first = o->gfn - o->gfn % MEXT_BLOCK_GFNS;

        if (hot && count(o, hot, first))
            o->gfn = block_end(o, first);
        else
            n = take(o, block_end(o, first), hot, list, n, max);
    }
    return n;
}

static int least_dirty_first(const void *a, const void *b)
{
    const struct mext_block *x = a, *y = b;

    if (x->dirty != y->dirty)
        return x->dirty < y->dirty ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void begin_second(struct mext_order *o, const uint64_t *hot)
{
    o->second = true;
    o->nblocks = o->at = 0;
    for (uint64_t first = 0; first < o->ngfns; first += MEXT_BLOCK_GFNS)
        if (count(o, o->todo, first))
            o->block[o->nblocks++] =
                (struct mext_block){ first, count(o, hot, first) };
    qsort(o->block, o->nblocks, sizeof(*o->block), least_dirty_first);
    if (o->nblocks)
        o->gfn = o->block[0].first;
}

/* One block at a time, so that the list rises. */
static unsigned second_pass(struct mext_order *o, const uint64_t *hot,
                            uint64_t *list, unsigned max)
{
    unsigned n = 0;

    while (o->at < o->nblocks && !n) {
        uint64_t end = block_end(o, o->block[o->at].first);

        n = take(o, end, hot, list, 0, max);
        if (o->gfn == end && ++o->at < o->nblocks)
            o->gfn = o->block[o->at].first;
    }
    return n;
}

unsigned mext_order_next(struct mext_order *o, const uint64_t *hot,
                         uint64_t *list, unsigned max)
{
    unsigned n = 0;

    if (!o->second) {
        n = first_pass(o, hot, list, max);
        if (n || !hot)
            return n;
        begin_second(o, hot);
    }
    return second_pass(o, hot, list, max);
}
