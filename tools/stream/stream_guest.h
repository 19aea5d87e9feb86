/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a Xen HVM stream says of a guest besides its memory, and what QEMU's
 * machine makes of it.  docs/specs/portability.md.
 */
#ifndef STREAM_GUEST_H
#define STREAM_GUEST_H

#include "stream_put.h"
#include "stream_qemu_hw.h"
#include "stream_xen_hvm.h"

#define GUEST_VCPUS    64u
#define GUEST_XSAVE    4096u /* bytes of an area */
#define GUEST_MSRS     16u
#define GUEST_PARAMS   64u
#define GUEST_DEVICES  (1u << 20) /* bytes of the emulator's state */
#define GUEST_FEATURES 64u        /* of XSAVE */

/* Something that is not carried: its name, and why. */
typedef void stream_refuse_fn(void *arg, const char *name, const char *why);

struct xen_vcpu {
    uint32_t has; /* bit of each type of entry */
    struct xen_cpu cpu;
    struct xen_lapic lapic;
    uint32_t apic_error;
    struct xen_mtrr mtrr;
    uint8_t regs[1024]; /* of the local APIC */
    uint64_t xcr0, tsc_adjust;
    size_t xsave_len;
    uint8_t xsave[GUEST_XSAVE];
    unsigned msrs;
    struct {
        uint32_t index;
        uint64_t value;
    } msr[GUEST_MSRS];
};

struct xen_guest {
    unsigned vcpus; /* the highest that anything is said of, plus one */
    uint32_t has;   /* bit of each type of entry of the domain */
    uint32_t tsc_mode, tsc_khz;
    struct xen_pic pic[2];
    struct xen_ioapic ioapic;
    struct xen_pit pit;
    struct xen_rtc rtc;
    struct xen_hpet hpet;
    struct xen_pm pm;
    uint64_t pci_irq[2], isa_irq, param[GUEST_PARAMS];
    uint8_t link[4];
    uint64_t features;             /* of XSAVE, that the policy allows */
    uint32_t area[GUEST_FEATURES]; /* where features are in an area; 0: no */
    bool viridian, overflow, odd;  /* too much of something; odd lengths */
    size_t ndevices;
    struct xen_vcpu vcpu[GUEST_VCPUS];
    uint8_t devices[GUEST_DEVICES]; /* of QEMU under Xen, without its head */
};

/* A guest of which nothing is known yet; NULL: no memory. */
struct xen_guest *stream_guest_new(void);
/* As the events of stream.h of these names. */
void stream_guest_entry(struct xen_guest *g, unsigned type, unsigned instance,
                        const void *p, size_t n);
void stream_guest_param(struct xen_guest *g, uint64_t index, uint64_t value);
/* Bodies of X86_CPUID_POLICY, X86_TSC_INFO, EMULATOR_CONTEXT, in pieces. */
void stream_guest_policy(struct xen_guest *g, const void *p, size_t n);
void stream_guest_tsc(struct xen_guest *g, const void *p, size_t n);
void stream_guest_devices(struct xen_guest *g, const void *p, size_t n);

struct stream_target {
    bool tcg; /* for QEMU's own emulation, not for KVM */
    stream_refuse_fn *refuse;
    void *arg;
};

/* Tells all that is not carried, memory aside. */
void stream_guest_check(const struct xen_guest *g,
                        const struct stream_target *t);
/* By which QEMU numbers a vCPU. */
unsigned stream_guest_apic_id(const struct xen_guest *g, unsigned vcpu);
/* Of each vCPU of a guest that Xen started, the double of its number. */
unsigned stream_guest_apic_step(const struct xen_guest *g);
/* The machine's sections. */
void stream_guest_put(const struct xen_guest *g, const struct stream_target *t,
                      struct stream_put *s);

/* ---- parts ---- */

/* The virtual clock, ns, at which QEMU's PM timer reads what Xen's did. */
uint64_t stream_guest_clock(const struct xen_guest *g);
void stream_guest_put_cpu(const struct xen_guest *g, unsigned vcpu,
                          const struct stream_target *t, struct stream_put *s);
void stream_guest_put_platform(const struct xen_guest *g, struct stream_put *s);
void stream_guest_check_cpu(const struct xen_guest *g, unsigned vcpu,
                            const struct stream_target *t);
void stream_refuse(const struct stream_target *t, const char *name,
                   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A section of QEMU under Xen, which has no length of its own. */
struct stream_emulated {
    char name[STREAM_NAME_MAX + 1];
    uint32_t instance, version;
    const uint8_t *p;
    size_t n;
};

/* The next from *at on; false: there is none. */
bool stream_guest_emulated(const struct xen_guest *g, size_t *at,
                           struct stream_emulated *e_r);
/* That of this name and instance. */
bool stream_guest_find(const struct xen_guest *g, const char *name,
                       uint32_t instance, struct stream_emulated *e_r);

#endif
