/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "fixture.h"

void fix_identity(struct mext_identity *id_r, enum fix_who who)
{
    uint8_t seed[32];

    memset(seed, (int)who, sizeof(seed));
    crypto_sign_ed25519_seed_keypair(id_r->pk, id_r->sk, seed);
}

void fix_session(uint8_t sk_r[32], uint8_t pk_r[32], enum fix_who who)
{
    memset(sk_r, (int)who + 0x40, 32);
    crypto_scalarmult_curve25519_base(pk_r, sk_r);
}

void fix_token(struct mext_token *t_r)
{
    struct mext_identity id;
    uint8_t sk[32];

    memset(t_r, 0, sizeof(*t_r));
    memset(t_r->id, 0x11, sizeof(t_r->id));
    t_r->issued = FIX_NOW - 10;
    t_r->expiry = FIX_NOW + 290;
    fix_identity(&id, FIX_DEST);
    memcpy(t_r->audience, id.pk, sizeof(id.pk));
    fix_identity(&id, FIX_SOURCE);
    memcpy(t_r->source, id.pk, sizeof(id.pk));
    fix_session(sk, t_r->session, FIX_SOURCE);
    memset(t_r->image, 0x22, sizeof(t_r->image));
    memset(t_r->config, 0x33, sizeof(t_r->config));
    t_r->memory_kib = 524288;
    t_r->vcpus = 2;
    t_r->channels = 2;
    t_r->port = MEXT_DATA_PORT;
    t_r->ip = 0x0a000002;
    t_r->netmask = 0xffffff00;
    t_r->gateway = 0x0a000001;
}

void fix_token_bytes(uint8_t out[MEXT_TOKEN_LEN])
{
    struct mext_identity id;
    struct mext_token t;
    int rc;

    fix_token(&t);
    fix_identity(&id, FIX_SOURCE);
    rc = mext_token_sign(&t, &id, out);
    assert(!rc);
}

void fix_digest(uint8_t out[MEXT_DIGEST_LEN])
{
    uint8_t token[MEXT_TOKEN_LEN];

    fix_token_bytes(token);
    mext_digest(token, sizeof(token), out);
}

void fix_hello(struct mext_hello *h_r)
{
    struct mext_identity id;
    uint8_t sk[32];

    fix_identity(&id, FIX_DEST);
    fix_digest(h_r->token);
    memcpy(h_r->destination, id.pk, sizeof(id.pk));
    fix_session(sk, h_r->session, FIX_DEST);
}

void fix_hello_bytes(uint8_t out[MEXT_HELLO_LEN])
{
    struct mext_identity id;
    struct mext_hello h;
    int rc;

    fix_hello(&h);
    fix_identity(&id, FIX_DEST);
    rc = mext_hello_sign(&h, &id, out);
    assert(!rc);
}

void fix_receipt(struct mext_receipt *r_r)
{
    struct mext_identity id;
    struct mext_token t;
    uint8_t sk[32];

    memset(r_r, 0, sizeof(*r_r));
    fix_token(&t);
    fix_identity(&id, FIX_DEST);
    fix_digest(r_r->token);
    memcpy(r_r->id, t.id, sizeof(t.id));
    memcpy(r_r->destination, id.pk, sizeof(id.pk));
    memcpy(r_r->measurement, t.image, sizeof(t.image));
    memset(r_r->measurement2, 0x44, sizeof(r_r->measurement2));
    fix_session(sk, r_r->session, FIX_DEST);
    r_r->issued = FIX_NOW + 1;
    r_r->ip = t.ip;
    r_r->port = t.port;
    r_r->channels = t.channels;
    r_r->domid = 7;
    r_r->attester = MEXT_ATTESTER_KEY;
}

void fix_receipt_bytes(uint8_t out[MEXT_RECEIPT_LEN])
{
    struct mext_identity id;
    struct mext_receipt r;
    int rc;

    fix_receipt(&r);
    fix_identity(&id, FIX_DEST);
    rc = mext_receipt_sign(&r, &id, out);
    assert(!rc);
}

void fix_nonce(uint8_t out[MEXT_NONCE_LEN])
{
    memset(out, 0x44, MEXT_NONCE_LEN);
}

void fix_whois_bytes(uint8_t out[MEXT_WHOIS_LEN])
{
    uint8_t nonce[MEXT_NONCE_LEN];

    fix_nonce(nonce);
    mext_whois_make(nonce, out);
}

void fix_iam_bytes(bool next, uint8_t out[MEXT_IAM_LEN])
{
    uint8_t whois[MEXT_WHOIS_LEN];
    struct mext_identity ids[MEXT_IAM_KEYS];
    size_t n;
    int rc;

    fix_identity(&ids[0], FIX_DEST);
    fix_identity(&ids[1], FIX_NEXT);
    fix_whois_bytes(whois);
    rc = mext_whois_answer(whois, sizeof(whois), ids, next ? 2 : 1, out, &n);
    assert(!rc && n == MEXT_IAM_LEN);
}

void fix_query(struct mext_query *q_r)
{
    struct mext_token t;

    fix_token(&t);
    memcpy(q_r->id, t.id, sizeof(t.id));
    fix_nonce(q_r->nonce);
    memcpy(q_r->audience, t.audience, sizeof(t.audience));
    memcpy(q_r->source, t.source, sizeof(t.source));
}

void fix_query_bytes(uint8_t out[MEXT_QUERY_LEN])
{
    struct mext_identity id;
    struct mext_query q;
    int rc;

    fix_query(&q);
    fix_identity(&id, FIX_SOURCE);
    rc = mext_query_sign(&q, &id, out);
    assert(!rc);
}

void fix_fate(struct mext_fate *f_r)
{
    *f_r = (struct mext_fate){ .fate = MEXT_FATE_RUNNING, .domid = 7 };
}

void fix_fate_bytes(uint8_t out[MEXT_FATE_LEN])
{
    uint8_t query[MEXT_QUERY_LEN];
    struct mext_identity id;
    struct mext_fate f;
    int rc;

    fix_query_bytes(query);
    fix_fate(&f);
    fix_identity(&id, FIX_DEST);
    rc = mext_fate_sign(&f, query, &id, out);
    assert(!rc);
}

void fix_resign(uint8_t *object, size_t len, enum fix_who who)
{
    struct mext_identity id;
    size_t n = len - MEXT_SIG_LEN;

    fix_identity(&id, who);
    crypto_sign_ed25519_detached(object + n, NULL, object, n, id.sk);
}

bool fix_trusts(void *arg, const uint8_t pk[MEXT_KEY_LEN])
{
    struct mext_identity id;

    fix_identity(&id, FIX_SOURCE);
    return !memcmp(id.pk, pk, MEXT_KEY_LEN);
}

void fix_seal(struct mext_seal *s, enum fix_who own, const char *label,
              uint8_t dir, uint16_t index)
{
    uint8_t ssk[32], spk[32], dsk[32], dpk[32], digest[MEXT_DIGEST_LEN];
    struct mext_root root;
    int rc;

    fix_session(ssk, spk, FIX_SOURCE);
    fix_session(dsk, dpk, FIX_DEST);
    fix_digest(digest);
    rc = mext_root_derive(&root, label, own == FIX_SOURCE ? ssk : dsk,
                          own == FIX_SOURCE ? dpk : spk, digest, spk, dpk);
    assert(!rc);
    mext_seal_init(s, &root, dir, index);
}
