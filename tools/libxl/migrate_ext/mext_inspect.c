/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_inspect.h"
#include "mext_stock.h"
#include "mext_wire.h"

#define LIBXL_XENSTORE   2u
#define LIBXL_EMULATOR   3u
#define XENSTORE_MAX     65536u
#define EMULATOR_MAX     (16u << 20)
#define LIBXC_VERSION_AT 12
#define LIBXC_SHIFT_AT   28
#define GFN_MAX          0xfffffffull /* 1 TiB, as on the data channels */
#define TYPE_PINNED      8u
#define TYPE_NO_DATA     13u /* broken; XALLOC and XTAB above it */
#define TYPE_TABLES      4u  /* page tables of level 1 to 4, of a PV guest */

enum {
    LIBXL_HEADER,
    LIBXL_RECORD,
    LIBXC_HEADER,
    LIBXC_RECORD,
    BATCH_COUNT,
    BATCH_GFNS,
    OVER,
};

static void expect(struct mext_inspect *c, unsigned state, size_t want)
{
    c->state = state;
    c->want = want;
    c->have = 0;
}

static int wrong(struct mext_inspect *c, const char *what)
{
    c->wrong = what;
    return -1;
}

/* ---- libxl's part ---- */

static int libxl_header(struct mext_inspect *c)
{
    if (memcmp(c->head, "LibxlFmt\0\0\0\2\0\0\0", LIBXL_LEN))
        return wrong(c, "it does not begin as libxl's streams do");
    expect(c, LIBXL_RECORD, RECORD_LEN);
    return 0;
}

/* Each once, the memory first, a device model's only if there is one. */
static int libxl_record(struct mext_inspect *c)
{
    uint32_t type = load32(c->head), len = load32(c->head + 4), max = 0;

    if (type > LIBXL_EMULATOR || c->seen & 1u << type ||
        (type != LIBXL_CONTEXT && !(c->seen & 1u << LIBXL_CONTEXT)))
        return wrong(c, "a record of libxl's that does not belong there");
    if (type == LIBXL_XENSTORE)
        max = XENSTORE_MAX;
    else if (type == LIBXL_EMULATOR)
        max = EMULATOR_MAX;
    if (max && c->guest != MEXT_INSPECT_HVM)
        return wrong(c, "a device model's record, and the guest has none");
    if (len > max)
        return wrong(c, "a record of libxl's is too long");
    c->seen |= 1u << type;
    c->pass = padded(len);
    if (type == LIBXL_CONTEXT)
        expect(c, LIBXC_HEADER, LIBXC_LEN);
    else if (type == LIBXL_END)
        expect(c, OVER, 0);
    else
        expect(c, LIBXL_RECORD, RECORD_LEN);
    return 0;
}

/* ---- libxc's part ---- */

static int libxc_header(struct mext_inspect *c)
{
    static const uint8_t begin[LIBXC_VERSION_AT + 3] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'X', 'E', 'N', 'F'
    };
    uint8_t version = c->head[sizeof(begin)];
    bool pv = c->guest == MEXT_INSPECT_PV;

    if (memcmp(c->head, begin, sizeof(begin)) || version < 2 || version > 3 ||
        load64(c->head + sizeof(begin) + 1))
        return wrong(c, "libxc's part does not begin as it should");
    if (load32(c->head + LIBXC_TYPE_AT) != (pv ? LIBXC_PV : LIBXC_HVM) ||
        load32(c->head + LIBXC_SHIFT_AT) != 12)
        return wrong(c, "it is not of a guest of the configuration's type");
    expect(c, LIBXC_RECORD, RECORD_LEN);
    return 0;
}

/* Longest record of a type that libxc writes for a live guest; -1: none. */
static int64_t libxc_max(const struct mext_inspect *c, uint32_t type)
{
    enum { ANY, PV, HVM };
    static const struct {
        uint8_t type, guest;
        uint32_t max;
    } known[] = {
        { LIBXC_END, ANY, 0 },
        { 0x02, PV, 8 },                 /* PV_INFO */
        { 0x03, PV, 8 + 1048576 },       /* PV_P2M_FRAMES */
        { 0x04, PV, 65536 },             /* PV_VCPU_BASIC */
        { 0x05, PV, 65536 },             /* PV_VCPU_EXTENDED */
        { 0x06, PV, 65536 },             /* PV_VCPU_XSAVE */
        { 0x07, PV, 4096 },              /* SHARED_INFO */
        { 0x08, ANY, 24 },               /* TSC_INFO */
        { 0x09, HVM, MEXT_CONTEXT_MAX }, /* HVM_CONTEXT */
        { 0x0a, HVM, 8 + 16 * 64 },      /* HVM_PARAMS */
        { 0x0c, PV, 65536 },             /* PV_VCPU_MSRS */
        { 0x10, ANY, 0 },                /* STATIC_DATA_END */
        { 0x11, ANY, 24 * 512 },         /* CPUID_POLICY */
        { 0x12, ANY, 16 * 64 },          /* MSR_POLICY */
    };
    uint8_t guest = c->guest == MEXT_INSPECT_PV ? PV : HVM;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].type == type &&
            (known[i].guest == ANY || known[i].guest == guest))
            return known[i].max;
    return -1;
}

