/* SPDX-License-Identifier: GPL-2.0-only */
/* What the targets that read streams share: fuzz_stream.c. */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "fuzz.h"

/*
 * Walks head[nhead] and data[size] behind it, whole and in pieces: both have
 * to tell the same, all of it within bounds.
 */
void fuzz_stream(const void *head, size_t nhead, const uint8_t *data,
                 size_t size);

#endif
