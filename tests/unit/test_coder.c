/* SPDX-License-Identifier: GPL-2.0-only */
/* What is chosen in a world of which the costs are known. */
#include <check.h>

#include "mext_coder.h"
#include "unit.h"

#define PAGE  4096u
#define PAGES 32u

/* A world: what a page costs, us, and what is left of a byte. */
struct world {
    double us[MEXT_WAYS], left[MEXT_WAYS];
    double cpu_us;  /* a byte, to seal it */
    double link_us; /* a byte, on the link */
};

/* As measured on a guest's memory: docs/performance.md. */
static const struct world usual = {
    .us = { 0, 4.5, 7, 10.5, 27, 45 },
    .left = { 1, 0.43, 0.26, 0.245, 0.232, 0.229 },
    .cpu_us = 0.001,
};

/* One batch sent as the coder says, the link's time hidden as far as it is. */
static enum mext_way send(struct mext_coder *c, const struct world *w)
{
    enum mext_way way = mext_coder_choose(c);
    double bytes = PAGES * PAGE * w->left[way], pack = PAGES * w->us[way];
    double cpu = pack + bytes * w->cpu_us, link = bytes * w->link_us;
    double us = cpu > link ? cpu : link;

    mext_coder_packed(c, way, PAGES, (uint64_t)bytes, (uint64_t)pack);
    mext_coder_sent(c, (uint64_t)bytes, (uint64_t)us, (uint64_t)pack,
                    (uint64_t)(us - cpu));
    return way;
}

/* The way that most batches went, of the last of many. */
static enum mext_way settled(struct mext_coder *c, const struct world *w)
{
    unsigned n[MEXT_WAYS] = { 0 }, most = 0;

    for (unsigned i = 0; i < 600; i++) {
        enum mext_way way = send(c, w);

        if (i >= 300)
            n[way]++;
    }
    for (unsigned i = 0; i < MEXT_WAYS; i++)
        if (n[i] > n[most])
            most = i;
    return (enum mext_way)most;
}

static double us_per_mb(double mb_per_s)
{
    return 1 / mb_per_s;
}

/* The slower the link, the closer it packs; as fast as memory: not at all. */
START_TEST(by_the_link)
{
    static const struct {
        double mb_per_s;
        enum mext_way least, most;
    } cases[] = {
        { 1, MEXT_WAY_ZSTD_6, MEXT_WAY_ZSTD_9 },
        { 12, MEXT_WAY_ZSTD_6, MEXT_WAY_ZSTD_9 },
        { 125, MEXT_WAY_ZSTD_1, MEXT_WAY_ZSTD_3 },
        { 100000, MEXT_WAY_NONE, MEXT_WAY_NONE },
    };

    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct world w = usual;
        struct mext_coder c;
        enum mext_way way;

        w.link_us = us_per_mb(cases[i].mb_per_s);
        mext_coder_init(&c);
        way = settled(&c, &w);
        ck_assert_msg(way >= cases[i].least && way <= cases[i].most,
                      "%.0f MB/s: way %d", cases[i].mb_per_s, way);
    }
}
END_TEST

/* Ten times slower at packing, as an emulator is: weaker on the same link. */
START_TEST(by_the_cpu)
{
    struct world w = usual;
    struct mext_coder c;
    enum mext_way fast, slow;

    w.link_us = us_per_mb(60);
    mext_coder_init(&c);
    fast = settled(&c, &w);
    for (unsigned i = 0; i < MEXT_WAYS; i++)
        w.us[i] *= 10;
    mext_coder_init(&c);
    slow = settled(&c, &w);
    ck_assert_int_lt(slow, fast);
}
END_TEST

/* What is dear to seal is packed although the link would take it. */
START_TEST(by_the_seal)
{
    struct world w = usual;
    struct mext_coder c;

    w.cpu_us = 0.01;
    mext_coder_init(&c);
    ck_assert_int_ge(settled(&c, &w), MEXT_WAY_LZ4);
}
END_TEST

/* The link gets slow, and fast again. */
START_TEST(follows)
{
    struct world w = usual;
    struct mext_coder c;
    enum mext_way first;

    w.link_us = us_per_mb(10000);
    mext_coder_init(&c);
    first = settled(&c, &w);
    w.link_us = us_per_mb(5);
    ck_assert_int_gt(settled(&c, &w), first);
    w.link_us = us_per_mb(10000);
    ck_assert_int_eq(settled(&c, &w), first);
}
END_TEST

/* A coder that is no better here than a weaker one is found out. */
START_TEST(learns_what_is_not_worth_it)
{
    struct world w = usual;
    struct mext_coder c;

    w.link_us = us_per_mb(20);
    for (unsigned i = MEXT_WAY_ZSTD_1; i < MEXT_WAYS; i++)
        w.left[i] = w.left[MEXT_WAY_LZ4];
    mext_coder_init(&c);
    settled(&c, &w);
    ck_assert_int_le(settled(&c, &w), MEXT_WAY_LZ4);
}
END_TEST

/*
 * Batches that would not shrink: two pages of 32 in one batch of four, or all of one in
 * sixteen.
 */
START_TEST(looks_less_and_less)
{
    bool whole = _i;
    struct mext_coder c;
    unsigned looks = 0, one_in = whole ? 16 : 4;

    mext_coder_init(&c);
    for (unsigned i = 0; i < 400 * one_in; i++)
        if (mext_coder_look(&c)) {
            mext_coder_looked(&c, false, whole);
            looks++;
        }
    ck_assert_uint_ge(looks, 400);
    ck_assert_uint_le(looks, 410);
    for (unsigned i = 1; !mext_coder_look(&c); i++)
        ck_assert_uint_lt(i, one_in);
    mext_coder_looked(&c, true, whole);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(mext_coder_look(&c));
        mext_coder_looked(&c, true, whole);
    }
}
END_TEST

/* Clocks that stand still and links that take all at once divide by nothing. */
START_TEST(odd_figures)
{
    struct mext_coder c;

    mext_coder_init(&c);
    for (unsigned i = 0; i < 1000; i++) {
        enum mext_way w = mext_coder_choose(&c);

        ck_assert_uint_lt(w, MEXT_WAYS);
        mext_coder_packed(&c, w, i % 3, i % 2 ? 0 : UINT64_MAX / 2, 0);
        mext_coder_sent(&c, i % 5 * 1000000, i % 2, i, i);
    }
    ck_assert_int_eq(mext_way_level(MEXT_WAY_NONE), 0);
    ck_assert_int_eq(mext_way_level(MEXT_WAY_LZ4), 0);
    ck_assert_int_eq(mext_way_level(MEXT_WAY_ZSTD_9), 9);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { by_the_link,
                                   by_the_cpu,
                                   by_the_seal,
                                   follows,
                                   learns_what_is_not_worth_it,
                                   odd_figures,
                                   NULL };
    Suite *s = unit_suite("coder", tests);
    TCase *c = tcase_create("loops");

    tcase_add_loop_test(c, looks_less_and_less, 0, 2);
    suite_add_tcase(s, c);
    return unit_main(s);
}
