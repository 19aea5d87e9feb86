/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the guest does not have: the receiver, built with all of its RAM, gives it back
 * (docs/specs/transport.md, "ABSENT").
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
 * Tells the gfns of RAM that had no page when they were last looked at, unless they were
 * told already, over channel 0; nothing else is under way.  0, or -1 and why.
 */
int mext_absent_tell(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why);

/* One past the last gfn of RAM as libxl builds it, a hole inside. */
uint64_t mext_absent_ram_end(const struct mext_memory *m);

#endif
