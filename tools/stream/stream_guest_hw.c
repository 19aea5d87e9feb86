/* SPDX-License-Identifier: LGPL-2.1-only */
/* Xen's interrupt chips and timers as QEMU's sections. */
#include <assert.h>

#include "stream_guest.h"
#include "stream_priv.h"

#define NS           1000000000ull
#define PM_HZ        3579545ull
#define PM_BASE      0xb000u /* ACPI_IOPORTS_LOCATION 1 */
#define PM_BASE_AT   0x40u
#define PM_BASE_BITS 0xffc0u
#define PM_ON_AT     0x80u
#define PM_SCI_ON    1u
#define NEVER        UINT64_MAX
#define PCI_LINK_OFF 0x80u
#define BODY_MAX     8192u

/* RTC: registers A and B, and bits of them. */
enum { RTC_A = 10, RTC_B = 11, RTC_DIVIDER_OFF = 0x60, RTC_SET = 0x80 };

static bool has(const struct xen_guest *g, unsigned type)
{
    return g->has & 1u << type;
}

uint64_t stream_guest_clock(const struct xen_guest *g)
{
    uint64_t ticks = has(g, XEN_PMTIMER) ? g->pm.timer : 0;

    return (ticks * NS + PM_HZ - 1) / PM_HZ;
}

static void put(struct stream_put *s, const char *name, uint32_t instance,
                uint32_t version, const struct wire *w, const void *obj)
{
    uint8_t body[BODY_MAX];

    assert(stream_wire_len(w) <= sizeof(body));
    stream_wire_put(body, w, obj, true);
    stream_put_section(s, name, instance, version, body, stream_wire_len(w));
}

/* ---- interrupts ---- */

static void put_pic(const struct xen_guest *g, unsigned n, struct stream_put *s)
{
    const struct xen_pic *x = &g->pic[n];
    uint8_t init = x->init_priority & 15, modes = x->modes;
    struct qemu_pic q = { .irr = x->irr,
                          .imr = x->imr,
                          .isr = x->isr,
                          .base = x->irq_base,
                          .elcr = x->elcr };

    q.last_irr = (uint8_t)(g->isa_irq >> 8 * n);
    q.priority = x->init_priority >> 4 & 7;
    q.read_isr = !!(modes & X_READ_ISR);
    q.poll = !!(modes & X_POLL);
    q.mask = !!(modes & X_MASK);
    q.auto_eoi = !!(modes & X_AUTO_EOI);
    q.rotate = !!(modes & X_ROTATE);
    q.sfnm = !!(modes & X_SFNM);
    q.init = init & 3;
    if (q.init) {
        q.init4 = !!(init & 4);
        q.single = !(init & 8);
    }
    put(s, "i8259", n, 1, qemu_pic_wire, &q);
}

static void put_ioapic(const struct xen_guest *g, struct stream_put *s)
{
    struct qemu_ioapic q = { .id = g->ioapic.id & 15,
                             .select = (uint8_t)g->ioapic.select };

    memcpy(q.pin, g->ioapic.pin, sizeof(q.pin));
    put(s, "ioapic", 0, 3, qemu_ioapic_wire, &q);
}

/* ---- timers ---- */

static void put_clock(const struct xen_guest *g, struct stream_put *s)
{
    struct qemu_timer q = { .ticks = g->vcpu[0].cpu.tsc,
                            .clock = stream_guest_clock(g) };

    put(s, "timer", 0, 2, qemu_timer_wire, &q);
}

/* As Xen does when it restores: each channel begins anew. */
static void put_pit(const struct xen_guest *g, struct stream_put *s)
{
    struct qemu_pcspk speaker = { .data = g->pit.speaker & 1 };
    uint64_t now = stream_guest_clock(g);
    struct qemu_pit q = { .next = now };

    for (unsigned i = 0; i < 3; i++) {
        const struct xen_pit_channel *x = &g->pit.channel[i];
        struct qemu_pit_channel *c = &q.channel[i];

        c->count = x->count;
        c->latched = x->latched;
        memcpy(c->b, x->b, sizeof(c->b));
        c->loaded = now;
        c->next = i ? 0 : now;
    }
    put(s, "i8254", 0, 3, qemu_pit_wire, &q);
    put(s, "pcspk", 0, 1, qemu_pcspk_wire, &speaker);
}

