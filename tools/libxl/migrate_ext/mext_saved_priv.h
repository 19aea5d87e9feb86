/* SPDX-License-Identifier: LGPL-2.1-only */
/* What writing and reading a saved guest's file share. */
#ifndef MEXT_SAVED_PRIV_H
#define MEXT_SAVED_PRIV_H

#include "mext_saved.h"

/* Before the sum: a frame that Zstandard skips, its length, the mark. */
#define MEXT_SAVED_HEAD (MEXT_SAVED_TRAILER - MEXT_DIGEST_LEN)

extern const uint8_t mext_saved_trailer_head[MEXT_SAVED_HEAD];

#endif
