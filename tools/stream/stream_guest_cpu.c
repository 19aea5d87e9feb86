/* SPDX-License-Identifier: LGPL-2.1-only */
/* Xen's vCPU and its local APIC as QEMU's sections cpu and apic. */
#include <stdarg.h>
#include <stdio.h>

#include "stream_guest.h"
#include "stream_priv.h"

#define CR4_VMXE    (1ull << 13)
#define CR4_OSXSAVE (1ull << 18)
#define EFER_LMA    (1ull << 10)
#define EFER_SVME   (1ull << 12)
#define CR0_PE      1ull
#define FLAGS_VM    (1ull << 17)
#define ATTR_L      (1u << 9)
#define ATTR_DB     (1u << 10)

/* Bits of hflags, target/i386/cpu.h. */
enum {
    HF_CS32 = 1 << 4,
    HF_SS32 = 1 << 5,
    HF_ADDSEG = 1 << 6,
    HF_PE = 1 << 7,
    HF_LMA = 1 << 14,
    HF_CS64 = 1 << 15,
    HF_OSFXSR = 1 << 22,
    HF_SMAP = 1 << 23,
    HF_UMIP = 1 << 27,
    HF_AVX = 1 << 28,
};

#define HF_OF_FLAGS 0x23100u /* TF, IOPL, VM where rflags has them */
#define HF2_RESET   0x101u   /* GIF, VGIF */
#define XSTATE_X87  1ull
#define XSTATE_SSE  2ull
#define XSTATE_AVX  4ull
#define XSTATE_PKRU (1ull << 9)
#define XSTATES     (XSTATE_X87 | XSTATE_SSE | XSTATE_AVX | XSTATE_PKRU)
#define AVX         2
#define PKRU        9
#define XSTATE_AT   512u /* mask of what is in an area */
#define FCW_RESET   0x40u
#define FCW_INIT    0x37fu
#define MXCSR_INIT  0x1f80u
#define TYPE_NMI    2u
#define NONE        UINT32_MAX

/* CPU_INTERRUPT_HARD and _POLL, include/exec/cpu-all.h. */
#define ASK_PIC  0x02u
#define ASK_APIC 0x10u

#define MSR_SPEC_CTRL 0x48u
#define MSR_XSS       0xda0u

#define BASE_X2APIC  (1ull << 10)
#define LVT_MASKED   (1u << 16)
#define LVT_DEADLINE (1u << 18)
#define RATE         10u /* ns of a tick of Xen's, of one of QEMU's 1 */

/* Offsets in a local APIC's registers. */
enum {
    APIC_ID = 0x20,
    APIC_TPR = 0x80,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SVR = 0xf0,
    APIC_ISR = 0x100,
    APIC_TMR = 0x180,
    APIC_IRR = 0x200,
    APIC_ESR = 0x280,
    APIC_ICR = 0x300,
    APIC_LVT = 0x320, /* timer, thermal, counters, LINT0, LINT1, error */
    APIC_COUNT = 0x380,
    APIC_DIVIDE = 0x3e0,
};

static uint32_t reg(const struct xen_vcpu *v, unsigned at)
{
    return load32(v->regs + at);
}

static bool has(const struct xen_vcpu *v, unsigned type)
{
    return v->has & 1u << type;
}

unsigned stream_guest_apic_id(const struct xen_guest *g, unsigned vcpu)
{
    const struct xen_vcpu *v = &g->vcpu[vcpu];
    uint32_t id = reg(v, APIC_ID);

    return v->lapic.base & BASE_X2APIC ? id : id >> 24;
}

/* ---- registers ---- */

static uint32_t seg_flags(uint32_t attr)
{
    return (attr & 0xff) << 8 | (attr & 0xf00) << 12;
}

static struct qemu_seg segment(const struct xen_cpu *x, unsigned i)
{
    return (struct qemu_seg){ .sel = i < 8 ? x->sel[i] : 0,
                              .limit = x->limit[i],
                              .base = x->base[i],
                              .flags = i < 8 ? seg_flags(x->attr[i]) : 0 };
}

