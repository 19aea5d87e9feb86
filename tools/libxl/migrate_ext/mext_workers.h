/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Threads that share one short queue of jobs: whoever is free takes the next one,
 * so a slow one holds up nobody else.  A job belongs to the thread that took it
 * until its work is done.  What a job is, what the work is, and what each thread
 * has of its own for it, is the caller's.
 *
 * One thread, the caller's, puts jobs and waits.  The lock is taken a few times
 * for each, and nothing is copied: jobs change places.  Whatever a failed call
 * returns, by then nobody is at work any more.
 */
#ifndef MEXT_WORKERS_H
#define MEXT_WORKERS_H

#include <stddef.h>

#include "mext_keys.h"
#include "mext_wire.h"

/*
 * Does a job, which it may change, with what is the thread's own; 0, or -1 and
 * why.  Its waits (mext_net.h) end when another thread's work fails.
 */
typedef int mext_work_fn(void *own, void *job, struct mext_why *why);

struct mext_workers;

/*
 * Starts n threads, 1 to MEXT_CHANNELS_MAX, for jobs of `size` bytes; own[i], the
 * caller's, is for the i-th alone until mext_workers_stop.  The queue holds n jobs,
 * so at most 2n are under way.
 */
int mext_workers_start(struct mext_workers **w_r, unsigned n, size_t size,
                       mext_work_fn *fn, void *const *own,
                       struct mext_why *why);

/* Where the caller makes the next job; another place after each put. */
void *mext_workers_room(const struct mext_workers *w);

/*
 * Queues what is in the room, once the queue has some.  -1 and why, of this and
 * the next: the first failure of any thread; no other work is done any more.
 */
int mext_workers_put(struct mext_workers *w, struct mext_why *why);

/* Waits until all that was put is done: what the threads had is the caller's. */
int mext_workers_idle(struct mext_workers *w, struct mext_why *why);

/* A descriptor that is readable once a thread's work has failed. */
int mext_workers_alarm(const struct mext_workers *w);

/* Breaks off what is under way, ends the threads, frees w; w may be NULL. */
void mext_workers_stop(struct mext_workers *w);

#endif
