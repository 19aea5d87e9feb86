/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mext_seal: what was sealed opens once, in order, on its channel only; by each of
 * the libraries.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"

#define ROOM (MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX)

static struct mext_seal channel(enum fix_who own, const char *label,
                                uint8_t dir, uint16_t index)
{
    struct mext_seal s;

    fix_seal(&s, own, label, dir, index);
    return s;
}

static struct mext_seal sender(void)
{
    return channel(FIX_SOURCE, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, 0);
}

static struct mext_seal receiver(void)
{
    return channel(FIX_DEST, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, 0);
}

/* Seals n octets of c into frame; the whole length. */
static size_t seal(struct mext_seal *s, uint8_t frame[ROOM], int c, size_t n)
{
    size_t len;

    memset(frame + MEXT_FRAME_HDR_LEN, c, n);
    ck_assert_int_eq(mext_frame_seal(s, frame, n, MEXT_DATA_BODY_MAX, &len), 0);
    ck_assert_uint_eq(len, MEXT_FRAME_HDR_LEN + n + MEXT_TAG_LEN);
    return len;
}

/* Opens a copy of the frame, as a receiver does: length first. */
static int open_copy(struct mext_seal *s, const uint8_t *frame, uint8_t *plain)
{
    uint8_t body[MEXT_DATA_BODY_MAX];
    int len = mext_frame_len(frame, MEXT_DATA_BODY_MAX), rc;

    if (len < 0)
        return len;
    memcpy(body, frame + MEXT_FRAME_HDR_LEN, (size_t)len);
    rc = mext_frame_open(s, body, (size_t)len);
    if (!rc && plain)
        memcpy(plain, body, (size_t)len - MEXT_TAG_LEN);
    return rc;
}

/* ---- frames ---- */

START_TEST(frame_round_trip)
{
    static const size_t sizes[] = { 1, 2, 15, 16, 17, 63, 64, 65, 1008 };
    struct mext_seal tx = sender(), rx = receiver();

    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint8_t frame[ROOM], plain[MEXT_DATA_BODY_MAX], want[1008];

        seal(&tx, frame, 'a' + (int)i, sizes[i]);
        memset(want, 'a' + (int)i, sizes[i]);
        ck_assert(sizes[i] < 15 ||
                  memcmp(frame + MEXT_FRAME_HDR_LEN, want, sizes[i]));
        ck_assert_int_eq(open_copy(&rx, frame, plain), 0);
        ck_assert(!memcmp(plain, want, sizes[i]));
        ck_assert_uint_eq(tx.counter, i + 1);
        ck_assert_uint_eq(rx.counter, i + 1);
    }
}
END_TEST

