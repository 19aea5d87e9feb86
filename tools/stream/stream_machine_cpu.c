/* SPDX-License-Identifier: LGPL-2.1-only */
/* QEMU's sections cpu and apic as Xen's vCPU and local APIC. */
#include "stream_machine.h"
#include "stream_priv.h"

#define SUB           5u
#define NONE          UINT32_MAX
#define X2APIC        (1u << 10)
#define ATTR_S        0x10u
#define ATTR_P        0x80u
#define TYPE_ACCESSED 1u
#define TYPE_BUSY     2u
#define RATE          10u

/* ---- subsections ---- */

enum how { TAKE32, TAKE64, FPOP, UNLESS_ZERO, POLL, MISC, LEFT };

/* UNLESS_ZERO: refused, unless all of it is 0.  Bits that change CPUID. */
#define MISC_CPUID (1ull << 22 | 1ull << 34)

static const struct sub {
    const char *name;
    enum how how;
    uint16_t at, len;
} subs[] = {
    { "cpu/msr_tsc_adjust", TAKE64, offsetof(struct qemu_vcpu, tsc_adjust), 8 },
    { "cpu/msr_tscdeadline", TAKE64, offsetof(struct qemu_vcpu, deadline), 8 },
    { "cpu/xss", TAKE64, offsetof(struct qemu_vcpu, xss), 8 },
    { "cpu/spec_ctrl", TAKE64, offsetof(struct qemu_vcpu, spec_ctrl), 8 },
    { "cpu/pkru", TAKE32, offsetof(struct qemu_vcpu, pkru), 4 },
    { "cpu/tsc_khz", TAKE64, 0, 8 },
    { "cpu/fpop_ip_dp", FPOP, 0, 18 },
    { "cpu/poll_control_msr", POLL, 0, 8 },
    { "cpu/msr_ia32_misc_enable", MISC, 0, 8 },
    { "cpu/msr_smi_count", LEFT, 0, 8 },
    { "cpu/async_pf_msr", UNLESS_ZERO, 0, 8 },
    { "cpu/async_pf_int_msr", UNLESS_ZERO, 0, 8 },
    { "cpu/async_pv_eoi_msr", UNLESS_ZERO, 0, 8 },
    { "cpu/steal_time_msr", UNLESS_ZERO, 0, 8 },
};

#define SUBS (sizeof(subs) / sizeof(subs[0]))

static const struct sub *sub_of(const char *name)
{
    for (size_t i = 0; i < SUBS; i++)
        if (!strcmp(subs[i].name, name))
            return &subs[i];
    return NULL;
}

static void take_sub(struct qemu_vcpu *v, struct qemu_machine *m,
                     const struct stream_target *t, const struct sub *s,
                     const uint8_t *p)
{
    uint64_t value = s->len == 4 ? load32be(p) : load64be(p);

    if (s->how == FPOP)
        stream_wire_get(p, qemu_fpop_wire, &v->fpop, true);
    else if (s->at)
        memcpy((uint8_t *)v + s->at, &value, sizeof(value));
    else if (s->how == TAKE64)
        m->tsc_khz = value;
    else if (s->how == LEFT)
        return; /* how often firmware was entered */
    else if (s->how == POLL   ? value > 1
             : s->how == MISC ? value & MISC_CPUID
                              : value != 0)
        stream_refuse(t, s->name, "the register is %#llx",
                      (unsigned long long)value);
}

/* Name and version of a subsection: 0: this is none. */
static size_t sub_head(const uint8_t *p, size_t n, char *name)
{
    size_t len = n > 1 ? p[1] : 0;

    if (!len || p[0] != SUB || n < 2 + len + 4)
        return 0;
    stream_printable(name, STREAM_NAME_MAX + 1, p + 2, len);
    return 2 + len + 4;
}

