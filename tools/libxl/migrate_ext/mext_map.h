/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Read-only mappings of a source guest's memory; the one file that knows
 * libxenforeignmemory.  Linked into the source only: packetd does not have
 * this code, so a destination's dom0 cannot map what mstrap receives.
 */
#ifndef MEXT_MAP_H
#define MEXT_MAP_H

#include "mext_keys.h"

struct mext_map;

int mext_map_open(uint32_t domid, struct mext_map **m_r, struct mext_why *why);
void mext_map_close(struct mext_map *m);

/* Pages in one window. */
#define MEXT_WINDOW_MAX 256

/*
 * Maps n <= MEXT_WINDOW_MAX gfns side by side, unmapping the window before.
 * err_r[i] != 0: gfn i has no page now.  *p_r is valid until the next call.
 */
int mext_map_window(struct mext_map *m, const uint64_t *gfns, unsigned n,
                    int *err_r, const uint8_t **p_r, struct mext_why *why);

#endif
