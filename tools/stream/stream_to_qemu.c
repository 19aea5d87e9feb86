/* SPDX-License-Identifier: LGPL-2.1-only */
/* A Xen HVM guest's sections of QEMU, and what stands against them. */
#include <stdio.h>

#include "stream_guest.h"
#include "stream_priv.h"

#define PIN_MASKED (1ull << 16)
#define PINS_WIRED 16u /* of QEMU's machine without PCI interrupts of its own */
#define IOAPIC_AT  0xfec00000ull
#define HPET_ON    1ull

/* Parameters that say what a guest does with Xen: params.h. */
enum {
    CALLBACK_IRQ = 0,
    VIRIDIAN = 9,
    ACPI_S_STATE = 14,
    ACPI_IOPORTS = 19,
    NESTEDHVM = 24,
    VM_GENERATION_ID_ADDR = 34,
    MCA_CAP = 38,
};

static bool has(const struct xen_guest *g, unsigned type)
{
    return g->has & 1u << type;
}

/* ---- the emulator's devices ---- */

enum what {
    REFUSED,
    CARRIED,  /* octet by octet */
    REPLACED, /* Xen's own state stands for it, or QEMU's machinery */
};

/* Both machines have them.  len: of version 7.2 without subsections. */
static const struct {
    const char *name;
    enum what what;
    uint16_t len;
} devices[] = {
    { "serial", CARRIED, 0 },
    { "PCIHost", CARRIED, 4 },
    { "PCIBUS", REPLACED, 0 },
    { "dma", CARRIED, 75 },
    { "fdc", CARRIED, 593 },
    { "ps2kbd", CARRIED, 0 },
    { "ps2mouse", CARRIED, 0 },
    { "pckbd", CARRIED, 0 },
    { "port92", CARRIED, 1 },
    { "parallel_isa", CARRIED, 0 },
    { "0000:00:01.1/ide", CARRIED, 0 },
    { "0000:00:00.0/I440FX", REPLACED, 0 },
    { "0000:00:01.0/PIIX3", REPLACED, 0 },
    { "0000:00:01.3/piix4_pm", REPLACED, 0 },
    { "mc146818rtc", REPLACED, 0 },
    { "i8259", REPLACED, 0 },
    { "i8254", REPLACED, 0 },
    { "ioapic", REPLACED, 0 },
    { "hpet", REPLACED, 0 },
    { "apic", REPLACED, 0 },
    { "cpu", REPLACED, 0 },
    { "cpu_common", REPLACED, 0 },
    { "kvm-tpr-opt", REPLACED, 0 },
    { "pcspk", REPLACED, 0 },
    { "timer", REPLACED, 0 },
    { "fw_cfg", REPLACED, 0 },
    { "globalstate", REPLACED, 0 },
    { "acpi_build", REPLACED, 0 },
    { "i2c_bus", REPLACED, 0 },
};

#define DEVICES (sizeof(devices) / sizeof(devices[0]))

static enum what what_of(const struct stream_emulated *e)
{
    for (size_t i = 0; i < DEVICES; i++)
        if (!strcmp(devices[i].name, e->name))
            return devices[i].len && devices[i].len != e->n ? REFUSED
                                                            : devices[i].what;
    return REFUSED;
}

static void check_devices(const struct xen_guest *g,
                          const struct stream_target *t)
{
    char name[sizeof("device:") + STREAM_NAME_MAX];
    struct stream_emulated e;
    size_t at = 0;

    while (stream_guest_emulated(g, &at, &e)) {
        if (what_of(&e) != REFUSED)
            continue;
        snprintf(name, sizeof(name), "device:%s", e.name);
        stream_refuse(t, name, "%zu bytes of a device that is not carried",
                      e.n);
    }
    if (g->ndevices && !at)
        stream_refuse(t, "devices", "the emulator's state has no sections");
}

static void put_devices(const struct xen_guest *g, struct stream_put *s)
{
    struct stream_emulated e;
    size_t at = 0;

    while (stream_guest_emulated(g, &at, &e))
        if (what_of(&e) == CARRIED)
            stream_put_section(s, e.name, e.instance, e.version, e.p, e.n);
}

