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

#define STAMP_SIZE 4096u
#define STAMP_WORDS (STAMP_SIZE / sizeof(uint64_t))
#define STAMP_FIRST 3 /* words before the filling */

/* Word 0: number, 1: generation, 2: checksum of the others, rest: filling. */

static inline uint64_t stamp_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline uint64_t stamp_start(uint64_t seed, uint64_t number,
                                   uint64_t generation)
{
    return stamp_mix(seed ^ stamp_mix(number * 2 + 1) ^ generation << 40);
}

static inline void stamp_write(uint64_t *unit, uint64_t seed, uint64_t number,
                               uint64_t generation)
{
    uint64_t x = stamp_start(seed, number, generation), sum = 0;

    for (size_t i = STAMP_FIRST; i < STAMP_WORDS; i++) {
        x = x * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
        unit[i] = x;
        sum = (sum << 1 | sum >> 63) ^ x;
    }
    unit[0] = number;
    unit[1] = generation;
    unit[2] = stamp_mix(sum ^ number ^ generation);
}

/* NULL when the unit is what stamp_write() made, or what is wrong with it. */
static inline const char *stamp_check(const uint64_t *unit, uint64_t seed,
                                      uint64_t number, uint64_t generation)
{
    uint64_t x = stamp_start(seed, unit[0], unit[1]), sum = 0, any = 0;
    bool filled = true;

    for (size_t i = STAMP_FIRST; i < STAMP_WORDS; i++) {
        x = x * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
        filled &= unit[i] == x;
        sum = (sum << 1 | sum >> 63) ^ unit[i];
        any |= unit[i];
    }
    if (filled && unit[0] == number && unit[1] == generation &&
        unit[2] == stamp_mix(sum ^ number ^ generation))
        return NULL;
    if (!any)
        return "lost"; /* all zero */
    if (unit[2] != stamp_mix(sum ^ unit[0] ^ unit[1]) || !filled)
        return "torn";
    return unit[0] != number ? "misplaced" : "stale";
}

#endif
