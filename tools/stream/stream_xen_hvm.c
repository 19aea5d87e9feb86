/* SPDX-License-Identifier: LGPL-2.1-only */
#include "stream_xen_hvm.h"

#define T struct xen_cpu
const struct wire xen_cpu_wire[] = {
    WIRE_ALL(T, fpu, 1),
    WIRE_ALL(T, gpr, 8),
    WIRE_ONE(T, rip, 8),
    WIRE_ONE(T, rflags, 8),
    WIRE_ALL(T, cr, 8),
    WIRE_ALL(T, dr, 8),
    WIRE_ALL(T, sel, 4),
    WIRE_ALL(T, limit, 4),
    WIRE_ALL(T, base, 8),
    WIRE_ALL(T, attr, 4),
    WIRE_ALL(T, sysenter, 8),
    WIRE_ONE(T, shadow_gs, 8),
    WIRE_PAD(8),
    WIRE_ONE(T, lstar, 8),
    WIRE_ONE(T, star, 8),
    WIRE_ONE(T, cstar, 8),
    WIRE_ONE(T, fmask, 8),
    WIRE_ONE(T, efer, 8),
    WIRE_ONE(T, tsc_aux, 8),
    WIRE_ONE(T, tsc, 8),
    WIRE_ONE(T, pending, 4),
    WIRE_ONE(T, error_code, 4),
    WIRE_ONE(T, flags, 4),
    WIRE_PAD(4),
    WIRE_END,
};
#undef T

#define T struct xen_pic
const struct wire xen_pic_wire[] = {
    WIRE_ONE(T, irr, 1),
    WIRE_ONE(T, imr, 1),
    WIRE_ONE(T, isr, 1),
    WIRE_ONE(T, irq_base, 1),
    WIRE_ONE(T, init_priority, 1),
    WIRE_ONE(T, modes, 1),
    WIRE_ONE(T, elcr, 1),
    WIRE_ONE(T, out, 1),
    WIRE_END,
};
#undef T

#define T struct xen_ioapic
const struct wire xen_ioapic_wire[] = {
    WIRE_ONE(T, base, 8),
    WIRE_ONE(T, select, 4),
    WIRE_ONE(T, id, 4),
    WIRE_ALL(T, pin, 8),
    WIRE_END,
};
#undef T

#define T struct xen_lapic
const struct wire xen_lapic_wire[] = {
    WIRE_ONE(T, base, 8),
    WIRE_ONE(T, disabled, 4),
    WIRE_ONE(T, divisor, 4),
    WIRE_ONE(T, deadline, 8),
    WIRE_END,
};
#undef T

#define T struct xen_pit_channel
static const struct wire channel_wire[] = {
    WIRE_ONE(T, count, 4),
    WIRE_ONE(T, latched, 2),
    WIRE_ALL(T, b, 1),
    WIRE_END,
};
#undef T

#define T struct xen_pit
const struct wire xen_pit_wire[] = {
    WIRE_SUBS(T, channel, channel_wire),
    WIRE_ONE(T, speaker, 4),
    WIRE_PAD(4),
    WIRE_END,
};
#undef T

#define T struct xen_rtc
const struct wire xen_rtc_wire[] = {
    WIRE_ALL(T, cmos, 1),
    WIRE_ONE(T, index, 1),
    WIRE_PAD(1),
    WIRE_ONE(T, offset, 8),
    WIRE_END,
};
#undef T

#define T struct xen_hpet_timer
static const struct wire timer_wire[] = {
    WIRE_ONE(T, config, 8),
    WIRE_ONE(T, cmp, 8),
    WIRE_ONE(T, fsb, 8),
    WIRE_PAD(8),
    WIRE_END,
};
#undef T

#define T struct xen_hpet
const struct wire xen_hpet_wire[] = {
    WIRE_ONE(T, capability, 8),
    WIRE_PAD(8),
    WIRE_ONE(T, config, 8),
    WIRE_PAD(8),
    WIRE_ONE(T, isr, 8),
    WIRE_PAD(25 * 8),
    WIRE_ONE(T, counter, 8),
    WIRE_PAD(8),
    WIRE_SUBS(T, timer, timer_wire),
    WIRE_PAD(4 * 21 * 8),
    WIRE_ALL(T, period, 8),
    WIRE_END,
};
#undef T

#define T struct xen_pm
const struct wire xen_pm_wire[] = {
    WIRE_ONE(T, timer, 4),
    WIRE_ONE(T, status, 2),
    WIRE_ONE(T, enable, 2),
    WIRE_END,
};
#undef T

#define T struct xen_mtrr
const struct wire xen_mtrr_wire[] = {
    WIRE_ONE(T, pat, 8), WIRE_ALL(T, var, 8),  WIRE_ALL(T, fixed, 8),
    WIRE_ONE(T, cap, 8), WIRE_ONE(T, type, 8), WIRE_END,
};
#undef T
