/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>

#include "build_guest.h"

#define PAGE     4096u
#define PAGES    GUEST_PAGES
#define AT       0x100000u
#define TABLES   0x90000u
#define STACK    0x8f000u
#define VECTOR   0x30u
#define ACPI_PFN 0xfc000u

static uint8_t ram[PAGES * PAGE];
static struct guest_bytes *out;

static uint32_t word(unsigned n)
{
    uint32_t v;

    memcpy(&v, ram + AT + 4 * n, sizeof(v));
    return v;
}

static void set(uint32_t at, uint64_t v)
{
    memcpy(ram + at, &v, sizeof(v));
}

/* As beat.S makes them. */
static void fill_memory(void)
{
    uint32_t tick = word(4), idt = word(5);

    set(TABLES, TABLES + 0x1003);
    set(TABLES + 0x1000, TABLES + 0x2003);
    set(TABLES + 0x1018, TABLES + 0x3003);
    set(TABLES + 0x2000, 0x83);
    set(TABLES + 0x3000 + 8 * 0x1e0, 0xfc000083);
    set(TABLES + 0x3000 + 8 * 0x1f6, 0xfec0009b);
    set(TABLES + 0x3000 + 8 * 0x1f7, 0xfee0009b);
    set(idt + 16 * VECTOR, (tick & 0xffff) | 8u << 16 | 0x8e00ull << 32 |
                               (uint64_t)(tick >> 16) << 48);
}

static void put(const void *p, size_t n)
{
    assert(n <= GUEST_MAX - out->n);
    if (n)
        memcpy(out->p + out->n, p, n);
    out->n += n;
}

static void put_head(uint32_t type, size_t n)
{
    const uint32_t head[] = { type, (uint32_t)n };

    put(head, sizeof(head));
}

static void put_record(uint32_t type, const void *p, size_t n)
{
    static const uint8_t zeros[8];

    put_head(type, n);
    put(p, n);
    put(zeros, -n & 7);
}

/* ---- context ---- */

static void entry(unsigned type, unsigned instance, const void *p, size_t n)
{
    struct hvm_save_descriptor d = { .typecode = (uint16_t)type,
                                     .instance = (uint16_t)instance,
                                     .length = (uint32_t)n };

    put(&d, sizeof(d));
    put(p, n);
}

static void put_header(void)
{
    struct hvm_save_header h = { .magic = HVM_FILE_MAGIC,
                                 .version = HVM_FILE_VERSION,
                                 .gtsc_khz = 2000000 };

    entry(HVM_SAVE_CODE(HEADER), 0, &h, sizeof(h));
}

/* pi, 1: the stack is not at its bottom. */
static void fill_fpu(uint8_t *f)
{
    static const uint8_t one[] = { 0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f };
    static const uint8_t pi[] = { 0x35, 0xc2, 0x68, 0x21, 0xa2,
                                  0xda, 0x0f, 0xc9, 0x00, 0x40 };
    const uint64_t low = 0x8888888811111111, high = 0x9999999922222222;
    const uint16_t fcw = 0x37f, fsw = 6 << 11;
    const uint32_t mxcsr = 0x1f80;

    memcpy(f, &fcw, 2);
    memcpy(f + 2, &fsw, 2);
    f[4] = 0xc0;
    memcpy(f + 24, &mxcsr, 4);
    memcpy(f + 32, one, sizeof(one));
    memcpy(f + 48, pi, sizeof(pi));
    memcpy(f + 160 + 16 * 3, &low, 8);
    memcpy(f + 160 + 16 * 12, &high, 8);
}

