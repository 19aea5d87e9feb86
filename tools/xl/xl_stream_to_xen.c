/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl migrate-stream convert --to xen. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stream_machine.h"
#include "xl_stream_convert.h"

/* QEMU's elements; libxc's and libxl's records; HVM parameters: params.h. */
enum { QEMU_START = 1, QEMU_FULL = 4 };
enum {
    XC_PAGE_DATA = 1,
    XC_TSC = 8,
    XC_CONTEXT = 9,
    XC_PARAMS = 10,
    XC_STATIC_END = 16
};
enum { XL_CONTEXT = 1, XL_DEVICES = 3 };
enum {
    STORE_PFN = 1,
    IOREQ_PFN = 5,
    BUFIOREQ_PFN = 6,
    IDENT_PT = 12,
    CONSOLE_PFN = 17,
    ACPI_IOPORTS = 19,
    IOREQ_SERVER_PFN = 32,
    NR_IOREQ_SERVER_PAGES = 33
};

#define BLOCKS     STREAM_BLOCKS
#define BATCH      1024u
#define TYPE_SHIFT 60
#define LOW_MAX    0xe0000u  /* so much is not all below 4 GiB */
#define TOP        0x100000u /* where a ROM ends */
#define SMRAM      0xa0u
#define SMRAM_END  0xc0u
#define KIB_A_PAGE 4u

/* Xen's own pages of an HVM guest: tools/libs/guest/xg_dom_x86.c. */
enum {
    SERVERS = 0xfeff0,
    NSERVERS = 8,
    SPECIAL = 0xfeff8,
    BUFIOREQ = 0xfeffb,
    STORE = 0xfeffc,
    IOREQ = 0xfeffd,
    IDENT = 0xfeffe,
    CONSOLE = 0xfefff
};

enum place { IS_RAM, IS_ROM, IS_FIRMWARE, IS_OTHER };

struct block {
    enum place place;
    uint64_t pages, used; /* not zero */
    char name[STREAM_NAME_MAX + 1];
};

struct to_xen {
    struct xl_convert *c;
    const struct stream_target *target;
    struct qemu_machine *m;
    struct block block[BLOCKS];
    uint64_t smram, differences;
    bool qemu, taking;
    size_t nbody; /* more than there is room for: too long */
    uint8_t body[MACHINE_BODY];
    unsigned n, ndata; /* of the batch */
    uint64_t batch[BATCH];
    uint8_t data[BATCH][STREAM_PAGE_LEN];
    uint8_t context[MACHINE_CONTEXT];
};

/* ---- first walk ---- */

static bool broken(void *arg, const struct stream_broken *b)
{
    struct to_xen *t = arg;

    return xl_convert_broken(t->c, b);
}

static void on_block(void *arg, uint32_t number, const char *name, uint64_t len)
{
    struct to_xen *t = arg;
    struct block *b = &t->block[number];

    snprintf(b->name, sizeof(b->name), "%s", name);
    b->pages = len / STREAM_PAGE_LEN;
    b->used = 0;
    b->place = IS_OTHER;
    if (!strcmp(name, "pc.ram"))
        b->place = IS_RAM;
    else if (!strcmp(name, "pc.bios"))
        b->place = IS_ROM;
    else if (!strcmp(name, "pc.rom") || !strncmp(name, "/rom@", 5))
        b->place = IS_FIRMWARE;
}

static void on_begin(void *arg, const struct stream_record *r)
{
    struct to_xen *t = arg;

    t->qemu |= r->layer == STREAM_QEMU;
    t->taking = r->layer == STREAM_QEMU && r->type == QEMU_FULL;
    t->nbody = 0;
}

static void on_body(void *arg, const void *p, size_t n)
{
    struct to_xen *t = arg;

    if (!t->taking)
        return;
    if (n <= sizeof(t->body) - t->nbody)
        memcpy(t->body + t->nbody, p, n);
    else
        t->taking = false;
    t->nbody += n;
}

static void on_end(void *arg, const struct stream_record *r)
{
    struct to_xen *t = arg;

    if (r->layer != STREAM_QEMU ||
        (r->type == QEMU_START && !strcmp(r->name, "ram")))
        return;
    if (r->type == QEMU_START || (r->type == QEMU_FULL && !t->taking))
        xl_convert_refuse(t->c, r->name, "a section that is not carried");
    else if (r->type == QEMU_FULL)
        stream_machine_section(t->m, t->target, r->name, r->instance,
                               r->version, t->body, t->nbody);
}

static bool is_smram(const struct to_xen *t, const struct stream_page *p)
{
    return t->block[p->block].place == IS_RAM && p->pfn >= SMRAM &&
           p->pfn < SMRAM_END;
}

static bool is_full(const struct stream_page *p)
{
    return p->data && !stream_is_zero(p->data, p->len);
}

