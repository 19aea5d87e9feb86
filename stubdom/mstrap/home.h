/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The move out of the guest's memory, into frames no guest uses.
 */
#ifndef MS_HOME_H
#define MS_HOME_H

#include "ram.h"

/* What dom0 has to release when the guest takes over. */
struct ms_home {
    uint64_t first_gfn;
    uint64_t pages;
    uint64_t gfn_limit; /* the direct map ends here */
};

/**
 * Populates the frames, copies the running image and its stack there and
 * switches to the final page tables; maps shared_info and the grant table.
 * Everything below is free afterwards. Fails by ms_fail.
 */
void ms_home_move(const struct ms_ram *ram, struct ms_home *home_r);

/** Clears the stack below the caller's frame. */
void ms_stack_wipe(void);

/** Takes shared_info and the grant table out of the address space again. */
void ms_home_unmap(void);

#endif
