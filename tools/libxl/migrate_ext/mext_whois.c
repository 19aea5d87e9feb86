/* SPDX-License-Identifier: LGPL-2.1-only */
#include <assert.h>
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

#include "mext_whois.h"

#define SIGNED_LEN (MEXT_IAM_LEN - MEXT_IAM_KEYS * MEXT_SIG_LEN)

static const uint8_t whois_purpose[MEXT_PURPOSE_LEN] = MEXT_WHOIS_PURPOSE;
static const uint8_t iam_purpose[MEXT_PURPOSE_LEN] = MEXT_IAM_PURPOSE;
static const uint8_t zeros[MEXT_WHOIS_LEN];

void mext_whois_make(const uint8_t nonce[MEXT_NONCE_LEN],
                     uint8_t out[MEXT_WHOIS_LEN])
{
    struct mext_buf b;

    mext_buf_init(&b, out, MEXT_WHOIS_LEN);
    mext_put(&b, whois_purpose, sizeof(whois_purpose));
    mext_put(&b, nonce, MEXT_NONCE_LEN);
    mext_put(&b, zeros, MEXT_WHOIS_LEN - b.pos);
}

/* The question's nonce, NULL if it is none. */
static const uint8_t *whois_nonce(const uint8_t *in, size_t n)
{
    const uint8_t *purpose, *nonce, *pad;
    struct mext_buf b;

    if (n != MEXT_WHOIS_LEN)
        return NULL;
    mext_buf_init(&b, (uint8_t *)in, n);
    purpose = mext_view(&b, MEXT_PURPOSE_LEN);
    nonce = mext_view(&b, MEXT_NONCE_LEN);
    pad = mext_view(&b, n - b.pos);
    if (memcmp(purpose, whois_purpose, MEXT_PURPOSE_LEN) ||
        memcmp(pad, zeros, (size_t)(in + n - pad)))
        return NULL;
    return nonce;
}

int mext_whois_answer(const uint8_t *in, size_t n,
                      const struct mext_identity *ids, unsigned nids,
                      uint8_t *out, size_t *n_r)
{
    const uint8_t *nonce = whois_nonce(in, n);
    uint8_t buf[MEXT_IAM_LEN] = { 0 };
    struct mext_buf b;

    assert(nids >= 1 && nids <= MEXT_IAM_KEYS);
    if (!nonce)
        return MEXT_ERR_FORMAT;
    mext_buf_init(&b, buf, SIGNED_LEN);
    mext_put(&b, iam_purpose, sizeof(iam_purpose));
    mext_put(&b, nonce, MEXT_NONCE_LEN);
    for (unsigned i = 0; i < nids; i++)
        mext_put(&b, ids[i].pk, MEXT_KEY_LEN);
    for (unsigned i = 0; i < nids; i++)
        if (crypto_sign_ed25519_detached(buf + SIGNED_LEN + i * MEXT_SIG_LEN,
                                         NULL, buf, SIGNED_LEN, ids[i].sk))
            return MEXT_ERR_LIB;
    memcpy(out, buf, sizeof(buf));
    *n_r = sizeof(buf);
    return 0;
}

int mext_iam_verify(const uint8_t *in, size_t n,
                    const uint8_t nonce[MEXT_NONCE_LEN], struct mext_iam *r_r)
{
    uint8_t purpose[MEXT_PURPOSE_LEN], got[MEXT_NONCE_LEN];
    const uint8_t *sig;
    struct mext_iam r = { .n = MEXT_IAM_KEYS };
    struct mext_buf b;

    if (n != MEXT_IAM_LEN)
        return MEXT_ERR_FORMAT;
    sig = in + SIGNED_LEN;
    mext_buf_init(&b, (uint8_t *)in, SIGNED_LEN);
    mext_get(&b, purpose, sizeof(purpose));
    mext_get(&b, got, sizeof(got));
    for (unsigned i = 0; i < MEXT_IAM_KEYS; i++)
        mext_get(&b, r.key[i], MEXT_KEY_LEN);
    if (memcmp(purpose, iam_purpose, sizeof(purpose)))
        return MEXT_ERR_FORMAT;
    if (!memcmp(r.key[1], zeros, MEXT_KEY_LEN)) {
        r.n = 1;
        if (memcmp(sig + MEXT_SIG_LEN, zeros, MEXT_SIG_LEN))
            return MEXT_ERR_FORMAT;
    }
    if (memcmp(got, nonce, sizeof(got)))
        return MEXT_ERR_AUTH;
    for (unsigned i = 0; i < r.n; i++)
        if (crypto_sign_ed25519_verify_detached(sig + i * MEXT_SIG_LEN, in,
                                                SIGNED_LEN, r.key[i]))
            return MEXT_ERR_AUTH;
    *r_r = r;
    return 0;
}
