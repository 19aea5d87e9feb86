/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest whose memory libxl sends must not get any meanwhile: what it writes there
 * libxl may miss (docs/specs/transport.md, "Memory that the guest gets meanwhile").
 */
#ifndef MEXT_STEADY_H
#define MEXT_STEADY_H

#include "mext_xen.h"

/*
 * Counts the guest's pages; *size: as many as were counted last, 0: never.  -1 and why
 * if there are more than that.
 */
int mext_steady(const struct mext_dom_state *now, uint64_t *size,
                struct mext_why *why);

#endif