static void put_cpu(void)
{
    const uint32_t data = 0xc93, code = 0xa9b;
    struct hvm_hw_cpu c = {
        .rip = word(3),
        .rflags = 0x202,
        .rsp = STACK,
        .rbp = 0x1234567,
        .r8 = 0x8888888811111111,
        .r9 = 0x9999999922222222,
        .r10 = 0xaaaaaaaa33333333,
        .r11 = 0xbbbbbbbb44444444,
        .r13 = GUEST_BEATS,
        .r14 = 0xeeeeeeee55555555,
        .r15 = 0xffffffff66666666,
        .cr0 = 0x80000013,
        .cr3 = TABLES,
        .cr4 = 0x620,
        .dr0 = 0x00dead00,
        .dr6 = 0xffff0ff0,
        .dr7 = 0x400,
        .cs_sel = 8,
        .ds_sel = 16,
        .es_sel = 16,
        .fs_sel = 16,
        .gs_sel = 16,
        .ss_sel = 16,
        .cs_limit = ~0u,
        .ds_limit = ~0u,
        .es_limit = ~0u,
        .fs_limit = ~0u,
        .gs_limit = ~0u,
        .ss_limit = ~0u,
        .tr_limit = 0xffff,
        .ldtr_limit = 0xffff,
        .idtr_limit = 16 * (VECTOR + 2) - 1,
        .idtr_base = word(5),
        .gdtr_limit = 23,
        .gdtr_base = word(6),
        .fs_base = 0x00001fff5eed5eed,
        .cs_arbytes = code,
        .ds_arbytes = data,
        .es_arbytes = data,
        .fs_arbytes = data,
        .gs_arbytes = data,
        .ss_arbytes = data,
        .tr_arbytes = 0x8b,
        .ldtr_arbytes = 0x82,
        .shadow_gs = 0x00007fff0badcafe,
        .msr_lstar = 0x7ea7,
        .msr_efer = 0x501,
        .tsc = 123456789000,
        .flags = XEN_X86_FPU_INITIALISED,
    };

    fill_fpu(c.fpu_regs);
    entry(HVM_SAVE_CODE(CPU), 0, &c, sizeof(c));
}

static void put_pics(void)
{
    struct hvm_hw_vpic p = { .imr = 0xff, .irq_base = 0x20, .is_master = 1 };

    entry(HVM_SAVE_CODE(PIC), 0, &p, sizeof(p));
    p.irq_base = 0x28;
    p.is_master = 0;
    entry(HVM_SAVE_CODE(PIC), 1, &p, sizeof(p));
}

static void put_ioapic(void)
{
    struct hvm_hw_vioapic io = { .base_address = 0xfec00000 };

    for (unsigned i = 0; i < VIOAPIC_NUM_PINS; i++)
        io.redirtbl[i].fields.mask = 1;
    io.redirtbl[2].bits = VECTOR;
    entry(HVM_SAVE_CODE(IOAPIC), 0, &io, sizeof(io));
}

static void put_lapic(void)
{
    struct hvm_hw_lapic l = { .apic_base_msr = 0xfee00900, .timer_divisor = 2 };
    static struct hvm_hw_lapic_regs r;
    const uint32_t on = 0x1ff, masked = 0x10000, flat = ~0u, version = 0x50014;

    memcpy(r.data + 0x30, &version, 4);
    for (unsigned at = 0x320; at <= 0x370; at += 16)
        memcpy(r.data + at, &masked, 4);
    memcpy(r.data + 0xe0, &flat, 4);
    memcpy(r.data + 0xf0, &on, 4);
    /* As Xen 4.17 has it, whosever headers these are. */
    entry(HVM_SAVE_CODE(LAPIC), 0, &l,
          offsetof(struct hvm_hw_lapic, tdt_msr) + sizeof(l.tdt_msr));
    entry(HVM_SAVE_CODE(LAPIC_REGS), 0, &r, sizeof(r));
}

static void put_wires(void)
{
    struct hvm_hw_pci_irqs pci = { 0 };
    struct hvm_hw_isa_irqs isa = { 0 };
    struct hvm_hw_pci_link link = { .route = { 5, 10, 11, 5 } };

    entry(HVM_SAVE_CODE(PCI_IRQ), 0, &pci, sizeof(pci));
    entry(HVM_SAVE_CODE(ISA_IRQ), 0, &isa, sizeof(isa));
    entry(HVM_SAVE_CODE(PCI_LINK), 0, &link, sizeof(link));
}

