/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_token: one refusal for each reason, in the specification's order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"

static int verify(const uint8_t *in, size_t len, struct mext_token *t_r)
{
    struct mext_identity self;

    fix_identity(&self, FIX_DEST);
    return mext_token_verify(in, len, self.pk, FIX_NOW, fix_trusts, NULL, t_r);
}

static int hello_verify(const uint8_t *in, size_t len, struct mext_hello *h_r)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_identity id;

    fix_identity(&id, FIX_DEST);
    fix_digest(digest);
    return mext_hello_verify(in, len, id.pk, digest, h_r);
}

static int receipt_verify(const uint8_t *in, size_t len,
                          struct mext_receipt *r_r)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_token t;
    const struct mext_asked asked = { &t, digest, NULL };

    fix_token(&t);
    fix_digest(digest);
    return mext_receipt_verify(in, len, &asked, r_r);
}

static int query_judge(const uint8_t *in, size_t len, struct mext_query *q_r)
{
    struct mext_identity self;

    fix_identity(&self, FIX_DEST);
    return mext_query_judge(in, len, self.pk, fix_trusts, NULL, q_r);
}

static int fate_verify(const uint8_t *in, size_t len, struct mext_fate *f_r)
{
    uint8_t query[MEXT_QUERY_LEN];

    fix_query_bytes(query);
    return -mext_fate_verify(in, len, query, f_r);
}

/* The object as its reader judges it; out_r is any of the five structs. */
union object {
    struct mext_token t;
    struct mext_hello h;
    struct mext_receipt r;
    struct mext_query q;
    struct mext_fate f;
};

static int judge(unsigned kind, const uint8_t *in, size_t len,
                 union object *out_r)
{
    return kind == FIX_TOKEN     ? verify(in, len, &out_r->t)
           : kind == FIX_HELLO   ? hello_verify(in, len, &out_r->h)
           : kind == FIX_RECEIPT ? receipt_verify(in, len, &out_r->r)
           : kind == FIX_QUERY   ? query_judge(in, len, &out_r->q)
                                 : fate_verify(in, len, &out_r->f);
}

/* Of an answer about a fate less is told. */
static bool told(unsigned kind, int got, int reason)
{
    if (kind != FIX_FATE)
        return got == reason;
    if (reason == MEXT_E_MALFORMED)
        return got == -MEXT_ERR_FORMAT || got == -MEXT_ERR_LIMIT;
    return got == -MEXT_ERR_AUTH;
}

/* It is refused with the reason, and the caller's struct is left alone. */
static void refused(unsigned kind, const uint8_t *in, size_t len, int reason,
                    const char *name)
{
    union object o, before;
    uint8_t *copy = malloc(len ? len : 1);
    int got;

    memcpy(copy, in, len);
    memset(&o, 0xa5, sizeof(o));
    memcpy(&before, &o, sizeof(o));
    got = judge(kind, copy, len, &o);
    ck_assert_msg(told(kind, got, reason), "%s %s: %d, not %d",
                  fix_objects[kind].name, name, got, reason);
    ck_assert(!memcmp(&o, &before, sizeof(o)));
    free(copy);
}

/* ---- all five ---- */

START_TEST(each_refusal)
{
    const struct fix_object *o = &fix_objects[_i];

    for (size_t i = 0; i < o->nbad; i++) {
        const struct fix_bad *bad = &o->bad[i];
        uint8_t bytes[FIX_OBJECT_MAX];
        size_t len;

        fix_break(o, &bad, 1, bytes, &len);
        refused(_i, bytes, len, bad->reason, bad->name);
    }
}
END_TEST

/* Of two faults, the one that the specification checks first is the answer. */
START_TEST(precedence)
{
    const struct fix_object *o = &fix_objects[_i];

    for (size_t i = 0; i < o->nbad; i++)
        for (size_t j = i + 1; j < o->nbad; j++) {
            const struct fix_bad *pair[] = { &o->bad[i], &o->bad[j] };
            uint8_t bytes[FIX_OBJECT_MAX];
            char name[128];
            size_t len;

            ck_assert_int_le(pair[0]->stage, pair[1]->stage);
            snprintf(name, sizeof(name), "%s, %s", pair[0]->name,
                     pair[1]->name);
            fix_break(o, pair, 2, bytes, &len);
            refused(_i, bytes, len, pair[0]->reason, name);
        }
}
END_TEST

