/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that ask to be moved, docs/specs/guest-migrate.md. */
#ifndef PACKETD_GUESTS_H
#define PACKETD_GUESTS_H

#include "mext_move.h"
#include "mext_store.h"
#include "packetd.h"

#define GUEST_NAME_MAX 128 /* bytes of a name that can be moved */

/*
 * For a process of its own: watches the guests' requests, judges them, and has
 * a process for each guest that is moved.  After a SIGTERM it takes no more
 * and returns when the migrations have ended; the exit status.
 */
int guests_watch(const struct packetd *p);

/*
 * Moves one guest whose request was allowed, and tells it how that goes; the
 * exit status of the process.
 */
int guest_move(const struct packetd *p, uint32_t domid, const char *name,
               const struct mext_move_request *rq);

/* Writes the guest's status node; a guest that is gone is none to tell. */
void guest_tell(struct mext_store *store, uint32_t domid, const char *id,
                uint32_t seq, enum mext_move_state state, const char *text);

#endif
