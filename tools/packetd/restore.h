/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libxl's part of receiver dom0: a program started anew for each guest, as root
 * but without this host's keys, which makes a domain of the stream that it is
 * given.  What parses the guest's memory in it is libxc's save helper, again a
 * process of its own, with less (restore_helper.c).
 */
#ifndef PACKETD_RESTORE_H
#define PACKETD_RESTORE_H

#include "packetd.h"

#define RESTORE_WORD "_restore"

/* What it is told on GATE_FD, followed by json_len bytes. */
struct restore_order {
    uint32_t verbosity, json_len;
    uint8_t uuid[16]; /* of the domain */
};

/* What it answers there at its end. */
struct restore_result {
    uint32_t domid; /* 0: none */
    struct mext_why why;
};

/*
 * Starts it, with lock, the journal's: nobody ends the migration before it has ended,
 * whatever becomes of who started it.  *result_r becomes readable when it is over, and takes a struct
 * restore_result if it says one; *stream_r takes the stream.  Its pid, or -1.
 */
pid_t restore_start(const struct packetd *p, const char *json,
                    const uint8_t uuid[16], int lock, int *result_r,
                    int *stream_r, struct mext_why *why);

/* The program: GATE_FD and the stream at GATE_TCP_FD.  The exit status. */
int packetd_restore(void);

#endif
