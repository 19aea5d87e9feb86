/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where received pages may go in this domain: the sink of the channels.
 */
#ifndef MS_RECEIVER_H
#define MS_RECEIVER_H

#include "channel.h"
#include "ram.h"

/** gfn_limit: the first gfn that the direct map does not reach. */
void ms_receiver_init(const struct ms_ram *ram, uint64_t gfn_limit);

extern const struct ms_sink ms_receiver;

/** Pages that were asked from Xen because the source has them. */
uint64_t ms_receiver_populated(void);

#endif
