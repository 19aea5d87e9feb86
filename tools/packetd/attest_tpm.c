/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "attest.h"
#include "mext_net.h"
#include "tpm.h"

struct attest_tpm {
    struct attester a; /* first: what the caller holds */
    struct tpm tpm;
    struct mext_ak ak;
    ESYS_TR key;
};

static struct attest_tpm *of(struct attester *a)
{
    return (struct attest_tpm *)a;
}

static TSS2_RC reset_and_extend(struct attest_tpm *s,
                                const uint8_t sha256[MEXT_DIGEST_LEN])
{
    TPML_DIGEST_VALUES v = { .count = 1 };
    ESYS_TR pcr = ESYS_TR_PCR0 + s->ak.measure;
    TSS2_RC rc = Esys_PCR_Reset(s->tpm.esys, pcr, ESYS_TR_PASSWORD,
                                ESYS_TR_NONE, ESYS_TR_NONE);

    v.digests[0].hashAlg = TPM2_ALG_SHA256;
    memcpy(v.digests[0].digest.sha256, sha256, MEXT_DIGEST_LEN);
    return rc ? rc
              : Esys_PCR_Extend(s->tpm.esys, pcr, ESYS_TR_PASSWORD,
                                ESYS_TR_NONE, ESYS_TR_NONE, &v);
}

/* Read back: a TPM without the bank extends nothing, and does not say so. */
static int tpm_measure(struct attester *a,
                       const uint8_t sha256[MEXT_DIGEST_LEN],
                       struct mext_why *why)
{
    uint8_t pcr[TPM_PCRS][MEXT_DIGEST_LEN], want[MEXT_DIGEST_LEN];
    struct attest_tpm *s = of(a);
    TSS2_RC rc = reset_and_extend(s, sha256);

    if (rc)
        return tpm_failed(why, "measure into the AK's PCR", rc);
    if (tpm_pcrs(&s->tpm, 1u << s->ak.measure, pcr, why))
        return -1;
    mext_quote_pcr(sha256, want);
    if (memcmp(pcr[s->ak.measure], want, sizeof(want)))
        return mext_fail(why,
                         "PCR %u does not hold the measurement: who else "
                         "uses it?",
                         s->ak.measure);
    return 0;
}

static int marshal(const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *sig,
                   struct mext_evidence *e_r, struct mext_why *why)
{
    struct mext_evidence e = { .attest_len = attest->size };
    size_t n = 0;

    if (attest->size > sizeof(e.attest) ||
        Tss2_MU_TPMT_SIGNATURE_Marshal(sig, e.sig, sizeof(e.sig), &n))
        return mext_fail(why, "the TPM's evidence is too large");
    memcpy(e.attest, attest->attestationData, attest->size);
    e.sig_len = (uint16_t)n;
    *e_r = e;
    return 0;
}

static int tpm_evidence(struct attester *a,
                        const uint8_t binding[MEXT_DIGEST_LEN],
                        struct mext_evidence *e_r, struct mext_why *why)
{
    TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL }; /* the key's own */
    TPM2B_DATA data = { .size = MEXT_DIGEST_LEN };
    struct attest_tpm *s = of(a);
    TPML_PCR_SELECTION pcrs;
    TPM2B_ATTEST *attest;
    TPMT_SIGNATURE *sig;
    TSS2_RC r;
    int rc;

    memcpy(data.buffer, binding, MEXT_DIGEST_LEN);
    tpm_select(&pcrs, s->ak.pinned | 1u << s->ak.measure);
    r = Esys_Quote(s->tpm.esys, s->key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                   ESYS_TR_NONE, &data, &scheme, &pcrs, &attest, &sig);
    if (r)
        return tpm_failed(why, "quote", r);
    rc = marshal(attest, sig, e_r, why);
    Esys_Free(attest);
    Esys_Free(sig);
    return rc;
}

static void tpm_end(struct attester *a)
{
    tpm_close(&of(a)->tpm);
    free(a);
}

static int load(struct attest_tpm *s, const char *tcti, const char *keys_dir,
                struct mext_why *why)
{
    bool found;

    if (mext_ak_load(keys_dir, NULL, &s->ak, &found, why))
        return -1;
    if (!found)
        return mext_fail(why, "%.300s holds no host.ak: run packetd ak create",
                         keys_dir);
    if (tpm_open(&s->tpm, tcti, why))
        return -1;
    if (tpm_ak(&s->tpm, &s->ak, &s->key, why)) {
        tpm_close(&s->tpm);
        return -1;
    }
    return 0;
}

int attest_tpm_open(const char *tcti, const char *keys_dir,
                    struct attester **a_r, struct mext_why *why)
{
    struct attest_tpm *s = calloc(1, sizeof(*s));

    if (!s)
        return mext_fail(why, "out of memory");
    if (load(s, tcti, keys_dir, why)) {
        free(s);
        return -1;
    }
    s->a = (struct attester){ MEXT_ATTESTER_TPM, tpm_measure, tpm_evidence,
                              tpm_end };
    *a_r = &s->a;
    return 0;
}