/*
 * Its time is that of the host plus Xen's offset: QEMU adds its host's time to
 * a base that stands for host time 0.  The update timer ends at once and then
 * finds by itself when to end again; an alarm is not due before that.
 */
static void put_rtc(const struct xen_guest *g, struct stream_put *s)
{
    struct qemu_rtc q = { .index = g->rtc.index,
                          .periodic = NEVER,
                          .base = g->rtc.offset,
                          .update = NEVER,
                          .alarm = INT64_MAX };
    struct stream_emulated e;

    if (stream_guest_find(g, "mc146818rtc", 0, &e) && e.n >= sizeof(q.cmos))
        memcpy(q.cmos, e.p, sizeof(q.cmos));
    memcpy(q.cmos, g->rtc.cmos, sizeof(g->rtc.cmos));
    if ((q.cmos[RTC_A] & RTC_DIVIDER_OFF) != RTC_DIVIDER_OFF &&
        !(q.cmos[RTC_B] & RTC_SET))
        q.update = 0;
    put(s, "mc146818rtc", 0, 3, qemu_rtc_wire, &q);
}

/* A HPET that is off: QEMU's own has another rate, see the check. */
static void put_hpet(const struct xen_guest *g, struct stream_put *s)
{
    struct qemu_hpet q = { .isr = g->hpet.isr,
                           .counter = g->hpet.counter,
                           .timers = 3 };

    for (unsigned i = 0; i < 3; i++)
        q.timer[i] = (struct qemu_hpet_timer){
            .number = (uint8_t)i,
            .config = 4ull << 32 | 0x30, /* as QEMU's reset leaves it */
            .cmp = UINT64_MAX,
            .timer = NEVER,
        };
    put(s, "hpet", 0, 2, qemu_hpet_wire, &q);
}

/* ---- chip set ---- */

struct byte {
    uint8_t at, value;
};

static void set_bytes(uint8_t *config, const struct byte *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        config[b[i].at] = b[i].value;
}

#define SET(config, list) set_bytes(config, list, sizeof(list) / sizeof(*list))

/* Subsystem ids, as all of this machine's have them. */
static const struct byte subsystem[] = { { 0x2c, 0xf4 },
                                         { 0x2d, 0x1a },
                                         { 0x2f, 0x11 } };

/* All of 0xc0000 to 0xfffff is RAM, as it is on Xen's machine. */
static void put_host_bridge(struct stream_put *s)
{
    static const struct byte list[] = {
        { 0x00, 0x86 }, { 0x01, 0x80 }, { 0x02, 0x37 }, { 0x03, 0x12 },
        { 0x08, 0x02 }, { 0x0b, 0x06 }, { 0x59, 0x30 }, { 0x5a, 0x33 },
        { 0x5b, 0x33 }, { 0x5c, 0x33 }, { 0x5d, 0x33 }, { 0x5e, 0x33 },
        { 0x5f, 0x33 }, { 0x72, 0x02 },
    };
    struct qemu_i440fx q = { 0 };

    SET(q.pci.config, list);
    SET(q.pci.config, subsystem);
    put(s, "0000:00:00.0/I440FX", 0, 3, qemu_i440fx_wire, &q);
}

