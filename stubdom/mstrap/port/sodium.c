/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for the parts of libsodium that want an operating system, so
 * that its archive is asked for primitives only; and chooses among the
 * variants of those for this CPU, which sodium_init would do.
 */
#include <string.h>

#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include "../entropy.h"
#include "sodium.h"

/* In libsodium's archive; its own headers for them are not installed. */
int _sodium_runtime_get_cpu_features(void);
int _crypto_onetimeauth_poly1305_pick_best_implementation(void);
int _crypto_stream_chacha20_pick_best_implementation(void);

_Noreturn void sodium_misuse(void);
_Noreturn void sodium_misuse(void)
{
    ms_fail("libsodium was misused");
}

void ms_sodium_init(void)
{
    _sodium_runtime_get_cpu_features();
    _crypto_onetimeauth_poly1305_pick_best_implementation();
    _crypto_stream_chacha20_pick_best_implementation();
}

/*
 * Variants that are never chosen: AVX stays off, since the guest's vCPU
 * context does not say what mstrap left in those registers; and BLAKE2b and
 * X25519 are used a few times only. Without these names the archive would
 * link them all in.
 */
const void *const crypto_stream_chacha20_dolbeau_avx2_implementation[8];
const void *const crypto_scalarmult_curve25519_sandy2x_implementation[8];

#define NEVER_CHOSEN(name) \
    _Noreturn void name(void); \
    _Noreturn void name(void) { sodium_misuse(); }

NEVER_CHOSEN(blake2b_compress_avx2)
NEVER_CHOSEN(blake2b_compress_sse41)
NEVER_CHOSEN(blake2b_compress_ssse3)

void sodium_memzero(void *const bytes, const size_t n)
{
    memset(bytes, 0, n);
    ms_barrier();
}

int sodium_is_zero(const unsigned char *bytes, const size_t n)
{
    volatile unsigned char any = 0;

    for (size_t i = 0; i < n; i++)
        any |= bytes[i];
    return !any;
}

void randombytes_buf(void *const bytes, const size_t n)
{
    ms_random(bytes, n);
}

_Noreturn void __assert_fail(const char *expression, const char *file,
                             unsigned line, const char *function);
_Noreturn void __assert_fail(const char *expression, const char *file,
                             unsigned line, const char *function)
{
    ms_fail("assertion: %s", expression);
}
