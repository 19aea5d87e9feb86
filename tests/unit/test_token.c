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

/* verify refuses with the reason and leaves the caller's token alone. */
static void refused(const uint8_t *in, size_t len, int reason, const char *name)
{
    struct mext_token t, before;
    uint8_t *copy = malloc(len ? len : 1);
    int got;

    memcpy(copy, in, len);
    memset(&t, 0xa5, sizeof(t));
    memcpy(&before, &t, sizeof(t));
    got = verify(copy, len, &t);
    ck_assert_msg(got == reason, "%s: %d, not %d", name, got, reason);
    ck_assert(!memcmp(&t, &before, sizeof(t)));
    free(copy);
}

/* Reads a committed vector into buf; its length. */
static size_t vector(const char *name, uint8_t buf[1024])
{
    const char *top = getenv("srcdir");
    char path[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/tests/vectors/data/%s", top ? top : ".",
             name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    n = fread(buf, 1, 1024, f);
    fclose(f);
    return n;
}

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

START_TEST(token_each_refusal)
{
    for (size_t i = 0; i < fix_nbad; i++) {
        const struct fix_bad *bad = &fix_bad[i];
        uint8_t bytes[MEXT_TOKEN_LEN];
        size_t len;

        fix_bad_token(&bad, 1, bytes, &len);
        refused(bytes, len, bad->reason, bad->name);
    }
}
END_TEST

/* Of two faults, the one that the specification checks first is the answer. */
START_TEST(token_precedence)
{
    for (size_t i = 0; i < fix_nbad; i++)
        for (size_t j = i + 1; j < fix_nbad; j++) {
            const struct fix_bad *pair[] = { &fix_bad[i], &fix_bad[j] };
            uint8_t bytes[MEXT_TOKEN_LEN];
            char name[128];
            size_t len;

            ck_assert_int_le(pair[0]->stage, pair[1]->stage);
            snprintf(name, sizeof(name), "%s, %s", pair[0]->name,
                     pair[1]->name);
            fix_bad_token(pair, 2, bytes, &len);
            refused(bytes, len, pair[0]->reason, name);
        }
}
END_TEST

START_TEST(token_each_bit)
{
    uint8_t bytes[MEXT_TOKEN_LEN];
    struct mext_token t;

    fix_token_bytes(bytes);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(verify(bytes, sizeof(bytes), &t) > 0, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_int_eq(verify(bytes, sizeof(bytes), &t), 0);
}
END_TEST

START_TEST(token_each_length)
{
    uint8_t bytes[MEXT_TOKEN_LEN + 1] = { 0 };
    struct mext_token t;

    fix_token_bytes(bytes);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        if (n == MEXT_TOKEN_LEN)
            continue;
        refused(bytes, n, MEXT_E_MALFORMED, "length");
        ck_assert_int_eq(mext_token_parse(bytes, n, &t), MEXT_ERR_FORMAT);
    }
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
        refused(bytes, sizeof(bytes), MEXT_E_UNTRUSTED, "low order");
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
    t->ip = 0;
    t->netmask = (uint32_t)v;
}

static const struct limit limits[] = {
    { "expiry", set_expiry, { 11, 3600, 60 }, { 0, 3601, UINT64_MAX } },
    { "memory",
      set_memory,
      { 4096, 4097, 1073741824 },
      { 0, 4095, 1073741825 } },
    { "vcpus", set_vcpus, { 1, 2, 128 }, { 0, 129, UINT32_MAX } },
    { "channels", set_channels, { 1, 2, 8 }, { 0, 9, 0xffff } },
    { "port", set_port, { 1, 7011, 65535 }, { 0, 0, 0 } },
    { "netmask",
      set_netmask,
      { 0xffffffff, 0x80000000, 0xfffffffe },
      { 0x7fffffff, 1, 0xff00ff00 } },
    { "netmask alone",
      set_netmask_alone,
      { 0, 0, 0 },
      { 0xffffffff, 0x80000000, 1 } },
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

static int hello_verify(const uint8_t *in, size_t len, enum fix_who who,
                        unsigned digest_flip)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_identity id;
    struct mext_hello h;

    fix_identity(&id, who);
    fix_digest(digest);
    digest[0] ^= (uint8_t)digest_flip;
    return mext_hello_verify(in, len, id.pk, digest, &h);
}

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

START_TEST(hello_refused)
{
    uint8_t bytes[MEXT_HELLO_LEN];

    fix_hello_bytes(bytes);
    ck_assert_int_eq(hello_verify(bytes, sizeof(bytes), FIX_STRANGER, 0),
                     MEXT_ERR_AUTH);
    ck_assert_int_eq(hello_verify(bytes, sizeof(bytes), FIX_DEST, 1),
                     MEXT_ERR_AUTH);
    for (size_t n = 0; n < sizeof(bytes); n++)
        ck_assert_int_eq(hello_verify(bytes, n, FIX_DEST, 0), MEXT_ERR_FORMAT);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(hello_verify(bytes, sizeof(bytes), FIX_DEST, 0),
                         bit < MEXT_PURPOSE_LEN * 8 ? MEXT_ERR_FORMAT
                                                    : MEXT_ERR_AUTH);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    fix_resign(bytes, sizeof(bytes), FIX_STRANGER);
    ck_assert_int_eq(hello_verify(bytes, sizeof(bytes), FIX_DEST, 0),
                     MEXT_ERR_AUTH);
}
END_TEST

/* ---- receipt ---- */

static int receipt_verify(const uint8_t *in, size_t len, bool any_image)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_receipt r;
    struct mext_token t;

    fix_token(&t);
    if (any_image)
        memset(t.image, 0, sizeof(t.image));
    fix_digest(digest);
    return mext_receipt_verify(in, len, &t, digest, &r);
}

