/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Who are you" and its answer: what is answered is answered so that whoever
 * asked takes it, and with no more octets; of answers by these keys to this
 * question nothing but the two is taken.  So that the checks behind the
 * signatures are reached, an input of an answer's size is also tried after it
 * was signed.
 */
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "whois";
const size_t fuzz_mutations = 300000;

enum { AT_NONCE = 24, AT_HOST = 56, AT_NEXT = 88, AT_SIGNATURES = 120 };

static struct mext_identity ids[MEXT_IAM_KEYS];

static void try_answer(const uint8_t *data, size_t size)
{
    uint8_t out[MEXT_IAM_LEN];
    struct mext_iam r;
    size_t n;

    for (unsigned nids = 1; nids <= MEXT_IAM_KEYS; nids++) {
        if (mext_whois_answer(data, size, ids, nids, out, &n))
            continue;
        FUZZ_CHECK(size == MEXT_WHOIS_LEN && n <= size);
        FUZZ_CHECK(!mext_iam_verify(out, n, data + AT_NONCE, &r));
        FUZZ_CHECK(r.n == nids);
    }
}

/* Whatever it says, if it is signed, it is taken as it stands or not at all. */
static void try_signed(const uint8_t *data)
{
    uint8_t bytes[MEXT_IAM_LEN];
    struct mext_iam r;

    memcpy(bytes, data, sizeof(bytes));
    for (unsigned i = 0; i < MEXT_IAM_KEYS; i++)
        if (!i || !memcmp(bytes + AT_NEXT, ids[1].pk, MEXT_KEY_LEN))
            crypto_sign_ed25519_detached(bytes + AT_SIGNATURES +
                                             i * MEXT_SIG_LEN,
                                         NULL, bytes, AT_SIGNATURES, ids[i].sk);
    if (mext_iam_verify(bytes, sizeof(bytes), bytes + AT_NONCE, &r))
        return;
    for (unsigned i = 0; i < r.n; i++) {
        FUZZ_CHECK(!memcmp(r.key[i], ids[i].pk, MEXT_KEY_LEN));
        FUZZ_CHECK(!memcmp(r.key[i], bytes + AT_HOST + i * MEXT_KEY_LEN,
                           MEXT_KEY_LEN));
    }
}

/* The stand-in for signatures can be forged, so it is no proof of anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t good[MEXT_IAM_KEYS][MEXT_IAM_LEN];
    bool genuine = fuzz_genuine(data, size, 256);
    uint8_t nonce[MEXT_NONCE_LEN];
    struct mext_iam r;

    if (!ids[0].pk[0]) {
        fix_identity(&ids[0], FIX_DEST);
        fix_identity(&ids[1], FIX_NEXT);
    }
    fix_nonce(nonce);
    if (genuine && !good[0][0]) {
        fix_iam_bytes(false, good[0]);
        fix_iam_bytes(true, good[1]);
    }
    if (!mext_iam_verify(data, size, nonce, &r) && genuine)
        FUZZ_CHECK(!memcmp(data, good[r.n - 1], MEXT_IAM_LEN));
    try_answer(data, size);
    if (size == MEXT_IAM_LEN)
        try_signed(data);
    return 0;
}
