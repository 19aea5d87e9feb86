/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * That the destination gives up while the guest's memory goes is heard by whoever waits
 * for something else, in any thread, and for its own reason.
 */
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mext_hear.h"
#include "unit.h"

#define FOREVER_MS 3600000
#define WAITERS    4

static struct mext_conn source, dest;
static struct mext_hear hear;
static struct mext_why why;
static int silent[2], other[2];

static void setup(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends),
                     0);
    ck_assert_int_eq(mext_conn_init(&source, ends[0], NULL, true, 0), 0);
    ck_assert_int_eq(mext_conn_init(&dest, ends[1], NULL, false, 0), 0);
    ck_assert_int_eq(pipe(silent), 0);
    ck_assert_int_eq(pipe(other), 0);
    hear = (struct mext_hear){ .control = &source };
}

static void teardown(void)
{
    mext_hear_end(&hear);
    mext_conn_close(&source);
    mext_conn_close(&dest);
    for (unsigned i = 0; i < 2; i++) {
        close(silent[i]);
        close(other[i]);
    }
}

START_TEST(a_silent_one_ends_nothing)
{
    mext_hear_begin(&hear);
    ck_assert_int_eq(mext_hear_now(&hear, &why), 0);
    ck_assert_int_eq(write(other[1], "x", 1), 1);
    ck_assert_int_eq(mext_net_wait(other, 1, FOREVER_MS, &why), 0);
    ck_assert_int_eq(mext_net_cancelled(&why), 0);
}
END_TEST

/* The rest of the frame may come later. */
START_TEST(half_a_word_ends_nothing)
{
    static const uint8_t frame[] = {
        0, 0, 0, 7, MEXT_CTL_ABORT, 0, MEXT_E_MEMORY, 0, 2, 'n', 'o'
    };

    mext_hear_begin(&hear);
    ck_assert_int_eq(write(dest.fd, frame, 6), 6);
    ck_assert_int_eq(mext_net_cancelled(&why), 0);
    ck_assert(!hear.gave_up);
    ck_assert_int_eq(write(dest.fd, frame + 6, sizeof(frame) - 6),
                     sizeof(frame) - 6);
    ck_assert_int_eq(mext_net_wait(silent, 1, FOREVER_MS, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "memory: no"));
}
END_TEST

static void *wait_in_vain(void *arg)
{
    struct mext_why *w = arg;

    if (mext_net_wait(silent, 1, FOREVER_MS, w) >= 0)
        mext_fail(w, "the wait did not fail");
    return NULL;
}

START_TEST(giving_up_ends_all_waits)
{
    struct mext_why reason[WAITERS];
    pthread_t thread[WAITERS];

    mext_hear_begin(&hear);
    for (unsigned i = 0; i < WAITERS; i++)
        pthread_create(&thread[i], NULL, wait_in_vain, &reason[i]);
    mext_conn_abort(&dest, MEXT_E_CREATE, "no such disk");
    for (unsigned i = 0; i < WAITERS; i++) {
        pthread_join(thread[i], NULL);
        ck_assert_msg(strstr(reason[i].text, "no such disk") != NULL, "%s",
                      reason[i].text);
    }
    ck_assert(hear.gave_up);
    ck_assert_int_eq(mext_hear_now(&hear, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no such disk"));
}
END_TEST

START_TEST(a_lost_link_is_giving_up)
{
    mext_hear_begin(&hear);
    mext_conn_close(&dest);
    ck_assert_int_eq(mext_net_wait(silent, 1, FOREVER_MS, &why), -1);
    ck_assert(hear.gave_up && *why.text);
    ck_assert_int_eq(mext_net_cancelled(&why), -1);
    mext_hear_end(&hear);
    ck_assert_int_eq(mext_net_cancelled(&why), 0);
}
END_TEST

START_TEST(nothing_is_due)
{
    struct mext_ctl m = { .type = MEXT_CTL_COMMIT };

    ck_assert_int_eq(mext_conn_send(&dest, &m, FOREVER_MS, &why), 0);
    mext_hear_begin(&hear);
    ck_assert_int_eq(mext_net_wait(silent, 1, FOREVER_MS, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "0x03 out of turn"));
}
END_TEST

START_TEST(after_its_end_nothing_is_taken)
{
    struct mext_ctl m = { .type = MEXT_CTL_PREPARED };

    mext_hear_begin(&hear);
    mext_hear_end(&hear);
    ck_assert_int_eq(mext_conn_send(&dest, &m, FOREVER_MS, &why), 0);
    ck_assert_int_eq(write(other[1], "x", 1), 1);
    ck_assert_int_eq(mext_net_wait(other, 1, FOREVER_MS, &why), 0);
    ck_assert(!hear.gave_up);
    ck_assert_int_eq(mext_conn_recv(&source, &m, FOREVER_MS, NULL, &why), 0);
    ck_assert_uint_eq(m.type, MEXT_CTL_PREPARED);
}
END_TEST

START_TEST(the_last_word_counts)
{
    mext_fail(&why, "connection lost");
    mext_conn_abort(&dest, MEXT_E_CREATE, "no such disk");
    mext_hear_last_word(&hear, &why);
    ck_assert_ptr_nonnull(strstr(why.text, "no such disk"));
}
END_TEST

START_TEST(no_last_word_changes_nothing)
{
    mext_fail(&why, "connection lost");
    mext_hear_last_word(&hear, &why);
    ck_assert_str_eq(why.text, "connection lost");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { a_silent_one_ends_nothing,
                                   giving_up_ends_all_waits,
                                   half_a_word_ends_nothing,
                                   a_lost_link_is_giving_up,
                                   nothing_is_due,
                                   after_its_end_nothing_is_taken,
                                   the_last_word_counts,
                                   no_last_word_changes_nothing,
                                   NULL };

    return unit_main(unit_suite_in("hear", tests, setup, teardown));
}
