/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl migrate-stream convert --to qemu. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stream_guest.h"
#include "xl_stream_convert.h"

#define MACHINE "pc-i440fx-7.2"

/* Records that say something of the guest beside its pages. */
enum { LIBXL_DEVICES = 3, LIBXC_TSC = 8, LIBXC_CPUID = 17 };

/* Page numbers: the VGA window, where QEMU's RAM may end, the ROM's place. */
#define VGA_FIRST 0xa0u
#define VGA_END   0xc0u
#define RAM_END   0xc0000u
#define ROM_FIRST 0xfc000u
#define ROM_END   0x100000u
#define ROM_LEN   ((uint64_t)(ROM_END - ROM_FIRST) * STREAM_PAGE_LEN)
#define MIB_PAGES 256u

/* Xen's own pages of a guest, and where its rings there count requests. */
#define OWN_FIRST  0xfeff0u
#define OWN        16u
#define STORE_AT   2052u /* req_prod, xen/include/public/io/xs_wire.h */
#define CONSOLE_AT 3084u /* out_prod, console.h */

enum { STORE_PFN = 1, CONSOLE_PFN = 17 };

static const char ram_name[] = "pc.ram", rom_name[] = "pc.bios";

/* Pages with something in them that have no place in QEMU's machine. */
struct area {
    const char *name, *why;
    uint64_t pages, first, last;
};

struct to_qemu {
    struct xl_convert *c;
    struct xen_guest *g;
    struct stream_put put;
    const struct stream_record *rec;
    void (*body)(struct xen_guest *g, const void *p, size_t n);
    bool hvm;
    uint64_t ram;  /* pages */
    uint64_t rom;  /* pages in the ROM's place */
    uint64_t none; /* zero pages that have no place */
    uint64_t lost; /* pages that Xen calls broken */
    uint32_t store[OWN], console[OWN];
    struct area area[3];
};

/* ---- first walk ---- */

static bool broken(void *arg, const struct stream_broken *b)
{
    struct to_qemu *t = arg;

    return xl_convert_broken(t->c, b);
}

static void on_begin(void *arg, const struct stream_record *r)
{
    struct to_qemu *t = arg;

    t->body = NULL;
    if (r->layer == STREAM_LIBXL && r->type == LIBXL_DEVICES)
        t->body = stream_guest_devices;
    else if (r->layer == STREAM_LIBXC && r->type == LIBXC_TSC)
        t->body = stream_guest_tsc;
    else if (r->layer == STREAM_LIBXC && r->type == LIBXC_CPUID)
        t->body = stream_guest_policy;
}

static void on_body(void *arg, const void *p, size_t n)
{
    struct to_qemu *t = arg;

    if (t->body)
        t->body(t->g, p, n);
}

static void on_entry(void *arg, unsigned type, unsigned instance, const void *p,
                     size_t n)
{
    struct to_qemu *t = arg;

    t->hvm = true;
    stream_guest_entry(t->g, type, instance, p, n);
}

static void on_param(void *arg, uint64_t index, uint64_t value)
{
    struct to_qemu *t = arg;

    stream_guest_param(t->g, index, value);
}

/* NULL: it has a place. */
static struct area *area_of(struct to_qemu *t, uint64_t pfn)
{
    if (pfn >= ROM_END)
        return &t->area[2];
    if (pfn >= RAM_END)
        return pfn >= ROM_FIRST ? NULL : &t->area[1];
    return pfn >= VGA_FIRST && pfn < VGA_END ? &t->area[0] : NULL;
}

static bool is_full(const struct stream_page *p)
{
    return p->data && !stream_is_zero(p->data, p->len);
}

static void note_rings(struct to_qemu *t, const struct stream_page *p)
{
    if (!p->data || p->pfn < OWN_FIRST || p->pfn >= OWN_FIRST + OWN)
        return;
    memcpy(&t->store[p->pfn - OWN_FIRST], p->data + STORE_AT, 4);
    memcpy(&t->console[p->pfn - OWN_FIRST], p->data + CONSOLE_AT, 4);
}

static void note_page(void *arg, const struct stream_page *p)
{
    struct to_qemu *t = arg;
    struct area *a = area_of(t, p->pfn);

    note_rings(t, p);
    t->lost += p->kind == STREAM_BROKEN;
    if (p->kind != STREAM_NOTAB && p->kind != STREAM_XALLOC)
        return;
    if (a && !is_full(p)) {
        t->none++;
    } else if (a) {
        if (!a->pages || p->pfn < a->first)
            a->first = p->pfn;
        if (p->pfn > a->last)
            a->last = p->pfn;
        a->pages++;
    } else if (p->pfn >= ROM_FIRST) {
        t->rom++;
    } else if (p->pfn >= t->ram) {
        t->ram = p->pfn + 1;
    }
}

/* hvmloader leaves xenstore's ring empty, and has no console. */
static void check_rings(const struct to_qemu *t)
{
    uint64_t store = t->g->param[STORE_PFN] - OWN_FIRST;
    uint64_t console = t->g->param[CONSOLE_PFN] - OWN_FIRST;

    if (store < OWN && t->store[store])
        xl_convert_refuse(t->c, "pv-xenstore", "the guest uses xenstore");
    if (console < OWN && t->console[console])
        xl_convert_refuse(t->c, "pv-console", "the guest uses Xen's console");
}

