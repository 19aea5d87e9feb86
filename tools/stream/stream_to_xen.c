/* SPDX-License-Identifier: LGPL-2.1-only */
/* A machine of QEMU's as Xen's HVM context. */
#include "stream_machine.h"
#include "stream_priv.h"

#define NS           1000000000ll
#define PM_HZ        3579545ull
#define PM_BASE      0xb000u
#define IOAPIC_AT    0xfec00000u
#define PIN_MASKED   (1ull << 16)
#define MTRR_CAP     0x508u /* 8 variable ranges, fixed ones, write-combining */
#define PCI_LINK_OFF 0x80u
#define XSTATE_SSE   3ull
#define XSTATE_AVX   4ull
#define AVX_AT       576u
#define AVX_LEN      256u
#define BASE_ON      0x800u
#define SVR_ON       0x100u
#define HW_OFF       1u
#define SW_OFF       2u
#define CR4_OSXSAVE  (1ull << 18)

struct context {
    uint8_t *p;
    size_t n;
};

/* Where an entry's content goes. */
static uint8_t *entry(struct context *c, unsigned type, unsigned instance,
                      size_t n)
{
    const uint16_t head[] = { (uint16_t)type, (uint16_t)instance };
    const uint32_t len = (uint32_t)n;
    uint8_t *p = c->p + c->n;

    memcpy(p, head, sizeof(head));
    memcpy(p + 4, &len, sizeof(len));
    memset(p + 8, 0, n);
    c->n += 8 + n;
    return p + 8;
}

static void put(struct context *c, unsigned type, unsigned instance,
                const struct wire *w, const void *obj)
{
    stream_wire_put(entry(c, type, instance, stream_wire_len(w)), w, obj,
                    false);
}

static void store32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

static void store64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

static void put_header(struct context *c, const struct qemu_machine *m)
{
    uint8_t *p = entry(c, XEN_HEADER, 0, 24);

    store32(p, XEN_MAGIC);
    store32(p + 4, 1);
    store32(p + 20, (uint32_t)m->tsc_khz);
}

/* ---- interrupts ---- */

static void put_pic(struct context *c, const struct qemu_machine *m, unsigned n)
{
    const struct qemu_pic *q = &m->pic[n];
    struct xen_pic x = { .irr = q->irr,
                         .imr = q->imr,
                         .isr = q->isr,
                         .irq_base = q->base,
                         .elcr = q->elcr };

    x.init_priority = (uint8_t)((q->init & 3) | (q->priority & 7) << 4);
    if (q->init)
        x.init_priority |= (uint8_t)(!!q->init4 << 2 | !q->single << 3);
    x.modes = (uint8_t)((q->read_isr ? X_READ_ISR : 0) |
                        (q->poll ? X_POLL : 0) |
                        (q->auto_eoi ? X_AUTO_EOI : 0) |
                        (q->rotate ? X_ROTATE : 0) | (q->sfnm ? X_SFNM : 0) |
                        (q->mask ? X_MASK : 0) | (n ? 0 : X_MASTER));
    x.out = q->irr & ~q->imr & 0xff ? 1 : 0;
    put(c, XEN_PIC, n, xen_pic_wire, &x);
}

static void put_ioapic(struct context *c, const struct qemu_machine *m)
{
    struct xen_ioapic x = { .base = IOAPIC_AT,
                            .select = m->ioapic.select,
                            .id = m->ioapic.id & 15 };

    for (unsigned i = 0; i < XEN_PINS; i++)
        x.pin[i] = i < QEMU_PINS ? m->ioapic.pin[i] : PIN_MASKED;
    put(c, XEN_IOAPIC, 0, xen_ioapic_wire, &x);
}

/* Xen's links are those of QEMU's machine turned by one. */
static void put_wires(struct context *c, const struct qemu_machine *m)
{
    uint64_t isa = m->pic[0].last_irr | (uint64_t)m->pic[1].last_irr << 8;
    const uint8_t *route = m->isa_bridge.pci.config + 0x60;
    uint8_t *p;

    entry(c, XEN_PCI_IRQ, 0, 16);
    store64(entry(c, XEN_ISA_IRQ, 0, 8), isa);
    p = entry(c, XEN_PCI_LINK, 0, 8);
    for (unsigned i = 0; i < 4; i++)
        p[i] = route[(i + 3) & 3] & PCI_LINK_OFF ? 0 : route[(i + 3) & 3] & 15;
}

/* ---- timers ---- */

static void put_pit(struct context *c, const struct qemu_machine *m)
{
    struct xen_pit x = { .speaker = m->speaker.data & 1u };

    for (unsigned i = 0; i < 3; i++) {
        x.channel[i].count = m->pit.channel[i].count;
        x.channel[i].latched = m->pit.channel[i].latched;
        memcpy(x.channel[i].b, m->pit.channel[i].b, sizeof(x.channel[i].b));
    }
    put(c, XEN_PIT, 0, xen_pit_wire, &x);
}

static void put_rtc(struct context *c, const struct qemu_machine *m)
{
    int64_t ns = (int64_t)(m->rtc.offset - m->rtc.updated);
    struct xen_rtc x = { .index = m->rtc.index };

    x.offset = m->rtc.base + (uint64_t)(ns / NS);
    memcpy(x.cmos, m->rtc.cmos, sizeof(x.cmos));
    put(c, XEN_RTC, 0, xen_rtc_wire, &x);
}

static void put_hpet(struct context *c, const struct qemu_machine *m)
{
    struct xen_hpet x = { .capability = 0xf424008086a201ull,
                          .counter = m->hpet.counter };

    for (unsigned i = 0; i < 3; i++) {
        x.timer[i].config = 0xf00000ull << 32 | 0x30; /* as Xen resets it */
        x.timer[i].cmp = UINT64_MAX;
    }
    put(c, XEN_HPET, 0, xen_hpet_wire, &x);
}

