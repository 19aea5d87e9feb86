/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxc's part: docs/specs/libxc-migration-stream.pandoc and
 * tools/libs/guest/xg_sr_stream_format.h of Xen 4.17.  Streams of a big-endian
 * host do not exist; all is read as little-endian.
 */
#include "stream_libxc.h"

#define HEADER_LEN  40 /* image header 24, domain header 16 */
#define RECORD_LEN  8
#define LEAF_LEN    24u /* a leaf of a CPUID policy */
#define MSR_LEN     16u
#define POLICY_MAX  4096u /* of both; Xen's are a few hundred at most */
#define TSC_LEN     24
#define TSC_MODES   3u
#define SHARED_LEN  4096
#define OPTIONAL    0x80000000u
#define BIT(t)      (1u << (t))
#define STATIC_DATA (BIT(XC_PV_INFO) | BIT(XC_CPUID) | BIT(XC_MSR))

/* Which guests have it, how often, with a body or without. */
enum { PV = 1, HVM = 2, ONCE = 4, EMPTY = 8 };

static const struct {
    const char *name;
    unsigned how;
} types[XC_TYPES] = {
    [XC_END] = { "END", PV | HVM | EMPTY },
    [XC_PAGE_DATA] = { "PAGE_DATA", PV | HVM },
    [XC_PV_INFO] = { "X86_PV_INFO", PV | ONCE },
    [XC_P2M_FRAMES] = { "X86_PV_P2M_FRAMES", PV },
    [XC_VCPU_BASIC] = { "X86_PV_VCPU_BASIC", PV },
    [XC_VCPU_EXTENDED] = { "X86_PV_VCPU_EXTENDED", PV },
    [XC_VCPU_XSAVE] = { "X86_PV_VCPU_XSAVE", PV },
    [XC_SHARED_INFO] = { "SHARED_INFO", PV | ONCE },
    [XC_TSC] = { "X86_TSC_INFO", PV | HVM | ONCE },
    [XC_HVM_CONTEXT] = { "HVM_CONTEXT", HVM | ONCE },
    [XC_HVM_PARAMS] = { "HVM_PARAMS", HVM | ONCE },
    [XC_TOOLSTACK] = { "TOOLSTACK", PV | HVM },
    [XC_VCPU_MSRS] = { "X86_PV_VCPU_MSRS", PV },
    [XC_VERIFY] = { "VERIFY", PV | HVM | EMPTY },
    [XC_CHECKPOINT] = { "CHECKPOINT", PV | HVM },
    [XC_DIRTY_LIST] = { "CHECKPOINT_DIRTY_PFN_LIST", PV | HVM },
    [XC_STATIC_END] = { "STATIC_DATA_END", PV | HVM | EMPTY },
    [XC_CPUID] = { "X86_CPUID_POLICY", PV | HVM | ONCE },
    [XC_MSR] = { "X86_MSR_POLICY", PV | HVM | ONCE },
};

/* ---- headers ---- */

static int check_image(struct stream *s, const uint8_t *p)
{
    if (load64(p) != UINT64_MAX || memcmp(p + 8, "XENF", 4))
        return stream_lost(s, STREAM_R_XC_IDENT, "it does not");
    s->xc.version = load32be(p + 12);
    if (s->xc.version < 2 || s->xc.version > 3)
        return stream_lost(s, STREAM_R_XC_VERSION, "it is %u", s->xc.version);
    if (load16be(p + 16) & 1)
        return stream_lost(s, STREAM_R_XC_OPTIONS, "it is big-endian");
    if (load16be(p + 16) &&
        stream_odd(s, STREAM_R_XC_OPTIONS, "%#x", load16be(p + 16)))
        return -1;
    if (!stream_is_zero(p + 18, 6))
        return stream_odd(s, STREAM_R_XC_RESERVED, "the image header's");
    return 0;
}

static int check_domain(struct stream *s, const uint8_t *p)
{
    unsigned config = s->config_type;

    s->xc.guest = load32(p);
    if (s->xc.guest != GUEST_PV && s->xc.guest != GUEST_HVM)
        return stream_lost(s, STREAM_R_XC_GUEST, "it is %u", s->xc.guest);
    if (config && (config == GUEST_PV) != (s->xc.guest == GUEST_PV) &&
        stream_odd(s, STREAM_R_XL_GUEST, "the domain is %u", s->xc.guest))
        return -1;
    if (load16(p + 4) != 12)
        return stream_lost(s, STREAM_R_XC_SHIFT, "they have %u", load16(p + 4));
    if (load16(p + 6) &&
        stream_odd(s, STREAM_R_XC_RESERVED, "the domain header's"))
        return -1;
    if (!load32(p + 8))
        return stream_odd(s, STREAM_R_XC_LEGACY, "by version %u",
                          load32(p + 12));
    return 0;
}

