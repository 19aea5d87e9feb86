/* SPDX-License-Identifier: GPL-2.0-only */
/* Every world that can come from the first one. */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "world.h"

struct explored {
    size_t states, steps, ends;
    const char *wrong; /* NULL: no promise is broken */
    unsigned length;   /* steps of the shortest way to it */
    /* which events came in which states, by side */
    bool taken[SIDES][MEXT_SRC_STATES][MEXT_EVENTS];
};

/*
 * Breadth first, so that the first broken promise has the shortest trace, which
 * is printed if trace is set.  Then, if none is broken: from each world an end
 * can be reached though nothing more fails.
 */
void explore(const struct rules *r, bool trace, struct explored *e_r);

#endif
