/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A real line, with the test as the source on one side of it and as the session,
 * and the monitor, on the other: for test_line and test_joined.
 */
#ifndef LINE_CASE_H
#define LINE_CASE_H

#include "mext_conn.h"
#include "part.h"

#define WAIT_MS 60000 /* for what must come: only a failure waits so long */

extern pid_t line;
extern struct mext_root root;
extern struct mext_conn source, session; /* our ends */
extern int joins; /* the monitor's end, of a line with several connections */

/* Two ends of a TCP connection, which do not block. */
void connect_tcp(int ends_r[2]);

/* A line of a program that was given the first n octets of its setup. */
void start_line(const char *program, uint16_t channels, size_t n);

/* One with all of its setup, that has said hello. */
void open_line_for(const char *program, uint16_t channels);

/* The same of packetd, with the control connection only. */
void open_line(void);

/* It has ended, so; our ends are closed. */
void expect_gone(int code);

/* The session hangs up, and the line ends as it should. */
void close_line(void);

/* Nothing more comes, not an octet. */
void expect_end(const struct mext_conn *c);

/* ABORT with that code and text (NULL: any), and nothing more. */
void expect_abort(struct mext_conn *c, unsigned want, const char *text);

/* As the line's own fault or its source's: the session is told, and no other. */
void expect_broken(unsigned code);

#endif
