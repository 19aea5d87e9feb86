/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * An HVM or PVH guest's context and parameters: xen/include/public/hvm/save.h,
 * arch-x86/hvm/save.h and hvm/params.h of Xen 4.17 and 4.20.
 */
#include <stdio.h>

#include "stream_libxc.h"

#define DESC_LEN  8u /* type, instance, length */
#define MAGIC     0x54381286u
#define VERSION   1u
#define VCPUS     128u
#define ENTRY_MAX 65536u
#define XSAVE_MIN 600u /* masks 24, legacy area 512, header 64 */
#define MSR_UNIT  16u  /* of a list after 8 bytes with its count */
#define PARAM_LEN 16u

enum { END = 0, HEADER = 1, CPU = 2, XSAVE = 16, MSR = 20, ENTRIES };

/*
 * Length 0: no fixed one. Instances: so many at most. Grown: the length from a
 * later Xen on, which takes the former one as well.
 */
static const struct {
    const char *name;
    uint32_t len;
    unsigned instances;
    uint32_t grown;
} entries[ENTRIES] = {
    [END] = { "END", 0, 1 },
    [HEADER] = { "HEADER", 24, 1 },
    [CPU] = { "CPU", 1032, VCPUS },
    [3] = { "PIC", 8, 2 },
    [4] = { "IOAPIC", 400, 1 },
    [5] = { "LAPIC", 24, VCPUS, 32 },
    [6] = { "LAPIC_REGS", 1024, VCPUS },
    [7] = { "PCI_IRQ", 16, 1 },
    [8] = { "ISA_IRQ", 8, 1 },
    [9] = { "PCI_LINK", 8, 1 },
    [10] = { "PIT", 56, 1 },
    [11] = { "RTC", 24, 1 },
    [12] = { "HPET", 1048, 1 },
    [13] = { "PMTIMER", 8, 1 },
    [14] = { "MTRR", 240, VCPUS },
    [15] = { "VIRIDIAN_DOMAIN", 32, 1 },
    [XSAVE] = { "XSAVE", 0, VCPUS },
    [17] = { "VIRIDIAN_VCPU", 216, VCPUS },
    [18] = { "VMCE_VCPU", 32, VCPUS },
    [19] = { "TSC_ADJUST", 8, VCPUS },
    [MSR] = { "MSR", 0, VCPUS },
};

static const char *const params[] = {
    [0] = "CALLBACK_IRQ",
    [1] = "STORE_PFN",
    [2] = "STORE_EVTCHN",
    [4] = "PAE_ENABLED",
    [5] = "IOREQ_PFN",
    [6] = "BUFIOREQ_PFN",
    [9] = "VIRIDIAN",
    [10] = "TIMER_MODE",
    [11] = "HPET_ENABLED",
    [12] = "IDENT_PT",
    [13] = "DM_DOMAIN",
    [14] = "ACPI_S_STATE",
    [15] = "VM86_TSS",
    [16] = "VPT_ALIGN",
    [17] = "CONSOLE_PFN",
    [18] = "CONSOLE_EVTCHN",
    [19] = "ACPI_IOPORTS_LOCATION",
    [24] = "NESTEDHVM",
    [26] = "BUFIOREQ_EVTCHN",
    [27] = "PAGING_RING_PFN",
    [28] = "MONITOR_RING_PFN",
    [29] = "SHARING_RING_PFN",
    [31] = "TRIPLE_FAULT_REASON",
    [32] = "IOREQ_SERVER_PFN",
    [33] = "NR_IOREQ_SERVER_PAGES",
    [34] = "VM_GENERATION_ID_ADDR",
    [35] = "ALTP2M",
    [36] = "X87_FIP_WIDTH",
    [37] = "VM86_TSS_SIZED",
    [38] = "MCA_CAP",
};

#define PARAMS (sizeof(params) / sizeof(params[0]))

const char *stream_entry_name(unsigned type)
{
    return type < ENTRIES ? entries[type].name : NULL;
}

const char *stream_param_name(uint64_t index)
{
    return index < PARAMS ? params[index] : NULL;
}

/* ---- context ---- */

struct context {
    unsigned n; /* entries so far */
    bool ended;
    uint32_t seen[VCPUS]; /* of each instance a bit of each type */
    unsigned vcpus;       /* entries CPU; vCPUs that are down have none */
};

struct entry {
    unsigned type, instance;
    uint32_t len;
    const uint8_t *p;
};

static bool fits(const struct entry *e)
{
    if (e->type == XSAVE)
        return e->len >= XSAVE_MIN;
    if (e->type == MSR)
        return e->len >= 8 + MSR_UNIT &&
               e->len == 8 + (uint64_t)MSR_UNIT * load32(e->p);
    return e->len == entries[e->type].len ||
           (entries[e->type].grown && e->len == entries[e->type].grown);
}

