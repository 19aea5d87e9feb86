/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <sodium/crypto_aead_chacha20poly1305.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_scalarmult_curve25519.h>
#include <sodium/utils.h>

#include "mext_seal.h"

_Static_assert(crypto_aead_chacha20poly1305_IETF_ABYTES == MEXT_TAG_LEN, "");
_Static_assert(crypto_aead_chacha20poly1305_IETF_KEYBYTES == MEXT_AEAD_KEY, "");
_Static_assert(crypto_aead_chacha20poly1305_IETF_NPUBBYTES == MEXT_AEAD_NONCE,
               "");

static int sodium_seal(uint8_t *out, uint8_t tag[MEXT_TAG_LEN],
                       const uint8_t *in, size_t n, const uint8_t *ad,
                       size_t nad, const uint8_t nonce[MEXT_AEAD_NONCE],
                       const uint8_t key[MEXT_AEAD_KEY])
{
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        out, tag, NULL, in, n, ad, nad, NULL, nonce, key);
    return 0;
}

static int sodium_open(uint8_t *p, size_t n, const uint8_t tag[MEXT_TAG_LEN],
                       const uint8_t *ad, size_t nad,
                       const uint8_t nonce[MEXT_AEAD_NONCE],
                       const uint8_t key[MEXT_AEAD_KEY])
{
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
               p, NULL, p, n, tag, ad, nad, nonce, key)
               ? MEXT_ERR_AUTH
               : 0;
}

const struct mext_aead mext_aead_sodium = {
    .name = "libsodium",
    .seal = sodium_seal,
    .open = sodium_open,
};

static const struct mext_aead *aead = &mext_aead_sodium;

void mext_seal_by(const struct mext_aead *a)
{
    aead = a;
}

void mext_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

int mext_root_derive(struct mext_root *r, const char *label,
                     const uint8_t secret[32], const uint8_t peer_pk[32],
                     const uint8_t digest[MEXT_DIGEST_LEN],
                     const uint8_t source_pk[32], const uint8_t dest_pk[32])
{
    crypto_generichash_blake2b_state st;
    uint8_t shared[32];

    if (crypto_scalarmult_curve25519(shared, secret, peer_pk))
        return MEXT_ERR_LIB;
    crypto_generichash_blake2b_init(&st, shared, sizeof(shared),
                                    sizeof(r->key));
    crypto_generichash_blake2b_update(&st, (const uint8_t *)label,
                                      strlen(label));
    crypto_generichash_blake2b_update(&st, digest, MEXT_DIGEST_LEN);
    crypto_generichash_blake2b_update(&st, source_pk, 32);
    crypto_generichash_blake2b_update(&st, dest_pk, 32);
    crypto_generichash_blake2b_final(&st, r->key, sizeof(r->key));
    mext_wipe(shared, sizeof(shared));
    mext_wipe(&st, sizeof(st));
    return 0;
}

void mext_seal_init(struct mext_seal *s, const struct mext_root *r, uint8_t dir,
                    uint16_t index)
{
    uint8_t info[3] = { dir, (uint8_t)(index >> 8), (uint8_t)index };

    crypto_generichash_blake2b(s->key, sizeof(s->key), info, sizeof(info),
                               r->key, sizeof(r->key));
    s->counter = 0;
}

/* Nonce of the next object, if the key may have one more. */
static int next_nonce(struct mext_seal *s, uint8_t nonce[MEXT_AEAD_NONCE])
{
    if (s->counter >= MEXT_OBJECTS_MAX)
        return MEXT_ERR_LIMIT;
    memset(nonce, 0, 4);
    mext_store64(nonce + 4, s->counter++);
    return 0;
}

/* Whoever forges has one try: the key opens nothing any more. */
static int opened(struct mext_seal *s, int rc)
{
    if (rc)
        s->counter = MEXT_OBJECTS_MAX;
    return rc;
}

int mext_frame_seal(struct mext_seal *s, uint8_t *frame, size_t n, size_t max,
                    size_t *len_r)
{
    uint8_t nonce[MEXT_AEAD_NONCE], *body = frame + MEXT_FRAME_HDR_LEN;

    if (!n || n + MEXT_TAG_LEN > max || next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    mext_store32(frame, (uint32_t)(n + MEXT_TAG_LEN));
    *len_r = MEXT_FRAME_HDR_LEN + n + MEXT_TAG_LEN;
    return aead->seal(body, body + n, body, n, frame, MEXT_FRAME_HDR_LEN, nonce,
                      s->key);
}

int mext_frame_len(const uint8_t hdr[MEXT_FRAME_HDR_LEN], size_t max)
{
    uint32_t len = mext_load32(hdr);

    if (len <= MEXT_TAG_LEN || len > max)
        return MEXT_ERR_LIMIT;
    return (int)len;
}

int mext_frame_open(struct mext_seal *s, uint8_t *body, size_t len)
{
    uint8_t nonce[MEXT_AEAD_NONCE], hdr[MEXT_FRAME_HDR_LEN];
    size_t n = len - MEXT_TAG_LEN;

    if (len <= MEXT_TAG_LEN || next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    mext_store32(hdr, (uint32_t)len);
    return opened(
        s, aead->open(body, n, body + n, hdr, sizeof(hdr), nonce, s->key));
}

int mext_page_seal(struct mext_seal *s, uint8_t *dst, const uint8_t *src,
                   size_t n)
{
    uint8_t nonce[MEXT_AEAD_NONCE];

    if (next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    return aead->seal(dst, dst + n, src, n, NULL, 0, nonce, s->key);
}

int mext_page_open(struct mext_seal *s, uint8_t *page, size_t n,
                   const uint8_t tag[MEXT_TAG_LEN])
{
    uint8_t nonce[MEXT_AEAD_NONCE];

    if (next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    return opened(s, aead->open(page, n, tag, NULL, 0, nonce, s->key));
}
