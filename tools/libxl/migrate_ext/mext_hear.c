/* SPDX-License-Identifier: LGPL-2.1-only */
#include <pthread.h>

#include "mext_hear.h"

#define LAST_WORD_MS 2000

/* One thread reads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Locked: what has come, if it is whole. */
static void take(struct mext_hear *h)
{
    struct mext_ctl m;
    int r = mext_conn_take(h->control, &m, NULL, &h->why);

    if (r == 0)
        return;
    if (r > 0)
        mext_fail(&h->why, "the destination sent message 0x%02x out of turn",
                  m.type);
    h->gave_up = true;
    /* It stays readable, so that all who wait are woken. */
    mext_net_end_reading(h->control->fd);
}

static int hear(void *arg, struct mext_why *why)
{
    struct mext_hear *h = arg;
    int rc;

    pthread_mutex_lock(&lock);
    if (!h->gave_up)
        take(h);
    rc = h->gave_up ? -1 : 0;
    if (rc)
        *why = h->why;
    pthread_mutex_unlock(&lock);
    return rc;
}

void mext_hear_begin(struct mext_hear *h)
{
    mext_net_heed(h->control->fd, hear, h);
}

void mext_hear_end(struct mext_hear *h)
{
    mext_net_heed(-1, hear, h);
}

int mext_hear_now(struct mext_hear *h, struct mext_why *why)
{
    return hear(h, why);
}

void mext_hear_last_word(struct mext_hear *h, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + LAST_WORD_MS, now;
    struct mext_why quiet;

    while (!hear(h, why) && (now = mext_now_ms()) < end)
        if (mext_net_wait(&h->control->fd, 1, (unsigned)(end - now), &quiet) <
            0)
            end = 0;
}
