/* SPDX-License-Identifier: GPL-2.0-only */
/* `packetd trust fetch`: asks a host for its keys, and the operator for trust. */
#ifndef PACKETD_FETCH_H
#define PACKETD_FETCH_H

#include <stdbool.h>

struct packetd_fetch {
    const char *dir;         /* of the keys */
    const char *host;        /* "HOST[:PORT]" */
    const char *name;        /* to trust it under; NULL: HOST */
    const char *fingerprint; /* what the first new key must have; or NULL */
    bool yes;                /* trust whoever answers, do not ask */
};

/*
 * Without fingerprint or yes it asks on standard input, which must be a
 * terminal.  The exit status: 0 if the host's keys are trusted now, else 1.
 */
int packetd_fetch(const struct packetd_fetch *f);

#endif