START_TEST(receipt_good)
{
    uint8_t bytes[MEXT_RECEIPT_LEN], again[MEXT_RECEIPT_LEN];
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_identity id;
    struct mext_receipt got;
    struct mext_token t;

    fix_identity(&id, FIX_DEST);
    fix_token(&t);
    fix_receipt_bytes(bytes);
    fix_digest(digest);
    ck_assert_int_eq(
        mext_receipt_verify(bytes, sizeof(bytes), &t, digest, &got), 0);
    ck_assert_int_eq(mext_receipt_sign(&got, &id, again), 0);
    ck_assert(!memcmp(bytes, again, sizeof(bytes)));
}
END_TEST

/* Signed by the right host, but not the answer to our token. */
START_TEST(receipt_fields)
{
    static const struct {
        size_t at;
        bool any_image;
        int rc;
    } cases[] = {
        { 24, false, MEXT_ERR_AUTH },  /* token */
        { 56, false, MEXT_ERR_AUTH },  /* id */
        { 72, false, MEXT_ERR_AUTH },  /* destination */
        { 104, false, MEXT_ERR_AUTH }, /* measurement */
        { 104, true, 0 },              /* any image will do */
        { 183, false, MEXT_ERR_AUTH }, /* channels */
        { 136, false, 0 },             /* mstrap's key: its own */
        { 187, false, 0 },             /* domid: its own */
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[MEXT_RECEIPT_LEN];

        fix_receipt_bytes(bytes);
        bytes[cases[i].at] ^= 0x10;
        fix_resign(bytes, sizeof(bytes), FIX_DEST);
        ck_assert_msg(receipt_verify(bytes, sizeof(bytes),
                                     cases[i].any_image) == cases[i].rc,
                      "offset %zu", cases[i].at);
    }
}
END_TEST

START_TEST(receipt_refused)
{
    uint8_t bytes[MEXT_RECEIPT_LEN];

    fix_receipt_bytes(bytes);
    for (size_t n = 0; n < sizeof(bytes); n++)
        ck_assert_int_eq(receipt_verify(bytes, n, false), MEXT_ERR_FORMAT);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(receipt_verify(bytes, sizeof(bytes), false),
                         bit < MEXT_PURPOSE_LEN * 8 ? MEXT_ERR_FORMAT
                                                    : MEXT_ERR_AUTH);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    fix_resign(bytes, sizeof(bytes), FIX_STRANGER);
    ck_assert_int_eq(receipt_verify(bytes, sizeof(bytes), false),
                     MEXT_ERR_AUTH);
}
END_TEST

/* ---- committed files and digests ---- */

START_TEST(committed_vectors)
{
    uint8_t bytes[1024];
    struct mext_token t;
    size_t n;

    n = vector("token-good", bytes);
    ck_assert_int_eq(verify(bytes, n, &t), 0);
    n = vector("hello-good", bytes);
    ck_assert_int_eq(hello_verify(bytes, n, FIX_DEST, 0), 0);
    n = vector("receipt-good", bytes);
    ck_assert_int_eq(receipt_verify(bytes, n, false), 0);
    for (size_t i = 0; i < fix_nbad; i++) {
        char name[64];

        snprintf(name, sizeof(name), "token-bad-%s", fix_bad[i].name);
        n = vector(name, bytes);
        refused(bytes, n, fix_bad[i].reason, name);
    }
}
END_TEST

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
    const TTest *const tests[] = { token_good,
                                   token_each_refusal,
                                   token_precedence,
                                   token_each_bit,
                                   token_each_length,
                                   token_low_order_source,
                                   token_low_order_trusted,
                                   token_limits,
                                   token_times,
                                   sign_as_somebody_else,
                                   hello_good,
                                   hello_refused,
                                   receipt_good,
                                   receipt_fields,
                                   receipt_refused,
                                   committed_vectors,
                                   digest_values,
                                   NULL };

    return unit_main(unit_suite("token", tests));
}