void stream_machine_cpu(struct qemu_vcpu *v, struct qemu_machine *m,
                        const struct stream_target *t, const uint8_t *p,
                        size_t n)
{
    size_t at = stream_wire_len(qemu_cpu_wire), head;
    char name[STREAM_NAME_MAX + 1] = "";
    const struct sub *s;

    stream_wire_get(p, qemu_cpu_wire, &v->cpu, true);
    while (at < n) {
        head = sub_head(p + at, n - at, name);
        s = head ? sub_of(name) : NULL;
        if (!s || s->len > n - at - head) {
            stream_refuse(t, head ? name : "cpu",
                          "this part of a vCPU is not known");
            return; /* nor how long it is */
        }
        take_sub(v, m, t, s, p + at + head);
        at += head + s->len;
    }
}

/* ---- registers ---- */

uint64_t stream_machine_tsc(const struct qemu_machine *m, unsigned vcpu,
                            bool tcg)
{
    return tcg ? m->clock.ticks : m->vcpu[vcpu].cpu.tsc;
}

static uint32_t attr(uint32_t flags)
{
    return (flags >> 8 & 0xff) | (flags >> 12 & 0xf00);
}

static void set_segment(struct xen_cpu *x, unsigned i, const struct qemu_seg *q)
{
    x->limit[i] = q->limit;
    x->base[i] = q->base;
    if (i >= 8)
        return;
    x->sel[i] = q->sel & 0xffff;
    x->attr[i] = attr(q->flags);
}

/*
 * As Xen asserts them (hvm_set_segment_register of xen/arch/x86/hvm/hvm.c): TCG
 * keeps a task register as not busy, and may keep others as not accessed.
 */
static void settle_segments(struct xen_cpu *x)
{
    for (unsigned i = 0; i < X_TR; i++)
        if (x->attr[i] & ATTR_P)
            x->attr[i] |= TYPE_ACCESSED;
    x->attr[X_TR] |= TYPE_BUSY;
}

static bool is_canonical(uint64_t base)
{
    return (uint64_t)((int64_t)(base << 16) >> 16) == base;
}


static bool fits(const struct xen_cpu *x, unsigned i)
{
    uint32_t a = x->attr[i], type = a & 15;
    bool there = a & ATTR_P, code = a & ATTR_S && type & 8;

    if (!there)
        return i != X_CS && i != X_TR;
    if (i == X_TR)
        return !(a & ATTR_S) && (type == 11 || type == 3) && !(x->sel[i] & 4) &&
               is_canonical(x->base[i]);
    if (i == X_LDTR)
        return !(a & ATTR_S) && type == 2 && !(x->sel[i] & 4) &&
               is_canonical(x->base[i]);
    if (!(a & ATTR_S) || (i == X_SS && (code || !(type & 2))) ||
        (i != X_CS && code && !(type & 2)))
        return false;
    return i == X_FS || i == X_GS ? is_canonical(x->base[i])
                                  : !(x->base[i] >> 32);
}

bool stream_machine_segments_fit(const struct xen_cpu *x)
{
    for (unsigned i = 0; i <= X_LDTR; i++)
        if (!fits(x, i))
            return false;
    return is_canonical(x->base[X_GDTR]) && is_canonical(x->base[X_IDTR]) &&
           !(x->limit[X_GDTR] >> 16) && !(x->limit[X_IDTR] >> 16);
}

static void set_segments(struct xen_cpu *x, const struct qemu_cpu *q)
{
    static const uint8_t order[Q_SEGS] = {
        [Q_ES] = X_ES, [Q_CS] = X_CS, [Q_SS] = X_SS,
        [Q_DS] = X_DS, [Q_FS] = X_FS, [Q_GS] = X_GS
    };

    for (unsigned i = 0; i < Q_SEGS; i++)
        set_segment(x, order[i], &q->seg[i]);
    set_segment(x, X_TR, &q->tr);
    set_segment(x, X_LDTR, &q->ldt);
    set_segment(x, X_IDTR, &q->idt);
    set_segment(x, X_GDTR, &q->gdt);
    settle_segments(x);
}

static void store(uint8_t *p, uint64_t v, size_t n)
{
    memcpy(p, &v, n);
}

