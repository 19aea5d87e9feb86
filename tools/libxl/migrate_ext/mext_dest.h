/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The destination as the source sees it: token, control connection, who receives
 * and the receipt for it (docs/specs/token.md, transport.md).
 * Functions return 0 or -1 with *why filled.
 */
#ifndef MEXT_DEST_H
#define MEXT_DEST_H

#include "mext_attest.h"
#include "mext_libxl.h"
#include "mext_sender.h"
#include "mext_xen.h"

struct mext_dest {
    /* filled by the caller */
    const struct mext_request *rq;
    const struct mext_guest *guest;
    const struct mext_policy *policy;
    uint32_t receiver; /* MEXT_RECEIVER_* */
    bool look;         /* mext_dest_look is to follow, not mext_dest_ask */
    mext_say_fn *say;  /* one line for the operator */
    void *say_arg;
    unsigned refused; /* MEXT_E_*, if that is why mext_dest_connect failed */
    /* from mext_dest_connect on */
    struct mext_token token;
    struct mext_conn conn; /* the control connection */
    /* from mext_dest_boot on */
    struct mext_receipt receipt;
    struct mext_conn joined[MEXT_CHANNELS_MAX - 1]; /* of receiver dom0,
                                                     * token.channels - 1 */
    /* private */
    struct mext_identity self;
    struct mext_root root;           /* of conn and joined */
    uint8_t secret[32];              /* X25519, of token.session */
    uint8_t digest[MEXT_DIGEST_LEN]; /* of the signed token */
    struct mext_hello hello;
    struct mext_attest attest;
};

/* Makes and signs the token and has it accepted: conn is sealed. */
int mext_dest_connect(struct mext_dest *d, struct mext_why *why);

/* Sends the configuration, of which the destination makes a domain. */
int mext_dest_ask(struct mext_dest *d, struct mext_why *why);

/*
 * Waits for what was asked for: mstrap runs there, and is the one expected, or libxl
 * waits for the stream and all connections for it are there.  Who receives is
 * vouched for.
 */
int mext_dest_boot(struct mext_dest *d, struct mext_why *why);

/* Asks what would stand against it there; nothing is made. */
int mext_dest_look(struct mext_dest *d, mext_finding_fn *fn, void *arg,
                   struct mext_why *why);

/* Root of the data channels' keys, once: the secret is wiped. */
int mext_dest_root(struct mext_dest *d, struct mext_root *root_r,
                   struct mext_why *why);

/* Bytes sent so far on conn and joined; any thread may ask. */
uint64_t mext_dest_bytes(const struct mext_dest *d);

/* Closes conn and joined, as far as they are open. */
void mext_dest_close(struct mext_dest *d);

#endif