static void note_page(void *arg, const struct stream_page *p)
{
    struct to_xen *t = arg;

    if (p->kind < STREAM_RAM_ZERO)
        return;
    t->differences += p->kind == STREAM_RAM_XBZRLE;
    if (is_smram(t, p))
        t->smram += is_full(p);
    else
        t->block[p->block].used += is_full(p);
}

static uint64_t ram_pages(const struct to_xen *t)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        if (t->block[i].place == IS_RAM && t->block[i].name[0])
            return t->block[i].pages;
    return 0;
}

static void check_ram(struct to_xen *t)
{
    char name[sizeof("ram:") + STREAM_NAME_MAX];

    for (unsigned i = 0; i < BLOCKS; i++) {
        const struct block *b = &t->block[i];

        if (b->place == IS_RAM && b->pages >= LOW_MAX)
            xl_convert_refuse(t->c, "pages-above-4g", "RAM of 3.5 GiB or more");
        if (!b->name[0] || b->place != IS_OTHER || !b->used)
            continue;
        snprintf(name, sizeof(name), "ram:%s", b->name);
        xl_convert_refuse(t->c, name, "Xen's machine has no such memory");
    }
    if (t->smram)
        xl_convert_refuse(t->c, "smram",
                          "the firmware's system management code, which Xen's "
                          "machine never enters");
    if (!ram_pages(t))
        xl_convert_refuse(t->c, "machine", "it has no memory of name pc.ram");
    if (t->differences)
        xl_convert_refuse(t->c, "xbzrle", "pages came as differences");
}

static int look(struct to_xen *t)
{
    static const struct stream_events events = { .broken = broken,
                                                 .begin = on_begin,
                                                 .body = on_body,
                                                 .end = on_end,
                                                 .block = on_block,
                                                 .page = note_page };

    if (xl_file_walk(t->c->x, &t->c->in, &events, t, NULL))
        return -1;
    if (!t->qemu) {
        xl_convert_refuse(t->c, "machine", "it is no stream of QEMU's");
        return 0;
    }
    stream_machine_check(t->m, t->target);
    check_ram(t);
    return 0;
}

/* ---- second walk ---- */

static void put(struct to_xen *t, const void *p, size_t n)
{
    xl_convert_put(t->c, p, n);
}

static void put_record(struct to_xen *t, uint32_t type, const void *p, size_t n)
{
    static const uint8_t zeros[8];
    const uint32_t head[] = { type, (uint32_t)n };

    put(t, head, sizeof(head));
    put(t, p, n);
    put(t, zeros, -n & 7);
}

static void put_batch(struct to_xen *t)
{
    uint32_t len = 8 + 8 * t->n + STREAM_PAGE_LEN * t->ndata;
    const uint32_t head[] = { XC_PAGE_DATA, len, t->n, 0 };

    if (!t->n)
        return;
    put(t, head, sizeof(head));
    put(t, t->batch, t->n * sizeof(t->batch[0]));
    put(t, t->data, (size_t)t->ndata * STREAM_PAGE_LEN);
    t->n = t->ndata = 0;
}

/* A batch names a page once. */
static bool in_batch(const struct to_xen *t, uint64_t pfn)
{
    for (unsigned i = t->n; i--;)
        if ((t->batch[i] & STREAM_PFN_MAX) == pfn)
            return true;
    return false;
}

/* data NULL: the page is there, and nothing in it matters. */
static void put_page(struct to_xen *t, uint64_t pfn, const void *data)
{
    uint64_t type = data ? STREAM_NOTAB : STREAM_XALLOC;
    bool up = !t->n || (t->batch[t->n - 1] & STREAM_PFN_MAX) < pfn;

    if (t->n == BATCH || (!up && in_batch(t, pfn)))
        put_batch(t);
    if (data)
        memcpy(t->data[t->ndata++], data, STREAM_PAGE_LEN);
    t->batch[t->n++] = type << TYPE_SHIFT | pfn;
}

static void copy_page(void *arg, const struct stream_page *p)
{
    static const uint8_t zeros[STREAM_PAGE_LEN];
    const uint8_t *data = p->data ? p->data : zeros;
    struct to_xen *t = arg;
    const struct block *b = &t->block[p->block];

    if (p->kind != STREAM_RAM_ZERO && p->kind != STREAM_RAM_PAGE)
        return;
    if (b->place == IS_RAM && !is_smram(t, p))
        put_page(t, p->pfn, data);
    else if (b->place == IS_ROM && is_full(p) && b->pages <= TOP)
        put_page(t, TOP - b->pages + p->pfn, data);
}

static void put_own_pages(struct to_xen *t)
{
    uint32_t ident[STREAM_PAGE_LEN / 4];

    for (uint32_t i = 0; i < STREAM_PAGE_LEN / 4; i++)
        ident[i] = i << 22 | 0xe7; /* 4 MiB each: present, all may write */
    for (uint64_t pfn = SERVERS; pfn <= CONSOLE; pfn++)
        put_page(t, pfn, pfn == IDENT ? ident : NULL);
    put_batch(t);
}

