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
    AT_GATEWAY = 240,
    AT_RECEIVER = 244,

    AT_HELLO_TOKEN = 24,
    AT_HELLO_DESTINATION = 56,

    AT_RECEIPT_TOKEN = 24,
    AT_RECEIPT_ID = 56,
    AT_RECEIPT_DESTINATION = 72,
    AT_MEASUREMENT = 104,
    AT_RECEIPT_IP = 208,
    AT_RECEIPT_PORT = 212,
    AT_RECEIPT_CHANNELS = 214,
    AT_DOMID = 216,
    AT_ATTESTER = 220,
    AT_RECEIPT_RESERVED = 222,

    AT_QUERY_AUDIENCE = 72,
    AT_QUERY_SOURCE = 104,

    AT_FATE_QUERY = 24,
    AT_FATE_DESTINATION = 56,
    AT_FATE = 88,
    AT_FATE_RESERVED = 89,
    AT_FATE_DOMID = 92,
};

/* The specification's order; what one of the objects lacks is left out. */
enum {
    SIZE,
    PURPOSE,
    AUDIENCE,
    SOURCE,
    SIGNATURE,
    ANSWER,
    FIELDS,
    TIME,
    IMAGE,
};

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
    while (n) {
        p[--n] = (uint8_t)v;
        v >>= 8;
    }
}

static void cut_half(uint8_t *t, size_t *len)
{
    *len /= 2;
}

static void add_one(uint8_t *t, size_t *len)
{
    t[(*len)++] = 0;
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
    t[strlen((const char *)t) - 1] = '2';
}

static void purpose_of_token(uint8_t *t)
{
    memset(t, 0, MEXT_PURPOSE_LEN);
    memcpy(t, MEXT_TOKEN_PURPOSE, strlen(MEXT_TOKEN_PURPOSE));
}

static void purpose_of_hello(uint8_t *t)
{
    memset(t, 0, MEXT_PURPOSE_LEN);
    memcpy(t, MEXT_HELLO_PURPOSE, strlen(MEXT_HELLO_PURPOSE));
}

static void purpose_of_query(uint8_t *t)
{
    memset(t, 0, MEXT_PURPOSE_LEN);
    memcpy(t, MEXT_QUERY_PURPOSE, strlen(MEXT_QUERY_PURPOSE));
}

static void put_stranger(uint8_t *p)
{
    struct mext_identity id;

    fix_identity(&id, FIX_STRANGER);
    memcpy(p, id.pk, MEXT_KEY_LEN);
}

static void other_audience(uint8_t *t)
{
    put_stranger(t + AT_AUDIENCE);
}

static void other_source(uint8_t *t)
{
    put_stranger(t + AT_SOURCE);
}

static void other_hello_destination(uint8_t *t)
{
    put_stranger(t + AT_HELLO_DESTINATION);
}

static void other_receipt_destination(uint8_t *t)
{
    put_stranger(t + AT_RECEIPT_DESTINATION);
}

static void other_query_audience(uint8_t *t)
{
    put_stranger(t + AT_QUERY_AUDIENCE);
}

static void other_query_source(uint8_t *t)
{
    put_stranger(t + AT_QUERY_SOURCE);
}

static void other_fate_destination(uint8_t *t)
{
    put_stranger(t + AT_FATE_DESTINATION);
}

static void other_fate_query(uint8_t *t)
{
    t[AT_FATE_QUERY] ^= 1;
}

static void other_hello_token(uint8_t *t)
{
    t[AT_HELLO_TOKEN] ^= 1;
}

static void other_receipt_token(uint8_t *t)
{
    t[AT_RECEIPT_TOKEN + 31] ^= 0x80;
}

static void other_id(uint8_t *t)
{
    t[AT_RECEIPT_ID + 15] ^= 1;
}

static void other_measurement(uint8_t *t)
{
    t[AT_MEASUREMENT + 31] ^= 1;
}

static void signed_by_stranger(uint8_t *t, size_t *len)
{
    fix_resign(t, *len, FIX_STRANGER);
}

/* S + L: the same scalar, which a lax verifier takes (RFC 8032, 8.4). */
static void malleable(uint8_t *t, size_t *len)
{
    static const uint8_t order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,        0xd6,
        0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
    };
    uint8_t *s = t + *len - 32;
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
    put_be(t + AT_GATEWAY, 0, 4);
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

static void gateway_without_ip(uint8_t *t)
{
    put_be(t + AT_IP, 0, 4);
    put_be(t + AT_NETMASK, 0, 4);
}

