/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_codec: what is written is read back; everything else is refused. */
#include <string.h>

#include "codec_case.h"

/* Encodes fix_data[i] into body; its length. */
static size_t data_body(size_t i, struct mext_data *m)
{
    struct mext_buf b;

    memset(m, 0, sizeof(*m));
    fix_data[i].fill(m);
    mext_buf_init(&b, body, sizeof(body));
    ck_assert_int_eq(mext_data_encode(m, &b), 0);
    return b.pos;
}

static size_t ctl_body(size_t i, struct mext_ctl *m)
{
    struct mext_buf b;

    memset(m, 0, sizeof(*m));
    fix_ctl[i].fill(m);
    mext_buf_init(&b, body, sizeof(body));
    ck_assert_int_eq(mext_ctl_encode(m, &b), 0);
    return b.pos;
}

/* ---- every message ---- */

START_TEST(data_round_trip)
{
    for (size_t i = 0; i < fix_ndata; i++) {
        struct mext_data m, r;
        struct mext_buf b;
        size_t n = data_body(i, &m);

        ck_assert_int_eq(mext_data_decode(body, n, &r), 0);
        ck_assert_int_eq(r.type, m.type);
        if (m.type == MEXT_DATA_PAGES)
            ck_assert_uint_eq(r.u.pages.ndata, m.u.pages.ndata);
        mext_buf_init(&b, again, n);
        ck_assert_int_eq(mext_data_encode(&r, &b), 0);
        ck_assert_msg(b.pos == n && !memcmp(body, again, n), "%s",
                      fix_data[i].name);
    }
}
END_TEST

START_TEST(ctl_round_trip)
{
    for (size_t i = 0; i < fix_nctl; i++) {
        struct mext_ctl m, r;
        struct mext_buf b;
        size_t n = ctl_body(i, &m);

        ck_assert_int_eq(mext_ctl_decode(body, n, &r), 0);
        ck_assert_int_eq(r.type, m.type);
        mext_buf_init(&b, again, n);
        ck_assert_int_eq(mext_ctl_encode(&r, &b), 0);
        ck_assert_msg(b.pos == n && !memcmp(body, again, n), "%s",
                      fix_ctl[i].name);
    }
}
END_TEST

/* A body with its tag fits the frame of its channel. */
START_TEST(bodies_fit)
{
    struct mext_data d;
    struct mext_ctl c;

    for (size_t i = 0; i < fix_ndata; i++)
        ck_assert_uint_le(data_body(i, &d) + MEXT_TAG_LEN, MEXT_DATA_BODY_MAX);
    for (size_t i = 0; i < fix_nctl; i++)
        ck_assert_uint_le(ctl_body(i, &c) + MEXT_TAG_LEN,
                          MEXT_CONTROL_BODY_MAX);
}
END_TEST

START_TEST(data_truncated)
{
    struct mext_data m;

    for (size_t i = 0; i < fix_ndata; i++)
        for (size_t n = data_body(i, &m); n--;)
            data_refused(n, MEXT_ERR_FORMAT);
}
END_TEST

/* Of long bodies every length near the ends, and some between. */
START_TEST(ctl_truncated)
{
    struct mext_ctl m;

    for (size_t i = 0; i < fix_nctl; i++) {
        size_t all = ctl_body(i, &m);

        for (size_t n = 0; n < all; n++)
            if (n < 700 || all - n < 200 || n % 8191 == 0)
                ctl_refused(n, MEXT_ERR_FORMAT);
    }
}
END_TEST

START_TEST(trailing_byte)
{
    struct mext_data d;
    struct mext_ctl c;

    for (size_t i = 0; i < fix_ndata; i++) {
        size_t n = data_body(i, &d);

        body[n] = 0;
        data_refused(n + 1, MEXT_ERR_FORMAT);
    }
    for (size_t i = 0; i < fix_nctl; i++) {
        size_t n = ctl_body(i, &c);

        body[n] = 0;
        ctl_refused(n + 1, MEXT_ERR_FORMAT);
    }
}
END_TEST

START_TEST(no_room)
{
    struct mext_data d;
    struct mext_buf b;
    struct mext_ctl c;

    for (size_t i = 0; i < fix_ndata; i++)
        for (size_t n = data_body(i, &d); n--;) {
            mext_buf_init(&b, again, n);
            ck_assert_int_eq(mext_data_encode(&d, &b), MEXT_ERR_FULL);
        }
    for (size_t i = 0; i < fix_nctl; i++) {
        mext_buf_init(&b, again, ctl_body(i, &c) - 1);
        ck_assert_int_eq(mext_ctl_encode(&c, &b), MEXT_ERR_FULL);
    }
}
END_TEST

