/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <sodium.h>
#include <tss2/tss2_mu.h>

#include "mext_net.h"
#include "mext_quote.h"

#define PCR_OCTETS 3 /* of a selection: 24 PCRs, as PC clients have */

static int refuse(struct mext_why *why, const char *what)
{
    return mext_fail(why, "the TPM's evidence is not accepted: %s", what);
}

/* ---- signature ---- */

static EVP_PKEY *load_key(const struct mext_ak *ak)
{
    static char group[] = "prime256v1";
    uint8_t point[65] = { POINT_CONVERSION_UNCOMPRESSED };
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group,
                               sizeof(group) - 1),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_END,
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    memcpy(point + 1, ak->x, sizeof(ak->x));
    memcpy(point + 33, ak->y, sizeof(ak->y));
    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* As OpenSSL wants it, in DER; bytes, or -1. */
static int to_der(const TPMS_SIGNATURE_ECC *s, uint8_t **der_r)
{
    BIGNUM *r = BN_bin2bn(s->signatureR.buffer, s->signatureR.size, NULL);
    BIGNUM *t = BN_bin2bn(s->signatureS.buffer, s->signatureS.size, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int n = -1;

    if (sig && r && t && ECDSA_SIG_set0(sig, r, t) == 1) {
        n = i2d_ECDSA_SIG(sig, der_r);
    } else {
        BN_free(r);
        BN_free(t);
    }
    ECDSA_SIG_free(sig);
    return n;
}

static bool verifies(const uint8_t *p, size_t n, const TPMS_SIGNATURE_ECC *s,
                     const struct mext_ak *ak)
{
    EVP_PKEY *key = load_key(ak);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *der = NULL;
    int len = to_der(s, &der);
    bool good = key && ctx && len > 0 &&
                EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key,
                                        NULL) == 1 &&
                EVP_DigestVerify(ctx, der, (size_t)len, p, n) == 1;

    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

static int check_signature(const uint8_t *attest, size_t attest_len,
                           const uint8_t *sig, size_t sig_len,
                           const struct mext_ak *ak, struct mext_why *why)
{
    TPMT_SIGNATURE s = { 0 };
    size_t at = 0;

    if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(sig, sig_len, &at, &s) ||
        at != sig_len)
        return refuse(why, "the signature is malformed");
    if (s.sigAlg != TPM2_ALG_ECDSA ||
        s.signature.ecdsa.hash != TPM2_ALG_SHA256 ||
        s.signature.ecdsa.signatureR.size > 32 ||
        s.signature.ecdsa.signatureS.size > 32)
        return refuse(why, "the signature is not ECDSA on P-256 with SHA-256");
    if (!verifies(attest, attest_len, &s.signature.ecdsa, ak))
        return refuse(why, "it is not signed by the AK enrolled for this host");
    return 0;
}

/* ---- quote ---- */

void mext_quote_pcr(const uint8_t measurement[MEXT_DIGEST_LEN],
                    uint8_t out[MEXT_DIGEST_LEN])
{
    uint8_t in[2 * MEXT_DIGEST_LEN] = { 0 };

    memcpy(in + MEXT_DIGEST_LEN, measurement, MEXT_DIGEST_LEN);
    crypto_hash_sha256(out, in, sizeof(in));
}

/* Of all PCR values, in the order of their numbers: the measuring one is last. */
static void expected_digest(const struct mext_ak *ak,
                            const uint8_t measurement[MEXT_DIGEST_LEN],
                            uint8_t out[MEXT_DIGEST_LEN])
{
    crypto_hash_sha256_state h;

    crypto_hash_sha256_init(&h);
    for (unsigned i = 0; i < MEXT_AK_PINS; i++)
        if (ak->pinned & 1u << i)
            crypto_hash_sha256_update(&h, ak->pcr[i], MEXT_DIGEST_LEN);
    mext_quote_pcr(measurement, out);
    crypto_hash_sha256_update(&h, out, MEXT_DIGEST_LEN);
    crypto_hash_sha256_final(&h, out);
}

static bool selection_ok(const TPML_PCR_SELECTION *l, const struct mext_ak *ak)
{
    const TPMS_PCR_SELECTION *s = &l->pcrSelections[0];
    uint32_t want = ak->pinned | 1u << ak->measure;

    return l->count == 1 && s->hash == TPM2_ALG_SHA256 &&
           s->sizeofSelect == PCR_OCTETS && s->pcrSelect[0] == (want & 0xff) &&
           s->pcrSelect[1] == (want >> 8 & 0xff) &&
           s->pcrSelect[2] == want >> 16;
}

static bool is_digest(uint16_t size, const uint8_t *p,
                      const uint8_t want[MEXT_DIGEST_LEN])
{
    return size == MEXT_DIGEST_LEN && !memcmp(p, want, MEXT_DIGEST_LEN);
}

static int check_attest(const uint8_t *attest, size_t n,
                        const struct mext_ak *ak, const uint8_t *binding,
                        const uint8_t *measurement, struct mext_why *why)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    const TPMS_QUOTE_INFO *q;
    TPMS_ATTEST a = { 0 };
    size_t at = 0;
    UINT32 magic;

    /* By itself: later libraries call the whole malformed if it is wrong. */
    if (!Tss2_MU_UINT32_Unmarshal(attest, n, NULL, &magic) &&
        magic != TPM2_GENERATED_VALUE)
        return refuse(why, "it was not made by a TPM");
    if (Tss2_MU_TPMS_ATTEST_Unmarshal(attest, n, &at, &a) || at != n)
        return refuse(why, "the quote is malformed");
    if (a.type != TPM2_ST_ATTEST_QUOTE)
        return refuse(why, "it is not a quote");
    q = &a.attested.quote;
    if (!is_digest(a.extraData.size, a.extraData.buffer, binding))
        return refuse(why, "it is about another receipt");
    if (!selection_ok(&q->pcrSelect, ak))
        return refuse(why, "it is of other PCRs than those enrolled");
    expected_digest(ak, measurement, digest);
    if (!is_digest(q->pcrDigest.size, q->pcrDigest.buffer, digest))
        return refuse(why, "its PCRs hold something else than mstrap's "
                           "measurement and what was enrolled");
    return 0;
}

/* The signature first: nobody but the TPM makes us read further. */
int mext_quote_verify(const uint8_t *attest, size_t attest_len,
                      const uint8_t *sig, size_t sig_len,
                      const struct mext_ak *ak,
                      const uint8_t binding[MEXT_DIGEST_LEN],
                      const uint8_t measurement[MEXT_DIGEST_LEN],
                      struct mext_why *why)
{
    mext_tss_quiet();
    if (!attest_len || attest_len > MEXT_ATTEST_MAX || !sig_len ||
        sig_len > MEXT_TPMSIG_MAX)
        return refuse(why, "it is empty or too large");
    if (check_signature(attest, attest_len, sig, sig_len, ak, why))
        return -1;
    return check_attest(attest, attest_len, ak, binding, measurement, why);
}
