/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include "mext_absent.h"
#include "mext_fault.h"
#include "mext_gfns.h"
#include "mext_memory.h"

/* Pages that are kept to tell what changed, a part of RAM and at most. */
#define CACHE_SHARE     8
#define CACHE_PAGES_MAX 16384

/* So often the guest is looked at while its pages are sent, ms. */
#define LOOK_MS 100

/* On all channels a barrier, and its acknowledgement. */
static int round_trip(struct mext_memory *m, unsigned timeout_ms,
                      struct mext_why *why)
{
    struct mext_data d = { .type = MEXT_DATA_BARRIER };
    unsigned number = ++m->barriers;

    d.u.barrier.iteration = number;
    for (unsigned i = 0; i < m->nchannels; i++)
        if (mext_channel_send(&m->lane[i].channel, &d, timeout_ms, why))
            return -1;
    for (unsigned i = 0; i < m->nchannels; i++) {
        if (mext_channel_recv(&m->lane[i].channel, &d, timeout_ms, why))
            return -1;
        if (d.type != MEXT_DATA_BARRIER_ACK || d.u.barrier.iteration != number)
            return mext_fail(why,
                             "mstrap answered the barrier with message "
                             "0x%02x",
                             d.type);
    }
    return 0;
}

int mext_memory_connect(struct mext_memory *m, uint32_t ip, uint16_t port,
                        const uint8_t id[MEXT_ID_LEN], uint16_t channels,
                        const struct mext_root *root, unsigned timeout_ms,
                        struct mext_why *why)
{
    struct mext_open o = { .count = channels };

    memcpy(o.id, id, MEXT_ID_LEN);
    for (; o.index < channels; o.index++, m->nchannels++)
        if (mext_channel_open(&m->lane[o.index].channel, ip, port, &o, root,
                              timeout_ms, why))
            return -1;
    /* Whose frames open is no stranger: mstrap keeps it, however long nothing comes. */
    return round_trip(m, timeout_ms, why);
}

/* They are never sent. */
static void drop_specials(struct mext_memory *m)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        if (m->special[i] < m->ngfns)
            mext_gfn_put(m->todo, m->special[i], false);
}

/* Every page of the guest is to be sent. */
static void take_all(struct mext_memory *m)
{
    memset(m->todo, 0xff, m->ngfns / 8);
    drop_specials(m);
    m->ntodo = m->ngfns;
}

/* A thread for each channel. */
static int start_workers(struct mext_memory *m,
                         const struct mext_packing *packing,
                         struct mext_why *why)
{
    void *own[MEXT_CHANNELS_MAX];

    for (unsigned i = 0; i < m->nchannels; i++) {
        own[i] = &m->lane[i];
        if (mext_lane_open(&m->lane[i], &m->pages, packing, why))
            return -1;
    }
    return mext_workers_start(&m->workers, m->nchannels,
                              sizeof(struct mext_batch), mext_lane_work, own,
                              why);
}

/* The guest's RAM, or what it has above it. */
static int measure(struct mext_memory *m, struct mext_why *why)
{
    struct mext_dom *dom = m->pages.dom;
    struct mext_dom_state st;
    uint64_t top;

    if (mext_dom_max_gfn(dom, &top, why) || mext_dom_state(dom, &st, why) ||
        mext_dom_specials(dom, m->special, why))
        return -1;
    if (top > MEXT_GFN_MAX)
        return mext_fail(why, "the guest has gfns above 1 TiB");
    if (top + 1 < mext_absent_ram_end(m))
        top = mext_absent_ram_end(m) - 1;
    m->ngfns = (top + 64) / 64 * 64;
    m->size = m->size_looked = st.pages;
    return 0;
}

/* What was sent and may be sent again, as far as there is room: a part of RAM. */
static int make_cache(struct mext_memory *m, const struct mext_packing *packing)
{
    uint64_t pages = m->ram_pages / CACHE_SHARE;

    if (packing->by == MEXT_PACK_NONE)
        return 0;
    m->pages.cache = mext_cache_new(pages < CACHE_PAGES_MAX ? pages
                                                            : CACHE_PAGES_MAX);
    return m->pages.cache ? 0 : -1;
}

