/* SPDX-License-Identifier: LGPL-2.1-only */
/* Takes in what a Xen HVM stream says. */
#include <stdlib.h>

#include "stream_guest.h"
#include "stream_priv.h"

#define LEAF_LEN    24u /* leaf, subleaf, eax, ebx, ecx, edx */
#define LEAF_XSTATE 0xdu
#define MSR_LEN     16u
#define HEAD_LEN    24u
#define TSC_LEN     24u
#define DEVICES_AT  16u /* id, index, "QEVM", version */
#define AVX         2u
#define AVX_AT      576u

struct xen_guest *stream_guest_new(void)
{
    struct xen_guest *g = calloc(1, sizeof(*g));

    if (g)
        g->area[AVX] = AVX_AT; /* on each CPU that has it */
    return g;
}

static bool take(void *obj, const struct wire *w, const uint8_t *p, size_t n)
{
    if (n != stream_wire_len(w))
        return false;
    stream_wire_get(p, w, obj, false);
    return true;
}

static bool copy(void *obj, size_t size, const uint8_t *p, size_t n)
{
    if (n == size)
        memcpy(obj, p, n);
    return n == size;
}

static bool take_xsave(struct xen_vcpu *v, const uint8_t *p, size_t n)
{
    if (n < XEN_XSAVE_AT + 576 || n - XEN_XSAVE_AT > GUEST_XSAVE)
        return false;
    v->xcr0 = load64(p + 8);
    v->xsave_len = n - XEN_XSAVE_AT;
    memcpy(v->xsave, p + XEN_XSAVE_AT, v->xsave_len);
    return true;
}

static bool take_msrs(struct xen_vcpu *v, const uint8_t *p, size_t n)
{
    if (n < 8 || (n - 8) % MSR_LEN || (n - 8) / MSR_LEN > GUEST_MSRS)
        return false;
    v->msrs = (unsigned)((n - 8) / MSR_LEN);
    for (unsigned i = 0; i < v->msrs; i++) {
        v->msr[i].index = load32(p + 8 + i * MSR_LEN);
        v->msr[i].value = load64(p + 16 + i * MSR_LEN);
    }
    return true;
}

/* From Xen 4.20 on with an error that is not told yet, and four bytes more. */
static bool take_lapic(struct xen_vcpu *v, const uint8_t *p, size_t n)
{
    size_t len = stream_wire_len(xen_lapic_wire);

    if (n == len + 8)
        v->apic_error = load32(p + len);
    return take(&v->lapic, xen_lapic_wire, p, n == len + 8 ? len : n);
}

static bool take_vcpu(struct xen_vcpu *v, unsigned type, const uint8_t *p,
                      size_t n)
{
    switch (type) {
    case XEN_CPU:
        return take(&v->cpu, xen_cpu_wire, p, n);
    case XEN_LAPIC:
        return take_lapic(v, p, n);
    case XEN_LAPIC_REGS:
        return copy(v->regs, sizeof(v->regs), p, n);
    case XEN_MTRR:
        return take(&v->mtrr, xen_mtrr_wire, p, n);
    case XEN_XSAVE:
        return take_xsave(v, p, n);
    case XEN_TSC_ADJUST:
        return copy(&v->tsc_adjust, sizeof(v->tsc_adjust), p, n);
    default:
        return take_msrs(v, p, n);
    }
}

static bool take_domain(struct xen_guest *g, unsigned type, unsigned instance,
                        const uint8_t *p, size_t n)
{
    switch (type) {
    case XEN_HEADER:
        if (n == HEAD_LEN && !g->tsc_khz)
            g->tsc_khz = load32(p + 20);
        return n == HEAD_LEN;
    case XEN_PIC:
        return instance < 2 && take(&g->pic[instance], xen_pic_wire, p, n);
    case XEN_IOAPIC:
        return take(&g->ioapic, xen_ioapic_wire, p, n);
    case XEN_PCI_IRQ:
        return copy(g->pci_irq, sizeof(g->pci_irq), p, n);
    case XEN_ISA_IRQ:
        return copy(&g->isa_irq, sizeof(g->isa_irq), p, n);
    case XEN_PCI_LINK:
        return copy(g->link, sizeof(g->link), p, n < 4 ? n : 4);
    case XEN_PIT:
        return take(&g->pit, xen_pit_wire, p, n);
    case XEN_RTC:
        return take(&g->rtc, xen_rtc_wire, p, n);
    case XEN_HPET:
        return take(&g->hpet, xen_hpet_wire, p, n);
    default:
        return take(&g->pm, xen_pm_wire, p, n);
    }
}

#define BIT(type) (1u << (type))
#define OF_VCPU \
    (BIT(XEN_CPU) | BIT(XEN_LAPIC) | BIT(XEN_LAPIC_REGS) | BIT(XEN_MTRR) | \
     BIT(XEN_XSAVE) | BIT(XEN_TSC_ADJUST) | BIT(XEN_MSR))
