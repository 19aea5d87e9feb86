/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quotes as a TPM makes them, by an AK whose secret is known, and signed with a
 * nonce made of what is signed: the same octets on every run.
 */
#include <assert.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <sodium.h>
#include <tss2/tss2_mu.h>

#include "fix_quote.h"

#define SHA256_BANK TPM2_ALG_SHA256

/* ---- the AK ---- */

static BIGNUM *secret(enum fix_who who)
{
    uint8_t d[32];

    memset(d, (int)who + 0x50, sizeof(d));
    return BN_bin2bn(d, sizeof(d), NULL);
}

/* Coordinates of k times the base point. */
static void multiply(const EC_GROUP *g, const BIGNUM *k, BIGNUM *x, BIGNUM *y)
{
    EC_POINT *p = EC_POINT_new(g);
    int rc = EC_POINT_mul(g, p, k, NULL, NULL, NULL) &&
             EC_POINT_get_affine_coordinates(g, p, x, y, NULL);

    assert(rc);
    EC_POINT_free(p);
}

/* TPM2B_PUBLIC by hand, as part 2 of the TPM 2.0 library says, 12.2.4. */
static void public_bytes(enum fix_who who, struct mext_buf *b)
{
    EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *d = secret(who), *x = BN_new(), *y = BN_new();
    uint8_t n[32];

    multiply(g, d, x, y);
    mext_put16(b, 88);
    mext_put16(b, TPM2_ALG_ECC);
    mext_put16(b, TPM2_ALG_SHA256);
    mext_put32(b, 0x00050472); /* fixed, restricted, for signing */
    mext_put16(b, 0);          /* no policy */
    mext_put16(b, TPM2_ALG_NULL);
    mext_put16(b, TPM2_ALG_ECDSA);
    mext_put16(b, TPM2_ALG_SHA256);
    mext_put16(b, TPM2_ECC_NIST_P256);
    mext_put16(b, TPM2_ALG_NULL);
    mext_put16(b, sizeof(n));
    BN_bn2binpad(x, n, sizeof(n));
    mext_put(b, n, sizeof(n));
    mext_put16(b, sizeof(n));
    BN_bn2binpad(y, n, sizeof(n));
    mext_put(b, n, sizeof(n));
    BN_free(d);
    BN_free(x);
    BN_free(y);
    EC_GROUP_free(g);
}

void fix_ak(struct mext_ak *ak_r, enum fix_who who)
{
    uint8_t bytes[MEXT_AK_PUBLIC_MAX];
    struct mext_why why;
    struct mext_buf b;
    int rc;

    memset(ak_r, 0, sizeof(*ak_r));
    mext_buf_init(&b, bytes, sizeof(bytes));
    public_bytes(who, &b);
    rc = mext_ak_public(bytes, b.pos, ak_r, &why);
    assert(!rc);
    ak_r->handle = 0x81006d78;
    ak_r->measure = 23;
    ak_r->pinned = 1 << 0 | 1 << 15;
    memset(ak_r->pcr[0], 0x60, MEXT_DIGEST_LEN);
    memset(ak_r->pcr[15], 0x6f, MEXT_DIGEST_LEN);
}

/* ---- what is quoted ---- */

void fix_tpm_receipt_bytes(uint8_t out[MEXT_RECEIPT_LEN])
{
    struct mext_identity id;
    struct mext_receipt r;
    int rc;

    fix_receipt(&r);
    r.attester = MEXT_ATTESTER_TPM;
    fix_identity(&id, FIX_DEST);
    rc = mext_receipt_sign(&r, &id, out);
    assert(!rc);
}

void fix_binding(uint8_t out[MEXT_DIGEST_LEN])
{
    uint8_t receipt[MEXT_RECEIPT_LEN];

    fix_tpm_receipt_bytes(receipt);
    mext_digest(receipt, sizeof(receipt), out);
}

void fix_measurement(uint8_t out[MEXT_DIGEST_LEN])
{
    struct mext_receipt r;

    fix_receipt(&r);
    memcpy(out, r.measurement, MEXT_DIGEST_LEN);
}