/*
 * The guest's last gfns are just below 4 GiB, so one of 256 MiB has a million
 * without a page.  As batches they would go through all hands, 256 at a time.
 */
static int look_above_ram(struct mext_memory *m, struct mext_why *why)
{
    for (uint64_t i = (mext_absent_ram_end(m) + 63) / 64; i < m->ngfns / 64;
         i++)
        m->clear[i] = UINT64_MAX;
    if (mext_memory_look(m, m->clear, m->ngfns, why))
        return -1;
    memset(m->clear, 0, m->ngfns / 8);
    return 0;
}

int mext_memory_measure(struct mext_memory *m, struct mext_dom *dom,
                        uint64_t ram_pages, struct mext_why *why)
{
    m->pages.dom = dom;
    m->ram_pages = ram_pages;
    if (measure(m, why))
        return -1;
    m->todo = malloc(m->ngfns / 8);
    m->clear = calloc(1, m->ngfns / 8);
    m->pages.gone = calloc(1, m->ngfns / 8);
    m->pages.filled = calloc(1, m->ngfns / 8);
    m->pages.told = calloc(1, m->ngfns / 8);
    if (!m->todo || !m->clear || !m->pages.gone || !m->pages.filled ||
        !m->pages.told || mext_order_init(&m->order, m->todo, m->ngfns))
        return mext_fail(why, "out of memory");
    return look_above_ram(m, why);
}

/*
 * What the guest writes to a page that it got since the last fetch is not noted
 * before the next: Xen 4.17 and 4.20 take a new page for one that is not watched.  So
 * a guest that got any is sent once more.  What it gave up and got back between two
 * counts is not noticed.
 */
static int count_pages(struct mext_memory *m, struct mext_why *why)
{
    struct mext_dom_state st;

    if (mext_dom_state(m->pages.dom, &st, why))
        return -1;
    m->grew |= st.pages > m->size;
    m->shrank |= st.pages < m->size;
    m->size = st.pages;
    return 0;
}

int mext_memory_start(struct mext_memory *m, const struct mext_packing *packing,
                      mext_memory_progress_fn *progress, void *arg,
                      struct mext_why *why)
{
    m->progress = progress;
    m->progress_arg = arg;
    if (make_cache(m, packing))
        return mext_fail(why, "out of memory");
    if (start_workers(m, packing, why) || count_pages(m, why) ||
        (m->size != m->size_looked && mext_absent_find(m, why)))
        return -1;
    m->grew = m->shrank = false; /* what came by now will be watched */
    /* Log first: what is written from now on is sent again. */
    if (mext_dom_dirty_start(m->pages.dom, m->ngfns, why))
        return -1;
    take_all(m);
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->todo[i] &= ~m->pages.gone[i];
    m->ntodo = mext_gfns_count(m->todo, m->ngfns);
    return 0;
}

/* What was hot stays so until the next fetch, so an old look is right. */
static int look_around(struct mext_memory *m, struct mext_why *why)
{
    uint64_t now = mext_now_ms();

    if (m->hot && now - m->hot_at < LOOK_MS)
        return 0;
    m->hot_at = now;
    return count_pages(m, why) ||
                   mext_dom_dirty_peek(m->pages.dom, &m->hot, why)
               ? -1
               : 0;
}

/* Pages looked at, with or without content. */
static uint64_t looked(const struct mext_memory *m)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < m->nchannels; i++)
        n += mext_count(&m->lane[i].looked);
    return n;
}

/* Nothing is under way any more; rc: of what was done before, with its why. */
static int settle(struct mext_memory *m, int rc, struct mext_why *why)
{
    struct mext_why second;

    if (mext_workers_idle(m->workers, rc ? &second : why))
        rc = -1;
    m->data = m->zero = m->packed = m->zstd = m->delta = 0;
    for (unsigned i = 0; i < m->nchannels; i++) {
        m->data += m->lane[i].channel.data;
        m->zero += m->lane[i].channel.zero;
        m->packed += m->lane[i].packer.packed;
        m->zstd += m->lane[i].packer.zstd;
        m->delta += m->lane[i].packer.delta;
    }
    return rc;
}

