/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mext_cpu.h"

#define NO_SUBLEAF      0xffffffffu
#define MSR_ARCH_CAPS   0x10au
#define MSR_PLATFORM    0xceu
#define LEAF_XSTATE     0xdu
#define EXTENDED        0x80000000u
#define PLATFORM_FAULTS (1ull << 31) /* CPUID can be made to fault */

/* ---- names ---- */

struct name {
    unsigned bit; /* of the set of all features */
    const char *text;
};

static const struct name names[] = {
#define XEN_CPUFEATURE(name, value) { value, #name },
#include <xen/arch-x86/cpufeatureset.h>
};

static const char *name_of(unsigned bit)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].bit == bit)
            return names[i].text;
    return NULL;
}

/* ---- where they are ---- */

enum reg { A, B, C, D };

/* Words of features, in the order of the header. */
static const struct word {
    uint32_t leaf, subleaf;
    enum reg reg;
    unsigned word;
} words[] = {
    { 0x1, NO_SUBLEAF, D, 0 },
    { 0x1, NO_SUBLEAF, C, 1 },
    { 0x80000001, NO_SUBLEAF, D, 2 },
    { 0x80000001, NO_SUBLEAF, C, 3 },
    { 0xd, 1, A, 4 },
    { 0x7, 0, B, 5 },
    { 0x7, 0, C, 6 },
    { 0x80000007, NO_SUBLEAF, D, 7 },
    { 0x80000008, NO_SUBLEAF, B, 8 },
    { 0x7, 0, D, 9 },
    { 0x7, 1, A, 10 },
    { 0x80000021, NO_SUBLEAF, A, 11 },
    { 0x7, 1, B, 12 },
    { 0x7, 2, D, 13 },
    { 0x7, 1, C, 14 },
    { 0x7, 1, D, 15 },
    { 0x80000021, NO_SUBLEAF, C, 18 },
};

/*
 * Bits that promise nothing: topology, which the toolstack sets; how the FPU's
 * pointers are saved, where there is less to be relied on with the bit than
 * without; and of leaf 0x80000001 those that repeat leaf 1's on AMD's CPUs.
 */
#define REPEATED 0x0183f3ffu
static const struct {
    unsigned word;
    uint32_t bits;
} no_promise[] = {
    { 0, 1u << 28 },           /* HTT */
    { 2, REPEATED },           /* AMD64 manual, volume 3, Fn8000_0001_EDX */
    { 3, 1u << 1 },            /* CMP_LEGACY */
    { 5, 1u << 6 | 1u << 13 }, /* FDP_EXCP_ONLY, NO_FPU_SEL */
    { 8, 1u << 2 },            /* RSTR_FP_ERR_PTRS */
};

#define ARCH_CAPS_LOW  16 /* words of that MSR */
#define ARCH_CAPS_HIGH 17

/* All zero if there is no such leaf. */
static struct mext_leaf leaf_of(const struct mext_cpu *p, uint32_t leaf,
                                uint32_t subleaf)
{
    struct mext_leaf l;

    for (uint32_t i = 0; i < p->nleaves; i++) {
        mext_leaf_get(p->leaves, i, &l);
        if (l.leaf == leaf && l.subleaf == subleaf)
            return l;
    }
    return (struct mext_leaf){ .leaf = leaf, .subleaf = subleaf };
}

static uint64_t msr_of(const struct mext_cpu *p, uint32_t idx)
{
    struct mext_msr m;

    for (uint32_t i = 0; i < p->nmsrs; i++) {
        mext_msr_get(p->msrs, i, &m);
        if (m.idx == idx)
            return m.val;
    }
    return 0;
}

static uint32_t word_of(const struct mext_cpu *p, const struct word *w)
{
    struct mext_leaf l = leaf_of(p, w->leaf, w->subleaf);
    const uint32_t regs[] = { [A] = l.a, [B] = l.b, [C] = l.c, [D] = l.d };

    return regs[w->reg];
}

/* ---- what is missing ---- */

struct search {
    const struct mext_cpu *guest, *host;
    mext_cpu_fn *fn;
    void *arg;
    unsigned count;
};

