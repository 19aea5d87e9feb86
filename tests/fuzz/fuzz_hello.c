/* SPDX-License-Identifier: GPL-2.0-only */
/* Hellos: as fuzz_token; a signed one is for its token, or refused. */
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "hello";
const size_t fuzz_mutations = 300000;

static struct mext_identity dest;
static uint8_t digest[MEXT_DIGEST_LEN];

static void try_signed(const uint8_t *data)
{
    uint8_t bytes[MEXT_HELLO_LEN], again[MEXT_HELLO_LEN];
    const size_t n = sizeof(bytes) - MEXT_SIG_LEN;
    struct mext_hello h;

    memcpy(bytes, data, n);
    crypto_sign_ed25519_detached(bytes + n, NULL, bytes, n, dest.sk);
    if (mext_hello_verify(bytes, sizeof(bytes), dest.pk, digest, &h))
        return;
    FUZZ_CHECK(!memcmp(h.token, digest, sizeof(digest)));
    FUZZ_CHECK(!mext_hello_sign(&h, &dest, again));
    FUZZ_CHECK(!memcmp(bytes, again, sizeof(bytes)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t hello[2][MEXT_HELLO_LEN], digests[2][MEXT_DIGEST_LEN];
    bool genuine = fuzz_genuine(data, size, 256);
    struct mext_hello h;

    if (!hello[genuine][0]) {
        fix_identity(&dest, FIX_DEST);
        fix_hello_bytes(hello[genuine]);
        fix_digest(digests[genuine]);
    }
    memcpy(digest, digests[genuine], sizeof(digest));
    if (!mext_hello_verify(data, size, dest.pk, digest, &h))
        FUZZ_CHECK(!memcmp(data, hello[genuine], size));
    if (size == MEXT_HELLO_LEN)
        try_signed(data);
    return 0;
}
