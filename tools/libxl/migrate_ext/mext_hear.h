/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the destination says on the control connection while the guest's memory goes:
 * nothing, or that it has given up.  Whoever waits for something else, in any thread,
 * hears it (mext_net_heed), so that its giving up ends the migration at once and for
 * its own reason, not when a connection to an mstrap that is gone has timed out.
 *
 * Functions return 0, or -1 and why: it has given up, or said what is not due.
 */
#ifndef MEXT_HEAR_H
#define MEXT_HEAR_H

#include "mext_conn.h"

struct mext_hear {
    struct mext_conn *control; /* the caller's */
    bool gave_up;              /* as far as was heard */
    /* private */
    struct mext_why why; /* of gave_up */
};

/* From now on, until the end, all waits of the process hear it. */
void mext_hear_begin(struct mext_hear *h);
/* What comes is left on the connection.  Without effect if it has not begun. */
void mext_hear_end(struct mext_hear *h);

/* What has come by now; begun or not. */
int mext_hear_now(struct mext_hear *h, struct mext_why *why);

/*
 * Something has failed, for *why; the destination may be about to say that it has
 * given up, which counts more.
 */
void mext_hear_last_word(struct mext_hear *h, struct mext_why *why);

#endif