START_TEST(each_bit)
{
    const struct fix_object *o = &fix_objects[_i];
    uint8_t bytes[FIX_OBJECT_MAX];
    union object got;

    o->good(bytes);
    for (size_t bit = 0; bit < o->len * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(judge(_i, bytes, o->len, &got) > 0, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_int_eq(judge(_i, bytes, o->len, &got), 0);
}
END_TEST

START_TEST(each_length)
{
    const struct fix_object *o = &fix_objects[_i];
    uint8_t bytes[FIX_OBJECT_MAX] = { 0 };

    o->good(bytes);
    for (size_t n = 0; n <= o->len + 1; n++)
        if (n != o->len)
            refused(_i, bytes, n, MEXT_E_MALFORMED, "length");
}
END_TEST

/* No object is taken for another, were it as long. */
START_TEST(each_other)
{
    uint8_t bytes[FIX_OBJECT_MAX] = { 0 };

    for (unsigned kind = 0; kind < FIX_NOBJECTS; kind++) {
        if (kind == (unsigned)_i)
            continue;
        fix_objects[kind].good(bytes);
        fix_resign(bytes, fix_objects[_i].len, fix_objects[_i].signer);
        refused(_i, bytes, fix_objects[_i].len, MEXT_E_MALFORMED, "kind");
    }
}
END_TEST

START_TEST(committed_vectors)
{
    const struct fix_object *o = &fix_objects[_i];
    uint8_t bytes[1024];
    union object got;
    char name[64];
    size_t n;

    snprintf(name, sizeof(name), "%s-good", o->name);
    n = unit_vector(name, bytes, sizeof(bytes));
    ck_assert_int_eq(judge(_i, bytes, n, &got), 0);
    for (size_t i = 0; i < o->nbad; i++) {
        snprintf(name, sizeof(name), "%s-bad-%s", o->name, o->bad[i].name);
        n = unit_vector(name, bytes, sizeof(bytes));
        refused(_i, bytes, n, o->bad[i].reason, name);
    }
}
END_TEST

/* ---- token ---- */

/* Every field arrived if signing what was read gives the same octets. */
START_TEST(token_good)
{
    uint8_t bytes[MEXT_TOKEN_LEN], again[MEXT_TOKEN_LEN];
    struct mext_token got, parsed;
    struct mext_identity id;

    fix_identity(&id, FIX_SOURCE);
    fix_token_bytes(bytes);
    ck_assert_int_eq(verify(bytes, sizeof(bytes), &got), 0);
    ck_assert_int_eq(mext_token_sign(&got, &id, again), 0);
    ck_assert(!memcmp(bytes, again, sizeof(bytes)));
    ck_assert_int_eq(mext_token_parse(bytes, sizeof(bytes), &parsed), 0);
    ck_assert_int_eq(mext_token_sign(&parsed, &id, again), 0);
    ck_assert(!memcmp(bytes, again, sizeof(bytes)));
}
END_TEST

START_TEST(token_parsed_by_length)
{
    uint8_t bytes[MEXT_TOKEN_LEN + 1] = { 0 };
    struct mext_token t;

    fix_token_bytes(bytes);
    for (size_t n = 0; n <= sizeof(bytes); n++)
        ck_assert_int_eq(mext_token_parse(bytes, n, &t),
                         n == MEXT_TOKEN_LEN ? 0 : MEXT_ERR_FORMAT);
}
END_TEST

/* A point of low order as `source` makes any message verify, if let. */
START_TEST(token_low_order_source)
{
    static const uint8_t points[][32] = { { 0 }, { 1 } };

    for (size_t i = 0; i < COUNT(points); i++) {
        uint8_t bytes[MEXT_TOKEN_LEN];

        fix_token_bytes(bytes);
        memcpy(bytes + 88, points[i], 32);
        memset(bytes + 248, 0, 64);
        bytes[248] = 1;
        refused(FIX_TOKEN, bytes, sizeof(bytes), MEXT_E_UNTRUSTED, "low order");
    }
}
END_TEST

static bool trusts_all(void *arg, const uint8_t pk[MEXT_KEY_LEN])
{
    (*(int *)arg)++;
    return true;
}

START_TEST(token_low_order_trusted)
{
    struct mext_identity self;
    uint8_t bytes[MEXT_TOKEN_LEN];
    struct mext_token t;
    int asked = 0;

    fix_identity(&self, FIX_DEST);
    fix_token_bytes(bytes);
    memset(bytes + 88, 0, 32);
    bytes[88] = 1;
    memset(bytes + 248, 0, 64);
    bytes[248] = 1;
    ck_assert_int_eq(mext_token_verify(bytes, sizeof(bytes), self.pk, FIX_NOW,
                                       trusts_all, &asked, &t),
                     MEXT_E_SIGNATURE);
    ck_assert_int_eq(asked, 1);
}
END_TEST

/* ---- the edges that are still allowed, and one beyond ---- */

struct limit {
    const char *name;
    void (*set)(struct mext_token *t, uint64_t v);
    uint64_t good[3]; /* the first one is repeated if fewer */
    uint64_t bad[3];
};

static void set_expiry(struct mext_token *t, uint64_t v)
{
    t->expiry = t->issued + v;
}

static void set_memory(struct mext_token *t, uint64_t v)
{
    t->memory_kib = v;
}

static void set_vcpus(struct mext_token *t, uint64_t v)
{
    t->vcpus = (uint32_t)v;
}

static void set_channels(struct mext_token *t, uint64_t v)
{
    t->channels = (uint16_t)v;
}

static void set_port(struct mext_token *t, uint64_t v)
{
    t->port = (uint16_t)v;
}

static void set_netmask(struct mext_token *t, uint64_t v)
{
    t->netmask = (uint32_t)v;
}

static void set_netmask_alone(struct mext_token *t, uint64_t v)
{
    t->ip = t->gateway = 0;
    t->netmask = (uint32_t)v;
}

static void set_gateway_alone(struct mext_token *t, uint64_t v)
{
    t->ip = t->netmask = 0;
    t->gateway = (uint32_t)v;
}

/* With all that only mstrap has as it must be for any other. */
static void set_receiver(struct mext_token *t, uint64_t v)
{
    t->receiver = (uint32_t)v;
    t->channels = 1;
    t->ip = t->netmask = t->gateway = 0;
    memset(t->image, 0, sizeof(t->image));
}

static void set_dom0_channels(struct mext_token *t, uint64_t v)
{
    set_receiver(t, MEXT_RECEIVER_DOM0);
    t->channels = (uint16_t)v;
}

static void set_dom0_ip(struct mext_token *t, uint64_t v)
{
    set_receiver(t, MEXT_RECEIVER_DOM0);
    t->ip = (uint32_t)v;
}

static void set_dom0_image(struct mext_token *t, uint64_t v)
{
    set_receiver(t, MEXT_RECEIVER_DOM0);
    t->image[31] = (uint8_t)v;
}

static const struct limit limits[] = {
    { "receiver", set_receiver, { 0, 1, 1 }, { 2, 3, UINT32_MAX } },
    { "channels of dom0", set_dom0_channels, { 1, 2, 16 }, { 0, 17, 0xffff } },
    { "ip of dom0", set_dom0_ip, { 0, 0, 0 }, { 1, 0xc0000201, UINT32_MAX } },
    { "image of dom0", set_dom0_image, { 0, 0, 0 }, { 1, 2, 255 } },
    { "expiry", set_expiry, { 11, 3600, 60 }, { 0, 3601, UINT64_MAX } },
    { "memory",
      set_memory,
      { 4096, 4097, 1073741824 },
      { 0, 4095, 1073741825 } },
    { "vcpus", set_vcpus, { 1, 2, 128 }, { 0, 129, UINT32_MAX } },
    { "channels", set_channels, { 1, 2, 16 }, { 0, 17, 0xffff } },
    { "port", set_port, { 1, 7011, 65535 }, { 0, 0, 0 } },
    { "netmask",
      set_netmask,
      { 0xffffffff, 0x80000000, 0xfffffffe },
      { 0x7fffffff, 1, 0xff00ff00 } },
    { "netmask alone",
      set_netmask_alone,
      { 0, 0, 0 },
      { 0xffffffff, 0x80000000, 1 } },
    { "gateway alone", set_gateway_alone, { 0, 0, 0 }, { 1, 1, UINT32_MAX } },
};

START_TEST(token_limits)
{
    struct mext_identity id;
    uint8_t bytes[MEXT_TOKEN_LEN], untouched[MEXT_TOKEN_LEN];

    fix_identity(&id, FIX_SOURCE);
    for (size_t i = 0; i < COUNT(limits) * 3; i++) {
        const struct limit *l = &limits[i / 3];
        struct mext_token t, r;

        fix_token(&t);
        l->set(&t, l->good[i % 3]);
        ck_assert_msg(!mext_token_sign(&t, &id, bytes), "%s", l->name);
        ck_assert_msg(!verify(bytes, sizeof(bytes), &r), "%s", l->name);
        l->set(&t, l->bad[i % 3]);
        memset(bytes, 0x5a, sizeof(bytes));
        memcpy(untouched, bytes, sizeof(bytes));
        ck_assert_msg(mext_token_sign(&t, &id, bytes) == MEXT_ERR_LIMIT, "%s",
                      l->name);
        ck_assert(!memcmp(bytes, untouched, sizeof(bytes)));
    }
}
END_TEST

START_TEST(token_times)
{
    static const struct {
        uint64_t now;
        int rc;
    } cases[] = {
        { FIX_NOW - 10, 0 }, /* issued */
        { FIX_NOW - 40, 0 }, /* the skew allowed */
        { FIX_NOW - 41, MEXT_E_EXPIRED },
        { FIX_NOW + 289, 0 },
        { FIX_NOW + 290, MEXT_E_EXPIRED }, /* expiry */
        { 0, MEXT_E_EXPIRED },
        { UINT64_MAX, MEXT_E_EXPIRED },
    };
    uint8_t bytes[MEXT_TOKEN_LEN];
    struct mext_identity self;
    struct mext_token t;

    fix_identity(&self, FIX_DEST);
    fix_token_bytes(bytes);
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_int_eq(mext_token_verify(bytes, sizeof(bytes), self.pk,
                                           cases[i].now, fix_trusts, NULL, &t),
                         cases[i].rc);
}
END_TEST

START_TEST(sign_as_somebody_else)
{
    uint8_t bytes[MEXT_TOKEN_LEN];
    struct mext_identity id;
    struct mext_receipt r;
    struct mext_token t;
    struct mext_hello h;

    fix_identity(&id, FIX_STRANGER);
    fix_token(&t);
    fix_hello(&h);
    fix_receipt(&r);
    ck_assert_int_eq(mext_token_sign(&t, &id, bytes), MEXT_ERR_AUTH);
    ck_assert_int_eq(mext_hello_sign(&h, &id, bytes), MEXT_ERR_AUTH);
    ck_assert_int_eq(mext_receipt_sign(&r, &id, bytes), MEXT_ERR_AUTH);
}
END_TEST

/* ---- hello ---- */

START_TEST(hello_good)
{
    uint8_t bytes[MEXT_HELLO_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_hello want, got;

    fix_hello(&want);
    fix_hello_bytes(bytes);
    fix_digest(digest);
    ck_assert_int_eq(
        mext_hello_verify(bytes, sizeof(bytes), want.destination, digest, &got),
        0);
    ck_assert(!memcmp(&want, &got, sizeof(want)));
}
END_TEST

START_TEST(hello_of_another)
{
    uint8_t bytes[MEXT_HELLO_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_identity id;
    struct mext_hello h;

    fix_hello_bytes(bytes);
    fix_digest(digest);
    fix_identity(&id, FIX_STRANGER);
    ck_assert_int_eq(mext_hello_verify(bytes, sizeof(bytes), id.pk, digest, &h),
                     MEXT_E_AUDIENCE);
}
END_TEST

/* ---- receipt ---- */

START_TEST(receipt_good)
{
    uint8_t bytes[MEXT_RECEIPT_LEN], again[MEXT_RECEIPT_LEN];
    struct mext_identity id;
    struct mext_receipt got;

    fix_identity(&id, FIX_DEST);
    fix_receipt_bytes(bytes);
    ck_assert_int_eq(receipt_verify(bytes, sizeof(bytes), &got), 0);
    ck_assert_int_eq(mext_receipt_sign(&got, &id, again), 0);
    ck_assert(!memcmp(bytes, again, sizeof(bytes)));
}
END_TEST

/* What the destination chooses is taken as it comes. */
START_TEST(receipt_free_fields)
{
    static const size_t at[] = { 136, 168, 200, 219 };

    for (size_t i = 0; i < COUNT(at); i++) {
        uint8_t bytes[MEXT_RECEIPT_LEN];
        struct mext_receipt r;

        fix_receipt_bytes(bytes);
        bytes[at[i]] ^= 0x10;
        fix_resign(bytes, sizeof(bytes), FIX_DEST);
        ck_assert_msg(!receipt_verify(bytes, sizeof(bytes), &r), "offset %zu",
                      at[i]);
    }
}
END_TEST

/* A token that leaves image and address open. */
START_TEST(receipt_of_open_token)
{
    uint8_t bytes[MEXT_RECEIPT_LEN], again[MEXT_RECEIPT_LEN];
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_identity id;
    struct mext_receipt r, got;
    struct mext_token t;
    const struct mext_asked asked = { &t, digest, NULL };

    fix_identity(&id, FIX_DEST);
    fix_digest(digest);
    fix_token(&t);
    memset(t.image, 0, sizeof(t.image));
    t.ip = 0;
    fix_receipt(&r);
    memset(r.measurement, 0x99, sizeof(r.measurement));
    r.ip = 0x0a000063;
    r.attester = MEXT_ATTESTER_TPM;
    ck_assert_int_eq(mext_receipt_sign(&r, &id, bytes), 0);
    ck_assert_int_eq(mext_receipt_verify(bytes, sizeof(bytes), &asked, &got),
                     0);
    ck_assert_int_eq(mext_receipt_sign(&got, &id, again), 0);
    ck_assert(!memcmp(bytes, again, sizeof(bytes)));
}
END_TEST

/* One that has dom0 receive: no address, and the key that said hello. */
START_TEST(receipt_of_dom0)
{
    static const struct {
        uint32_t ip;
        uint8_t other; /* into the key */
        int rc;
    } cases[] = {
        { 0, 0, 0 },
        { 0, 1, MEXT_E_ANSWER },
        { 0x0a000063, 0, MEXT_E_ANSWER },
    };
    uint8_t digest[MEXT_DIGEST_LEN], bytes[MEXT_RECEIPT_LEN];
    struct mext_identity id;
    struct mext_receipt r, got;
    struct mext_hello h;
    struct mext_token t;
    const struct mext_asked asked = { &t, digest, h.session };

    fix_identity(&id, FIX_DEST);
    fix_digest(digest);
    fix_hello(&h);
    fix_token(&t);
    memset(t.image, 0, sizeof(t.image));
    t.ip = t.netmask = t.gateway = 0;
    t.receiver = MEXT_RECEIVER_DOM0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fix_receipt(&r);
        r.ip = cases[i].ip;
        memcpy(r.session, h.session, sizeof(r.session));
        r.session[31] ^= cases[i].other;
        ck_assert_int_eq(mext_receipt_sign(&r, &id, bytes), 0);
        ck_assert_int_eq(
            mext_receipt_verify(bytes, sizeof(bytes), &asked, &got),
            cases[i].rc);
    }
    t.receiver = MEXT_RECEIVER_MSTRAP;
    ck_assert_int_eq(mext_receipt_verify(bytes, sizeof(bytes), &asked, &got),
                     0);
}
END_TEST

START_TEST(receipt_limits)
{
    static const struct {
        uint32_t domid;
        uint16_t attester;
        int rc;
    } cases[] = {
        { 1, MEXT_ATTESTER_KEY, 0 },
        { MEXT_DOMID_MAX, MEXT_ATTESTER_TPM, 0 },
        { 0, MEXT_ATTESTER_KEY, MEXT_ERR_LIMIT },
        { MEXT_DOMID_MAX + 1, MEXT_ATTESTER_KEY, MEXT_ERR_LIMIT },
        { 1, 0, MEXT_ERR_LIMIT },
        { 1, 3, MEXT_ERR_LIMIT },
    };
    uint8_t bytes[MEXT_RECEIPT_LEN];
    struct mext_identity id;
    struct mext_receipt r;

    fix_identity(&id, FIX_DEST);
    fix_receipt(&r);
    for (size_t i = 0; i < COUNT(cases); i++) {
        r.domid = cases[i].domid;
        r.attester = cases[i].attester;
        ck_assert_int_eq(mext_receipt_sign(&r, &id, bytes), cases[i].rc);
    }
}
END_TEST

/* ---- digests ---- */

/* BLAKE2b-256 of nothing and of "abc". */
START_TEST(digest_values)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a"
              "8" },
        { "abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d"
                 "52319" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t d[MEXT_DIGEST_LEN];
        char hex[65];

        mext_digest(cases[i].text, strlen(cases[i].text), d);
        sodium_bin2hex(hex, sizeof(hex), d, sizeof(d));
        ck_assert_str_eq(hex, cases[i].hex);
    }
}
END_TEST

int main(void)
{
    const TTest *const each[] = { each_refusal, precedence, each_bit,
                                  each_length,  each_other, committed_vectors };
    const TTest *const tests[] = { token_good,
                                   token_parsed_by_length,
                                   token_low_order_source,
                                   token_low_order_trusted,
                                   token_limits,
                                   token_times,
                                   sign_as_somebody_else,
                                   hello_good,
                                   hello_of_another,
                                   receipt_good,
                                   receipt_free_fields,
                                   receipt_of_open_token,
                                   receipt_of_dom0,
                                   receipt_limits,
                                   digest_values,
                                   NULL };
    Suite *s = unit_suite("token", tests);
    TCase *c = tcase_create("each");

    for (size_t i = 0; i < COUNT(each); i++)
        tcase_add_loop_test(c, each[i], 0, FIX_NOBJECTS);
    suite_add_tcase(s, c);
    return unit_main(s);
}
