/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

#include "mext_token.h"

_Static_assert(crypto_sign_ed25519_BYTES == MEXT_SIG_LEN, "");
_Static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == MEXT_KEY_LEN, "");
_Static_assert(crypto_sign_ed25519_SECRETKEYBYTES ==
                   sizeof(((struct mext_identity *)0)->sk),
               "");
/* Who forges the sender of a datagram gains nothing by the answer. */
_Static_assert(MEXT_RECEIPT_LEN <= MEXT_TOKEN_LEN, "");
_Static_assert(sizeof(MEXT_TOKEN_PURPOSE) <= MEXT_PURPOSE_LEN, "");
_Static_assert(sizeof(MEXT_HELLO_PURPOSE) <= MEXT_PURPOSE_LEN, "");
_Static_assert(sizeof(MEXT_RECEIPT_PURPOSE) <= MEXT_PURPOSE_LEN, "");

void mext_digest(const void *p, size_t n, uint8_t out[MEXT_DIGEST_LEN])
{
    crypto_generichash_blake2b(out, MEXT_DIGEST_LEN, p, n, NULL, 0);
}

static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
    return !sodium_memcmp(a, b, n);
}

static bool zeros(const uint8_t *p, size_t n)
{
    return sodium_is_zero(p, n);
}

/* ---- what the three objects have in common ---- */

static void put_purpose(struct mext_buf *b, const char *purpose)
{
    uint8_t padded[MEXT_PURPOSE_LEN] = { 0 };

    memcpy(padded, purpose, strlen(purpose));
    mext_put(b, padded, sizeof(padded));
}

/* Puts the cursor behind the purpose, if size and purpose are right. */
static int open_object(struct mext_buf *b, const uint8_t *in, size_t len,
                       size_t want, const char *purpose)
{
    uint8_t padded[MEXT_PURPOSE_LEN] = { 0 };

    if (len != want)
        return MEXT_ERR_FORMAT;
    memcpy(padded, purpose, strlen(purpose));
    if (memcmp(in, padded, sizeof(padded)))
        return MEXT_ERR_FORMAT;
    mext_buf_init(b, (uint8_t *)in, len);
    mext_view(b, MEXT_PURPOSE_LEN);
    return 0;
}

int mext_object_sign(struct mext_buf *b, const struct mext_identity *who,
                     uint8_t *out)
{
    uint8_t sig[MEXT_SIG_LEN];
    int rc;

    if (crypto_sign_ed25519_detached(sig, NULL, b->p, b->pos, who->sk))
        return MEXT_ERR_LIB;
    mext_put(b, sig, sizeof(sig));
    rc = mext_buf_end(b);
    if (!rc)
        memcpy(out, b->p, b->len);
    return rc;
}

bool mext_object_signed_by(const uint8_t *object, size_t len,
                           const uint8_t pk[MEXT_KEY_LEN])
{
    size_t n = len - MEXT_SIG_LEN;

    return !crypto_sign_ed25519_verify_detached(object + n, object, n, pk);
}

/* ---- token ---- */

/* From the top bit down, ones and then zeros. */
static bool netmask_ok(uint32_t mask)
{
    return !(~mask & (~mask + 1));
}

/* What only mstrap has is not asked of another receiver. */
static bool receiver_ok(const struct mext_token *t)
{
    static const uint8_t any[MEXT_DIGEST_LEN];

    return t->receiver == MEXT_RECEIVER_MSTRAP ||
           (t->receiver == MEXT_RECEIVER_DOM0 && !t->ip &&
            same(t->image, any, sizeof(any)));
}

/* Every limit that needs neither a clock nor a key. */
static bool fields_ok(const struct mext_token *t)
{
    return t->expiry > t->issued &&
           t->expiry - t->issued <= MEXT_TOKEN_LIFETIME_MAX &&
           t->memory_kib >= MEXT_MEMORY_KIB_MIN &&
           t->memory_kib <= MEXT_MEMORY_KIB_MAX && t->vcpus &&
           t->vcpus <= MEXT_VCPUS_MAX && t->channels &&
           t->channels <= MEXT_CHANNELS_MAX && t->port &&
           netmask_ok(t->netmask) && (t->ip || (!t->netmask && !t->gateway)) &&
           receiver_ok(t);
}

static bool time_ok(const struct mext_token *t, uint64_t now)
{
    if (t->issued > now && t->issued - now > MEXT_CLOCK_SKEW)
        return false;
    return now < t->expiry;
}

