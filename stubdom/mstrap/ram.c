/* SPDX-License-Identifier: GPL-2.0-only */
#include "ram.h"

void ms_ram_add(struct ms_ram *ram, uint64_t address, uint64_t size)
{
    uint64_t first, end;

    if (size > UINT64_MAX - MS_PAGE_SIZE - address ||
        ram->ranges == MS_RAM_RANGES)
        return;
    first = (address + MS_PAGE_SIZE - 1) >> MS_PAGE_SHIFT;
    end = (address + size) >> MS_PAGE_SHIFT;
    if (first >= end)
        return;
    ram->range[ram->ranges].first = first;
    ram->range[ram->ranges].end = end;
    ram->ranges++;
    ram->pages += end - first;
    if (end > ram->end)
        ram->end = end;
}

bool ms_ram_has(const struct ms_ram *ram, uint64_t gfn)
{
    for (unsigned i = 0; i < ram->ranges; i++)
        if (gfn >= ram->range[i].first && gfn < ram->range[i].end)
            return true;
    return false;
}
