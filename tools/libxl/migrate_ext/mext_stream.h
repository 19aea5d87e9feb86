/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The source's part of receiver dom0: libxl writes the guest as a stock stream
 * (tools/xl/xl_write.c, a process of its own), free pages are taken out of it,
 * and the rest goes over one connection or several, with a thread for each that
 * packs and seals, at the operator's pace.  docs/specs/dom0-stream.md.
 *
 * Memory: for n connections 2n + 1 pieces of MEXT_STREAM_MAX bytes, and room for
 * n packed ones.
 */
#ifndef MEXT_STREAM_H
#define MEXT_STREAM_H

#include <sys/types.h>

#include "mext_copy.h"
#include "mext_thin.h"
#include "mext_workers.h"
#include "mext_xen.h"

/* What is sent in one message. */
struct mext_piece {
    uint64_t number;
    uint32_t len;
    uint8_t bytes[MEXT_STREAM_MAX];
};

/* What a thread sends pieces with. */
struct mext_stream_lane {
    struct mext_conn *conn; /* the caller's */
    bool pack, numbered;
    uint8_t *packed; /* MEXT_STREAM_MAX bytes, owned */
};

struct mext_stream {
    /* filled by the caller */
    struct mext_copy *copy; /* pace, steering, words; its memory is not used */
    struct mext_dom *dom;
    struct mext_conn *conn[MEXT_CHANNELS_MAX]; /* [0]: the control connection */
    unsigned nconns;
    bool live; /* the guest runs until the last of it is sent */
    bool pack; /* pieces that get smaller are sent so */
    unsigned verbosity;
    int lock;          /* the journal's: libxl's process has it as well */
    const uint8_t *id; /* the migration's, MEXT_ID_LEN */
    /* results */
    struct mext_thin thin;
    uint64_t bytes;       /* of the stream that are under way, or sent */
    uint64_t t_suspended; /* us; when it was first seen to be, 0: never */
    /* private */
    pid_t pid;                    /* of libxl's process; 0: none */
    int in;                       /* what it writes */
    struct mext_workers *workers; /* a thread for each connection */
    struct mext_stream_lane lane[MEXT_CHANNELS_MAX];
    uint32_t have;        /* bytes of the piece that is being made */
    uint64_t pieces;      /* before it */
    uint64_t since;       /* us */
    uint64_t size;        /* mext_steady's */
    struct mext_why *why; /* of a failure to send */
};

/* mext_work_fn: sends a struct mext_piece; own is a lane. */
int mext_stream_send(void *own, void *job, struct mext_why *why);

/* All of the stream is sent and the guest is suspended, or -1 and why. */
int mext_stream_run(struct mext_stream *s, struct mext_why *why);

/*
 * Ends what is under way: after this libxl does nothing to the guest any more,
 * which runs, or is suspended and to be resumed.
 */
void mext_stream_stop(struct mext_stream *s);

#endif