int mext_token_sign(const struct mext_token *t, const struct mext_identity *who,
                    uint8_t out[MEXT_TOKEN_LEN])
{
    uint8_t buf[MEXT_TOKEN_LEN];
    struct mext_buf b;

    if (!same(who->pk, t->source, MEXT_KEY_LEN))
        return MEXT_ERR_AUTH;
    if (!fields_ok(t))
        return MEXT_ERR_LIMIT;
    mext_buf_init(&b, buf, sizeof(buf));
    put_purpose(&b, MEXT_TOKEN_PURPOSE);
    mext_put(&b, t->id, sizeof(t->id));
    mext_put64(&b, t->issued);
    mext_put64(&b, t->expiry);
    mext_put(&b, t->audience, sizeof(t->audience));
    mext_put(&b, t->source, sizeof(t->source));
    mext_put(&b, t->session, sizeof(t->session));
    mext_put(&b, t->image, sizeof(t->image));
    mext_put(&b, t->config, sizeof(t->config));
    mext_put64(&b, t->memory_kib);
    mext_put32(&b, t->vcpus);
    mext_put16(&b, t->channels);
    mext_put16(&b, t->port);
    mext_put32(&b, t->ip);
    mext_put32(&b, t->netmask);
    mext_put32(&b, t->gateway);
    mext_put32(&b, t->receiver);
    return mext_object_sign(&b, who, out);
}

static int token_parse(const uint8_t *in, size_t len, struct mext_token *t_r)
{
    struct mext_buf b;
    int rc = open_object(&b, in, len, MEXT_TOKEN_LEN, MEXT_TOKEN_PURPOSE);

    if (rc)
        return rc;
    mext_get(&b, t_r->id, sizeof(t_r->id));
    t_r->issued = mext_get64(&b);
    t_r->expiry = mext_get64(&b);
    mext_get(&b, t_r->audience, sizeof(t_r->audience));
    mext_get(&b, t_r->source, sizeof(t_r->source));
    mext_get(&b, t_r->session, sizeof(t_r->session));
    mext_get(&b, t_r->image, sizeof(t_r->image));
    mext_get(&b, t_r->config, sizeof(t_r->config));
    t_r->memory_kib = mext_get64(&b);
    t_r->vcpus = mext_get32(&b);
    t_r->channels = mext_get16(&b);
    t_r->port = mext_get16(&b);
    t_r->ip = mext_get32(&b);
    t_r->netmask = mext_get32(&b);
    t_r->gateway = mext_get32(&b);
    t_r->receiver = mext_get32(&b);
    mext_view(&b, MEXT_SIG_LEN);
    return mext_buf_end(&b);
}

int mext_token_parse(const uint8_t *in, size_t len, struct mext_token *t_r)
{
    struct mext_token t;
    int rc = token_parse(in, len, &t);

    if (!rc)
        *t_r = t;
    return rc;
}

int mext_token_verify(const uint8_t *in, size_t len,
                      const uint8_t self[MEXT_KEY_LEN], uint64_t now,
                      mext_trusts_fn *trusts, void *arg, struct mext_token *t_r)
{
    struct mext_token t;

    if (token_parse(in, len, &t))
        return MEXT_E_MALFORMED;
    if (!same(t.audience, self, MEXT_KEY_LEN))
        return MEXT_E_AUDIENCE;
    if (!trusts(arg, t.source))
        return MEXT_E_UNTRUSTED;
    if (!mext_object_signed_by(in, len, t.source))
        return MEXT_E_SIGNATURE;
    if (!fields_ok(&t))
        return MEXT_E_MALFORMED;
    if (!time_ok(&t, now))
        return MEXT_E_EXPIRED;
    *t_r = t;
    return 0;
}

/* ---- hello ---- */

int mext_hello_sign(const struct mext_hello *h, const struct mext_identity *who,
                    uint8_t out[MEXT_HELLO_LEN])
{
    uint8_t buf[MEXT_HELLO_LEN];
    struct mext_buf b;

    if (!same(who->pk, h->destination, MEXT_KEY_LEN))
        return MEXT_ERR_AUTH;
    mext_buf_init(&b, buf, sizeof(buf));
    put_purpose(&b, MEXT_HELLO_PURPOSE);
    mext_put(&b, h->token, sizeof(h->token));
    mext_put(&b, h->destination, sizeof(h->destination));
    mext_put(&b, h->session, sizeof(h->session));
    return mext_object_sign(&b, who, out);
}

int mext_hello_verify(const uint8_t *in, size_t len,
                      const uint8_t destination[MEXT_KEY_LEN],
                      const uint8_t token[MEXT_DIGEST_LEN],
                      struct mext_hello *h_r)
{
    struct mext_hello h;
    struct mext_buf b;

    if (open_object(&b, in, len, MEXT_HELLO_LEN, MEXT_HELLO_PURPOSE))
        return MEXT_E_MALFORMED;
    mext_get(&b, h.token, sizeof(h.token));
    mext_get(&b, h.destination, sizeof(h.destination));
    mext_get(&b, h.session, sizeof(h.session));
    mext_view(&b, MEXT_SIG_LEN);
    if (!same(h.destination, destination, MEXT_KEY_LEN))
        return MEXT_E_AUDIENCE;
    if (!mext_object_signed_by(in, len, destination))
        return MEXT_E_SIGNATURE;
    if (!same(h.token, token, MEXT_DIGEST_LEN))
        return MEXT_E_ANSWER;
    *h_r = h;
    return 0;
}