#define NUMBER(at, n, v) FIELDS, (at), (n), (v), NULL, NULL, false
#define PATCH(stage, fn) (stage), 0, 0, 0, fn, NULL, false
#define LATE(stage, fn)  (stage), 0, 0, 0, NULL, fn, false
#define FORGE(stage, fn) (stage), 0, 0, 0, fn, NULL, true
#define OTHER(at, n, v)  ANSWER, (at), (n), (v), NULL, NULL, false

static const struct fix_bad bad_token[] = {
    { "size-empty", MEXT_E_MALFORMED, LATE(SIZE, cut_all) },
    { "size-short", MEXT_E_MALFORMED, LATE(SIZE, cut_half) },
    { "size-long", MEXT_E_MALFORMED, LATE(SIZE, add_one) },
    { "purpose-padding", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_padding) },
    { "purpose-version", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_version) },
    { "purpose-hello", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_of_hello) },
    { "audience", MEXT_E_AUDIENCE, PATCH(AUDIENCE, other_audience) },
    { "untrusted", MEXT_E_UNTRUSTED, FORGE(SOURCE, other_source) },
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
    { "channels-high", MEXT_E_MALFORMED, NUMBER(AT_CHANNELS, 2, 17) },
    { "port-zero", MEXT_E_MALFORMED, NUMBER(AT_PORT, 2, 0) },
    { "netmask-hole", MEXT_E_MALFORMED, NUMBER(AT_NETMASK, 4, 0xffff00ff) },
    { "netmask-alone", MEXT_E_MALFORMED, PATCH(FIELDS, mask_without_ip) },
    { "gateway-alone", MEXT_E_MALFORMED, PATCH(FIELDS, gateway_without_ip) },
    { "receiver", MEXT_E_MALFORMED, NUMBER(AT_RECEIVER, 4, 2) },
    { "receiver-image", MEXT_E_MALFORMED, NUMBER(AT_RECEIVER, 4, 1) },
    { "expired", MEXT_E_EXPIRED, PATCH(TIME, expired) },
    { "future", MEXT_E_EXPIRED, PATCH(TIME, in_the_future) },
    { "far-future", MEXT_E_EXPIRED, PATCH(TIME, far_future) },
};

static const struct fix_bad bad_hello[] = {
    { "size-empty", MEXT_E_MALFORMED, LATE(SIZE, cut_all) },
    { "size-short", MEXT_E_MALFORMED, LATE(SIZE, cut_half) },
    { "size-long", MEXT_E_MALFORMED, LATE(SIZE, add_one) },
    { "purpose-padding", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_padding) },
    { "purpose-version", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_version) },
    { "purpose-token", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_of_token) },
    { "destination", MEXT_E_AUDIENCE,
      FORGE(AUDIENCE, other_hello_destination) },
    { "signature", MEXT_E_SIGNATURE, LATE(SIGNATURE, signed_by_stranger) },
    { "signature-malleable", MEXT_E_SIGNATURE, LATE(SIGNATURE, malleable) },
    { "token", MEXT_E_ANSWER, PATCH(ANSWER, other_hello_token) },
};

static const struct fix_bad bad_receipt[] = {
    { "size-empty", MEXT_E_MALFORMED, LATE(SIZE, cut_all) },
    { "size-short", MEXT_E_MALFORMED, LATE(SIZE, cut_half) },
    { "size-long", MEXT_E_MALFORMED, LATE(SIZE, add_one) },
    { "purpose-padding", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_padding) },
    { "purpose-version", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_version) },
    { "purpose-hello", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_of_hello) },
    { "destination", MEXT_E_AUDIENCE,
      FORGE(AUDIENCE, other_receipt_destination) },
    { "signature", MEXT_E_SIGNATURE, LATE(SIGNATURE, signed_by_stranger) },
    { "signature-malleable", MEXT_E_SIGNATURE, LATE(SIGNATURE, malleable) },
    { "token", MEXT_E_ANSWER, PATCH(ANSWER, other_receipt_token) },
    { "id", MEXT_E_ANSWER, PATCH(ANSWER, other_id) },
    { "ip-zero", MEXT_E_ANSWER, OTHER(AT_RECEIPT_IP, 4, 0) },
    { "ip", MEXT_E_ANSWER, OTHER(AT_RECEIPT_IP, 4, 0x0a000003) },
    { "port", MEXT_E_ANSWER, OTHER(AT_RECEIPT_PORT, 2, 7012) },
    { "channels", MEXT_E_ANSWER, OTHER(AT_RECEIPT_CHANNELS, 2, 1) },
    { "domid-zero", MEXT_E_MALFORMED, NUMBER(AT_DOMID, 4, 0) },
    { "domid-high", MEXT_E_MALFORMED, NUMBER(AT_DOMID, 4, 32752) },
    { "attester-zero", MEXT_E_MALFORMED, NUMBER(AT_ATTESTER, 2, 0) },
    { "attester-unknown", MEXT_E_MALFORMED, NUMBER(AT_ATTESTER, 2, 3) },
    { "reserved", MEXT_E_MALFORMED, NUMBER(AT_RECEIPT_RESERVED, 2, 1) },
    { "measurement", MEXT_E_IMAGE, PATCH(IMAGE, other_measurement) },
};

