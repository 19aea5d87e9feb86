/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mext_net.h"
#include "mext_workers.h"

struct worker {
    struct mext_workers *all;
    void *own;
    void *job; /* its own: what it does, or has done */
    pthread_t thread;
};

struct mext_workers {
    mext_work_fn *fn;
    int alarm;
    unsigned n;
    struct worker worker[MEXT_CHANNELS_MAX];
    pthread_mutex_t lock;           /* of all below */
    pthread_cond_t work;            /* something was queued, or it ends */
    pthread_cond_t less;            /* something was taken or done */
    void *queue[MEXT_CHANNELS_MAX]; /* a ring of n jobs */
    void *room;                     /* for the next one; the caller's */
    unsigned first, queued, busy;
    bool failed, ending;
    struct mext_why why; /* of the first failure */
};

/* Nothing is begun any more, and who waits does so no longer.  Locked. */
static void break_off(struct mext_workers *w)
{
    w->queued = 0;
    if (eventfd_write(w->alarm, 1))
        abort(); /* it cannot: the counter is far from full */
}

/* Locked. */
static void done(struct mext_workers *w, int rc, const struct mext_why *why)
{
    w->busy--;
    if (rc && !w->failed) {
        w->failed = true;
        w->why = *why;
        break_off(w);
    }
    pthread_cond_signal(&w->less);
}

static void exchange(void **a, void **b)
{
    void *c = *a;

    *a = *b;
    *b = c;
}

/* The next of the queue; false: there will be none.  Locked. */
static bool take(struct mext_workers *w, void **job)
{
    while (!w->queued && !w->ending)
        pthread_cond_wait(&w->work, &w->lock);
    if (w->ending)
        return false;
    exchange(job, &w->queue[w->first]);
    w->first = (w->first + 1) % w->n;
    w->queued--;
    w->busy++;
    pthread_cond_signal(&w->less);
    return true;
}

static void *run(void *arg)
{
    struct worker *self = arg;
    struct mext_workers *w = self->all;
    struct mext_why why;

    mext_net_stop_fd(w->alarm);
    pthread_mutex_lock(&w->lock);
    while (take(w, &self->job)) {
        int rc;

        pthread_mutex_unlock(&w->lock);
        rc = w->fn(self->own, self->job, &why);
        pthread_mutex_lock(&w->lock);
        done(w, rc, &why);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* The process's signals are for the thread that migrates. */
static int start_thread(struct worker *self)
{
    sigset_t all, before;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&self->thread, NULL, run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e;
}

/* Room for n jobs each in the queue and at work, and the one to be filled. */
static int make_jobs(struct mext_workers *w, unsigned n, size_t size)
{
    bool made = (w->room = malloc(size)) != NULL;

    for (unsigned i = 0; i < n && made; i++)
        made = (w->queue[i] = malloc(size)) != NULL &&
               (w->worker[i].job = malloc(size)) != NULL;
    return made ? 0 : -1;
}

static int start_threads(struct mext_workers *w, unsigned n, void *const *own,
                         struct mext_why *why)
{
    for (; w->n < n; w->n++) {
        struct worker *self = &w->worker[w->n];
        int e;

        self->all = w;
        self->own = own[w->n];
        e = start_thread(self);
        if (e)
            return mext_fail(why, "cannot start a thread: %s", strerror(e));
    }
    return 0;
}

int mext_workers_start(struct mext_workers **w_r, unsigned n, size_t size,
                       mext_work_fn *fn, void *const *own, struct mext_why *why)
{
    struct mext_workers *w = calloc(1, sizeof(*w));

    if (!w)
        return mext_fail(why, "out of memory");
    w->fn = fn;
    w->alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->alarm < 0) {
        free(w);
        return mext_fail(why, "eventfd: %s", strerror(errno));
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->less, NULL);
    if (make_jobs(w, n, size)) {
        mext_workers_stop(w);
        return mext_fail(why, "out of memory");
    }
    if (start_threads(w, n, own, why)) {
        mext_workers_stop(w);
        return -1;
    }
    *w_r = w;
    return 0;
}

/* Locked; unlocks. */
static int verdict(struct mext_workers *w, struct mext_why *why)
{
    int rc = w->failed ? -1 : 0;

    if (rc)
        *why = w->why;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

void *mext_workers_room(const struct mext_workers *w)
{
    return w->room;
}

int mext_workers_put(struct mext_workers *w, struct mext_why *why)
{
    pthread_mutex_lock(&w->lock);
    while (w->failed ? w->busy : w->queued == w->n)
        pthread_cond_wait(&w->less, &w->lock);
    if (!w->failed) {
        exchange(&w->room, &w->queue[(w->first + w->queued) % w->n]);
        w->queued++;
        pthread_cond_signal(&w->work);
    }
    return verdict(w, why);
}

int mext_workers_idle(struct mext_workers *w, struct mext_why *why)
{
    pthread_mutex_lock(&w->lock);
    while (w->queued || w->busy)
        pthread_cond_wait(&w->less, &w->lock);
    return verdict(w, why);
}

int mext_workers_alarm(const struct mext_workers *w)
{
    return w->alarm;
}

void mext_workers_stop(struct mext_workers *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    break_off(w);
    pthread_cond_broadcast(&w->work);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n; i++)
        pthread_join(w->worker[i].thread, NULL);
    pthread_cond_destroy(&w->less);
    pthread_cond_destroy(&w->work);
    pthread_mutex_destroy(&w->lock);
    close(w->alarm);
    for (unsigned i = 0; i < MEXT_CHANNELS_MAX; i++) {
        free(w->queue[i]);
        free(w->worker[i].job);
    }
    free(w->room);
    free(w);
}