static void put_segments(struct qemu_cpu *q, const struct xen_cpu *x)
{
    static const uint8_t order[Q_SEGS] = {
        [Q_ES] = X_ES, [Q_CS] = X_CS, [Q_SS] = X_SS,
        [Q_DS] = X_DS, [Q_FS] = X_FS, [Q_GS] = X_GS
    };

    for (unsigned i = 0; i < Q_SEGS; i++)
        q->seg[i] = segment(x, order[i]);
    q->ldt = segment(x, X_LDTR);
    q->tr = segment(x, X_TR);
    q->gdt = segment(x, X_GDTR);
    q->idt = segment(x, X_IDTR);
}

/* Without an entry XSAVE the guest has not set it, as far as Xen knows. */
static bool misses_xcr0(const struct xen_vcpu *v)
{
    return v->cpu.cr[3] & CR4_OSXSAVE && !has(v, XEN_XSAVE);
}

static uint64_t xcr0_of(const struct xen_guest *g, const struct xen_vcpu *v)
{
    if (has(v, XEN_XSAVE))
        return v->xcr0;
    return XSTATE_X87 | (misses_xcr0(v) ? g->features : 0);
}

/* What QEMU's emulation keeps of the mode beside the registers it is in. */
static uint32_t hidden_flags(const struct xen_guest *g,
                             const struct xen_vcpu *v)
{
    const struct xen_cpu *x = &v->cpu;
    uint64_t cr0 = x->cr[0], cr4 = x->cr[3];
    uint32_t f = x->attr[X_SS] >> 5 & 3;

    f |= cr0 & CR0_PE ? HF_PE : 0;
    f |= (uint32_t)(cr0 << 8) & 0xe00; /* MP, EM, TS */
    f |= (uint32_t)x->rflags & HF_OF_FLAGS;
    f |= x->efer & EFER_LMA ? HF_LMA : 0;
    f |= cr4 & 1ull << 9 ? HF_OSFXSR : 0;
    f |= cr4 & 1ull << 21 ? HF_SMAP : 0;
    f |= cr4 & 1ull << 11 ? HF_UMIP : 0;
    if (cr4 & CR4_OSXSAVE && (xcr0_of(g, v) & 6) == 6)
        f |= HF_AVX;
    if (f & HF_LMA && x->attr[X_CS] & ATTR_L)
        return f | HF_CS32 | HF_SS32 | HF_CS64;
    f |= x->attr[X_CS] & ATTR_DB ? HF_CS32 : 0;
    f |= x->attr[X_SS] & ATTR_DB ? HF_SS32 : 0;
    if (!(cr0 & CR0_PE) || x->rflags & FLAGS_VM || !(f & HF_CS32) ||
        x->base[X_DS] | x->base[X_ES] | x->base[X_SS])
        f |= HF_ADDSEG;
    return f;
}

static void put_registers(struct qemu_cpu *q, const struct xen_guest *g,
                          const struct xen_vcpu *v)
{
    static const uint8_t order[] = { 0, 2, 3, 1, 7, 4, 5, 6 };
    const struct xen_cpu *x = &v->cpu;

    for (unsigned i = 0; i < 16; i++)
        q->gpr[i] = x->gpr[i < 8 ? order[i] : i];
    q->rip = x->rip;
    q->rflags = x->rflags;
    q->hflags = hidden_flags(g, v);
    put_segments(q, x);
    q->sysenter_cs = (uint32_t)x->sysenter[0];
    q->sysenter_esp = x->sysenter[1];
    q->sysenter_eip = x->sysenter[2];
    q->cr0 = x->cr[0];
    q->cr2 = x->cr[1];
    q->cr3 = x->cr[2];
    q->cr4 = x->cr[3];
    memcpy(q->dr, x->dr, 4 * sizeof(q->dr[0]));
    q->dr[6] = x->dr[4];
    q->dr[7] = x->dr[5];
    q->efer = x->efer;
    q->star = x->star;
    q->lstar = x->lstar;
    q->cstar = x->cstar;
    q->fmask = x->fmask;
    q->kernel_gs = x->shadow_gs;
    q->tsc = x->tsc;
    q->tsc_aux = x->tsc_aux;
}

