/* SPDX-License-Identifier: GPL-2.0-only */
/* What a host's CPU lacks for a guest, by name. */
#include <stdio.h>
#include <string.h>

#include "cpu.h"
#include "mext_xen.h"
#include "unit.h"

#define NO_SUBLEAF 0xffffffffu

static char told[4000];

static void note(void *arg, const char *what)
{
    size_t n = strlen(told);

    snprintf(told + n, sizeof(told) - n, "%s%s", n ? ", " : "", what);
}

/* A CPU of leaves and one MSR. */
struct cpu {
    struct mext_cpu p;
    uint8_t leaves[24 * 16], msrs[16 * 4];
};

static struct cpu *start(struct cpu *c)
{
    /* "GenuineIntel", leaves up to 0xd. */
    struct mext_leaf vendor = { 0,          NO_SUBLEAF, 0xd,
                                0x756e6547, 0x6c65746e, 0x49656e69 };

    memset(c, 0, sizeof(*c));
    c->p = (struct mext_cpu){ 1, 0, c->leaves, c->msrs, 0 };
    mext_leaf_put(c->leaves, 0, &vendor);
    return c;
}

static void add(struct cpu *c, struct mext_leaf l)
{
    mext_leaf_put(c->leaves, c->p.nleaves++, &l);
}

static void set_msr(struct cpu *c, uint32_t idx, uint64_t val)
{
    mext_msr_put(c->msrs, c->p.nmsrs++, &(struct mext_msr){ idx, 0, val });
}

static unsigned missing(const struct cpu *guest, const struct cpu *host)
{
    told[0] = 0;
    return mext_cpu_missing(&guest->p, &host->p, note, NULL);
}

