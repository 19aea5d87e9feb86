/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_quote, with quotes made here: one refusal for each check. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fix_quote.h"
#include "unit.h"

static struct mext_why why;

/* In blocks of their own size, so that the sanitizer sees each octet beyond. */
static int verify(const uint8_t *attest, size_t n, const uint8_t *sig, size_t m)
{
    uint8_t binding[MEXT_DIGEST_LEN], measurement[MEXT_DIGEST_LEN];
    uint8_t *a = malloc(n ? n : 1), *s = malloc(m ? m : 1);
    struct mext_ak ak;
    int rc;

    memcpy(a, attest, n);
    memcpy(s, sig, m);
    fix_ak(&ak, FIX_DEST);
    fix_binding(binding);
    fix_measurement(measurement);
    strcpy(why.text, "untouched");
    rc = mext_quote_verify(a, n, s, m, &ak, binding, measurement, &why);
    free(a);
    free(s);
    return rc;
}

static int verify_evidence(const struct mext_evidence *e)
{
    return verify(e->attest, e->attest_len, e->sig, e->sig_len);
}

static void refused(const struct mext_evidence *e, const char *says,
                    const char *name)
{
    ck_assert_msg(verify_evidence(e) == -1, "%s is taken", name);
    ck_assert_msg(strstr(why.text, says) != NULL, "%s: \"%s\" without \"%s\"",
                  name, why.text, says);
}

START_TEST(good)
{
    struct mext_evidence e;

    fix_quote(&e, NULL);
    ck_assert_msg(!verify_evidence(&e), "%s", why.text);
    ck_assert_str_eq(why.text, "untouched");
}
END_TEST

START_TEST(each_refusal)
{
    for (size_t i = 0; i < fix_nbad_quotes; i++) {
        struct mext_evidence e;

        fix_quote(&e, &fix_bad_quotes[i]);
        refused(&e, fix_bad_quotes[i].says, fix_bad_quotes[i].name);
    }
}
END_TEST

/* The same quote, for somebody who expects another thing. */
START_TEST(other_expectations)
{
    uint8_t binding[MEXT_DIGEST_LEN], measurement[MEXT_DIGEST_LEN];
    struct mext_evidence e;

    fix_quote(&e, NULL);
    for (unsigned i = 0; i < 6; i++) {
        struct mext_ak ak;

        fix_ak(&ak, i == 0 ? FIX_STRANGER : FIX_DEST);
        fix_binding(binding);
        fix_measurement(measurement);
        binding[0] ^= i == 1;
        measurement[31] ^= i == 2;
        ak.measure -= i == 3;
        ak.pinned ^= (i == 4) << 3;
        ak.pcr[15][5] ^= i == 5;
        ck_assert_int_eq(mext_quote_verify(e.attest, e.attest_len, e.sig,
                                           e.sig_len, &ak, binding, measurement,
                                           &why),
                         -1);
    }
}
END_TEST

/* The good one, by an AK of the test's. */
static int verify_by(const struct mext_ak *ak)
{
    uint8_t binding[MEXT_DIGEST_LEN], measurement[MEXT_DIGEST_LEN];
    struct mext_evidence e;

    fix_quote(&e, NULL);
    fix_binding(binding);
    fix_measurement(measurement);
    return mext_quote_verify(e.attest, e.attest_len, e.sig, e.sig_len, ak,
                             binding, measurement, &why);
}

/* A pinned value that is not pinned does not matter. */
START_TEST(unpinned)
{
    struct mext_ak ak;

    fix_ak(&ak, FIX_DEST);
    ak.pcr[3][0] ^= 1;
    ck_assert_int_eq(verify_by(&ak), 0);
}
END_TEST

START_TEST(each_bit)
{
    struct mext_evidence e;

    fix_quote(&e, NULL);
    for (size_t bit = 0; bit < 8u * e.attest_len; bit++) {
        e.attest[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused(&e, "not signed by the AK", "bit of the quote");
        e.attest[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8u * e.sig_len; bit++) {
        e.sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused(&e, "sign", "bit of the signature");
        e.sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_int_eq(verify_evidence(&e), 0);
}
END_TEST

/* Signed as it should be, each octet of the quote matters but for these. */
START_TEST(each_signed_bit)
{
    /* qualifiedSigner's name; clock, its counters; firmware's version */
    static const struct {
        size_t from, to;
    } free[] = { { 8, 42 }, { 76, 101 } };
    struct mext_evidence e;

    fix_quote(&e, NULL);
    for (size_t at = 0; at < e.attest_len; at++) {
        bool any = (at >= free[0].from && at < free[0].to) ||
                   (at >= free[1].from && at < free[1].to);

        e.attest[at] ^= 1;
        fix_quote_sign(&e, FIX_DEST);
        ck_assert_msg(verify_evidence(&e) == (any ? 0 : -1), "octet %zu: %s",
                      at, why.text);
        e.attest[at] ^= 1;
    }
}
END_TEST

START_TEST(each_length)
{
    struct mext_evidence e;

    fix_quote(&e, NULL);
    for (size_t n = 0; n < e.attest_len; n++)
        ck_assert_int_eq(verify(e.attest, n, e.sig, e.sig_len), -1);
    for (size_t n = 0; n < e.sig_len; n++)
        ck_assert_int_eq(verify(e.attest, e.attest_len, e.sig, n), -1);
    for (size_t n = e.attest_len; n--;) {
        struct mext_evidence cut = e;

        cut.attest_len = (uint16_t)n;
        fix_quote_sign(&cut, FIX_DEST);
        refused(&cut, n ? "malformed" : "empty", "signed, but cut");
    }
}
END_TEST

START_TEST(too_large)
{
    static const uint8_t zeros[MEXT_ATTEST_MAX + 1];

    ck_assert_int_eq(verify(zeros, MEXT_ATTEST_MAX + 1, zeros, 1), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "too large"));
    ck_assert_int_eq(verify(zeros, 1, zeros, MEXT_TPMSIG_MAX + 1), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "too large"));
}
END_TEST

/* A point that is not on the curve is no key. */
START_TEST(key_off_the_curve)
{
    struct mext_ak ak;

    fix_ak(&ak, FIX_DEST);
    ak.y[0] ^= 1;
    ck_assert_int_eq(verify_by(&ak), -1);
}
END_TEST

START_TEST(committed_vectors)
{
    for (size_t i = 0; i <= fix_nbad_quotes; i++) {
        const struct fix_bad_quote *bad = i ? &fix_bad_quotes[i - 1] : NULL;
        uint8_t body[4096];
        struct mext_ctl m;
        char name[64];
        size_t n;
        int rc;

        snprintf(name, sizeof(name), "quote-%s%s", bad ? "bad-" : "good",
                 bad ? bad->name : "");
        n = unit_vector(name, body, sizeof(body));
        ck_assert_int_eq(mext_ctl_decode(body, n, &m), 0);
        ck_assert_int_eq(m.type, MEXT_CTL_EVIDENCE);
        rc = verify(m.u.evidence.attest, m.u.evidence.attest_len,
                    m.u.evidence.sig, m.u.evidence.sig_len);
        ck_assert_msg(rc == (bad ? -1 : 0), "%s", name);
        if (bad)
            ck_assert_msg(strstr(why.text, bad->says) != NULL, "%s: %s", name,
                          why.text);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { good,
                                   each_refusal,
                                   other_expectations,
                                   unpinned,
                                   each_bit,
                                   each_signed_bit,
                                   each_length,
                                   too_large,
                                   key_off_the_curve,
                                   committed_vectors,
                                   NULL };

    return unit_main(unit_suite("quote", tests));
}