static bool known_data(unsigned type)
{
    for (size_t i = 0; i < fix_ndata; i++) {
        struct mext_data m = { 0 };

        fix_data[i].fill(&m);
        if (m.type == type)
            return true;
    }
    return false;
}

static bool known_ctl(unsigned type)
{
    for (size_t i = 0; i < fix_nctl; i++) {
        struct mext_ctl m = { 0 };

        fix_ctl[i].fill(&m);
        if (m.type == type)
            return true;
    }
    return false;
}

START_TEST(unknown_types)
{
    struct mext_data d = { 0 };
    struct mext_ctl c = { 0 };
    struct mext_buf b;
    int ndata = 0, nctl = 0;

    for (unsigned type = 0; type < 256; type++) {
        memset(body, 0, 64);
        body[0] = d.type = c.type = (uint8_t)type;
        mext_buf_init(&b, again, sizeof(again));
        if (known_data(type)) {
            ndata++;
        } else {
            data_refused(1, MEXT_ERR_FORMAT);
            data_refused(33, MEXT_ERR_FORMAT);
            ck_assert_int_eq(mext_data_encode(&d, &b), MEXT_ERR_FORMAT);
        }
        if (known_ctl(type)) {
            nctl++;
        } else {
            ctl_refused(1, MEXT_ERR_FORMAT);
            ctl_refused(33, MEXT_ERR_FORMAT);
            ck_assert_int_eq(mext_ctl_encode(&c, &b), MEXT_ERR_FORMAT);
        }
    }
    ck_assert_int_eq(ndata, 7);
    ck_assert_int_eq(nctl, 19);
}
END_TEST

/* ---- texts ---- */

/* A body of type, code (if any), length and n octets of c. */
static size_t put_text_body(unsigned type, bool code, unsigned n, int c)
{
    struct mext_buf b;

    mext_buf_init(&b, body, sizeof(body));
    mext_put8(&b, (uint8_t)type);
    if (code)
        mext_put16(&b, MEXT_E_INTERNAL);
    mext_put16(&b, (uint16_t)n);
    memset(body + b.pos, c, n);
    return b.pos + n;
}

START_TEST(texts_printable)
{
    struct mext_data d;
    struct mext_ctl c;

    for (int ch = 0; ch < 256; ch++) {
        bool good = ch >= 0x20 && ch <= 0x7e;
        size_t n = put_text_body(MEXT_DATA_ERROR, true, 3, ch);

        ck_assert_int_eq(mext_data_decode(body, n, &d) == 0, good);
        n = put_text_body(MEXT_CTL_STEP, false, 3, ch);
        ck_assert_int_eq(mext_ctl_decode(body, n, &c) == 0, good);
        n = put_text_body(MEXT_CTL_ABORT, true, 3, ch);
        ck_assert_int_eq(mext_ctl_decode(body, n, &c) == 0, good);
    }
}
END_TEST

START_TEST(texts_too_long)
{
    data_refused(put_text_body(MEXT_DATA_ERROR, true, 513, 'x'), 0);
    ctl_refused(put_text_body(MEXT_CTL_STEP, false, 513, 'x'), 0);
    ctl_refused(put_text_body(MEXT_CTL_ABORT, true, 513, 'x'), 0);
}
END_TEST

START_TEST(texts_not_written)
{
    static const char long_text[MEXT_TEXT_MAX + 2] = { [0] = ' ' };
    struct mext_ctl m = { .type = MEXT_CTL_STEP };
    struct mext_buf b;

    m.u.step.text = "a\nb";
    m.u.step.len = 3;
    mext_buf_init(&b, again, sizeof(again));
    ck_assert_int_lt(mext_ctl_encode(&m, &b), 0);
    m.u.step.text = long_text;
    m.u.step.len = MEXT_TEXT_MAX + 1;
    mext_buf_init(&b, again, sizeof(again));
    ck_assert_int_lt(mext_ctl_encode(&m, &b), 0);
}
END_TEST

/* ---- limits of CONFIG and FINAL ---- */

struct ctl_limit {
    unsigned json, leaves, msrs, context;
};

static const struct ctl_limit limits[] = {
    { MEXT_CONFIG_JSON_MAX + 1, 0, 0, 0 },
    { 0, MEXT_LEAVES_MAX + 1, 0, 0 },
    { 0, 0, MEXT_MSRS_MAX + 1, 0 },
    { UINT32_MAX, 0, 0, 0 },
    { 0, UINT32_MAX, 0, 0 },
    { 0, 0, UINT32_MAX, 0 },
    /* 24 or 16 times this is 2^32: nothing at all in 32 bits */
    { 0, 0x80000000, 0, 0 },
    { 0, 0, 0x10000000, 0 },
};

