/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contents of a 4096-byte unit (page of memory or block of a disk) which can
 * be told from every other: it depends on the unit's number, on how often the
 * unit was written and on the seed.
 */
#ifndef STAMP_H
#define STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_SIZE  4096u
#define STAMP_WORDS (STAMP_SIZE / sizeof(uint64_t))
#define STAMP_FIRST 2 /* words before the filling */
#define STAMP_STEP  0x9e3779b97f4a7c15u

/* Word 0: number, 1: generation, rest: an arithmetic series whose start
 * depends on both, so that any word of another unit or generation shows.
 * Cheap on purpose: an emulated CPU verifies hundreds of units a second. */

/* No vector registers: an emulated CPU may lose them (../README.md, "Pitfalls"). */
#define STAMP_PLAIN \
    __attribute__((noinline, unused, target("general-regs-only")))

STAMP_PLAIN static uint64_t stamp_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

STAMP_PLAIN static uint64_t stamp_start(uint64_t seed, uint64_t number,
                                        uint64_t generation)
{
    return stamp_mix(seed ^ stamp_mix(number * 2 + 1) ^ generation << 40);
}

STAMP_PLAIN static void stamp_write(uint64_t *unit, uint64_t seed,
                                    uint64_t number, uint64_t generation)
{
    uint64_t start = stamp_start(seed, number, generation);

    unit[0] = number;
    unit[1] = generation;
    for (size_t i = STAMP_FIRST; i < STAMP_WORDS; i++)
        unit[i] = start + i * STAMP_STEP;
}

STAMP_PLAIN static bool stamp_holds(const uint64_t *unit, uint64_t start)
{
    uint64_t differs = 0;

    for (size_t i = STAMP_FIRST; i < STAMP_WORDS; i++)
        differs |= unit[i] ^ (start + i * STAMP_STEP);
    return !differs;
}

/* NULL when the unit is what stamp_write() made, or what is wrong with it. */
STAMP_PLAIN static const char *stamp_check(const uint64_t *unit, uint64_t seed,
                                           uint64_t number, uint64_t generation)
{
    if (unit[0] == number && unit[1] == generation &&
        stamp_holds(unit, stamp_start(seed, number, generation)))
        return NULL;
    if (!unit[STAMP_FIRST] && !unit[STAMP_WORDS - 1])
        return "lost"; /* zero */
    if (!stamp_holds(unit, stamp_start(seed, unit[0], unit[1])))
        return "torn";
    return unit[0] != number ? "misplaced" : "stale";
}

#endif
