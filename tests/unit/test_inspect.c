/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stock streams before libxl gets them: what libxl writes passes, however the
 * bytes arrive, and nothing else does.
 */
#include <check.h>
#include <string.h>

#include "mext_inspect.h"
#include "unit.h"

#define ROOM (1u << 19)
#define X    (14ull << 60) /* XALLOC: no data */
#define T4   (4ull << 60)  /* a page table of a PV guest's */
#define PIN  (8ull << 60)

static uint8_t in[ROOM];
static size_t n;

static void put(const void *p, size_t len)
{
    ck_assert_uint_le(n + len, ROOM);
    if (p)
        memcpy(in + n, p, len);
    else
        memset(in + n, 0, len);
    n += len;
}

static void put32(uint32_t v)
{
    put(&v, sizeof(v));
}

static void put64(uint64_t v)
{
    put(&v, sizeof(v));
}

/* A record of zeros, padded. */
static void record(uint32_t type, uint32_t len)
{
    put32(type);
    put32(len);
    put(NULL, (len + 7) / 8 * 8);
}

static void libxl_header(void)
{
    n = 0;
    put("LibxlFmt\0\0\0\2\0\0\0\0", 16);
}

static void libxc_header(uint32_t type)
{
    record(1, 0);
    put64(~0ull);
    put("XENF\0\0\0\3\0\0\0\0\0\0\0\0", 16);
    put32(type);
    put("\x0c\0\0\0\4\0\0\0\x11\0\0", 12);
}

/* A batch of two entries, as long as `data` pages make it. */
static void batch(uint64_t a, uint64_t b, unsigned data)
{
    put32(1);
    put32(8 + 16 + 4096 * data);
    put32(2);
    put32(0);
    put64(a);
    put64(b);
    put(NULL, (size_t)4096 * data);
}

static int feed(enum mext_inspect_guest guest, size_t piece, const char **wrong)
{
    static struct mext_inspect c;
    int rc = 0;

    memset(&c, 0, sizeof(c));
    c.guest = guest;
    for (size_t i = 0; i < n && !rc; i += piece)
        rc = mext_inspect_feed(&c, in + i, n - i < piece ? n - i : piece);
    *wrong = c.wrong;
    ck_assert_int_eq(rc, c.wrong ? -1 : 0);
    return rc ? -1 : mext_inspect_over(&c);
}

/* The same in each way it can arrive: 1 it is whole, 0 cut short, -1. */
static int look(enum mext_inspect_guest guest)
{
    static const size_t pieces[] = { ROOM, 1, 7, 4096 };
    const char *wrong;
    int rc = feed(guest, pieces[0], &wrong);

    for (size_t i = 1; i < COUNT(pieces); i++)
        ck_assert_int_eq(feed(guest, pieces[i], &wrong), rc);
    return rc;
}

static void refused(enum mext_inspect_guest guest, const char *what)
{
    const char *wrong;

    ck_assert_int_eq(look(guest), -1);
    feed(guest, ROOM, &wrong);
    ck_assert_msg(strstr(wrong, what), "%s", wrong);
}

static void begin(enum mext_inspect_guest guest)
{
    libxl_header();
    libxc_header(guest == MEXT_INSPECT_PV ? 1 : 2);
}

static void hvm(void)
{
    begin(MEXT_INSPECT_HVM);
    record(0x11, 24 * 48);
    record(0x12, 16 * 2);
    record(0x10, 0);
    batch(5, 6, 2);
    batch(7 | X, 0xfffffff, 1);
    record(0x08, 24);
    record(0x09, 4112);
    record(0x0a, 8 + 16 * 13);
    record(0, 0);
    record(2, 20);
    record(3, 6136);
    record(0, 0);
}

START_TEST(good)
{
    hvm();
    ck_assert_int_eq(look(MEXT_INSPECT_HVM), 1);
    begin(MEXT_INSPECT_PVH);
    batch(5, 6, 2);
    record(0x09, 524288 - 8 - 65536);
    record(0, 0);
    record(0, 0);
    ck_assert_int_eq(look(MEXT_INSPECT_PVH), 1);
    begin(MEXT_INSPECT_PV);
    record(2, 8);
    record(3, 8 + 8 * 64);
    record(0x10, 0);
    batch(1 | T4, 2 | T4 | PIN, 2);
    record(4, 5168);
    record(5, 128);
    record(6, 1032);
    record(0x0c, 24);
    record(7, 4096);
    record(8, 24);
    record(0, 0);
    record(0, 0);
    ck_assert_int_eq(look(MEXT_INSPECT_PV), 1);
}
END_TEST

/* Cut anywhere it is no whole one, and nothing is wrong yet. */
START_TEST(cut_short)
{
    const char *wrong;
    size_t all;

    hvm();
    all = n;
    for (n = 0; n < all; n += n < 512 || n > all - 64 ? 1 : 61)
        ck_assert_int_eq(feed(MEXT_INSPECT_HVM, ROOM, &wrong), 0);
}
END_TEST

