/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Thinning of stock streams: the right pages lose their data, everything else
 * goes through as it is, however the bytes arrive.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mext_steady.h"
#include "mext_thin.h"
#include "unit.h"

#define ROOM (1u << 20)

/* A growing run of bytes. */
struct bytes {
    uint8_t *p;
    size_t n;
};

static struct bytes in, out;
static struct mext_thin thin;
static uint64_t bitmap[2];
static unsigned asked;
static size_t at_ask; /* bytes out when it was asked */

static void put(struct bytes *b, const void *p, size_t n)
{
    ck_assert_uint_le(b->n + n, ROOM);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put32(struct bytes *b, uint32_t v)
{
    put(b, &v, sizeof(v));
}

static void put64(struct bytes *b, uint64_t v)
{
    put(b, &v, sizeof(v));
}

static int take(void *arg, const void *p, size_t n)
{
    put(&out, p, n);
    return 0;
}

/* gfns 1, 3, 5 and 70 are free. */
static void ask(void *arg, uint64_t *bits, uint64_t ngfns)
{
    ck_assert_uint_eq(ngfns, 128);
    asked++;
    at_ask = out.n;
    bits[0] = 1u << 1 | 1u << 3 | 1u << 5;
    bits[1] = 1u << 6;
}

static void setup(void)
{
    in = (struct bytes){ malloc(ROOM), 0 };
    out = (struct bytes){ malloc(ROOM), 0 };
    memset(&thin, 0, sizeof(thin));
    memset(bitmap, 0, sizeof(bitmap));
    asked = 0;
    thin.out = take;
    thin.ask = ask;
    thin.bitmap = bitmap;
    thin.ngfns = 128;
}

static void teardown(void)
{
    free(in.p);
    free(out.p);
}

/* xl's header with data behind, libxl's, a record, then libxc's. */
static void begin(struct bytes *b, uint32_t type)
{
    put(b, "Xen saved domain, xl format\n \0 \r", 32);
    put32(b, 0x01020304);
    put32(b, 3);
    put32(b, 0);
    put32(b, 5);
    put(b, "{ } \n", 5);
    put(b, "LibxlFmt\0\0\0\2\0\0\0", 16);
    put32(b, 2); /* some record, padded */
    put32(b, 3);
    put(b, "abc\0\0\0\0", 8);
    put32(b, 1); /* libxc's part */
    put32(b, 0);
    put64(b, ~0ull);
    put(b, "XENF\0\0\0\3\0\0\0\0\0\0\0", 16);
    put32(b, type);
    put(b, "\x0c\0\0\0\4\0\0\0\x11\0\0\0", 12);
    put32(b, 0x10); /* static data end */
    put32(b, 0);
}

/* Entries: gfn and type; data where the type is 0. */
static void batch(struct bytes *b, unsigned n, const uint64_t *entry,
                  uint8_t fill)
{
    uint8_t page[4096];
    uint32_t data = 0;

    for (unsigned i = 0; i < n; i++)
        data += entry[i] >> 60 == 0;
    put32(b, 1);
    put32(b, 8 + 8 * n + 4096 * data);
    put32(b, n);
    put32(b, 0);
    put(b, entry, 8 * n);
    for (unsigned i = 0; i < n; i++)
        if (entry[i] >> 60 == 0) {
            memset(page, (uint8_t)(fill + entry[i]), sizeof(page));
            put(b, page, sizeof(page));
        }
}

static void end(struct bytes *b)
{
    put32(b, 0); /* libxc's */
    put32(b, 0);
    put32(b, 0); /* libxl's */
    put32(b, 0);
    put(b, "\1go on with what is not a record at all", 40);
}

static void feed(size_t piece)
{
    for (size_t i = 0; i < in.n; i += piece)
        ck_assert_int_eq(mext_thin_feed(&thin, in.p + i,
                                        in.n - i < piece ? in.n - i : piece),
                         0);
}

static void same(const struct bytes *want)
{
    ck_assert_uint_eq(out.n, want->n);
    ck_assert(!memcmp(out.p, want->p, want->n));
}

#define X (14ull << 60) /* to be populated */
#define N (15ull << 60) /* no page */

/* Two batches of the first iteration, one of the second, in each piece size. */
START_TEST(free_pages)
{
    static const size_t pieces[] = { 1, 7, 8, 4095, 4096, 4097, ROOM };
    const uint64_t first[] = { 0, 1, N | 2, 3, 4 }, more[] = { 5, 69, 70, 71 };
    const uint64_t first_out[] = { 0, X | 1, N | 2, X | 3, 4 };
    const uint64_t more_out[] = { X | 5, 69, X | 70, 71 };
    const uint64_t again[] = { 1, 3, 70 };
    struct bytes want = { malloc(ROOM), 0 };

    begin(&in, 2);
    begin(&want, 2);
    batch(&in, 5, first, 1);
    batch(&want, 5, first_out, 1);
    batch(&in, 4, more, 2);
    batch(&want, 4, more_out, 2);
    batch(&in, 3, again, 3);
    batch(&want, 3, again, 3);
    end(&in);
    end(&want);
    for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        feed(pieces[i]);
        same(&want);
        ck_assert_uint_eq(asked, 1);
        ck_assert_uint_eq(thin.pages, 4);
        ck_assert_ptr_null(thin.odd);
        ck_assert(thin.ended);
        free(out.p);
        struct bytes kept = in;
        setup();
        free(in.p);
        in = kept;
    }
    free(want.p);
}
END_TEST

