/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which gfns the domain was built with: pure, also compiled on the host.
 */
#ifndef MS_RAM_H
#define MS_RAM_H

#include "mstrap.h"

#define MS_RAM_RANGES 16

struct ms_ram {
    unsigned ranges;
    struct {
        uint64_t first, end; /* gfns, end excluded */
    } range[MS_RAM_RANGES];
    uint64_t pages; /* in all ranges */
    uint64_t end;   /* one more than the highest gfn, 0 if none */
};

/** Adds a RAM entry of the memory map (bytes); partial pages do not count. */
void ms_ram_add(struct ms_ram *ram, uint64_t address, uint64_t size);

/** True if the gfn was RAM when the domain was built. */
bool ms_ram_has(const struct ms_ram *ram, uint64_t gfn);

#endif
