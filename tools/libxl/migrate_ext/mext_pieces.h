/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * In which turn the pieces of a stream go on that come over several connections
 * (docs/specs/dom0-stream.md, "Several connections").  Pure: numbers in, turns
 * out.  Who uses it keeps the message itself, one of each connection at most, and
 * reads no further from a connection of which one is kept.
 *
 * A connection's numbers rise.  So the piece whose turn it is comes over one that
 * is read, or it never comes: that is told by mext_pieces_stuck.
 */
#ifndef MEXT_PIECES_H
#define MEXT_PIECES_H

#include "mext_codec.h"

struct mext_pieces {
    unsigned n; /* connections, filled by the caller */
    /* private; all zero at first */
    uint64_t next;  /* number of the piece whose turn it is */
    uint64_t bytes; /* of the stream, of those before it */
    bool ended;     /* the end has had its turn: nothing else has */
    struct mext_kept {
        enum { MEXT_KEPT_NONE, MEXT_KEPT_PIECE, MEXT_KEPT_END } what;
        uint64_t number; /* of a piece; of the end: bytes before it */
        uint32_t len;    /* of a piece */
    } kept[MEXT_CHANNELS_MAX];
};

/*
 * A piece of len bytes came over connection i, of which nothing is kept: 0, it is
 * kept; MEXT_ERR_FORMAT if it has been before, is kept from another, or comes after
 * the end.
 */
int mext_pieces_put(struct mext_pieces *p, unsigned i, uint64_t number,
                    uint32_t len);

/*
 * The end came over connection i, as above: its turn is after so many bytes.
 * MEXT_ERR_FORMAT if there has been one.
 */
int mext_pieces_end(struct mext_pieces *p, unsigned i, uint64_t bytes);

/* Is anything kept of connection i? */
bool mext_pieces_kept(const struct mext_pieces *p, unsigned i);

/* The connection of which what is kept goes on now, and is kept no more; or -1. */
int mext_pieces_turn(struct mext_pieces *p);

/*
 * Whether nothing will ever have its turn, when mext_pieces_turn gives none: of
 * each connection something is kept.
 */
bool mext_pieces_stuck(const struct mext_pieces *p);

#endif
