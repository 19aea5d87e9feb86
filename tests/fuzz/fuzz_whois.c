/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "Who are you" and its answer: what is answered is answered so that whoever
 * asked takes it, and with no more octets; nothing but the answer is taken.
 * So that the checks behind the signatures are reached, an input of an
 * answer's size is also tried after it was signed.
 */
#include <string.h>

#include <sodium.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "whois";
const size_t fuzz_mutations = 10000;

enum { AT_NONCE = 24, AT_HOST = 56, AT_NEXT = 88, AT_SIGNATURES = 120 };

static void try_answer(const uint8_t *data, size_t size)
{
    uint8_t out[MEXT_IAM_LEN];
    struct mext_identity ids[MEXT_IAM_KEYS];
    struct mext_iam r;
    size_t n;

    fix_identity(&ids[0], FIX_DEST);
    fix_identity(&ids[1], FIX_NEXT);
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
    struct mext_identity ids[MEXT_IAM_KEYS];
    struct mext_iam r;

    fix_identity(&ids[0], FIX_DEST);
    fix_identity(&ids[1], FIX_NEXT);
    memcpy(bytes, data, sizeof(bytes));
    fix_resign(bytes, AT_SIGNATURES + MEXT_SIG_LEN, FIX_DEST);
    if (!sodium_is_zero(bytes + AT_NEXT, MEXT_KEY_LEN))
        crypto_sign_detached(bytes + AT_SIGNATURES + MEXT_SIG_LEN, NULL, bytes,
                             AT_SIGNATURES, ids[1].sk);
    if (mext_iam_verify(bytes, sizeof(bytes), bytes + AT_NONCE, &r))
        return;
    FUZZ_CHECK(!memcmp(r.key[0], ids[0].pk, MEXT_KEY_LEN));
    FUZZ_CHECK(!memcmp(r.key[0], bytes + AT_HOST, MEXT_KEY_LEN));
    FUZZ_CHECK(r.n == 1 || !memcmp(r.key[1], bytes + AT_NEXT, MEXT_KEY_LEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t good[2][MEXT_IAM_LEN];
    uint8_t nonce[MEXT_NONCE_LEN];
    struct mext_iam r;

    if (!good[0][0]) {
        fix_iam_bytes(false, good[0]);
        fix_iam_bytes(true, good[1]);
    }
    fix_nonce(nonce);
    if (!mext_iam_verify(data, size, nonce, &r))
        FUZZ_CHECK(!memcmp(data, good[r.n - 1], MEXT_IAM_LEN));
    try_answer(data, size);
    if (size == MEXT_IAM_LEN)
        try_signed(data);
    return 0;
}
