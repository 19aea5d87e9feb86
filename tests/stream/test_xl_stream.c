/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xl migrate-stream as a word: what it prints, its exit statuses, a stripped
 * file that is the same guest, differences found, a real stream of QEMU's.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broken.h"
#include "mext_saved.h"
#include "unit.h"
#include "xl_case.h"
#include "xl_save.h"
#include "xl_stream.h"
#include "xl_stream_index.h"

static struct bytes stream;
static char dir[] = "/tmp/stream-XXXXXX";

static void setup(void)
{
    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    ck_assert(mkdtemp(dir));
    ck_assert(!chdir(dir));
}

static void teardown(void)
{
    static const char *const files[] = { "a", "b", "new", "new2" };

    for (unsigned i = 0; i < 4; i++)
        unlink(files[i]);
    ck_assert(!chdir("/"));
    rmdir(dir);
    free(out);
    free(err);
    out = err = NULL;
}

static void put(const char *name)
{
    FILE *f = fopen(name, "wb");

    ck_assert(f);
    ck_assert_uint_eq(fwrite(stream.p, 1, stream.n, f), stream.n);
    ck_assert(!fclose(f));
}

static void has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

START_TEST(usage)
{
    static const char *const wrong[] = {
        "",
        "look a",
        "inspect",
        "inspect a b",
        "strip a",
        "diff a",
        "diff - -",
        "strip a -",
        "convert --to qemu a -",
        "verify --new a",
        "strip --all a b",
        "verify --zeroed a",
        "diff --zeroed a b",
    };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(xl(wrong[i]) == 2, "%s", wrong[i]);
        has(err, "Usage: xl migrate-stream");
    }
    ck_assert_int_eq(xl("--help"), 0);
    has(out, "Usage: xl migrate-stream");
    ck_assert_int_eq(xl("verify none"), 1);
    has(err, "none: No such file");
}
END_TEST

START_TEST(inspect)
{
    build_stream(&stream, BASE_PVH);
    put("a");
    ck_assert_int_eq(xl("inspect a"), 0);
    has(out, "libxc PAGE_DATA x 2: 6 NOTAB 1 BROKEN 1 XALLOC 1 XTAB, 0 to 0x7");
    has(out, "mode 1, 2000000 kHz");
    has(out, "26949 bytes, 14 records, 9 pages\n");
    ck_assert_int_eq(xl("inspect --all a"), 0);
    has(out, "libxc PAGE_DATA: 3 NOTAB 1 XALLOC 1 XTAB, 0 to 0x4");
    ck_assert_int_eq(xl("inspect --json a"), 0);
    has(out, "\"name\":\"PAGE_DATA\",\"records\":2,");
    has(out, "\"violations\":0}\n");
    stream.n = 20000;
    put("a");
    ck_assert_int_eq(xl("inspect a"), 1);
    has(err, "file.truncated");
    has(out, "STATIC_DATA_END");
    /* what cannot be read is no file: its list is whole all the same */
    ck_assert_int_eq(xl("inspect --json ."), 1);
    has(err, "Is a directory");
    has(out, "{\"list\":[]}\n");
}
END_TEST

/* A data channel of ours; the same as it is on the wire. */
START_TEST(dump)
{
    build_stream(&stream, BASE_DUMP);
    put("a");
    ck_assert_int_eq(xl("inspect a"), 0);
    has(out, "mext  OPEN: channel 1 of 2\n");
    has(out, "mext  PAGES: 2 zero 4 page, 0x100 to 0x107\n");
    has(out, "mext  BARRIER: iteration 2\n");
    has(out, "mext  ABSENT: 16 gfns\n");
    has(out, "mext  END: 5 data, 2 zero\n");
    ck_assert_int_eq(xl("verify a"), 0);
    memcpy(stream.p, "MEXTDAT1", 8);
    put("a");
    ck_assert_int_eq(xl("verify a"), 1);
    has(out, "a: offset 0: mext OPEN: dump.sealed: ");
}
END_TEST

