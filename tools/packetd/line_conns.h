/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections to a line's source: the control connection and, for a stream,
 * further ones that join it (docs/specs/transport.md, "Further connections").
 *
 * Who joins is a stranger until its first frame has opened: of those there are a
 * bounded number, for a bounded time, a few octets each.
 */
#ifndef PACKETD_LINE_CONNS_H
#define PACKETD_LINE_CONNS_H

#include "gate.h"
#include "mext_conn.h"

#define LINE_STRANGERS_MAX 16

/* The first frame: HERE, sealed. */
#define LINE_HERE_LEN (MEXT_FRAME_HDR_LEN + 1 + MEXT_TAG_LEN)

struct line_conns {
    unsigned n;                               /* connections there can be */
    bool open;                                /* others may join now */
    struct mext_conn conn[MEXT_CHANNELS_MAX]; /* 0: control; fd -1: not there */
    /* private */
    uint64_t seen; /* strangers so far */
    struct line_stranger {
        int fd;         /* -1: free */
        uint64_t nth;   /* the smaller, the older */
        uint64_t until; /* ms */
        uint16_t index;
        size_t have;
        uint8_t in[LINE_HERE_LEN];
    } stranger[LINE_STRANGERS_MAX];
};

/*
 * Keys and buffers of all n of them, before the jail, and connection 0, which is
 * fd.  -1: out of memory.
 */
int line_conns_init(struct line_conns *c, unsigned n, int fd,
                    const struct mext_root *root);
void line_conns_close(struct line_conns *c);

/* One that wants to join; m, a JOIN, and its descriptor are the callee's. */
void line_conns_add(struct line_conns *c, const struct gate_msg *m);

/* Stranger i has something to read, or has gone. */
void line_conns_hear(struct line_conns *c, unsigned i);

/* Sends those away whose time is over; ms until the next one's is, -1: none. */
int line_conns_wait(struct line_conns *c);

/* All of the stream is there: nobody else joins, and who has is let go. */
void line_conns_settle(struct line_conns *c);

#endif
