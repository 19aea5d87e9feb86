/* SPDX-License-Identifier: LGPL-2.1-only */
#include <pthread.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "mext_aead.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context;
static EVP_CIPHER *cipher; /* NULL: not to be had */

static void forget(void *ctx)
{
    EVP_CIPHER_CTX_free(ctx);
}

/* The operator's configuration of OpenSSL is for other programs. */
static void prepare(void)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
        !pthread_key_create(&context, forget))
        cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
}

/* This thread's; NULL: out of memory. */
static EVP_CIPHER_CTX *own_context(void)
{
    EVP_CIPHER_CTX *ctx = pthread_getspecific(context);

    if (ctx)
        return ctx;
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx || EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, 1, NULL) != 1 ||
        pthread_setspecific(context, ctx)) {
        EVP_CIPHER_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* All that can fail but the tag; NULL if it does. */
static EVP_CIPHER_CTX *pass(bool seals, uint8_t *out, const uint8_t *in,
                            size_t n, const uint8_t *ad, size_t nad,
                            const uint8_t *nonce, const uint8_t *key)
{
    EVP_CIPHER_CTX *ctx = own_context();
    int len;

    return ctx && EVP_CipherInit_ex2(ctx, NULL, key, nonce, seals, NULL) == 1 &&
                   (!nad ||
                    EVP_CipherUpdate(ctx, NULL, &len, ad, (int)nad) == 1) &&
                   EVP_CipherUpdate(ctx, out, &len, in, (int)n) == 1
               ? ctx
               : NULL;
}

static int openssl_seal(uint8_t *out, uint8_t tag[MEXT_TAG_LEN],
                        const uint8_t *in, size_t n, const uint8_t *ad,
                        size_t nad, const uint8_t nonce[MEXT_AEAD_NONCE],
                        const uint8_t key[MEXT_AEAD_KEY])
{
    EVP_CIPHER_CTX *ctx = pass(true, out, in, n, ad, nad, nonce, key);
    int len;

    return ctx && EVP_CipherFinal_ex(ctx, out + n, &len) == 1 &&
                   EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, MEXT_TAG_LEN,
                                       tag) == 1
               ? 0
               : MEXT_ERR_LIB;
}

/* It decrypts before it has seen that the tag is right. */
static int openssl_open(uint8_t *p, size_t n, const uint8_t tag[MEXT_TAG_LEN],
                        const uint8_t *ad, size_t nad,
                        const uint8_t nonce[MEXT_AEAD_NONCE],
                        const uint8_t key[MEXT_AEAD_KEY])
{
    EVP_CIPHER_CTX *ctx = pass(false, p, p, n, ad, nad, nonce, key);
    int len, rc = MEXT_ERR_LIB;

    if (ctx && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, MEXT_TAG_LEN,
                                   (void *)tag) == 1)
        rc = EVP_CipherFinal_ex(ctx, p + n, &len) == 1 ? 0 : MEXT_ERR_AUTH;
    if (rc)
        OPENSSL_cleanse(p, n);
    return rc;
}

static const struct mext_aead openssl = {
    .name = "OpenSSL",
    .seal = openssl_seal,
    .open = openssl_open,
};

const struct mext_aead *mext_aead_openssl(void)
{
    pthread_once(&once, prepare);
    return cipher && own_context() ? &openssl : NULL;
}