START_TEST(verify)
{
    static const struct broken two = {
        STREAM_R_XC_TSC,
        BASE_PVH,
        "libxc X86_TSC_INFO",
        0,
        { { .op = SET, .at = 8, .octets = "03" },
          { .op = APPEND, .octets = "00" } },
    };

    build_stream(&stream, BASE_HVM);
    put("a");
    ck_assert_int_eq(xl("verify a"), 0);
    has(out, "a: every rule is kept: 27045 bytes, 16 records, 9 pages\n");
    build_broken(&stream, &two);
    put("a");
    ck_assert_int_eq(xl("verify a"), 1);
    has(out, "a: offset 25013: libxc X86_TSC_INFO: libxc.tsc: ");
    ck_assert(!strstr(out, "file.trailing"));
    ck_assert_int_eq(xl("verify --all a"), 1);
    has(out, "libxc.tsc");
    has(out, "a: offset 26949: file.trailing: ");
    ck_assert_int_eq(xl("verify --json --all a"), 1);
    has(out, "\"rule\":\"libxc.tsc\"");
    has(out, "\"fine\":false}\n");
}
END_TEST

/* "-" */
START_TEST(standard_input)
{
    int fd;

    build_stream(&stream, BASE_PVH);
    put("a");
    fd = open("a", O_RDONLY);
    ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq(xl("verify -"), 0);
    ck_assert_int_eq(lseek(STDIN_FILENO, 0, SEEK_SET), 0);
    ck_assert_int_eq(xl("diff - a"), 0);
    close(fd);
}
END_TEST

/* What has no bit is no part of it. */
START_TEST(mapped)
{
    static const char head[] = "ram: 2 blocks, 12288 bytes: 1 zero 2 page";

    build_stream(&stream, BASE_MAPPED);
    put("a");
    ck_assert_int_eq(xl("inspect a"), 0);
    has(out, "configuration: pc-7.2, mapped-ram\n");
    has(out, head);
    ck_assert_int_eq(xl("verify a"), 0);
    stream.p[0x1000] ^= 1;
    put("b");
    ck_assert_int_eq(xl("diff a b"), 0);
    has(out, "pages: 3 the same, 0 differ");
    stream.p[0x2000] ^= 1;
    put("b");
    ck_assert_int_eq(xl("diff a b"), 1);
    has(out, "pages pc.ram 0x1 to 0x1: differ\n");
    ck_assert_int_eq(xl("strip a new"), 1);
    has(err, "a: QEMU's stream has nothing to leave out");
}
END_TEST

START_TEST(strip)
{
    build_stream(&stream, _i ? BASE_HVM : BASE_PVH);
    put("a");
    ck_assert_int_eq(xl("strip a new"), 0);
    has(out, "1 older copies of pages, 2 entries without a page left out");
    ck_assert_int_eq(xl("verify new"), 0);
    ck_assert_int_eq(xl("diff a new"), 0);
    has(out, "6 the same, 0 differ");
    has(out, "the same\n");
    ck_assert_int_eq(xl("inspect new"), 0);
    has(out, "PAGE_DATA: 5 NOTAB 1 XALLOC, 0 to 0x7");
    ck_assert_int_eq(xl("strip new new2"), 0);
    has(out, "(100.0 %): 0 older copies of pages, 0 entries");
    unlink("new");
    ck_assert_int_eq(xl("strip --zeroed a new"), 0);
    has(out, "1 zero pages");
    ck_assert_int_eq(xl("verify new"), 0);
    ck_assert_int_eq(xl("diff a new"), 1);
    has(out, "pages 0x6 to 0x6: differ");
    ck_assert_int_eq(xl("strip a new"), 1);
    has(err, "new: File exists");
    /* nothing is left but what it was told to write */
    ck_assert(access("new.part", F_OK));
    unlink("new");
    put("new.part");
    ck_assert_int_eq(xl("strip a new"), 1);
    has(err, "new.part is there: remove it");
    ck_assert(!unlink("new.part"));
    ck_assert(access("new", F_OK));
}
END_TEST

