/* SPDX-License-Identifier: GPL-2.0-only */
/* Counts for a monitoring system, as a text file of node-exporter's. */
#ifndef PACKETD_METRICS_H
#define PACKETD_METRICS_H

#include "gate.h"

struct metrics {
    uint64_t taken;                 /* tokens */
    uint64_t refused[GATE_REASONS]; /* tokens, by MEXT_E_*; 0: over the rate */
    uint64_t received, failed;      /* migrations that ended */
    uint64_t doors;                 /* started, the first among them */
    unsigned running;               /* migrations, now */
};

/*
 * Writes all of it to a new file that takes the place of `path`, so that a
 * reader sees a whole one.  -1 and why.
 */
int metrics_write(const char *path, const struct metrics *m,
                  struct mext_why *why);

#endif
