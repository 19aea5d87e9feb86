/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_codec_data: the two messages about gfns, PAGES and ABSENT. */
#include <string.h>

#include "codec_case.h"

/* ---- PAGES ---- */

struct pages_case {
    uint64_t base;
    unsigned span;
    int rc;
};

static size_t put_pages_head(uint64_t base, unsigned span)
{
    struct mext_buf b;

    memset(body, 0, 1024);
    mext_buf_init(&b, body, sizeof(body));
    mext_put8(&b, MEXT_DATA_PAGES);
    mext_put64(&b, base);
    mext_put16(&b, (uint16_t)span);
    return b.pos;
}

START_TEST(pages_ranges)
{
    static const struct pages_case cases[] = {
        { 0, 1, 0 },
        { 0, 1024, 0 },
        { MEXT_GFN_MAX, 1, 0 },
        { MEXT_GFN_MAX - 1023, 1024, 0 },
        { 0, 0, MEXT_ERR_LIMIT },
        { 0, 1025, MEXT_ERR_LIMIT },
        { 0, 0xffff, MEXT_ERR_LIMIT },
        { MEXT_GFN_MAX, 2, MEXT_ERR_LIMIT },
        { MEXT_GFN_MAX + 1, 1, MEXT_ERR_LIMIT },
        { MEXT_GFN_MAX - 1022, 1024, MEXT_ERR_LIMIT },
        { UINT64_MAX, 1, MEXT_ERR_LIMIT },
        { UINT64_MAX, 2, MEXT_ERR_LIMIT },
        { UINT64_MAX - 1022, 1024, MEXT_ERR_LIMIT },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = put_pages_head(cases[i].base, cases[i].span);
        struct mext_data m;

        n += (cases[i].span + 3) / 4;
        if (cases[i].rc)
            data_refused(n, cases[i].rc);
        else
            ck_assert_int_eq(mext_data_decode(body, n, &m), 0);
    }
}
END_TEST

/* Each value at each place, and each unused pair of bits not zero. */
START_TEST(pages_map)
{
    for (unsigned span = 1; span <= 9; span++)
        for (unsigned i = 0; i < (span + 3) / 4 * 4; i++)
            for (unsigned v = 1; v <= 3; v++) {
                size_t n = put_pages_head(0, span);
                struct mext_data m;

                mext_map_set(body + n, i, v);
                n += (span + 3) / 4;
                if (i >= span) {
                    data_refused(n, MEXT_ERR_FORMAT);
                    continue;
                }
                if (v == MEXT_MAP_PACKED) {
                    body[n++] = MEXT_CODING_LZ4 << 4 | 1;
                    body[n++] = 2;
                }
                ck_assert_int_eq(mext_data_decode(body, n, &m), 0);
                ck_assert_uint_eq(mext_map_get(m.u.pages.map, i), v);
                ck_assert_uint_eq(m.u.pages.ndata, v >= MEXT_MAP_DATA);
                if (v >= MEXT_MAP_DATA)
                    ck_assert_uint_eq(m.u.pages.len[0],
                                      v == MEXT_MAP_DATA ? 4096 : 0x102);
            }
}
END_TEST

static void put_word(size_t at, unsigned word)
{
    body[at] = (uint8_t)(word >> 8);
    body[at + 1] = (uint8_t)word;
}

/* Codings and their lengths: bounds, one octet too few, one too many. */
START_TEST(pages_codings)
{
    static const struct {
        uint16_t word;
        int rc;
    } cases[] = {
        { 0x3007, MEXT_ERR_LIMIT },
        { 0x3008, 0 },
        { 0x3000 | MEXT_DELTA_MAX, 0 },
        { 0x3000 | (MEXT_DELTA_MAX + 1), MEXT_ERR_LIMIT },
        { 0x1000, MEXT_ERR_LIMIT },
        { 0x1001, 0 },
        { 0x1000 | MEXT_PACKED_MAX, 0 },
        { 0x1000 | (MEXT_PACKED_MAX + 1), MEXT_ERR_LIMIT },
        { 0x2001, MEXT_ERR_LIMIT }, /* the batch has no length here */
        { 0x0001, MEXT_ERR_LIMIT },
        { 0x4008, MEXT_ERR_LIMIT },
        { UINT16_MAX, MEXT_ERR_LIMIT },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = put_pages_head(7, 2);
        struct mext_data m = { 0 };
        struct mext_buf b;

        body[n++] = MEXT_MAP_PACKED | MEXT_MAP_PACKED << 2;
        put_word(n, 0x1009);
        put_word(n + 2, cases[i].word);
        n += 4;
        if (cases[i].rc) {
            data_refused(n, cases[i].rc);
            continue;
        }
        ck_assert_int_eq(mext_data_decode(body, n, &m), 0);
        ck_assert_uint_eq(m.u.pages.len[0], 9);
        ck_assert_uint_eq(m.u.pages.len[1], cases[i].word & 0xfff);
        ck_assert_uint_eq(m.u.pages.coding[1], cases[i].word >> 12);
        ck_assert_uint_eq(m.u.pages.batch, 0);
        data_refused(n - 1, MEXT_ERR_FORMAT);
        data_refused(n - 2, MEXT_ERR_FORMAT);
        data_refused(n + 1, MEXT_ERR_FORMAT);
        m.u.pages.len[1] = 0;
        mext_buf_init(&b, again, sizeof(again));
        ck_assert_int_eq(mext_data_encode(&m, &b), MEXT_ERR_LIMIT);
    }
}
END_TEST

