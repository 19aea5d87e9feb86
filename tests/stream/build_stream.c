/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "build_stream.h"

#define X (14ull << 60) /* to be populated */
#define N (15ull << 60) /* no page */
#define B (13ull << 60) /* broken */

static void put(struct bytes *b, const void *p, size_t n)
{
    assert(b->n + n <= BYTES_MAX);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put_text(struct bytes *b, const char *text)
{
    put(b, text, strlen(text));
}

static void fill(struct bytes *b, uint8_t v, size_t n)
{
    while (n--)
        put(b, &v, 1);
}

static void put8(struct bytes *b, uint8_t v)
{
    put(b, &v, 1);
}

static void put16(struct bytes *b, uint16_t v)
{
    put(b, &v, sizeof(v));
}

static void put32(struct bytes *b, uint32_t v)
{
    put(b, &v, sizeof(v));
}

static void put64(struct bytes *b, uint64_t v)
{
    put(b, &v, sizeof(v));
}

static void put32be(struct bytes *b, uint32_t v)
{
    put32(b, __builtin_bswap32(v));
}

static void put64be(struct bytes *b, uint64_t v)
{
    put64(b, __builtin_bswap64(v));
}

/* ---- Xen ---- */

static void head(struct bytes *b, uint32_t type, size_t len)
{
    put32(b, type);
    put32(b, (uint32_t)len);
}

static void xl(struct bytes *b, const char *type)
{
    char config[256];
    int n = snprintf(config, sizeof(config),
                     "{\"c_info\":{\"type\":\"%s\",\"name\":\"guest\"},"
                     "\"b_info\":{\"max_memkb\":16,\"u\":[[1],true,null]},"
                     "\"disks\":[{\"vdev\":\"xvda\"},{\"vdev\":\"xvdb\"}]}",
                     type);

    put(b, "Xen saved domain, xl format\n \0 \r", 32);
    put32(b, 0x01020304);
    put32(b, 3);
    put32(b, 0);
    put32(b, 4 + (uint32_t)n + 1);
    put32(b, (uint32_t)n + 1);
    put(b, config, (size_t)n + 1);
}

static void libxl(struct bytes *b)
{
    put(b, "LibxlFmt\0\0\0\2\0\0\0", 16);
}

static void libxc(struct bytes *b, uint32_t version, uint32_t guest)
{
    put64(b, ~0ull);
    put(b, "XENF", 4);
    put32be(b, version);
    put64(b, 0);
    put32(b, guest);
    put16(b, 12);
    put16(b, 0);
    put32(b, 4);
    put32(b, 17);
}

/* Entries; data where there is some: of entry 1 zeros, else its own number. */
static void pages(struct bytes *b, unsigned n, const uint64_t *entry)
{
    unsigned data = 0;

    for (unsigned i = 0; i < n; i++)
        data += entry[i] >> 60 < 13;
    head(b, 1, 8 + 8 * n + 4096 * data);
    put32(b, n);
    put32(b, 0);
    put(b, entry, 8 * n);
    for (unsigned i = 0; i < n; i++)
        if (entry[i] >> 60 < 13)
            fill(b, i == 1 ? 0 : (uint8_t)(entry[i] + n), 4096);
}

static void policies(struct bytes *b)
{
    head(b, 0x11, 48);
    fill(b, 1, 48);
    head(b, 0x12, 16);
    put32(b, 0xce);
    put32(b, 0);
    put64(b, 0x80000000);
}

static void tsc(struct bytes *b)
{
    head(b, 8, 24);
    put32(b, 1);
    put32(b, 2000000);
    put64(b, 123456789);
    put32(b, 1);
    put32(b, 0);
}

static void entry(struct bytes *b, uint16_t type, uint16_t instance, size_t len)
{
    put16(b, type);
    put16(b, instance);
    put32(b, (uint32_t)len);
}

/* Offsets in the record: CPU is at 40, PIC 1 at 1096. */
static void hvm_context(struct bytes *b)
{
    size_t at = b->n;
    uint32_t len;

    head(b, 9, 0);
    entry(b, 1, 0, 24);
    put32(b, 0x54381286);
    put32(b, 1);
    fill(b, 0, 16);
    entry(b, 2, 0, 1032);
    fill(b, 2, 1032);
    entry(b, 3, 0, 8);
    fill(b, 3, 8);
    entry(b, 3, 1, 8);
    fill(b, 3, 8);
    entry(b, 5, 0, 24);
    fill(b, 5, 24);
    entry(b, 5, 1, 24); /* of a vCPU that is down */
    fill(b, 5, 24);
    entry(b, 16, 0, 600);
    fill(b, 16, 600);
    entry(b, 20, 0, 8 + 32);
    put32(b, 2);
    fill(b, 0, 36);
    entry(b, 0, 0, 0);
    len = (uint32_t)(b->n - at - 8);
    memcpy(b->p + at + 4, &len, sizeof(len));
}

static void hvm_params(struct bytes *b)
{
    head(b, 10, 8 + 32);
    put32(b, 2);
    put32(b, 0);
    put64(b, 1); /* STORE_PFN */
    put64(b, 0xfeffc);
    put64(b, 17); /* CONSOLE_PFN */
    put64(b, 0xfefff);
}

/* pfn 1 comes twice. */
static void hvm_pages(struct bytes *b)
{
    const uint64_t first[] = { 0, 1, X | 2, N | 3, 4 };
    const uint64_t more[] = { 1, 6, B | 5, 7 };

    pages(b, 5, first);
    pages(b, 4, more);
}

static void hvm(struct bytes *b, uint32_t version)
{
    libxc(b, version, 2);
    if (version > 2) {
        policies(b);
        head(b, 0x10, 0);
    }
    hvm_pages(b);
    tsc(b);
    hvm_context(b);
    hvm_params(b);
    head(b, 0, 0);
}

static void emulator(struct bytes *b)
{
    static const char store[] = "physmap/0/name\0vga.vram\0physmap/0/n\0a b";

    head(b, 2, 8 + sizeof(store));
    put32(b, 2);
    put32(b, 0);
    put(b, store, sizeof(store));
    fill(b, 0, -(8 + sizeof(store)) & 7);
    head(b, 3, 8 + 17);
    put32(b, 2);
    put32(b, 0);
    put(b, "QEVM\0\0\0\3devices.\0", 17);
    fill(b, 0, -(8u + 17u) & 7);
}

static void pv(struct bytes *b)
{
    const uint64_t e[] = { 0, 1, 2ull | 1ull << 60, 3ull | 12ull << 60 };

    libxc(b, 3, 1);
    head(b, 2, 8);
    put(b, "\x08\x04\0\0\0\0\0", 8);
    head(b, 0x11, 24);
    fill(b, 1, 24);
    head(b, 0x10, 0);
    head(b, 3, 8 + 16);
    put32(b, 0);
    put32(b, 1023);
    put64(b, 1);
    put64(b, 2);
    pages(b, 4, e);
    head(b, 13, 0);
    pages(b, 4, e);
    tsc(b);
    head(b, 7, 4096);
    fill(b, 7, 4096);
    head(b, 4, 8 + 5);
    put64(b, 0);
    put(b, "vcpu0\0\0", 8);
    head(b, 0, 0);
}

static void xen(struct bytes *b, enum base base)
{
    static const char *const type[] = { "pvh", "hvm", "pv", NULL, "pvh" };

    xl(b, type[base]);
    libxl(b);
    if (base != BASE_BARE)
        head(b, 1, 0);
    if (base == BASE_PV)
        pv(b);
    else if (base != BASE_BARE)
        hvm(b, 3);
    if (base == BASE_HVM)
        emulator(b);
    head(b, 0, 0);
}

/* ---- QEMU ---- */

static void section(struct bytes *b, uint8_t type, uint32_t id,
                    const char *name, uint32_t instance, uint32_t version)
{
    put8(b, type);
    put32be(b, id);
    if (type != 1 && type != 4)
        return;
    put8(b, (uint8_t)strlen(name));
    put_text(b, name);
    put32be(b, instance);
    put32be(b, version);
}

static void footer(struct bytes *b, uint32_t id)
{
    put8(b, 0x7e);
    put32be(b, id);
}

static void block(struct bytes *b, const char *name, uint64_t len)
{
    put8(b, (uint8_t)strlen(name));
    put_text(b, name);
    put64be(b, len);
}

static void word(struct bytes *b, uint64_t addr, unsigned flags)
{
    put64be(b, addr | flags);
}

static void name(struct bytes *b, const char *text)
{
    put8(b, (uint8_t)strlen(text));
    put_text(b, text);
}

static void ram(struct bytes *b)
{
    section(b, 1, 2, "ram", 0, 4);
    word(b, 0x5000, 4);
    block(b, "pc.ram", 0x4000);
    block(b, "rom", 0x1000);
    word(b, 0, 0x10);
    footer(b, 2);
    section(b, 2, 2, NULL, 0, 0);
    word(b, 0, 2);
    name(b, "pc.ram");
    put8(b, 0);
    word(b, 0x1000, 8 | 0x20);
    fill(b, 0xaa, 4096);
    word(b, 0, 8);
    name(b, "rom");
    fill(b, 0x7e, 4096);
    word(b, 0, 0x10);
    footer(b, 2);
    section(b, 3, 2, NULL, 0, 0);
    word(b, 0x1000, 0x40);
    name(b, "pc.ram");
    put(b, "\1\0\5\x80\x02\2xy", 8); /* 256 stay, 2 differ */
    word(b, 0, 0x10);
    footer(b, 2);
}

/* A block of mapped-ram: its header, bitmap and room for npages, none of them. */
static uint8_t *region(struct bytes *b, const char *name, uint64_t npages,
                       uint64_t bits)
{
    uint64_t at;

    block(b, name, npages * 4096);
    at = b->n + 28;
    put32be(b, 1);
    put64be(b, 4096);
    put64be(b, at);
    at = (at + 8 + 4095) / 4096 * 4096;
    put64be(b, at);
    put64(b, bits);
    fill(b, 0, at + npages * 4096 - b->n);
    return b->p + at;
}

/* What has no bit is not zeros: it was a page before. */
static void mapped_ram(struct bytes *b)
{
    uint8_t *page;

    section(b, 1, 2, "ram", 0, 4);
    word(b, 0x3000, 4);
    page = region(b, "pc.ram", 2, 2);
    memset(page, 0x55, 4096);
    memset(page + 4096, 0xaa, 4096);
    page = region(b, "rom", 1, 1);
    memset(page, 0x7e, 4096);
    word(b, 0, 0x10);
    footer(b, 2);
    section(b, 2, 2, NULL, 0, 0);
    word(b, 0, 0x10);
    footer(b, 2);
    section(b, 3, 2, NULL, 0, 0);
    word(b, 0, 0x10);
    footer(b, 2);
}

static void qemu_head(struct bytes *b)
{
    put(b, "QEVM\0\0\0\3", 8);
    put8(b, 7);
    put32be(b, 6);
    put_text(b, "pc-7.2");
}

/* Contents that look like a footer, but for what follows. */
static void devices(struct bytes *b)
{
    section(b, 4, 0, "timer", 0, 2);
    put(b, "\x7e\0\0\0\0\x09\x7e\x7e\0\0\0\0", 12);
    footer(b, 0);
    section(b, 4, 12, "dma", 0, 1);
    fill(b, 1, 40);
    footer(b, 12);
    section(b, 4, 13, "dma", 1, 1);
    fill(b, 2, 4);
    put(b, "\5\3sub\0\0\0\1abcdefgh", 17);
    footer(b, 13);
}

static void qemu(struct bytes *b, bool mapped)
{
    static const char text[] =
        "{\"page_size\":4096,\"devices\":["
        "{\"name\":\"timer\",\"instance_id\":0,\"fields\":"
        "[{\"name\":\"a\",\"size\":8},{\"name\":\"b\",\"size\":4}]},"
        "{\"name\":\"dma\",\"instance_id\":0,\"fields\":"
        "[{\"array_len\":5,\"size\":8,\"struct\":{\"fields\":[{\"size\":8}]}}]}"
        ",{\"name\":\"dma\",\"instance_id\":1,\"vmsd_name\":\"dma\","
        "\"fields\":[{\"size\":4}],\"subsections\":[{\"vmsd_name\":\"sub\","
        "\"fields\":[{\"size\":8,\"array_len\":1}]}]}]}";

    qemu_head(b);
    put(b,
        "\5\x12"
        "configuration/uuid\0\0\0\1",
        24);
    fill(b, 7, 16);
    if (mapped) {
        put(b,
            "\5\x1a"
            "configuration/capabilities\0\0\0\1\0\0\0\1",
            36);
        name(b, "mapped-ram");
        mapped_ram(b);
    } else {
        ram(b);
    }
    put(b, "\x08\0\2\0\4ping", 9);
    put(b, "\x08\0\x0b\0\0", 5); /* SWITCHOVER_START */
    devices(b);
    put8(b, 0);
    put8(b, 6);
    put32be(b, sizeof(text) - 1);
    put(b, text, sizeof(text) - 1);
}

static void many(struct bytes *b)
{
    qemu_head(b);
    for (uint32_t i = 0; i <= 1024; i++) {
        section(b, 4, i, "dma", i, 1);
        footer(b, i);
    }
    put8(b, 0);
}

/* ---- ours ---- */

static void put16be(struct bytes *b, uint16_t v)
{
    put16(b, __builtin_bswap16(v));
}

/* PAGES up to its map: of gfns from 0x100 on. */
static void dump_pages(struct bytes *b, uint32_t len, uint16_t span)
{
    put32be(b, len);
    put8(b, 1);
    put64be(b, 0x100);
    put16be(b, span);
}

/* Packed: a letter 4,096 times. */
static void lz4_page(struct bytes *b)
{
    put(b, "\x1fz\1", 4);
    fill(b, 0xff, 15); /* 4,090 times what is one octet before */
    put(b, "\xf6\x50zzzzz", 7);
}

/* 5,000 octets as they are, 3,192 the same: two pages. */
static void zstd_pages(struct bytes *b)
{
    put(b, "\x60\x00\x1f\x40\x9c", 6);
    for (unsigned i = 0; i < 5000; i++)
        put8(b, (uint8_t)(i * i >> 3));
    put(b, "\xc3\x63\0y", 4);
}

/* In the first iteration: a page, a zero one, a packed one, a batch of two. */
static void dump(struct bytes *b)
{
    put(b, "MEXTDMP1", 8);
    fill(b, 9, 16);
    put16be(b, 1);
    put16be(b, 2);
    dump_pages(b, 23, 8);
    put(b, "\xc6\x4f", 2); /* data, zero, none, packed; packed twice, zero */
    put16be(b, 0x101a);
    put16be(b, 0x2000);
    put16be(b, 0x2000);
    put32be(b, 5010);
    fill(b, 0xd0, 4096);
    lz4_page(b);
    zstd_pages(b);
    put(b, "\0\0\0\5\2\0\0\0\1", 9); /* barrier */
    dump_pages(b, 14, 1);
    put8(b, 3);
    put16be(b, 0x3024);
    fill(b, 5, 8);
    put16be(b, 3 << 7 | 2);
    fill(b, 6, 16);
    put16be(b, 6 << 7 | 1);
    fill(b, 7, 8);
    put(b, "\0\0\0\5\2\0\0\0\2", 9);
    put(b, "\0\0\0\x0f\3\0\1\0\0\0\0\0\0\2\0\0\0\0\x10", 19); /* absent */
    put(b, "\0\0\0\x11\4\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\2", 21);
}

void build_stream(struct bytes *b, enum base base)
{
    b->n = 0;
    if (base == BASE_V2)
        hvm(b, 2);
    else if (base == BASE_QEMU || base == BASE_MAPPED)
        qemu(b, base == BASE_MAPPED);
    else if (base == BASE_DUMP)
        dump(b);
    else if (base == BASE_MANY)
        many(b);
    else
        xen(b, base);
}
