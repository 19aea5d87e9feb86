/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The receiving domain before it is the guest: mstrap's states as a table
 * (docs/specs/commit.md has the same).  mstrap runs by it, and packetd follows
 * by it what mstrap says of itself.  Pure, compiled into mstrap too.
 */
#ifndef MEXT_RECEIVER_H
#define MEXT_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TIDY and FAILED are the last. */
enum mext_rcv {
    MEXT_RCV_STARTING,  /* has said nothing yet */
    MEXT_RCV_WAITING,   /* listens; key, address and own pages are told */
    MEXT_RCV_INVITED,   /* has the session's keys */
    MEXT_RCV_RECEIVING, /* a sealed frame has opened */
    MEXT_RCV_COMPLETE,  /* END on all channels, and the counts agree */
    MEXT_RCV_TIDY,      /* has nothing that the guest must not find */
    MEXT_RCV_FAILED,
    MEXT_RCV_STATES
};

enum mext_rcv_event {
    MEXT_RCV_EV_NONE,
    MEXT_RCV_EV_LISTENING,
    MEXT_RCV_EV_INVITED, /* packetd wrote the session: its event, too */
    MEXT_RCV_EV_OPENED,  /* a channel's first frame did */
    MEXT_RCV_EV_ALL_ENDED,
    MEXT_RCV_EV_TIDIED,
    MEXT_RCV_EV_FAILED,
    MEXT_RCV_EVENTS
};

struct mext_rcv_row {
    uint8_t state, event, next;
};

extern const struct mext_rcv_row mext_rcv_table[];
extern const size_t mext_rcv_rows;

/* Moves *state; -1 if the event has no row in it, and it stays. */
int mext_rcv_event(enum mext_rcv *state, enum mext_rcv_event ev);

/*
 * For packetd, which sees only the last of several states: moves *seen to what
 * mstrap says now.  False, and *seen stays, if no events lead there.  The
 * invitation is none of them: whether that was packetd knows.
 */
bool mext_rcv_follow(enum mext_rcv *seen, enum mext_rcv said);

/*
 * How mstrap says it in data/mstrap/state; "" while it says nothing.  INVITED
 * has the word of WAITING.
 */
const char *mext_rcv_word(unsigned state);

/* Names as in docs/specs/commit.md, lower case. */
const char *mext_rcv_name(unsigned state);
const char *mext_rcv_event_name(unsigned ev);

#endif
