/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <sodium/crypto_aead_chacha20poly1305.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_scalarmult_curve25519.h>
#include <sodium/utils.h>

#include "mext_seal.h"

#define NONCE_LEN crypto_aead_chacha20poly1305_IETF_NPUBBYTES

_Static_assert(crypto_aead_chacha20poly1305_IETF_ABYTES == MEXT_TAG_LEN, "");
_Static_assert(crypto_aead_chacha20poly1305_IETF_KEYBYTES == 32, "");
_Static_assert(NONCE_LEN == 12, "");

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
static int next_nonce(struct mext_seal *s, uint8_t nonce[NONCE_LEN])
{
    if (s->counter >= MEXT_OBJECTS_MAX)
        return MEXT_ERR_LIMIT;
    memset(nonce, 0, 4);
    mext_store64(nonce + 4, s->counter++);
    return 0;
}

/* Whoever forges has one try: the key opens nothing any more. */
static int forged(struct mext_seal *s)
{
    s->counter = MEXT_OBJECTS_MAX;
    return MEXT_ERR_AUTH;
}

int mext_frame_seal(struct mext_seal *s, uint8_t *frame, size_t n, size_t max,
                    size_t *len_r)
{
    uint8_t nonce[NONCE_LEN], *body = frame + MEXT_FRAME_HDR_LEN;

    if (!n || n + MEXT_TAG_LEN > max || next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    mext_store32(frame, (uint32_t)(n + MEXT_TAG_LEN));
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        body, body + n, NULL, body, n, frame, MEXT_FRAME_HDR_LEN, NULL, nonce,
        s->key);
    *len_r = MEXT_FRAME_HDR_LEN + n + MEXT_TAG_LEN;
    return 0;
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
    uint8_t nonce[NONCE_LEN], hdr[MEXT_FRAME_HDR_LEN];
    size_t n = len - MEXT_TAG_LEN;

    if (len <= MEXT_TAG_LEN || next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    mext_store32(hdr, (uint32_t)len);
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            body, NULL, body, n, body + n, hdr, sizeof(hdr), nonce, s->key))
        return forged(s);
    return 0;
}

int mext_page_seal(struct mext_seal *s, uint8_t *dst, const uint8_t *src,
                   size_t n)
{
    uint8_t nonce[NONCE_LEN];

    if (next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        dst, dst + n, NULL, src, n, NULL, 0, NULL, nonce, s->key);
    return 0;
}

int mext_page_open(struct mext_seal *s, uint8_t *page, size_t n,
                   const uint8_t tag[MEXT_TAG_LEN])
{
    uint8_t nonce[NONCE_LEN];

    if (next_nonce(s, nonce))
        return MEXT_ERR_LIMIT;
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            page, NULL, page, n, tag, NULL, 0, nonce, s->key))
        return forged(s);
    return 0;
}
