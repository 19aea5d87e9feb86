/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packed pages: what is packed comes back, anything else is refused; what
 * --compress takes; a packer's frames.
 */
#include <check.h>
#include <sodium.h>
#include <string.h>

#include "mext_pack.h"
#include "mext_unpack.h"
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

static uint8_t pages[MEXT_BATCH_PAGES][MEXT_PAGE_SIZE];
static uint8_t arrived[MEXT_BATCH_PAGES][MEXT_PAGE_SIZE];
static uint8_t out[MEXT_BATCH_MAX];

/* Pages of text-like octets, others for each seed. */
static void fill_pages(uint8_t seed, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        random_page((uint8_t)(seed + i));
        for (unsigned j = 0; j < MEXT_PAGE_SIZE; j++)
            pages[i][j] = page[j] & 7;
    }
}

/* Puts the pieces where they arrive; every other place if `apart`. */
static void arrive(uint8_t **at, unsigned n, uint32_t bytes, bool apart)
{
    memset(arrived, 0xee, sizeof(arrived));
    for (unsigned i = 0; i < n; i++) {
        at[i] = arrived[apart ? n - 1 - i : i];
        memcpy(at[i], out + (size_t)i * MEXT_PAGE_SIZE,
               mext_batch_piece(bytes, i));
    }
}

START_TEST(batches)
{
    uint8_t *at[MEXT_BATCH_PAGES];
    void *context = NULL;

    for (unsigned n = 1; n <= MEXT_BATCH_PAGES; n++)
        for (int apart = 0; apart < 2; apart++) {
            uint32_t bytes;

            fill_pages((uint8_t)n, n);
            bytes = mext_pack_batch(&context, (int)(n % 19) + 1, pages[0], n,
                                    out);
            ck_assert_uint_gt(bytes, 0);
            ck_assert_uint_le(bytes, n * MEXT_PACKED_MAX);
            arrive(at, n, bytes, apart);
            ck_assert_int_eq(mext_unpack_batch(at, n, bytes), 0);
            for (unsigned i = 0; i < n; i++)
                ck_assert_mem_eq(at[i], pages[i], MEXT_PAGE_SIZE);
        }
    mext_pack_batch_end(context);
    mext_unpack_forget();
}
END_TEST

/* Octets that are none, too few, and for more or fewer pages. */
START_TEST(wrong_batches)
{
    uint8_t *at[MEXT_BATCH_PAGES];
    void *context = NULL;
    uint32_t bytes;

    fill_pages(1, 8);
    bytes = mext_pack_batch(&context, 3, pages[0], 8, out);
    mext_pack_batch_end(context);
    arrive(at, MEXT_BATCH_PAGES, bytes, false);
    for (unsigned n = 1; n <= 9; n++) {
        arrive(at, MEXT_BATCH_PAGES, bytes, n & 1);
        ck_assert_int_eq(mext_unpack_batch(at, n, bytes),
                         n == 8                       ? 0
                         : n * MEXT_PAGE_SIZE < bytes ? MEXT_ERR_LIMIT
                                                      : MEXT_ERR_FORMAT);
    }
    for (uint32_t n = 0; n < bytes; n += 7) {
        arrive(at, 8, n, false);
        ck_assert_int_eq(mext_unpack_batch(at, 8, n), MEXT_ERR_FORMAT);
    }
    ck_assert_int_eq(mext_unpack_batch(at, 0, 1), MEXT_ERR_LIMIT);
    ck_assert_int_eq(mext_unpack_batch(at, MEXT_BATCH_PAGES + 1, 1),
                     MEXT_ERR_LIMIT);
    ck_assert_int_eq(
        mext_unpack_batch(at, MEXT_BATCH_PAGES, MEXT_BATCH_MAX + 1),
        MEXT_ERR_LIMIT);
}
END_TEST

START_TEST(incompressible_batch)
{
    void *context = NULL;

    for (unsigned i = 0; i < 4; i++) {
        random_page((uint8_t)i);
        memcpy(pages[i], page, MEXT_PAGE_SIZE);
    }
    ck_assert_uint_eq(mext_pack_batch(&context, 3, pages[0], 4, out), 0);
    mext_pack_batch_end(context);
}
END_TEST

