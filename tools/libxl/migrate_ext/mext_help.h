/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The guest's help in its own migration: when its agent is asked for what, and
 * what becomes of the answers.  No call fails: what the guest does not do is
 * done without, and told.
 */
#ifndef MEXT_HELP_H
#define MEXT_HELP_H

#include "mext_agent.h"
#include "mext_memory.h"

/* What the agent did. */
enum {
    MEXT_HELPED_TRIM = 1,
    MEXT_HELPED_FREE = 2,
    MEXT_HELPED_QUIESCE = 4,
    MEXT_HELPED_CALM = 8,
};

struct mext_help {
    /* filled by the caller */
    uint32_t domid;
    bool wanted;      /* ask at all */
    unsigned trim;    /* MEXT_AGENT_TRIM_*, 0: not */
    mext_say_fn *say; /* one line for the operator */
    void *say_arg;

    unsigned did;         /* MEXT_HELPED_* */
    uint64_t free_pages;  /* left out by the guest's word, in all */
    uint64_t trimmed_kib; /* freed by trim */
    char agent[64];       /* its name and version, "" if none answered */
    struct mext_why why;  /* first help it did not give, and why; or "" */

    /* private */
    struct mext_agent *talk;
    bool engaged; /* calm or quiet, and neither moved nor resumed */
};

/*
 * Before log-dirty is on: looks for the agent; page cache goes, if asked.  The talk
 * stays open: who does not go on with mext_help_free closes it, since no ring of
 * the agent's may be there when the guest suspends.
 */
void mext_help_begin(struct mext_help *h);
/* After mext_help_begin, where libxl suspends the guest: says what it goes without. */
void mext_help_no_quiesce(struct mext_help *h);

/*
 * Right after mext_memory_start: what is free is not sent.  Ends the talk,
 * since the pre-copy may be long.
 */
void mext_help_free(struct mext_help *h, struct mext_memory *m);

/*
 * The same for who sends the pages otherwise: sets the bits of free gfns in
 * bitmap ((ngfns + 63) / 64 elements, zero before).  None of a guest whose free
 * pages have to be zero.  Log-dirty must be on.
 */
void mext_help_bitmap(struct mext_help *h, uint64_t *bitmap, uint64_t ngfns);

/*
 * The guest writes faster than can be sent: its services are slowed down, once
 * in a migration.  True if they were, and another iteration may do.
 */
bool mext_help_calm(struct mext_help *h);

/*
 * Between the last iteration and the suspend: what has become free is not
 * sent; the guest's services hold still.  Ends the talk.
 */
void mext_help_quiesce(struct mext_help *h, struct mext_memory *m);

/* The migration does not happen, and the guest runs: undoes calm and quiesce. */
void mext_help_undo(struct mext_help *h);

/* Ends a talk that is open; the next question begins another. */
void mext_help_close(struct mext_help *h);

#endif
