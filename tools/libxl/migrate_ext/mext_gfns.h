/* SPDX-License-Identifier: LGPL-2.1-only */
/* Bitmaps of gfns: gfn g is bit g % 64 of word g / 64.  Pure. */
#ifndef MEXT_GFNS_H
#define MEXT_GFNS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool mext_gfn_get(const uint64_t *map, uint64_t gfn)
{
    return map[gfn / 64] >> (gfn % 64) & 1;
}

static inline void mext_gfn_put(uint64_t *map, uint64_t gfn, bool v)
{
    if (v)
        map[gfn / 64] |= 1ULL << (gfn % 64);
    else
        map[gfn / 64] &= ~(1ULL << (gfn % 64));
}

/* Bits set among the first n, a multiple of 64. */
static inline uint64_t mext_gfns_count(const uint64_t *map, uint64_t n)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < n / 64; i++)
        sum += (unsigned)__builtin_popcountll(map[i]);
    return sum;
}

/*
 * The next gfns set in map, below end, from *gfn on, which moves on: up to max,
 * at least 64, into list, rising, all of a word or none of it; how many.
 */
static inline unsigned mext_gfns_next(const uint64_t *map, uint64_t end,
                                      uint64_t *gfn, uint64_t *list,
                                      unsigned max)
{
    unsigned n = 0;

    for (; *gfn < end && n + 64 <= max; *gfn += 64)
        for (uint64_t bits = map[*gfn / 64]; bits; bits &= bits - 1)
            list[n++] = *gfn + (unsigned)__builtin_ctzll(bits);
    return n;
}

#endif
