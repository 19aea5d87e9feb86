/* SPDX-License-Identifier: GPL-2.0-only */
/* When pre-copying stops, one row a situation; and at what pace it goes. */
#include "mext_pace.h"
#include "mext_precopy.h"
#include "unit.h"

/* 1,000 pages a second in iterations long enough to be measured. */
#define IT(n, p, d) \
    { \
        .number = n, .pages = p, .data = p, .us = (p)*1000ull, .dirty = d \
    }
/* The guest got memory meanwhile. */
#define GREW(n) \
    { \
        .number = n, .pages = 2000, .us = 2000000, .dirty = 65536, \
        .grew = true \
    }
/* 10,000 pages a second. */
#define FAST(n, p, d) \
    { \
        .number = n, .pages = p, .data = p, .us = (p)*100ull, .dirty = d \
    }

static const struct {
    struct mext_iteration before, now;
    enum mext_decision want;
} rows[] = {
    /* few pages: not worth another */
    { { 0 }, IT(1, 60000, 32), MEXT_STOP_FITS },
    /* a small rest fits 300 ms (300 pages), and just does not */
    { { 0 }, IT(1, 60000, 300), MEXT_STOP_FITS },
    { { 0 }, IT(1, 60000, 301), MEXT_GO_ON },
    /* fits (3,000 pages), but was just halved: go on */
    { { 0 }, FAST(1, 600000, 2000), MEXT_GO_ON },
    { FAST(1, 600000, 2800), FAST(2, 2800, 1400), MEXT_GO_ON },
    /* halved, but small: the limit */
    { FAST(1, 600000, 2800), FAST(2, 2800, 1024), MEXT_STOP_FITS },
    { FAST(1, 600000, 2800), FAST(2, 2800, 1025), MEXT_GO_ON },
    /* fits and no longer halves */
    { FAST(1, 600000, 2800), FAST(2, 2800, 1401), MEXT_STOP_FITS },
    /* does not fit, converges */
    { IT(1, 60000, 9000), IT(2, 9000, 2000), MEXT_GO_ON },
    /* does not fit, does not converge, but only from the third on */
    { IT(1, 60000, 9000), IT(2, 9000, 8900), MEXT_GO_ON },
    { IT(2, 9000, 8900), IT(3, 8900, 8800), MEXT_STOP_STALLED },
    /* ... nor if the guest got memory, so that all of it is to do */
    { IT(2, 9000, 2000), GREW(3), MEXT_GO_ON },
    { IT(9, 9000, 2000), GREW(10), MEXT_GO_ON },
    { IT(10, 9000, 2000), GREW(11), MEXT_STOP_LIMIT },
    /* the limit */
    { IT(9, 9000, 4000), IT(10, 4000, 2000), MEXT_STOP_LIMIT },
    { IT(9, 9000, 400), IT(10, 400, 100), MEXT_STOP_FITS },
    /* too short to measure: the rate of the one before counts */
    { IT(1, 60000, 100), { 2, 100, 100, 1, 300, false }, MEXT_STOP_FITS },
    { IT(1, 60000, 100), { 2, 100, 100, 1, 301, false }, MEXT_GO_ON },
    /* nothing was sent at all: no rate, and the rest does not fit */
    { { 0 }, { 1, 0, 0, 0, 5000, false }, MEXT_GO_ON },
};

START_TEST(decision)
{
    static const struct mext_limits l = { .downtime_ms = 300,
                                          .iterations = 10 };
    enum mext_decision d = mext_precopy_decide(
        &l, &rows[_i].now, rows[_i].before.number ? &rows[_i].before : NULL);

    ck_assert_msg(d == rows[_i].want, "row %d: %s", _i, mext_decision_text(d));
}
END_TEST

START_TEST(rest_is_foreseen)
{
    const struct mext_iteration none = { .number = 1, .dirty = 5000 };
    const struct mext_iteration first = {
        1, 10000, 10000, 5000000, 700, false
    };
    const struct mext_iteration brief = { 2, 100, 100, 1, 300, false };

    ck_assert_uint_eq(mext_precopy_rest_us(&none, NULL), 0);
    ck_assert_uint_eq(mext_precopy_rest_us(&first, NULL), 350000);
    /* the first one's rate */
    ck_assert_uint_eq(mext_precopy_rest_us(&brief, &first), 150000);
}
END_TEST

/* 1,000 pages a second, so 600 in twice the target, 30,000 while services hold still. */
START_TEST(rest_outgrown)
{
    static const struct mext_limits l = { .downtime_ms = 300,
                                          .iterations = 10 };
    static const struct {
        unsigned rest, written;
        bool want;
    } cases[] = {
        { 100, 0, false },   { 100, 500, false },   { 100, 501, true },
        { 400, 400, false }, /* not doubled */
        { 400, 401, true },  { 1000, 1000, false }, { 1000, 1001, true },
        { 0, 30000, true },  { 0, 30001, false },   { 100, 29901, false },
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct mext_iteration now = IT(2, 9000, cases[i].rest);

        ck_assert_msg(mext_precopy_outgrown(&l, &now, NULL, cases[i].written) ==
                          cases[i].want,
                      "case %u", i);
    }
}
END_TEST

START_TEST(pace_is_kept)
{
    struct mext_pace p = { .bytes_per_s = 1000000 };

    ck_assert_uint_eq(mext_pace_wait(&p, 5000000, 7000), 0); /* begins */
    /* 500 ms' worth in 100 ms: 400 to wait, and 100 when those have passed */
    ck_assert_uint_eq(mext_pace_wait(&p, 5100000, 507000), 400000);
    ck_assert_uint_eq(mext_pace_wait(&p, 5400000, 507000), 100000);
    ck_assert_uint_eq(mext_pace_wait(&p, 5500000, 507000), 0);
    /* a second of silence is not saved up */
    ck_assert_uint_eq(mext_pace_wait(&p, 6500000, 507000), 0);
    ck_assert_uint_eq(mext_pace_wait(&p, 6500000, 1507000), 1000000);
    mext_pace_set(&p, 10000000);
    ck_assert_uint_eq(mext_pace_wait(&p, 6500000, 1507000), 0);
    ck_assert_uint_eq(mext_pace_wait(&p, 6500001, 2507000), 99999);
    mext_pace_set(&p, 0);
    ck_assert_uint_eq(mext_pace_wait(&p, 6500001, 1ull << 60), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("precopy");
    TCase *t = tcase_create("decide");

    tcase_add_loop_test(t, decision, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(t, rest_is_foreseen);
    tcase_add_test(t, rest_outgrown);
    tcase_add_test(t, pace_is_kept);
    suite_add_tcase(s, t);
    return unit_main(s);
}
