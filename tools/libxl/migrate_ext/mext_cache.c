/* SPDX-License-Identifier: LGPL-2.1-only */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mext_cache.h"
#include "mext_unpack.h"

#define WORDS (MEXT_PAGE_SIZE / 8)
#define LOCKS 64
#define NONE  UINT64_MAX

struct mext_cache {
    uint64_t pages;
    uint64_t *gfn; /* of the page in each place, NONE: it is empty */
    uint8_t *page;
    pthread_mutex_t lock[LOCKS]; /* of every LOCKS-th place */
};

struct mext_cache *mext_cache_new(uint64_t pages)
{
    struct mext_cache *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->pages = pages ? pages : 1;
    c->gfn = malloc(c->pages * sizeof(*c->gfn));
    c->page = malloc(c->pages * MEXT_PAGE_SIZE);
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_init(&c->lock[i], NULL);
    if (!c->gfn || !c->page) {
        mext_cache_free(c);
        return NULL;
    }
    memset(c->gfn, 0xff, c->pages * sizeof(*c->gfn));
    return c;
}

void mext_cache_free(struct mext_cache *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&c->lock[i]);
    free(c->gfn);
    free(c->page);
    free(c);
}

/* Words from `at` on that have changed, at most as many as fit into a run. */
static unsigned changed(const uint64_t *old, const uint64_t *page, unsigned at)
{
    unsigned n = 0;

    while (at + n < WORDS && n < MEXT_RUN_MAX && old[at + n] != page[at + n])
        n++;
    return n;
}

unsigned mext_delta(const uint8_t *old, const uint8_t *page, uint8_t *out)
{
    const uint64_t *a = (const uint64_t *)old, *b = (const uint64_t *)page;
    struct mext_buf buf;

    mext_buf_init(&buf, out, MEXT_DELTA_MAX);
    mext_put64(&buf, 0);
    for (unsigned i = 0; i < WORDS && !buf.bad; i++) {
        unsigned n = a[i] != b[i] ? changed(a, b, i) : 0;

        if (!n)
            continue;
        mext_put16(&buf, (uint16_t)(i << MEXT_RUN_SHIFT | n));
        mext_put(&buf, b + i, n * 8);
        i += n;
    }
    if (buf.bad)
        return 0;
    mext_store64(out, mext_page_sum(page));
    return (unsigned)buf.pos;
}

/* Locked; who drops a page looks without the lock. */
static void set(struct mext_cache *c, uint64_t at, uint64_t gfn)
{
    __atomic_store_n(&c->gfn[at], gfn, __ATOMIC_RELAXED);
}

unsigned mext_cache_send(struct mext_cache *c, uint64_t gfn,
                         const uint8_t *page, uint8_t *out)
{
    uint64_t at = gfn % c->pages;
    uint8_t *had = c->page + at * MEXT_PAGE_SIZE;
    unsigned n = 0;

    pthread_mutex_lock(&c->lock[at % LOCKS]);
    if (c->gfn[at] == gfn)
        n = mext_delta(had, page, out);
    set(c, at, gfn);
    memcpy(had, page, MEXT_PAGE_SIZE);
    pthread_mutex_unlock(&c->lock[at % LOCKS]);
    return n;
}

void mext_cache_drop(struct mext_cache *c, uint64_t gfn)
{
    uint64_t at = gfn % c->pages;

    /* Of a gfn that is being sent nobody else makes it so. */
    if (__atomic_load_n(&c->gfn[at], __ATOMIC_RELAXED) != gfn)
        return;
    pthread_mutex_lock(&c->lock[at % LOCKS]);
    if (c->gfn[at] == gfn)
        set(c, at, NONE);
    pthread_mutex_unlock(&c->lock[at % LOCKS]);
}
