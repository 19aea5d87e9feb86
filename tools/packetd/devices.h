/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disks and network cards of a guest that has just come: what dom0 does
 * meanwhile it does in their way.
 */
#ifndef PACKETD_DEVICES_H
#define PACKETD_DEVICES_H

#include "mext_store.h"

/*
 * Returns when each of this domain's disks and network cards that dom0 has is
 * connected or closed, or after timeout_ms.
 */
void devices_wait(struct mext_store *s, uint32_t domid, unsigned timeout_ms);

#endif
