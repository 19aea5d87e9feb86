/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "fixture.h"

/* Offsets of docs/specs/token.md, on purpose not taken from the codec. */
enum {
    AT_ISSUED = 40,
    AT_EXPIRY = 48,
    AT_AUDIENCE = 56,
    AT_SOURCE = 88,
    AT_MEMORY = 216,
    AT_VCPUS = 224,
    AT_CHANNELS = 228,
    AT_PORT = 230,
    AT_IP = 232,
    AT_NETMASK = 236,
    AT_RESERVED = 244,
    AT_SIGNATURE = 248,
};

/* The specification's order. */
enum { SIZE, PURPOSE, AUDIENCE, SOURCE, SIGNATURE, FIELDS, TIME };

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
    while (n) {
        p[--n] = (uint8_t)v;
        v >>= 8;
    }
}

static void cut_one(uint8_t *t, size_t *len)
{
    *len = MEXT_TOKEN_LEN - 1;
}

static void cut_all(uint8_t *t, size_t *len)
{
    *len = 0;
}

static void purpose_padding(uint8_t *t)
{
    t[MEXT_PURPOSE_LEN - 1] = ' ';
}

static void purpose_version(uint8_t *t)
{
    t[strlen(MEXT_TOKEN_PURPOSE) - 1] = '2';
}

static void other_audience(uint8_t *t)
{
    struct mext_identity id;

    fix_identity(&id, FIX_STRANGER);
    memcpy(t + AT_AUDIENCE, id.pk, MEXT_KEY_LEN);
}

static void other_source(uint8_t *t)
{
    struct mext_identity id;

    fix_identity(&id, FIX_STRANGER);
    memcpy(t + AT_SOURCE, id.pk, MEXT_KEY_LEN);
}

static void signed_by_stranger(uint8_t *t, size_t *len)
{
    fix_resign(t, MEXT_TOKEN_LEN, FIX_STRANGER);
}

/* S + L: the same scalar, which a lax verifier takes (RFC 8032, 8.4). */
static void malleable(uint8_t *t, size_t *len)
{
    static const uint8_t order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,        0xd6,
        0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
    };
    uint8_t *s = t + AT_SIGNATURE + 32;
    unsigned carry = 0;

    for (unsigned i = 0; i < 32; i++) {
        carry += s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void set_times(uint8_t *t, uint64_t issued, uint64_t expiry)
{
    put_be(t + AT_ISSUED, issued, 8);
    put_be(t + AT_EXPIRY, expiry, 8);
}

static void expiry_is_issued(uint8_t *t)
{
    set_times(t, FIX_NOW, FIX_NOW);
}

static void expiry_before_issued(uint8_t *t)
{
    set_times(t, FIX_NOW, FIX_NOW - 1);
}

static void lifetime(uint8_t *t)
{
    set_times(t, FIX_NOW, FIX_NOW + MEXT_TOKEN_LIFETIME_MAX + 1);
}

static void mask_without_ip(uint8_t *t)
{
    put_be(t + AT_IP, 0, 4);
    put_be(t + AT_NETMASK, 0xff000000, 4);
}

static void expired(uint8_t *t)
{
    set_times(t, FIX_NOW - 300, FIX_NOW);
}

static void in_the_future(uint8_t *t)
{
    set_times(t, FIX_NOW + MEXT_CLOCK_SKEW + 1, FIX_NOW + 300);
}

static void far_future(uint8_t *t)
{
    set_times(t, UINT64_MAX - 1, UINT64_MAX);
}

#define NUMBER(at, n, v) FIELDS, (at), (n), (v), NULL, NULL
#define PATCH(stage, fn) (stage), 0, 0, 0, fn, NULL
#define LATE(stage, fn)  (stage), 0, 0, 0, NULL, fn

const struct fix_bad fix_bad[] = {
    { "size-empty", MEXT_E_MALFORMED, LATE(SIZE, cut_all) },
    { "size-short", MEXT_E_MALFORMED, LATE(SIZE, cut_one) },
    { "purpose-padding", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_padding) },
    { "purpose-version", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_version) },
    { "audience", MEXT_E_AUDIENCE, PATCH(AUDIENCE, other_audience) },
    { "untrusted", MEXT_E_UNTRUSTED, PATCH(SOURCE, other_source) },
    { "signature", MEXT_E_SIGNATURE, LATE(SIGNATURE, signed_by_stranger) },
    { "signature-malleable", MEXT_E_SIGNATURE, LATE(SIGNATURE, malleable) },
    { "expiry-is-issued", MEXT_E_MALFORMED, PATCH(FIELDS, expiry_is_issued) },
    { "expiry-before", MEXT_E_MALFORMED, PATCH(FIELDS, expiry_before_issued) },
    { "lifetime", MEXT_E_MALFORMED, PATCH(FIELDS, lifetime) },
    { "memory-low", MEXT_E_MALFORMED, NUMBER(AT_MEMORY, 8, 4095) },
    { "memory-high", MEXT_E_MALFORMED, NUMBER(AT_MEMORY, 8, 1073741825) },
    { "vcpus-zero", MEXT_E_MALFORMED, NUMBER(AT_VCPUS, 4, 0) },
    { "vcpus-high", MEXT_E_MALFORMED, NUMBER(AT_VCPUS, 4, 129) },
    { "channels-zero", MEXT_E_MALFORMED, NUMBER(AT_CHANNELS, 2, 0) },
    { "channels-high", MEXT_E_MALFORMED, NUMBER(AT_CHANNELS, 2, 9) },
    { "port-zero", MEXT_E_MALFORMED, NUMBER(AT_PORT, 2, 0) },
    { "netmask-hole", MEXT_E_MALFORMED, NUMBER(AT_NETMASK, 4, 0xffff00ff) },
    { "netmask-alone", MEXT_E_MALFORMED, PATCH(FIELDS, mask_without_ip) },
    { "reserved", MEXT_E_MALFORMED, NUMBER(AT_RESERVED, 4, 1) },
    { "expired", MEXT_E_EXPIRED, PATCH(TIME, expired) },
    { "future", MEXT_E_EXPIRED, PATCH(TIME, in_the_future) },
    { "far-future", MEXT_E_EXPIRED, PATCH(TIME, far_future) },
};

const size_t fix_nbad = COUNT(fix_bad);

void fix_bad_token(const struct fix_bad *const *bad, size_t n,
                   uint8_t out[MEXT_TOKEN_LEN], size_t *len_r)
{
    enum fix_who signer = FIX_SOURCE;
    size_t len = MEXT_TOKEN_LEN;

    fix_token_bytes(out);
    for (size_t i = n; i--;) {
        if (bad[i]->n)
            put_be(out + bad[i]->offset, bad[i]->value, bad[i]->n);
        if (bad[i]->patch)
            bad[i]->patch(out);
        if (bad[i]->stage == SOURCE)
            signer = FIX_STRANGER;
    }
    fix_resign(out, len, signer);
    for (size_t i = n; i--;)
        if (bad[i]->late)
            bad[i]->late(out, &len);
    *len_r = len;
}
