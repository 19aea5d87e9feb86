/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a guest's pages: written as the source says, however they are packed
 * and whatever pieces they come in, refused where they must not be, or given back.
 */
#include "session_case.h"

static const size_t pieces[] = { 1, 7, 1460, 4096, STREAM_MAX };

START_TEST(packed_pages_arrive_whatever_the_pieces)
{
    struct peer *p = &peers[0];

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "pdzp-d", 1);
    put_pages(p, 4, "p", 2);
    put_end(p, 5, 1);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    check_packable(3, 1);
    check_packable(4, 2);
    check_packable(6, 1);
    check_page(8, 1);
    ck_assert_uint_eq(ms_session_counts(&session).data, 5);
}
END_TEST

/* In a row, with others in between, one alone, and as many as may be. */
START_TEST(batches_arrive_whatever_the_pieces)
{
    static const char full[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    struct peer *p = &peers[0];

    ck_assert_uint_eq(strlen(full), MEXT_BATCH_PAGES);
    start(1);
    put_open(p, 0, 1);
    put_pages(p, 0, "bbbbbb", 1);
    put_pages(p, 6, "pb-dbzb", 1);
    put_pages(p, 13, "b", 1);
    put_pages(p, 20, full, 1);
    put_pages(p, 2, "bb", 2);
    put_end(p, 46, 1);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    for (unsigned gfn = 0; gfn < 6; gfn++)
        check_packable(gfn, gfn == 2 || gfn == 3 ? 2 : 1);
    check_packable(6, 1);
    check_packable(7, 1);
    ck_assert_uint_eq(guest[8][0], 0xa5);
    check_page(9, 1);
    check_packable(10, 1);
    ck_assert(sodium_is_zero(guest[11], MEXT_PAGE_SIZE));
    check_packable(12, 1);
    check_packable(13, 1);
    for (unsigned gfn = 20; gfn < 20 + MEXT_BATCH_PAGES; gfn++)
        check_packable(gfn, 1);
}
END_TEST

START_TEST(changes_arrive_whatever_the_pieces)
{
    struct peer *p = &peers[0];

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "bbp", 1);
    put_pages(p, 2, "pc-cbd", 1);
    put_end(p, 8, 0);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    check_packable(2, 1);
    check_changed(3, 1);
    check_packable(4, 1);
    check_changed(5, 1);
    check_packable(6, 1);
    check_page(7, 1);
}
END_TEST

/* With a word that is wrong, or for a page that is another. */
START_TEST(change_of_another_page_is_refused)
{
    static const char *const what[] = { "C", "c" };
    struct peer *p = &peers[0];

    for (unsigned i = 0; i < MS_COUNT(what); i++) {
        start(1);
        put_open(p, 0, 1);
        put_pages(p, 3, "p", 1 + i);
        put_pages(p, 3, what[i], 1);
        ck_assert_int_eq(run(p, STREAM_MAX), -MEXT_E_MALFORMED);
    }
}
END_TEST

/* Two channels in the middle of a batch each share one decoder. */
START_TEST(batches_of_channels_do_not_mix)
{
    size_t half;

    start(2);
    for (uint16_t i = 0; i < 2; i++) {
        put_open(&peers[i], i, 2);
        put_pages(&peers[i], 20u * i, "bbbb-bbb", i + 1u);
        put_end(&peers[i], 7, 0);
    }
    half = peers[0].length;
    peers[0].length = half / 2;
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_NONE);
    ck_assert_int_eq(run(&peers[1], 1460), MS_ACT_HOLD);
    peers[0].length = half;
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_COMPLETE);
    for (unsigned i = 0; i < 8; i++) {
        if (i == 4)
            continue;
        check_packable(i, 1);
        check_packable(20 + i, 2);
    }
}
END_TEST

START_TEST(batch_that_is_not_its_pages_is_refused)
{
    static const char *const bad[] = { "BBB", "bbB", "B-B" };
    struct peer *p = &peers[0];

    for (unsigned i = 0; i < MS_COUNT(bad); i++) {
        start(1);
        put_open(p, 0, 1);
        put_pages(p, 3, bad[i], 1);
        ck_assert_int_eq(run(p, STREAM_MAX), -MEXT_E_MALFORMED);
    }
}
END_TEST

