/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guests of this host came in, and by whose key: for each a file
 * <state>/received/UUID with the key's name, so that a guest that reboots, or
 * a packetd that does, is still counted.
 */
#ifndef PACKETD_RECEIVED_H
#define PACKETD_RECEIVED_H

#include "mext_store.h"
#include "policy.h"

/*
 * Opens <state>/received, making what is missing, and waits until nobody else
 * has it: a descriptor to be closed, -1 and why.
 */
int received_lock(const char *state_dir, struct mext_why *why);

/*
 * How many domains that came in have a key and a name that fall under the
 * rule, or -1 and why; forgets those that have been away for minutes.
 */
int received_count(int lock, struct mext_store *store, const struct policy *p,
                   const struct policy_accept *rule, struct mext_why *why);

/* The domain came in by this key; -1 and why. */
int received_note(int lock, struct mext_store *store, uint32_t domid,
                  const char *key, struct mext_why *why);

#endif