/* ---- receipt ---- */

/* Limits that do not depend on the token. */
static bool receipt_ok(const struct mext_receipt *r)
{
    return r->domid && r->domid <= MEXT_DOMID_MAX &&
           (r->attester == MEXT_ATTESTER_KEY ||
            r->attester == MEXT_ATTESTER_TPM);
}

/* Is the one who takes the memory where, and who, it must be? */
static bool takes_it(const struct mext_receipt *r, const struct mext_asked *a)
{
    const struct mext_token *t = a->token;

    if (t->receiver == MEXT_RECEIVER_DOM0)
        return !r->ip && same(r->session, a->hello, MEXT_KEY_LEN);
    return r->ip && (!t->ip || r->ip == t->ip);
}

static bool answers(const struct mext_receipt *r, const struct mext_asked *a)
{
    const struct mext_token *t = a->token;

    return same(r->token, a->digest, MEXT_DIGEST_LEN) &&
           same(r->id, t->id, MEXT_ID_LEN) && r->channels == t->channels &&
           r->port == t->port && takes_it(r, a);
}

int mext_receipt_sign(const struct mext_receipt *r,
                      const struct mext_identity *who,
                      uint8_t out[MEXT_RECEIPT_LEN])
{
    uint8_t buf[MEXT_RECEIPT_LEN];
    struct mext_buf b;

    if (!same(who->pk, r->destination, MEXT_KEY_LEN))
        return MEXT_ERR_AUTH;
    if (!receipt_ok(r))
        return MEXT_ERR_LIMIT;
    mext_buf_init(&b, buf, sizeof(buf));
    put_purpose(&b, MEXT_RECEIPT_PURPOSE);
    mext_put(&b, r->token, sizeof(r->token));
    mext_put(&b, r->id, sizeof(r->id));
    mext_put(&b, r->destination, sizeof(r->destination));
    mext_put(&b, r->measurement, sizeof(r->measurement));
    mext_put(&b, r->measurement2, sizeof(r->measurement2));
    mext_put(&b, r->session, sizeof(r->session));
    mext_put64(&b, r->issued);
    mext_put32(&b, r->ip);
    mext_put16(&b, r->port);
    mext_put16(&b, r->channels);
    mext_put32(&b, r->domid);
    mext_put16(&b, r->attester);
    mext_put16(&b, 0);
    return mext_object_sign(&b, who, out);
}

static int receipt_parse(const uint8_t *in, size_t len, struct mext_receipt *r,
                         uint16_t *reserved_r)
{
    struct mext_buf b;
    int rc = open_object(&b, in, len, MEXT_RECEIPT_LEN, MEXT_RECEIPT_PURPOSE);

    if (rc)
        return rc;
    mext_get(&b, r->token, sizeof(r->token));
    mext_get(&b, r->id, sizeof(r->id));
    mext_get(&b, r->destination, sizeof(r->destination));
    mext_get(&b, r->measurement, sizeof(r->measurement));
    mext_get(&b, r->measurement2, sizeof(r->measurement2));
    mext_get(&b, r->session, sizeof(r->session));
    r->issued = mext_get64(&b);
    r->ip = mext_get32(&b);
    r->port = mext_get16(&b);
    r->channels = mext_get16(&b);
    r->domid = mext_get32(&b);
    r->attester = mext_get16(&b);
    *reserved_r = mext_get16(&b);
    mext_view(&b, MEXT_SIG_LEN);
    return mext_buf_end(&b);
}

int mext_receipt_verify(const uint8_t *in, size_t len,
                        const struct mext_asked *asked,
                        struct mext_receipt *r_r)
{
    const struct mext_token *t = asked->token;
    struct mext_receipt r;
    uint16_t reserved;

    if (receipt_parse(in, len, &r, &reserved))
        return MEXT_E_MALFORMED;
    if (!same(r.destination, t->audience, MEXT_KEY_LEN))
        return MEXT_E_AUDIENCE;
    if (!mext_object_signed_by(in, len, t->audience))
        return MEXT_E_SIGNATURE;
    if (!answers(&r, asked))
        return MEXT_E_ANSWER;
    if (!receipt_ok(&r) || reserved)
        return MEXT_E_MALFORMED;
    if (!zeros(t->image, MEXT_DIGEST_LEN) &&
        !same(r.measurement, t->image, MEXT_DIGEST_LEN))
        return MEXT_E_IMAGE;
    *r_r = r;
    return 0;
}