/* A batch of so many pages in `body`; its octets. */
static size_t put_batch(unsigned pages, uint32_t bytes)
{
    size_t n = put_pages_head(7, pages);

    for (unsigned i = 0; i < pages; i++)
        mext_map_set(body + n, i, MEXT_MAP_PACKED);
    n += (pages + 3) / 4;
    for (unsigned i = 0; i < pages; i++, n += 2)
        put_word(n, MEXT_CODING_ZSTD << 12);
    mext_store32(body + n, bytes);
    return n + 4;
}

/* A batch's size: bounds, and less than its pages. */
START_TEST(pages_batches)
{
    static const struct {
        unsigned pages;
        uint32_t bytes;
        int rc;
    } cases[] = {
        { 1, 0, MEXT_ERR_LIMIT },
        { 1, 1, 0 },
        { 1, MEXT_PAGE_SIZE - 1, 0 },
        { 1, MEXT_PAGE_SIZE, MEXT_ERR_LIMIT },
        { 3, MEXT_PAGE_SIZE + 1, 0 },
        { MEXT_BATCH_PAGES, MEXT_BATCH_MAX, 0 },
        { MEXT_BATCH_PAGES, MEXT_BATCH_MAX + 1, MEXT_ERR_LIMIT },
        { MEXT_BATCH_PAGES, UINT32_MAX, MEXT_ERR_LIMIT },
        { MEXT_BATCH_PAGES + 1, 100, MEXT_ERR_LIMIT },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = put_batch(cases[i].pages, cases[i].bytes);
        struct mext_data m = { 0 };
        uint32_t sum = 0;

        if (cases[i].rc) {
            data_refused(n, cases[i].rc);
            continue;
        }
        ck_assert_int_eq(mext_data_decode(body, n, &m), 0);
        ck_assert_uint_eq(m.u.pages.batch, cases[i].bytes);
        for (unsigned j = 0; j < cases[i].pages; j++) {
            ck_assert_uint_eq(m.u.pages.coding[j], MEXT_CODING_ZSTD);
            ck_assert_uint_le(m.u.pages.len[j], MEXT_PAGE_SIZE);
            sum += m.u.pages.len[j];
        }
        ck_assert_uint_eq(sum, cases[i].bytes);
        for (unsigned j = 1; j <= 4; j++)
            data_refused(n - j, MEXT_ERR_FORMAT);
        data_refused(n + 1, MEXT_ERR_FORMAT);
    }
}
END_TEST

START_TEST(pages_one_too_many)
{
    size_t n = put_pages_head(0, MEXT_PAGES_SPAN_MAX);

    for (unsigned i = 0; i <= MEXT_PAGES_DATA_MAX; i++)
        mext_map_set(body + n, i * 15, MEXT_MAP_DATA);
    data_refused(n + MEXT_PAGES_SPAN_MAX / 4, MEXT_ERR_LIMIT);
}
END_TEST

START_TEST(map_accessors)
{
    uint8_t map[2] = { 0xff, 0xff };

    mext_map_set(map, 1, MEXT_MAP_DATA);
    mext_map_set(map, 4, MEXT_MAP_NONE);
    ck_assert_uint_eq(map[0], 0xfb);
    ck_assert_uint_eq(map[1], 0xfc);
    ck_assert_uint_eq(mext_map_get(map, 0), 3);
    ck_assert_uint_eq(mext_map_get(map, 1), MEXT_MAP_DATA);
    ck_assert_uint_eq(mext_map_get(map, 4), MEXT_MAP_NONE);
}
END_TEST

/* ---- ABSENT ---- */

struct extent_case {
    uint64_t gfn;
    uint32_t count;
    int rc;
};

START_TEST(absent_ranges)
{
    static const struct extent_case cases[] = {
        { 0, 1, 0 },
        { MEXT_GFN_MAX, 1, 0 },
        { 0, MEXT_GFN_MAX + 1, 0 },
        { 5, 0, MEXT_ERR_LIMIT },
        { MEXT_GFN_MAX, 2, MEXT_ERR_LIMIT },
        { MEXT_GFN_MAX + 1, 1, MEXT_ERR_LIMIT },
        { 1, MEXT_GFN_MAX + 1, MEXT_ERR_LIMIT },
        { UINT64_MAX, 1, MEXT_ERR_LIMIT },
        { UINT64_MAX, UINT32_MAX, MEXT_ERR_LIMIT },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mext_data m;
        struct mext_buf b;

        mext_buf_init(&b, body, sizeof(body));
        mext_put8(&b, MEXT_DATA_ABSENT);
        mext_put16(&b, 1);
        mext_put64(&b, cases[i].gfn);
        mext_put32(&b, cases[i].count);
        if (cases[i].rc)
            data_refused(b.pos, cases[i].rc);
        else
            ck_assert_int_eq(mext_data_decode(body, b.pos, &m), 0);
    }
}
END_TEST

START_TEST(absent_one_too_many)
{
    struct mext_data m = { .type = MEXT_DATA_ABSENT };
    struct mext_buf b;

    mext_buf_init(&b, body, sizeof(body));
    mext_put8(&b, MEXT_DATA_ABSENT);
    mext_put16(&b, MEXT_ABSENT_MAX + 1);
    for (unsigned i = 0; i <= MEXT_ABSENT_MAX; i++) {
        mext_put64(&b, i);
        mext_put32(&b, 1);
    }
    data_refused(b.pos, MEXT_ERR_LIMIT);
    m.u.absent.n = MEXT_ABSENT_MAX + 1;
    mext_buf_init(&b, again, sizeof(again));
    ck_assert_int_eq(mext_data_encode(&m, &b), MEXT_ERR_LIMIT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pages_ranges,  pages_map,           pages_codings,
        pages_batches, pages_one_too_many,  map_accessors,
        absent_ranges, absent_one_too_many, NULL
    };

    return unit_main(unit_suite("codec_data", tests));
}
