/* SPDX-License-Identifier: GPL-2.0-only */
/* A real door, its callers and its monitor, for test_door and test_guard. */
#ifndef DOOR_CASE_H
#define DOOR_CASE_H

#include "part.h"
#include "unit.h"

/* ---- the monitor's side ---- */

extern struct part_door door;
extern struct gate_msg got;            /* what came last */
extern uint64_t counted[GATE_REASONS]; /* by all REFUSED */
extern unsigned hellos;                /* how many came */
extern uint32_t rate;                  /* for the next TRUST */
extern bool stranger_trusted;          /* the same */

/* A door on 127.0.0.1 that knows FIX_SOURCE and is FIX_DEST; rate 0. */
void open_door(void);
/* The same of another program, address (NULL: 127.0.0.1), log (-1: ours). */
void open_door_as(const char *program, const char *address, int log);
/* Ends it and looks at how. */
void close_door(void);

void send_trust(void);
void send_verdict(unsigned code, const char *text);
/* Next message, which is in `got`; REFUSED is counted, HELLO answered. */
void take_message(void);
void await_token(void);
/* Until so many were refused in all. */
void await_counted(uint64_t n);

/* ---- callers ---- */

/* A token of `who` that is valid now; the id is all i. */
void fresh_token(uint8_t out[MEXT_TOKEN_LEN], enum fix_who who, uint8_t i);

/* Connections, resp. sockets, from an address to the door. */
int call(const char *from);
int udp_from(const char *from);
void send_frame(int fd, const void *p, size_t n);
/* REFUSE, then the end; what the monitor is asked meanwhile is answered. */
void expect_refuse(int fd, unsigned code, const char *text);
/* The end, with not an octet before. */
void expect_end(int fd);

#endif
