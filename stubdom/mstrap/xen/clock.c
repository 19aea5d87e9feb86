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

uint64_t ms_ns_at(uint64_t tsc)
{
    const volatile struct vcpu_time_info *time;
    uint32_t version;
    uint64_t ns;

    if (!ms_shared_info)
        return 0;
    time = &ms_shared_info->vcpu_info[0].time;
    do {
        version = time->version;
        ms_barrier();
        if (tsc >= time->tsc_timestamp)
            ns = time->system_time + scale(tsc - time->tsc_timestamp,
                                           time->tsc_to_system_mul,
                                           time->tsc_shift);
        else
            ns = time->system_time - scale(time->tsc_timestamp - tsc,
                                           time->tsc_to_system_mul,
                                           time->tsc_shift);
        ms_barrier();
    } while (version & 1 || version != time->version);
    return ns;
}
