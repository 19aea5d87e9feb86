/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's parts that read from the network (docs/specs/privsep.md), each in
 * a process of its own, with the caller in the place of monitor or session.
 * Programs are found from the folder of the build; must be root.
 */
#ifndef PART_H
#define PART_H

#include <sys/types.h>

#include "door.h"

#define PART_PROGRAM "tools/packetd/packetd"
/* The same, but in its jail it does what PART_DEED says: jail_deeds.h. */
#define PART_HOOKED "tests/unit/packetd_hooked"
#define PART_DEED   "PACKETD_TEST_DEED" /* in the environment */

#define PART_UID 54321
#define PART_GID 54322

/*
 * Starts the part `word` (door.h) with n descriptors in place from GATE_FD
 * on, as the monitor does; they stay open here.  log: its standard error, -1:
 * ours.  deed: NULL for none.  Its pid; -1: errno.
 */
pid_t part_start(const char *program, const char *word, const int *fds,
                 unsigned n, int log, const char *deed);

/* Waits until it has ended; as waitpid says. */
int part_wait(pid_t pid);

/* A door with sockets of its own on the loopback address. */
struct part_door {
    pid_t pid;
    int gate; /* the monitor's end */
    uint16_t port;
};

/* address: NULL for 127.0.0.1.  -1 and why. */
int part_door_start(struct part_door *d, const char *program,
                    const char *address, int log, const char *deed,
                    struct mext_why *why);

#endif
