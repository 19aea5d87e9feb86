/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What would stand against a migration, here and on the destination, found out
 * before anything moves: `xl migrate --cooperative --dry-run`.
 */
#ifndef MEXT_LOOK_H
#define MEXT_LOOK_H

#include "mext_sender.h"

/* Whose finding it is. */
enum mext_look_side { MEXT_LOOK_HERE, MEXT_LOOK_THERE };

struct mext_look_events {
    void (*step)(void *arg, const char *text); /* as in struct mext_events */
    /* kind: MEXT_FINDING_*. */
    void (*finding)(void *arg, enum mext_look_side side, unsigned kind,
                    const char *text);
    void *arg;
};

/*
 * 0: nothing stands against it; 1: some finding does; -1 and why: it could not be
 * found out, or the destination refused to look.  The guest is not touched.
 */
int mext_look(const struct mext_request *rq, const struct mext_look_events *ev,
              struct mext_why *why);

#endif
