/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Entries of Xen's HVM context: xen/include/public/arch-x86/hvm/save.h of Xen
 * 4.17.  Little-endian.  Which field goes where: docs/specs/portability.md.
 */
#ifndef STREAM_XEN_HVM_H
#define STREAM_XEN_HVM_H

#include "stream_wire.h"

enum {
    XEN_END = 0,
    XEN_HEADER = 1,
    XEN_CPU = 2,
    XEN_PIC = 3,
    XEN_IOAPIC = 4,
    XEN_LAPIC = 5,
    XEN_LAPIC_REGS = 6,
    XEN_PCI_IRQ = 7,
    XEN_ISA_IRQ = 8,
    XEN_PCI_LINK = 9,
    XEN_PIT = 10,
    XEN_RTC = 11,
    XEN_HPET = 12,
    XEN_PMTIMER = 13,
    XEN_MTRR = 14,
    XEN_VIRIDIAN_DOMAIN = 15,
    XEN_XSAVE = 16,
    XEN_VIRIDIAN_VCPU = 17,
    XEN_VMCE = 18,
    XEN_TSC_ADJUST = 19,
    XEN_MSR = 20,
};

#define XEN_MAGIC    0x54381286u
#define XEN_XSAVE_AT 24u /* the area, behind the masks */
#define XEN_PINS     48u

/* Segments and tables in Xen's order; the last two have no selector. */
enum { X_CS, X_DS, X_ES, X_FS, X_GS, X_SS, X_TR, X_LDTR, X_IDTR, X_GDTR };

struct xen_cpu {
    uint8_t fpu[512];                   /* as FXSAVE leaves it */
    uint64_t gpr[16];                   /* ax bx cx dx bp si di sp r8 ... */
    uint64_t rip, rflags, cr[4], dr[6]; /* cr0 cr2 cr3 cr4, dr0-3 dr6 dr7 */
    uint32_t sel[8], limit[10];
    uint64_t base[10];
    uint32_t attr[8]; /* 12 bits */
    uint64_t sysenter[3], shadow_gs, lstar, star, cstar, fmask, efer, tsc_aux;
    uint64_t tsc;
    uint32_t pending, error_code, flags;
};

#define XEN_CPU_FPU       1u /* flags: fpu is meant */
#define XEN_PENDING       0x80000000u
#define XEN_PENDING_TYPE  0x700u
#define XEN_PENDING_SHIFT 8

struct xen_pic {
    uint8_t irr, imr, isr, irq_base, init_priority, modes, elcr, out;
};

/* Bits of modes. */
enum {
    X_READ_ISR = 1,
    X_POLL = 2,
    X_AUTO_EOI = 4,
    X_ROTATE = 8,
    X_SFNM = 16,
    X_MASK = 32,
    X_MASTER = 64
};

struct xen_ioapic {
    uint64_t base;
    uint32_t select, id;
    uint64_t pin[XEN_PINS];
};

struct xen_lapic {
    uint64_t base;
    uint32_t disabled, divisor;
    uint64_t deadline;
};

struct xen_pit_channel {
    uint32_t count;
    uint16_t latched;
    uint8_t b[10]; /* count_latched to gate, as QEMU's are called */
};

struct xen_pit {
    struct xen_pit_channel channel[3];
    uint32_t speaker;
};

struct xen_rtc {
    uint8_t cmos[14], index;
    uint64_t offset; /* seconds, two's complement */
};

struct xen_hpet {
    uint64_t capability, config, isr, counter;
    struct xen_hpet_timer {
        uint64_t config, cmp, fsb;
    } timer[3];
    uint64_t period[3];
};

struct xen_pm {
    uint32_t timer;
    uint16_t status, enable;
};

struct xen_mtrr {
    uint64_t pat, var[16], fixed[11], cap, type;
};

extern const struct wire xen_cpu_wire[], xen_pic_wire[], xen_ioapic_wire[],
    xen_lapic_wire[], xen_pit_wire[], xen_rtc_wire[], xen_hpet_wire[],
    xen_pm_wire[], xen_mtrr_wire[];

#endif
