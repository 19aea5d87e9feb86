/* SPDX-License-Identifier: GPL-2.0-only */
#include "clock.h"
#include "evtchn.h"

static uint64_t scale(uint64_t ticks, uint32_t multiplier, int8_t shift)
{
    if (shift >= 0)
        ticks <<= shift;
    else
        ticks >>= -shift;
    return (uint64_t)(((unsigned __int128)ticks * multiplier) >> 32);
}

uint64_t ms_now_ns(void)
{
    const volatile struct vcpu_time_info *time;
    uint32_t version;
    uint64_t now;

    if (!ms_shared_info)
        return 0;
    time = &ms_shared_info->vcpu_info[0].time;
    do {
        version = time->version;
        ms_barrier();
        now = time->system_time + scale(ms_tsc() - time->tsc_timestamp,
                                        time->tsc_to_system_mul,
                                        time->tsc_shift);
        ms_barrier();
    } while (version & 1 || version != time->version);
    return now;
}