/* ---- FPU ---- */

/* An area as XSAVE leaves it, and what is in it. */
static const uint8_t *fpu_area(const struct xen_vcpu *v, uint64_t *in_r)
{
    *in_r = 0;
    if (has(v, XEN_XSAVE)) {
        *in_r = load64(v->xsave + XSTATE_AT);
        return v->xsave;
    }
    if (v->cpu.flags & XEN_CPU_FPU)
        *in_r = XSTATE_X87 | XSTATE_SSE;
    return v->cpu.fpu;
}

static bool reaches(const struct xen_guest *g, const struct xen_vcpu *v,
                    unsigned feature, size_t n)
{
    return g->area[feature] && v->xsave_len >= n &&
           g->area[feature] <= v->xsave_len - n;
}

/* KVM keeps the stack from its top on, as FXSAVE does, QEMU's own by number. */
static void put_x87(struct qemu_cpu *q, const uint8_t *f, bool tcg)
{
    unsigned top, n;

    q->fcw = load16(f);
    q->fsw = load16(f + 2);
    q->ftw = f[4];
    top = tcg ? q->fsw >> 11 & 7 : 0;
    for (unsigned i = 0; i < 8; i++) {
        n = (i + top) & 7;
        q->st[n].mantissa = load64(f + 32 + 16 * i);
        q->st[n].exponent = load16(f + 40 + 16 * i);
    }
}

static void put_fpu(struct qemu_cpu *q, const struct xen_guest *g,
                    const struct xen_vcpu *v, bool tcg)
{
    const uint8_t *f;
    uint64_t in;

    f = fpu_area(v, &in);
    q->fcw = has(v, XEN_XSAVE) ? FCW_INIT : FCW_RESET;
    q->mxcsr = MXCSR_INIT;
    if (in & XSTATE_X87)
        put_x87(q, f, tcg);
    if (in & (XSTATE_SSE | XSTATE_AVX))
        q->mxcsr = load32(f + 24);
    for (unsigned i = 0; i < 16 && in & XSTATE_SSE; i++) {
        q->xmm[i].q[0] = load64(f + 160 + 16 * i);
        q->xmm[i].q[1] = load64(f + 168 + 16 * i);
    }
    for (unsigned i = 0; i < 16 && in & XSTATE_AVX; i++) {
        if (!reaches(g, v, AVX, 256))
            break;
        q->ymm[i].q[0] = load64(f + g->area[AVX] + 16 * i);
        q->ymm[i].q[1] = load64(f + g->area[AVX] + 16 * i + 8);
    }
    q->xcr0 = xcr0_of(g, v);
    q->xstate_bv = in & XSTATES;
}

/* ---- the rest of the section ---- */

static void put_mtrr(struct qemu_cpu *q, const struct xen_mtrr *m)
{
    q->pat = m->pat;
    q->mtrr_type = m->type;
    memcpy(q->mtrr_fixed, m->fixed, sizeof(q->mtrr_fixed));
    for (unsigned i = 0; i < 8; i++)
        q->mtrr[i] = (struct qemu_mtrr){ m->var[2 * i], m->var[2 * i + 1] };
}

/* Machine checks as after reset: Xen's banks are not QEMU's. */
static void put_reset(struct qemu_cpu *q)
{
    q->a20_mask = NONE;
    q->smbase = 0x30000;
    q->hflags2 = HF2_RESET;
    q->injected = q->exception = NONE;
    q->pat = 0x0007040600070406;
    q->mcg_cap = 0x0100010a;
    q->mcg_ctl = UINT64_MAX;
    for (unsigned i = 0; i < 40; i += 4)
        q->mce[i] = UINT64_MAX;
}