/* What a configuration needs; xl restore is better given one. */
static void put_config(struct to_xen *t)
{
    char text[1024];
    uint32_t n;

    n = (uint32_t)snprintf(
            text, sizeof(text),
            "{\"c_info\":{\"type\":\"hvm\",\"name\":\"converted\"},"
            "\"b_info\":{\"max_vcpus\":%u,\"max_memkb\":%" PRIu64
            ",\"target_memkb\":%" PRIu64 ",\"type.hvm\":{"
            "\"vga\":{\"kind\":\"none\"},\"serial\":\"pty\","
            "\"xen_platform_pci\":\"False\"}}}",
            t->m->cpus, ram_pages(t) * KIB_A_PAGE, ram_pages(t) * KIB_A_PAGE) +
        1;
    const uint32_t head[] = { 0x01020304, 3, 0, 4 + n, n };

    put(t, "Xen saved domain, xl format\n \0 \r", 32);
    put(t, head, sizeof(head));
    put(t, text, n);
}

/* Libxl's part up to libxc's first page; Xen is said to be 4.17. */
static void put_heads(struct to_xen *t)
{
    put_config(t);
    put(t, "LibxlFmt\0\0\0\2\0\0\0", 16);
    put_record(t, XL_CONTEXT, NULL, 0);
    put(t, "\xff\xff\xff\xff\xff\xff\xff\xffXENF\0\0\0\3\0\0\0\0\0\0\0", 24);
    put(t, "\2\0\0\0\14\0\0\0\4\0\0\0\x11\0\0", 16);
    put_record(t, XC_STATIC_END, NULL, 0);
}

static void put_params(struct to_xen *t)
{
    static const uint64_t params[] = {
        8, /* how many */
        STORE_PFN,
        STORE,
        IOREQ_PFN,
        IOREQ,
        BUFIOREQ_PFN,
        BUFIOREQ,
        IDENT_PT,
        (uint64_t)IDENT * STREAM_PAGE_LEN,
        CONSOLE_PFN,
        CONSOLE,
        ACPI_IOPORTS,
        1,
        IOREQ_SERVER_PFN,
        SERVERS,
        NR_IOREQ_SERVER_PAGES,
        NSERVERS,
    };

    put_record(t, XC_PARAMS, params, sizeof(params));
}

static void put_devices(struct to_xen *t)
{
    static uint8_t body[8 + GUEST_DEVICES + 1];
    const uint32_t head[] = { 2, 0 }; /* of QEMU, the first */
    const uint8_t *p;
    size_t n;

    p = stream_machine_devices(t->m, &n);
    memcpy(body, head, sizeof(head));
    memcpy(body + sizeof(head), p, n);
    put_record(t, XL_DEVICES, body, sizeof(head) + n);
}

static int copy(struct to_xen *t)
{
    static const struct stream_events events = { .broken = broken,
                                                 .block = on_block,
                                                 .page = copy_page };
    const uint32_t tsc[] = { 0, (uint32_t)t->m->tsc_khz, 0, 0, 1, 0 };
    size_t n;

    put_heads(t);
    if (xl_file_walk(t->c->x, &t->c->in, &events, t, NULL))
        return -1;
    put_batch(t);
    put_own_pages(t);
    put_record(t, XC_TSC, tsc, sizeof(tsc));
    n = stream_machine_context(t->m, t->target, t->context);
    put_record(t, XC_CONTEXT, t->context, n);
    put_params(t);
    put_record(t, 0, NULL, 0);
    put_devices(t);
    put_record(t, 0, NULL, 0);
    return 0;
}

/* ---- the whole ---- */

static void report(const struct to_xen *t)
{
    fprintf(t->c->x->out,
            "A configuration for xl restore CONFIG %s:\n"
            "  name = \"converted\"\n"
            "  type = \"hvm\"\n"
            "  memory = %" PRIu64 "\n"
            "  vcpus = %u\n"
            "  vga = \"none\"\n"
            "  serial = \"pty\"\n"
            "  xen_platform_pci = 0\n",
            t->c->x->name[1], ram_pages(t) * KIB_A_PAGE / 1024, t->m->cpus);
}

int xl_stream_to_xen(struct xl_convert *c)
{
    const struct stream_target target = { .tcg = c->x->tcg,
                                          .refuse = xl_convert_refuse,
                                          .arg = c };
    struct to_xen *t = calloc(1, sizeof(*t));
    int rc = -1;

    if (t)
        t->m = stream_machine_new();
    if (!t || !t->m) {
        fprintf(c->x->err, "xl: %s: no memory\n", c->in.name);
        free(t);
        return -1;
    }
    t->c = c;
    t->target = &target;
    if (!look(t) && !xl_convert_begin(c))
        rc = xl_convert_end(c, copy(t));
    if (!rc)
        report(t);
    free(t->m);
    free(t);
    return rc;
}
