/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who may run the guest: the states of a migration's source and destination as
 * tables (docs/specs/commit.md has the same).  Pure; the programs run by these
 * tables and tests/model walks through all that can happen to them.
 */
#ifndef MEXT_COMMIT_H
#define MEXT_COMMIT_H

#include <stddef.h>
#include <stdint.h>

/* The source's.  STRANDED, DONE and KEPT are the last of a program's run. */
enum mext_src {
    MEXT_SRC_NEW,      /* nothing done yet */
    MEXT_SRC_COPYING,  /* the guest is here, whatever happens */
    MEXT_SRC_READY,    /* all is sent; COMMIT may be sent from now on */
    MEXT_SRC_ASKED,    /* COMMIT was sent: the point of no return */
    MEXT_SRC_DOUBT,    /* ... and whether it arrived is not known */
    MEXT_SRC_STRANDED, /* the destination cannot say: the operator decides */
    MEXT_SRC_DONE,     /* runs there */
    MEXT_SRC_KEPT,     /* runs here */
    MEXT_SRC_STATES
};

/* packetd's. */
enum mext_dst {
    MEXT_DST_NEW,       /* a token was taken, there is no domain */
    MEXT_DST_INCOMING,  /* there may be a domain; it is not the guest yet */
    MEXT_DST_PREPARED,  /* it is, paused: runs on COMMIT */
    MEXT_DST_COMMITTED, /* runs as soon as it can, also after a restart */
    MEXT_DST_RUNNING,
    MEXT_DST_ABORTED, /* there is no domain, and there never will be */
    MEXT_DST_LOST,    /* was committed, but the domain is gone */
    MEXT_DST_STATES
};

enum mext_event {
    MEXT_EV_NONE,
    /* the source's */
    MEXT_EV_BEGIN,
    MEXT_EV_ALL_SENT,
    MEXT_EV_PREPARED, /* message */
    MEXT_EV_RUNNING,  /* message, or the answer of who was asked */
    MEXT_EV_ABORTED,  /* the same */
    MEXT_EV_SILENT,   /* no answer, or none of use: ask (again) */
    MEXT_EV_LOST,     /* answer: the domain is gone */
    MEXT_EV_UNKNOWN,  /* answer: nothing is known of it */
    MEXT_EV_HERE,     /* the operator: it shall run here */
    MEXT_EV_THERE,    /* the operator: it runs there */
    /* packetd's */
    MEXT_EV_CONFIG, /* message, admitted */
    MEXT_EV_FINAL,  /* message, and the domain is the guest, paused */
    MEXT_EV_COMMIT, /* message */
    MEXT_EV_GO,     /* the step from COMMITTED on */
    MEXT_EV_GONE,   /* found after a restart */
    /* either's: own failure, cancelled, link lost, given up by the peer */
    MEXT_EV_FAILED,
    MEXT_EVENTS
};

/* What is done on the way from one state to the next, in this order. */
enum mext_effect {
    MEXT_DO_NOTHING, /* ends the list */
    /* the source's */
    MEXT_DO_NOTE_BEGUN,      /* journal, durable before the next effect */
    MEXT_DO_NOTE_COMMITTING, /* ... */
    MEXT_DO_NOTE_STRANDED,
    MEXT_DO_NOTE_DONE,
    MEXT_DO_NOTE_KEPT,
    MEXT_DO_SEND_COMMIT,
    MEXT_DO_ASK,    /* asks packetd what became of it */
    MEXT_DO_RESUME, /* the guest is as it was before */
    MEXT_DO_DESTROY_COPY,
    /* packetd's */
    MEXT_DO_NOTE_INCOMING,
    MEXT_DO_NOTE_COMMITTED,
    MEXT_DO_NOTE_RUNNING,
    MEXT_DO_NOTE_ABORTED,
    MEXT_DO_NOTE_LOST,
    MEXT_DO_SEND_PREPARED,
    MEXT_DO_SEND_RUNNING,
    MEXT_DO_UNPAUSE,
    MEXT_DO_DESTROY_DOMAIN,
    /* either's */
    MEXT_DO_SEND_ABORT,
    MEXT_EFFECTS
};

#define MEXT_EFFECTS_MAX 4

struct mext_transition {
    uint8_t state, event, next;
    uint8_t effects[MEXT_EFFECTS_MAX]; /* MEXT_DO_*, filled up with NOTHING */
};

/* The two tables. */
extern const struct mext_transition mext_src_table[];
extern const size_t mext_src_rows;
extern const struct mext_transition mext_dst_table[];
extern const size_t mext_dst_rows;

/*
 * Does an effect; 0, or -1: it failed, and the transition ends there, unless it
 * is one of those that make no difference (docs/specs/commit.md, Effects that
 * fail): so it can tell the truth about each.
 */
typedef int mext_effect_fn(void *arg, enum mext_effect e);

struct mext_machine {
    const struct mext_transition *table;
    size_t rows;
    unsigned state; /* MEXT_SRC_* or MEXT_DST_* */
    mext_effect_fn *effect;
    void *arg;
};

/*
 * An event: the effects, then the next state; 0 if so.  -1 if not: an effect
 * ended it, then the state is what it was, or, where MEXT_EV_FAILED has a row
 * in it, what that leads to; or the event has no row in this state and was taken
 * for MEXT_EV_FAILED, or for MEXT_EV_SILENT where there is no row for that.
 */
int mext_machine_event(struct mext_machine *m, enum mext_event ev);

/* The row, NULL if the event has none in that state. */
const struct mext_transition *mext_transition(const struct mext_machine *m,
                                              enum mext_event ev);

/* Names as in docs/specs/commit.md, lower case. */
const char *mext_src_name(unsigned state);
const char *mext_dst_name(unsigned state);
const char *mext_event_name(unsigned ev);
const char *mext_effect_name(unsigned e);

#endif