static int libxc_record(struct mext_inspect *c)
{
    uint32_t type = load32(c->head), len = load32(c->head + 4);
    int64_t max = libxc_max(c, type);

    if (type == LIBXC_PAGES) { /* is looked at further */
        c->state = BATCH_COUNT;
        c->want = BATCH_LEN;
        return 0;
    }
    if (max < 0)
        return wrong(c, "a record of libxc's that does not belong there");
    if (len > max)
        return wrong(c, "a record of libxc's is too long");
    c->pass = padded(len);
    expect(c, type == LIBXC_END ? LIBXL_RECORD : LIBXC_RECORD, RECORD_LEN);
    return 0;
}

static int batch_count(struct mext_inspect *c)
{
    uint32_t count = load32(c->head + COUNT_AT);

    if (!count || count > MEXT_INSPECT_BATCH_MAX ||
        load32(c->head + COUNT_AT + 4))
        return wrong(c, "a batch of pages is larger than libxc's");
    c->state = BATCH_GFNS;
    c->want = BATCH_LEN + 8 * (size_t)count;
    return 0;
}

/* True for a type that a page of this guest can have; *data_r: it follows. */
static bool entry_ok(const struct mext_inspect *c, uint64_t entry, bool *data_r)
{
    unsigned type = (unsigned)(entry >> TYPE_SHIFT);
    bool plain = !type;

    if (c->guest == MEXT_INSPECT_PV && type < TYPE_NO_DATA)
        plain |= (type & ~TYPE_PINNED) >= 1 &&
                 (type & ~TYPE_PINNED) <= TYPE_TABLES;
    *data_r = plain;
    return (plain || type >= TYPE_NO_DATA) &&
           (entry & ((1ull << TYPE_SHIFT) - (1ull << GFN_BITS))) == 0 &&
           (entry & ((1ull << GFN_BITS) - 1)) <= GFN_MAX;
}

static int batch_gfns(struct mext_inspect *c)
{
    uint32_t count = load32(c->head + COUNT_AT), data = 0;

    for (uint32_t i = 0; i < count; i++) {
        bool follows;

        if (!entry_ok(c, load64(c->head + BATCH_LEN + 8 * i), &follows))
            return wrong(c, "a page of a type or at a place that it cannot "
                            "have");
        data += follows;
    }
    if (load32(c->head + 4) != 8 + 8 * count + PAGE_LEN * data)
        return wrong(c, "a batch of pages has a length of its own");
    c->pass = (uint64_t)PAGE_LEN * data;
    expect(c, LIBXC_RECORD, RECORD_LEN);
    return 0;
}

/* ---- bytes ---- */

/* head holds what was wanted. */
static int complete(struct mext_inspect *c)
{
    switch (c->state) {
    case LIBXL_HEADER:
        return libxl_header(c);
    case LIBXL_RECORD:
        return libxl_record(c);
    case LIBXC_HEADER:
        return libxc_header(c);
    case LIBXC_RECORD:
        return libxc_record(c);
    case BATCH_COUNT:
        return batch_count(c);
    default:
        return batch_gfns(c);
    }
}

int mext_inspect_feed(struct mext_inspect *c, const void *p, size_t n)
{
    const uint8_t *at = p;

    if (!c->want && c->state == LIBXL_HEADER)
        expect(c, LIBXL_HEADER, LIBXL_LEN);
    while (n && !c->wrong) {
        size_t most = c->pass ? c->pass : c->want - c->have;
        size_t used = n < most ? n : most;

        if (mext_inspect_over(c))
            return wrong(c, "something follows the end");
        if (c->pass) {
            c->pass -= used;
        } else {
            memcpy(c->head + c->have, at, used);
            c->have += used;
            if (c->have == c->want)
                complete(c);
        }
        at += used;
        n -= used;
    }
    return c->wrong ? -1 : 0;
}

bool mext_inspect_over(const struct mext_inspect *c)
{
    return c->state == OVER && !c->pass;
}