START_TEST(libxl_part)
{
    hvm();
    in[11] = 1;
    refused(MEXT_INSPECT_HVM, "as libxl's streams do");
    hvm();
    in[15] = 1; /* big-endian */
    refused(MEXT_INSPECT_HVM, "as libxl's streams do");
    hvm();
    put("x", 1);
    refused(MEXT_INSPECT_HVM, "follows the end");
    libxl_header();
    record(0, 0);
    refused(MEXT_INSPECT_PVH, "does not belong there");
    libxl_header();
    record(3, 16);
    refused(MEXT_INSPECT_HVM, "does not belong there");
    begin(MEXT_INSPECT_HVM);
    record(0, 0);
    record(4, 0);
    refused(MEXT_INSPECT_HVM, "does not belong there");
    begin(MEXT_INSPECT_HVM);
    record(0, 0);
    record(3, 8);
    record(3, 8);
    refused(MEXT_INSPECT_HVM, "does not belong there");
    begin(MEXT_INSPECT_PVH);
    record(0, 0);
    record(3, 8);
    refused(MEXT_INSPECT_PVH, "a device model's record");
    begin(MEXT_INSPECT_HVM);
    record(0, 0);
    put32(3);
    put32((16u << 20) + 1);
    refused(MEXT_INSPECT_HVM, "too long");
    libxl_header();
    put32(1);
    put32(8);
    refused(MEXT_INSPECT_HVM, "too long");
}
END_TEST

START_TEST(libxc_part)
{
    begin(MEXT_INSPECT_PV);
    refused(MEXT_INSPECT_HVM, "configuration's type");
    begin(MEXT_INSPECT_HVM);
    refused(MEXT_INSPECT_PV, "configuration's type");
    begin(MEXT_INSPECT_HVM);
    in[16 + 8 + 15] = 4; /* version */
    refused(MEXT_INSPECT_HVM, "begin as it should");
    begin(MEXT_INSPECT_HVM);
    in[16 + 8 + 17] = 1; /* options */
    refused(MEXT_INSPECT_HVM, "begin as it should");
    begin(MEXT_INSPECT_HVM);
    record(0x80000001, 0);
    refused(MEXT_INSPECT_HVM, "does not belong there");
    begin(MEXT_INSPECT_HVM);
    record(0x0e, 0); /* a checkpoint */
    refused(MEXT_INSPECT_HVM, "does not belong there");
    begin(MEXT_INSPECT_HVM);
    record(7, 4096); /* of PV guests */
    refused(MEXT_INSPECT_HVM, "does not belong there");
    begin(MEXT_INSPECT_PV);
    record(9, 8);
    refused(MEXT_INSPECT_PV, "does not belong there");
    begin(MEXT_INSPECT_HVM);
    put32(9);
    put32(0xffffffff);
    refused(MEXT_INSPECT_HVM, "too long");
    begin(MEXT_INSPECT_HVM);
    record(0x10, 8);
    refused(MEXT_INSPECT_HVM, "too long");
}
END_TEST

START_TEST(pages)
{
    begin(MEXT_INSPECT_HVM);
    put32(1);
    put32(8);
    put32(0);
    put32(0);
    refused(MEXT_INSPECT_HVM, "larger than libxc's");
    begin(MEXT_INSPECT_HVM);
    put32(1);
    put32(8);
    put32(1025);
    put32(0);
    refused(MEXT_INSPECT_HVM, "larger than libxc's");
    begin(MEXT_INSPECT_HVM);
    put32(1);
    put32(8);
    put32(1);
    put32(1);
    refused(MEXT_INSPECT_HVM, "larger than libxc's");
    begin(MEXT_INSPECT_HVM);
    batch(1, 2, 1);
    refused(MEXT_INSPECT_HVM, "length of its own");
    begin(MEXT_INSPECT_HVM);
    batch(1, 2 | X, 2);
    refused(MEXT_INSPECT_HVM, "length of its own");
    begin(MEXT_INSPECT_HVM);
    batch(1, 0x10000000, 2); /* above 1 TiB */
    refused(MEXT_INSPECT_HVM, "cannot have");
    begin(MEXT_INSPECT_HVM);
    batch(1, 1ull << 52, 2); /* between gfn and type */
    refused(MEXT_INSPECT_HVM, "cannot have");
    begin(MEXT_INSPECT_HVM);
    batch(1, 2 | T4, 2);
    refused(MEXT_INSPECT_HVM, "cannot have");
    begin(MEXT_INSPECT_PV);
    batch(1, 2 | PIN, 2); /* nothing is pinned */
    refused(MEXT_INSPECT_PV, "cannot have");
    begin(MEXT_INSPECT_PV);
    batch(1, 2 | 5ull << 60, 2);
    refused(MEXT_INSPECT_PV, "cannot have");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { good,       cut_short, libxl_part,
                                   libxc_part, pages,     NULL };

    return unit_main(unit_suite("inspect", tests));
}