/* all: the guest is suspended, there is no next iteration. */
static int put_todo(struct mext_memory *m, bool all, uint64_t before,
                    unsigned timeout_ms, struct mext_why *why)
{
    uint64_t sent = 0, now;

    for (;;) {
        struct mext_batch *b = mext_workers_room(m->workers);

        if (!all && look_around(m, why))
            return -1;
        if (!all && m->hurry)
            return 0;
        b->zero = false;
        b->again = m->again || m->order.second;
        b->timeout_ms = timeout_ms;
        b->n = mext_order_next(&m->order, all ? NULL : m->hot, b->gfn,
                               MEXT_WINDOW_MAX);
        if (!b->n)
            return 0;
        if (mext_workers_put(m->workers, why))
            return -1;
        now = looked(m) - before;
        if (now > sent)
            m->progress(m->progress_arg, now, m->ntodo);
        sent = now;
    }
}

static int send_todo(struct mext_memory *m, bool all, unsigned timeout_ms,
                     struct mext_why *why)
{
    uint64_t before = looked(m);
    int rc;

    for (unsigned i = 0; i < m->nchannels; i++)
        mext_packer_pause(&m->lane[i].packer);
    mext_order_begin(&m->order);
    rc = settle(m, put_todo(m, all, before, timeout_ms, why), why);
    m->sent = looked(m) - before;
    if (!rc && m->sent)
        m->progress(m->progress_arg, m->sent, m->ntodo);
    return rc;
}

/*
 * What is to become zero on the other side, whatever it is here.  Settled before
 * anything else goes, since that may be in the same words of the bitmaps.
 */
static int send_clear(struct mext_memory *m, unsigned timeout_ms,
                      struct mext_why *why)
{
    uint64_t gfn = 0;
    int rc = 0;

    while (!rc && gfn < m->ngfns) {
        struct mext_batch *b = mext_workers_room(m->workers);

        b->zero = true;
        b->timeout_ms = timeout_ms;
        b->n = mext_gfns_next(m->clear, m->ngfns, &gfn, b->gfn,
                              MEXT_WINDOW_MAX);
        if (b->n)
            rc = mext_workers_put(m->workers, why);
    }
    rc = settle(m, rc, why);
    if (!rc)
        memset(m->clear, 0, m->ngfns / 8);
    return rc;
}

int mext_memory_barrier(struct mext_memory *m, unsigned timeout_ms,
                        struct mext_why *why)
{
    return mext_fault("source.barrier", why) || count_pages(m, why)
               ? -1
               : round_trip(m, timeout_ms, why);
}

/* *grew_r: pages came since the last fetch, or just now. */
static int fetch(struct mext_memory *m, const uint64_t **bits_r, bool *grew_r,
                 struct mext_why *why)
{
    if (count_pages(m, why))
        return -1;
    *grew_r = m->grew;
    m->grew = false;
    if (mext_dom_dirty_fetch(m->pages.dom, m->final, bits_r, why) ||
        count_pages(m, why))
        return -1;
    *grew_r |= m->grew;
    return 0;
}

/* What was written since the last look becomes what is to do. */
static int fetch_dirty(struct mext_memory *m, bool add, bool *grew_r,
                       struct mext_why *why)
{
    const uint64_t *bits;

    m->hot = NULL;
    m->again = true;
    if (fetch(m, &bits, grew_r, why))
        return -1;
    if (!add)
        memset(m->todo, 0, m->ngfns / 8);
    /* A gfn goes once in an iteration. */
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->clear[i] &= ~bits[i];
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->todo[i] |= bits[i];
    drop_specials(m);
    m->ntodo = mext_gfns_count(m->todo, m->ngfns);
    return 0;
}

