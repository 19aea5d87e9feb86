/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sender's threads: each job once, a slow one holds up nobody, idle means
 * idle, the first failure ends all, and so does a cancel.  Jobs here say what is to
 * become of them; nothing waits for time.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "mext_net.h"
#include "mext_workers.h"
#include "unit.h"

#define MANY       1000
#define FOREVER_MS 3600000

enum deed {
    COUNT_IT,
    SLOW, /* until the test says so */
    WAIT, /* for the network, where nothing comes */
    FAIL,
};

struct own {
    atomic_flag busy;
    atomic_uint done;
};

static struct mext_workers *workers;
static struct own own[MEXT_CHANNELS_MAX];
static atomic_uint begun, done, at_work;
static atomic_bool idle_has_returned;
static sem_t has_begun, go_on, has_done;
static int silent[2];
static struct mext_why why;

static int wait_for_network(struct mext_why *w)
{
    sem_post(&has_begun);
    return mext_net_wait(&silent[0], 1, FOREVER_MS, w) < 0 ? -1 : 0;
}

struct job {
    enum deed what;
    unsigned n;
};

static int deed(const struct job *j, struct mext_why *w)
{
    switch (j->what) {
    case SLOW:
        sem_post(&has_begun);
        sem_wait(&go_on);
        return 0;
    case WAIT:
        return wait_for_network(w);
    case FAIL:
        return mext_fail(w, "reason %u", j->n);
    default:
        return 0;
    }
}

static int work(void *arg, void *job, struct mext_why *w)
{
    struct own *o = arg;
    int rc;

    atomic_fetch_add(&begun, 1);
    atomic_fetch_add(&at_work, 1);
    ck_assert(!atomic_flag_test_and_set(&o->busy));
    rc = deed(job, w);
    ck_assert(!atomic_load(&idle_has_returned));
    atomic_flag_clear(&o->busy);
    atomic_fetch_add(&o->done, 1);
    atomic_fetch_add(&done, 1);
    atomic_fetch_sub(&at_work, 1);
    sem_post(&has_done);
    return rc;
}

static void start(unsigned n)
{
    void *p[MEXT_CHANNELS_MAX];

    for (unsigned i = 0; i < n; i++)
        p[i] = &own[i];
    ck_assert_int_eq(
        mext_workers_start(&workers, n, sizeof(struct job), work, p, &why), 0);
}

static int put_n(enum deed what, unsigned n)
{
    *(struct job *)mext_workers_room(workers) = (struct job){ what, n };
    return mext_workers_put(workers, &why);
}

static void put(enum deed what)
{
    ck_assert_int_eq(put_n(what, 1), 0);
}

static void setup(void)
{
    ck_assert(!sem_init(&has_begun, 0, 0) && !sem_init(&go_on, 0, 0) &&
              !sem_init(&has_done, 0, 0) && !pipe(silent));
}

static void teardown(void)
{
    mext_workers_stop(workers);
    close(silent[0]);
    close(silent[1]);
}

static bool alarmed(void)
{
    int fd = mext_workers_alarm(workers);
    struct mext_why quiet;

    return mext_net_wait(&fd, 1, 0, &quiet) == 0;
}

START_TEST(each_batch_once)
{
    unsigned sum = 0;

    start(MEXT_CHANNELS_MAX);
    for (unsigned i = 0; i < MANY; i++)
        put(COUNT_IT);
    ck_assert_int_eq(mext_workers_idle(workers, &why), 0);
    for (unsigned i = 0; i < MEXT_CHANNELS_MAX; i++)
        sum += own[i].done;
    ck_assert_uint_eq(sum, MANY);
    ck_assert(!alarmed());
}
END_TEST

/* All the others are done while it is still at its one. */
START_TEST(a_slow_one_holds_up_nobody)
{
    start(2);
    put(SLOW);
    sem_wait(&has_begun);
    for (unsigned i = 0; i < MANY; i++)
        put(COUNT_IT);
    for (unsigned i = 0; i < MANY; i++)
        sem_wait(&has_done);
    ck_assert_uint_eq(at_work, 1);
    sem_post(&go_on);
    ck_assert_int_eq(mext_workers_idle(workers, &why), 0);
    ck_assert_uint_eq(done, MANY + 1);
}
END_TEST

