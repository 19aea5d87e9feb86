/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * "What became of it": the source of a migration that sent COMMIT and heard
 * nothing more asks packetd (docs/specs/token.md, "Query and fate").  Pure:
 * libsodium for signatures, no file, no socket.
 */
#ifndef MEXT_FATE_H
#define MEXT_FATE_H

#include "mext_token.h"

/* The question: signed by the key that signed the migration's token. */
struct mext_query {
    uint8_t id[MEXT_ID_LEN];       /* the token's */
    uint8_t nonce[MEXT_NONCE_LEN]; /* random, fresh for each question */
    uint8_t audience[MEXT_KEY_LEN];
    uint8_t source[MEXT_KEY_LEN];
};

/* The answer: MEXT_FATE_* and, with RUNNING, the domain, 0: not told. */
struct mext_fate {
    uint8_t fate;
    uint32_t domid;
};

/* 0; MEXT_ERR_AUTH if self is not q->source, MEXT_ERR_LIB. */
int mext_query_sign(const struct mext_query *q,
                    const struct mext_identity *self,
                    uint8_t out[MEXT_QUERY_LEN]);

/*
 * Reads a question of n bytes: MEXT_ERR_FORMAT if it is none, MEXT_ERR_AUTH if
 * the signature is not by its source.  Whether that source may ask is the
 * caller's to see.
 */
int mext_query_verify(const uint8_t *in, size_t n, struct mext_query *q_r);

/*
 * The first reason (a positive MEXT_E_*) of the specification against a
 * question that came to the host with the key `self`: MALFORMED, AUDIENCE,
 * UNTRUSTED, SIGNATURE; 0 and *q_r if there is none.
 */
int mext_query_judge(const uint8_t *in, size_t n,
                     const uint8_t self[MEXT_KEY_LEN], mext_trusts_fn *trusts,
                     void *arg, struct mext_query *q_r);

/*
 * Answers the question `query`.  0; MEXT_ERR_AUTH if self is not its audience,
 * MEXT_ERR_LIMIT if there is no such fate or domain, MEXT_ERR_LIB.
 */
int mext_fate_sign(const struct mext_fate *f,
                   const uint8_t query[MEXT_QUERY_LEN],
                   const struct mext_identity *self,
                   uint8_t out[MEXT_FATE_LEN]);

/*
 * Reads the answer to `query`: MEXT_ERR_FORMAT, MEXT_ERR_LIMIT (a fate or domid
 * that there is not), MEXT_ERR_AUTH (not signed by the question's audience, or
 * the answer to another one).
 */
int mext_fate_verify(const uint8_t *in, size_t n,
                     const uint8_t query[MEXT_QUERY_LEN],
                     struct mext_fate *f_r);

#endif