static bool in_service(const struct xen_vcpu *v, unsigned vector)
{
    return reg(v, APIC_ISR + vector / 32 * 16) & 1u << vector % 32;
}

static void put_pending(struct qemu_cpu *q, const struct xen_vcpu *v, bool tcg)
{
    uint32_t p = v->cpu.pending;

    if (!(p & XEN_PENDING))
        return;
    if ((p & XEN_PENDING_TYPE) >> XEN_PENDING_SHIFT == TYPE_NMI)
        q->nmi_pending = 1;
    else if (!tcg)
        q->injected = p & 0xff;
}

static uint64_t msr(const struct xen_vcpu *v, uint32_t index)
{
    for (unsigned i = 0; i < v->msrs; i++)
        if (v->msr[i].index == index)
            return v->msr[i].value;
    return 0;
}

/* A subsection of one value, unless it is 0. */
static uint8_t *put_sub(uint8_t *p, const char *name, const struct wire *w,
                        uint64_t v)
{
    size_t n = strlen(name);

    if (!v)
        return p;
    *p++ = 5;
    *p++ = (uint8_t)n;
    memcpy(p, name, n);
    p += n;
    memcpy(p, "\0\0\0\1", 4);
    return stream_wire_put(p + 4, w, &(struct qemu_word){ v }, true);
}

static bool by_deadline(const struct xen_vcpu *v)
{
    return reg(v, APIC_LVT) & LVT_DEADLINE;
}

static uint8_t *put_subs(uint8_t *p, const struct xen_guest *g,
                         const struct xen_vcpu *v)
{
    const struct wire *w = qemu_word64_wire;

    p = put_sub(p, "cpu/msr_tsc_adjust", w, v->tsc_adjust);
    if (by_deadline(v))
        p = put_sub(p, "cpu/msr_tscdeadline", w, v->lapic.deadline);
    p = put_sub(p, "cpu/xss", w, msr(v, MSR_XSS));
    p = put_sub(p, "cpu/spec_ctrl", w, msr(v, MSR_SPEC_CTRL));
    if (has(v, XEN_XSAVE) && load64(v->xsave + XSTATE_AT) & XSTATE_PKRU &&
        reaches(g, v, PKRU, 4))
        p = put_sub(p, "cpu/pkru", qemu_word32_wire,
                    load32(v->xsave + g->area[PKRU]));
    return put_sub(p, "cpu/tsc_khz", w, g->tsc_khz);
}

/* ---- local APIC ---- */

static void put_timer(struct qemu_apic *q, const struct xen_guest *g,
                      const struct xen_vcpu *v)
{
    uint32_t divide = reg(v, APIC_DIVIDE) & 0xb, lvt = q->lvt[0];
    uint64_t count = (uint64_t)reg(v, APIC_COUNT) * RATE;

    q->divide = divide;
    q->shift = ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
    q->expiry = UINT64_MAX;
    if (lvt & LVT_DEADLINE)
        return;
    q->count = (uint32_t)(count < UINT32_MAX ? count : UINT32_MAX);
    q->loaded = stream_guest_clock(g);
    if (lvt & LVT_MASKED || !q->count)
        return;
    q->next = q->loaded + (((uint64_t)q->count + 1) << q->shift);
    q->expiry = q->next;
}

/* An interrupt that was taken but not yet begun is taken back. */
static void take_back(struct qemu_apic *q, const struct xen_vcpu *v)
{
    uint32_t vector = v->cpu.pending & 0xff, bit = 1u << vector % 32;

    if (!(v->cpu.pending & XEN_PENDING) || v->cpu.pending & XEN_PENDING_TYPE ||
        !in_service(v, vector))
        return;
    q->isr[vector / 32] &= ~bit;
    q->irr[vector / 32] |= bit;
}

