/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grants to dom0. References 0 and 1 are the console's and xenstore's, made
 * by the domain builder; they are never touched.
 */
#ifndef MS_GNTTAB_H
#define MS_GNTTAB_H

#include "../mstrap.h"

/** Uses the grant frame, which is mapped at this address. */
void ms_gnttab_init(void *frame);

/** Grants dom0 a page of the image; never fails, ref < 512, ref >= 8. */
void ms_grant(unsigned ref, const void *page);

/** Ends all grants but the reserved; false if one is still in use. */
bool ms_gnttab_revoke(void);

#endif
