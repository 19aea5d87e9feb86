/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The order in which an iteration sends its pages: cold ones first, hot ones
 * late.  First the blocks in which nothing was written since the iteration
 * began, then the others, those with the fewest written pages first.  A page
 * that was written before its turn came is left out: it is dirty, and so of the
 * next iteration.  Pure but for the memory of mext_order_init.
 *
 * Bitmaps are taken a word of 64 gfns at a time: all of it that is cold, and in
 * an iteration once only, so that no two lists have gfns of one word.
 */
#ifndef MEXT_ORDER_H
#define MEXT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages that are sent late together, if one of them is written to. */
#define MEXT_BLOCK_GFNS 512

struct mext_block {
    uint64_t first; /* gfn */
    unsigned dirty; /* pages of it */
};

struct mext_order {
    uint64_t *todo; /* bitmap of gfns, the caller's; what is taken is cleared */
    uint64_t ngfns; /* in it, a multiple of 64 */
    uint64_t *taken;          /* bitmap of words, owned */
    struct mext_block *block; /* those of the second pass, in their order */
    size_t nblocks, at;
    uint64_t gfn; /* of the first pass, resp. of the block */
    bool second;
};

/* 0, or -1: out of memory. */
int mext_order_init(struct mext_order *o, uint64_t *todo, uint64_t ngfns);
void mext_order_free(struct mext_order *o);

/* An iteration begins. */
void mext_order_begin(struct mext_order *o);

/*
 * The next gfns, up to max (at least 64) of them, into list, rising.  hot: bitmap
 * of gfns written since the iteration began, which only grows until its end;
 * NULL: nothing is left out, the order is that of the gfns.  0: there are no
 * more.
 */
unsigned mext_order_next(struct mext_order *o, const uint64_t *hot,
                         uint64_t *list, unsigned max);

#endif
