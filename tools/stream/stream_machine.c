/* SPDX-License-Identifier: LGPL-2.1-only */
/* Takes in what QEMU's stream says of a machine. */
#include <stdlib.h>

#include "stream_machine.h"
#include "stream_priv.h"

#define PAM_AT       0x59u
#define PAM_N        7u
#define HPET_ON      1ull
#define MP_DOWN      1u
#define HF_SHADOW    (1u << 3)
#define HF_SMM       (1u << 19)
#define EFER_SVME    (1ull << 12)
#define CR4_VMXE     (1ull << 13)
#define PIN_LEVEL    (1ull << 15)
#define HF_GUEST     (1u << 21)
#define LVT_MASKED   (1u << 16)
#define LVT_DEADLINE (1u << 18)
#define CR0_PE       1u
#define CR0_ET       0x10u
#define CR0_PG       0x80000000u
#define NONE         UINT32_MAX
#define A20          (1u << 20)
#define TPR_AT       124u /* state of kvm-tpr-opt: hw/i386/kvmvapic.c */
#define TPR_ACTIVE   1u   /* the guest's code was changed for it */
#define PM_XEN_TAIL  8u /* of PCI hot-plug, as the emulator under Xen has it */

struct qemu_machine *stream_machine_new(void)
{
    return calloc(1, sizeof(struct qemu_machine));
}

/* ---- Xen's emulator: sections without footers ---- */

static uint8_t *put32be(uint8_t *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof(v));
    return p + sizeof(v);
}

static void put_device(struct qemu_machine *m, const char *name,
                       uint32_t instance, uint32_t version, const void *p,
                       size_t n)
{
    size_t len = strlen(name);
    uint8_t *b = m->devices + m->ndevices;

    if (n + len + 64 > GUEST_DEVICES - m->ndevices) {
        m->full = true;
        return;
    }
    if (!m->ndevices) {
        memcpy(b, "QEVM\0\0\0\3", 8);
        b += 8;
    }
    *b = 4;
    b = put32be(b + 1, m->sections++);
    *b++ = (uint8_t)len;
    memcpy(b, name, len);
    b = put32be(b + len, instance);
    b = put32be(b, version);
    memcpy(b, p, n);
    m->ndevices = (size_t)(b + n - m->devices);
}

const uint8_t *stream_machine_devices(struct qemu_machine *m, size_t *n_r)
{
    m->devices[m->ndevices] = 0; /* EOF: put_device leaves room */
    *n_r = m->ndevices + 1;
    return m->devices;
}

/* ---- sections ---- */

enum {
    TAKEN = 1, /* read here */
    KEPT = 2,  /* goes to the emulator, octet by octet */
    LEFT = 4,  /* says nothing of a guest that has started */
};

#define AT(m) (uint32_t) offsetof(struct qemu_machine, m)

static const struct section_kind {
    const char *name;
    uint32_t instance, version;
    unsigned how, has;
    const struct wire *wire;
    uint32_t at;
} kinds[] = {
    { "timer", 0, 2, TAKEN | KEPT, M_CLOCK, qemu_timer_wire, AT(clock) },
    { "i8259", 0, 1, TAKEN, M_PIC, qemu_pic_wire, AT(pic[0]) },
    { "i8259", 1, 1, TAKEN, M_PIC << 1, qemu_pic_wire, AT(pic[1]) },
    { "ioapic", 0, 3, TAKEN, M_IOAPIC, qemu_ioapic_wire, AT(ioapic) },
    { "i8254", 0, 3, TAKEN, M_PIT, qemu_pit_wire, AT(pit) },
    { "pcspk", 0, 1, TAKEN, 0, qemu_pcspk_wire, AT(speaker) },
    { "mc146818rtc", 0, 3, TAKEN | KEPT, M_RTC, qemu_rtc_wire, AT(rtc) },
    { "hpet", 0, 2, TAKEN, M_HPET, qemu_hpet_wire, AT(hpet) },
    { "0000:00:00.0/I440FX", 0, 3, TAKEN | KEPT, M_HOST_BRIDGE,
      qemu_i440fx_wire, AT(host_bridge) },
    { "0000:00:01.0/PIIX3", 0, 3, TAKEN | KEPT, M_ISA_BRIDGE, qemu_piix3_wire,
      AT(isa_bridge) },
    { "0000:00:01.3/piix4_pm", 0, 3, TAKEN, M_PM, qemu_pm_wire, AT(pm) },
    { "serial", 0, 3, KEPT, 0, NULL, 0 },
    { "serial", 1, 3, KEPT, 0, NULL, 0 },
    { "PCIHost", 0, 1, KEPT, 0, NULL, 0 },
    { "PCIBUS", 0, 1, LEFT, 0, NULL, 0 },
    { "dma", 0, 1, KEPT, 0, NULL, 0 },
    { "dma", 1, 1, KEPT, 0, NULL, 0 },
    { "fdc", 0, 2, KEPT, 0, NULL, 0 },
    { "ps2kbd", 0, 3, KEPT, 0, NULL, 0 },
    { "ps2mouse", 0, 2, KEPT, 0, NULL, 0 },
    { "pckbd", 0, 3, KEPT, 0, NULL, 0 },
    { "port92", 0, 1, KEPT, 0, NULL, 0 },
    { "0000:00:01.1/ide", 0, 3, KEPT, 0, NULL, 0 },
    { "globalstate", 0, 1, LEFT, 0, NULL, 0 },
    { "acpi_build", 0, 1, LEFT, 0, NULL, 0 },
    { "fw_cfg", 0, 2, LEFT, 0, NULL, 0 },
    { "i2c_bus", 0, 1, LEFT, 0, NULL, 0 },
    { "kvmclock", 0, 1, LEFT, 0, NULL, 0 }, /* a vCPU says if it is used */
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct section_kind *kind_of(const char *name, uint32_t instance,
                                          uint32_t version)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].name, name) && kinds[i].instance == instance &&
            kinds[i].version == version)
            return &kinds[i];
    return NULL;
}

