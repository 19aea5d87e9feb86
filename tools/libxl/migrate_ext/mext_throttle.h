/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A guest that writes faster than can be sent gets less of the CPUs, by a cap in
 * Xen's scheduler.  The cap it had is noted in xenstore first, so that it comes
 * back whoever ends the migration.
 */
#ifndef MEXT_THROTTLE_H
#define MEXT_THROTTLE_H

#include "mext_libxl.h"
#include "mext_store.h"

struct mext_throttle {
    /* the caller's */
    struct mext_lxl *lxl;
    struct mext_store *store;
    uint32_t domid;
    unsigned vcpus;
    /* private; zero before the first call */
    unsigned step;
};

/*
 * One step slower: 1, and *percent_r of its vCPUs' time are left to it.  0: it is
 * as slow as it gets.  -1 and why: it cannot be slowed down.
 */
int mext_throttle_more(struct mext_throttle *t, unsigned *percent_r,
                       struct mext_why *why);

/* It has what it had before; nothing is done if it was never slowed down. */
void mext_throttle_end(struct mext_lxl *l, struct mext_store *s,
                       uint32_t domid);

#endif