static size_t put_config(const struct ctl_limit *l)
{
    struct mext_buf b;

    memset(body, 0, sizeof(body));
    mext_buf_init(&b, body, sizeof(body));
    mext_put8(&b, MEXT_CTL_CONFIG);
    mext_put64(&b, 1);
    mext_put32(&b, 0x40011);
    mext_put32(&b, l->json);
    b.pos += l->json < sizeof(body) / 2 ? l->json : 0;
    mext_put32(&b, l->leaves);
    b.pos += l->leaves <= MEXT_LEAVES_MAX + 1 ? l->leaves * 24 : 0;
    mext_put32(&b, l->msrs);
    b.pos += l->msrs <= MEXT_MSRS_MAX + 1 ? l->msrs * 16 : 0;
    return b.pos;
}

START_TEST(config_limits)
{
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct mext_ctl m = { .type = MEXT_CTL_CONFIG };
        struct mext_buf b;

        ctl_refused(put_config(&limits[i]), MEXT_ERR_LIMIT);
        m.u.config.json = m.u.config.leaves = m.u.config.msrs = again;
        m.u.config.json_len = limits[i].json;
        m.u.config.nleaves = limits[i].leaves;
        m.u.config.nmsrs = limits[i].msrs;
        mext_buf_init(&b, body, sizeof(body));
        ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
    }
}
END_TEST

START_TEST(final_limit)
{
    struct mext_ctl m = { .type = MEXT_CTL_FINAL };
    struct mext_buf b;
    size_t n;

    for (size_t i = 0; i < fix_nctl; i++)
        if (!strcmp(fix_ctl[i].name, "final-full")) {
            n = ctl_body(i, &m);
            mext_store32(body + n - MEXT_CONTEXT_MAX - 4, MEXT_CONTEXT_MAX + 1);
            ctl_refused(n + 1, MEXT_ERR_LIMIT);
        }
    ck_assert_uint_eq(m.u.final.context_len, MEXT_CONTEXT_MAX);
    m.u.final.context_len++;
    mext_buf_init(&b, again, sizeof(again));
    ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
}
END_TEST

START_TEST(evidence_limits)
{
    static const struct {
        uint16_t attest, sig;
    } cases[] = { { 0, 1 },
                  { 1, 0 },
                  { MEXT_ATTEST_MAX + 1, 1 },
                  { 1, MEXT_TPMSIG_MAX + 1 },
                  { 0xffff, 0xffff } };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mext_ctl m = { .type = MEXT_CTL_EVIDENCE };
        struct mext_buf b;

        memset(body, 0, sizeof(body));
        mext_buf_init(&b, body, sizeof(body));
        mext_put8(&b, MEXT_CTL_EVIDENCE);
        mext_put16(&b, cases[i].attest);
        b.pos += cases[i].attest;
        mext_put16(&b, cases[i].sig);
        ctl_refused(b.pos + cases[i].sig, MEXT_ERR_LIMIT);
        m.u.evidence.attest = m.u.evidence.sig = body;
        m.u.evidence.attest_len = cases[i].attest;
        m.u.evidence.sig_len = cases[i].sig;
        mext_buf_init(&b, again, sizeof(again));
        ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
    }
}
END_TEST