START_TEST(strip_refuses)
{
    static const struct {
        enum base base;
        const char *text;
    } row[] = {
        { BASE_PV, "PV guest" },
        { BASE_QEMU, "QEMU" },
        { BASE_DUMP, "a data channel is nothing that xl restore takes" },
        { BASE_BARE, "libxl.complete" },
    };

    for (unsigned i = 0; i < 4; i++) {
        build_stream(&stream, row[i].base);
        put("a");
        ck_assert_int_eq(xl("strip a new"), 1);
        has(err, row[i].text);
        ck_assert_int_eq(access("new", F_OK), -1);
    }
}
END_TEST

/* A byte of a page, of an HVM entry, of the configuration, a parameter. */
START_TEST(diff)
{
    static const struct {
        struct broken change;
        const char *text;
    } row[] = {
        { { .base = BASE_PVH,
            .record = "libxc PAGE_DATA",
            .patch = { { .op = SET, .at = 100, .octets = "77" } } },
          "pages 0 to 0: differ\npages: 5 the same, 1 differ" },
        { { .base = BASE_PVH,
            .record = "libxc HVM_CONTEXT",
            .patch = { { .op = SET, .at = 1090, .octets = "77" } } },
          "hvm PIC 0: 8 bytes" },
        { { .base = BASE_PVH,
            .record = "xl header",
            .patch = { { .op = TEXT, .octets = "guest", .other = "gues2" } } },
          "config c_info.name: guest | gues2\n" },
        { { .base = BASE_PVH,
            .record = "libxc HVM_PARAMS",
            .patch = { { .op = SET, .at = 24, .octets = "fb" } } },
          "param STORE_PFN: 0xfeffc | 0xfeffb\n" },
        { { .base = BASE_QEMU,
            .record = "QEMU dma",
            .patch = { { .op = SET, .at = 30, .octets = "77" } } },
          "QEMU dma: 62 bytes" },
        { { .base = BASE_QEMU,
            .record = "QEMU ram",
            .nth = 1,
            .patch = { { .op = SET, .at = 40, .octets = "77" } } },
          "pages pc.ram 0x1 to 0x1: differ\n" },
        { { .base = BASE_QEMU,
            .record = "QEMU ram",
            .nth = 2,
            .patch = { { .op = SET, .at = 26, .octets = "77" } } },
          "pages pc.ram 0x1 to 0x1: differ\n" },
        { { .base = BASE_DUMP,
            .record = "mext PAGES",
            .patch = { { .op = SET, .at = 30, .octets = "77" } } },
          "pages 0x100 to 0x100: differ\n" },
    };

    build_stream(&stream, row[_i].change.base);
    put("a");
    build_broken(&stream, &row[_i].change);
    put("b");
    ck_assert_int_eq(xl("diff a a"), 0);
    ck_assert_int_eq(xl("diff a b"), 1);
    has(out, row[_i].text);
    ck_assert_int_eq(xl("diff --json a b"), 1);
    has(out, "\"pages\":{\"same\":");
}
END_TEST

START_TEST(diff_only)
{
    static const struct broken change = {
        .base = BASE_PVH,
        .record = "libxc PAGE_DATA",
        .patch = { { .op = SET, .at = 16 + 4 * 8, .octets = "0a" } },
    };

    build_stream(&stream, BASE_PVH);
    put("a");
    build_broken(&stream, &change);
    put("b");
    ck_assert_int_eq(xl("diff a b"), 1);
    has(out, "pages 0x4 to 0x4: only in the first\n");
    has(out, "pages 0xa to 0xa: only in the second\n");
    stream.n = 1000;
    put("b");
    ck_assert_int_eq(xl("diff a b"), 1);
    has(err, "b: it is damaged");
}
END_TEST

