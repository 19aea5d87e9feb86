/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packed pages: what is packed comes back, anything else is refused; what
 * --compress takes; a packer's frames.
 */
#include <check.h>
#include <sodium.h>
#include <string.h>

#include "mext_cache.h"
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

static _Alignas(8) uint8_t old[MEXT_PAGE_SIZE], new[MEXT_PAGE_SIZE];

/* Deltas of none, some and too many words, at each place. */
START_TEST(deltas)
{
    uint8_t delta[MEXT_DELTA_MAX];

    for (unsigned i = 0; i < 2000; i++) {
        unsigned many = i % 150, n;

        randombytes_buf(old, sizeof(old));
        memcpy(new, old, sizeof(new));
        for (unsigned j = 0; j < many; j++) {
            unsigned at = i & 1 ? j + i % 300 : randombytes_uniform(512);

            new[at * 8 + j % 8] ^= (uint8_t)(1 + j % 255);
        }
        n = mext_delta(old, new, delta);
        ck_assert_uint_le(n, MEXT_DELTA_MAX);
        if (many < 90)
            ck_assert_uint_ge(n, 8);
        if (!n)
            continue;
        ck_assert_int_eq(mext_unpack_delta(old, delta, n), 0);
        ck_assert_mem_eq(old, new, sizeof(new));
        ck_assert_int_eq(mext_unpack_delta(old, delta, n - 1), MEXT_ERR_FORMAT);
    }
    memset(old, 1, sizeof(old));
    memset(new, 2, sizeof(new));
    ck_assert_uint_eq(mext_delta(old, new, delta), 0);
}
END_TEST

/* Runs that are none, touch, go back, or leave the page. */
START_TEST(wrong_deltas)
{
    static const struct {
        uint16_t first, second;
        bool right;
    } cases[] = {
        { 0 << 7 | 1, 2 << 7 | 1, true },    { 0 << 7 | 1, 1 << 7 | 1, false },
        { 5 << 7 | 1, 5 << 7 | 1, false },   { 5 << 7 | 1, 3 << 7 | 1, false },
        { 9 << 7 | 0, 20 << 7 | 1, false },  { 0 << 7 | 1, 511 << 7 | 1, true },
        { 0 << 7 | 1, 511 << 7 | 2, false },
    };

    for (unsigned i = 0; i < COUNT(cases); i++) {
        uint8_t delta[MEXT_DELTA_MAX];
        struct mext_buf b;

        memset(old, 0, sizeof(old));
        mext_buf_init(&b, delta, sizeof(delta));
        mext_put64(&b, mext_page_sum(old)); /* words of zero change nothing */
        mext_put16(&b, cases[i].first);
        for (unsigned j = 0; j < (cases[i].first & 127u); j++)
            mext_put64(&b, 0);
        mext_put16(&b, cases[i].second);
        for (unsigned j = 0; j < (cases[i].second & 127u); j++)
            mext_put64(&b, 0);
        ck_assert_int_eq(mext_unpack_delta(old, delta, (unsigned)b.pos),
                         cases[i].right ? 0 : MEXT_ERR_FORMAT);
        old[77] ^= 1;
        ck_assert_int_eq(mext_unpack_delta(old, delta, (unsigned)b.pos),
                         MEXT_ERR_FORMAT);
    }
    for (unsigned n = 0; n < 8; n++)
        ck_assert_int_eq(mext_unpack_delta(old, new, n), MEXT_ERR_FORMAT);
}
END_TEST