static void extend(uint8_t pcr[32], const uint8_t with[32])
{
    crypto_hash_sha256_state h;

    crypto_hash_sha256_init(&h);
    crypto_hash_sha256_update(&h, pcr, 32);
    crypto_hash_sha256_update(&h, with, 32);
    crypto_hash_sha256_final(&h, pcr);
}

/* Sets pcrDigest: two pinned PCRs and one extended `times` with value. */
static void put_digest(TPMS_ATTEST *a, const uint8_t value[32], unsigned times)
{
    TPM2B_DIGEST *d = &a->attested.quote.pcrDigest;
    crypto_hash_sha256_state h;
    uint8_t pcr[32] = { 0 };
    struct mext_ak ak;

    fix_ak(&ak, FIX_DEST);
    while (times--)
        extend(pcr, value);
    crypto_hash_sha256_init(&h);
    crypto_hash_sha256_update(&h, ak.pcr[0], 32);
    crypto_hash_sha256_update(&h, ak.pcr[15], 32);
    crypto_hash_sha256_update(&h, pcr, 32);
    d->size = 32;
    crypto_hash_sha256_final(&h, d->buffer);
}

static void good(TPMS_ATTEST *a)
{
    TPMS_PCR_SELECTION *s = &a->attested.quote.pcrSelect.pcrSelections[0];
    uint8_t measurement[MEXT_DIGEST_LEN];

    memset(a, 0, sizeof(*a));
    a->magic = TPM2_GENERATED_VALUE;
    a->type = TPM2_ST_ATTEST_QUOTE;
    a->qualifiedSigner.size = 34;
    memset(a->qualifiedSigner.name, 0x71, 34);
    a->extraData.size = MEXT_DIGEST_LEN;
    fix_binding(a->extraData.buffer);
    a->clockInfo.clock = 0x0102030405060708;
    a->clockInfo.resetCount = 9;
    a->clockInfo.safe = 1;
    a->firmwareVersion = 0x1112131415161718;
    a->attested.quote.pcrSelect.count = 1;
    s->hash = SHA256_BANK;
    s->sizeofSelect = 3;
    s->pcrSelect[0] = 1 << 0;
    s->pcrSelect[1] = 1 << 7;
    s->pcrSelect[2] = 1 << 7;
    fix_measurement(measurement);
    put_digest(a, measurement, 1);
}

/* ---- signing ---- */

/* SEC 1, 4.1.3, with a nonce from the secret and the digest. */
static void ecdsa(enum fix_who who, const uint8_t e[32], uint8_t r_r[32],
                  uint8_t s_r[32])
{
    EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    const BIGNUM *n = EC_GROUP_get0_order(g);
    BIGNUM *d = secret(who), *x = BN_new(), *y = BN_new();
    BN_CTX *c = BN_CTX_new();
    uint8_t nonce[32];
    BIGNUM *k, *s, *h = BN_bin2bn(e, 32, NULL);

    memset(nonce, (int)who, sizeof(nonce));
    extend(nonce, e);
    nonce[0] = 0; /* below the order */
    k = BN_bin2bn(nonce, sizeof(nonce), NULL);
    multiply(g, k, x, y);
    BN_nnmod(x, x, n, c);
    s = BN_mod_inverse(NULL, k, n, c);
    BN_mod_mul(d, d, x, n, c);
    BN_mod_add(h, h, d, n, c);
    BN_mod_mul(s, s, h, n, c);
    BN_bn2binpad(x, r_r, 32);
    BN_bn2binpad(s, s_r, 32);
    BN_free(d);
    BN_free(x);
    BN_free(y);
    BN_free(k);
    BN_free(s);
    BN_free(h);
    BN_CTX_free(c);
    EC_GROUP_free(g);
}

void fix_quote_sign(struct mext_evidence *e, enum fix_who who)
{
    TPMT_SIGNATURE sig = { .sigAlg = TPM2_ALG_ECDSA };
    TPMS_SIGNATURE_ECC *s = &sig.signature.ecdsa;
    uint8_t digest[32];
    size_t n = 0;
    TSS2_RC rc;

    crypto_hash_sha256(digest, e->attest, e->attest_len);
    s->hash = TPM2_ALG_SHA256;
    s->signatureR.size = s->signatureS.size = 32;
    ecdsa(who, digest, s->signatureR.buffer, s->signatureS.buffer);
    rc = Tss2_MU_TPMT_SIGNATURE_Marshal(&sig, e->sig, sizeof(e->sig), &n);
    assert(!rc);
    e->sig_len = (uint16_t)n;
}

