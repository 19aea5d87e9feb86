/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include "mext_fault.h"
#include "mext_memory.h"

/* First gfn of PVH RAM above the hole, and first of the hole: libxl keeps
 * the ACPI tables at 0xfc000000 and puts RAM below and above 4 GiB. */
#define HOLE_START 0xfc000ULL
#define HOLE_END   0x100000ULL

/* Pages that are kept to tell what changed, a part of RAM and at most. */
#define CACHE_SHARE     8
#define CACHE_PAGES_MAX 16384

/* So often the pages that are written again are looked for, ms. */
#define HOT_MS 100

/* One past the last gfn of RAM as libxl builds it, a hole inside. */
static uint64_t ram_end(const struct mext_memory *m)
{
    return m->ram_pages > HOLE_START ? m->ram_pages + HOLE_END - HOLE_START
                                     : m->ram_pages;
}

static bool in_ram(const struct mext_memory *m, uint64_t gfn)
{
    return gfn < ram_end(m) && (gfn < HOLE_START || gfn >= HOLE_END);
}

int mext_memory_connect(struct mext_memory *m, uint32_t ip, uint16_t port,
                        const uint8_t id[MEXT_ID_LEN], uint16_t channels,
                        const struct mext_root *root, unsigned timeout_ms,
                        struct mext_why *why)
{
    struct mext_open o = { .count = channels };

    memcpy(o.id, id, MEXT_ID_LEN);
    for (; o.index < channels; o.index++, m->nchannels++)
        if (mext_channel_open(&m->channel[o.index], ip, port, &o, root,
                              timeout_ms, why))
            return -1;
    return 0;
}

static bool bit_get(const uint64_t *map, uint64_t i)
{
    return map[i / 64] >> (i % 64) & 1;
}

static void bit_put(uint64_t *map, uint64_t i, bool v)
{
    if (v)
        map[i / 64] |= 1ULL << (i % 64);
    else
        map[i / 64] &= ~(1ULL << (i % 64));
}

/* They are never sent. */
static void drop_specials(struct mext_memory *m)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        if (m->special[i] < m->ngfns)
            bit_put(m->todo, m->special[i], false);
}

/* What was sent and may be sent again, as far as there is room: a part of RAM. */
static int make_cache(struct mext_memory *m, const struct mext_packing *packing)
{
    uint64_t pages = m->ram_pages / CACHE_SHARE;

    if (packing->by == MEXT_PACK_NONE)
        return 0;
    m->cache = mext_cache_new(pages < CACHE_PAGES_MAX ? pages
                                                      : CACHE_PAGES_MAX);
    m->packer.cache = m->cache;
    return m->cache ? 0 : -1;
}

int mext_memory_start(struct mext_memory *m, struct mext_dom *dom,
                      uint64_t ram_pages, const struct mext_packing *packing,
                      mext_memory_progress_fn *progress, void *arg,
                      struct mext_why *why)
{
    struct mext_dom_state st;
    uint64_t top;

    m->dom = dom;
    m->ram_pages = ram_pages;
    m->progress = progress;
    m->progress_arg = arg;
    if (mext_dom_max_gfn(dom, &top, why) || mext_dom_state(dom, &st, why) ||
        mext_dom_specials(dom, m->special, why) ||
        mext_map_open(mext_dom_id(dom), &m->map, why))
        return -1;
    if (top > MEXT_GFN_MAX)
        return mext_fail(why, "the guest has gfns above 1 TiB");
    if (top + 1 < ram_end(m))
        top = ram_end(m) - 1;
    m->ngfns = (top + 64) / 64 * 64;
    m->pages_then = st.pages;
    m->todo = malloc(m->ngfns / 8);
    m->gone = calloc(1, m->ngfns / 8);
    m->clear = calloc(1, m->ngfns / 8);
    m->filled = calloc(1, m->ngfns / 8);
    if (!m->todo || !m->gone || !m->clear || !m->filled ||
        mext_packer_init(&m->packer, packing) || make_cache(m, packing) ||
        mext_order_init(&m->order, m->todo, m->ngfns))
        return mext_fail(why, "out of memory");
    /* Log first: what is written from now on is sent again. */
    if (mext_dom_dirty_start(dom, m->ngfns, why))
        return -1;
    memset(m->todo, 0xff, m->ngfns / 8);
    drop_specials(m);
    m->ntodo = m->ngfns;
    return 0;
}

