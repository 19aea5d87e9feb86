/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_ENTROPY_H
#define MS_ENTROPY_H

#include "mstrap.h"

/**
 * Collects a seed: what dom0 left in xenstore, mixed with RDRAND if the CPU
 * has it. False if there is neither.
 */
bool ms_entropy_init(void);

/** Fills out with unpredictable bytes. */
void ms_random(void *out, size_t bytes);

/** Wipes the key; ms_random is of no use after it. */
void ms_entropy_forget(void);

#endif
