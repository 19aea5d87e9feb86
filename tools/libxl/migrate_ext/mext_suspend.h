/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The guest's own suspend handshake (xen docs/misc/xenstore-paths,
 * control/shutdown).
 */
#ifndef MEXT_SUSPEND_H
#define MEXT_SUSPEND_H

#include "mext_store.h"
#include "mext_xen.h"

/*
 * Asks the guest to suspend and waits until it has: 0.  1 and why if somebody else had
 * it suspended before, who is to let it run.  -1 and why if it does
 * not within timeout_ms, is gone or stopped otherwise, or the wait was
 * cancelled; the request is then withdrawn, and *suspended_r tells whether
 * the guest suspended all the same, or may have (the caller resumes it).  A guest that has
 * suspended by this is marked so in xenstore until mext_suspend_forget.
 */
int mext_suspend(struct mext_dom *d, struct mext_store *s, unsigned timeout_ms,
                 bool *suspended_r, struct mext_why *why);

/* Marks a guest that libxl is to ask.  Nothing is written for one that is gone. */
int mext_suspend_mark(struct mext_store *s, uint32_t domid,
                      struct mext_why *why);
/* It runs again, or was not asked. */
void mext_suspend_forget(struct mext_store *s, uint32_t domid);

/*
 * Takes a request back that was made before, by a process that may be dead; waits,
 * whatever is cancelled, for a guest that has taken it already.  1: the guest was
 * marked, and has suspended; the mark stays then.  0: it was not, or has not.  -1 and
 * why: that cannot be told.
 */
int mext_suspend_withdraw(struct mext_dom *d, struct mext_store *s,
                          struct mext_why *why);

#endif
