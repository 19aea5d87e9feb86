/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ed25519 takes longer than all that is looked for here, so most inputs meet a
 * keyed hash in its place: whoever has the public key can sign.  What comes
 * before and behind a signature is the product's in either case.
 */
#include <dlfcn.h>
#include <string.h>

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_sign_ed25519.h>

#include "fuzz.h"

#define PK_LEN crypto_sign_ed25519_PUBLICKEYBYTES

static bool genuine;

bool fuzz_genuine(const uint8_t *data, size_t size, unsigned one_in)
{
    uint32_t sum = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ data[i]) * 16777619u;
    genuine = sum % one_in == 0;
    return genuine;
}

static void cheap(unsigned char sig[crypto_sign_ed25519_BYTES],
                  const unsigned char *m, unsigned long long n,
                  const unsigned char pk[PK_LEN])
{
    crypto_generichash_blake2b(sig, crypto_sign_ed25519_BYTES, m, n, pk,
                               PK_LEN);
}

int crypto_sign_ed25519_detached(unsigned char *sig, unsigned long long *len_r,
                                 const unsigned char *m, unsigned long long n,
                                 const unsigned char *sk)
{
    static __typeof__(crypto_sign_ed25519_detached) *real;

    if (genuine && !real)
        *(void **)&real = dlsym(RTLD_NEXT, "crypto_sign_ed25519_detached");
    if (genuine)
        return real(sig, len_r, m, n, sk);
    cheap(sig, m, n, sk + PK_LEN); /* it is at the end of the secret key */
    return 0;
}

int crypto_sign_ed25519_verify_detached(const unsigned char *sig,
                                        const unsigned char *m,
                                        unsigned long long n,
                                        const unsigned char *pk)
{
    static __typeof__(crypto_sign_ed25519_verify_detached) *real;
    unsigned char want[crypto_sign_ed25519_BYTES];

    if (genuine && !real)
        *(void **)&real = dlsym(RTLD_NEXT,
                                "crypto_sign_ed25519_verify_detached");
    if (genuine)
        return real(sig, m, n, pk);
    cheap(want, m, n, pk);
    return memcmp(sig, want, sizeof(want)) ? -1 : 0;
}
