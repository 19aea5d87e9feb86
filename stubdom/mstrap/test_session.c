/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session over its channels: who is in, barriers, the end, keys; and what a source
 * must not say.  What becomes of pages: test_pages.c.
 */
#include "session_case.h"

START_TEST(barrier_waits_for_all_channels)
{
    start(3);
    for (uint16_t i = 0; i < 3; i++) {
        put_open(&peers[i], i, 3);
        put_pages(&peers[i], 10u * i, "dd", 1);
        put_barrier(&peers[i], 1);
    }
    ck_assert_int_eq(run(&peers[2], 1460), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[1], 1460), MS_ACT_RELEASE);
    for (uint16_t i = 0; i < 3; i++) {
        put_pages(&peers[i], 10u * i, "d", 2);
        put_end(&peers[i], 3, 0);
    }
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[1], 1460), MS_ACT_HOLD);
    ck_assert(ms_session_needs(&session, &peers[0].channel));
    ck_assert_int_eq(run(&peers[2], 1460), MS_ACT_COMPLETE);
    ck_assert(!ms_session_needs(&session, &peers[0].channel));
    check_page(20, 2);
    check_page(21, 1);
}
END_TEST

/* Opened, at the barrier and at the end in different orders. */
START_TEST(as_many_channels_as_there_may_be)
{
    const uint16_t n = MEXT_CHANNELS_MAX;

    start(n);
    for (uint16_t i = 0; i < n; i++) {
        struct peer *p = &peers[n - 1 - i];

        put_open(p, n - 1 - i, n);
        put_pages(p, 3u * i, "dz", 1);
        ck_assert_int_eq(run(p, 1460), MS_ACT_NONE);
        put_barrier(p, 1);
    }
    for (uint16_t i = 0; i < n; i++)
        ck_assert_int_eq(run(&peers[i * 5 % n], 1460),
                         i < n - 1 ? MS_ACT_HOLD : MS_ACT_RELEASE);
    for (uint16_t i = 0; i < n; i++) {
        put_pages(&peers[i], 3u * i, "d", 2);
        put_end(&peers[i], 2, 1);
        ck_assert_int_eq(run(&peers[i], 1460),
                         i < n - 1 ? MS_ACT_HOLD : MS_ACT_COMPLETE);
    }
    ck_assert_uint_eq(ms_session_counts(&session).data, 2u * n);
    for (uint64_t i = 0; i < n; i++)
        check_page(3 * i, 2);
}
END_TEST

