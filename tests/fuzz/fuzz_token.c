/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signed objects: nothing but the signed octets is ever accepted.  So that
 * the checks behind the signature are reached, an input of a token's size is
 * also tried after it was signed.
 */
#include <string.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "token";
const size_t fuzz_mutations = 10000;

static int verify(const uint8_t *in, size_t len, struct mext_token *t_r)
{
    struct mext_identity self;

    fix_identity(&self, FIX_DEST);
    return mext_token_verify(in, len, self.pk, FIX_NOW, fix_trusts, NULL, t_r);
}

static void check_limits(const struct mext_token *t)
{
    FUZZ_CHECK(t->expiry > FIX_NOW);
    FUZZ_CHECK(t->issued <= FIX_NOW + MEXT_CLOCK_SKEW);
    FUZZ_CHECK(t->expiry - t->issued <= MEXT_TOKEN_LIFETIME_MAX);
    FUZZ_CHECK(t->memory_kib >= MEXT_MEMORY_KIB_MIN);
    FUZZ_CHECK(t->memory_kib <= MEXT_MEMORY_KIB_MAX);
    FUZZ_CHECK(t->vcpus >= 1 && t->vcpus <= MEXT_VCPUS_MAX);
    FUZZ_CHECK(t->channels >= 1 && t->channels <= MEXT_CHANNELS_MAX);
    FUZZ_CHECK(t->port);
}

static void try_signed(const uint8_t *data)
{
    uint8_t bytes[MEXT_TOKEN_LEN], again[MEXT_TOKEN_LEN];
    struct mext_identity id;
    struct mext_token t;

    memcpy(bytes, data, sizeof(bytes));
    fix_resign(bytes, sizeof(bytes), FIX_SOURCE);
    if (verify(bytes, sizeof(bytes), &t))
        return;
    check_limits(&t);
    fix_identity(&id, FIX_SOURCE);
    FUZZ_CHECK(!mext_token_sign(&t, &id, again));
    FUZZ_CHECK(!memcmp(bytes, again, sizeof(bytes)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t token[MEXT_TOKEN_LEN], hello[MEXT_HELLO_LEN];
    static uint8_t receipt[MEXT_RECEIPT_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_receipt r;
    struct mext_token t;
    struct mext_hello h;

    if (!token[0]) {
        fix_token_bytes(token);
        fix_hello_bytes(hello);
        fix_receipt_bytes(receipt);
        mext_digest(token, sizeof(token), digest);
    }
    if (!verify(data, size, &t))
        FUZZ_CHECK(!memcmp(data, token, sizeof(token)));
    fix_token(&t);
    if (!mext_hello_verify(data, size, t.audience, digest, &h))
        FUZZ_CHECK(!memcmp(data, hello, sizeof(hello)));
    if (!mext_receipt_verify(data, size, &t, digest, &r))
        FUZZ_CHECK(!memcmp(data, receipt, sizeof(receipt)));
    if (size == MEXT_TOKEN_LEN)
        try_signed(data);
    return 0;
}
