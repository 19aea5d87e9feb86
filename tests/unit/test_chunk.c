/* SPDX-License-Identifier: GPL-2.0-only */
/* Pieces of a stream come back as they were, or not at all. */
#include <check.h>
#include <string.h>

#include "mext_chunk.h"
#include "unit.h"

static uint8_t raw[MEXT_STREAM_MAX], packed[MEXT_STREAM_MAX],
    back[MEXT_STREAM_MAX + 1];

/* Half of it is the same, the rest does not pack. */
static void fill(uint32_t n)
{
    uint32_t x = 1;

    for (uint32_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        raw[i] = i % 4096 < 2048 ? 7 : (uint8_t)(x >> 24);
    }
}

START_TEST(there_and_back)
{
    static const uint32_t sizes[] = { 100, 4096, 65537, MEXT_STREAM_MAX };

    for (size_t i = 0; i < COUNT(sizes); i++) {
        uint32_t n = sizes[i], len;

        fill(n);
        len = mext_chunk_pack(raw, n, packed);
        ck_assert_uint_gt(len, 0);
        ck_assert_uint_lt(len, n);
        ck_assert_int_eq(mext_chunk_unpack(packed, len, back, n), 0);
        ck_assert(!memcmp(raw, back, n));
        /* neither longer nor shorter, nor cut */
        ck_assert_int_eq(mext_chunk_unpack(packed, len, back, n - 1),
                         MEXT_ERR_FORMAT);
        ck_assert_int_eq(mext_chunk_unpack(packed, len, back, n + 1),
                         MEXT_ERR_FORMAT);
        ck_assert_int_eq(mext_chunk_unpack(packed, len - 1, back, n),
                         MEXT_ERR_FORMAT);
    }
}
END_TEST

/* Such a piece is sent as it is. */
START_TEST(does_not_shrink)
{
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof(raw); i++) {
        x = x * 1664525 + 1013904223;
        raw[i] = (uint8_t)(x >> 24);
    }
    ck_assert_uint_eq(mext_chunk_pack(raw, sizeof(raw), packed), 0);
    ck_assert_uint_eq(mext_chunk_pack(raw, 1, packed), 0);
    ck_assert_uint_eq(mext_chunk_pack(raw, 8, packed), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { there_and_back, does_not_shrink, NULL };

    return unit_main(unit_suite("chunk", tests));
}
