/* SPDX-License-Identifier: GPL-2.0-only */
/* A TPM's evidence, made without a TPM; nothing random, as in fixture.h. */
#ifndef FIX_QUOTE_H
#define FIX_QUOTE_H

#include <tss2/tss2_tpm2_types.h>

#include "fixture.h"
#include "mext_quote.h"

/* The AK of `who`, that of FIX_DEST being the one enrolled. */
void fix_ak(struct mext_ak *ak_r, enum fix_who who);

/* The receipt of fix_receipt, but with a TPM as the attester. */
void fix_tpm_receipt_bytes(uint8_t out[MEXT_RECEIPT_LEN]);
/* BLAKE2b-256 of it, and the measurement in it. */
void fix_binding(uint8_t out[MEXT_DIGEST_LEN]);
void fix_measurement(uint8_t out[MEXT_DIGEST_LEN]);

/* A quote to be refused, in the order of the checks. */
struct fix_bad_quote {
    const char *name;
    const char *says;                            /* part of the reason */
    void (*quoted)(TPMS_ATTEST *a);              /* change in the TPM */
    void (*marshalled)(struct mext_evidence *e); /* before it is signed */
    void (*late)(struct mext_evidence *e);       /* after that */
};

extern const struct fix_bad_quote fix_bad_quotes[];
extern const size_t fix_nbad_quotes;

/* Evidence for that receipt; bad NULL: good. */
void fix_quote(struct mext_evidence *e_r, const struct fix_bad_quote *bad);
/* Signs e's attest anew. */
void fix_quote_sign(struct mext_evidence *e, enum fix_who who);
/* As a body of EVIDENCE; its bytes. */
size_t fix_quote_body(const struct mext_evidence *e, uint8_t *out, size_t max);

#endif