START_TEST(same)
{
    struct cpu a;

    start(&a);
    add(&a, (struct mext_leaf){ 1, NO_SUBLEAF, 0x306a9, 0, ~0u, ~0u });
    add(&a, (struct mext_leaf){ 7, 0, 2, ~0u, ~0u, ~0u });
    set_msr(&a, 0x10a, ~0ull);
    ck_assert_uint_eq(missing(&a, &a), 0);
    ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(older_xen)
{
    struct cpu guest, host;

    start(&guest);
    start(&host);
    guest.p.xen = 4 << 16 | 20;
    host.p.xen = 4 << 16 | 17;
    ck_assert_uint_eq(missing(&guest, &host), 1);
    ck_assert_str_eq(told, "Xen 4.20 (there: 4.17, and no guest goes back to "
                           "an older Xen)");
    ck_assert_uint_eq(missing(&host, &guest), 0);
    host.p.xen = 5 << 16;
    ck_assert_uint_eq(missing(&guest, &host), 0);
}
END_TEST

/* A host that has more is as good. */
START_TEST(more)
{
    struct cpu guest, host;

    start(&guest);
    start(&host);
    add(&host, (struct mext_leaf){ 1, NO_SUBLEAF, 0, 0, ~0u, ~0u });
    add(&host, (struct mext_leaf){ 7, 0, 2, ~0u, ~0u, ~0u });
    set_msr(&host, 0x10a, ~0ull);
    ck_assert_uint_eq(missing(&guest, &host), 0);
}
END_TEST

/* Bits as in Intel's manual, volume 2A, CPUID. */
START_TEST(by_name)
{
    struct cpu guest, host;

    start(&guest);
    start(&host);
    add(&guest, (struct mext_leaf){ 1, NO_SUBLEAF, 0, 0, 1u << 12 | 1, 1 });
    add(&host, (struct mext_leaf){ 1, NO_SUBLEAF, 0, 0, 1, 1 });
    add(&guest, (struct mext_leaf){ 7, 0, 0, 1u << 5 | 1u << 16, 0, 0 });
    add(&guest, (struct mext_leaf){ 0x80000001, NO_SUBLEAF, 0, 0, 0,
                                    1u << 29 | 1u << 26 });
    set_msr(&guest, 0x10a, 1);
    ck_assert_uint_eq(missing(&guest, &host), 6);
    ck_assert_str_eq(told, "FMA, PAGE1GB, LM, AVX2, AVX512F, RDCL_NO");
}
END_TEST

START_TEST(other_things)
{
    struct cpu guest, host;

    start(&guest);
    start(&host);
    /* "AuthenticAMD", and fewer leaves. */
    mext_leaf_put(host.leaves, 0,
                  &(struct mext_leaf){ 0, NO_SUBLEAF, 0x7, 0x68747541,
                                       0x444d4163, 0x69746e65 });
    add(&guest, (struct mext_leaf){ 0xd, 0, 0xe7, 0, 0, 1 });
    add(&host, (struct mext_leaf){ 0xd, 0, 7, 0, 0, 0 });
    set_msr(&guest, 0xce, 1u << 31);
    ck_assert_uint_eq(missing(&guest, &host), 4);
    ck_assert_str_eq(told, "a CPU of GenuineIntel (there: AuthenticAMD), "
                           "CPUID leaves up to 0xd (there: 0x7), "
                           "XSAVE state 0x1000000e0, CPUID faulting");
}
END_TEST

/* What the header has no name for has its place. */
START_TEST(without_a_name)
{
    struct cpu guest, host;

    start(&guest);
    start(&host);
    add(&guest, (struct mext_leaf){ 1, NO_SUBLEAF, 0, 0, 0, 1u << 10 });
    ck_assert_uint_eq(missing(&guest, &host), 1);
    ck_assert_str_eq(told, "CPUID leaf 0x1/0 edx bit 10");
}
END_TEST

/* Topology, the FPU's pointers, what AMD repeats. */
START_TEST(no_promises)
{
    struct cpu guest, host;

    start(&guest);
    start(&host);
    add(&guest, (struct mext_leaf){ 1, NO_SUBLEAF, 0, 0, 0, 1u << 28 });
    add(&guest, (struct mext_leaf){ 7, 0, 0, 1u << 6 | 1u << 13, 0, 0 });
    add(&guest,
        (struct mext_leaf){ 0x80000001, NO_SUBLEAF, 0, 0, 2, 0x0183f3ff });
    add(&guest, (struct mext_leaf){ 0x80000008, NO_SUBLEAF, 0, 4, 0, 0 });
    ck_assert_uint_eq(missing(&guest, &host), 0);
}
END_TEST

/* ---- packetd's words for it ---- */

static struct cpu host;

int mext_host_policy_get(bool pv, struct mext_policy *p_r, struct mext_why *why)
{
    *p_r = (struct mext_policy){ .nleaves = host.p.nleaves,
                                 .nmsrs = host.p.nmsrs,
                                 .leaves = host.leaves,
                                 .msrs = host.msrs };
    return 0;
}

void mext_policy_free(struct mext_policy *p)
{
}

static unsigned calls;
static char all[4000];

static void take(void *arg, const char *words)
{
    ck_assert_uint_lt(strlen(words), CPU_TEXT);
    calls++;
    snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
             *all ? ", " : "", words);
}

/* More than goes into one message: each is told, once, and whole. */
START_TEST(in_pieces)
{
    struct mext_why why;
    struct cpu guest;
    unsigned n;

    start(&guest);
    start(&host);
    add(&guest, (struct mext_leaf){ 1, NO_SUBLEAF, 0, 0, ~0u, ~0u });
    add(&guest, (struct mext_leaf){ 7, 0, 0, ~0u, ~0u, ~0u });
    n = missing(&guest, &host);
    ck_assert_uint_eq(cpu_missing(false, &guest.p, take, NULL, &why), n);
    ck_assert_uint_gt(calls, 1);
    ck_assert_str_eq(all, told);
    ck_assert_int_eq(cpu_missing(false, &host.p, take, NULL, &why), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { in_pieces,      same,        older_xen,
                                   more,           by_name,     other_things,
                                   without_a_name, no_promises, NULL };

    return unit_main(unit_suite("cpu", tests));
}
