/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Verifies a TPM 2.0 quote without a TPM: docs/specs/attestation.md, "Quote".
 * Structures: TPM 2.0 library, part 2, 10.12 (TPMS_ATTEST), 11.3
 * (TPMT_SIGNATURE).
 */
#ifndef MEXT_QUOTE_H
#define MEXT_QUOTE_H

#include "mext_ak.h"

/* What a TPM said, as it marshalled it. */
struct mext_evidence {
    uint8_t attest[MEXT_ATTEST_MAX], sig[MEXT_TPMSIG_MAX];
    uint16_t attest_len, sig_len; /* bytes; 0: there is none */
};

/*
 * Is this a quote by the key ak, about `binding` (BLAKE2b-256 of the receipt),
 * of the PCRs that go with ak, the measuring one extended once with
 * `measurement` (SHA-256) since it was reset?  0, or -1 and which check failed.
 */
int mext_quote_verify(const uint8_t *attest, size_t attest_len,
                      const uint8_t *sig, size_t sig_len,
                      const struct mext_ak *ak,
                      const uint8_t binding[MEXT_DIGEST_LEN],
                      const uint8_t measurement[MEXT_DIGEST_LEN],
                      struct mext_why *why);

/* What the measuring PCR holds then: SHA-256(32 zero octets, measurement). */
void mext_quote_pcr(const uint8_t measurement[MEXT_DIGEST_LEN],
                    uint8_t out[MEXT_DIGEST_LEN]);

#endif
