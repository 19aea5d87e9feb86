/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What of a guest's CPU a host cannot give, by name.  Pure.  Names and places of
 * features are those of Xen's public arch-x86/cpufeatureset.h.
 */
#ifndef MEXT_CPU_H
#define MEXT_CPU_H

#include "mext_codec.h"

/*
 * A CPU policy in wire form: leaves of 24 and MSRs of 16 bytes; and the version of
 * Xen, major << 16 | minor.
 */
struct mext_cpu {
    uint32_t nleaves, nmsrs;
    const uint8_t *leaves, *msrs;
    uint32_t xen;
};

/* Once for each: "AVX512F", "CPUID leaf 0xd", ...; lives until it returns. */
typedef void mext_cpu_fn(void *arg, const char *what);

/*
 * Tells what the guest was promised and the host, by the most it can give to any
 * guest of that kind, does not have; how many that are.  An older Xen is among it:
 * it does not take all of the state that a later one saves.
 */
unsigned mext_cpu_missing(const struct mext_cpu *guest,
                          const struct mext_cpu *host, mext_cpu_fn *fn,
                          void *arg);

#endif