#define OF_DOMAIN \
    (BIT(XEN_HEADER) | BIT(XEN_PIC) | BIT(XEN_IOAPIC) | BIT(XEN_PCI_IRQ) | \
     BIT(XEN_ISA_IRQ) | BIT(XEN_PCI_LINK) | BIT(XEN_PIT) | BIT(XEN_RTC) | \
     BIT(XEN_HPET) | BIT(XEN_PMTIMER))
#define OF_VIRIDIAN (BIT(XEN_VIRIDIAN_DOMAIN) | BIT(XEN_VIRIDIAN_VCPU))

void stream_guest_entry(struct xen_guest *g, unsigned type, unsigned instance,
                        const void *p, size_t n)
{
    uint32_t bit = type <= XEN_MSR ? BIT(type) : 0;

    if (bit & OF_VIRIDIAN) {
        g->viridian |= !stream_is_zero(p, n);
    } else if (bit & OF_DOMAIN) {
        g->odd |= !take_domain(g, type, instance, p, n);
        g->has |= bit;
    } else if (bit & OF_VCPU && instance >= GUEST_VCPUS) {
        g->overflow = true;
    } else if (bit & OF_VCPU) {
        g->odd |= !take_vcpu(&g->vcpu[instance], type, p, n);
        g->vcpu[instance].has |= bit;
        if (instance >= g->vcpus)
            g->vcpus = instance + 1;
    }
}

void stream_guest_param(struct xen_guest *g, uint64_t index, uint64_t value)
{
    if (index < GUEST_PARAMS)
        g->param[index] = value;
}

/* Leaves do not lie across pieces: the reader takes them in one. */
void stream_guest_policy(struct xen_guest *g, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint32_t feature;

    for (; n >= LEAF_LEN; b += LEAF_LEN, n -= LEAF_LEN) {
        feature = load32(b + 4);
        if (load32(b) == LEAF_XSTATE && !feature)
            g->features = load32(b + 8) | (uint64_t)load32(b + 20) << 32;
        if (load32(b) == LEAF_XSTATE && feature > 1 && feature < GUEST_FEATURES)
            g->area[feature] = load32(b + 12);
    }
}

void stream_guest_tsc(struct xen_guest *g, const void *p, size_t n)
{
    const uint8_t *b = p;

    if (n != TSC_LEN)
        return;
    g->tsc_mode = load32(b);
    if (load32(b + 4))
        g->tsc_khz = load32(b + 4);
}

void stream_guest_devices(struct xen_guest *g, const void *p, size_t n)
{
    if (n > GUEST_DEVICES - g->ndevices) {
        g->overflow = true;
        return;
    }
    memcpy(g->devices + g->ndevices, p, n);
    g->ndevices += n;
}

/* ---- the emulator's sections ---- */

#define ID_MAX     1024u
#define NUMBER_MAX 256u
#define HEADER_LEN 14u /* of a section, but for its name */

/* Length of the section's header that begins here; 0: none does. */
static size_t header_len(const uint8_t *p, size_t n)
{
    size_t name;

    if (n < HEADER_LEN || p[0] != 4 || load32be(p + 1) >= ID_MAX)
        return 0;
    name = p[5];
    if (name < 3 || n < HEADER_LEN + name)
        return 0;
    for (size_t i = 0; i < name; i++)
        if (p[6 + i] <= 0x20 || p[6 + i] > 0x7e || strchr("\"\\", p[6 + i]))
            return 0;
    if (load32be(p + 6 + name) >= NUMBER_MAX ||
        load32be(p + 10 + name) >= NUMBER_MAX)
        return 0;
    return HEADER_LEN + name;
}

bool stream_guest_emulated(const struct xen_guest *g, size_t *at,
                           struct stream_emulated *e_r)
{
    const uint8_t *p = g->devices + DEVICES_AT;
    size_t n = g->ndevices, len, name, end;

    n = n > DEVICES_AT ? n - DEVICES_AT - 1 : 0; /* and the octet at the end */
    len = *at < n ? header_len(p + *at, n - *at) : 0;
    if (!len)
        return false;
    name = p[*at + 5];
    memcpy(e_r->name, p + *at + 6, name);
    e_r->name[name] = 0;
    e_r->instance = load32be(p + *at + 6 + name);
    e_r->version = load32be(p + *at + 10 + name);
    e_r->p = p + *at + len;
    end = *at + len;
    while (end < n && !header_len(p + end, n - end))
        end++;
    e_r->n = end - *at - len;
    *at = end;
    return true;
}

bool stream_guest_find(const struct xen_guest *g, const char *name,
                       uint32_t instance, struct stream_emulated *e_r)
{
    size_t at = 0;

    while (stream_guest_emulated(g, &at, e_r))
        if (!strcmp(e_r->name, name) && e_r->instance == instance)
            return true;
    return false;
}