static void set_fpu(struct xen_cpu *x, const struct qemu_vcpu *v, bool tcg)
{
    const struct qemu_cpu *q = &v->cpu;
    unsigned top = tcg ? q->fsw >> 11 & 7 : 0, n;

    store(x->fpu, q->fcw, 2);
    store(x->fpu + 2, q->fsw, 2);
    store(x->fpu + 4, q->ftw & 0xff, 1);
    store(x->fpu + 6, v->fpop.op, 2);
    store(x->fpu + 8, v->fpop.ip, 8);
    store(x->fpu + 16, v->fpop.dp, 8);
    store(x->fpu + 24, q->mxcsr, 4);
    for (unsigned i = 0; i < 8; i++) {
        n = (i + top) & 7;
        store(x->fpu + 32 + 16 * i, q->st[n].mantissa, 8);
        store(x->fpu + 40 + 16 * i, q->st[n].exponent, 2);
    }
    for (unsigned i = 0; i < 16; i++) {
        store(x->fpu + 160 + 16 * i, q->xmm[i].q[0], 8);
        store(x->fpu + 168 + 16 * i, q->xmm[i].q[1], 8);
    }
    x->flags = XEN_CPU_FPU;
}

void stream_machine_xen_cpu(const struct qemu_machine *m, unsigned vcpu,
                            bool tcg, struct xen_cpu *x)
{
    static const uint8_t order[] = { 0, 2, 3, 1, 7, 4, 5, 6 };
    const struct qemu_cpu *q = &m->vcpu[vcpu].cpu;

    memset(x, 0, sizeof(*x));
    for (unsigned i = 0; i < 16; i++)
        x->gpr[i < 8 ? order[i] : i] = q->gpr[i];
    x->rip = q->rip;
    x->rflags = q->rflags | 2;
    x->cr[0] = q->cr0;
    x->cr[1] = q->cr2;
    x->cr[2] = q->cr3;
    x->cr[3] = q->cr4;
    memcpy(x->dr, q->dr, 4 * sizeof(x->dr[0]));
    x->dr[4] = q->dr[6];
    x->dr[5] = q->dr[7];
    set_segments(x, q);
    x->sysenter[0] = q->sysenter_cs;
    x->sysenter[1] = q->sysenter_esp;
    x->sysenter[2] = q->sysenter_eip;
    x->shadow_gs = q->kernel_gs;
    x->lstar = q->lstar;
    x->star = q->star;
    x->cstar = q->cstar;
    x->fmask = q->fmask;
    x->efer = q->efer;
    x->tsc_aux = (uint32_t)q->tsc_aux;
    x->tsc = stream_machine_tsc(m, vcpu, tcg);
    set_fpu(x, &m->vcpu[vcpu], tcg);
    if (q->injected != NONE)
        x->pending = XEN_PENDING | (q->injected & 0xff);
    else if (q->nmi_pending)
        x->pending = XEN_PENDING | 2u << XEN_PENDING_SHIFT | 2u;
}

/* ---- local APIC ---- */

void stream_machine_xen_regs(const struct qemu_vcpu *v, uint8_t regs[1024])
{
    const struct qemu_apic *q = &v->apic;
    bool x2 = q->base & X2APIC;
    uint32_t id = q->id;

    memset(regs, 0, 1024);
    store(regs + 0x20, x2 ? id : id << 24, 4);
    store(regs + 0x30, 0x50014, 4);
    store(regs + 0x80, q->tpr, 4);
    /* In x2APIC mode it follows from the id. */
    store(regs + 0xd0,
          x2 ? (id & 0xffff0) << 12 | 1u << (id & 15)
             : (uint32_t)q->log_dest << 24,
          4);
    store(regs + 0xe0, (uint32_t)q->dest_mode << 28 | 0x0fffffff, 4);
    store(regs + 0xf0, q->spurious, 4);
    for (unsigned i = 0; i < 8; i++) {
        store(regs + 0x100 + 16 * i, q->isr[i], 4);
        store(regs + 0x180 + 16 * i, q->tmr[i], 4);
        store(regs + 0x200 + 16 * i, q->irr[i], 4);
    }
    store(regs + 0x280, q->esr, 4);
    store(regs + 0x300, q->icr[0], 4);
    store(regs + 0x310, q->icr[1], 4);
    for (unsigned i = 0; i < 6; i++)
        store(regs + 0x320 + 16 * i, q->lvt[i], 4);
    store(regs + 0x380, q->count / RATE, 4);
    store(regs + 0x3e0, q->divide, 4);
}
