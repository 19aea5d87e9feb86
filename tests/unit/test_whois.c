/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_whois: a host's keys on demand; what is no question, what no answer. */
#include <string.h>

#include <sodium.h>

#include "unit.h"

enum { AT_NONCE = 24, AT_HOST = 56, AT_NEXT = 88, AT_SIGNATURES = 120 };

static struct mext_identity ids[MEXT_IAM_KEYS];

static void setup(void)
{
    fix_identity(&ids[0], FIX_DEST);
    fix_identity(&ids[1], FIX_NEXT);
}

static int answer(const uint8_t *in, size_t n, unsigned nids,
                  uint8_t out[MEXT_IAM_LEN])
{
    size_t len = 0;
    int rc = mext_whois_answer(in, n, ids, nids, out, &len);

    ck_assert_uint_eq(len, rc ? 0 : MEXT_IAM_LEN);
    return rc;
}

static int verify(const uint8_t *in, size_t n, struct mext_iam *r_r)
{
    uint8_t nonce[MEXT_NONCE_LEN];

    fix_nonce(nonce);
    return mext_iam_verify(in, n, nonce, r_r);
}

/* Nobody is to use us against somebody else. */
_Static_assert(MEXT_IAM_LEN <= MEXT_WHOIS_LEN, "");
/* packetd tells datagrams apart by their size, too. */
_Static_assert(MEXT_WHOIS_LEN != MEXT_TOKEN_LEN, "");

START_TEST(question_and_answer)
{
    uint8_t in[MEXT_WHOIS_LEN], out[MEXT_IAM_LEN];
    struct mext_iam r;

    fix_whois_bytes(in);
    for (unsigned n = 1; n <= MEXT_IAM_KEYS; n++) {
        ck_assert_int_eq(answer(in, sizeof(in), n, out), 0);
        ck_assert_int_eq(verify(out, sizeof(out), &r), 0);
        ck_assert_uint_eq(r.n, n);
        for (unsigned i = 0; i < n; i++)
            ck_assert(!memcmp(r.key[i], ids[i].pk, MEXT_KEY_LEN));
    }
}
END_TEST

START_TEST(no_question)
{
    uint8_t in[MEXT_TOKEN_LEN] = { 0 }, out[MEXT_IAM_LEN] = { 0 };

    fix_whois_bytes(in);
    for (size_t n = 0; n <= sizeof(in); n++)
        ck_assert_int_eq(answer(in, n, 2, out),
                         n == MEXT_WHOIS_LEN ? 0 : MEXT_ERR_FORMAT);
    memset(out, 0, sizeof(out));
    /* every bit but the nonce's */
    for (size_t bit = 0; bit < MEXT_WHOIS_LEN * 8; bit++) {
        bool nonce = bit / 8 >= AT_NONCE && bit / 8 < AT_HOST;

        if (nonce)
            continue;
        in[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(answer(in, MEXT_WHOIS_LEN, 1, out), MEXT_ERR_FORMAT);
        in[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    fix_token_bytes(in);
    ck_assert_int_eq(answer(in, sizeof(in), 1, out), MEXT_ERR_FORMAT);
    ck_assert(sodium_is_zero(out, sizeof(out)));
}
END_TEST

/* An answer is no question: two hosts do not talk for ever. */
START_TEST(answer_is_no_question)
{
    uint8_t in[MEXT_IAM_LEN], out[MEXT_IAM_LEN];

    for (unsigned next = 0; next < 2; next++) {
        fix_iam_bytes(next, in);
        ck_assert_int_eq(answer(in, sizeof(in), 1, out), MEXT_ERR_FORMAT);
    }
}
END_TEST

START_TEST(each_bit_of_an_answer)
{
    uint8_t in[MEXT_IAM_LEN];
    struct mext_iam r, before;

    memset(&r, 0xa5, sizeof(r));
    before = r;
    for (unsigned next = 0; next < 2; next++) {
        fix_iam_bytes(next, in);
        for (size_t bit = 0; bit < sizeof(in) * 8; bit++) {
            in[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ck_assert_msg(verify(in, sizeof(in), &r) < 0, "bit %zu", bit);
            in[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t n = 0; n < sizeof(in); n++)
            ck_assert_int_eq(verify(in, n, &r), MEXT_ERR_FORMAT);
    }
    ck_assert(!memcmp(&r, &before, sizeof(r)));
}
END_TEST

/* Signs the changed octets with both, as far as they are there. */
static void sign(uint8_t in[MEXT_IAM_LEN], enum fix_who host, enum fix_who next)
{
    struct mext_identity id;

    fix_identity(&id, host);
    crypto_sign_detached(in + AT_SIGNATURES, NULL, in, AT_SIGNATURES, id.sk);
    fix_identity(&id, next);
    crypto_sign_detached(in + AT_SIGNATURES + MEXT_SIG_LEN, NULL, in,
                         AT_SIGNATURES, id.sk);
}

/* Well signed, but by somebody else, for somebody else, or too much. */
START_TEST(signed_but_refused)
{
    uint8_t in[MEXT_IAM_LEN];
    struct mext_iam r;

    fix_iam_bytes(true, in);
    sign(in, FIX_STRANGER, FIX_NEXT);
    ck_assert_int_eq(verify(in, sizeof(in), &r), MEXT_ERR_AUTH);
    /* a host that claims another one's key as its next */
    sign(in, FIX_DEST, FIX_DEST);
    ck_assert_int_eq(verify(in, sizeof(in), &r), MEXT_ERR_AUTH);
    in[AT_NONCE] ^= 1;
    sign(in, FIX_DEST, FIX_NEXT);
    ck_assert_int_eq(verify(in, sizeof(in), &r), MEXT_ERR_AUTH);
    in[AT_NONCE] ^= 1;
    sign(in, FIX_DEST, FIX_NEXT);
    ck_assert_int_eq(verify(in, sizeof(in), &r), 0);
    in[0] ^= 1;
    sign(in, FIX_DEST, FIX_NEXT);
    ck_assert_int_eq(verify(in, sizeof(in), &r), MEXT_ERR_FORMAT);
    in[0] ^= 1;
    /* no next key, but a signature of one */
    memset(in + AT_NEXT, 0, MEXT_KEY_LEN);
    sign(in, FIX_DEST, FIX_NEXT);
    ck_assert_int_eq(verify(in, sizeof(in), &r), MEXT_ERR_FORMAT);
}
END_TEST

/* A point of low order as a key makes any message verify, if let. */
START_TEST(low_order)
{
    uint8_t in[MEXT_IAM_LEN];
    struct mext_iam r;

    for (unsigned i = 0; i < MEXT_IAM_KEYS; i++) {
        fix_iam_bytes(true, in);
        memset(in + AT_HOST + i * MEXT_KEY_LEN, 0, MEXT_KEY_LEN);
        in[AT_HOST + i * MEXT_KEY_LEN] = 1;
        sign(in, FIX_DEST, FIX_NEXT);
        memset(in + AT_SIGNATURES + i * MEXT_SIG_LEN, 0, MEXT_SIG_LEN);
        in[AT_SIGNATURES + i * MEXT_SIG_LEN] = 1;
        ck_assert_int_eq(verify(in, sizeof(in), &r), MEXT_ERR_AUTH);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        question_and_answer,
        no_question,
        answer_is_no_question,
        each_bit_of_an_answer,
        signed_but_refused,
        low_order,
        NULL,
    };

    return unit_main(unit_suite_in("whois", tests, setup, NULL));
}