START_TEST(frame_each_bit)
{
    struct mext_seal tx = sender();
    uint8_t frame[ROOM];
    size_t len = seal(&tx, frame, 'x', 5);

    memset(frame + len, 0, sizeof(frame) - len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        struct mext_seal rx = receiver();

        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(open_copy(&rx, frame, NULL) < 0, "bit %zu", bit);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

START_TEST(frame_order)
{
    struct mext_seal tx = sender(), rx = receiver();
    uint8_t first[ROOM], second[ROOM], third[ROOM];

    seal(&tx, first, '1', 5);
    seal(&tx, second, '2', 5);
    seal(&tx, third, '3', 5);
    ck_assert_int_eq(open_copy(&rx, second, NULL), MEXT_ERR_AUTH);
    rx = receiver();
    ck_assert_int_eq(open_copy(&rx, first, NULL), 0);
    ck_assert_int_eq(open_copy(&rx, first, NULL), MEXT_ERR_AUTH);
    rx = receiver();
    ck_assert_int_eq(open_copy(&rx, first, NULL), 0);
    ck_assert_int_eq(open_copy(&rx, third, NULL), MEXT_ERR_AUTH);
    /* There is no second try, not even with the right one. */
    ck_assert_int_eq(open_copy(&rx, second, NULL), MEXT_ERR_LIMIT);
    ck_assert_int_eq(open_copy(&rx, third, NULL), MEXT_ERR_LIMIT);
}
END_TEST

/* The last object of a key goes through, and nothing behind it. */
START_TEST(key_is_used_up)
{
    static const uint8_t plain[MEXT_PAGE_SIZE];
    uint8_t frame[ROOM], next[ROOM] = { 0 }, sealed[sizeof(plain) + 16];
    struct mext_seal tx = sender(), rx = receiver();
    size_t len = 77;

    tx.counter = rx.counter = MEXT_OBJECTS_MAX - 1;
    seal(&tx, frame, 'x', 5);
    ck_assert_int_eq(open_copy(&rx, frame, NULL), 0);
    ck_assert_int_eq(mext_frame_seal(&tx, next, 5, MEXT_DATA_BODY_MAX, &len),
                     MEXT_ERR_LIMIT);
    ck_assert_uint_eq(len, 77);
    ck_assert(sodium_is_zero(next, sizeof(next)));
    memset(sealed, 1, sizeof(sealed));
    ck_assert_int_eq(mext_page_seal(&tx, sealed, plain, sizeof(plain)),
                     MEXT_ERR_LIMIT);
    ck_assert_uint_eq(sealed[0], 1);
    ck_assert_int_eq(open_copy(&rx, frame, NULL), MEXT_ERR_LIMIT);
    ck_assert_int_eq(
        mext_page_open(&rx, sealed, sizeof(plain), sealed + sizeof(plain)),
        MEXT_ERR_LIMIT);
    ck_assert_uint_eq(tx.counter, MEXT_OBJECTS_MAX);
    ck_assert_uint_eq(rx.counter, MEXT_OBJECTS_MAX);
}
END_TEST

/* A frame opens with no key but its own. */
START_TEST(frame_splice)
{
    struct mext_seal others[] = {
        channel(FIX_DEST, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, 1),
        channel(FIX_DEST, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, 256),
        channel(FIX_DEST, MEXT_KDF_DATA, MEXT_DIR_TO_SOURCE, 0),
        channel(FIX_DEST, MEXT_KDF_CONTROL, MEXT_DIR_TO_DEST, 0),
        channel(FIX_DEST, MEXT_KDF_CONTROL, MEXT_DIR_TO_SOURCE, 0),
    };
    struct mext_seal tx = sender(), rx = receiver();
    uint8_t frame[ROOM];

    seal(&tx, frame, 'x', 40);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_int_eq(open_copy(&others[i], frame, NULL), MEXT_ERR_AUTH);
    ck_assert_int_eq(open_copy(&rx, frame, NULL), 0);
}
END_TEST

/* The length is authenticated: tag and body moved by one do not open. */
START_TEST(frame_length_bound)
{
    struct mext_seal tx = sender(), rx = receiver();
    uint8_t frame[ROOM];
    size_t len = seal(&tx, frame, 'x', 40);

    mext_store32(frame, (uint32_t)(len - MEXT_FRAME_HDR_LEN - 1));
    ck_assert_int_eq(open_copy(&rx, frame, NULL), MEXT_ERR_AUTH);
}
END_TEST

START_TEST(frame_limits)
{
    static const struct {
        uint32_t len;
        int rc;
    } cases[] = {
        { 0, MEXT_ERR_LIMIT },
        { 16, MEXT_ERR_LIMIT },
        { 17, 17 },
        { 1024, 1024 },
        { 1025, MEXT_ERR_LIMIT },
        { 0x7fffffff, MEXT_ERR_LIMIT },
        { 0x80000000, MEXT_ERR_LIMIT },
        { UINT32_MAX, MEXT_ERR_LIMIT },
    };
    struct mext_seal tx = sender();
    uint8_t frame[ROOM] = { 0 }, tag[MEXT_TAG_LEN] = { 0 };
    size_t len = 77;

    for (size_t i = 0; i < COUNT(cases); i++) {
        mext_store32(frame, cases[i].len);
        ck_assert_int_eq(mext_frame_len(frame, MEXT_DATA_BODY_MAX),
                         cases[i].rc);
    }
    ck_assert_int_eq(mext_frame_seal(&tx, frame, 0, MEXT_DATA_BODY_MAX, &len),
                     MEXT_ERR_LIMIT);
    ck_assert_int_eq(
        mext_frame_seal(&tx, frame, 1009, MEXT_DATA_BODY_MAX, &len),
        MEXT_ERR_LIMIT);
    ck_assert_int_eq(mext_frame_open(&tx, tag, MEXT_TAG_LEN), MEXT_ERR_LIMIT);
    ck_assert_uint_eq(len, 77);
    ck_assert_uint_eq(tx.counter, 0);
}
END_TEST

/* ---- pages ---- */

START_TEST(page_round_trip)
{
    uint8_t plain[MEXT_PAGE_SIZE], sealed[MEXT_PAGE_SIZE + MEXT_TAG_LEN];
    struct mext_seal tx = sender(), rx = receiver(), late = receiver();

    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)(i * 7);
    ck_assert_int_eq(mext_page_seal(&tx, sealed, plain, MEXT_PAGE_SIZE), 0);
    late.counter = 1;
    ck_assert_int_eq(
        mext_page_open(&late, sealed, MEXT_PAGE_SIZE, sealed + MEXT_PAGE_SIZE),
        MEXT_ERR_AUTH);
    tx = sender();
    ck_assert_int_eq(mext_page_seal(&tx, sealed, plain, MEXT_PAGE_SIZE), 0);
    ck_assert_int_eq(
        mext_page_open(&rx, sealed, MEXT_PAGE_SIZE, sealed + MEXT_PAGE_SIZE),
        0);
    ck_assert(!memcmp(sealed, plain, sizeof(plain)));
    ck_assert_uint_eq(rx.counter, 1);
}
END_TEST

/* One flipped bit in each octet of a page and its tag. */
START_TEST(page_each_octet)
{
    static const uint8_t plain[MEXT_PAGE_SIZE];
    uint8_t sealed[MEXT_PAGE_SIZE + MEXT_TAG_LEN], copy[sizeof(sealed)];
    struct mext_seal tx = sender();

    ck_assert_int_eq(mext_page_seal(&tx, sealed, plain, MEXT_PAGE_SIZE), 0);
    for (size_t i = 0; i < sizeof(sealed); i++) {
        struct mext_seal rx = receiver();

        memcpy(copy, sealed, sizeof(copy));
        copy[i] ^= (uint8_t)(1 << i % 8);
        ck_assert_int_eq(
            mext_page_open(&rx, copy, MEXT_PAGE_SIZE, copy + MEXT_PAGE_SIZE),
            MEXT_ERR_AUTH);
    }
}
END_TEST

/* A page cannot pass for a frame nor a frame for a page: associated data. */
START_TEST(page_is_no_frame)
{
    static const uint8_t plain[MEXT_PAGE_SIZE];
    uint8_t sealed[MEXT_PAGE_SIZE + MEXT_TAG_LEN];
    struct mext_seal tx = sender(), rx = receiver();

    ck_assert_int_eq(mext_page_seal(&tx, sealed, plain, MEXT_PAGE_SIZE), 0);
    ck_assert_int_eq(mext_frame_open(&rx, sealed, sizeof(sealed)),
                     MEXT_ERR_AUTH);
}
END_TEST

/* ---- keys ---- */

START_TEST(same_keys_on_both_sides)
{
    static const char *const labels[] = { MEXT_KDF_DATA, MEXT_KDF_CONTROL };
    static const uint8_t dirs[] = { MEXT_DIR_TO_DEST, MEXT_DIR_TO_SOURCE };
    struct mext_seal seen[32];
    size_t n = 0;

    for (unsigned i = 0; i < 32; i++) {
        const char *label = labels[i & 1];
        uint8_t dir = dirs[i >> 1 & 1];
        uint16_t index = (uint16_t)(i >> 2);

        seen[n] = channel(FIX_SOURCE, label, dir, index);
        struct mext_seal other = channel(FIX_DEST, label, dir, index);

        ck_assert(!memcmp(seen[n].key, other.key, sizeof(other.key)));
        for (size_t j = 0; j < n; j++)
            ck_assert(memcmp(seen[n].key, seen[j].key, sizeof(other.key)));
        n++;
    }
}
END_TEST

/* The specification's formula, written once more with libsodium alone. */
START_TEST(key_formula)
{
    uint8_t ssk[32], spk[32], dsk[32], dpk[32], shared[32], text[256];
    uint8_t root[64], key[32], info[3] = { 0x44, 0x01, 0x02 };
    struct mext_seal s = channel(FIX_SOURCE, "xen-mext data v1", 0x44, 0x0102);
    size_t n = strlen("xen-mext data v1");

    fix_session(ssk, spk, FIX_SOURCE);
    fix_session(dsk, dpk, FIX_DEST);
    ck_assert_int_eq(crypto_scalarmult(shared, dsk, spk), 0);
    memcpy(text, "xen-mext data v1", n);
    fix_digest(text + n);
    memcpy(text + n + 32, spk, 32);
    memcpy(text + n + 64, dpk, 32);
    crypto_generichash(root, sizeof(root), text, n + 96, shared, 32);
    crypto_generichash(key, sizeof(key), info, sizeof(info), root,
                       sizeof(root));
    ck_assert(!memcmp(key, s.key, sizeof(key)));
}
END_TEST

/* Every input changes the root. */
START_TEST(root_inputs)
{
    uint8_t sk[32], pk[32], in[3][32];
    struct mext_root first, other;

    fix_session(sk, pk, FIX_SOURCE);
    memset(in, 7, sizeof(in));
    ck_assert_int_eq(
        mext_root_derive(&first, MEXT_KDF_DATA, sk, pk, in[0], in[1], in[2]),
        0);
    for (unsigned i = 0; i < 3; i++) {
        in[i][31] ^= 1;
        mext_root_derive(&other, MEXT_KDF_DATA, sk, pk, in[0], in[1], in[2]);
        ck_assert(memcmp(&first, &other, sizeof(first)));
        in[i][31] ^= 1;
    }
    mext_root_derive(&other, MEXT_KDF_CONTROL, sk, pk, in[0], in[1], in[2]);
    ck_assert(memcmp(&first, &other, sizeof(first)));
}
END_TEST

/* RFC 7748, 6.1 and 7: points that would make the secret known. */
START_TEST(low_order_peer)
{
    static const char *const points[] = {
        "00000000000000000000000000000000"
        "00000000000000000000000000000000",
        "01000000000000000000000000000000"
        "00000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46a"
        "da098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b"
        "04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffff7f",
    };
    uint8_t sk[32], pk[32], digest[32] = { 0 };

    fix_session(sk, pk, FIX_SOURCE);
    for (size_t i = 0; i < COUNT(points); i++) {
        struct mext_root r = { { 9 } };
        uint8_t peer[32];

        sodium_hex2bin(peer, 32, points[i], 64, NULL, NULL, NULL);
        ck_assert_int_eq(
            mext_root_derive(&r, MEXT_KDF_DATA, sk, peer, digest, pk, peer),
            MEXT_ERR_LIB);
        ck_assert_uint_eq(r.key[0], 9);
    }
}
END_TEST

/* ---- RFC 8439, A.5: a nonce that begins with four zero octets ---- */

static const char rfc_key[] =
    "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0";
static const char rfc_aad[] = "f33388860000000000004e91";
static const char rfc_tag[] = "eead9d67890cbb22392336fea1851f38";
static const char rfc_sealed[] =
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
    "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
    "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
    "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
    "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
    "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
    "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
    "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
    "a6ad5cb4022b02709b";
static const char rfc_text[] =
    "Internet-Drafts are draft documents valid for a maximum of six months "
    "and may be updated, replaced, or obsoleted by other documents at any "
    "time. It is inappropriate to use Internet-Drafts as reference material "
    "or to cite them other than as /\xe2\x80\x9cwork in progress./"
    "\xe2\x80\x9d";
#define RFC_LEN     (sizeof(rfc_text) - 1)
#define RFC_COUNTER 0x0102030405060708 /* above MEXT_OBJECTS_MAX */

static void unhex(const char *hex, uint8_t *out, size_t n)
{
    size_t got;

    ck_assert_int_eq(sodium_hex2bin(out, n, hex, strlen(hex), NULL, &got, NULL),
                     0);
    ck_assert_uint_eq(got, n);
}

static const struct mext_aead *libraries[2];

/* The primitive under mext_seal is the RFC's, whoever's it is. */
START_TEST(rfc_primitive)
{
    uint8_t key[32], aad[12], tag[16], sealed[RFC_LEN], nonce[12] = { 0 };
    uint8_t out[RFC_LEN], out_tag[16];

    unhex(rfc_key, key, sizeof(key));
    unhex(rfc_aad, aad, sizeof(aad));
    unhex(rfc_tag, tag, sizeof(tag));
    unhex(rfc_sealed, sealed, sizeof(sealed));
    mext_store64(nonce + 4, RFC_COUNTER);
    for (unsigned i = 0; i < COUNT(libraries); i++) {
        ck_assert_int_eq(libraries[i]->seal(out, out_tag,
                                            (const uint8_t *)rfc_text, RFC_LEN,
                                            aad, sizeof(aad), nonce, key),
                         0);
        ck_assert(!memcmp(out, sealed, sizeof(sealed)));
        ck_assert(!memcmp(out_tag, tag, sizeof(tag)));
        ck_assert_int_eq(libraries[i]->open(out, sizeof(out), tag, aad,
                                            sizeof(aad), nonce, key),
                         0);
        ck_assert(!memcmp(out, rfc_text, RFC_LEN));
    }
}
END_TEST

/* Of each length and with each length of associated data. */
START_TEST(libraries_agree)
{
    const uint8_t key[MEXT_AEAD_KEY] = { 7 };
    uint8_t plain[1100], out[2][1100], tag[2][MEXT_TAG_LEN], nonce[12] = { 0 };

    randombytes_buf(plain, sizeof(plain));
    for (size_t n = 1; n <= sizeof(plain); n++) {
        size_t nad = n % 7;

        mext_store64(nonce + 4, n);
        for (unsigned i = 0; i < COUNT(libraries); i++)
            ck_assert_int_eq(libraries[i]->seal(out[i], tag[i], plain, n, key,
                                                nad, nonce, key),
                             0);
        ck_assert(!memcmp(out[0], out[1], n));
        ck_assert(!memcmp(tag[0], tag[1], sizeof(tag[0])));
        for (unsigned i = 0; i < COUNT(libraries); i++) {
            ck_assert_int_eq(
                libraries[!i]->open(out[i], n, tag[i], key, nad, nonce, key),
                0);
            ck_assert(!memcmp(out[i], plain, n));
        }
    }
}
END_TEST

/* What does not open is seen by nobody. */
START_TEST(forged_is_not_shown)
{
    static const uint8_t text[64] = "what nobody has vouched for";
    const uint8_t key[MEXT_AEAD_KEY] = { 7 }, nonce[12] = { 9 };
    uint8_t sealed[sizeof(text)], tag[MEXT_TAG_LEN];

    for (unsigned i = 0; i < COUNT(libraries); i++) {
        libraries[i]->seal(sealed, tag, text, sizeof(text), NULL, 0, nonce,
                           key);
        tag[3] ^= 1;
        ck_assert_int_eq(libraries[i]->open(sealed, sizeof(sealed), tag, NULL,
                                            0, nonce, key),
                         MEXT_ERR_AUTH);
        for (size_t at = 0; at < sizeof(text); at++)
            ck_assert_msg(memcmp(sealed, text, at + 1), "by %s",
                          libraries[i]->name);
    }
}
END_TEST

/*
 * A frame is what that primitive makes of it, with four zero octets and the
 * counter for a nonce, which has all its octets here, and with the four octets
 * of the length as associated data.
 */
START_TEST(rfc_frame)
{
    const uint64_t counter = 0x0102030405;
    uint8_t frame[ROOM], other[RFC_LEN], tag[16], nonce[12] = { 0 };
    struct mext_seal s = { .counter = counter };
    size_t len;

    unhex(rfc_key, s.key, sizeof(s.key));
    memcpy(frame + MEXT_FRAME_HDR_LEN, rfc_text, RFC_LEN);
    ck_assert_int_eq(
        mext_frame_seal(&s, frame, RFC_LEN, MEXT_DATA_BODY_MAX, &len), 0);
    memcpy(nonce + 4, "\0\0\0\1\2\3\4\5", 8);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        other, tag, NULL, (const uint8_t *)rfc_text, RFC_LEN,
        (const uint8_t *)"\0\0\x01\x19", 4, NULL, nonce, s.key);
    ck_assert(!memcmp(frame + MEXT_FRAME_HDR_LEN, other, sizeof(other)));
    ck_assert(!memcmp(frame + MEXT_FRAME_HDR_LEN + RFC_LEN, tag, sizeof(tag)));
    ck_assert_uint_eq(s.counter, counter + 1);
}
END_TEST

