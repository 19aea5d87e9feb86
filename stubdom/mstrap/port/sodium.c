/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for the parts of libsodium that want an operating system, so
 * that its archive is asked for primitives only, and chooses among the
 * variants of those by measuring: vector code is several times faster on
 * hardware, and slower where an emulator runs it.
 */
#include <string.h>

#include <cpuid.h>
#include <sodium/crypto_onetimeauth_poly1305.h>
#include <sodium/crypto_stream_chacha20.h>
#include <sodium/randombytes.h>
#include <sodium/runtime.h>
#include <sodium/utils.h>

#include "../entropy.h"
#include "../xen/clock.h"
#include "sodium.h"

#define ROUNDS 4

/* In libsodium's archive; its own headers for them are not installed. */
int _crypto_onetimeauth_poly1305_pick_best_implementation(void);
int _crypto_stream_chacha20_pick_best_implementation(void);

/* What libsodium may use: it asks when it picks an implementation. */
static bool use_ssse3, use_sse2;

int sodium_runtime_has_ssse3(void)
{
    return use_ssse3;
}

int sodium_runtime_has_sse2(void)
{
    return use_sse2;
}

/*
 * AVX stays off, since the guest's vCPU context does not say what mstrap left
 * in those registers.
 */
int sodium_runtime_has_avx(void)
{
    return 0;
}

int sodium_runtime_has_avx2(void)
{
    return 0;
}

int sodium_runtime_has_sse41(void)
{
    return 0;
}

_Noreturn void sodium_misuse(void);
_Noreturn void sodium_misuse(void)
{
    ms_fail("libsodium was misused");
}

/*
 * Variants that are never chosen: those for AVX, and of BLAKE2b, which is
 * used a few times only. Without these names the archive would link them in.
 */
const void *const crypto_stream_chacha20_dolbeau_avx2_implementation[8];
const void *const crypto_scalarmult_curve25519_sandy2x_implementation[8];

#define NEVER_CHOSEN(name) \
    _Noreturn void name(void); \
    _Noreturn void name(void) \
    { \
        sodium_misuse(); \
    }

NEVER_CHOSEN(blake2b_compress_avx2)
NEVER_CHOSEN(blake2b_compress_sse41)
NEVER_CHOSEN(blake2b_compress_ssse3)

/* Shortest time of some rounds of a primitive over a page, in TSC ticks. */
static uint64_t measure(void (*primitive)(uint8_t *page), uint8_t *page)
{
    uint64_t best = UINT64_MAX;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t ticks = ms_tsc();

        primitive(page);
        ticks = ms_tsc() - ticks;
        if (ticks < best)
            best = ticks;
    }
    return best;
}

static const uint8_t zero_key[32];

static void encrypt(uint8_t *page)
{
    crypto_stream_chacha20_ietf_xor(page, page, MS_PAGE_SIZE, zero_key,
                                    zero_key);
}

static void authenticate(uint8_t *page)
{
    uint8_t tag[crypto_onetimeauth_poly1305_BYTES];

    crypto_onetimeauth_poly1305(tag, page, MS_PAGE_SIZE, zero_key);
}

/* Has the vector variant if the CPU has it and it is faster. */
static void choose(bool *use, bool possible, int (*pick)(void),
                   void (*primitive)(uint8_t *page), uint8_t *page)
{
    uint64_t portable, vector;

    *use = false;
    pick();
    portable = measure(primitive, page);
    *use = possible;
    pick();
    vector = measure(primitive, page);
    if (portable < vector) {
        *use = false;
        pick();
    }
}

void ms_sodium_init(uint8_t *page)
{
    uint32_t a, b, c, d;

    __cpuid(1, a, b, c, d);
    choose(&use_ssse3, c & bit_SSSE3,
           _crypto_stream_chacha20_pick_best_implementation, encrypt, page);
    choose(&use_sse2, d & bit_SSE2,
           _crypto_onetimeauth_poly1305_pick_best_implementation, authenticate,
           page);
}

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