/* Written after it was called free: its data goes, whatever came before. */
START_TEST(only_the_first_iteration)
{
    const uint64_t first[] = { 0, 2, 4 }, second[] = { 1, 3, 5, 70 };

    begin(&in, 2);
    batch(&in, 3, first, 1);
    batch(&in, 4, second, 2);
    end(&in);
    feed(ROOM);
    same(&in);
    ck_assert_uint_eq(thin.pages, 0);
}
END_TEST

/* The question is put when a batch has come, and none of it has gone on. */
START_TEST(asked_in_time)
{
    const uint64_t first[] = { 0, 1 };
    size_t before;

    begin(&in, 2);
    before = in.n;
    feed(ROOM);
    ck_assert_uint_eq(asked, 0);
    in.n = 0;
    batch(&in, 2, first, 1);
    feed(ROOM);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(at_ask, before);
}
END_TEST

/* All that is not understood goes through. */
static void unchanged(const char *odd)
{
    end(&in);
    feed(ROOM);
    same(&in);
    ck_assert_ptr_nonnull(thin.odd);
    ck_assert(!thin.ended);
    ck_assert_msg(strstr(thin.odd, odd), "%s", thin.odd);
    ck_assert_uint_eq(thin.pages, 0);
}

START_TEST(not_understood)
{
    static const struct {
        size_t at;
        const char *odd;
    } row[] = {
        { 0, "as xl's" },       { 32, "as xl's" },      { 36, "old streams" },
        { 53, "libxl's part" }, { 93, "libxc's part" }, { 101, "libxc's part" },
        { 117, "PV guest" },
    };
    const uint64_t first[] = { 0, 1 };

    begin(&in, 2);
    in.p[row[_i].at] = in.p[row[_i].at] == 3 ? 1 : 0x7e;
    batch(&in, 2, first, 1);
    unchanged(row[_i].odd);
}
END_TEST

START_TEST(odd_batch)
{
    const uint64_t first[] = { 0, 1 };
    size_t at;

    begin(&in, 2);
    at = in.n;
    batch(&in, 2, first, 1);
    if (_i == 0)
        in.p[at + 4] += 8; /* its length */
    else if (_i == 1)
        in.p[at + 8 + 3] = 1; /* its count */
    else
        in.p[at + 16 + 8 + 7] = 0x10; /* a page table in a PVH guest */
    unchanged("batch");
}
END_TEST

/* A batch without entries, and one too short to have a count. */
START_TEST(empty_batches)
{
    const uint64_t first[] = { 0, 2 };

    begin(&in, 2);
    batch(&in, 0, NULL, 0);
    put32(&in, 1);
    put32(&in, 0);
    batch(&in, 2, first, 1);
    end(&in);
    feed(3);
    same(&in);
    ck_assert_ptr_null(thin.odd);
}
END_TEST

static int refuse(void *arg, const void *p, size_t n)
{
    return -5;
}

START_TEST(no_taker)
{
    begin(&in, 2);
    thin.out = refuse;
    ck_assert_int_eq(mext_thin_feed(&thin, in.p, in.n), -5);
}
END_TEST

/* What libxl writes by itself, for receiver dom0. */
START_TEST(bare)
{
    static const uint64_t entries[] = { 0, 1, 2 }, again[] = { 1 };
    static const uint64_t thinned[] = { 0, 1 | X, 2 };
    struct bytes want = { malloc(ROOM), 0 };

    begin(&in, 2);
    in.n -= 53; /* xl's header and its data */
    memmove(in.p, in.p + 53, in.n);
    put(&want, in.p, in.n);
    batch(&in, 3, entries, 7);
    batch(&in, 1, again, 9);
    end(&in);
    batch(&want, 3, thinned, 7);
    batch(&want, 1, again, 9);
    end(&want);
    thin.bare = true;
    feed(11);
    same(&want);
    ck_assert_uint_eq(thin.pages, 1);
    ck_assert_uint_eq(thin.kept, 3);
    ck_assert_uint_eq(thin.iterations, 2);
    ck_assert_ptr_null(thin.odd);
    free(want.p);
}
END_TEST

/* What it has less is no matter, and then counts. */
START_TEST(steady)
{
    static const struct {
        uint64_t pages;
        int rc;
    } counts[] = { { 100, 0 }, { 100, 0 }, { 90, 0 }, { 91, -1 }, { 91, 0 } };
    struct mext_why why;
    uint64_t size = 0;

    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct mext_dom_state now = { .pages = counts[i].pages };

        ck_assert_int_eq(mext_steady(&now, &size, &why), counts[i].rc);
    }
    ck_assert_ptr_nonnull(strstr(why.text, "memory was given to the guest"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { free_pages,    only_the_first_iteration,
                                   asked_in_time, empty_batches,
                                   no_taker,      bare,
                                   steady,        NULL };
    Suite *s = unit_suite_in("thin", tests, setup, teardown);
    TCase *rows = tcase_create("rows");

    tcase_add_checked_fixture(rows, setup, teardown);
    tcase_add_loop_test(rows, not_understood, 0, 7);
    tcase_add_loop_test(rows, odd_batch, 0, 3);
    suite_add_tcase(s, rows);
    return unit_main(s);
}
