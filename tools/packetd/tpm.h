/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * This host's TPM 2.0 through tpm2-tss' ESAPI: what the attester and the words
 * for its key have in common.  0 or -1 and why.
 */
#ifndef PACKETD_TPM_H
#define PACKETD_TPM_H

#include <tss2/tss2_esys.h>

#include "mext_ak.h"

#define TPM_TCTI "device:/dev/tpmrm0" /* shared by the kernel */
#define TPM_PCRS 24

struct tpm {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
};

/* tcti: as tpm2-tools' -T, NULL: TPM_TCTI.  Not to be used across fork. */
int tpm_open(struct tpm *t, const char *tcti, struct mext_why *why);
void tpm_close(struct tpm *t);

/* -1, and why says that the TPM did not do `what`. */
int tpm_failed(struct mext_why *why, const char *what, TSS2_RC rc);

/* Selects PCRs of the SHA-256 bank, bit n of mask: PCR n. */
void tpm_select(TPML_PCR_SELECTION *s, uint32_t mask);

/* Reads the PCRs of mask, of the SHA-256 bank; others are left alone. */
int tpm_pcrs(struct tpm *t, uint32_t mask,
             uint8_t pcr[TPM_PCRS][MEXT_DIGEST_LEN], struct mext_why *why);

/* The key ak at its handle, to be closed by Esys_TR_Close; proves that it is. */
int tpm_ak(struct tpm *t, const struct mext_ak *ak, ESYS_TR *key_r,
           struct mext_why *why);

#endif
