/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a source asks of a destination's receipt beyond docs/specs/token.md: an
 * mstrap that it accepts, if there is one, and a TPM's word where one is enrolled
 * (docs/specs/attestation.md).
 */
#ifndef MEXT_ATTEST_H
#define MEXT_ATTEST_H

#include "mext_conn.h"
#include "mext_quote.h"
#include "mext_token.h"

#define MEXT_ACCEPT_FILE "mstrap.accept" /* in the keys folder */
#define MEXT_ACCEPT_MAX  64              /* measurements in it */

/* A line of the file. */
struct mext_accept {
    uint8_t sha256[MEXT_DIGEST_LEN];
    bool has_blake2b; /* is there a second column? */
    uint8_t blake2b[MEXT_DIGEST_LEN];
};

struct mext_attest {
    bool listed; /* measurements must be among accept[0 .. n) */
    unsigned n;
    struct mext_accept accept[MEXT_ACCEPT_MAX];
    bool tpm; /* the peer's AK is enrolled */
    struct mext_ak ak;
};

/*
 * Reads what <dir> says about `peer`; list: also mstrap.accept, if it is
 * there.  -1 and why, with the number of a line that is wrong.
 */
int mext_attest_load(struct mext_attest *a_r, const char *dir, const char *peer,
                     bool list, struct mext_why *why);

/* Judges a receipt that mext_receipt_verify took; -1 and why. */
int mext_attest_receipt(const struct mext_attest *a,
                        const struct mext_receipt *r, struct mext_why *why);

/*
 * Judges the EVIDENCE that came with it; binding: BLAKE2b-256 of the receipt's
 * bytes.  0 without a look if no AK is enrolled; -1 and why.
 */
int mext_attest_evidence(const struct mext_attest *a,
                         const struct mext_receipt *r,
                         const uint8_t binding[MEXT_DIGEST_LEN],
                         const struct mext_ctl *m, struct mext_why *why);

/*
 * All of it for a receipt that came over c as the answer to what was asked; it
 * may lie in c's buffer.  EVIDENCE is read from c if the receipt says that it
 * comes.  0 and *r_r, or -1 and why.
 */
int mext_attest_hear(const struct mext_attest *a, struct mext_conn *c,
                     const uint8_t receipt[MEXT_RECEIPT_LEN],
                     const struct mext_asked *asked, unsigned timeout_ms,
                     struct mext_receipt *r_r, struct mext_why *why);

#endif
