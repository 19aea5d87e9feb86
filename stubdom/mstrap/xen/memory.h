/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames: asked from Xen, given back, and what is mapped where.
 */
#ifndef MS_MEMORY_H
#define MS_MEMORY_H

#include "../mstrap.h"

/** Populates count gfns from first up; the number that Xen gave. */
uint64_t ms_populate(uint64_t first, uint64_t count);

/** Gives count gfns from first up back; the number that Xen took. */
uint64_t ms_release(uint64_t first, uint64_t count);

/** True if there is a writable page behind the gfn. */
bool ms_gfn_present(uint64_t gfn);

/** Pages the domain has. */
uint64_t ms_current_pages(void);

/** Maps shared_info, resp. the first grant frame, at a gfn. */
bool ms_map_shared_info(uint64_t gfn);
bool ms_map_grant_frame(uint64_t gfn);

/** Takes such a mapping away. */
bool ms_unmap(uint64_t gfn);

#endif