static void tell(struct search *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(struct search *s, const char *fmt, ...)
{
    char text[96];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    s->count++;
    s->fn(s->arg, text);
}

static void features(struct search *s, unsigned word, uint32_t missing,
                     const char *where)
{
    for (size_t i = 0; i < sizeof(no_promise) / sizeof(no_promise[0]); i++)
        if (no_promise[i].word == word)
            missing &= ~no_promise[i].bits;
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *name = name_of(word * 32 + bit);

        if (!(missing >> bit & 1))
            continue;
        if (name)
            tell(s, "%s", name);
        else
            tell(s, "%s bit %u", where, bit);
    }
}

static void leaf_features(struct search *s)
{
    static const char regs[] = "abcd";
    char where[48];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const struct word *w = &words[i];
        uint32_t missing = word_of(s->guest, w) & ~word_of(s->host, w);

        snprintf(where, sizeof(where), "CPUID leaf 0x%x/%u e%cx", w->leaf,
                 w->subleaf == NO_SUBLEAF ? 0 : w->subleaf, regs[w->reg]);
        features(s, w->word, missing, where);
    }
}

static void msr_features(struct search *s)
{
    uint64_t caps = msr_of(s->guest, MSR_ARCH_CAPS) &
                    ~msr_of(s->host, MSR_ARCH_CAPS);

    features(s, ARCH_CAPS_LOW, (uint32_t)caps, "MSR 0x10a");
    features(s, ARCH_CAPS_HIGH, (uint32_t)(caps >> 32), "MSR 0x10a, high");
    if (msr_of(s->guest, MSR_PLATFORM) & ~msr_of(s->host, MSR_PLATFORM) &
        PLATFORM_FAULTS)
        tell(s, "CPUID faulting");
}

static void vendor_text(const struct mext_leaf *l, char out[13])
{
    const uint32_t part[] = { l->b, l->d, l->c };

    for (unsigned i = 0; i < 12; i++) {
        char c = (char)(part[i / 4] >> (i % 4 * 8));

        out[i] = c;
        if (c < ' ' || c > '~')
            out[i] = '?';
    }
    out[12] = 0;
}

static void vendor(struct search *s)
{
    struct mext_leaf g = leaf_of(s->guest, 0, NO_SUBLEAF);
    struct mext_leaf h = leaf_of(s->host, 0, NO_SUBLEAF);
    char is[13], there[13];

    if (g.b == h.b && g.c == h.c && g.d == h.d)
        return;
    vendor_text(&g, is);
    vendor_text(&h, there);
    tell(s, "a CPU of %s (there: %s)", is, there);
}

/* Leaves that the guest may ask for. */
static void range(struct search *s, uint32_t leaf, uint32_t subleaf,
                  const char *what)
{
    uint32_t g = leaf_of(s->guest, leaf, subleaf).a;
    uint32_t h = leaf_of(s->host, leaf, subleaf).a;

    if (g > h)
        tell(s, "%s up to 0x%x (there: 0x%x)", what, g, h);
}

static void states(struct search *s)
{
    struct mext_leaf g = leaf_of(s->guest, LEAF_XSTATE, 0);
    struct mext_leaf h = leaf_of(s->host, LEAF_XSTATE, 0);
    uint32_t low = g.a & ~h.a, high = g.d & ~h.d;

    if (low | high)
        tell(s, "XSAVE state 0x%x%08x", high, low);
}

static void version(struct search *s)
{
    uint32_t g = s->guest->xen, h = s->host->xen;

    if (g > h)
        tell(s,
             "Xen %u.%u (there: %u.%u, and no guest goes back to an older Xen)",
             g >> 16, g & 0xffff, h >> 16, h & 0xffff);
}

unsigned mext_cpu_missing(const struct mext_cpu *guest,
                          const struct mext_cpu *host, mext_cpu_fn *fn,
                          void *arg)
{
    struct search s = { .guest = guest, .host = host, .fn = fn, .arg = arg };

    version(&s);
    vendor(&s);
    range(&s, 0, NO_SUBLEAF, "CPUID leaves");
    range(&s, EXTENDED, NO_SUBLEAF, "CPUID leaves");
    range(&s, 7, 0, "CPUID subleaves of 7");
    leaf_features(&s);
    states(&s);
    msr_features(&s);
    return s.count;
}