static const struct fix_bad bad_query[] = {
    { "size-empty", MEXT_E_MALFORMED, LATE(SIZE, cut_all) },
    { "size-short", MEXT_E_MALFORMED, LATE(SIZE, cut_half) },
    { "size-long", MEXT_E_MALFORMED, LATE(SIZE, add_one) },
    { "purpose-padding", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_padding) },
    { "purpose-version", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_version) },
    { "purpose-token", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_of_token) },
    { "audience", MEXT_E_AUDIENCE, PATCH(AUDIENCE, other_query_audience) },
    { "untrusted", MEXT_E_UNTRUSTED, FORGE(SOURCE, other_query_source) },
    { "signature", MEXT_E_SIGNATURE, LATE(SIGNATURE, signed_by_stranger) },
    { "signature-malleable", MEXT_E_SIGNATURE, LATE(SIGNATURE, malleable) },
};

static const struct fix_bad bad_fate[] = {
    { "size-empty", MEXT_E_MALFORMED, LATE(SIZE, cut_all) },
    { "size-short", MEXT_E_MALFORMED, LATE(SIZE, cut_half) },
    { "size-long", MEXT_E_MALFORMED, LATE(SIZE, add_one) },
    { "purpose-padding", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_padding) },
    { "purpose-version", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_version) },
    { "purpose-query", MEXT_E_MALFORMED, PATCH(PURPOSE, purpose_of_query) },
    { "destination", MEXT_E_AUDIENCE, FORGE(AUDIENCE, other_fate_destination) },
    { "signature", MEXT_E_SIGNATURE, LATE(SIGNATURE, signed_by_stranger) },
    { "signature-malleable", MEXT_E_SIGNATURE, LATE(SIGNATURE, malleable) },
    { "query", MEXT_E_ANSWER, PATCH(ANSWER, other_fate_query) },
    { "fate-zero", MEXT_E_MALFORMED, NUMBER(AT_FATE, 1, 0) },
    { "fate-high", MEXT_E_MALFORMED, NUMBER(AT_FATE, 1, 6) },
    { "reserved", MEXT_E_MALFORMED, NUMBER(AT_FATE_RESERVED, 3, 1) },
    { "domid-high", MEXT_E_MALFORMED, NUMBER(AT_FATE_DOMID, 4, 32752) },
    { "domid-pending", MEXT_E_MALFORMED,
      NUMBER(AT_FATE, 1, MEXT_FATE_PENDING) },
    { "domid-unknown", MEXT_E_MALFORMED,
      NUMBER(AT_FATE, 1, MEXT_FATE_UNKNOWN) },
};

const struct fix_object fix_objects[FIX_NOBJECTS] = {
    { "token", "token", MEXT_TOKEN_LEN, FIX_SOURCE, fix_token_bytes, bad_token,
      COUNT(bad_token) },
    { "hello", "hello", MEXT_HELLO_LEN, FIX_DEST, fix_hello_bytes, bad_hello,
      COUNT(bad_hello) },
    { "receipt", "receipt", MEXT_RECEIPT_LEN, FIX_DEST, fix_receipt_bytes,
      bad_receipt, COUNT(bad_receipt) },
    { "query", "fate", MEXT_QUERY_LEN, FIX_SOURCE, fix_query_bytes, bad_query,
      COUNT(bad_query) },
    { "fate", "fate", MEXT_FATE_LEN, FIX_DEST, fix_fate_bytes, bad_fate,
      COUNT(bad_fate) },
};

void fix_break(const struct fix_object *o, const struct fix_bad *const *bad,
               size_t n, uint8_t out[FIX_OBJECT_MAX], size_t *len_r)
{
    enum fix_who signer = o->signer;
    size_t len = o->len;

    o->good(out);
    for (size_t i = n; i--;) {
        if (bad[i]->n)
            put_be(out + bad[i]->offset, bad[i]->value, bad[i]->n);
        if (bad[i]->patch)
            bad[i]->patch(out);
        if (bad[i]->stranger)
            signer = FIX_STRANGER;
    }
    fix_resign(out, len, signer);
    for (size_t i = n; i--;)
        if (bad[i]->late)
            bad[i]->late(out, &len);
    *len_r = len;
}
