/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What QEMU's stream says of a machine besides its memory, and what Xen's HVM
 * guest makes of it.  docs/specs/portability.md.
 */
#ifndef STREAM_MACHINE_H
#define STREAM_MACHINE_H

#include "stream_guest.h"

#define MACHINE_BODY (64u << 10) /* bytes of a section that is looked at */

enum {
    M_CLOCK = 1 << 0,
    M_PIC = 1 << 1, /* and the next: the second one */
    M_IOAPIC = 1 << 3,
    M_PIT = 1 << 4,
    M_RTC = 1 << 5,
    M_HPET = 1 << 6,
    M_HOST_BRIDGE = 1 << 7,
    M_ISA_BRIDGE = 1 << 8,
    M_PM = 1 << 9,
    M_ALL = (1 << 10) - 1,
};

struct qemu_vcpu {
    struct qemu_cpu_common common;
    struct qemu_cpu cpu;
    struct qemu_apic apic;
    struct qemu_fpop fpop;
    bool down; /* waits to be started */
    uint64_t tsc_adjust, deadline, xss, spec_ctrl, pkru;
};

struct qemu_machine {
    uint32_t has;
    unsigned commons, cpus, apics; /* sections of each, in their order */
    uint64_t tsc_khz;
    struct qemu_timer clock;
    struct qemu_pic pic[2];
    struct qemu_ioapic ioapic;
    struct qemu_pit pit;
    struct qemu_pcspk speaker;
    struct qemu_rtc rtc;
    struct qemu_hpet hpet;
    struct qemu_i440fx host_bridge;
    struct qemu_piix3 isa_bridge;
    struct qemu_pm pm;
    struct qemu_vcpu vcpu[GUEST_VCPUS];
    /* What Xen's emulator is given. */
    bool full;
    uint32_t sections;
    size_t ndevices;
    uint8_t devices[GUEST_DEVICES];
};

/* NULL: no memory. */
struct qemu_machine *stream_machine_new(void);
/* A full section; what is not carried is refused at once. */
void stream_machine_section(struct qemu_machine *m,
                            const struct stream_target *t, const char *name,
                            uint32_t instance, uint32_t version,
                            const uint8_t *p, size_t n);
/* All sections were told: refuses what they say together. */
void stream_machine_check(struct qemu_machine *m,
                          const struct stream_target *t);

/* Xen's HVM context; at most MACHINE_CONTEXT bytes: how many. */
#define MACHINE_CONTEXT (32768u + GUEST_VCPUS * 4096u)
size_t stream_machine_context(const struct qemu_machine *m,
                              const struct stream_target *t, uint8_t *p);
/* The emulator's state, up to its end. */
const uint8_t *stream_machine_devices(struct qemu_machine *m, size_t *n_r);

/* ---- parts ---- */

/* A vCPU's section, with its subsections. */
void stream_machine_cpu(struct qemu_vcpu *v, struct qemu_machine *m,
                        const struct stream_target *t, const uint8_t *p,
                        size_t n);
uint64_t stream_machine_tsc(const struct qemu_machine *m, unsigned vcpu,
                            bool tcg);
void stream_machine_xen_cpu(const struct qemu_machine *m, unsigned vcpu,
                            bool tcg, struct xen_cpu *x_r);
/* Whether Xen could be given these: else it would not go on. */
bool stream_machine_segments_fit(const struct xen_cpu *x);
void stream_machine_xen_regs(const struct qemu_vcpu *v, uint8_t regs[1024]);

#endif