static void put_apic(const struct xen_guest *g, unsigned vcpu, bool tcg,
                     struct stream_put *s)
{
    const struct xen_vcpu *v = &g->vcpu[vcpu];
    struct qemu_apic q = { .base = (uint32_t)v->lapic.base };
    uint8_t body[256], *end;

    q.id = (uint8_t)stream_guest_apic_id(g, vcpu);
    q.tpr = (uint8_t)reg(v, APIC_TPR);
    q.spurious = reg(v, APIC_SVR);
    q.log_dest = (uint8_t)(reg(v, APIC_LDR) >> 24);
    q.dest_mode = (uint8_t)(reg(v, APIC_DFR) >> 28);
    for (unsigned i = 0; i < 8; i++) {
        q.isr[i] = reg(v, APIC_ISR + 16 * i);
        q.tmr[i] = reg(v, APIC_TMR + 16 * i);
        q.irr[i] = reg(v, APIC_IRR + 16 * i);
    }
    for (unsigned i = 0; i < 6; i++)
        q.lvt[i] = reg(v, APIC_LVT + 16 * i);
    q.esr = reg(v, APIC_ESR);
    q.icr[0] = reg(v, APIC_ICR);
    q.icr[1] = reg(v, APIC_ICR + 16);
    put_timer(&q, g, v);
    if (tcg)
        take_back(&q, v);
    end = stream_wire_put(body, qemu_apic_wire, &q, true);
    stream_put_section(s, "apic", q.id, 3, body, (size_t)(end - body));
}

/* It runs; QEMU looks by itself at what the chips ask for. */
static void put_common(const struct xen_guest *g, unsigned vcpu,
                       struct stream_put *s)
{
    struct qemu_cpu_common q = { .interrupt = ASK_APIC };
    uint8_t body[8];

    if (!vcpu && g->pic[0].out)
        q.interrupt |= ASK_PIC;
    stream_wire_put(body, qemu_cpu_common_wire, &q, true);
    stream_put_section(s, "cpu_common", stream_guest_apic_id(g, vcpu), 1, body,
                       sizeof(body));
}

void stream_guest_put_cpu(const struct xen_guest *g, unsigned vcpu,
                          const struct stream_target *t, struct stream_put *s)
{
    const struct xen_vcpu *v = &g->vcpu[vcpu];
    struct qemu_cpu q = { 0 };
    uint8_t body[4096], *end;

    if (has(v, XEN_CPU)) {
        put_reset(&q);
        put_registers(&q, g, v);
        put_fpu(&q, g, v, t->tcg);
        if (has(v, XEN_MTRR))
            put_mtrr(&q, &v->mtrr);
        put_pending(&q, v, t->tcg);
        put_common(g, vcpu, s);
        end = stream_wire_put(body, qemu_cpu_wire, &q, true);
        end = put_subs(end, g, v);
        stream_put_section(s, "cpu", stream_guest_apic_id(g, vcpu), 12, body,
                           (size_t)(end - body));
    }
    if (has(v, XEN_LAPIC_REGS))
        put_apic(g, vcpu, t->tcg, s);
}

/* ---- what is not carried ---- */

static void check_state(const struct xen_guest *g, const struct xen_vcpu *v,
                        unsigned vcpu, const struct stream_target *t)
{
    static const char *const name[] = { "x87",       "SSE",      "AVX",
                                        "BNDREGS",   "BNDCSR",   "opmask",
                                        "ZMM_Hi256", "Hi16_ZMM", "PT",
                                        "PKRU" };
    char what[32];
    uint64_t in;

    fpu_area(v, &in);
    for (unsigned i = 0; i < 64; i++) {
        if (!(in & 1ull << i))
            continue;
        if (i < 10)
            snprintf(what, sizeof(what), "xsave:%s", name[i]);
        else
            snprintf(what, sizeof(what), "xsave:%u", i);
        if (!(1ull << i & XSTATES))
            stream_refuse(t, what, "of vCPU %u is in use", vcpu);
        else if ((i == AVX && !reaches(g, v, i, 256)) ||
                 (i == PKRU && !reaches(g, v, i, 4)))
            stream_refuse(t, what, "of vCPU %u is in use, but not in its area",
                          vcpu);
    }
    for (unsigned i = 0; i < v->msrs; i++) {
        snprintf(what, sizeof(what), "msr:%#x", v->msr[i].index);
        if (v->msr[i].value && v->msr[i].index != MSR_SPEC_CTRL &&
            v->msr[i].index != MSR_XSS)
            stream_refuse(t, what, "of vCPU %u is %#llx", vcpu,
                          (unsigned long long)v->msr[i].value);
    }
}

