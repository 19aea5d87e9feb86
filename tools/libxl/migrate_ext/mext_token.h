/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Signed objects of docs/specs/token.md: boot token, hello, receipt.  Pure:
 * libsodium for signatures, no file, no clock (the caller gives the time).
 */
#ifndef MEXT_TOKEN_H
#define MEXT_TOKEN_H

#include "mext_codec.h"

/* An Ed25519 identity; the secret is libsodium's 64-byte form. */
struct mext_identity {
    uint8_t pk[MEXT_KEY_LEN];
    uint8_t sk[64];
};

struct mext_token {
    uint8_t id[MEXT_ID_LEN];
    uint64_t issued, expiry; /* seconds since 1970 */
    uint8_t audience[MEXT_KEY_LEN];
    uint8_t source[MEXT_KEY_LEN];
    uint8_t session[MEXT_KEY_LEN];   /* X25519 */
    uint8_t image[MEXT_DIGEST_LEN];  /* zeros: any */
    uint8_t config[MEXT_DIGEST_LEN]; /* zeros: none */
    uint64_t memory_kib;
    uint32_t vcpus;
    uint16_t channels, port;
    uint32_t ip, netmask, gateway; /* host byte order, first octet high */
    uint32_t receiver;             /* MEXT_RECEIVER_* */
};

struct mext_hello {
    uint8_t token[MEXT_DIGEST_LEN];
    uint8_t destination[MEXT_KEY_LEN];
    uint8_t session[MEXT_KEY_LEN];
};

struct mext_receipt {
    uint8_t token[MEXT_DIGEST_LEN];
    uint8_t id[MEXT_ID_LEN];
    uint8_t destination[MEXT_KEY_LEN];
    uint8_t measurement[MEXT_DIGEST_LEN];  /* SHA-256 of the image */
    uint8_t measurement2[MEXT_DIGEST_LEN]; /* BLAKE2b-256 of it */
    uint8_t session[MEXT_KEY_LEN];         /* X25519, of who takes the memory */
    uint64_t issued;                       /* seconds since 1970 */
    uint32_t ip;                           /* host byte order; 0: no mstrap */
    uint16_t port, channels;
    uint32_t domid;
    uint16_t attester; /* MEXT_ATTESTER_* */
};

/*
 * Signs t with `who` (whose pk must be t->source) into out.
 * MEXT_ERR_LIMIT if a field is outside the specification's limits,
 * MEXT_ERR_AUTH if `who` is not the signer named in the object (this and the
 * other *_sign), MEXT_ERR_LIB.
 */
int mext_token_sign(const struct mext_token *t, const struct mext_identity *who,
                    uint8_t out[MEXT_TOKEN_LEN]);

/*
 * Reads a token without judging it: 0, or MEXT_ERR_FORMAT if size or purpose
 * is wrong.  Nothing in *t_r may be acted on before mext_token_verify.
 */
int mext_token_parse(const uint8_t *in, size_t len, struct mext_token *t_r);

/* A key that may send: called with the token's source, true if trusted. */
typedef bool mext_trusts_fn(void *arg, const uint8_t pk[MEXT_KEY_LEN]);

/*
 * All checks of the specification that need no state but trust: returns 0 and
 * fills *t_r, or the first reason (a positive MEXT_E_*: MALFORMED, AUDIENCE,
 * UNTRUSTED, SIGNATURE, EXPIRED).  self: our own public key.  now: seconds
 * since 1970.  REPLAY and IMAGE are the caller's.
 */
int mext_token_verify(const uint8_t *in, size_t len,
                      const uint8_t self[MEXT_KEY_LEN], uint64_t now,
                      mext_trusts_fn *trusts, void *arg,
                      struct mext_token *t_r);

/* BLAKE2b-256, of the whole token or of a CONFIG body. */
void mext_digest(const void *p, size_t n, uint8_t out[MEXT_DIGEST_LEN]);

int mext_hello_sign(const struct mext_hello *h, const struct mext_identity *who,
                    uint8_t out[MEXT_HELLO_LEN]);
/*
 * 0, or the first reason (a positive MEXT_E_*): MALFORMED, AUDIENCE (not
 * signed in the name of `destination`), SIGNATURE, ANSWER (for another token
 * than the one whose digest is `token`).
 */
int mext_hello_verify(const uint8_t *in, size_t len,
                      const uint8_t destination[MEXT_KEY_LEN],
                      const uint8_t token[MEXT_DIGEST_LEN],
                      struct mext_hello *h_r);

/* MEXT_ERR_LIMIT: domid or attester are outside the specification's limits. */
int mext_receipt_sign(const struct mext_receipt *r,
                      const struct mext_identity *who,
                      uint8_t out[MEXT_RECEIPT_LEN]);

/* What a receipt must be the answer to. */
struct mext_asked {
    const struct mext_token *token;
    const uint8_t *digest; /* MEXT_DIGEST_LEN, of the signed token */
    const uint8_t *hello;  /* MEXT_KEY_LEN, the hello's session; looked at only
                            * if the token's receiver is dom0 */
};

/*
 * 0, or the first reason (a positive MEXT_E_*) against a receipt as the answer
 * to what was asked: MALFORMED, AUDIENCE, SIGNATURE, ANSWER, MALFORMED again (a
 * field outside its limits), IMAGE.
 */
int mext_receipt_verify(const uint8_t *in, size_t len,
                        const struct mext_asked *asked,
                        struct mext_receipt *r_r);

/*
 * Signed objects of a fixed size: the signature is the last MEXT_SIG_LEN octets
 * and covers all before it.  b is of that size and holds the fields; signed, and
 * with that full, it goes to out.  0, MEXT_ERR_LIB, MEXT_ERR_FORMAT.
 */
int mext_object_sign(struct mext_buf *b, const struct mext_identity *who,
                     uint8_t *out);
bool mext_object_signed_by(const uint8_t *object, size_t len,
                           const uint8_t pk[MEXT_KEY_LEN]);

#endif