START_TEST(words)
{
    static const char *const bad[] = { "",        "lz",      "lz4:1",
                                       "auto:3",  "zstd:",   "zstd:0",
                                       "zstd:20", "zstd:+3", "zstd:3x",
                                       "zstdx",   "LZ4",     ":" };
    struct mext_packing p = { .by = MEXT_PACK_LZ4, .level = 77 };

    for (unsigned i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!mext_packing_parse(bad[i], &p), "%s", bad[i]);
    ck_assert_int_eq(p.level, 77);
    ck_assert(mext_packing_parse("auto", &p) && p.by == MEXT_PACK_AUTO);
    ck_assert(mext_packing_parse("none", &p) && p.by == MEXT_PACK_NONE);
    ck_assert(mext_packing_parse("lz4", &p) && p.by == MEXT_PACK_LZ4);
    ck_assert(mext_packing_parse("zstd", &p) && p.by == MEXT_PACK_ZSTD);
    ck_assert_int_eq(p.level, 3);
    ck_assert(mext_packing_parse("zstd:1", &p) && p.level == 1);
    ck_assert(mext_packing_parse("zstd:19", &p) && p.level == 19);
}
END_TEST

/* n pages with content, every other gfn, in a frame. */
static void frame(struct mext_data *d, const uint8_t **list, unsigned n)
{
    memset(d, 0, sizeof(*d));
    d->type = MEXT_DATA_PAGES;
    d->u.pages.span = (uint16_t)(2 * n);
    d->u.pages.ndata = (uint16_t)n;
    for (unsigned i = 0; i < n; i++) {
        mext_map_set(d->u.pages.map, 2 * i, MEXT_MAP_DATA);
        list[i] = pages[i % MEXT_BATCH_PAGES];
    }
}

/* What the frame says is what is in it, and can be encoded. */
static void check_frame(const struct mext_data *d, const uint8_t **list,
                        unsigned n)
{
    uint8_t *at[MEXT_BATCH_PAGES], body[MEXT_DATA_BODY_MAX];
    unsigned members = 0, from[MEXT_BATCH_PAGES];
    struct mext_buf b;

    mext_buf_init(&b, body, sizeof(body) - MEXT_TAG_LEN);
    ck_assert_int_eq(mext_data_encode(d, &b), 0);
    for (unsigned i = 0; i < n; i++) {
        unsigned len = d->u.pages.len[i];

        if (d->u.pages.coding[i] == MEXT_CODING_ZSTD) {
            at[members] = arrived[members];
            memcpy(arrived[members], list[i], len);
            from[members++] = i;
            continue;
        }
        memcpy(again, list[i], len);
        if (d->u.pages.coding[i] == MEXT_CODING_LZ4)
            ck_assert_int_eq(mext_unpack(again, len), 0);
        ck_assert_mem_eq(again, pages[i % MEXT_BATCH_PAGES], MEXT_PAGE_SIZE);
    }
    if (members)
        ck_assert_int_eq(mext_unpack_batch(at, members, d->u.pages.batch), 0);
    for (unsigned i = 0; i < members; i++)
        ck_assert_mem_eq(arrived[i], pages[from[i]], MEXT_PAGE_SIZE);
}

/* Each way to pack, over frames of each size and of changing content. */
START_TEST(packers)
{
    static const char *const how[] = { "auto", "none", "lz4", "zstd:1" };
    const uint8_t *list[MEXT_PAGES_DATA_MAX];
    struct mext_packing packing;
    struct mext_packer p;
    struct mext_data d;

    ck_assert(mext_packing_parse(how[_i], &packing));
    ck_assert_int_eq(mext_packer_init(&p, &packing), 0);
    for (unsigned i = 0; i < 200; i++) {
        unsigned room = mext_packer_room(&p), n = i % (room + 1);

        ck_assert_uint_le(room, MEXT_PAGES_DATA_MAX);
        fill_pages((uint8_t)i, MEXT_BATCH_PAGES);
        for (unsigned j = 0; j < i % 40 && j < MEXT_BATCH_PAGES; j++)
            randombytes_buf(pages[j], MEXT_PAGE_SIZE);
        frame(&d, list, n);
        mext_packer_frame(&p, &d, list);
        check_frame(&d, list, n);
        mext_packer_sent(&p, n * 1000 + 1, i);
    }
    ck_assert_int_eq(p.packed > 0, packing.by != MEXT_PACK_NONE);
    ck_assert_int_eq(p.zstd > 0,
                     packing.by == MEXT_PACK_ZSTD ||
                         (packing.by == MEXT_PACK_AUTO && p.zstd > 0));
    mext_packer_free(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { round_trip,   incompressible,
                                   wrong_length, random_blocks,
                                   batches,      wrong_batches,
                                   words,        incompressible_batch,
                                   NULL };
    Suite *s = unit_suite("pack", tests);
    TCase *c = tcase_create("packers");

    tcase_add_loop_test(c, packers, 0, 4);
    suite_add_tcase(s, c);
    return unit_main(s);
}
