/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tokens: nothing but the signed octets is ever accepted.  So that the checks
 * behind the signature are reached, an input of a token's size is also tried
 * after it was signed.
 */
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "token";
const size_t fuzz_mutations = 300000;

static struct mext_identity source, dest;

static bool trusts(void *arg, const uint8_t pk[MEXT_KEY_LEN])
{
    return !memcmp(pk, source.pk, MEXT_KEY_LEN);
}

static int verify(const uint8_t *in, size_t len, struct mext_token *t_r)
{
    return mext_token_verify(in, len, dest.pk, FIX_NOW, trusts, NULL, t_r);
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
    const size_t n = sizeof(bytes) - MEXT_SIG_LEN;
    struct mext_token t;

    memcpy(bytes, data, n);
    crypto_sign_ed25519_detached(bytes + n, NULL, bytes, n, source.sk);
    if (verify(bytes, sizeof(bytes), &t))
        return;
    check_limits(&t);
    FUZZ_CHECK(!mext_token_sign(&t, &source, again));
    FUZZ_CHECK(!memcmp(bytes, again, sizeof(bytes)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t token[2][MEXT_TOKEN_LEN];
    bool genuine = fuzz_genuine(data, size, 256);
    struct mext_token t;

    if (!token[genuine][0]) {
        fix_identity(&source, FIX_SOURCE);
        fix_identity(&dest, FIX_DEST);
        fix_token_bytes(token[genuine]);
    }
    if (!verify(data, size, &t))
        FUZZ_CHECK(!memcmp(data, token[genuine], size));
    if (size == MEXT_TOKEN_LEN)
        try_signed(data);
    return 0;
}