static int read_headers(struct stream *s)
{
    const uint8_t *p;

    s->xc.seen = 0;
    stream_at_record(s, STREAM_LIBXC);
    stream_begin(s, 0, "header");
    p = stream_take(s, HEADER_LEN);
    if (!p || check_image(s, p) || check_domain(s, p + 24))
        return -1;
    stream_note(s, "version %u, %s, Xen %u.%u", s->xc.version,
                s->xc.guest == GUEST_PV ? "PV" : "HVM or PVH", load32(p + 32),
                load32(p + 36));
    stream_end(s);
    return 0;
}

/* ---- where a record may stand ---- */

static bool seen(const struct stream *s, uint32_t type)
{
    return s->xc.seen & BIT(type);
}

static int check_static(struct stream *s, uint32_t type)
{
    bool is_static = BIT(type) & STATIC_DATA, v3 = s->xc.version > 2;
    bool late = v3 ? seen(s, XC_STATIC_END)
                   : seen(s, XC_PAGE_DATA) || seen(s, XC_P2M_FRAMES);

    if (is_static && (late || (!v3 && type != XC_PV_INFO)))
        return stream_odd(s, STREAM_R_XC_POLICY_PLACE, "%s is not",
                          types[type].name);
    if (type == XC_STATIC_END)
        return v3 ? 0 : stream_odd(s, STREAM_R_XC_STATIC_END, "in version 2");
    if (v3 && !is_static && !seen(s, XC_STATIC_END))
        return stream_odd(s, STREAM_R_XC_STATIC_END, "%s comes before it",
                          types[type].name);
    return 0;
}

static bool is_vcpu(uint32_t type)
{
    return type == XC_VCPU_BASIC || type == XC_VCPU_EXTENDED ||
           type == XC_VCPU_XSAVE || type == XC_VCPU_MSRS;
}

static int check_pv_order(struct stream *s, uint32_t type)
{
    bool fine = true;

    if (type == XC_P2M_FRAMES)
        fine = seen(s, XC_PV_INFO);
    else if (type == XC_PAGE_DATA)
        fine = seen(s, XC_P2M_FRAMES);
    else if (is_vcpu(type))
        fine = seen(s, XC_PAGE_DATA);
    return fine ? 0
                : stream_odd(s, STREAM_R_XC_PV_ORDER, "%s comes too early",
                             types[type].name);
}

/* Needed to make a guest of it; the specification's "Layout". */
static int check_complete(struct stream *s)
{
    static const uint32_t hvm[] = { XC_PAGE_DATA, XC_TSC, XC_HVM_CONTEXT,
                                    XC_HVM_PARAMS, XC_TYPES };
    static const uint32_t pv[] = { XC_PV_INFO,     XC_PAGE_DATA,  XC_TSC,
                                   XC_SHARED_INFO, XC_VCPU_BASIC, XC_TYPES };
    const uint32_t *t = s->xc.guest == GUEST_PV ? pv : hvm;

    for (; *t != XC_TYPES; t++)
        if (!seen(s, *t) && stream_odd(s, STREAM_R_XC_COMPLETE,
                                       "there is no %s", types[*t].name))
            return -1;
    return 0;
}

static int check_place(struct stream *s, uint32_t type)
{
    bool again = seen(s, type) && types[type].how & ONCE;

    if (type == XC_STATIC_END && seen(s, type))
        return stream_odd(s, STREAM_R_XC_AGAIN, "%s", types[type].name);
    if (again && stream_odd(s, STREAM_R_XC_AGAIN, "%s", types[type].name))
        return -1;
    if (check_static(s, type))
        return -1;
    if (type == XC_PAGE_DATA && seen(s, XC_HVM_PARAMS) &&
        stream_odd(s, STREAM_R_XC_PAGES_PLACE, "they come after"))
        return -1;
    if (type == XC_VERIFY && (seen(s, type) || !seen(s, XC_PAGE_DATA)) &&
        stream_odd(s, STREAM_R_XC_VERIFY,
                   seen(s, type) ? "a second one" : "no pages yet"))
        return -1;
    if (s->xc.guest == GUEST_PV && check_pv_order(s, type))
        return -1;
    return type == XC_END ? check_complete(s) : 0;
}

/* Whether such a guest has it, and whether anything here understands it. */
static int check_type(struct stream *s, uint32_t type)
{
    unsigned guest = s->xc.guest == GUEST_PV ? PV : HVM;

    if (type & OPTIONAL)
        return stream_odd(s, STREAM_R_XC_OPTIONAL, "it is %#x", type);
    if (type >= XC_TYPES)
        return stream_odd(s, STREAM_R_XC_TYPE, "it is %#x", type);
    if (type == XC_CHECKPOINT || type == XC_DIRTY_LIST)
        return stream_odd(s, STREAM_R_XC_CHECKPOINT, "%s", types[type].name);
    if (type == XC_TOOLSTACK)
        return stream_odd(s, STREAM_R_XC_TOOLSTACK, "here it is");
    if (!(types[type].how & guest))
        return stream_odd(s, STREAM_R_XC_WRONG_GUEST, "%s", types[type].name);
    return 0;
}