int mext_memory_look(struct mext_memory *m, const uint64_t *map, uint64_t end,
                     struct mext_why *why)
{
    uint64_t list[MEXT_PRESENT_MAX], gfn = 0;

    while (gfn < end) {
        unsigned n = mext_gfns_next(map, end, &gfn, list, MEXT_PRESENT_MAX);

        if (mext_net_cancelled(why) ||
            mext_pages_present(&m->pages, list, n, why) < 0)
            return -1;
    }
    return 0;
}

/*
 * What got a page since it was looked at is sent, written or not: Xen 4.17 and 4.20
 * do not note a page that is new as dirty.  clear is empty, and serves as a copy.
 */
static int find_new(struct mext_memory *m, struct mext_why *why)
{
    memcpy(m->clear, m->pages.gone, m->ngfns / 8);
    if (mext_absent_find(m, why))
        return -1;
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->todo[i] |= m->clear[i] & ~m->pages.gone[i];
    memset(m->clear, 0, m->ngfns / 8);
    drop_specials(m);
    m->ntodo = mext_gfns_count(m->todo, m->ngfns);
    return 0;
}

/*
 * With a barrier, since what is sent afterwards may be for the same gfns.  It may have
 * taken long, so what was written meanwhile is fetched again.
 */
static int tell_absent(struct mext_memory *m, bool *grew_r, unsigned timeout_ms,
                       struct mext_why *why)
{
    uint64_t absent = m->absent, zero = m->zero;
    bool grew;

    if (settle(m, mext_absent_tell(m, timeout_ms, why), why))
        return -1;
    if (m->absent == absent && m->zero == zero)
        return 0;
    if (mext_memory_barrier(m, timeout_ms, why) ||
        fetch_dirty(m, true, &grew, why))
        return -1;
    *grew_r |= grew;
    return 0;
}

int mext_memory_iterate(struct mext_memory *m, unsigned number,
                        unsigned timeout_ms, struct mext_iteration *it_r,
                        struct mext_why *why)
{
    uint64_t data = m->data, zero = m->zero;

    m->iteration_start = mext_now_us();
    if (send_clear(m, timeout_ms, why) ||
        send_todo(m, false, timeout_ms, why) ||
        mext_memory_barrier(m, timeout_ms, why))
        return -1;
    it_r->number = number;
    it_r->us = mext_now_us() - m->iteration_start;
    it_r->data = m->data - data;
    it_r->pages = it_r->data + m->zero - zero;
    m->shrank = false;
    if (fetch_dirty(m, m->hurry, &it_r->grew, why) ||
        (m->size != m->size_looked && find_new(m, why)) ||
        tell_absent(m, &it_r->grew, timeout_ms, why))
        return -1;
    if (it_r->grew)
        take_all(m);
    it_r->dirty = it_r->grew ? m->size : m->ntodo;
    return 0;
}

int mext_memory_written(struct mext_memory *m, uint64_t *n_r,
                        struct mext_why *why)
{
    const uint64_t *bits;

    if (count_pages(m, why) || mext_dom_dirty_peek(m->pages.dom, &bits, why))
        return -1;
    *n_r = m->grew ? 0 : mext_gfns_count(bits, m->ngfns);
    return 0;
}

int mext_memory_catch_up(struct mext_memory *m, struct mext_why *why)
{
    bool grew;

    if (fetch_dirty(m, true, &grew, why))
        return -1;
    if (grew) {
        /* Free pages, too: a gfn goes once in an iteration. */
        memset(m->clear, 0, m->ngfns / 8);
        take_all(m);
    }
    return 0;
}

int mext_memory_free(struct mext_memory *m, const uint64_t *bitmap, bool zero,
                     struct mext_why *why)
{
    uint64_t before = m->nfree, end = mext_absent_ram_end(m);