/* Sealed by the source, but no page: the source's mistake is not run. */
START_TEST(block_that_is_no_page_is_refused)
{
    struct peer *p = &peers[0];

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "px", 1);
    ck_assert_int_eq(run(p, STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(pages_arrive_whatever_the_pieces)
{
    struct peer *p = &peers[0];
    struct ms_counts counts;

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "dz-d", 1);
    put_pages(p, 10, "z", 1);
    put_pages(p, 20, "---", 1);
    put_pages(p, 3, "d", 2);
    put_end(p, 3, 2);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    ck_assert_int_eq(session.state, MEXT_RCV_COMPLETE);
    check_page(3, 2);
    check_page(6, 1);
    ck_assert(sodium_is_zero(guest[4], MEXT_PAGE_SIZE));
    ck_assert(sodium_is_zero(guest[10], MEXT_PAGE_SIZE));
    ck_assert_uint_eq(guest[5][0], 0xa5);
    counts = ms_session_counts(&session);
    ck_assert_uint_eq(counts.data, 3);
    ck_assert_uint_eq(counts.zero, 2);
}
END_TEST

START_TEST(forbidden_gfns_are_refused)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_pages(&peers[0], FORBIDDEN_GFN - 1, "zz", 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_GFN);
    ck_assert_uint_eq(guest[FORBIDDEN_GFN][0], 0xa5);
}
END_TEST

START_TEST(absent_runs_are_passed_on)
{
    struct mext_data m = { .type = MEXT_DATA_ABSENT };

    start(1);
    put_open(&peers[0], 0, 1);
    m.u.absent.n = 2;
    m.u.absent.e[0].gfn = 3;
    m.u.absent.e[0].count = 5;
    m.u.absent.e[1].gfn = 30;
    m.u.absent.e[1].count = 2;
    put_message(&peers[0], &m);
    put_end(&peers[0], 0, 0);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_COMPLETE);
    ck_assert_uint_eq(absent_pages, 7);
    ck_assert_uint_eq(ms_session_counts(&session).absent, 7);
}
END_TEST

static void put_absent(struct peer *p, uint64_t gfn, uint32_t count)
{
    struct mext_data m = { .type = MEXT_DATA_ABSENT };

    m.u.absent.n = 1;
    m.u.absent.e[0] = (struct mext_extent){ gfn, count };
    put_message(p, &m);
}

/* Giving back takes time, in which nobody is answered. */
START_TEST(so_many_are_absent_between_two_barriers)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_absent(&peers[0], 0, 3);
    put_absent(&peers[0], 3, MEXT_ABSENT_PAGES - 3);
    put_barrier(&peers[0], 1);
    put_absent(&peers[0], 0, MEXT_ABSENT_PAGES);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_RELEASE);
    ck_assert_uint_eq(absent_pages, MEXT_ABSENT_PAGES);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_NONE);
    ck_assert_uint_eq(absent_pages, 2 * MEXT_ABSENT_PAGES);
    put_absent(&peers[0], 0, 1);
    ck_assert_int_eq(run(&peers[0], 1460), -MEXT_E_MALFORMED);
    ck_assert_uint_eq(absent_pages, 2 * MEXT_ABSENT_PAGES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mstrap pages");
    TCase *good = tcase_create("good"), *bad = tcase_create("refused");

    suite_add_tcase(suite, good);
    suite_add_tcase(suite, bad);
    tcase_add_loop_test(good, pages_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_loop_test(good, packed_pages_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_loop_test(good, batches_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_loop_test(good, changes_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_test(good, batches_of_channels_do_not_mix);
    tcase_add_test(good, absent_runs_are_passed_on);
    tcase_add_test(good, so_many_are_absent_between_two_barriers);
    tcase_add_test(bad, change_of_another_page_is_refused);
    tcase_add_test(bad, batch_that_is_not_its_pages_is_refused);
    tcase_add_test(bad, block_that_is_no_page_is_refused);
    tcase_add_test(bad, forbidden_gfns_are_refused);
    return session_main(suite);
}
