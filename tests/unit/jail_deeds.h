/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What somebody might try who got code of his own to run in packetd's door or
 * line: one system call each.  test_jail asks for one by its name, jail_hook.c
 * does it in the jail.
 */
#ifndef JAIL_DEEDS_H
#define JAIL_DEEDS_H

#include <stdbool.h>
#include <stddef.h>

/* Who may. */
#define DEED_NOBODY 0
#define DEED_DOOR   1
#define DEED_LINE   2

struct jail_deed {
    const char *name;
    long nr;
    long a[6];
    unsigned may;
    bool old; /* by the gate of 32-bit programs; not every kernel has it */
};

extern const struct jail_deed jail_deeds[];
extern const size_t jail_ndeeds;

#endif
