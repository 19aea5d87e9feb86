/* SPDX-License-Identifier: GPL-2.0-only */
/* Packed pages: what is packed comes back, anything else is refused. */
#include <check.h>
#include <sodium.h>
#include <string.h>

#include "mext_pack.h"
#include "unit.h"

static uint8_t page[MEXT_PAGE_SIZE], again[MEXT_PAGE_SIZE];

static void random_page(uint8_t seed)
{
    uint8_t key[32] = { seed };

    randombytes_buf_deterministic(page, sizeof(page), key);
}

/* The first n octets random, the rest zero. */
START_TEST(round_trip)
{
    unsigned packed = 0;

    for (unsigned n = 0; n <= MEXT_PAGE_SIZE; n += 64) {
        uint8_t out[MEXT_PACKED_MAX];
        unsigned len;

        random_page((uint8_t)(n / 64));
        memset(page + n, 0, MEXT_PAGE_SIZE - n);
        len = mext_pack(page, out);
        ck_assert_uint_le(len, MEXT_PACKED_MAX);
        if (!len)
            continue;
        packed++;
        memcpy(again, out, len);
        memset(again + len, 0xee, MEXT_PAGE_SIZE - len);
        ck_assert_int_eq(mext_unpack(again, len), 0);
        ck_assert_mem_eq(again, page, MEXT_PAGE_SIZE);
    }
    ck_assert_uint_gt(packed, 50);
}
END_TEST

START_TEST(incompressible)
{
    uint8_t out[MEXT_PACKED_MAX];

    random_page(1);
    ck_assert_uint_eq(mext_pack(page, out), 0);
}
END_TEST

/* Each shorter block, and one longer, is not exactly a page. */
START_TEST(wrong_length)
{
    uint8_t out[MEXT_PACKED_MAX + 1] = { 0 };
    unsigned len;

    random_page(2);
    memset(page + 1000, 0, MEXT_PAGE_SIZE - 1000);
    len = mext_pack(page, out);
    ck_assert_uint_gt(len, 0);
    for (unsigned n = 0; n <= len + 1; n++) {
        memset(again, 0, sizeof(again));
        memcpy(again, out, n);
        ck_assert_int_eq(mext_unpack(again, n), n == len ? 0 : MEXT_ERR_FORMAT);
    }
    ck_assert_int_eq(mext_unpack(again, MEXT_PACKED_MAX + 1), MEXT_ERR_LIMIT);
}
END_TEST

/* Any octets: never beyond the page (the sanitizers watch). */
START_TEST(random_blocks)
{
    unsigned pages = 0;

    for (unsigned i = 0; i < 20000; i++) {
        unsigned n = i % MEXT_PACKED_MAX + 1;

        randombytes_buf(again, n);
        if (i & 1)
            again[0] |= 0x0f;
        pages += !mext_unpack(again, n);
    }
    ck_assert_uint_lt(pages, 20000);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { round_trip, incompressible, wrong_length,
                                   random_blocks, NULL };

    return unit_main(unit_suite("pack", tests));
}
