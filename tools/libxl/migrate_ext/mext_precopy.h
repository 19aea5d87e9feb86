/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * When to stop pre-copying.  Pure: figures in, decision out.
 */
#ifndef MEXT_PRECOPY_H
#define MEXT_PRECOPY_H

#include <stdbool.h>
#include <stdint.h>

struct mext_limits {
    unsigned downtime_ms; /* target for sending the last pages */
    unsigned iterations;  /* at most so many before stop-and-copy */
};

/* One finished iteration. */
struct mext_iteration {
    unsigned number; /* from 1 */
    uint64_t pages;  /* sent in it, zero pages included */
    uint64_t data;   /* of these with content */
    uint64_t us;     /* from its first page to the barrier's ack */
    uint64_t dirty;  /* pages written meanwhile */
    bool grew;       /* the guest got memory: dirty is all of it */
};

enum mext_decision {
    MEXT_GO_ON,        /* another iteration */
    MEXT_STOP_FITS,    /* the rest fits the downtime target */
    MEXT_STOP_LIMIT,   /* iteration limit */
    MEXT_STOP_STALLED, /* the guest writes as fast as we send */
    MEXT_STOP_ASKED,   /* the operator wishes it */
};

/*
 * Decides after iteration `now`; before: the one before it, NULL for the
 * first.
 */
enum mext_decision mext_precopy_decide(const struct mext_limits *l,
                                       const struct mext_iteration *now,
                                       const struct mext_iteration *before);

/*
 * Whether so many pages, written since, have made of the rest that `now` left for the
 * end something else: twice as much, which would take more than twice the downtime
 * target, and can be sent while the guest's services hold still.
 */
bool mext_precopy_outgrown(const struct mext_limits *l,
                           const struct mext_iteration *now,
                           const struct mext_iteration *before,
                           uint64_t written);

/*
 * How long the rest would take if it went now, us; what is written until the guest
 * stands still comes on top. 0: not known.
 */
uint64_t mext_precopy_rest_us(const struct mext_iteration *now,
                              const struct mext_iteration *before);

const char *mext_decision_text(enum mext_decision d);

#endif