static bool is_special(const struct mext_memory *m, uint64_t gfn)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        if (m->special[i] == gfn)
            return true;
    return false;
}

/* Most pages with content show it in their first words. */
static bool is_zero(const uint8_t *page)
{
    const uint64_t *p = (const uint64_t *)page;

    for (unsigned i = 0; i < MEXT_PAGE_SIZE / 8; i += 8)
        if (p[i] | p[i + 1] | p[i + 2] | p[i + 3] | p[i + 4] | p[i + 5] |
            p[i + 6] | p[i + 7])
            return false;
    return true;
}

/*
 * Keeps of list[0..n) the gfns that have a page now, and remembers the others;
 * how many are left, or -1.
 */
static int keep_present(struct mext_memory *m, uint64_t *list, unsigned n,
                        struct mext_why *why)
{
    uint8_t present[MEXT_PRESENT_MAX];
    int kept = 0;

    if (n && mext_dom_present(m->dom, list, n, present, why))
        return -1;
    for (unsigned i = 0; i < n; i++) {
        bit_put(m->gone, list[i], !present[i]);
        if (present[i])
            list[kept++] = list[i];
    }
    return kept;
}

/* Up to MEXT_WINDOW_MAX gfns set in map, from *gfn on, which moves on. */
static unsigned next_set(const struct mext_memory *m, const uint64_t *map,
                         uint64_t *gfn, uint64_t *list)
{
    unsigned n = 0;

    for (; *gfn < m->ngfns && n + 64 <= MEXT_WINDOW_MAX; *gfn += 64)
        for (uint64_t bits = map[*gfn / 64]; bits; bits &= bits - 1) {
            uint64_t g = *gfn + (unsigned)__builtin_ctzll(bits);

            if (!is_special(m, g))
                list[n++] = g;
        }
    return n;
}

/*
 * Puts as much of list[0..n) as fits into one PAGES frame, with at most `room`
 * pages of content, page[]; how many.
 */
static unsigned fill(struct mext_memory *m, const uint64_t *list,
                     const int *err, const uint8_t *window, unsigned n,
                     unsigned room, struct mext_data *d, const uint8_t **page)
{
    unsigned i;

    memset(d, 0, sizeof(*d));
    d->type = MEXT_DATA_PAGES;
    d->u.pages.base = list[0];
    for (i = 0; i < n; i++) {
        uint64_t at = list[i] - list[0];
        const uint8_t *p = window + (size_t)i * MEXT_PAGE_SIZE;
        bool content = !err[i] && !is_zero(p);

        if (at >= MEXT_PAGES_SPAN_MAX || d->u.pages.ndata == room)
            break;
        if (content)
            page[d->u.pages.ndata++] = p;
        if (!err[i])
            mext_map_set(d->u.pages.map, (unsigned)at,
                         content ? MEXT_MAP_DATA : MEXT_MAP_ZERO);
        bit_put(m->filled, list[i], content);
        d->u.pages.span = (uint16_t)(at + 1);
    }
    return i;
}

