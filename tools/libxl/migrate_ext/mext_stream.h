/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The source's part of receiver dom0: libxl writes the guest as a stock stream
 * (tools/xl/xl_write.c, a process of its own), free pages are taken out of it,
 * and the rest goes over the control connection, at the operator's pace.
 * docs/specs/dom0-stream.md.
 */
#ifndef MEXT_STREAM_H
#define MEXT_STREAM_H

#include <sys/types.h>

#include "mext_copy.h"
#include "mext_thin.h"
#include "mext_xen.h"

struct mext_stream {
    /* filled by the caller */
    struct mext_copy *copy; /* pace, steering, words; its memory is not used */
    struct mext_dom *dom;
    bool live; /* the guest runs until the last of it is sent */
    bool pack; /* pieces that get smaller are sent so */
    unsigned verbosity;
    /* results */
    struct mext_thin thin;
    uint64_t bytes;       /* of the stream that are sent */
    uint64_t t_suspended; /* us; when it was first seen to be, 0: never */
    /* private */
    pid_t pid; /* of libxl's process; 0: none */
    int in;    /* what it writes */
    uint8_t *chunk, *packed;
    uint32_t have;        /* of chunk */
    uint64_t since;       /* us */
    struct mext_why *why; /* of a failure to send */
};

/* All of the stream is sent and the guest is suspended, or -1 and why. */
int mext_stream_run(struct mext_stream *s, struct mext_why *why);

/*
 * Ends what is under way: after this libxl does nothing to the guest any more,
 * which runs, or is suspended and to be resumed.
 */
void mext_stream_stop(struct mext_stream *s);

#endif
