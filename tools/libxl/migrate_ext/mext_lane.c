/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include "mext_fault.h"
#include "mext_gfns.h"
#include "mext_lane.h"

int mext_lane_open(struct mext_lane *l, struct mext_pages *pages,
                   const struct mext_packing *packing, struct mext_why *why)
{
    l->pages = pages;
    if (mext_packer_init(&l->packer, packing))
        return mext_fail(why, "out of memory");
    l->packer.cache = pages->cache;
    return mext_map_open(mext_dom_id(pages->dom), &l->map, why);
}

void mext_lane_close(struct mext_lane *l)
{
    mext_channel_close(&l->channel);
    mext_map_close(l->map);
    mext_packer_free(&l->packer);
    l->map = NULL;
}

int mext_pages_present(struct mext_pages *p, uint64_t *list, unsigned n,
                       struct mext_why *why)
{
    uint8_t present[MEXT_PRESENT_MAX];
    int kept = 0;

    if (n && mext_dom_present(p->dom, list, n, present, why))
        return -1;
    for (unsigned i = 0; i < n; i++) {
        mext_gfn_put(p->gone, list[i], !present[i]);
        if (present[i])
            list[kept++] = list[i];
    }
    return kept;
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
 * Puts as much of list[0..n) as fits into one PAGES frame, with at most `room`
 * pages of content, page[]; how many.
 */
static unsigned fill(struct mext_lane *l, const uint64_t *list, const int *err,
                     const uint8_t *window, unsigned n, unsigned room,
                     struct mext_data *d, const uint8_t **page)
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
        if (!err[i])
            mext_gfn_put(l->pages->filled, list[i], content);
        if (!err[i])
            mext_gfn_put(l->pages->told, list[i], false);
        d->u.pages.span = (uint16_t)(at + 1);
    }
    return i;
}

/* What cannot be mapped is gone since it was looked at: else it would be missed. */
static int all_mapped(struct mext_lane *l, const struct mext_batch *b,
                      unsigned n, const int *err, struct mext_why *why)
{
    uint64_t left[MEXT_WINDOW_MAX];
    unsigned k = 0;
    int there;

    for (unsigned i = 0; i < n; i++)
        if (err[i])
            left[k++] = b->gfn[i];
    there = mext_pages_present(l->pages, left, k, why);
    if (there > 0)
        mext_fail(why, "gfn 0x%llx of the guest is there and cannot be mapped",
                  (unsigned long long)left[0]);
    return there ? -1 : 0;
}

static int send_window(struct mext_lane *l, const struct mext_batch *b,
                       unsigned n, struct mext_why *why)
{
    const uint8_t *window, *page[MEXT_PAGES_DATA_MAX];
    struct mext_channel *c = &l->channel;
    int err[MEXT_WINDOW_MAX];
    struct mext_data d;

    if (mext_fault("source.window", why) ||
        mext_map_window(l->map, b->gfn, n, err, &window, why) ||
        all_mapped(l, b, n, err, why))
        return -1;
    l->packer.again = b->again;
    for (unsigned i = 0, k; i < n; i += k) {
        uint64_t sent = c->sent, blocked = c->blocked_us;

        k = fill(l, b->gfn + i, err + i, window + (size_t)i * MEXT_PAGE_SIZE,
                 n - i, mext_packer_room(&l->packer), &d, page);
        mext_packer_frame(&l->packer, &d, page);
        if (mext_channel_pages(c, &d, page, b->timeout_ms, why))
            return -1;
        mext_packer_sent(&l->packer, c->sent - sent, c->blocked_us - blocked);
    }
    return 0;
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

/* What is zero now has a page, no content and no delta. */
static void forget(struct mext_lane *l, const struct mext_data *d)
{
    for (unsigned i = 0; i < d->u.pages.span; i++) {
        uint64_t gfn = d->u.pages.base + i;

        if (mext_map_get(d->u.pages.map, i) != MEXT_MAP_ZERO)
            continue;
        mext_gfn_put(l->pages->filled, gfn, false);
        mext_gfn_put(l->pages->told, gfn, false);
        if (l->pages->cache)
            mext_cache_drop(l->pages->cache, gfn);
    }
}

int mext_lane_zero(struct mext_lane *l, const uint64_t *list, unsigned n,
                   unsigned timeout_ms, struct mext_why *why)
{
    struct mext_data d;

    for (unsigned i = 0, k; i < n; i += k) {
        k = fill_zero(list + i, n - i, &d);
        forget(l, &d);
        if (mext_channel_pages(&l->channel, &d, NULL, timeout_ms, why))
            return -1;
    }
    return 0;
}

int mext_lane_work(void *own, void *job, struct mext_why *why)
{
    struct mext_lane *l = own;
    struct mext_batch *b = job;
    int n = mext_pages_present(l->pages, b->gfn, b->n, why), rc;

    if (n < 0 || mext_net_cancelled(why))
        return -1;
    if (!n)
        return 0;
    rc = b->zero ? mext_lane_zero(l, b->gfn, (unsigned)n, b->timeout_ms, why)
                 : send_window(l, b, (unsigned)n, why);
    if (!rc)
        mext_count_add(&l->looked, (unsigned)n);
    return rc;
}