/* Remembers what was sent last, of two gfns with one place the last. */
START_TEST(caches)
{
    struct mext_cache *c = mext_cache_new(8);
    uint8_t delta[MEXT_DELTA_MAX];

    ck_assert_ptr_nonnull(c);
    memset(new, 1, sizeof(new));
    ck_assert_uint_eq(mext_cache_send(c, 3, new, delta), 0);
    ck_assert_uint_eq(mext_cache_send(c, 3, new, delta), 8);
    new[9] = 2;
    ck_assert_uint_eq(mext_cache_send(c, 3, new, delta), 8 + 2 + 8);
    mext_cache_drop(c, 11);
    ck_assert_uint_eq(mext_cache_send(c, 3, new, delta), 8);
    mext_cache_drop(c, 3);
    ck_assert_uint_eq(mext_cache_send(c, 3, new, delta), 0);
    ck_assert_uint_eq(mext_cache_send(c, 11, new, delta), 0);
    ck_assert_uint_eq(mext_cache_send(c, 3, new, delta), 0);
    mext_cache_free(c);
    mext_cache_free(NULL);
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

/* What the receiver has, by place in the frame. */
static _Alignas(8) uint8_t had[MEXT_PAGES_DATA_MAX][MEXT_PAGE_SIZE];

/* The frame as mstrap takes it; and it can be encoded. */
static void receive(const struct mext_data *d, const uint8_t **list, unsigned n)
{
    uint8_t *at[MEXT_BATCH_PAGES], body[MEXT_DATA_BODY_MAX];
    unsigned members = 0;
    struct mext_buf b;

    mext_buf_init(&b, body, sizeof(body) - MEXT_TAG_LEN);
    ck_assert_int_eq(mext_data_encode(d, &b), 0);
    for (unsigned i = 0; i < n; i++) {
        unsigned len = d->u.pages.len[i], coding = d->u.pages.coding[i];

        if (coding == MEXT_CODING_DELTA) {
            ck_assert_int_eq(mext_unpack_delta(had[i], list[i], len), 0);
            continue;
        }
        memcpy(had[i], list[i], len);
        if (coding == MEXT_CODING_ZSTD)
            at[members++] = had[i];
        if (coding == MEXT_CODING_LZ4)
            ck_assert_int_eq(mext_unpack(had[i], len), 0);
    }
    if (members)
        ck_assert_int_eq(mext_unpack_batch(at, members, d->u.pages.batch), 0);
}

static void check_received(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_mem_eq(had[i], pages[i % MEXT_BATCH_PAGES], MEXT_PAGE_SIZE);
}

static struct mext_packer packer(const char *how)
{
    struct mext_packing packing;
    struct mext_packer p;

    ck_assert(mext_packing_parse(how, &packing));
    ck_assert_int_eq(mext_packer_init(&p, &packing), 0);
    return p;
}

/* Each way to pack, over frames of each size and of changing content. */
START_TEST(packers)
{
    static const char *const how[] = { "auto", "none", "lz4", "zstd:1" };
    const uint8_t *list[MEXT_PAGES_DATA_MAX];
    struct mext_packer p = packer(how[_i]);
    struct mext_data d;

    for (unsigned i = 0; i < 200; i++) {
        unsigned room = mext_packer_room(&p), n = i % (room + 1);

        ck_assert_uint_le(room, MEXT_PAGES_DATA_MAX);
        fill_pages((uint8_t)i, MEXT_BATCH_PAGES);
        for (unsigned j = 0; j < i % 40 && j < MEXT_BATCH_PAGES; j++)
            randombytes_buf(pages[j], MEXT_PAGE_SIZE);
        frame(&d, list, n);
        mext_packer_frame(&p, &d, list);
        receive(&d, list, n);
        check_received(n);
        mext_packer_sent(&p, n * 1000 + 1, i);
    }
    ck_assert_int_eq(p.packed > 0, p.packing.by != MEXT_PACK_NONE);
    if (p.packing.by == MEXT_PACK_ZSTD)
        ck_assert_uint_gt(p.zstd, 0);
    ck_assert_uint_eq(p.delta, 0);
    mext_packer_free(&p);
}
END_TEST

/* Where nothing shrinks most frames go as they are; what does is noticed soon. */
START_TEST(nothing_shrinks)
{
    static const char *const how[] = { "lz4", "zstd:3" };
    const uint8_t *list[MEXT_PAGES_DATA_MAX];
    struct mext_packer p = packer(how[_i]);
    struct mext_data d;
    unsigned until = 0;

    for (unsigned j = 0; j < MEXT_BATCH_PAGES; j++)
        randombytes_buf(pages[j], MEXT_PAGE_SIZE);
    for (unsigned i = 0; i < 400; i++) {
        mext_packer_room(&p);
        frame(&d, list, MEXT_BATCH_PAGES);
        mext_packer_frame(&p, &d, list);
        receive(&d, list, MEXT_BATCH_PAGES);
        check_received(MEXT_BATCH_PAGES);
    }
    ck_assert_uint_eq(p.packed, 0);
    fill_pages(1, MEXT_BATCH_PAGES);
    while (!p.packed) {
        ck_assert_uint_lt(until++, 16);
        mext_packer_room(&p);
        frame(&d, list, MEXT_BATCH_PAGES);
        mext_packer_frame(&p, &d, list);
        receive(&d, list, MEXT_BATCH_PAGES);
        check_received(MEXT_BATCH_PAGES);
    }
    ck_assert_uint_gt(until, 8); /* it was not looked at each time */
    mext_packer_free(&p);
}
END_TEST

/* A guest that writes here and there, all over pages, and zeros some. */
static void write_some(struct mext_data *d, const uint8_t **list, unsigned i)
{
    unsigned n = 0;

    for (unsigned j = 0; j < MEXT_BATCH_PAGES; j++) {
        if (j % 4 == i % 4)
            pages[j][i % MEXT_PAGE_SIZE] ^= 1;
        if (j == i % MEXT_BATCH_PAGES)
            randombytes_buf(pages[j], MEXT_PAGE_SIZE);
    }
    frame(d, list, MEXT_BATCH_PAGES);
    for (unsigned j = 0; j < MEXT_BATCH_PAGES; j++)
        if ((j + i) % 13)
            list[n++] = pages[j];
        else
            mext_map_set(d->u.pages.map, 2 * j, MEXT_MAP_ZERO);
    d->u.pages.ndata = (uint16_t)n;
}

/* As receive, but what a place in the map stands for may be any page. */
static void receive_some(const struct mext_data *d, const uint8_t **list)
{
    static _Alignas(8) uint8_t has[MEXT_BATCH_PAGES][MEXT_PAGE_SIZE];
    unsigned n = 0, which[MEXT_BATCH_PAGES];

    for (unsigned j = 0; j < MEXT_BATCH_PAGES; j++) {
        if (mext_map_get(d->u.pages.map, 2 * j) == MEXT_MAP_ZERO) {
            memset(has[j], 0, MEXT_PAGE_SIZE);
            continue;
        }
        memcpy(had[n], has[j], MEXT_PAGE_SIZE);
        which[n++] = j;
    }
    receive(d, list, n);
    for (unsigned k = 0; k < n; k++) {
        ck_assert_mem_eq(had[k], pages[which[k]], MEXT_PAGE_SIZE);
        memcpy(has[which[k]], had[k], MEXT_PAGE_SIZE);
    }
}

/* Pages sent again and again; `again` is not always known. */
START_TEST(changes)
{
    static const char *const how[] = { "auto", "lz4", "zstd:3" };
    const uint8_t *list[MEXT_PAGES_DATA_MAX];
    struct mext_packer p = packer(how[_i]);
    struct mext_data d;

    p.cache = mext_cache_new(50); /* less than the frames' gfns */
    ck_assert_ptr_nonnull(p.cache);
    fill_pages(1, MEXT_BATCH_PAGES);
    for (unsigned i = 0; i < 500; i++) {
        mext_packer_room(&p);
        p.again = i % 7 != 3;
        write_some(&d, list, i);
        mext_packer_frame(&p, &d, list);
        receive_some(&d, list);
        mext_packer_sent(&p, 10000, 0);
    }
    ck_assert_uint_gt(p.delta, 1000);
    ck_assert_uint_lt(p.delta, 500 * MEXT_BATCH_PAGES);
    mext_cache_free(p.cache);
    mext_packer_free(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { deltas,
                                   wrong_deltas,
                                   caches,
                                   round_trip,
                                   incompressible,
                                   wrong_length,
                                   random_blocks,
                                   batches,
                                   wrong_batches,
                                   words,
                                   incompressible_batch,
                                   NULL };
    Suite *s = unit_suite("pack", tests);
    TCase *c = tcase_create("packers");

    tcase_add_loop_test(c, packers, 0, 4);
    tcase_add_loop_test(c, nothing_shrinks, 0, 2);
    tcase_add_loop_test(c, changes, 0, 3);
    suite_add_tcase(s, c);
    return unit_main(s);
}