/* The stream, as xl save --cooperative writes it. */
static void put_saved(const char *name, int level)
{
    struct mext_saved_out *o;
    struct mext_why why;

    ck_assert(!mext_saved_create(name, level, &o, &why));
    ck_assert(!mext_saved_write(o, stream.p, stream.n, &why));
    ck_assert(!mext_saved_flush(o, &why) && !mext_saved_name(o, &why));
    mext_saved_close(o);
}

/* An octet of a page that no rule is about: only the sum tells. */
static void damage(const char *name)
{
    static const uint8_t page[64] = { 0x5a };
    int fd = open(name, O_RDWR);

    ck_assert_int_eq(pwrite(fd, page, sizeof(page), 15000), sizeof(page));
    ck_assert(!close(fd));
    ck_assert_int_eq(xl("inspect --json a"), 0);
    has(out, "\"violations\":0}\n");
}

/* What only the sum finds is in no file that is made of it, nor restored. */
START_TEST(damaged)
{
    static const char sum[] = "a: it is damaged: its sum is not the one";
    char words[6][8] = { "xl", "restore", "conf", "a", "-p", "-e" };
    char *argv[] = { words[0], words[1], words[2], words[3],
                     words[4], words[5], NULL };

    build_stream(&stream, BASE_PVH);
    put_saved("a", 0);
    put("b");
    ck_assert_int_eq(xl("verify a"), 0);
    ck_assert_int_eq(xl("diff a b"), 0);
    ck_assert_int_eq(xl("strip --json a new"), 0);
    has(out, "{\"bytes\":");
    has(out, ",\"absent\":2,\"zero\":0}\n");
    ck_assert_int_eq(xl_restore_prepare(6, argv, 1), -1);
    damage("a");
    ck_assert_int_eq(xl("verify a"), 1);
    has(err, sum);
    ck_assert_int_eq(xl("diff a b"), 1);
    has(err, sum);
    ck_assert_int_eq(xl("strip a new2"), 1);
    has(err, sum);
    ck_assert(access("new2", F_OK));
    ck_assert_int_eq(xl("convert --to qemu a new2"), 1);
    has(err, sum);
    ck_assert_int_eq(xl_restore_prepare(6, argv, 1), 1);
    ck_assert_int_eq(xl_restore_prepare(4, argv, 1), 1);
    put_saved("a", 1);
    ck_assert_int_eq(xl("verify a"), 0);
    ck_assert_int_eq(xl("strip a new2"), 0);
}
END_TEST

/* Damaged at the same place both are not told to be the same. */
START_TEST(diff_broken)
{
    static const struct broken change = {
        .base = BASE_PVH,
        .record = "libxc PAGE_DATA",
        .patch = { { .op = SET, .at = 16 + 4 * 8 + 7, .octets = "30" } },
    };

    build_broken(&stream, &change);
    put("a");
    put("b");
    ck_assert_int_eq(xl("diff a b"), 1);
    has(err, "b: it breaks rules, so not all of it is compared");
    ck_assert(!strstr(out, "the same\n"));
}
END_TEST

/* Over several sizes of the table, with numbers near and far. */
START_TEST(pages_table)
{
    struct xl_index x = { 0 };
    uint64_t *v;

    ck_assert_ptr_null(xl_index_find(&x, 0));
    for (uint64_t i = 0; i < 20000; i++) {
        v = xl_index_add(&x, i * i, i);
        ck_assert(v && *v == i);
        v = xl_index_add(&x, i * i, 0);
        ck_assert(v && *v == i);
    }
    for (uint64_t i = 0; i < 20000; i++)
        ck_assert_uint_eq(*xl_index_find(&x, i * i), i);
    ck_assert_ptr_null(xl_index_find(&x, 2));
    xl_index_sort(&x);
    ck_assert_uint_eq(x.n, 20000);
    for (uint64_t i = 0; i < 20000; i++)
        ck_assert_uint_eq(x.row[i].page, i * i);
    xl_index_free(&x);
}
END_TEST

static char command[512];

