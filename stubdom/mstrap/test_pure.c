/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mstrap's pure parts on the host: text, command line, memory map, page
 * tables. Channels have test_pages.c, the session test_session.c.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "paging.h"
#include "ram.h"
#include "text.h"

START_TEST(format_writes_what_printf_would)
{
    char out[64];

    ck_assert_uint_eq(ms_format(out, sizeof(out), "%s=%u %lx %02x%c%%", "a", 7u,
                                0xf1002ul, 5u, 'z'),
                      14);
    ck_assert_str_eq(out, "a=7 f1002 05z%");
}
END_TEST

START_TEST(format_cuts_and_terminates)
{
    char out[6];

    ck_assert_uint_eq(ms_format(out, sizeof(out), "%s", "abcdefgh"), 5);
    ck_assert_str_eq(out, "abcde");
    ck_assert_uint_eq(ms_format(out, 1, "abc"), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(hex_goes_both_ways_and_is_exact)
{
    const uint8_t bytes[3] = { 0x00, 0xaf, 0x9c };
    uint8_t back[3] = { 1, 1, 1 };
    char text[7];

    ms_hex_encode(text, bytes, 3);
    ck_assert_str_eq(text, "00af9c");
    ck_assert(ms_hex_decode(back, "00Af9C", 6, 3));
    ck_assert_mem_eq(back, bytes, 3);
    ck_assert(!ms_hex_decode(back, "00af9", 5, 3));
    ck_assert(!ms_hex_decode(back, "00af9cc", 7, 3));
    ck_assert(!ms_hex_decode(back, "00af9g", 6, 3));
    ck_assert_mem_eq(back, bytes, 3);
}
END_TEST

START_TEST(decimal_is_bounded)
{
    uint64_t value;

    ck_assert(ms_parse_decimal("65535", 5, 65535, &value));
    ck_assert_uint_eq(value, 65535);
    ck_assert(ms_parse_decimal("007", 3, 7, &value));
    ck_assert(!ms_parse_decimal("65536", 5, 65535, &value));
    ck_assert(!ms_parse_decimal("8", 1, 7, &value));
    ck_assert(!ms_parse_decimal("", 0, 7, &value));
    ck_assert(!ms_parse_decimal("-1", 2, 7, &value));
    ck_assert(
        !ms_parse_decimal("18446744073709551616", 20, UINT64_MAX, &value));
}
END_TEST

static const struct {
    const char *line;
    uint32_t address, netmask, gateway;
    uint16_t port;
} good_lines[] = {
    { "ip=192.0.2.77", 0xc000024d, 0xffffff00, 0, 7011 },
    { " ip=192.0.2.77  port=1 ", 0xc000024d, 0xffffff00, 0, 1 },
    { "ip=10.1.2.3 netmask=255.255.0.0 gateway=10.1.0.1 port=65535", 0x0a010203,
      0xffff0000, 0x0a010001, 65535 },
    { "01020304 000004d2", 0x01020304, 0xffffff00, 0, 1234 },
    { "cmdline=01020304 000004d2", 0x01020304, 0xffffff00, 0, 1234 },
};

START_TEST(good_command_lines)
{
    struct ms_config config;

    ck_assert_ptr_null(ms_cmdline_parse(good_lines[_i].line, &config));
    ck_assert_uint_eq(config.address, good_lines[_i].address);
    ck_assert_uint_eq(config.netmask, good_lines[_i].netmask);
    ck_assert_uint_eq(config.gateway, good_lines[_i].gateway);
    ck_assert_uint_eq(config.port, good_lines[_i].port);
}
END_TEST

static const char *const bad_lines[] = {
    "",
    " ",
    "ip=",
    "ip=1.2.3",
    "ip=1.2.3.4.5",
    "ip=1.2.3.256",
    "ip=1.2.3.4x",
    "ip=1..3.4",
    "ip=0.0.0.0",
    "port=7011",
    "ip=1.2.3.4 port=0",
    "ip=1.2.3.4 port=65536",
    "ip=1.2.3.4 netmask=255.0.255.0",
    "ip=1.2.3.4 quiet",
    "01020304",
    "01020304 00010000",
    "01020304 00000000",
    "0102030 000004d2",
    "01020304 000004d2 1",
    "00000000 000004d2",
    "cmdline=01020304",
};

START_TEST(bad_command_lines)
{
    struct ms_config config = { .port = 99 };

    ck_assert_ptr_nonnull(ms_cmdline_parse(bad_lines[_i], &config));
    ck_assert_uint_eq(config.port, 99);
}
END_TEST

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

START_TEST(invitation)
{
    struct ms_invitation i;

    ck_assert(ms_invitation_parse("v1 " HEX32 " " HEX32 " 16", &i));
    ck_assert_uint_eq(i.channels, 16);
    ck_assert_uint_eq(i.token_digest[31], 31);
    ck_assert_uint_eq(i.source_key[1], 1);
    ck_assert(!ms_invitation_parse("", &i));
    ck_assert(!ms_invitation_parse("v2 " HEX32 " " HEX32 " 8", &i));
    ck_assert(!ms_invitation_parse("v1 " HEX32 " " HEX32 " 17", &i));
    ck_assert(!ms_invitation_parse("v1 " HEX32 " " HEX32 " 0", &i));
    ck_assert(!ms_invitation_parse("v1 " HEX32 " " HEX32, &i));
    ck_assert(!ms_invitation_parse("v1 " HEX32 "0 " HEX32 " 1", &i));
    ck_assert(!ms_invitation_parse("v1 " HEX32 " " HEX32 " 1 1", &i));
}
END_TEST

START_TEST(ram_counts_whole_pages)
{
    struct ms_ram ram = { 0 };

    ms_ram_add(&ram, 0, 0x9fc00);
    ms_ram_add(&ram, 0x100001, 0x2fff);
    ms_ram_add(&ram, 0x200000, 0x800);
    ms_ram_add(&ram, UINT64_MAX - 10, 100);
    ms_ram_add(&ram, 0x100000000, 0x40000000);
    ck_assert_uint_eq(ram.ranges, 3);
    ck_assert_uint_eq(ram.pages, 0x9f + 2 + 0x40000);
    ck_assert_uint_eq(ram.end, 0x140000);
    ck_assert(ms_ram_has(&ram, 0x9e));
    ck_assert(!ms_ram_has(&ram, 0x9f));
    ck_assert(!ms_ram_has(&ram, 0x100));
    ck_assert(ms_ram_has(&ram, 0x102));
    ck_assert(!ms_ram_has(&ram, 0x103));
    ck_assert(ms_ram_has(&ram, 0x13ffff));
    for (unsigned i = 0; i < 2 * MS_RAM_RANGES; i++)
        ms_ram_add(&ram, 0, MS_PAGE_SIZE);
    ck_assert_uint_eq(ram.ranges, MS_RAM_RANGES);
}
END_TEST

/* A machine to walk the tables with: they are "at" these frames. */
static struct ms_tables tables;
static ms_table spare[8];
static struct ms_paging plan;

#define TEXT_PAGES   30u
#define RODATA_END   40u
#define IMAGE_END    100u
#define FRAME(entry) (((entry)&0x000ffffffffff000) >> 12)

static void build(bool huge_pages)
{
    memset(&tables, 0, sizeof(tables));
    memset(spare, 0, sizeof(spare));
    plan = (struct ms_paging){
        .tables_gfn = MS_IMAGE_GFN + 50,
        .image_gfn = MS_IMAGE_GFN,
        .text_end = TEXT_PAGES,
        .rodata_end = RODATA_END,
        .image_end = IMAGE_END,
        .foreign_gfn = MS_SHARED_INFO_GFN,
        .foreign = 2,
        .huge_pages = huge_pages,
        .gibs = huge_pages ? 512 : 9,
        .spare = spare,
        .spare_gfn = MS_IMAGE_GFN + IMAGE_END,
    };
    ms_paging_build(&tables, &plan);
}

static const uint64_t *table_of(uint64_t entry)
{
    uint64_t frame = FRAME(entry);

    if (frame >= plan.tables_gfn &&
        frame < plan.tables_gfn + sizeof(tables) / 4096)
        return (uint64_t *)&tables + (frame - plan.tables_gfn) * 512;
    ck_assert_uint_ge(frame, plan.spare_gfn);
    ck_assert_uint_lt(frame, plan.spare_gfn + MS_COUNT(spare));
    return spare[frame - plan.spare_gfn];
}

/* The leaf for a virtual address, or 0; *offset_r: frames into the leaf. */
static uint64_t walk(uint64_t address, uint64_t *offset_r)
{
    const uint64_t *table = tables.root;

    for (unsigned shift = 39;; shift -= 9) {
        uint64_t entry = table[address >> shift & 511];

        *offset_r = (address >> 12) & ((UINT64_C(1) << (shift - 12)) - 1);
        if (!(entry & MS_PTE_PRESENT))
            return 0;
        if (shift == 12 || (shift < 39 && entry & MS_PTE_LARGE))
            return entry;
        table = table_of(entry);
    }
}

static void check_direct(uint64_t gfn, bool there)
{
    uint64_t offset, leaf;

    leaf = walk(MS_DIRECT_BASE + (gfn << 12), &offset);
    ck_assert_msg(!!leaf == there, "gfn %lx", gfn);
    if (!there)
        return;
    ck_assert_uint_eq(FRAME(leaf) + offset, gfn);
    ck_assert(leaf & MS_PTE_WRITE);
    ck_assert(leaf & MS_PTE_NX);
}

START_TEST(direct_map_has_all_but_our_own)
{
    bool huge_pages = _i;

    build(huge_pages);
    check_direct(0, true);
    check_direct(0xbffff, true);
    check_direct(0xc0000, true);
    check_direct(0xf0fff, true);
    check_direct(MS_OWN_GFN, false);
    check_direct(MS_OWN_GFN + 511, false);
    check_direct(MS_OWN_GFN + 512, true);
    check_direct(0xfefff, true);
    check_direct(0x100000, true);
    check_direct(9 * 0x40000 - 1, true);
    check_direct(9 * 0x40000, huge_pages);
    check_direct(MS_GFN_LIMIT - 1, huge_pages);
}
END_TEST

START_TEST(nothing_is_writable_and_executable)
{
    build(_i);
    for (unsigned page = 0; page < 512; page++) {
        uint64_t offset, leaf = walk(MS_LINK_BASE + page * 4096ul, &offset);
        bool write = leaf & MS_PTE_WRITE;
        bool run = leaf && !(leaf & MS_PTE_NX);

        ck_assert_int_eq(!!leaf, page < IMAGE_END + 2);
        ck_assert_int_eq(run, page < TEXT_PAGES);
        ck_assert_int_eq(write, page >= RODATA_END && leaf);
        if (leaf && page < IMAGE_END)
            ck_assert_uint_eq(FRAME(leaf), MS_IMAGE_GFN + page);
        else if (leaf)
            ck_assert_uint_eq(FRAME(leaf), MS_OWN_GFN + page - IMAGE_END);
    }
    for (unsigned i = 0; i < 511; i++)
        ck_assert(i == MS_DIRECT_SLOT || !tables.root[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mstrap pure");
    TCase *text = tcase_create("text"), *memory = tcase_create("memory");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, text);
    suite_add_tcase(suite, memory);
    tcase_add_test(text, format_writes_what_printf_would);
    tcase_add_test(text, format_cuts_and_terminates);
    tcase_add_test(text, hex_goes_both_ways_and_is_exact);
    tcase_add_test(text, decimal_is_bounded);
    tcase_add_loop_test(text, good_command_lines, 0, MS_COUNT(good_lines));
    tcase_add_loop_test(text, bad_command_lines, 0, MS_COUNT(bad_lines));
    tcase_add_test(text, invitation);
    tcase_add_test(memory, ram_counts_whole_pages);
    tcase_add_loop_test(memory, direct_map_has_all_but_our_own, 0, 2);
    tcase_add_loop_test(memory, nothing_is_writable_and_executable, 0, 2);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
