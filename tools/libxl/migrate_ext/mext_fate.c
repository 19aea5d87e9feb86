/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_fate.h"

/* Where the audience stands in a question. */
#define AT_AUDIENCE (MEXT_PURPOSE_LEN + MEXT_ID_LEN + MEXT_NONCE_LEN)

/* Who forges the sender of a datagram gains nothing by the answer. */
_Static_assert(MEXT_FATE_LEN <= MEXT_QUERY_LEN, "");
/* packetd tells datagrams apart by their size. */
_Static_assert(MEXT_QUERY_LEN != MEXT_TOKEN_LEN, "");
_Static_assert(MEXT_QUERY_LEN != MEXT_WHOIS_LEN, "");

static const uint8_t query_purpose[MEXT_PURPOSE_LEN] = MEXT_QUERY_PURPOSE;
static const uint8_t fate_purpose[MEXT_PURPOSE_LEN] = MEXT_FATE_PURPOSE;

/* ---- query ---- */

int mext_query_sign(const struct mext_query *q,
                    const struct mext_identity *self,
                    uint8_t out[MEXT_QUERY_LEN])
{
    uint8_t buf[MEXT_QUERY_LEN];
    struct mext_buf b;

    if (memcmp(self->pk, q->source, MEXT_KEY_LEN))
        return MEXT_ERR_AUTH;
    mext_buf_init(&b, buf, sizeof(buf));
    mext_put(&b, query_purpose, sizeof(query_purpose));
    mext_put(&b, q->id, sizeof(q->id));
    mext_put(&b, q->nonce, sizeof(q->nonce));
    mext_put(&b, q->audience, sizeof(q->audience));
    mext_put(&b, q->source, sizeof(q->source));
    return mext_object_sign(&b, self, out);
}

static int query_parse(const uint8_t *in, size_t n, struct mext_query *q)
{
    struct mext_buf b;

    if (n != MEXT_QUERY_LEN || memcmp(in, query_purpose, MEXT_PURPOSE_LEN))
        return MEXT_ERR_FORMAT;
    mext_buf_init(&b, (uint8_t *)in, n);
    mext_view(&b, MEXT_PURPOSE_LEN);
    mext_get(&b, q->id, sizeof(q->id));
    mext_get(&b, q->nonce, sizeof(q->nonce));
    mext_get(&b, q->audience, sizeof(q->audience));
    mext_get(&b, q->source, sizeof(q->source));
    mext_view(&b, MEXT_SIG_LEN);
    return mext_buf_end(&b);
}

int mext_query_verify(const uint8_t *in, size_t n, struct mext_query *q_r)
{
    struct mext_query q;
    int rc = query_parse(in, n, &q);

    if (rc)
        return rc;
    if (!mext_object_signed_by(in, n, q.source))
        return MEXT_ERR_AUTH;
    *q_r = q;
    return 0;
}

int mext_query_judge(const uint8_t *in, size_t n,
                     const uint8_t self[MEXT_KEY_LEN], mext_trusts_fn *trusts,
                     void *arg, struct mext_query *q_r)
{
    struct mext_query q;

    if (query_parse(in, n, &q))
        return MEXT_E_MALFORMED;
    if (memcmp(q.audience, self, MEXT_KEY_LEN))
        return MEXT_E_AUDIENCE;
    if (!trusts(arg, q.source))
        return MEXT_E_UNTRUSTED;
    return mext_query_verify(in, n, q_r) ? MEXT_E_SIGNATURE : 0;
}

/* ---- fate ---- */

static bool fate_ok(const struct mext_fate *f)
{
    if (f->fate < MEXT_FATE_PENDING || f->fate > MEXT_FATE_UNKNOWN)
        return false;
    if (f->fate != MEXT_FATE_RUNNING)
        return !f->domid;
    return f->domid <= MEXT_DOMID_MAX;
}

int mext_fate_sign(const struct mext_fate *f,
                   const uint8_t query[MEXT_QUERY_LEN],
                   const struct mext_identity *self, uint8_t out[MEXT_FATE_LEN])
{
    static const uint8_t reserved[3];
    uint8_t buf[MEXT_FATE_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_buf b;

    if (memcmp(self->pk, query + AT_AUDIENCE, MEXT_KEY_LEN))
        return MEXT_ERR_AUTH;
    if (!fate_ok(f))
        return MEXT_ERR_LIMIT;
    mext_digest(query, MEXT_QUERY_LEN, digest);
    mext_buf_init(&b, buf, sizeof(buf));
    mext_put(&b, fate_purpose, sizeof(fate_purpose));
    mext_put(&b, digest, sizeof(digest));
    mext_put(&b, self->pk, sizeof(self->pk));
    mext_put8(&b, f->fate);
    mext_put(&b, reserved, sizeof(reserved));
    mext_put32(&b, f->domid);
    return mext_object_sign(&b, self, out);
}

int mext_fate_verify(const uint8_t *in, size_t n,
                     const uint8_t query[MEXT_QUERY_LEN], struct mext_fate *f_r)
{
    const uint8_t *audience = query + AT_AUDIENCE, *digest, *key;
    uint8_t want[MEXT_DIGEST_LEN], reserved[3];
    struct mext_fate f;
    struct mext_buf b;

    if (n != MEXT_FATE_LEN || memcmp(in, fate_purpose, MEXT_PURPOSE_LEN))
        return MEXT_ERR_FORMAT;
    mext_buf_init(&b, (uint8_t *)in, n);
    mext_view(&b, MEXT_PURPOSE_LEN);
    digest = mext_view(&b, MEXT_DIGEST_LEN);
    key = mext_view(&b, MEXT_KEY_LEN);
    f.fate = mext_get8(&b);
    mext_get(&b, reserved, sizeof(reserved));
    f.domid = mext_get32(&b);
    mext_digest(query, MEXT_QUERY_LEN, want);
    if (memcmp(key, audience, MEXT_KEY_LEN) ||
        !mext_object_signed_by(in, n, audience) ||
        memcmp(digest, want, sizeof(want)))
        return MEXT_ERR_AUTH;
    if (reserved[0] || reserved[1] || reserved[2])
        return MEXT_ERR_FORMAT;
    if (!fate_ok(&f))
        return MEXT_ERR_LIMIT;
    *f_r = f;
    return 0;
}