START_TEST(stream_limits)
{
    static const uint32_t lens[] = { 0, MEXT_STREAM_MAX + 1, 0xffffffff };
    struct mext_ctl m = { .type = MEXT_CTL_ENDED };
    struct mext_buf b;

    for (size_t i = 0; i < COUNT(lens); i++) {
        memset(body, 0, sizeof(body));
        mext_buf_init(&b, body, sizeof(body));
        mext_put8(&b, MEXT_CTL_STREAM);
        mext_put32(&b, lens[i]);
        if (lens[i] < sizeof(body) - b.pos)
            ctl_refused(b.pos + lens[i], MEXT_ERR_LIMIT);
    }
    m.u.ended.report_ms = MEXT_REPORT_MS_MAX + 1;
    mext_buf_init(&b, again, sizeof(again));
    ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
    m.type = MEXT_CTL_STREAM;
    m.u.stream.bytes = body;
    for (size_t i = 0; i < COUNT(lens); i++) {
        m.u.stream.len = lens[i];
        mext_buf_init(&b, again, sizeof(again));
        ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
    }
    for (uint32_t n = 0; n < 20; n++) { /* none, or not less than it was */
        m.type = MEXT_CTL_PACKED;
        m.u.packed.bytes = body;
        m.u.packed.len = n ? n : 1;
        m.u.packed.n = n;
        mext_buf_init(&b, again, sizeof(again));
        ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
        memset(body, 0, sizeof(body));
        body[0] = MEXT_CTL_PACKED;
        mext_store32(body + 1, m.u.packed.len);
        mext_store32(body + 5, n);
        ctl_refused(9 + n, MEXT_ERR_LIMIT);
    }
    for (uint32_t n = 0; n < 20; n++) { /* none, or more than it was */
        m.type = MEXT_CTL_PIECE;
        m.u.piece.bytes = body;
        m.u.piece.len = n ? n - 1 : 1;
        m.u.piece.n = n;
        mext_buf_init(&b, again, sizeof(again));
        ck_assert_int_eq(mext_ctl_encode(&m, &b), MEXT_ERR_LIMIT);
        memset(body, 0, sizeof(body));
        body[0] = MEXT_CTL_PIECE;
        mext_store32(body + 9, m.u.piece.len);
        mext_store32(body + 13, n);
        ctl_refused(17 + n, MEXT_ERR_LIMIT);
    }
    memset(body, 0, sizeof(body));
    body[0] = MEXT_CTL_PIECE; /* unpacked it would be too long */
    mext_store32(body + 9, MEXT_STREAM_MAX + 1);
    mext_store32(body + 13, 1);
    ctl_refused(18, MEXT_ERR_LIMIT);
    memset(body, 0, 13);
    body[0] = MEXT_CTL_ENDED;
    body[12] = 1;
    body[11] = 0xff; /* report ms */
    ctl_refused(13, MEXT_ERR_LIMIT);
}
END_TEST

/* ---- OPEN ---- */

START_TEST(open_fields)
{
    static const struct {
        unsigned index, count;
        int rc;
    } cases[] = {
        { 0, 1, 0 },
        { 15, 16, 0 },
        { 0, 0, MEXT_ERR_LIMIT },
        { 1, 1, MEXT_ERR_LIMIT },
        { 0, 17, MEXT_ERR_LIMIT },
        { 16, 16, MEXT_ERR_LIMIT },
        { 0xffff, 16, MEXT_ERR_LIMIT },
        { 0, 0xffff, MEXT_ERR_LIMIT },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mext_open o = { { 1, 2 },
                               (uint16_t)cases[i].index,
                               (uint16_t)cases[i].count },
                         r;
        uint8_t bytes[MEXT_OPEN_LEN];

        ck_assert_int_eq(mext_open_encode(&o, bytes), 0);
        memset(&r, 0xa5, sizeof(r));
        ck_assert_int_eq(mext_open_decode(bytes, &r), cases[i].rc);
        ck_assert_int_eq(!memcmp(&o, &r, sizeof(o)), !cases[i].rc);
    }
}
END_TEST

START_TEST(open_magic)
{
    struct mext_open o = { { 0 }, 0, 1 };
    uint8_t bytes[MEXT_OPEN_LEN];

    for (unsigned bit = 0; bit < 64; bit++) {
        mext_open_encode(&o, bytes);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(mext_open_decode(bytes, &o), MEXT_ERR_FORMAT);
    }
}
END_TEST

/* ---- JOIN ---- */

START_TEST(join_fields)
{
    static const struct {
        unsigned index, count;
        int rc;
    } cases[] = {
        { 1, 2, 0 },
        { 15, 16, 0 },
        { 0, 0, MEXT_ERR_LIMIT },
        { 0, 1, MEXT_ERR_LIMIT },
        { 0, 2, MEXT_ERR_LIMIT }, /* the control connection */
        { 1, 1, MEXT_ERR_LIMIT },
        { 2, 2, MEXT_ERR_LIMIT },
        { 1, 17, MEXT_ERR_LIMIT },
        { 16, 16, MEXT_ERR_LIMIT },
        { 0xffff, 16, MEXT_ERR_LIMIT },
        { 1, 0xffff, MEXT_ERR_LIMIT },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mext_open o = { { 1, 2 },
                               (uint16_t)cases[i].index,
                               (uint16_t)cases[i].count },
                         r;
        uint8_t bytes[MEXT_JOIN_LEN];

        ck_assert_int_eq(mext_join_encode(&o, bytes), 0);
        memset(&r, 0xa5, sizeof(r));
        ck_assert_int_eq(mext_join_decode(bytes, &r), cases[i].rc);
        ck_assert_int_eq(!memcmp(&o, &r, sizeof(o)), !cases[i].rc);
        ck_assert_int_eq(mext_open_decode(bytes, &r), MEXT_ERR_FORMAT);
    }
}
END_TEST