/* Xen has ACPI's ports where hvmloader puts them; else they are QEMU's. */
static void put_pm(struct context *c, const struct qemu_machine *m)
{
    unsigned __int128 ticks = (unsigned __int128)m->clock.clock * PM_HZ;
    struct xen_pm x = { .timer = (uint32_t)(ticks / (uint64_t)NS) };

    if ((load16(m->pm.pci.config + 0x40) & 0xffc0) == PM_BASE) {
        x.status = m->pm.status;
        x.enable = m->pm.enable;
    }
    put(c, XEN_PMTIMER, 0, xen_pm_wire, &x);
}

/* ---- vCPUs ---- */

static void put_xsave(struct context *c, const struct qemu_machine *m,
                      unsigned vcpu, const uint8_t *fpu)
{
    const struct qemu_vcpu *v = &m->vcpu[vcpu];
    uint64_t in = (v->cpu.xstate_bv & v->cpu.xcr0) | XSTATE_SSE;
    bool avx = v->cpu.xcr0 & XSTATE_AVX;
    uint8_t *p;

    if (!(v->cpu.cr4 & CR4_OSXSAVE) && v->cpu.xcr0 <= 1)
        return;
    p = entry(c, XEN_XSAVE, vcpu, XEN_XSAVE_AT + AVX_AT + (avx ? AVX_LEN : 0));
    store64(p, v->cpu.xcr0);
    store64(p + 8, v->cpu.xcr0);
    store64(p + 16, v->cpu.xcr0);
    memcpy(p + XEN_XSAVE_AT, fpu, 512);
    store64(p + XEN_XSAVE_AT + 512, in | (avx ? XSTATE_AVX : 0));
    for (unsigned i = 0; avx && i < 16; i++) {
        store64(p + XEN_XSAVE_AT + AVX_AT + 16 * i, v->cpu.ymm[i].q[0]);
        store64(p + XEN_XSAVE_AT + AVX_AT + 16 * i + 8, v->cpu.ymm[i].q[1]);
    }
}

static void put_lapic(struct context *c, const struct qemu_machine *m,
                      unsigned vcpu)
{
    const struct qemu_vcpu *v = &m->vcpu[vcpu];
    struct xen_lapic x = { .base = v->apic.base,
                           .divisor = 1u << v->apic.shift % 8,
                           .deadline = v->deadline };
    uint8_t regs[1024];

    x.disabled = (v->apic.base & BASE_ON ? 0u : HW_OFF) |
                 (v->apic.spurious & SVR_ON ? 0u : SW_OFF);
    put(c, XEN_LAPIC, vcpu, xen_lapic_wire, &x);
    stream_machine_xen_regs(v, regs);
    memcpy(entry(c, XEN_LAPIC_REGS, vcpu, sizeof(regs)), regs, sizeof(regs));
}

static void put_mtrr(struct context *c, const struct qemu_cpu *q, unsigned vcpu)
{
    struct xen_mtrr x = { .pat = q->pat,
                          .cap = MTRR_CAP,
                          .type = q->mtrr_type };

    memcpy(x.fixed, q->mtrr_fixed, sizeof(x.fixed));
    for (unsigned i = 0; i < 8; i++) {
        x.var[2 * i] = q->mtrr[i].base;
        x.var[2 * i + 1] = q->mtrr[i].mask;
    }
    put(c, XEN_MTRR, vcpu, xen_mtrr_wire, &x);
}

/* Xen's own; xss and spec_ctrl. */
static void put_msrs(struct context *c, const struct qemu_vcpu *v,
                     unsigned vcpu)
{
    const struct {
        uint32_t index;
        uint64_t value;
    } msr[] = { { 0x48, v->spec_ctrl }, { 0xda0, v->xss } };
    uint32_t n = (v->spec_ctrl ? 1u : 0u) + (v->xss ? 1u : 0u);
    uint8_t *p;

    if (!n)
        return;
    p = entry(c, XEN_MSR, vcpu, 8 + 16 * n);
    store32(p, n);
    for (unsigned i = 0; i < 2; i++) {
        if (!msr[i].value)
            continue;
        store32(p + 8, msr[i].index);
        store64(p + 16, msr[i].value);
        p += 16;
    }
}

static void put_vcpu(struct context *c, const struct qemu_machine *m,
                     unsigned vcpu, bool tcg)
{
    const struct qemu_vcpu *v = &m->vcpu[vcpu];
    struct xen_cpu x;

    if (!v->down) {
        stream_machine_xen_cpu(m, vcpu, tcg, &x);
        put(c, XEN_CPU, vcpu, xen_cpu_wire, &x);
        put_xsave(c, m, vcpu, x.fpu);
        put_msrs(c, v, vcpu);
    }
    put_lapic(c, m, vcpu);
    put_mtrr(c, &v->cpu, vcpu);
    store64(entry(c, XEN_TSC_ADJUST, vcpu, 8), v->tsc_adjust);
}

size_t stream_machine_context(const struct qemu_machine *m,
                              const struct stream_target *t, uint8_t *p)
{
    struct context c = { .p = p };

    put_header(&c, m);
    for (unsigned i = 0; i < m->cpus; i++)
        put_vcpu(&c, m, i, t->tcg);
    put_pic(&c, m, 0);
    put_pic(&c, m, 1);
    put_ioapic(&c, m);
    put_wires(&c, m);
    put_pit(&c, m);
    put_rtc(&c, m);
    put_hpet(&c, m);
    put_pm(&c, m);
    entry(&c, XEN_END, 0, 0);
    return c.n;
}
