/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * How pages are coded on their way, chosen by what was measured: what packing
 * costs, what it saves, and whether the link or the CPU holds things up.  Pure:
 * figures in, a choice out.  One for each channel.
 *
 * A page takes the longer of two times, since the link empties the socket's
 * buffer while the next pages are packed:
 *
 *   the CPU's   packing it, sealing and handing over what is left of it
 *   the link's  what is left of it
 *
 * The way for which that is shortest is taken.
 */
#ifndef MEXT_CODER_H
#define MEXT_CODER_H

#include <stdbool.h>
#include <stdint.h>

/* Each packs closer, and takes longer, than the one before. */
enum mext_way {
    MEXT_WAY_NONE,
    MEXT_WAY_LZ4,
    MEXT_WAY_ZSTD_1,
    MEXT_WAY_ZSTD_3,
    MEXT_WAY_ZSTD_6,
    MEXT_WAY_ZSTD_9,
    MEXT_WAYS,
};

struct mext_coder {
    /* private */
    struct {
        double us;   /* to pack a page */
        double left; /* of a byte, 0 to 1 */
        bool measured;
    } way[MEXT_WAYS];
    double cpu_us;                /* to seal and hand over a byte */
    double link_us;               /* the link takes for a byte, at most */
    double bytes, us, blocked_us; /* since link_us was reckoned */
    unsigned batches;             /* that a way was chosen for */
    unsigned plain;               /* batches in a row that would not shrink */
    unsigned skip;                /* batches to send without a look */
};

/* Zstandard's level of a way, 0 if it is another coder's. */
int mext_way_level(enum mext_way w);

void mext_coder_init(struct mext_coder *c);

/* The way for the next batch; now and then another one, to measure it. */
enum mext_way mext_coder_choose(struct mext_coder *c);

/*
 * Whether the batch, or a page or two of it, is to be tried; if not it is sent as it is,
 * since those before it would not shrink.
 */
bool mext_coder_look(struct mext_coder *c);

/*
 * What that has shown: one of them shrank, or none.  whole: all of the batch was packed
 * to see it, so it is done more seldom where nothing shrinks.
 */
void mext_coder_looked(struct mext_coder *c, bool shrank, bool whole);

/* A batch was packed so: `bytes` are left of its pages, after so many us. */
void mext_coder_packed(struct mext_coder *c, enum mext_way w, unsigned pages,
                       uint64_t bytes, uint64_t us);

/*
 * A frame was sent: bytes on the wire; us since the one before was sent,
 * packing_us of that to pack it and blocked_us because the link took no more.
 */
void mext_coder_sent(struct mext_coder *c, uint64_t bytes, uint64_t us,
                     uint64_t packing_us, uint64_t blocked_us);

#endif