START_TEST(nothing_may_follow_a_barrier_before_its_ack)
{
    start(2);
    put_open(&peers[0], 0, 2);
    put_barrier(&peers[0], 1);
    put_pages(&peers[0], 1, "z", 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(barriers_are_counted)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_barrier(&peers[0], 1);
    put_barrier(&peers[0], 3);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_RELEASE);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(end_and_barrier_do_not_mix)
{
    start(2);
    put_open(&peers[0], 0, 2);
    put_open(&peers[1], 1, 2);
    put_end(&peers[0], 0, 0);
    put_barrier(&peers[1], 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[1], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(nothing_may_follow_the_end)
{
    start(2);
    put_open(&peers[0], 0, 2);
    put_end(&peers[0], 0, 0);
    put_end(&peers[0], 0, 0);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(wrong_counts_are_refused)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_pages(&peers[0], 1, "dz", 1);
    put_end(&peers[0], 1, 2);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_COUNT);
}
END_TEST

/* What only mstrap says, or nobody. */
static const uint8_t foreign_types[] = { MEXT_DATA_BARRIER_ACK, MEXT_DATA_DONE,
                                         MEXT_DATA_ERROR };

START_TEST(messages_of_the_other_direction_are_refused)
{
    struct mext_data m = { .type = foreign_types[_i] };

    start(1);
    put_open(&peers[0], 0, 1);
    put_message(&peers[0], &m);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

/* Each octet behind the opening, one at a time. */
START_TEST(any_changed_octet_is_noticed)
{
    struct peer *p = &peers[0];

    for (size_t at = MEXT_OPEN_LEN;; at += at % 977 == 0 ? 1 : 61) {
        int result;

        start(1);
        put_open(p, 0, 1);
        put_pages(p, 3, "d-z", 1);
        put_end(p, 1, 1);
        if (at >= p->length)
            break;
        p->stream[at] ^= 0x10;
        result = run(p, 1460);
        /* A length that grew makes it wait for more. */
        ck_assert(result == -MEXT_E_MALFORMED || result == MS_ACT_NONE);
    }
}
END_TEST

START_TEST(a_stranger_cannot_take_a_channel)
{
    struct peer *source = &peers[0], *stranger = &peers[1];

    start(1);
    put_open(stranger, 0, 1);
    memset(stranger->stream + stranger->length, 0, 100);
    stranger->stream[stranger->length + 3] = 90;
    stranger->length += 100;
    ck_assert_int_eq(run(stranger, STREAM_MAX), -MEXT_E_MALFORMED);
    ck_assert(!ms_session_needs(&session, &stranger->channel));
    ck_assert_int_eq(session.state, MEXT_RCV_INVITED);

    put_open(source, 0, 1);
    put_pages(source, 1, "d", 1);
    ck_assert_int_eq(run(source, STREAM_MAX), MS_ACT_NONE);
    ck_assert(ms_session_needs(&session, &source->channel));

    /* Replayed on another connection, early or late, it changes nothing. */
    ms_channel_init(&stranger->channel);
    memcpy(stranger->stream, source->stream, source->length);
    stranger->length = source->length;
    stranger->taken = 0;
    memset(guest, 0xa5, sizeof(guest));
    ck_assert_int_eq(run(stranger, STREAM_MAX), -MEXT_E_REPLAY);
    ck_assert(!ms_session_needs(&session, &stranger->channel));
    ck_assert_uint_eq(guest[1][0], 0xa5);
}
END_TEST

START_TEST(keys_are_wiped_when_they_have_served)
{
    struct ms_channel *last = &peers[1].channel;

    start(2);
    for (uint16_t i = 0; i < 2; i++) {
        put_open(&peers[i], i, 2);
        put_pages(&peers[i], 10u * i, "d", 1);
        ck_assert(
            !sodium_is_zero((uint8_t *)&session.root, sizeof(session.root)));
        ck_assert_int_eq(run(&peers[i], 1460), MS_ACT_NONE);
    }
    ck_assert(sodium_is_zero((uint8_t *)&session.root, sizeof(session.root)));
    check_page(10, 1);
    ck_assert(!sodium_is_zero(last->in.key, sizeof(last->in.key)));
    ck_assert(!sodium_is_zero(last->out.key, sizeof(last->out.key)));
    ms_channel_forget(last);
    ck_assert(sodium_is_zero(last->in.key, sizeof(last->in.key)));
    ck_assert(sodium_is_zero(last->out.key, sizeof(last->out.key)));
    ck_assert_uint_eq(ms_session_counts(&session).data, 2);
}
END_TEST

START_TEST(bad_openings_are_refused)
{
    start(2);
    put_open(&peers[0], 0, 1);
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
    put_open(&peers[0], 0, 2);
    peers[0].stream[0] ^= 1;
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
    put_open(&peers[0], 0, 2);
    peers[0].stream[25] = 2;
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
    session.channels = 0; /* as before the invitation */
    put_open(&peers[0], 0, 2);
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(answers_open_at_the_source)
{
    struct mext_data m = { .type = MEXT_DATA_DONE, .u.done = { 1, 2, 3, 4 } },
                     got;
    uint8_t frame[MS_FRAME_MAX];
    size_t length;
    int body;

    start(1);
    put_open(&peers[0], 0, 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_NONE);
    length = ms_channel_seal(&peers[0].channel, &m, frame);
    body = mext_frame_len(frame, MEXT_DATA_BODY_MAX);
    ck_assert_int_eq((int)length, MEXT_FRAME_HDR_LEN + body);
    ck_assert_int_eq(mext_frame_open(&peers[0].answers,
                                     frame + MEXT_FRAME_HDR_LEN, (size_t)body),
                     0);
    ck_assert_int_eq(mext_data_decode(frame + MEXT_FRAME_HDR_LEN,
                                      (size_t)body - MEXT_TAG_LEN, &got),
                     0);
    ck_assert_uint_eq(got.u.done.populated, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mstrap session");
    TCase *good = tcase_create("good"), *bad = tcase_create("refused");

    suite_add_tcase(suite, good);
    suite_add_tcase(suite, bad);
    tcase_add_test(good, barrier_waits_for_all_channels);
    tcase_add_test(good, as_many_channels_as_there_may_be);
    tcase_add_test(good, answers_open_at_the_source);
    tcase_add_test(good, keys_are_wiped_when_they_have_served);
    tcase_add_test(bad, nothing_may_follow_a_barrier_before_its_ack);
    tcase_add_test(bad, barriers_are_counted);
    tcase_add_test(bad, end_and_barrier_do_not_mix);
    tcase_add_test(bad, nothing_may_follow_the_end);
    tcase_add_test(bad, wrong_counts_are_refused);
    tcase_add_loop_test(bad, messages_of_the_other_direction_are_refused, 0,
                        (int)MS_COUNT(foreign_types));
    tcase_add_test(bad, any_changed_octet_is_noticed);
    tcase_add_test(bad, a_stranger_cannot_take_a_channel);
    tcase_add_test(bad, bad_openings_are_refused);
    return session_main(suite);
}