static int send_window(struct mext_memory *m, const uint64_t *list, unsigned n,
                       unsigned timeout_ms, struct mext_why *why)
{
    const uint8_t *window, *page[MEXT_PAGES_DATA_MAX];
    int err[MEXT_WINDOW_MAX];
    struct mext_data d;

    if (mext_net_cancelled(why) || mext_fault("source.window", why) ||
        mext_map_window(m->map, list, n, err, &window, why))
        return -1;
    for (unsigned i = 0, k; i < n; i += k) {
        struct mext_channel *c = &m->channel[m->next++ % m->nchannels];
        uint64_t zero = c->zero, sent = c->sent, blocked = c->blocked_us;

        k = fill(m, list + i, err + i, window + (size_t)i * MEXT_PAGE_SIZE,
                 n - i, mext_packer_room(&m->packer), &d, page);
        m->packer.again = m->again || m->order.second;
        mext_packer_frame(&m->packer, &d, page);
        if (mext_channel_pages(c, &d, page, timeout_ms, why))
            return -1;
        mext_packer_sent(&m->packer, c->sent - sent, c->blocked_us - blocked);
        m->data += d.u.pages.ndata;
        m->zero += c->zero - zero;
    }
    return 0;
}

/* What was hot stays so until the next fetch, so an old look is right. */
static int look_for_hot(struct mext_memory *m, struct mext_why *why)
{
    uint64_t now = mext_now_ms();

    if (m->hot && now - m->hot_at < HOT_MS)
        return 0;
    m->hot_at = now;
    return mext_dom_dirty_peek(m->dom, &m->hot, why);
}

/* all: the guest is suspended, there is no next iteration. */
static int send_todo(struct mext_memory *m, bool all, unsigned timeout_ms,
                     struct mext_why *why)
{
    uint64_t list[MEXT_WINDOW_MAX], sent = 0;

    mext_packer_pause(&m->packer);
    mext_order_begin(&m->order);
    for (;;) {
        unsigned n;
        int kept;

        if (!all && look_for_hot(m, why))
            return -1;
        if (!all && m->hurry)
            return 0;
        n = mext_order_next(&m->order, all ? NULL : m->hot, list,
                            MEXT_WINDOW_MAX);
        if (!n)
            return 0;
        kept = keep_present(m, list, n, why);
        if (kept < 0 ||
            (kept && send_window(m, list, (unsigned)kept, timeout_ms, why)))
            return -1;
        sent += (unsigned)kept;
        if (kept)
            m->progress(m->progress_arg, sent, m->ntodo);
    }
}

/* The gfns of list that fit into one PAGES frame, all zero; how many. */
static unsigned fill_zero(const uint64_t *list, unsigned n, struct mext_data *d)
{
    unsigned i;

    memset(d, 0, sizeof(*d));
    d->type = MEXT_DATA_PAGES;
    d->u.pages.base = list[0];
    for (i = 0; i < n && list[i] - list[0] < MEXT_PAGES_SPAN_MAX; i++) {
        mext_map_set(d->u.pages.map, (unsigned)(list[i] - list[0]),
                     MEXT_MAP_ZERO);
        d->u.pages.span = (uint16_t)(list[i] - list[0] + 1);
    }
    return i;
}

/* What is zero now has no delta. */
static void forget(struct mext_memory *m, const struct mext_data *d)
{
    for (unsigned i = 0; m->cache && i < d->u.pages.span; i++)
        if (mext_map_get(d->u.pages.map, i) == MEXT_MAP_ZERO)
            mext_cache_drop(m->cache, d->u.pages.base + i);
}

/* all: over all channels by turns, not on the first only. */
static int send_zero(struct mext_memory *m, bool all, const uint64_t *list,
                     unsigned n, unsigned timeout_ms, struct mext_why *why)
{
    struct mext_data d;

    for (unsigned i = 0, k; i < n; i += k) {
        struct mext_channel *c =
            &m->channel[all ? m->next++ % m->nchannels : 0];

        k = fill_zero(list + i, n - i, &d);
        forget(m, &d);
        if (mext_channel_pages(c, &d, NULL, timeout_ms, why))
            return -1;
        m->zero += k;
    }
    return 0;
}

/* What is to become zero on the other side, whatever it is here. */
static int send_clear(struct mext_memory *m, unsigned timeout_ms,
                      struct mext_why *why)
{
    uint64_t list[MEXT_WINDOW_MAX], gfn = 0;