static void *idle(void *arg)
{
    int rc = mext_workers_idle(workers, &why);

    atomic_store(&idle_has_returned, true);
    return rc ? workers : NULL;
}

/* A barrier may follow: whatever was put before is done; work() looks, too. */
START_TEST(idle_is_idle)
{
    pthread_t thread;
    void *failed;

    start(3);
    put(COUNT_IT);
    put(SLOW);
    put(SLOW);
    put(COUNT_IT);
    sem_wait(&has_begun);
    sem_wait(&has_begun);
    ck_assert_int_eq(pthread_create(&thread, NULL, idle, NULL), 0);
    sem_post(&go_on);
    sem_post(&go_on);
    ck_assert_int_eq(pthread_join(thread, &failed), 0);
    ck_assert_ptr_null(failed);
    ck_assert_uint_eq(done, 4);
    ck_assert_uint_eq(at_work, 0);
}
END_TEST

/* The queue is bounded: a batch beyond it is put once one was taken. */
static void *put_more(void *arg)
{
    for (unsigned i = 0; i < 3; i++)
        put(SLOW);
    return NULL;
}

START_TEST(no_more_than_two_each)
{
    pthread_t thread;

    start(1);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_more, NULL), 0);
    sem_wait(&has_begun);
    for (unsigned i = 1; i <= 3; i++) {
        ck_assert_uint_eq(begun, i);
        sem_post(&go_on);
        if (i < 3)
            sem_wait(&has_begun);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(mext_workers_idle(workers, &why), 0);
}
END_TEST

/* Those that wait are woken up, what is queued is left, the first one counts. */
START_TEST(the_first_failure_ends_all)
{
    start(3);
    put(WAIT);
    put(WAIT);
    sem_wait(&has_begun);
    sem_wait(&has_begun);
    ck_assert_int_eq(put_n(FAIL, 7), 0);
    ck_assert_int_eq(mext_workers_idle(workers, &why), -1);
    ck_assert_str_eq(why.text, "reason 7");
    ck_assert_uint_eq(at_work, 0);
    ck_assert(alarmed());
    ck_assert_int_eq(put_n(COUNT_IT, 1), -1);
    ck_assert_str_eq(why.text, "reason 7");
    ck_assert_int_eq(mext_workers_idle(workers, &why), -1);
    ck_assert_uint_eq(begun, 3);
}
END_TEST

/* Whoever waits for room hears of it, once all have left their work. */
START_TEST(a_failure_is_told_to_who_puts)
{
    int rc = 0;

    start(2);
    put(WAIT);
    sem_wait(&has_begun);
    for (unsigned i = 0; !rc; i++)
        rc = put_n(i == 5 ? FAIL : COUNT_IT, i);
    ck_assert_str_eq(why.text, "reason 5");
    ck_assert_uint_eq(at_work, 0);
}
END_TEST

START_TEST(a_cancel_ends_all)
{
    int p[2];

    ck_assert(!pipe(p));
    mext_net_cancel_fd(p[0]);
    start(4);
    for (unsigned i = 0; i < 4; i++)
        put(WAIT);
    for (unsigned i = 0; i < 4; i++)
        sem_wait(&has_begun);
    ck_assert_int_eq(write(p[1], "", 1), 1);
    ck_assert_int_eq(mext_workers_idle(workers, &why), -1);
    ck_assert_str_eq(why.text, "cancelled");
    ck_assert_uint_eq(done, 4);
    mext_net_cancel_fd(-1);
}
END_TEST

START_TEST(stop_breaks_off)
{
    start(2);
    put(WAIT);
    sem_wait(&has_begun);
    mext_workers_stop(workers);
    workers = NULL;
    ck_assert_uint_eq(done, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { each_batch_once,
                                   a_slow_one_holds_up_nobody,
                                   idle_is_idle,
                                   no_more_than_two_each,
                                   the_first_failure_ends_all,
                                   a_failure_is_told_to_who_puts,
                                   a_cancel_ends_all,
                                   stop_breaks_off,
                                   NULL };

    return unit_main(unit_suite_in("workers", tests, setup, teardown));
}
