/* SPDX-License-Identifier: LGPL-2.1-only */
#include "stream_qemu_hw.h"

#define T struct qemu_seg
static const struct wire seg_wire[] = {
    WIRE_ONE(T, sel, 4),
    WIRE_ONE(T, base, 8),
    WIRE_ONE(T, limit, 4),
    WIRE_ONE(T, flags, 4),
    WIRE_END,
};
#undef T

#define T struct qemu_fp
static const struct wire fp_wire[] = {
    WIRE_ONE(T, mantissa, 8),
    WIRE_ONE(T, exponent, 2),
    WIRE_END,
};
#undef T

#define T struct qemu_half
static const struct wire half_wire[] = {
    WIRE_ALL(T, q, 8),
    WIRE_END,
};
#undef T

#define T struct qemu_mtrr
static const struct wire mtrr_wire[] = {
    WIRE_ONE(T, base, 8),
    WIRE_ONE(T, mask, 8),
    WIRE_END,
};
#undef T

#define T struct qemu_timer
const struct wire qemu_timer_wire[] = {
    WIRE_ONE(T, ticks, 8),
    WIRE_PAD(8),
    WIRE_ONE(T, clock, 8),
    WIRE_END,
};
#undef T

#define T struct qemu_cpu_common
const struct wire qemu_cpu_common_wire[] = {
    WIRE_ONE(T, halted, 4),
    WIRE_ONE(T, interrupt, 4),
    WIRE_END,
};
#undef T

/* The pad in the middle: nested guests' state of SVM. */
#define T struct qemu_cpu
const struct wire qemu_cpu_wire[] = {
    WIRE_ALL(T, gpr, 8),
    WIRE_ONE(T, rip, 8),
    WIRE_ONE(T, rflags, 8),
    WIRE_ONE(T, hflags, 4),
    WIRE_ONE(T, fcw, 2),
    WIRE_ONE(T, fsw, 2),
    WIRE_ONE(T, ftw, 2),
    WIRE_ONE(T, fp_format, 2),
    WIRE_SUBS(T, st, fp_wire),
    WIRE_SUBS(T, seg, seg_wire),
    WIRE_SUB(T, ldt, seg_wire),
    WIRE_SUB(T, tr, seg_wire),
    WIRE_SUB(T, gdt, seg_wire),
    WIRE_SUB(T, idt, seg_wire),
    WIRE_ONE(T, sysenter_cs, 4),
    WIRE_ONE(T, sysenter_esp, 8),
    WIRE_ONE(T, sysenter_eip, 8),
    WIRE_ONE(T, cr0, 8),
    WIRE_ONE(T, cr2, 8),
    WIRE_ONE(T, cr3, 8),
    WIRE_ONE(T, cr4, 8),
    WIRE_ALL(T, dr, 8),
    WIRE_ONE(T, a20_mask, 4),
    WIRE_ONE(T, mxcsr, 4),
    WIRE_SUBS(T, xmm, half_wire),
    WIRE_ONE(T, efer, 8),
    WIRE_ONE(T, star, 8),
    WIRE_ONE(T, lstar, 8),
    WIRE_ONE(T, cstar, 8),
    WIRE_ONE(T, fmask, 8),
    WIRE_ONE(T, kernel_gs, 8),
    WIRE_ONE(T, smbase, 4),
    WIRE_ONE(T, pat, 8),
    WIRE_ONE(T, hflags2, 4),
    WIRE_PAD(4 * 8 + 4 * 2 + 4 + 1),
    WIRE_ALL(T, mtrr_fixed, 8),
    WIRE_ONE(T, mtrr_type, 8),
    WIRE_SUBS(T, mtrr, mtrr_wire),
    WIRE_ONE(T, injected, 4),
    WIRE_ONE(T, mp_state, 4),
    WIRE_ONE(T, tsc, 8),
    WIRE_ONE(T, exception, 4),
    WIRE_ONE(T, soft, 1),
    WIRE_ONE(T, nmi_injected, 1),
    WIRE_ONE(T, nmi_pending, 1),
    WIRE_ONE(T, has_error, 1),
    WIRE_ONE(T, sipi, 4),
    WIRE_ONE(T, mcg_cap, 8),
    WIRE_ONE(T, mcg_status, 8),
    WIRE_ONE(T, mcg_ctl, 8),
    WIRE_ALL(T, mce, 8),
    WIRE_ONE(T, tsc_aux, 8),
    WIRE_ONE(T, system_time, 8),
    WIRE_ONE(T, wall_clock, 8),
    WIRE_ONE(T, xcr0, 8),
    WIRE_ONE(T, xstate_bv, 8),
    WIRE_SUBS(T, ymm, half_wire),
    WIRE_END,
};
#undef T

#define T struct qemu_apic
const struct wire qemu_apic_wire[] = {
    WIRE_ONE(T, base, 4),      WIRE_ONE(T, id, 1),
    WIRE_ONE(T, arb, 1),       WIRE_ONE(T, tpr, 1),
    WIRE_ONE(T, spurious, 4),  WIRE_ONE(T, log_dest, 1),
    WIRE_ONE(T, dest_mode, 1), WIRE_ALL(T, isr, 4),
    WIRE_ALL(T, tmr, 4),       WIRE_ALL(T, irr, 4),
    WIRE_ALL(T, lvt, 4),       WIRE_ONE(T, esr, 4),
    WIRE_ALL(T, icr, 4),       WIRE_ONE(T, divide, 4),
    WIRE_ONE(T, shift, 4),     WIRE_ONE(T, count, 4),
    WIRE_ONE(T, loaded, 8),    WIRE_ONE(T, next, 8),
    WIRE_ONE(T, expiry, 8),    WIRE_END,
};
#undef T