/* Xen's links are those of QEMU's machine turned by one. */
static void put_isa_bridge(const struct xen_guest *g, struct stream_put *s)
{
    static const struct byte list[] = {
        { 0x00, 0x86 }, { 0x01, 0x80 }, { 0x03, 0x70 }, { 0x04, 0x07 },
        { 0x07, 0x02 }, { 0x0a, 0x01 }, { 0x0b, 0x06 }, { 0x0e, 0x80 },
        { 0x4c, 0x4d }, { 0x4e, 0x03 }, { 0x69, 0x02 }, { 0x70, 0x80 },
        { 0x76, 0x0c }, { 0x77, 0x0c }, { 0x78, 0x02 }, { 0xa0, 0x08 },
        { 0xa8, 0x0f },
    };
    struct qemu_piix3 q = { 0 };

    SET(q.pci.config, list);
    SET(q.pci.config, subsystem);
    for (unsigned i = 0; i < 4; i++)
        q.pci.config[0x60 + i] = g->link[(i + 1) & 3] ? g->link[(i + 1) & 3]
                                                      : PCI_LINK_OFF;
    put(s, "0000:00:01.0/PIIX3", 0, 3, qemu_piix3_wire, &q);
}

/*
 * What the emulator says of it.  A guest that QEMU's own firmware started has
 * the ports elsewhere than Xen, and then it is the emulator that answers them.
 */
static void take_emulated_pm(const struct xen_guest *g, struct qemu_pm *q)
{
    struct stream_emulated e;
    struct qemu_pm was;

    if (!stream_guest_find(g, "0000:00:01.3/piix4_pm", 0, &e) ||
        e.n < stream_wire_len(qemu_pm_wire))
        return;
    stream_wire_get(e.p, qemu_pm_wire, &was, true);
    q->control = was.control;
    q->gpe_status = was.gpe_status;
    q->gpe_enable = was.gpe_enable;
    if (!(was.pci.config[PM_ON_AT] & 1) ||
        (load16(was.pci.config + PM_BASE_AT) & PM_BASE_BITS) == PM_BASE)
        return;
    memcpy(q->pci.config + PM_BASE_AT, was.pci.config + PM_BASE_AT, 2);
    q->status = was.status;
    q->enable = was.enable;
}

/* Where hvmloader puts the ports: tools/firmware/hvmloader/pci.c. */
static void put_pm(const struct xen_guest *g, struct stream_put *s)
{
    static const struct byte list[] = {
        { 0x00, 0x86 },         { 0x01, 0x80 }, { 0x02, 0x13 }, { 0x03, 0x71 },
        { 0x06, 0x80 },         { 0x07, 0x02 }, { 0x08, 0x03 }, { 0x0a, 0x80 },
        { 0x0b, 0x06 },         { 0x3c, 0x09 }, { 0x3d, 0x01 }, { 0x40, 0x01 },
        { 0x41, PM_BASE >> 8 }, { 0x5f, 0x10 }, { 0x63, 0x60 }, { 0x80, 0x01 },
    };
    struct qemu_pm q = { .status = g->pm.status,
                         .enable = g->pm.enable,
                         .control = PM_SCI_ON,
                         .smb_auxctl = 2,
                         .smb_done = 1,
                         .timer = NEVER };
    uint8_t body[BODY_MAX] = { 0 };

    SET(q.pci.config, list);
    SET(q.pci.config, subsystem);
    take_emulated_pm(g, &q);
    stream_wire_put(body, qemu_pm_wire, &q, true);
    stream_put_section(s, "0000:00:01.3/piix4_pm", 0, 3, body,
                       stream_wire_len(qemu_pm_wire) + QEMU_PM_TAIL);
}

void stream_guest_put_platform(const struct xen_guest *g, struct stream_put *s)
{
    put_clock(g, s);
    put_host_bridge(s);
    put_isa_bridge(g, s);
    if (has(g, XEN_PIC)) {
        put_pic(g, 0, s);
        put_pic(g, 1, s);
    }
    if (has(g, XEN_IOAPIC))
        put_ioapic(g, s);
    put_hpet(g, s);
    if (has(g, XEN_RTC))
        put_rtc(g, s);
    if (has(g, XEN_PIT))
        put_pit(g, s);
    put_pm(g, s);
}