    while (gfn < m->ngfns) {
        int n = keep_present(m, list, next_set(m, m->clear, &gfn, list), why);

        if (n < 0 || mext_net_cancelled(why) ||
            send_zero(m, true, list, (unsigned)n, timeout_ms, why))
            return -1;
    }
    memset(m->clear, 0, m->ngfns / 8);
    return 0;
}

static int barrier(struct mext_memory *m, unsigned number, unsigned timeout_ms,
                   struct mext_why *why)
{
    struct mext_data d = { .type = MEXT_DATA_BARRIER };

    if (mext_fault("source.barrier", why))
        return -1;
    d.u.barrier.iteration = number;
    for (unsigned i = 0; i < m->nchannels; i++)
        if (mext_channel_send(&m->channel[i], &d, timeout_ms, why))
            return -1;
    for (unsigned i = 0; i < m->nchannels; i++) {
        if (mext_channel_recv(&m->channel[i], &d, timeout_ms, why))
            return -1;
        if (d.type != MEXT_DATA_BARRIER_ACK || d.u.barrier.iteration != number)
            return mext_fail(why,
                             "mstrap answered the barrier with message "
                             "0x%02x",
                             d.type);
    }
    return 0;
}

/* What was written since the last look becomes what is to do. */
static int fetch_dirty(struct mext_memory *m, bool add, struct mext_why *why)
{
    const uint64_t *bits;

    m->hot = NULL;
    m->again = true;
    if (mext_dom_dirty_fetch(m->dom, &bits, why))
        return -1;
    if (!add)
        memset(m->todo, 0, m->ngfns / 8);
    /* A gfn goes once in an iteration. */
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->clear[i] &= ~bits[i];
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->todo[i] |= bits[i];
    drop_specials(m);
    m->ntodo = 0;
    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->ntodo += (unsigned)__builtin_popcountll(m->todo[i]);
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
        barrier(m, number, timeout_ms, why))
        return -1;
    it_r->number = number;
    it_r->us = mext_now_us() - m->iteration_start;
    it_r->data = m->data - data;
    it_r->pages = it_r->data + m->zero - zero;
    if (fetch_dirty(m, m->hurry, why))
        return -1;
    it_r->dirty = m->ntodo;
    return 0;
}

/* Remembers which of the gfns set in map, below end, have no page. */
static int look_at(struct mext_memory *m, const uint64_t *map, uint64_t end,
                   struct mext_why *why)
{
    uint64_t list[MEXT_WINDOW_MAX], gfn = 0;

    while (gfn < end)
        if (keep_present(m, list, next_set(m, map, &gfn, list), why) < 0)
            return -1;
    return 0;
}

void mext_memory_free(struct mext_memory *m, const uint64_t *bitmap, bool zero)
{
    uint64_t before = m->nfree;
    struct mext_why why;

    for (uint64_t i = 0; i < m->ngfns / 64; i++) {
        m->clear[i] = m->todo[i] & bitmap[i];
        m->todo[i] &= ~bitmap[i];
        m->nfree += (unsigned)__builtin_popcountll(m->clear[i]);
    }
    m->ntodo -= m->nfree - before;
    if (zero)
        return;
    /* A guest that calls free what it does not have must not get it. */
    if (look_at(m, m->clear, m->ngfns, &why)) {
        for (uint64_t i = 0; i < m->ngfns / 64; i++)
            m->todo[i] |= m->clear[i];
        m->ntodo += m->nfree - before;
        m->nfree = before;
    }
    memset(m->clear, 0, m->ngfns / 8);
}

