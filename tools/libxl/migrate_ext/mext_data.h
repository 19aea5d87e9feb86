/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The source's end of a data channel (docs/specs/transport.md).
 * Functions return 0 or -1 with *why filled.
 */
#ifndef MEXT_DATA_H
#define MEXT_DATA_H

#include "mext_net.h"

struct mext_channel {
    int fd;
    struct mext_seal tx, rx;
    uint8_t *out; /* one frame and its pages, owned */
    /* Counters; other threads than the channel's read them by mext_count. */
    uint64_t sent, received; /* bytes on the wire */
    uint64_t blocked_us;     /* the socket took no more, in all */
    uint64_t data, zero;     /* pages sent on this channel */
};

int mext_channel_open(struct mext_channel *c, uint32_t ip, uint16_t port,
                      const struct mext_open *open,
                      const struct mext_root *root, unsigned timeout_ms,
                      struct mext_why *why);
void mext_channel_close(struct mext_channel *c);

/*
 * Sends m, a PAGES message, with its pages: page[i] is the m->u.pages.len[i]
 * bytes of the i-th gfn marked MEXT_MAP_DATA or MEXT_MAP_PACKED,
 * m->u.pages.ndata in all; nothing is sent for one of 0 bytes.
 */
int mext_channel_pages(struct mext_channel *c, const struct mext_data *m,
                       const uint8_t *const *page, unsigned timeout_ms,
                       struct mext_why *why);
int mext_channel_send(struct mext_channel *c, const struct mext_data *m,
                      unsigned timeout_ms, struct mext_why *why);
/* Next message; mstrap's ERROR is -1 with its text. */
int mext_channel_recv(struct mext_channel *c, struct mext_data *m_r,
                      unsigned timeout_ms, struct mext_why *why);

#endif
