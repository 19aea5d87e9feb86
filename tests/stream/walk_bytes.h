/* SPDX-License-Identifier: GPL-2.0-only */
/* A stream that is in memory. */
#ifndef WALK_BYTES_H
#define WALK_BYTES_H

#include "stream.h"

/*
 * stream_walk over p[n], which comes in reads of at most piece octets, 0: as
 * they are asked for; *at_r, if not NULL: how far it came.
 */
int walk_bytes(const uint8_t *p, size_t n, size_t piece,
               const struct stream_events *events, void *arg, uint64_t *at_r);

#endif