/* ---- what is refused ---- */

static void other_magic(struct mext_evidence *e)
{
    e->attest[0] ^= 1;
}

static void certify(TPMS_ATTEST *a)
{
    a->type = TPM2_ST_ATTEST_CERTIFY;
    memset(&a->attested, 0, sizeof(a->attested));
}

static void other_receipt(TPMS_ATTEST *a)
{
    a->extraData.buffer[31] ^= 1;
}

static void short_binding(TPMS_ATTEST *a)
{
    a->extraData.size--;
}

static void long_binding(TPMS_ATTEST *a)
{
    a->extraData.size++;
}

static TPMS_PCR_SELECTION *selection(TPMS_ATTEST *a, unsigned i)
{
    return &a->attested.quote.pcrSelect.pcrSelections[i];
}

static void no_selection(TPMS_ATTEST *a)
{
    a->attested.quote.pcrSelect.count = 0;
}

static void two_banks(TPMS_ATTEST *a)
{
    a->attested.quote.pcrSelect.count = 2;
    *selection(a, 1) = *selection(a, 0);
}

static void sha1_bank(TPMS_ATTEST *a)
{
    selection(a, 0)->hash = TPM2_ALG_SHA1;
}

static void long_selection(TPMS_ATTEST *a)
{
    selection(a, 0)->sizeofSelect = 4;
}

static void other_measuring_pcr(TPMS_ATTEST *a)
{
    selection(a, 0)->pcrSelect[2] = 1;
}

static void pin_missing(TPMS_ATTEST *a)
{
    selection(a, 0)->pcrSelect[1] = 0;
}

static void pcr_too_many(TPMS_ATTEST *a)
{
    selection(a, 0)->pcrSelect[0] |= 2;
}

static void not_measured(TPMS_ATTEST *a)
{
    uint8_t m[MEXT_DIGEST_LEN];

    fix_measurement(m);
    put_digest(a, m, 0);
}

static void not_reset(TPMS_ATTEST *a)
{
    uint8_t m[MEXT_DIGEST_LEN];

    fix_measurement(m);
    put_digest(a, m, 2);
}

static void other_mstrap(TPMS_ATTEST *a)
{
    uint8_t m[MEXT_DIGEST_LEN];

    fix_measurement(m);
    m[0] ^= 1;
    put_digest(a, m, 1);
}

static void short_digest(TPMS_ATTEST *a)
{
    a->attested.quote.pcrDigest.size = 20;
}

static void long_digest(TPMS_ATTEST *a)
{
    a->attested.quote.pcrDigest.size++;
}

static void cut_attest(struct mext_evidence *e)
{
    e->attest_len--;
}

static void long_attest(struct mext_evidence *e)
{
    e->attest[e->attest_len++] = 0;
}

static void sign_otherwise(struct mext_evidence *e)
{
    fix_quote_sign(e, FIX_STRANGER);
}

static void change_attest(struct mext_evidence *e)
{
    e->attest[e->attest_len - 1] ^= 1;
}

static void cut_sig(struct mext_evidence *e)
{
    e->sig_len--;
}

static void long_sig(struct mext_evidence *e)
{
    e->sig[e->sig_len++] = 0;
}

static void rsa_sig(struct mext_evidence *e)
{
    e->sig[1] = 0x14; /* RSASSA: hash, and one blob of the rest */
    e->sig_len = 2 + 2 + 2 + 32;
}

static void sha1_sig(struct mext_evidence *e)
{
    e->sig[3] = 0x04;
}

static void hmac_sig(struct mext_evidence *e)
{
    e->sig[1] = 0x05;
    e->sig_len = 2 + 2 + 32;
}

/* A zero octet more in front of r is the same number. */
static void long_r(struct mext_evidence *e)
{
    memmove(e->sig + 7, e->sig + 6, e->sig_len - 6u);
    e->sig[5] = 33;
    e->sig[6] = 0;
    e->sig_len++;
}

