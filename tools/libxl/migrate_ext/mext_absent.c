/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_absent.h"
#include "mext_gfns.h"

/* First gfn of PVH RAM above the hole, and first of the hole: libxl keeps
 * the ACPI tables at 0xfc000000 and puts RAM below and above 4 GiB. */
#define HOLE_START 0xfc000ULL
#define HOLE_END   0x100000ULL

uint64_t mext_absent_ram_end(const struct mext_memory *m)
{
    return m->ram_pages > HOLE_START ? m->ram_pages + HOLE_END - HOLE_START
                                     : m->ram_pages;
}

static bool in_ram(const struct mext_memory *m, uint64_t gfn)
{
    return gfn < mext_absent_ram_end(m) &&
           (gfn < HOLE_START || gfn >= HOLE_END);
}

/* Collects runs of absent gfns and sends a frame when it is full. */
static int add(struct mext_memory *m, struct mext_data *d, uint64_t gfn,
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
        if (mext_channel_send(&m->lane[0].channel, d, timeout_ms, why))
            return -1;
        n = 0;
    }
    e[n] = (struct mext_extent){ gfn, 1 };
    d->u.absent.n = (uint16_t)(n + 1);
    return 0;
}

/* Every gfn is to be looked at again. */
static void mark_gone(struct mext_memory *m)
{
    memset(m->pages.gone, 0xff, m->ngfns / 8);
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        if (m->special[i] < m->ngfns)
            mext_gfn_put(m->pages.gone, m->special[i], false);
}

/* Above all that the bitmaps have room for. */
static int nothing_above(struct mext_memory *m, struct mext_why *why)
{
    uint64_t top;

    if (mext_dom_max_gfn(m->pages.dom, &top, why))
        return -1;
    return top < m->ngfns ? 0
                          : mext_fail(why, "memory was added to the guest "
                                           "meanwhile: migrate it again");
}

/*
 * What the guest gave up after it was sent becomes zero before it goes: Xen
 * hands on what a living domain gives back as it is.  On channel 0, as ABSENT.
 */
static int send_wiped(struct mext_memory *m, unsigned timeout_ms,
                      struct mext_why *why)
{
    uint64_t list[MEXT_WINDOW_MAX], gfn = 0, *filled = m->pages.filled;

    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        filled[i] &= m->pages.gone[i];
    while (gfn < m->ngfns) {
        unsigned n = mext_gfns_next(filled, m->ngfns, &gfn, list,
                                    MEXT_WINDOW_MAX);

        if (mext_lane_zero(&m->lane[0], list, n, timeout_ms, why))
            return -1;
    }
    return 0;
}

/*
 * What had no page when it was last looked at is looked at once more, since a
 * wrong "absent" would take a page from the guest, and a page that is new is to be
 * sent.  If the guest's number of pages changed meanwhile it ballooned, or memory
 * was plugged in, and all is looked at.
 */
int mext_absent_find(struct mext_memory *m, struct mext_why *why)
{
    struct mext_dom_state st;
    uint64_t end = mext_absent_ram_end(m);

    if (mext_dom_state(m->pages.dom, &st, why))
        return -1;
    if (st.pages != m->pages_then) {
        if (nothing_above(m, why))
            return -1;
        mark_gone(m);
        end = m->ngfns;
    }
    return mext_memory_look(m, m->pages.gone, end, why);
}

int mext_absent_send(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why)
{
    struct mext_data d = { .type = MEXT_DATA_ABSENT };
    uint64_t end = mext_absent_ram_end(m);

    if (send_wiped(m, timeout_ms, why))
        return -1;
    for (uint64_t g = 0; g < end; g++)
        if (mext_gfn_get(m->pages.gone, g) && in_ram(m, g) &&
            add(m, &d, g, timeout_ms, why))
            return -1;
    if (!d.u.absent.n)
        return 0;
    return mext_channel_send(&m->lane[0].channel, &d, timeout_ms, why);
}