static int check_header(struct stream *s, const struct context *c,
                        const struct entry *e)
{
    if ((e->type == HEADER) != !c->n)
        return stream_odd(s, STREAM_R_HVM_HEADER, "entry %u is of type %u",
                          c->n, e->type);
    if (e->type != HEADER || e->len < 8)
        return 0;
    if (load32(e->p) != MAGIC || load32(e->p + 4) != VERSION)
        return stream_odd(s, STREAM_R_HVM_HEADER, "it is %#x, version %u",
                          load32(e->p), load32(e->p + 4));
    return 0;
}

static int check_instance(struct stream *s, struct context *c,
                          const struct entry *e)
{
    const char *name = entries[e->type].name;
    uint32_t bit = 1u << e->type;

    if (e->instance >= entries[e->type].instances)
        return stream_odd(s, STREAM_R_HVM_INSTANCE, "%u of %s", e->instance,
                          name);
    if (c->seen[e->instance] & bit &&
        stream_odd(s, STREAM_R_HVM_AGAIN, "%s %u", name, e->instance))
        return -1;
    c->seen[e->instance] |= bit;
    c->vcpus += e->type == CPU;
    return 0;
}

static int check_entry(struct stream *s, struct context *c,
                       const struct entry *e)
{
    if (check_header(s, c, e))
        return -1;
    c->n++;
    if (e->type >= ENTRIES)
        return stream_odd(s, STREAM_R_HVM_TYPE, "entry %u is of type %u",
                          c->n - 1, e->type);
    if (e->type == END) {
        c->ended = true;
        if (e->len || e->instance || s->left)
            return stream_odd(s, STREAM_R_HVM_END,
                              "it has %u bytes, %llu follow", e->len,
                              (unsigned long long)s->left);
        return 0;
    }
    if (!fits(e) && stream_odd(s, STREAM_R_HVM_LENGTH, "%s has %u bytes",
                               entries[e->type].name, e->len))
        return -1;
    return check_instance(s, c, e);
}

/* NULL: what is left is none; told. *over_r: and the walk is over. */
static bool next_entry(struct stream *s, struct entry *e, bool *over_r)
{
    const uint8_t *p;

    *over_r = false;
    if (s->left < DESC_LEN)
        goto odd;
    p = stream_body(s, DESC_LEN);
    if (!p)
        goto over;
    e->type = load16(p);
    e->instance = load16(p + 2);
    e->len = load32(p + 4);
    if (e->len > s->left || e->len > ENTRY_MAX)
        goto odd;
    e->p = stream_body(s, e->len);
    if (e->p)
        return true;
over:
    *over_r = true;
    return false;
odd:
    *over_r = stream_odd(s, STREAM_R_HVM_DESC, "%llu bytes before the end",
                         (unsigned long long)s->left);
    return false;
}

int stream_read_hvm_context(struct stream *s)
{
    struct context c = { 0 };
    struct entry e;
    bool over;

    while (!c.ended) {
        if (!next_entry(s, &e, &over))
            return over ? -1 : 0;
        if (s->ev.entry)
            s->ev.entry(s->arg, e.type, e.instance, e.p, e.len);
        if (check_entry(s, &c, &e))
            return -1;
        if (!s->left && !c.ended)
            return stream_odd(s, STREAM_R_HVM_END, "there is none");
    }
    stream_note(s, "%u entries, %u vCPUs", c.n, c.vcpus);
    return c.vcpus ? 0 : stream_odd(s, STREAM_R_HVM_CPU, "none has one");
}

/* ---- parameters ---- */

static int read_param(struct stream *s, uint64_t *seen)
{
    const uint8_t *p = stream_body(s, PARAM_LEN);
    uint64_t index, bit;

    if (!p)
        return -1;
    index = load64(p);
    if (s->ev.param)
        s->ev.param(s->arg, index, load64(p + 8));
    if (!stream_param_name(index))
        return stream_odd(s, STREAM_R_HVM_PARAM, "%llu is not",
                          (unsigned long long)index);
    bit = 1ull << index;
    if (*seen & bit && stream_odd(s, STREAM_R_HVM_PARAM_AGAIN, "%s is twice",
                                  stream_param_name(index)))
        return -1;
    *seen |= bit;
    return 0;
}

int stream_read_hvm_params(struct stream *s)
{
    uint64_t seen = 0;
    const uint8_t *p;
    uint32_t count;

    if (s->left < 8)
        return stream_odd(s, STREAM_R_HVM_PARAMS, "it has no count");
    p = stream_body(s, 8);
    if (!p)
        return -1;
    count = load32(p);
    if (load32(p + 4) &&
        stream_odd(s, STREAM_R_HVM_PARAMS_RES, "it is %#x", load32(p + 4)))
        return -1;
    if (s->left != (uint64_t)count * PARAM_LEN)
        return stream_odd(s, STREAM_R_HVM_PARAMS, "count %u, %llu bytes", count,
                          (unsigned long long)s->left);
    stream_note(s, "%u parameters", count);
    while (count--)
        if (read_param(s, &seen))
            return -1;
    return 0;
}
