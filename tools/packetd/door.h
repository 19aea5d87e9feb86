/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two parts of packetd that read from the network.  Each is a process of
 * its own, started by `packetd run` with its descriptors in place (gate.h),
 * and is in its jail before it reads a byte: docs/specs/privsep.md.
 */
#ifndef PACKETD_DOOR_H
#define PACKETD_DOOR_H

#include "gate.h"
#include "jail.h"

/* Words that packetd starts itself with; not for operators. */
#define DOOR_WORD "_door"
#define LINE_WORD "_line"

/*
 * Listens, judges tokens and hands good ones to the monitor, until that is
 * gone.  Returns the exit status.
 */
int packetd_door(const struct jail_user *u);

/* What a line is given before anything else. */
struct line_setup {
    struct mext_root root; /* of the control connection */
    uint16_t channels;     /* connections that a stream comes over */
    uint8_t hello[MEXT_HELLO_LEN];
};

/*
 * One control connection, and the further ones of a stream: says hello, opens what
 * comes from the source, brings the stream in order, and passes messages on to the
 * session; seals what comes back, until either side is gone.  Returns the exit
 * status.
 */
int packetd_line(const struct jail_user *u);

#endif
