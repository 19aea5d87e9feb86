/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who minds a guest that came in, or that was suspended to go and stayed: one process,
 * which does what its configuration says when it stops.  It holds the lock of a file
 * that is named after the migration; when it is over a word stands there.  So whoever
 * finds neither the lock nor the word starts another, whatever has died meanwhile, and
 * there are never two.  The files are of this boot, as the guests are.
 */
#ifndef PACKETD_MIND_H
#define PACKETD_MIND_H

#include "packetd.h"

/* True if a guest is to be minded because of this migration, and nobody does. */
bool mind_wanted(const struct mext_entry *e);

/* True if nobody ever has to mind a guest because of it. */
bool mind_over(const struct mext_entry *e);

/*
 * Minds it in a process of its own, which has none of this one's descriptors, and
 * ends at once if another does already.  e is copied.
 */
void mind(const struct packetd *p, const struct mext_entry *e);

/* Somebody else minds this one: the xl that its mstrap was started by. */
int mind_not(const uint8_t id[MEXT_ID_LEN], struct mext_why *why);

#endif