static void check_pending(const struct xen_vcpu *v, unsigned vcpu,
                          const struct stream_target *t)
{
    uint32_t p = v->cpu.pending, type;

    type = (p & XEN_PENDING_TYPE) >> XEN_PENDING_SHIFT;
    if (!(p & XEN_PENDING) || type == TYPE_NMI ||
        (!type && (!t->tcg || in_service(v, p & 0xff))))
        return;
    stream_refuse(t, "pending-event", "vCPU %u has one of type %u, vector %u",
                  vcpu, type, p & 0xff);
}

static void check_apic(const struct xen_vcpu *v, unsigned vcpu,
                       const struct stream_target *t)
{
    uint32_t lvt = reg(v, APIC_LVT);

    if (v->lapic.base & BASE_X2APIC && t->tcg)
        stream_refuse(t, "x2apic",
                      "vCPU %u's local APIC is in x2APIC mode, which QEMU 7.2 "
                      "has with KVM only",
                      vcpu);
    if ((v->lapic.base & 0xfffff000) != 0xfee00000 || v->lapic.base >> 32)
        stream_refuse(t, "lapic-base", "vCPU %u's local APIC is at %#llx", vcpu,
                      (unsigned long long)v->lapic.base);
    if (v->apic_error)
        stream_refuse(t, "lapic-error",
                      "vCPU %u's local APIC has seen an error, %#x", vcpu,
                      v->apic_error);
    if (lvt & LVT_DEADLINE && !(lvt & LVT_MASKED) && t->tcg)
        stream_refuse(t, "tsc-deadline",
                      "vCPU %u's timer is set by TSC deadline, which QEMU 7.2 "
                      "has with KVM only",
                      vcpu);
    if (!(lvt & (LVT_DEADLINE | LVT_MASKED)) && reg(v, APIC_COUNT))
        stream_refuse(t, "lapic-rate",
                      "vCPU %u's local APIC timer is running: what is set from "
                      "now on ends ten times as early",
                      vcpu);
}

void stream_guest_check_cpu(const struct xen_guest *g, unsigned vcpu,
                            const struct stream_target *t)
{
    const struct xen_vcpu *v = &g->vcpu[vcpu];

    if (has(v, XEN_LAPIC_REGS) && has(v, XEN_LAPIC))
        check_apic(v, vcpu, t);
    if (!has(v, XEN_CPU))
        return;
    if (v->cpu.cr[3] & CR4_VMXE || v->cpu.efer & EFER_SVME)
        stream_refuse(t, "nested-hvm", "vCPU %u runs guests of its own", vcpu);
    if (has(v, XEN_MTRR) && (v->mtrr.cap & 0xff) != 8)
        stream_refuse(t, "mtrr", "vCPU %u has %llu variable ranges, not 8",
                      vcpu, (unsigned long long)(v->mtrr.cap & 0xff));
    if (misses_xcr0(v))
        stream_refuse(t, "xcr0",
                      "vCPU %u's is not in the file, though it uses XSAVE; "
                      "accepted, it is what the CPUID policy allows, %#llx",
                      vcpu, (unsigned long long)g->features);
    check_state(g, v, vcpu, t);
    check_pending(v, vcpu, t);
}

void stream_refuse(const struct stream_target *t, const char *name,
                   const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    t->refuse(t->arg, name, text);
}