/* The hot-plug registers after it, as the emulator under Xen has them. */
static void keep_pm(struct qemu_machine *m, const uint8_t *p)
{
    size_t n = stream_wire_len(qemu_pm_wire);
    uint8_t body[1024] = { 0 };

    memcpy(body, p, n);
    put_device(m, "0000:00:01.3/piix4_pm", 0, 3, body, n + PM_XEN_TAIL);
}

static void take_vcpu(struct qemu_machine *m, const struct stream_target *t,
                      const char *name, const uint8_t *p, size_t n)
{
    bool common = !strcmp(name, "cpu_common"), apic = !strcmp(name, "apic");
    unsigned *which = common ? &m->commons : apic ? &m->apics : &m->cpus;
    struct qemu_vcpu *v = &m->vcpu[*which];
    const struct wire *w = common ? qemu_cpu_common_wire
                           : apic ? qemu_apic_wire
                                  : qemu_cpu_wire;

    if (*which == GUEST_VCPUS || n < stream_wire_len(w)) {
        stream_refuse(t, "vcpu", "one too many, or %s has %zu bytes", name, n);
        return;
    }
    ++*which;
    if (common)
        stream_wire_get(p, w, &v->common, true);
    else if (apic)
        stream_wire_get(p, w, &v->apic, true);
    else
        stream_machine_cpu(v, m, t, p, n);
    if (apic && n > stream_wire_len(w))
        v->down = true; /* its only subsection: it waits for a start */
    else if (common && n > stream_wire_len(w))
        stream_refuse(t, "pending-event",
                      "a vCPU has one that is not a "
                      "register's");
}

static bool is_vcpu(const char *name, uint32_t version)
{
    return (!strcmp(name, "cpu_common") && version == 1) ||
           (!strcmp(name, "cpu") && version == 12) ||
           (!strcmp(name, "apic") && version == 3);
}

static void refuse_device(const struct stream_target *t, const char *name,
                          uint32_t version, size_t n)
{
    char what[sizeof("device:") + STREAM_NAME_MAX];

    memcpy(what, "device:", 7);
    memcpy(what + 7, name, strlen(name) + 1);
    stream_refuse(t, what, "version %u, %zu bytes: is not carried", version, n);
}

void stream_machine_section(struct qemu_machine *m,
                            const struct stream_target *t, const char *name,
                            uint32_t instance, uint32_t version,
                            const uint8_t *p, size_t n)
{
    const struct section_kind *k = kind_of(name, instance, version);

    if (is_vcpu(name, version)) {
        take_vcpu(m, t, name, p, n);
        return;
    }
    if (!strcmp(name, "kvm-tpr-opt") && n > TPR_AT + 4 &&
        load32be(p + TPR_AT) != TPR_ACTIVE)
        return;
    if (!k || (k->how & TAKEN && n < stream_wire_len(k->wire))) {
        refuse_device(t, name, version, n);
        return;
    }
    if (k->how & TAKEN) {
        stream_wire_get(p, k->wire, (uint8_t *)m + k->at, true);
        m->has |= k->has;
    }
    if (k->how & KEPT)
        put_device(m, name, instance, version, p, n);
    if (k->has == M_PM)
        keep_pm(m, p);
}

/* ---- all together ---- */

/* The areas below 1 MiB have to show RAM, not a ROM. */
static void check_shadow(const struct qemu_machine *m,
                         const struct stream_target *t)
{
    const uint8_t *pam = m->host_bridge.pci.config + PAM_AT;

    for (unsigned i = 0; i < PAM_N; i++)
        if (!(pam[i] & 0x10) || (i && !(pam[i] & 0x01))) {
            stream_refuse(t, "rom-shadow",
                          "what is read between 0xc0000 and 0xfffff is not "
                          "all RAM (register %#x is %#x)",
                          PAM_AT + i, pam[i]);
            return;
        }
}

