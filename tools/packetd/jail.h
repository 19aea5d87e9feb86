/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process that reads from the network may still do, once it is in its
 * jail: use the descriptors it has.  docs/specs/privsep.md.
 */
#ifndef PACKETD_JAIL_H
#define PACKETD_JAIL_H

#include <stdbool.h>
#include <sys/types.h>

#include "mext_keys.h"

struct jail_user {
    uid_t uid;
    gid_t gid;
};

/* The user of a name; root and unknown ones are refused with what to do. */
int jail_user_find(const char *name, struct jail_user *u_r,
                   struct mext_why *why);

/*
 * Gives up, for good, standard input, files (an empty folder that is deleted
 * already becomes the root), the user, all capabilities and, by a list of the
 * system calls that are left, everything that makes a descriptor but received
 * messages and, with `accepts`, accepted connections.  Another call ends the
 * process with SIGSYS.  Must be root.  -1 and why: then the
 * process must not read anything.
 */
int jail_enter(const struct jail_user *u, bool accepts, struct mext_why *why);

/*
 * For a program that is executed next, as root: it has no capability, makes no
 * process, no socket and no core; makes, empties and write(2)s no file.  What is left is what
 * libxc needs to restore a guest, which is Xen's devices: all hypercalls.
 */
int jail_helper(struct mext_why *why);

#ifdef PACKETD_TEST_HOOK
/* Called in the jail, in place of code that somebody else got to run there. */
void jail_test_hook(void);
#endif

#endif
