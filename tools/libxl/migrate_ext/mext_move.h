/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a guest that asks to be moved and packetd write to each other,
 * docs/specs/guest-migrate.md.  Pure: text in, values out.
 */
#ifndef MEXT_MOVE_H
#define MEXT_MOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mext_wire.h"

#define MEXT_MOVE_ID_LEN 16 /* hex digits */
/* HOST:65535 */
#define MEXT_MOVE_DEST_MAX (MEXT_MOVE_HOST_MAX + 6)

struct mext_move_request {
    char id[MEXT_MOVE_ID_LEN + 1];
    char dest[MEXT_MOVE_DEST_MAX + 1]; /* HOST, or HOST:PORT if not 7010 */
};

enum mext_move_state {
    MEXT_MOVE_ACCEPTED = 1,
    MEXT_MOVE_RUNNING,
    MEXT_MOVE_REFUSED,
    MEXT_MOVE_FAILED,
};

struct mext_move_status {
    char id[MEXT_MOVE_ID_LEN + 1];
    uint32_t seq; /* from 1 */
    enum mext_move_state state;
    char text[MEXT_MOVE_TEXT_MAX + 1]; /* printable ASCII */
};

/*
 * A destination as a person writes it, "HOST[:PORT]", n bytes: checked and
 * brought into the form of mext_move_request.dest.  0, or MEXT_ERR_FORMAT.
 */
int mext_move_dest(const char *text, size_t n,
                   char dest_r[MEXT_MOVE_DEST_MAX + 1]);

/* The n bytes of the node, which may hold anything: 0, or MEXT_ERR_FORMAT. */
int mext_move_request_parse(const char *text, size_t n,
                            struct mext_move_request *r_r);
int mext_move_status_parse(const char *text, size_t n,
                           struct mext_move_status *s_r);

/* The nodes' values; s and r must be well-formed. */
void mext_move_request_text(const struct mext_move_request *r,
                            char out[MEXT_MOVE_REQUEST_MAX + 1]);
void mext_move_status_text(const struct mext_move_status *s,
                           char out[MEXT_MOVE_STATUS_MAX + 1]);

/* True for a state after which packetd writes no other. */
bool mext_move_final(enum mext_move_state state);

#endif
