/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The pre-copy: iteration after iteration while the guest runs, at the
 * operator's pace, until mext_precopy_decide or the operator says that the rest
 * goes with the guest suspended, or what to do about a guest that writes faster
 * than can be sent.
 */
#ifndef MEXT_COPY_H
#define MEXT_COPY_H

#include "mext_commit.h"
#include "mext_hear.h"
#include "mext_help.h"
#include "mext_pace.h"
#include "mext_steer.h"
#include "mext_throttle.h"

/* What is done if it does not converge. */
enum mext_on_stall {
    MEXT_STALL_CALM,     /* the guest's agent slows services down, then force */
    MEXT_STALL_THROTTLE, /* the guest gets less and less CPU, then force */
    MEXT_STALL_CANCEL,   /* it is given up */
    MEXT_STALL_FORCE,    /* the rest goes at once, whatever the downtime */
};

struct mext_progress {
    unsigned iteration;
    uint64_t sent, of; /* pages of this iteration */
    uint64_t wire_bytes;
    uint64_t rate; /* pages/s so far in it */
};

struct mext_copy {
    /* the caller's */
    struct mext_memory *mem;
    struct mext_help *help;
    struct mext_hear *hear;   /* of the destination */
    struct mext_steer *steer; /* NULL: nobody steers */
    const struct mext_machine *machine;
    struct mext_throttle throttle;
    struct mext_limits limits;
    enum mext_on_stall on_stall;
    struct mext_pace pace;
    uint64_t ram_pages;
    mext_say_fn *say;
    void (*progress)(void *arg, const struct mext_progress *p);
    void *arg;        /* of both */
    unsigned data_ms; /* what is sent or awaited may take so long */
    bool suspended;   /* the guest stands still: no time to lose */
    bool switch_over; /* by the operator's wish */
    /* what came of it */
    unsigned iterations;
    struct mext_iteration now, before; /* the last two */
    bool stalled; /* it wrote as fast as it could be sent, once */
    uint64_t rest_pages, rest_us; /* left for the end; what that would take */
};

/* All iterations; -1 and why: it is given up. */
int mext_copy_run(struct mext_copy *c, struct mext_why *why);

/*
 * After the guest has prepared itself, which may have taken long and written much:
 * one more iteration then, since suspended it would wait for the same.  Not of a guest
 * that has stalled, which would write as much again.
 */
int mext_copy_catch_up(struct mext_copy *c, struct mext_why *why);

/* The memory's progress function, arg a struct mext_copy. */
void mext_copy_progress(void *arg, uint64_t sent, uint64_t of);

/* calm, throttle, cancel, force; -1 for any other word. */
int mext_on_stall_parse(const char *word, enum mext_on_stall *s_r);

#endif