#define T struct qemu_pic
const struct wire qemu_pic_wire[] = {
    WIRE_ONE(T, last_irr, 1),
    WIRE_ONE(T, irr, 1),
    WIRE_ONE(T, imr, 1),
    WIRE_ONE(T, isr, 1),
    WIRE_ONE(T, priority, 1),
    WIRE_ONE(T, base, 1),
    WIRE_ONE(T, read_isr, 1),
    WIRE_ONE(T, poll, 1),
    WIRE_ONE(T, mask, 1),
    WIRE_ONE(T, init, 1),
    WIRE_ONE(T, auto_eoi, 1),
    WIRE_ONE(T, rotate, 1),
    WIRE_ONE(T, sfnm, 1),
    WIRE_ONE(T, init4, 1),
    WIRE_ONE(T, single, 1),
    WIRE_ONE(T, elcr, 1),
    WIRE_END,
};
#undef T

#define T struct qemu_ioapic
const struct wire qemu_ioapic_wire[] = {
    WIRE_ONE(T, id, 1),  WIRE_ONE(T, select, 1), WIRE_PAD(8),
    WIRE_ONE(T, irr, 4), WIRE_ALL(T, pin, 8),    WIRE_END,
};
#undef T

#define T struct qemu_pit_channel
static const struct wire channel_wire[] = {
    WIRE_ONE(T, count, 4),  WIRE_ONE(T, latched, 2), WIRE_ALL(T, b, 1),
    WIRE_ONE(T, loaded, 8), WIRE_ONE(T, next, 8),    WIRE_END,
};
#undef T

#define T struct qemu_pit
const struct wire qemu_pit_wire[] = {
    WIRE_ONE(T, disabled, 4),
    WIRE_SUBS(T, channel, channel_wire),
    WIRE_ONE(T, next, 8),
    WIRE_END,
};
#undef T

#define T struct qemu_pcspk
const struct wire qemu_pcspk_wire[] = {
    WIRE_ONE(T, data, 1),
    WIRE_ONE(T, refresh, 1),
    WIRE_END,
};
#undef T

#define T struct qemu_rtc
const struct wire qemu_rtc_wire[] = {
    WIRE_ALL(T, cmos, 1),
    WIRE_ONE(T, index, 1),
    WIRE_PAD(28),
    WIRE_ONE(T, periodic, 8),
    WIRE_ONE(T, next_periodic, 8),
    WIRE_PAD(24),
    WIRE_ONE(T, coalesced, 4),
    WIRE_ONE(T, period, 4),
    WIRE_ONE(T, base, 8),
    WIRE_ONE(T, updated, 8),
    WIRE_ONE(T, offset, 8),
    WIRE_ONE(T, update, 8),
    WIRE_ONE(T, alarm, 8),
    WIRE_END,
};
#undef T

#define T struct qemu_hpet_timer
static const struct wire timer_wire[] = {
    WIRE_ONE(T, number, 1), WIRE_ONE(T, config, 8),
    WIRE_ONE(T, cmp, 8),    WIRE_ONE(T, fsb, 8),
    WIRE_ONE(T, period, 8), WIRE_ONE(T, wrap, 1),
    WIRE_ONE(T, timer, 8),  WIRE_END,
};
#undef T

#define T struct qemu_hpet
const struct wire qemu_hpet_wire[] = {
    WIRE_ONE(T, config, 8),          WIRE_ONE(T, isr, 8),
    WIRE_ONE(T, counter, 8),         WIRE_ONE(T, timers, 1),
    WIRE_SUBS(T, timer, timer_wire), WIRE_END,
};
#undef T

/* Behind its version, which is little-endian. */
#define T struct qemu_pci
static const struct wire pci_wire[] = {
    WIRE_PAD(4),
    WIRE_ALL(T, config, 1),
    WIRE_ALL(T, intx, 4),
    WIRE_END,
};
#undef T

#define T struct qemu_i440fx
const struct wire qemu_i440fx_wire[] = {
    WIRE_SUB(T, pci, pci_wire),
    WIRE_PAD(1),
    WIRE_END,
};
#undef T

#define T struct qemu_piix3
const struct wire qemu_piix3_wire[] = {
    WIRE_SUB(T, pci, pci_wire),
    WIRE_ALL(T, level, 4),
    WIRE_END,
};
#undef T

/* The pads: apm and most of smb. */
#define T struct qemu_pm
const struct wire qemu_pm_wire[] = {
    WIRE_SUB(T, pci, pci_wire),
    WIRE_ONE(T, status, 2),
    WIRE_ONE(T, enable, 2),
    WIRE_ONE(T, control, 2),
    WIRE_PAD(2 + 10 + 32),
    WIRE_ONE(T, smb_auxctl, 1),
    WIRE_PAD(2),
    WIRE_ONE(T, smb_done, 1),
    WIRE_PAD(2),
    WIRE_ONE(T, timer, 8),
    WIRE_ONE(T, overflow, 8),
    WIRE_ONE(T, gpe_status, 2),
    WIRE_ONE(T, gpe_enable, 2),
    WIRE_END,
};
#undef T

#define T struct qemu_word
const struct wire qemu_word32_wire[] = { WIRE_ONE(T, v, 4), WIRE_END };
const struct wire qemu_word64_wire[] = { WIRE_ONE(T, v, 8), WIRE_END };
#undef T

#define T struct qemu_fpop
const struct wire qemu_fpop_wire[] = {
    WIRE_ONE(T, op, 2),
    WIRE_ONE(T, ip, 8),
    WIRE_ONE(T, dp, 8),
    WIRE_END,
};
#undef T