static void zero_r(struct mext_evidence *e)
{
    memset(e->sig + 6, 0, 32);
}

#define MALFORMED_SIG "the signature is malformed"
#define NOT_ECDSA     "the signature is not ECDSA on P-256 with SHA-256"
#define NOT_OURS      "it is not signed by the AK enrolled"
#define MALFORMED     "the quote is malformed"
#define OTHER_PCRS    "it is of other PCRs than those enrolled"
#define OTHER_VALUES  "its PCRs hold something else"

const struct fix_bad_quote fix_bad_quotes[] = {
    { "signature-short", MALFORMED_SIG, NULL, NULL, cut_sig },
    { "signature-long", MALFORMED_SIG, NULL, NULL, long_sig },
    { "signature-rsa", NOT_ECDSA, NULL, NULL, rsa_sig },
    { "signature-hmac", NOT_ECDSA, NULL, NULL, hmac_sig },
    { "signature-sha1", NOT_ECDSA, NULL, NULL, sha1_sig },
    { "signature-long-r", NOT_ECDSA, NULL, NULL, long_r },
    { "signature-zero-r", NOT_OURS, NULL, NULL, zero_r },
    { "other-ak", NOT_OURS, NULL, NULL, sign_otherwise },
    { "changed", NOT_OURS, NULL, NULL, change_attest },
    { "short", MALFORMED, NULL, cut_attest, NULL },
    { "long", MALFORMED, NULL, long_attest, NULL },
    { "magic", "it was not made by a TPM", NULL, other_magic, NULL },
    { "certify", "it is not a quote", certify, NULL, NULL },
    { "other-receipt", "it is about another receipt", other_receipt, NULL,
      NULL },
    { "binding-short", "it is about another receipt", short_binding, NULL,
      NULL },
    { "binding-long", "it is about another receipt", long_binding, NULL, NULL },
    { "no-bank", OTHER_PCRS, no_selection, NULL, NULL },
    { "two-banks", OTHER_PCRS, two_banks, NULL, NULL },
    { "sha1-bank", OTHER_PCRS, sha1_bank, NULL, NULL },
    { "selection-long", OTHER_PCRS, long_selection, NULL, NULL },
    { "other-pcr", OTHER_PCRS, other_measuring_pcr, NULL, NULL },
    { "pin-missing", OTHER_PCRS, pin_missing, NULL, NULL },
    { "pcr-too-many", OTHER_PCRS, pcr_too_many, NULL, NULL },
    { "not-measured", OTHER_VALUES, not_measured, NULL, NULL },
    { "not-reset", OTHER_VALUES, not_reset, NULL, NULL },
    { "other-mstrap", OTHER_VALUES, other_mstrap, NULL, NULL },
    { "digest-short", OTHER_VALUES, short_digest, NULL, NULL },
    { "digest-long", OTHER_VALUES, long_digest, NULL, NULL },
};

const size_t fix_nbad_quotes = COUNT(fix_bad_quotes);

void fix_quote(struct mext_evidence *e_r, const struct fix_bad_quote *bad)
{
    struct mext_evidence e = { .attest_len = 0 };
    TPMS_ATTEST a;
    size_t n = 0;
    TSS2_RC rc;

    good(&a);
    if (bad && bad->quoted)
        bad->quoted(&a);
    rc = Tss2_MU_TPMS_ATTEST_Marshal(&a, e.attest, sizeof(e.attest), &n);
    assert(!rc);
    e.attest_len = (uint16_t)n;
    if (bad && bad->marshalled)
        bad->marshalled(&e);
    fix_quote_sign(&e, FIX_DEST);
    if (bad && bad->late)
        bad->late(&e);
    *e_r = e;
}

size_t fix_quote_body(const struct mext_evidence *e, uint8_t *out, size_t max)
{
    struct mext_ctl m = { .type = MEXT_CTL_EVIDENCE };
    struct mext_buf b;
    int rc;

    m.u.evidence.attest = e->attest;
    m.u.evidence.attest_len = e->attest_len;
    m.u.evidence.sig = e->sig;
    m.u.evidence.sig_len = e->sig_len;
    mext_buf_init(&b, out, max);
    rc = mext_ctl_encode(&m, &b);
    assert(!rc);
    return b.pos;
}
