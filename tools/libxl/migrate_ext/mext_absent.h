/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the guest does not have, at the end: the receiver, built with all of its
 * RAM, gives it back (docs/specs/transport.md, "ABSENT").
 */
#ifndef MEXT_ABSENT_H
#define MEXT_ABSENT_H

#include "mext_memory.h"

/*
 * Looks again at what had no page, and at all if the guest's number of pages has
 * changed: pages.gone is right for RAM then, as long as the guest is suspended.  0,
 * or -1 and why.
 */
int mext_absent_find(struct mext_memory *m, struct mext_why *why);

/*
 * After that: sends the gfns of RAM that have no page, over channel 0, which nobody
 * else uses now.  0, or -1 and why.
 */
int mext_absent_send(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why);

/* One past the last gfn of RAM as libxl builds it, a hole inside. */
uint64_t mext_absent_ram_end(const struct mext_memory *m);

#endif
