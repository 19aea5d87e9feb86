/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who vouches, besides the host key's signature on the receipt, for what was
 * launched: nobody, or the host's TPM 2.0 (docs/specs/attestation.md).
 *
 * An attester belongs to the process that opened it.  The measuring is done
 * once, when the image was measured; whoever signs a receipt opens one anew
 * and asks for evidence.  All return 0 or -1 and why.
 */
#ifndef PACKETD_ATTEST_H
#define PACKETD_ATTEST_H

#include "mext_quote.h"

struct attester {
    uint16_t type; /* MEXT_ATTESTER_*, goes into the receipt */
    int (*measure)(struct attester *a, const uint8_t sha256[MEXT_DIGEST_LEN],
                   struct mext_why *why);
    int (*evidence)(struct attester *a, const uint8_t binding[MEXT_DIGEST_LEN],
                    struct mext_evidence *e_r, struct mext_why *why);
    void (*close)(struct attester *a);
};

/* how: "key", "tpm" or "tpm:TCTI"; keys_dir holds host.ak of "packetd ak". */
int attest_open(const char *how, const char *keys_dir, struct attester **a_r,
                struct mext_why *why);

/* Makes the image's SHA-256 what is vouched for, instead of an earlier one. */
int attest_measure(struct attester *a, const uint8_t sha256[MEXT_DIGEST_LEN],
                   struct mext_why *why);

/*
 * Evidence about a signed receipt, given BLAKE2b-256 of its bytes.  By the
 * host key alone there is none: lengths of 0, and no EVIDENCE is sent.
 */
int attest_evidence(struct attester *a, const uint8_t binding[MEXT_DIGEST_LEN],
                    struct mext_evidence *e_r, struct mext_why *why);

/* NULL does nothing. */
void attest_close(struct attester *a);

/* attest_tpm.c; tcti NULL: the kernel's. */
int attest_tpm_open(const char *tcti, const char *keys_dir,
                    struct attester **a_r, struct mext_why *why);

#endif