START_TEST(join_magic)
{
    struct mext_open o = { { 0 }, 1, 2 };
    uint8_t bytes[MEXT_JOIN_LEN];

    for (unsigned bit = 0; bit < 64; bit++) {
        mext_join_encode(&o, bytes);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(mext_join_decode(bytes, &o), MEXT_ERR_FORMAT);
    }
}
END_TEST

/* ---- cursor and small records ---- */

START_TEST(cursor_sticks)
{
    uint8_t raw[4] = { 1, 2, 3, 4 }, out[2] = { 9, 9 };
    struct mext_buf b;

    mext_buf_init(&b, raw, sizeof(raw));
    ck_assert_uint_eq(mext_get16(&b), 0x0102);
    ck_assert_int_eq(mext_buf_end(&b), MEXT_ERR_FORMAT);
    ck_assert_uint_eq(mext_get32(&b), 0);
    ck_assert(b.bad);
    ck_assert_uint_eq(mext_get8(&b), 0);
    ck_assert_ptr_null(mext_view(&b, 0));
    mext_get(&b, out, sizeof(out));
    ck_assert_uint_eq(out[0] | out[1], 0);
    mext_put8(&b, 9);
    ck_assert_uint_eq(raw[2], 3);
    ck_assert_uint_eq(b.pos, 2);
    ck_assert_int_eq(mext_buf_end(&b), MEXT_ERR_FORMAT);
}
END_TEST

START_TEST(cursor_huge_length)
{
    uint8_t raw[4] = { 0 };
    struct mext_buf b;

    mext_buf_init(&b, raw, sizeof(raw));
    mext_get8(&b);
    ck_assert_ptr_null(mext_view(&b, SIZE_MAX));
    ck_assert_uint_eq(b.pos, 1);
}
END_TEST

START_TEST(big_endian)
{
    static const uint8_t want[15] = { 1, 2,  3,  4,  5,  6,  7, 8,
                                      9, 10, 11, 12, 13, 14, 15 };
    uint8_t raw[15];
    struct mext_buf b;

    mext_buf_init(&b, raw, sizeof(raw));
    mext_put64(&b, 0x0102030405060708);
    mext_put32(&b, 0x090a0b0c);
    mext_put16(&b, 0x0d0e);
    mext_put8(&b, 0x0f);
    ck_assert_int_eq(mext_buf_end(&b), 0);
    ck_assert(!memcmp(raw, want, sizeof(raw)));
    ck_assert_uint_eq(mext_load32(raw + 8), 0x090a0b0c);
    mext_store64(raw, 0x0807060504030201);
    ck_assert_uint_eq(raw[0], 8);
}
END_TEST

START_TEST(leaf_and_msr)
{
    struct mext_leaf l = { 1, 2, 3, 4, 5, 0xfffffffe }, l2;
    struct mext_msr m = { 0x10a, 0, UINT64_MAX - 1 }, m2;
    uint8_t leaves[48] = { 0 }, msrs[32] = { 0 };

    mext_leaf_put(leaves, 1, &l);
    mext_leaf_get(leaves, 1, &l2);
    ck_assert(!memcmp(&l, &l2, sizeof(l)));
    mext_msr_put(msrs, 1, &m);
    mext_msr_get(msrs, 1, &m2);
    ck_assert(!memcmp(&m, &m2, sizeof(m)));
    ck_assert_uint_eq(leaves[23] | msrs[15], 0);
}
END_TEST

START_TEST(reasons)
{
    for (unsigned code = 0; code < 64; code++) {
        bool known = code >= MEXT_E_INTERNAL && code <= MEXT_E_REFUSED;

        ck_assert_int_eq(strcmp(mext_reason(code), "unknown reason") != 0,
                         known);
    }
    ck_assert_str_eq(mext_reason(UINT32_MAX), "unknown reason");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { data_round_trip,
                                   ctl_round_trip,
                                   bodies_fit,
                                   data_truncated,
                                   ctl_truncated,
                                   trailing_byte,
                                   no_room,
                                   unknown_types,
                                   texts_printable,
                                   texts_too_long,
                                   texts_not_written,
                                   config_limits,
                                   final_limit,
                                   evidence_limits,
                                   stream_limits,
                                   open_fields,
                                   open_magic,
                                   join_fields,
                                   join_magic,
                                   cursor_sticks,
                                   cursor_huge_length,
                                   big_endian,
                                   leaf_and_msr,
                                   reasons,
                                   NULL };

    return unit_main(unit_suite("codec", tests));
}
