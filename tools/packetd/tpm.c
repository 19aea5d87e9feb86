/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "mext_net.h"
#include "tpm.h"

int tpm_failed(struct mext_why *why, const char *what, TSS2_RC rc)
{
    return mext_fail(why, "the TPM could not %s: %s", what, Tss2_RC_Decode(rc));
}

int tpm_open(struct tpm *t, const char *tcti, struct mext_why *why)
{
    TSS2_RC rc;

    mext_tss_quiet();
    memset(t, 0, sizeof(*t));
    rc = Tss2_TctiLdr_Initialize(tcti ? tcti : TPM_TCTI, &t->tcti);
    if (!rc)
        rc = Esys_Initialize(&t->esys, t->tcti, NULL);
    if (!rc)
        return 0;
    tpm_close(t);
    return mext_fail(why, "no TPM 2.0 by \"%.100s\": %s",
                     tcti ? tcti : TPM_TCTI, Tss2_RC_Decode(rc));
}

void tpm_close(struct tpm *t)
{
    if (t->esys)
        Esys_Finalize(&t->esys);
    if (t->tcti)
        Tss2_TctiLdr_Finalize(&t->tcti);
}

void tpm_select(TPML_PCR_SELECTION *s, uint32_t mask)
{
    *s = (TPML_PCR_SELECTION){ .count = 1 };
    s->pcrSelections[0].hash = TPM2_ALG_SHA256;
    s->pcrSelections[0].sizeofSelect = TPM_PCRS / 8;
    for (unsigned i = 0; i < TPM_PCRS / 8; i++)
        s->pcrSelections[0].pcrSelect[i] = (BYTE)(mask >> 8 * i);
}

/* One PCR a call: how many fit into an answer is the TPM's own matter. */
static int read_pcr(struct tpm *t, unsigned i, uint8_t out[MEXT_DIGEST_LEN],
                    struct mext_why *why)
{
    TPML_PCR_SELECTION want;
    TPML_DIGEST *d = NULL;
    int rc = 0;
    TSS2_RC r;

    tpm_select(&want, 1u << i);
    r = Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &want,
                      NULL, NULL, &d);
    if (r)
        return tpm_failed(why, "read a PCR", r);
    if (d->count != 1 || d->digests[0].size != MEXT_DIGEST_LEN)
        rc = mext_fail(why, "the TPM has no PCR %u in a bank of SHA-256", i);
    else
        memcpy(out, d->digests[0].buffer, MEXT_DIGEST_LEN);
    Esys_Free(d);
    return rc;
}

int tpm_pcrs(struct tpm *t, uint32_t mask,
             uint8_t pcr[TPM_PCRS][MEXT_DIGEST_LEN], struct mext_why *why)
{
    for (unsigned i = 0; i < TPM_PCRS; i++)
        if ((mask & 1u << i) && read_pcr(t, i, pcr[i], why))
            return -1;
    return 0;
}

/* Is the object at key the one of ak? */
static int compare(struct tpm *t, ESYS_TR key, const struct mext_ak *ak,
                   struct mext_why *why)
{
    uint8_t buf[sizeof(TPM2B_PUBLIC)];
    TPM2B_PUBLIC *p = NULL;
    size_t n = 0;
    TSS2_RC r = Esys_ReadPublic(t->esys, key, ESYS_TR_NONE, ESYS_TR_NONE,
                                ESYS_TR_NONE, &p, NULL, NULL);

    if (!r)
        r = Tss2_MU_TPM2B_PUBLIC_Marshal(p, buf, sizeof(buf), &n);
    Esys_Free(p);
    if (r)
        return tpm_failed(why, "read the AK's public part", r);
    if (n != ak->public_len || memcmp(buf, ak->public, n))
        return mext_fail(why,
                         "handle 0x%08x of the TPM holds another key: was "
                         "the TPM cleared or changed?",
                         ak->handle);
    return 0;
}

int tpm_ak(struct tpm *t, const struct mext_ak *ak, ESYS_TR *key_r,
           struct mext_why *why)
{
    ESYS_TR key;
    TSS2_RC r = Esys_TR_FromTPMPublic(t->esys, ak->handle, ESYS_TR_NONE,
                                      ESYS_TR_NONE, ESYS_TR_NONE, &key);

    if (r)
        return tpm_failed(why, "find the AK at its handle", r);
    if (compare(t, key, ak, why)) {
        Esys_TR_Close(t->esys, &key);
        return -1;
    }
    *key_r = key;
    return 0;
}
