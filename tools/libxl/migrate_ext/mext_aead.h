/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * ChaCha20-Poly1305 (RFC 8439) as one library or another does it: all do the
 * same, some are faster on one machine, some on another.  mstrap has libsodium's.
 */
#ifndef MEXT_AEAD_H
#define MEXT_AEAD_H

#include "mext_codec.h"

#define MEXT_AEAD_NONCE 12
#define MEXT_AEAD_KEY   32

/* With which nad octets at ad are authenticated, too; NULL and 0: none. */
struct mext_aead {
    const char *name;
    /*
     * Seals the n octets at in into as many at out, the same or apart from them,
     * and the tag.  0, or MEXT_ERR_LIB: nothing of out or tag may be used.
     */
    int (*seal)(uint8_t *out, uint8_t tag[MEXT_TAG_LEN], const uint8_t *in,
                size_t n, const uint8_t *ad, size_t nad,
                const uint8_t nonce[MEXT_AEAD_NONCE],
                const uint8_t key[MEXT_AEAD_KEY]);
    /*
     * Opens n octets in place.  0; MEXT_ERR_AUTH or MEXT_ERR_LIB, and there is no
     * plaintext of them at p.
     */
    int (*open)(uint8_t *p, size_t n, const uint8_t tag[MEXT_TAG_LEN],
                const uint8_t *ad, size_t nad,
                const uint8_t nonce[MEXT_AEAD_NONCE],
                const uint8_t key[MEXT_AEAD_KEY]);
};

/* mext_seal.c */
extern const struct mext_aead mext_aead_sodium;

/*
 * OpenSSL's, on hosts (mext_aead_openssl.c); NULL if it has no such cipher.  What it
 * needs for a thread it keeps until that ends; that of the thread that calls this
 * is there then, for who goes to jail.
 */
const struct mext_aead *mext_aead_openssl(void);

#endif
