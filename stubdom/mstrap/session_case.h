/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session of data channels on the host with a fake guest: what a source says is
 * put on a connection, and fed to mstrap's end of it.
 */
#ifndef MS_SESSION_CASE_H
#define MS_SESSION_CASE_H

#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define GUEST_PAGES   64u
#define FORBIDDEN_GFN 60u
#define STREAM_MAX    400000u

/* One connection: what the source has sent, and mstrap's end of it. */
struct peer {
    struct ms_channel channel;
    struct mext_seal seal, answers;
    uint8_t stream[STREAM_MAX];
    size_t length, taken;
};

extern uint8_t guest[GUEST_PAGES][MEXT_PAGE_SIZE]; /* 0xa5 at first */
extern uint64_t absent_pages;                      /* called so */
extern struct ms_session session;
extern struct peer peers[MEXT_CHANNELS_MAX];

/* A session of so many channels that has been invited, nobody there yet. */
void start(unsigned channels);

/* What the source says next; put_open first. */
void put_open(struct peer *p, uint16_t index, uint16_t count);
void put_message(struct peer *p, const struct mext_data *m);
void put_barrier(struct peer *p, uint32_t iteration);
void put_end(struct peer *p, uint64_t data, uint64_t zero);

/*
 * gfns from base on: 'z' zero, 'd' data, 'p' packed, 'x' badly, 'b' in a batch,
 * 'B' in one that is too short, 'c' what changed, 'C' badly, '-' none.
 */
void put_pages(struct peer *p, uint64_t base, const char *what,
               unsigned version);

/*
 * Feeds what the peer has sent, in pieces of at most piece bytes, until an
 * action other than NONE; that, or minus a reason.
 */
int run(struct peer *p, size_t piece);

/* The guest's page is as put_pages had it: 'd', 'p' or 'b', 'c'. */
void check_page(uint64_t gfn, unsigned version);
void check_packable(uint64_t gfn, unsigned version);
void check_changed(uint64_t gfn, unsigned version);

/* Runs the suite as a program; its exit status. */
int session_main(Suite *suite);

#endif