static void check_areas(const struct to_qemu *t)
{
    char text[256];

    for (unsigned i = 0; i < 3; i++) {
        const struct area *a = &t->area[i];

        if (!a->pages)
            continue;
        snprintf(text, sizeof(text),
                 "%" PRIu64 " pages between pfn %#" PRIx64 " and %#" PRIx64
                 " %s",
                 a->pages, a->first, a->last, a->why);
        xl_convert_refuse(t->c, a->name, text);
    }
}

static void check_lost(const struct to_qemu *t)
{
    char text[64];

    snprintf(text, sizeof(text), "%" PRIu64 " pages of bad memory", t->lost);
    if (t->lost)
        xl_convert_refuse(t->c, "page-broken", text);
}

static int look(struct to_qemu *t, const struct stream_target *target)
{
    static const struct stream_events events = { .broken = broken,
                                                 .begin = on_begin,
                                                 .body = on_body,
                                                 .entry = on_entry,
                                                 .param = on_param,
                                                 .page = note_page };

    if (xl_file_walk(t->c->x, &t->c->in, &events, t, NULL))
        return -1;
    if (!t->hvm) {
        xl_convert_refuse(t->c, "guest", "it is no HVM guest of Xen's");
        return 0;
    }
    stream_guest_check(t->g, target);
    check_areas(t);
    check_lost(t);
    check_rings(t);
    return 0;
}

/* ---- second walk ---- */

static void copy_page(void *arg, const struct stream_page *p)
{
    struct to_qemu *t = arg;
    const uint8_t *data = is_full(p) ? p->data : NULL;

    if (p->kind != STREAM_NOTAB || area_of(t, p->pfn))
        return;
    if (p->pfn >= ROM_FIRST)
        stream_put_page(&t->put, rom_name, p->pfn - ROM_FIRST, data);
    else
        stream_put_page(&t->put, ram_name, p->pfn, data);
}

static int copy(struct to_qemu *t, const struct stream_target *target)
{
    static const struct stream_events events = { .broken = broken,
                                                 .page = copy_page };
    const struct stream_put_block blocks[] = {
        { ram_name, t->ram * STREAM_PAGE_LEN },
        { rom_name, ROM_LEN },
    };

    t->put = (struct stream_put){ .bytes = xl_convert_put, .arg = t->c };
    stream_put_open(&t->put, MACHINE);
    stream_put_ram(&t->put, blocks, t->rom ? 2 : 1);
    if (xl_file_walk(t->c->x, &t->c->in, &events, t, NULL))
        return -1;
    stream_put_ram_end(&t->put);
    stream_guest_put(t->g, target, &t->put);
    stream_put_close(&t->put);
    return 0;
}

/* ---- how it is loaded ---- */

/* Xen numbers local APICs by twos, as if each had a second thread. */
static void report_vcpus(const struct to_qemu *t, const char *cpu)
{
    FILE *out = t->c->x->out;
    unsigned n = t->g->vcpus;

    if (stream_guest_apic_step(t->g) == 1) {
        fprintf(out, "    -smp %u \\\n", n);
        return;
    }
    fprintf(out, "    -smp 1,maxcpus=%u,sockets=%u,cores=1,threads=2 \\\n",
            2 * n, n);
    for (unsigned i = 1; i < n; i++)
        fprintf(out,
                "    -device %s-x86_64-cpu,socket-id=%u,core-id=0,thread-id=0 "
                "\\\n",
                cpu, i);
}

static void report(const struct to_qemu *t, const struct stream_target *target)
{
    const char *new = t->c->x->name[1], *cpu = target->tcg ? "max" : "host";
    FILE *out = t->c->x->out;

    if (t->none)
        fprintf(out,
                "%" PRIu64 " zero pages outside of QEMU's RAM are left out\n",
                t->none);
    if (t->rom)
        fprintf(out,
                "A ROM of %" PRIu64 " bytes takes ACPI's tables; what it ends "
                "with starts after a reset:\n"
                "  { head -c %" PRIu64 " /dev/zero; cat "
                "/usr/share/seabios/bios-256k.bin; } >%s.rom\n",
                ROM_LEN, ROM_LEN - (256u << 10), new);
    fprintf(out,
            "Loads with:\n"
            "  qemu-system-x86_64 -machine " MACHINE ",vmport=off -accel %s "
            "-cpu %s \\\n"
            "    -m %" PRIu64 " -nodefaults -no-user-config -display none "
            "-serial stdio \\\n",
            target->tcg ? "tcg" : "kvm", cpu, t->ram / MIB_PAGES);
    if (t->rom)
        fprintf(out, "    -bios %s.rom \\\n", new);
    if (t->g->vcpus > 1)
        report_vcpus(t, cpu);
    fprintf(out, "    -incoming 'exec:cat %s'\n", new);
}

int xl_stream_to_qemu(struct xl_convert *c)
{
    const struct stream_target target = { .tcg = c->x->tcg,
                                          .refuse = xl_convert_refuse,
                                          .arg = c };
    struct to_qemu t = {
        .c = c,
        .area = {
            { .name = "vga-window", .why = "are where QEMU has the VGA's" },
            { .name = "pages-above-3g", .why = "are above 3 GiB" },
            { .name = "pages-above-4g", .why = "are above 4 GiB" },
        },
    };
    int rc = -1;

    t.g = stream_guest_new();
    if (!t.g)
        fprintf(c->x->err, "xl: %s: no memory\n", c->in.name);
    else if (!look(&t, &target)) {
        t.ram = (t.ram + MIB_PAGES - 1) / MIB_PAGES * MIB_PAGES;
        if (!xl_convert_begin(c))
            rc = xl_convert_end(c, copy(&t, &target));
    }
    if (!rc)
        report(&t, &target);
    free(t.g);
    return rc;
}
