/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * "Who are you" and its answer (docs/specs/token.md): how a host learns the
 * keys of another one whose fingerprint the operator then compares.  Pure:
 * libsodium for signatures, no file, no socket.
 */
#ifndef MEXT_WHOIS_H
#define MEXT_WHOIS_H

#include "mext_token.h"

#define MEXT_IAM_KEYS 2 /* at most */

/* The question; nonce: random, kept to verify the answer. */
void mext_whois_make(const uint8_t nonce[MEXT_NONCE_LEN],
                     uint8_t out[MEXT_WHOIS_LEN]);

/*
 * Answers a datagram of n bytes, if it is the question, with the keys
 * ids[0 .. nids), 1 to MEXT_IAM_KEYS of them: host.key and, if there is one,
 * next.key (the first `ntold` of struct mext_identities).  out has room for
 * MEXT_IAM_LEN bytes; *n_r: bytes to send.
 * 0, MEXT_ERR_FORMAT (not this question: it may be a token), MEXT_ERR_LIB.
 */
int mext_whois_answer(const uint8_t *in, size_t n,
                      const struct mext_identity *ids, unsigned nids,
                      uint8_t *out, size_t *n_r);

/* What a host says of itself: that it has the secrets of these. */
struct mext_iam {
    uint8_t key[MEXT_IAM_KEYS][MEXT_KEY_LEN];
    unsigned n; /* 1, or 2 if there is a next.key */
};

/*
 * Reads the answer to a question with that nonce.  0, MEXT_ERR_FORMAT, or
 * MEXT_ERR_AUTH (a signature, or another nonce).  It does not prove which host
 * that is: whoever sits on the way can answer with keys of its own.
 */
int mext_iam_verify(const uint8_t *in, size_t n,
                    const uint8_t nonce[MEXT_NONCE_LEN], struct mext_iam *r_r);

#endif
