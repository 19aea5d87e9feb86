/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_CLOCK_H
#define MS_CLOCK_H

#include "../mstrap.h"

/**
 * The time of a TSC value, in nanoseconds since the host started; 0 before
 * shared_info is mapped.
 */
uint64_t ms_ns_at(uint64_t tsc);

static inline uint64_t ms_tsc(void)
{
    return __builtin_ia32_rdtsc();
}

static inline uint64_t ms_now_ns(void)
{
    return ms_ns_at(ms_tsc());
}

static inline uint64_t ms_now_ms(void)
{
    return ms_now_ns() / 1000000;
}

#endif