/* Xen has banks of its own, empty. */
static void check_errors(const struct qemu_vcpu *v, unsigned n,
                         const struct stream_target *t)
{
    bool some = v->cpu.mcg_status;

    /* IA32_MCi_STATUS, the second of each bank's four registers */
    for (size_t i = 1; i < sizeof(v->cpu.mce) / sizeof(v->cpu.mce[0]); i += 4)
        some |= v->cpu.mce[i] != 0;
    if (some)
        stream_refuse(t, "machine-check", "vCPU %u was told of an error", n);
}

/* What it is in the middle of. */
static void check_mode(const struct qemu_vcpu *v, unsigned n,
                       const struct stream_target *t)
{
    if (v->cpu.hflags & HF_SMM)
        stream_refuse(t, "smm", "vCPU %u is in system management mode", n);
    if (v->cpu.hflags & HF_GUEST || v->cpu.efer & EFER_SVME ||
        v->cpu.cr4 & CR4_VMXE)
        stream_refuse(t, "nested-hvm", "vCPU %u runs guests of its own", n);
    if (v->cpu.hflags & HF_SHADOW)
        stream_refuse(t, "interrupt-shadow",
                      "vCPU %u takes none before its next instruction", n);
    if (v->cpu.exception != NONE || v->cpu.nmi_injected)
        stream_refuse(t, "pending-event", "vCPU %u has exception %d", n,
                      (int)v->cpu.exception);
    if (v->cpu.injected != NONE && v->cpu.soft)
        stream_refuse(t, "pending-event", "vCPU %u has an INT instruction's",
                      n);
    if (~v->cpu.a20_mask & A20)
        stream_refuse(t, "a20", "vCPU %u has address line 20 off", n);
    check_errors(v, n, t);
}

static void check_vcpu(const struct qemu_machine *m, unsigned n,
                       const struct stream_target *t)
{
    const struct qemu_vcpu *v = &m->vcpu[n];
    uint32_t lvt = v->apic.lvt[0];
    struct xen_cpu x;

    if (v->down)
        return;
    stream_machine_xen_cpu(m, n, t->tcg, &x);
    if (!stream_machine_segments_fit(&x))
        stream_refuse(t, "segments", "vCPU %u has one that Xen does not take",
                      n);
    if ((x.cr[0] & CR0_PG && !(x.cr[0] & CR0_PE)) || !(x.cr[0] & CR0_ET))
        stream_refuse(t, "cr0", "of vCPU %u it is %#llx", n,
                      (unsigned long long)x.cr[0]);
    check_mode(v, n, t);
    if (v->pkru)
        stream_refuse(t, "xsave:PKRU",
                      "of vCPU %u is %#llx, and where Xen has it is not known",
                      n, (unsigned long long)v->pkru);
    if (v->cpu.system_time & 1 || v->cpu.wall_clock)
        stream_refuse(t, "kvm-clock", "vCPU %u uses KVM's clock", n);
    if (v->cpu.fp_format)
        stream_refuse(t, "fpu", "vCPU %u's is in an old form", n);
    if (!(lvt & (LVT_MASKED | LVT_DEADLINE)) && v->apic.count)
        stream_refuse(t, "lapic-rate",
                      "vCPU %u's local APIC timer is running: what is set from "
                      "now on ends ten times as late",
                      n);
}

/* Xen's emulator does not assert them anew. */
static void check_wires(const struct qemu_machine *m,
                        const struct stream_target *t)
{
    bool asserted = false;

    for (unsigned i = 0; i < 4; i++)
        asserted |= m->isa_bridge.level[i] != 0;
    for (unsigned i = 0; i < QEMU_PINS; i++)
        asserted |= m->ioapic.irr >> i & 1 && m->ioapic.pin[i] & PIN_LEVEL;
    if (asserted)
        stream_refuse(t, "pci-interrupt", "a device asserts one");
}

void stream_machine_check(struct qemu_machine *m, const struct stream_target *t)
{
    if (m->has != M_ALL)
        stream_refuse(t, "machine",
                      "it is no pc-i440fx: of its chips it has "
                      "%#x of %#x",
                      m->has, M_ALL);
    if (!m->cpus || m->cpus != m->apics || m->cpus != m->commons)
        stream_refuse(t, "vcpu", "%u vCPUs with %u local APICs", m->cpus,
                      m->apics);
    if (m->has & M_HOST_BRIDGE)
        check_shadow(m, t);
    check_wires(m, t);
    if (m->hpet.config & HPET_ON)
        stream_refuse(t, "hpet-rate",
                      "the HPET counts; Xen's takes 1.6 times as long");
    for (unsigned i = 0; i < m->cpus; i++) {
        struct qemu_vcpu *v = &m->vcpu[i];

        v->down |= v->cpu.mp_state == MP_DOWN;
        check_vcpu(m, i, t);
    }
    if (m->cpus && m->vcpu[0].down)
        stream_refuse(t, "vcpu", "vCPU 0 is down");
    if (m->full)
        stream_refuse(t, "size", "devices of more than %u bytes",
                      GUEST_DEVICES);
}