static bool is_ours(const struct stream *s, uint32_t type)
{
    unsigned guest = s->xc.guest == GUEST_PV ? PV : HVM;

    return type < XC_TYPES && types[type].how & guest &&
           type != XC_CHECKPOINT && type != XC_DIRTY_LIST &&
           type != XC_TOOLSTACK;
}

/* ---- bodies ---- */

static int check_msrs(struct stream *s, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += MSR_LEN)
        if (load32(p + i + 4))
            return stream_odd(s, STREAM_R_XC_POLICY_FLAGS, "of MSR %#x: %#x",
                              load32(p + i), load32(p + i + 4));
    return 0;
}

static int read_policy(struct stream *s, uint32_t type)
{
    uint32_t unit = type == XC_CPUID ? LEAF_LEN : MSR_LEN;
    size_t n = (size_t)s->left;
    const uint8_t *p;

    if (!n || n % unit || n / unit > POLICY_MAX)
        return stream_odd(s, STREAM_R_XC_POLICY_LEN, "it has %zu bytes", n);
    stream_note(s, "%zu %s", n / unit, type == XC_CPUID ? "leaves" : "MSRs");
    p = stream_body(s, n);
    if (!p)
        return -1;
    return type == XC_MSR ? check_msrs(s, p, n) : 0;
}

static int read_tsc(struct stream *s)
{
    const uint8_t *p;

    if (s->left != TSC_LEN)
        return stream_odd(s, STREAM_R_XC_TSC, "it has %llu bytes",
                          (unsigned long long)s->left);
    p = stream_body(s, TSC_LEN);
    if (!p)
        return -1;
    stream_note(s, "mode %u, %u kHz, %llu ns, incarnation %u", load32(p),
                load32(p + 4), (unsigned long long)load64(p + 8),
                load32(p + 16));
    if (load32(p) >= TSC_MODES)
        return stream_odd(s, STREAM_R_XC_TSC, "mode is %u", load32(p));
    if (load32(p + 20))
        return stream_odd(s, STREAM_R_XC_TSC, "reserved field is %#x",
                          load32(p + 20));
    return 0;
}

static int read_body(struct stream *s, uint32_t type)
{
    switch (type) {
    case XC_PAGE_DATA:
        return stream_read_pages(s);
    case XC_TSC:
        return read_tsc(s);
    case XC_HVM_CONTEXT:
        return stream_read_hvm_context(s);
    case XC_HVM_PARAMS:
        return stream_read_hvm_params(s);
    case XC_CPUID:
    case XC_MSR:
        return read_policy(s, type);
    case XC_SHARED_INFO:
        if (s->left == SHARED_LEN)
            return 0;
        return stream_odd(s, STREAM_R_XC_SHARED, "it has %llu",
                          (unsigned long long)s->left);
    default:
        return types[type].how & EMPTY ? 0 : stream_read_pv(s, type);
    }
}

static int check_empty(struct stream *s, uint32_t type)
{
    if (!(types[type].how & EMPTY) || !s->left)
        return 0;
    return stream_odd(s, STREAM_R_XC_EMPTY, "it has %llu bytes",
                      (unsigned long long)s->left);
}

static int read_ours(struct stream *s, uint32_t type)
{
    if (check_empty(s, type) || check_place(s, type) || read_body(s, type))
        return -1;
    s->xc.seen |= BIT(type);
    return 0;
}

static int read_record(struct stream *s, uint32_t *type_r)
{
    uint32_t type, len;
    const uint8_t *p;
    size_t n;

    stream_at_record(s, STREAM_LIBXC);
    p = stream_peek(s, RECORD_LEN, &n);
    type = n == RECORD_LEN ? load32(p) : UINT32_MAX;
    stream_begin(s, type, type < XC_TYPES ? types[type].name : "?");
    p = stream_take(s, RECORD_LEN);
    if (!p)
        return -1;
    *type_r = type;
    s->left = len = load32(p + 4);
    if (len > STREAM_RECORD_MAX)
        return stream_lost(s, STREAM_R_XC_LENGTH, "it has %u bytes", len);
    if (check_type(s, type) || (is_ours(s, type) && read_ours(s, type)) ||
        stream_finish(s, STREAM_R_XC_PADDING))
        return -1;
    stream_end(s);
    return 0;
}

int stream_read_libxc(struct stream *s)
{
    uint32_t type;

    if (read_headers(s))
        return -1;
    do {
        if (read_record(s, &type))
            return -1;
    } while (type != XC_END);
    return 0;
}