static void put_timers(void)
{
    struct hvm_hw_pit pit = { 0 };
    struct hvm_hw_rtc rtc = { .cmos_data = {
                                  [10] = 0x26, [11] = 2, [13] = 0x80 } };
    struct hvm_hw_hpet hpet = { .capability = 0xf424008086a201 };
    struct hvm_hw_pmtimer pm = { .tmr_val = 0x123456 };

    for (unsigned i = 0; i < 3; i++) {
        pit.channels[i].count = i ? 65536 : 11931;
        pit.channels[i].rw_mode = 3;
        pit.channels[i].mode = 3;
        pit.channels[i].gate = i < 2;
    }
    for (unsigned i = 0; i < 3; i++) {
        hpet.timers[i].config = 0x00f0000000000030;
        hpet.timers[i].cmp = ~0ull;
    }
    entry(HVM_SAVE_CODE(PIT), 0, &pit, sizeof(pit));
    entry(HVM_SAVE_CODE(RTC), 0, &rtc, sizeof(rtc));
    entry(HVM_SAVE_CODE(HPET), 0, &hpet, sizeof(hpet));
    entry(HVM_SAVE_CODE(PMTIMER), 0, &pm, sizeof(pm));
}

static void put_mtrr(void)
{
    struct hvm_hw_mtrr m = { .msr_pat_cr = 0x0007040600070406,
                             .msr_mtrr_cap = 0x508 };

    entry(HVM_SAVE_CODE(MTRR), 0, &m, sizeof(m));
    entry(HVM_SAVE_CODE(END), 0, &m, 0);
}

static void put_context(void)
{
    uint32_t len;

    put_head(9, 0);
    out->context = out->n;
    put_header();
    put_cpu();
    put_pics();
    put_ioapic();
    put_lapic();
    put_wires();
    put_timers();
    put_mtrr();
    out->context_len = out->n - out->context;
    len = (uint32_t)out->context_len;
    memcpy(out->p + out->context - 4, &len, sizeof(len));
    put("\0\0\0\0\0\0\0", -out->context_len & 7);
}

uint8_t *guest_entry(struct guest_bytes *b, unsigned type, unsigned instance,
                     size_t *n_r)
{
    struct hvm_save_descriptor d;
    size_t at = b->context;

    for (; at < b->context + b->context_len; at += sizeof(d) + d.length) {
        memcpy(&d, b->p + at, sizeof(d));
        if (d.typecode != type || d.instance != instance)
            continue;
        *n_r = d.length;
        return b->p + at + sizeof(d);
    }
    return NULL;
}

/* ---- the stream ---- */

static void put_heads(void)
{
    static const char json[] = "{\"c_info\":{\"type\":\"hvm\",\"name\":\"b\"}}";
    const uint32_t xl[] = { 0x01020304, 3, 0, 4 + sizeof(json), sizeof(json) };

    put("Xen saved domain, xl format\n \0 \r", 32);
    put(xl, sizeof(xl));
    put(json, sizeof(json));
    put("LibxlFmt\0\0\0\2\0\0\0", 16);
    put_record(1, NULL, 0);
    put("\xff\xff\xff\xff\xff\xff\xff\xffXENF\0\0\0\3\0\0\0\0\0\0\0", 24);
    put("\2\0\0\0\14\0\0\0\4\0\0\0\x11\0\0", 16);
    put_record(0x10, NULL, 0);
}

/* And a page of what hvmloader would have put above. */
static void put_pages(void)
{
    static struct {
        uint32_t n, zero;
        uint64_t pfn[PAGES - 32 + 1];
        uint8_t data[PAGES - 32 + 1][PAGE];
    } r;

    r.n = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        if (i >= 0xa0 && i < 0xc0)
            continue;
        memcpy(r.data[r.n], ram + i * PAGE, PAGE);
        r.pfn[r.n++] = i;
    }
    memset(r.data[r.n], 0x5a, PAGE);
    r.pfn[r.n++] = ACPI_PFN;
    put_record(1, &r, sizeof(r));
}

static void put_rest(void)
{
    const uint64_t tsc[] = { 1 | 2000000ull << 32, 0, 1 };
    const uint64_t params[] = { 2, HVM_PARAM_STORE_PFN, 0xfeffc,
                                HVM_PARAM_ACPI_IOPORTS_LOCATION, 1 };

    put_record(8, tsc, sizeof(tsc));
    put_context();
    put_record(10, params, sizeof(params));
    put_record(0, NULL, 0);
    put_record(0, NULL, 0); /* libxl's */
}

void build_guest(struct guest_bytes *b, const void *beat, size_t n)
{
    assert(n >= 28 && n <= PAGES * PAGE - AT);
    memset(ram, 0, sizeof(ram));
    memcpy(ram + AT, beat, n);
    out = b;
    out->n = 0;
    fill_memory();
    put_heads();
    put_pages();
    put_rest();
}
