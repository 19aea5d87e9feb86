/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line whose stream comes over several connections, which others want to join:
 * for test_joined and test_in_order.
 */
#ifndef JOINED_CASE_H
#define JOINED_CASE_H

#include "line_case.h"

#define N 3 /* connections, but where a test says so */

extern struct mext_conn joined[MEXT_CHANNELS_MAX]; /* our ends; 0: not used */

/* Our end of connection i, 0 being the control connection. */
struct mext_conn *conn(unsigned i);

/* To the line, as the monitor passes a connection on; fd stays ours. */
void hand_in(int fd, uint16_t index, uint16_t count);

/* Our end of a connection that wants to join. */
int knock(uint16_t index, uint16_t count);

/* One does, and is taken. */
void join(uint16_t i, uint16_t count);
void leave_all(void);

/* A message of that type with nothing in it; one of that type comes. */
void say(struct mext_conn *c, uint8_t type);
void expect(struct mext_conn *c, uint8_t type);

/* A line that others may join, and of `there` connections all have. */
void ready(void);
void open_ready(uint16_t channels, uint16_t there);
/* It ends as it should, the session first: a lost connection would be a fault. */
void close_all(void);

/* A piece as it is, or packed; pieces that say their number, in 8 octets. */
void send_piece_as(struct mext_conn *c, uint64_t number, const char *text,
                   uint32_t len);
void send_piece(unsigned i, uint64_t number);
void expect_piece(unsigned number);
void send_ended(uint64_t bytes);

/* All that was sent to the line has been read there; and nothing went on. */
void let_it_read(void);
void expect_silence(void);

#endif
