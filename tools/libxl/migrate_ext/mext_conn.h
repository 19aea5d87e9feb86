/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Sealed messages of the control channel (docs/specs/transport.md) over a stream:
 * the control connection, the further ones of a stream, and, not sealed, what two
 * processes of a host say to each other.
 *
 * Functions return 0 or -1 with *why filled, wait as mext_net.h says, and may be
 * called by two threads at once if one sends and the other receives.
 */
#ifndef MEXT_CONN_H
#define MEXT_CONN_H

#include "mext_net.h"

struct mext_conn {
    int fd;
    bool plain; /* frames are not sealed */
    struct mext_seal tx, rx;
    size_t max;        /* of a frame's bytes after its length */
    uint8_t *in, *out; /* MEXT_FRAME_HDR_LEN + max each, owned */
    size_t have;       /* bytes of a frame that have come, at `in` */
    size_t body_len;   /* opened bytes behind the length, after a receive */
    struct iovec rest; /* of a frame at `out` whose sending was broken off */
    /* Bytes on the wire; other threads read `sent` by mext_count. */
    uint64_t sent, received;
};

/*
 * Connection `index` with that root; 0 is the control connection.  Without a root
 * frames are plain: only for the two ends of a socketpair.  fd is owned; -1: it is
 * put into *c later.
 */
int mext_conn_init(struct mext_conn *c, int fd, const struct mext_root *root,
                   bool is_source, uint16_t index);
void mext_conn_close(struct mext_conn *c); /* closes fd, wipes keys */

int mext_conn_send(struct mext_conn *c, const struct mext_ctl *m,
                   unsigned timeout_ms, struct mext_why *why);
/*
 * Next message; pointers in *m_r live until the next call on c.  A peer's
 * ABORT is returned as -1 with its reason in why and its code in *abort_r
 * (NULL allowed; 0 when the failure is our own); it is in *m_r as well.
 */
int mext_conn_recv(struct mext_conn *c, struct mext_ctl *m_r,
                   unsigned timeout_ms, unsigned *abort_r,
                   struct mext_why *why);
/* The same without waiting: 1: it is in *m_r; 0: it has not come whole yet. */
int mext_conn_take(struct mext_conn *c, struct mext_ctl *m_r, unsigned *abort_r,
                   struct mext_why *why);
/* Body of the last message: body_len bytes. */
const uint8_t *mext_conn_body(const struct mext_conn *c);
/* Best effort: tells the peer why, never fails. */
void mext_conn_abort(struct mext_conn *c, unsigned code, const char *text);

#endif