/* Collects runs of absent gfns and sends a frame when it is full. */
static int absent_add(struct mext_memory *m, struct mext_data *d, uint64_t gfn,
                      unsigned timeout_ms, struct mext_why *why)
{
    struct mext_extent *e = d->u.absent.e;
    unsigned n = d->u.absent.n;

    m->absent++;
    if (n && e[n - 1].gfn + e[n - 1].count == gfn) {
        e[n - 1].count++;
        return 0;
    }
    if (n == MEXT_ABSENT_MAX) {
        if (mext_channel_send(&m->channel[0], d, timeout_ms, why))
            return -1;
        n = 0;
    }
    e[n] = (struct mext_extent){ gfn, 1 };
    d->u.absent.n = (uint16_t)(n + 1);
    return 0;
}

/* Every gfn of RAM is to be looked at again; what lies above stays as it is. */
static void mark_ram_gone(struct mext_memory *m)
{
    for (uint64_t g = 0; g < ram_end(m); g++)
        if (in_ram(m, g))
            bit_put(m->gone, g, true);
}

/*
 * What the guest gave up after it was sent becomes zero before it goes: Xen
 * hands on what a living domain gives back as it is.  On channel 0, as ABSENT.
 */
static int send_wiped(struct mext_memory *m, unsigned timeout_ms,
                      struct mext_why *why)
{
    uint64_t list[MEXT_WINDOW_MAX], gfn = 0;

    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->filled[i] &= m->gone[i];
    while (gfn < m->ngfns) {
        unsigned n = next_set(m, m->filled, &gfn, list);

        if (send_zero(m, false, list, n, timeout_ms, why))
            return -1;
    }
    return 0;
}

/*
 * What had no page when it was last looked at is looked at once more, since a
 * wrong "absent" would take a page from the guest.  If the guest's number of
 * pages changed meanwhile it ballooned, and all of its RAM is looked at.
 */
static int send_absent(struct mext_memory *m, unsigned timeout_ms,
                       struct mext_why *why)
{
    struct mext_data d = { .type = MEXT_DATA_ABSENT };
    struct mext_dom_state st;

    if (mext_dom_state(m->dom, &st, why))
        return -1;
    if (st.pages != m->pages_then)
        mark_ram_gone(m);
    if (look_at(m, m->gone, ram_end(m), why) || send_wiped(m, timeout_ms, why))
        return -1;
    for (uint64_t g = 0; g < ram_end(m); g++)
        if (bit_get(m->gone, g) && in_ram(m, g) &&
            absent_add(m, &d, g, timeout_ms, why))
            return -1;
    if (d.u.absent.n && mext_channel_send(&m->channel[0], &d, timeout_ms, why))
        return -1;
    return 0;
}

static int send_end(struct mext_memory *m, unsigned timeout_ms,
                    struct mext_why *why)
{
    struct mext_data d = { .type = MEXT_DATA_END };

    for (unsigned i = 0; i < m->nchannels; i++) {
        struct mext_channel *c = &m->channel[i];

        d.u.end.data = c->data;
        d.u.end.zero = c->zero;
        if (mext_channel_send(c, &d, timeout_ms, why))
            return -1;
    }
    return 0;
}

int mext_memory_last(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why)
{
    m->iteration_start = mext_now_us();
    if (fetch_dirty(m, true, why) || send_clear(m, timeout_ms, why) ||
        send_todo(m, true, timeout_ms, why) || send_absent(m, timeout_ms, why))
        return -1;
    return send_end(m, timeout_ms, why);
}

int mext_memory_done(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why)
{
    struct mext_data d;

    if (mext_channel_recv(&m->channel[0], &d, timeout_ms, why))
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
        n += m->channel[i].sent;
    return n;
}

void mext_memory_close(struct mext_memory *m)
{
    for (unsigned i = 0; i < m->nchannels; i++)
        mext_channel_close(&m->channel[i]);
    m->nchannels = 0;
    mext_map_close(m->map);
    mext_order_free(&m->order);
    free(m->todo);
    free(m->gone);
    free(m->clear);
    free(m->filled);
    mext_packer_free(&m->packer);
    mext_cache_free(m->cache);
    m->cache = NULL;
    m->map = NULL;
    m->todo = m->gone = m->clear = m->filled = NULL;
}
