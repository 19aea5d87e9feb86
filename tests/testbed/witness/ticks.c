/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread which wants to run every 5 ms or so measures when it could not. */
#include "witness.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define TICK_NS     5000000
#define REPORT_MS   60
#define WAITING_MAX 64

struct moment {
    int64_t mono, real, boot; /* ns */
};

/* Gaps to be printed: by another thread, since the console may be slow. */
static struct gap {
    struct moment length;
    int64_t at;
} waiting[WAITING_MAX];
static unsigned waiting_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static atomic_int_fast64_t largest_ms;

static struct moment now(void)
{
    return (struct moment){ clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME),
                            clock_ns(CLOCK_BOOTTIME) };
}

static int64_t tick_ns(void)
{
    return (int64_t)options.calm * TICK_NS;
}

static bool is_gap(int64_t ns)
{
    return ns > REPORT_MS * 1000000ll + tick_ns() - TICK_NS || ns < 0;
}

/* A suspended guest's monotonic clock stands still, its real time does not. */
static int64_t longest(struct moment length)
{
    int64_t ns = length.mono > length.real ? length.mono : length.real;

    return ns > length.boot ? ns : length.boot;
}

static void note(struct moment from, struct moment to)
{
    struct gap g = { { to.mono - from.mono, to.real - from.real,
                       to.boot - from.boot },
                     from.mono };

    if (longest(g.length) / 1000000 > atomic_load(&largest_ms))
        atomic_store(&largest_ms, longest(g.length) / 1000000);
    if (!is_gap(g.length.mono) && !is_gap(g.length.real) &&
        !is_gap(g.length.boot))
        return;
    pthread_mutex_lock(&lock);
    if (waiting_count < WAITING_MAX)
        waiting[waiting_count++] = g;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

static void *ticker(void *unused)
{
    struct sched_param fifo = { .sched_priority = 10 };
    struct moment last = now();

    (void)unused;
    sched_setscheduler(0, SCHED_FIFO, &fifo);
    for (;;) {
        struct moment this;

        sleep_until(last.mono + tick_ns());
        this = now();
        note(last, this);
        last = this;
    }
    return NULL;
}

static void *printer(void *unused)
{
    (void)unused;
    for (;;) {
        struct gap g;

        pthread_mutex_lock(&lock);
        while (!waiting_count)
            pthread_cond_wait(&more, &lock);
        g = waiting[0];
        waiting_count--;
        for (unsigned i = 0; i < waiting_count; i++)
            waiting[i] = waiting[i + 1];
        pthread_mutex_unlock(&lock);
        say("GAP mono_ms=%lld real_ms=%lld boot_ms=%lld at=%lld",
            (long long)g.length.mono / 1000000,
            (long long)g.length.real / 1000000,
            (long long)g.length.boot / 1000000, (long long)g.at / 1000000);
    }
    return NULL;
}

void ticks_start(void)
{
    start_thread(ticker, NULL);
    start_thread(printer, NULL);
}

void ticks_reset(void)
{
    atomic_store(&largest_ms, 0);
}

int64_t ticks_largest_ms(void)
{
    return atomic_load(&largest_ms);
}