/* A real stream as a file; false: it is not there. */
static bool unpack(const char *fixture, const char *to)
{
    snprintf(command, sizeof(command), "xz -dc '%s/%s.xz' >%s 2>/dev/null",
             getenv("top_fixtures"), fixture, to);
    return !system(command);
}

/* Those that make_fixtures made. */
START_TEST(real)
{
    static const char *const name[] = { "qemu-pc",       "qemu-microvm",
                                        "qemu10-pc",     "qemu10-microvm",
                                        "qemu10-mapped", "qemu10-shared",
                                        "xen-pvh",       "xen-pv",
                                        "xen-hvm" };

    ck_assert_msg(unpack(name[_i], "a"), "no fixture %s", name[_i]);
    ck_assert_msg(!xl("verify --all a"), "%s: %s", name[_i], out);
    ck_assert_int_eq(xl("inspect a"), 0);
    ck_assert_int_eq(xl("diff a a"), 0);
}
END_TEST

/* QEMU's description names them; of two machines they differ. */
START_TEST(subsections)
{
    ck_assert(unpack("qemu10-pc", "a") && unpack("qemu10-microvm", "b"));
    ck_assert_int_eq(xl("inspect a"), 0);
    has(out, "- QEMU  cpu/poll_control_msr: subsection of cpu 0\n");
    /* of a structure within */
    has(out, "- QEMU  pckbd/extended_state: subsection of pckbd 0\n");
    ck_assert_int_eq(xl("inspect --json a"), 0);
    has(out, "{\"layer\":\"QEMU\",\"subsection\":\"cpu/poll_control_msr\","
             "\"device\":\"cpu\",\"instance\":0}");
    ck_assert_int_eq(xl("diff a b"), 1);
    has(out, "subsection acpi-ged 0 acpi-ged/memhp: - | there\n");
}
END_TEST

/* The same machine in both forms; a pipe will not do for one of them. */
START_TEST(real_mapped)
{
    FILE *f;

    ck_assert(unpack("qemu10-microvm", "a") && unpack("qemu10-mapped", "b"));
    xl("diff a b");
    has(out, "pages: 531 the same, 0 differ, 0 only in the first, 0 only in");
    f = popen("cat b 2>/dev/null", "r");
    ck_assert_int_eq(dup2(fileno(f), STDIN_FILENO), STDIN_FILENO);
    ck_assert_int_eq(xl("verify -"), 1);
    has(err, "-: mapped-ram is not read from its first byte to its last, so it "
             "has to be a file\n");
    ck_assert_int_eq(truncate("b", 7000000), 0);
    ck_assert_int_eq(xl("verify b"), 1);
    has(out, "b: offset 67: QEMU ram: file.truncated: ");
    ck_assert(unpack("qemu10-shared", "a"));
    ck_assert_int_eq(xl("inspect a"), 0);
    has(out, "configuration: microvm, x-ignore-shared, mapped-ram\n");
    has(out, "ram: 5 blocks, 2174976 bytes: 10 page, 0 to 0xf\n");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        usage,   dump,        inspect,       verify,    standard_input,
        mapped,  real_mapped, strip_refuses, diff_only, diff_broken,
        damaged, subsections, pages_table,   NULL
    };
    const char *top = getenv("srcdir");
    char here[3000], fixtures[3100];
    Suite *s = unit_suite_in("xl migrate-stream", tests, setup, teardown);
    TCase *loops = tcase_create("loops");

    if (!realpath(top ? top : ".", here))
        return 1;
    snprintf(fixtures, sizeof(fixtures), "%s/tests/stream/fixtures", here);
    setenv("top_fixtures", fixtures, 1);
    tcase_add_checked_fixture(loops, setup, teardown);
    tcase_add_loop_test(loops, strip, 0, 2);
    tcase_add_loop_test(loops, diff, 0, 8);
    tcase_add_loop_test(loops, real, 0, 9);
    suite_add_tcase(s, loops);
    return unit_main(s);
}
