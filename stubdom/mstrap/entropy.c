/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random bytes: BLAKE2b of a counter, under a key that each call replaces, so
 * that nobody who finds the key later can tell what came before.
 */
#include <string.h>

#include <cpuid.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/utils.h>

#include "entropy.h"
#include "text.h"
#include "xen/clock.h"
#include "xen/xenstore.h"

#define SEED_NODE    "mstrap/seed"
#define SEED_LEN     32
#define RDRAND_TRIES 10

static uint8_t key[32];
static uint64_t counter;

static bool has_rdrand(void)
{
    uint32_t a, b, c, d;

    __cpuid(1, a, b, c, d);
    return c & bit_RDRND;
}

static bool rdrand(uint64_t *value_r)
{
    for (unsigned i = 0; i < RDRAND_TRIES; i++) {
        uint8_t ok;

        __asm__ volatile("rdrand %0; setc %1"
                         : "=r"(*value_r), "=qm"(ok)
                         :
                         : "cc");
        if (ok)
            return true;
    }
    return false;
}

static bool mix_seed_node(crypto_generichash_blake2b_state *state)
{
    char text[2 * SEED_LEN + 1];
    uint8_t seed[SEED_LEN];
    int length = ms_xs_read(SEED_NODE, text, sizeof(text));
    bool found = length > 0 &&
                 ms_hex_decode(seed, text, (size_t)length, sizeof(seed));

    if (found)
        crypto_generichash_blake2b_update(state, seed, sizeof(seed));
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return found;
}

static bool mix_rdrand(crypto_generichash_blake2b_state *state)
{
    uint64_t words[SEED_LEN / 8];

    if (!has_rdrand())
        return false;
    for (unsigned i = 0; i < MS_COUNT(words); i++)
        if (!rdrand(&words[i]))
            return false;
    crypto_generichash_blake2b_update(state, (uint8_t *)words, sizeof(words));
    sodium_memzero(words, sizeof(words));
    return true;
}

bool ms_entropy_init(void)
{
    crypto_generichash_blake2b_state state;
    uint64_t tsc = ms_tsc();
    bool seeded, hardware;

    crypto_generichash_blake2b_init(&state, NULL, 0, sizeof(key));
    seeded = mix_seed_node(&state);
    hardware = mix_rdrand(&state);
    crypto_generichash_blake2b_update(&state, (uint8_t *)&tsc, sizeof(tsc));
    crypto_generichash_blake2b_final(&state, key, sizeof(key));
    sodium_memzero(&state, sizeof(state));
    return seeded || hardware;
}

static void next_block(uint8_t block[32])
{
    counter++;
    crypto_generichash_blake2b(block, 32, (uint8_t *)&counter, sizeof(counter),
                               key, sizeof(key));
}

void ms_random(void *out, size_t bytes)
{
    uint8_t *at = out, block[32];

    while (bytes) {
        size_t n = bytes < sizeof(block) ? bytes : sizeof(block);

        next_block(block);
        memcpy(at, block, n);
        at += n;
        bytes -= n;
    }
    next_block(block);
    memcpy(key, block, sizeof(key));
    sodium_memzero(block, sizeof(block));
}

void ms_entropy_forget(void)
{
    sodium_memzero(key, sizeof(key));
}