    /* What is written to a page that is new is not noted yet. */
    if (count_pages(m, why))
        return -1;
    if (m->grew)
        return mext_fail(why, "it got memory just now");
    for (uint64_t i = 0; i < m->ngfns / 64; i++) {
        m->clear[i] = m->todo[i] & bitmap[i] & ~m->pages.gone[i];
        m->todo[i] &= ~m->clear[i];
        m->nfree += (unsigned)__builtin_popcountll(m->clear[i]);
    }
    m->ntodo -= m->nfree - before;
    if (zero || m->sparse)
        return 0;
    /* A guest that calls free what it does not have must not get it. */
    if (mext_memory_look(m, m->clear, m->ngfns, why)) {
        for (uint64_t i = 0; i < m->ngfns / 64; i++)
            m->todo[i] |= m->clear[i];
        m->ntodo += m->nfree - before;
        m->nfree = before;
        memset(m->clear, 0, m->ngfns / 8);
        return -1;
    }
    /* Above RAM as built, and where it gave it back, it has no page but what is sent. */
    for (uint64_t i = 0; i * 64 < end; i++)
        m->clear[i] &= m->pages.told[i] |
                       (end - i * 64 < 64 ? ~0ULL << (end - i * 64) : 0);
    return 0;
}

static int send_end(struct mext_memory *m, unsigned timeout_ms,
                    struct mext_why *why)
{
    struct mext_data d = { .type = MEXT_DATA_END };

    for (unsigned i = 0; i < m->nchannels; i++) {
        struct mext_channel *c = &m->lane[i].channel;

        d.u.end.data = c->data;
        d.u.end.zero = c->zero;
        if (mext_channel_send(c, &d, timeout_ms, why))
            return -1;
    }
    return 0;
}

/*
 * What came since the last fetch was not there when it was last looked at, unless the
 * guest gave something up as well: then all goes once more.
 */
int mext_memory_last(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why)
{
    bool grew;

    m->iteration_start = mext_now_us();
    m->final = true;
    if (fetch_dirty(m, true, &grew, why) || send_clear(m, timeout_ms, why) ||
        find_new(m, why))
        return -1;
    if (grew && m->shrank) {
        if (mext_memory_barrier(m, timeout_ms, why)) /* behind send_clear */
            return -1;
        take_all(m);
    }
    if (send_todo(m, true, timeout_ms, why) ||
        mext_absent_tell(m, timeout_ms, why))
        return -1;
    return settle(m, send_end(m, timeout_ms, why), why);
}

int mext_memory_done(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why)
{
    struct mext_data d;

    if (mext_channel_recv(&m->lane[0].channel, &d, timeout_ms, why))
        return -1;
    if (d.type != MEXT_DATA_DONE)
        return mext_fail(why, "mstrap sent message 0x%02x where DONE belongs",
                         d.type);
    if (d.u.done.data != m->data || d.u.done.zero != m->zero)
        return mext_fail(why,
                         "mstrap received %llu data and %llu zero pages, "
                         "%llu and %llu were sent",
                         (unsigned long long)d.u.done.data,
                         (unsigned long long)d.u.done.zero,
                         (unsigned long long)m->data,
                         (unsigned long long)m->zero);
    return 0;
}

uint64_t mext_memory_bytes(const struct mext_memory *m)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < m->nchannels; i++)
        n += mext_count(&m->lane[i].channel.sent);
    return n;
}

int mext_memory_alarm(const struct mext_memory *m)
{
    return m->workers ? mext_workers_alarm(m->workers) : -1;
}

void mext_memory_close(struct mext_memory *m)
{
    mext_workers_stop(m->workers);
    for (unsigned i = 0; i < m->nchannels; i++)
        mext_lane_close(&m->lane[i]);
    m->nchannels = 0;
    mext_order_free(&m->order);
    free(m->todo);
    free(m->clear);
    free(m->pages.gone);
    free(m->pages.filled);
    free(m->pages.told);
    mext_cache_free(m->pages.cache);
    m->workers = NULL;
    m->pages.cache = NULL;
    m->todo = m->clear = m->pages.gone = m->pages.filled = m->pages.told = NULL;
}