/* ---- the rest ---- */

static void check_params(const struct xen_guest *g,
                         const struct stream_target *t)
{
    if (g->param[CALLBACK_IRQ])
        stream_refuse(t, "pv-callback",
                      "the guest takes Xen's events (CALLBACK_IRQ %#llx)",
                      (unsigned long long)g->param[CALLBACK_IRQ]);
    if (g->param[VIRIDIAN] || g->viridian)
        stream_refuse(t, "viridian", "the guest has Viridian's features");
    if (g->param[NESTEDHVM])
        stream_refuse(t, "nested-hvm", "the guest may run guests of its own");
    if (g->param[VM_GENERATION_ID_ADDR])
        stream_refuse(t, "generation-id",
                      "the guest looks whether it was copied (at %#llx)",
                      (unsigned long long)g->param[VM_GENERATION_ID_ADDR]);
    if (g->param[MCA_CAP])
        stream_refuse(t, "machine-check",
                      "the guest may have errors told to one vCPU");
    if (g->param[ACPI_S_STATE])
        stream_refuse(t, "acpi-sleep", "the guest sleeps");
    if (g->param[ACPI_IOPORTS] > 1)
        stream_refuse(t, "acpi-ports", "ACPI's ports are of version %llu",
                      (unsigned long long)g->param[ACPI_IOPORTS]);
}

static void check_pins(const struct xen_guest *g, const struct stream_target *t)
{
    char name[32];

    for (unsigned i = PINS_WIRED; i < XEN_PINS; i++) {
        if (g->ioapic.pin[i] & PIN_MASKED)
            continue;
        snprintf(name, sizeof(name), "ioapic-pin:%u", i);
        stream_refuse(t, name, "is in use, and nothing is wired to it there");
    }
    if (g->ioapic.base != IOAPIC_AT)
        stream_refuse(t, "ioapic-base", "it is at %#llx",
                      (unsigned long long)g->ioapic.base);
}

unsigned stream_guest_apic_step(const struct xen_guest *g)
{
    return g->vcpus > 1 && stream_guest_apic_id(g, 1) == 1 ? 1 : 2;
}

static void check_vcpus(const struct xen_guest *g,
                        const struct stream_target *t)
{
    const uint32_t whole = 1u << XEN_CPU | 1u << XEN_LAPIC |
                           1u << XEN_LAPIC_REGS;

    if (g->overflow)
        stream_refuse(t, "size", "more than %u vCPUs, or devices of %u bytes",
                      GUEST_VCPUS, GUEST_DEVICES);
    if (g->odd)
        stream_refuse(t, "hvm-context", "an entry is not as long as it was");
    if ((g->vcpu[0].has & whole) != whole)
        stream_refuse(t, "vcpu", "vCPU 0 is down, or has no local APIC");
    for (unsigned i = 0; i < g->vcpus; i++) {
        stream_guest_check_cpu(g, i, t);
        if (stream_guest_apic_id(g, i) != i * stream_guest_apic_step(g))
            stream_refuse(t, "apic-id", "of vCPU %u it is %u", i,
                          stream_guest_apic_id(g, i));
    }
}

void stream_guest_check(const struct xen_guest *g,
                        const struct stream_target *t)
{
    check_params(g, t);
    if (has(g, XEN_IOAPIC))
        check_pins(g, t);
    else
        stream_refuse(t, "pvh", "the guest has no IOAPIC: it is a PVH guest");
    if (has(g, XEN_HPET) && g->hpet.config & HPET_ON)
        stream_refuse(t, "hpet-rate",
                      "the HPET counts; QEMU's is 1.6 times as fast");
    if (g->pci_irq[0] | g->pci_irq[1])
        stream_refuse(t, "pci-interrupt", "a PCI device asserts one");
    check_vcpus(g, t);
    check_devices(g, t);
}

void stream_guest_put(const struct xen_guest *g, const struct stream_target *t,
                      struct stream_put *s)
{
    stream_guest_put_platform(g, s);
    for (unsigned i = 0; i < g->vcpus; i++)
        stream_guest_put_cpu(g, i, t, s);
    put_devices(g, s);
}
