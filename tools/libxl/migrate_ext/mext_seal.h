/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Session keys and sealed frames (docs/specs/transport.md, "Keys" and
 * "Frames").  Composes libsodium's X25519 and BLAKE2b (RFC 7748, RFC 7693) and
 * ChaCha20-Poly1305 (RFC 8439), which on hosts may be another library's
 * (mext_aead.h); pure, and compiled into mstrap as it is.
 */
#ifndef MEXT_SEAL_H
#define MEXT_SEAL_H

#include "mext_aead.h"

/* From now on by that library; before threads are started. */
void mext_seal_by(const struct mext_aead *a);

/*
 * One direction of one connection.  Its key serves MEXT_OBJECTS_MAX objects;
 * then, and after the first that does not open, it serves no more.
 */
struct mext_seal {
    uint8_t key[MEXT_AEAD_KEY];
    uint64_t counter; /* of the next sealed object */
};

/* Root of a session's keys; wipe with mext_wipe when done. */
struct mext_root {
    uint8_t key[64];
};

/*
 * Derives the root from our secret and the peer's public X25519 key.
 * label: MEXT_KDF_DATA or MEXT_KDF_CONTROL.  digest: BLAKE2b-256 of the
 * token.  source_pk, dest_pk: both public keys, in this order on either side.
 * MEXT_ERR_LIB if the peer's key is a low-order point.
 */
int mext_root_derive(struct mext_root *r, const char *label,
                     const uint8_t secret[32], const uint8_t peer_pk[32],
                     const uint8_t digest[MEXT_DIGEST_LEN],
                     const uint8_t source_pk[32], const uint8_t dest_pk[32]);

/* Key of one direction (MEXT_DIR_*) of connection `index`; counter 0. */
void mext_seal_init(struct mext_seal *s, const struct mext_root *r, uint8_t dir,
                    uint16_t index);

/*
 * Seals a frame in place.  frame holds MEXT_FRAME_HDR_LEN bytes of room, then
 * n bytes of body, then room for MEXT_TAG_LEN; returns the whole length in
 * *len_r.  MEXT_ERR_LIMIT if n + tag exceeds max (MEXT_*_BODY_MAX), or if the
 * key is used up (this and the next three); MEXT_ERR_LIB (the same).
 */
int mext_frame_seal(struct mext_seal *s, uint8_t *frame, size_t n, size_t max,
                    size_t *len_r);

/*
 * Opens in place the `len` sealed bytes at body (the number read from the
 * 4-byte header, already checked by mext_frame_len).  The plaintext is
 * body[0 .. len - MEXT_TAG_LEN).  MEXT_ERR_AUTH.
 */
int mext_frame_open(struct mext_seal *s, uint8_t *body, size_t len);

/* Length field of a frame, or MEXT_ERR_LIMIT (out of tag + 1 .. max). */
int mext_frame_len(const uint8_t hdr[MEXT_FRAME_HDR_LEN], size_t max);

/* Seals a page's n bytes: dst[n + 16] from src[n]; may not overlap. */
int mext_page_seal(struct mext_seal *s, uint8_t *dst, const uint8_t *src,
                   size_t n);

/* Opens a page's n bytes in place with their detached tag; MEXT_ERR_AUTH. */
int mext_page_open(struct mext_seal *s, uint8_t *page, size_t n,
                   const uint8_t tag[MEXT_TAG_LEN]);

void mext_wipe(void *p, size_t n);

#endif