/* ---- committed files ---- */

START_TEST(committed_frames)
{
    for (size_t i = 0; i < fix_ndata; i++) {
        uint8_t frame[ROOM], plain[MEXT_DATA_BODY_MAX];
        struct mext_seal to = receiver();
        struct mext_seal back = channel(FIX_SOURCE, MEXT_KDF_DATA,
                                        MEXT_DIR_TO_SOURCE, 0);
        struct mext_data m = { 0 }, r;
        char name[64];
        size_t n;

        fix_data[i].fill(&m);
        snprintf(name, sizeof(name), "frame-%s", fix_data[i].name);
        n = unit_vector(name, frame, sizeof(frame));
        ck_assert_int_eq(open_copy(m.type & 0x80 ? &back : &to, frame, plain),
                         0);
        ck_assert_int_eq(
            mext_data_decode(plain, n - MEXT_FRAME_HDR_LEN - MEXT_TAG_LEN, &r),
            0);
        ck_assert_int_eq(r.type, m.type);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { frame_round_trip,
                                   frame_each_bit,
                                   frame_order,
                                   key_is_used_up,
                                   frame_splice,
                                   frame_length_bound,
                                   frame_limits,
                                   page_round_trip,
                                   page_each_octet,
                                   page_is_no_frame,
                                   same_keys_on_both_sides,
                                   key_formula,
                                   root_inputs,
                                   low_order_peer,
                                   rfc_primitive,
                                   libraries_agree,
                                   forged_is_not_shown,
                                   rfc_frame,
                                   committed_frames,
                                   NULL };

    int result = 0;

    libraries[0] = &mext_aead_sodium;
    libraries[1] = mext_aead_openssl();
    if (!libraries[1]) {
        fprintf(stderr, "OpenSSL has no ChaCha20-Poly1305\n");
        return 1;
    }
    for (unsigned i = 0; i < COUNT(libraries); i++) {
        mext_seal_by(libraries[i]);
        result |= unit_main(unit_suite(libraries[i]->name, tests));
    }
    return result;
}
