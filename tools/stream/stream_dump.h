/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the two parts of the reader of a data channel's dump share. */
#ifndef STREAM_DUMP_H
#define STREAM_DUMP_H

#include "stream_priv.h"

/* In the word that says how a page is packed. */
#define DUMP_CODING_SHIFT 12
#define DUMP_LEN_MASK     0xfffu

/* A PAGES frame that keeps the rules. */
struct dump_pages {
    uint64_t base;
    unsigned span, packed, members; /* gfns; of these packed, and in a batch */
    uint32_t batch;                 /* bytes */
    const uint8_t *map, *words;     /* in the frame */
};

/* MEXT_MAP_* of a gfn. */
static inline unsigned dump_map(const struct dump_pages *f, unsigned i)
{
    return f->map[i / 4] >> 2 * (i % 4) & 3;
}

/* The pages behind the frame. */
int stream_read_dump_pages(struct stream *s, const struct dump_pages *f);

#endif
