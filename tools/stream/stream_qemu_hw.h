/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Sections of QEMU 7.2's machine pc-i440fx: target/i386/machine.c, hw/intc,
 * hw/timer, hw/rtc, hw/isa, hw/acpi, hw/pci-host; sizes as its own description
 * of a stream has them.  Big-endian.  docs/specs/portability.md.
 */
#ifndef STREAM_QEMU_HW_H
#define STREAM_QEMU_HW_H

#include "stream_wire.h"

#define QEMU_PINS 24u

/* Segments in QEMU's order. */
enum { Q_ES, Q_CS, Q_SS, Q_DS, Q_FS, Q_GS, Q_SEGS };

struct qemu_seg {
    uint32_t sel, limit, flags; /* flags: the descriptor's second word */
    uint64_t base;
};

struct qemu_fp {
    uint64_t mantissa;
    uint16_t exponent;
};

struct qemu_mtrr {
    uint64_t base, mask;
};

struct qemu_half {
    uint64_t q[2];
};

struct qemu_timer {
    uint64_t ticks, clock; /* of the machine that stands still */
};

struct qemu_cpu_common {
    uint32_t halted, interrupt;
};

struct qemu_cpu {
    uint64_t gpr[16]; /* ax cx dx bx sp bp si di r8 ... */
    uint64_t rip, rflags;
    uint32_t hflags;
    uint16_t fcw, fsw, ftw, fp_format;
    struct qemu_fp st[8];
    struct qemu_seg seg[Q_SEGS], ldt, tr, gdt, idt;
    uint32_t sysenter_cs;
    uint64_t sysenter_esp, sysenter_eip;
    uint64_t cr0, cr2, cr3, cr4, dr[8];
    uint32_t a20_mask, mxcsr;
    struct qemu_half xmm[16];
    uint64_t efer, star, lstar, cstar, fmask, kernel_gs;
    uint32_t smbase;
    uint64_t pat;
    uint32_t hflags2;
    uint64_t mtrr_fixed[11], mtrr_type;
    struct qemu_mtrr mtrr[8];
    uint32_t injected, mp_state;
    uint64_t tsc;
    uint32_t exception;
    uint8_t soft, nmi_injected, nmi_pending, has_error;
    uint32_t sipi;
    uint64_t mcg_cap, mcg_status, mcg_ctl, mce[40];
    uint64_t tsc_aux, system_time, wall_clock, xcr0, xstate_bv;
    struct qemu_half ymm[16];
};

struct qemu_apic {
    uint32_t base;
    uint8_t id, arb, tpr;
    uint32_t spurious;
    uint8_t log_dest, dest_mode;
    uint32_t isr[8], tmr[8], irr[8], lvt[6], esr, icr[2], divide, shift, count;
    uint64_t loaded, next, expiry;
};

struct qemu_pic {
    uint8_t last_irr, irr, imr, isr, priority, base, read_isr, poll, mask;
    uint8_t init, auto_eoi, rotate, sfnm, init4, single, elcr;
};

struct qemu_ioapic {
    uint8_t id, select;
    uint32_t irr;
    uint64_t pin[QEMU_PINS];
};

struct qemu_pit_channel {
    uint32_t count;
    uint16_t latched;
    uint8_t b[10];
    uint64_t loaded, next;
};

struct qemu_pit {
    uint32_t disabled;
    struct qemu_pit_channel channel[3];
    uint64_t next;
};

struct qemu_pcspk {
    uint8_t data, refresh;
};

struct qemu_rtc {
    uint8_t cmos[128], index;
    uint64_t periodic, next_periodic;
    uint32_t coalesced, period;
    uint64_t base, updated, offset, update, alarm;
};

struct qemu_hpet_timer {
    uint8_t number, wrap;
    uint64_t config, cmp, fsb, period, timer;
};

struct qemu_hpet {
    uint64_t config, isr, counter;
    uint8_t timers;
    struct qemu_hpet_timer timer[3];
};

struct qemu_pci {
    uint8_t config[256];
    uint32_t intx[4];
};

struct qemu_i440fx {
    struct qemu_pci pci;
};

struct qemu_piix3 {
    struct qemu_pci pci;
    uint32_t level[4];
};

/*
 * Without what its smbus holds.  PCI hot-plug follows, which differs: two
 * words under Xen, else QEMU_PM_TAIL bytes.
 */
#define QEMU_PM_TAIL (4u + 256u * 8u + 4u)

struct qemu_pm {
    struct qemu_pci pci;
    uint16_t status, enable, control;
    uint8_t smb_auxctl, smb_done;
    uint64_t timer, overflow;
    uint16_t gpe_status, gpe_enable;
};

/* Of one value each. */
struct qemu_word {
    uint64_t v;
};

struct qemu_fpop {
    uint16_t op;
    uint64_t ip, dp;
};

extern const struct wire qemu_timer_wire[], qemu_cpu_common_wire[],
    qemu_cpu_wire[], qemu_apic_wire[], qemu_pic_wire[], qemu_ioapic_wire[],
    qemu_pit_wire[], qemu_pcspk_wire[], qemu_rtc_wire[], qemu_hpet_wire[],
    qemu_i440fx_wire[], qemu_piix3_wire[], qemu_pm_wire[], qemu_word32_wire[],
    qemu_word64_wire[], qemu_fpop_wire[];

#endif
