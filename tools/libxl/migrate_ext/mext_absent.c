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
 * What had no page when it was last looked at is looked at once more, since a
 * wrong "absent" would take a page from the guest, and a page that is new is to be
 * sent.  If the guest's number of pages changed meanwhile it ballooned, or memory
 * was plugged in, and all is looked at.
 */
int mext_absent_find(struct mext_memory *m, struct mext_why *why)
{
    uint64_t end = mext_absent_ram_end(m);

    if (m->size != m->size_looked) {
        if (nothing_above(m, why))
            return -1;
        mark_gone(m);
        end = m->ngfns;
        m->size_looked = m->size;
    }
    return mext_memory_look(m, m->pages.gone, end, why);
}

/*
 * What the guest gave up after it was sent becomes zero before it goes: Xen
 * hands on what a living domain gives back as it is.  On channel 0, as ABSENT.
 * clear is empty, and serves for the list.
 */
static int wipe(struct mext_memory *m, unsigned timeout_ms,
                struct mext_why *why)
{
    uint64_t list[MEXT_WINDOW_MAX], gfn = 0;
    int rc = 0;

    for (uint64_t i = 0; i < m->ngfns / 64; i++)
        m->clear[i] = m->pages.filled[i] & m->pages.gone[i];
    while (!rc && gfn < m->ngfns) {
        unsigned n = mext_gfns_next(m->clear, m->ngfns, &gfn, list,
                                    MEXT_WINDOW_MAX);

        rc = mext_lane_zero(&m->lane[0], list, n, timeout_ms, why);
    }
    memset(m->clear, 0, m->ngfns / 8);
    return rc;
}

/* Runs that are being collected, and gfns told since the last barrier. */
struct telling {
    struct mext_data d;
    unsigned pages;
};

static int flush(struct mext_memory *m, struct telling *t, unsigned timeout_ms,
                 struct mext_why *why)
{
    int rc = 0;

    if (t->d.u.absent.n)
        rc = mext_channel_send(&m->lane[0].channel, &t->d, timeout_ms, why);
    t->d.u.absent.n = 0;
    return rc;
}

/* mstrap answers nobody while it gives back: never too many in one go. */
static int make_room(struct mext_memory *m, struct telling *t,
                     unsigned timeout_ms, struct mext_why *why)
{
    if (t->d.u.absent.n == MEXT_ABSENT_MAX && flush(m, t, timeout_ms, why))
        return -1;
    if (t->pages < MEXT_ABSENT_PAGES)
        return 0;
    t->pages = 0;
    if (flush(m, t, timeout_ms, why) || mext_memory_barrier(m, timeout_ms, why))
        return -1;
    m->progress(m->progress_arg, m->sent, m->sent);
    return 0;
}

static int tell(struct mext_memory *m, struct telling *t, uint64_t gfn,
                unsigned timeout_ms, struct mext_why *why)
{
    struct mext_extent *e = t->d.u.absent.e;
    unsigned n;

    if (make_room(m, t, timeout_ms, why))
        return -1;
    n = t->d.u.absent.n;
    if (n && e[n - 1].gfn + e[n - 1].count == gfn)
        e[n - 1].count++;
    else
        e[t->d.u.absent.n++] = (struct mext_extent){ gfn, 1 };
    t->pages++;
    m->absent++;
    mext_gfn_put(m->pages.told, gfn, true);
    return 0;
}

int mext_absent_tell(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why)
{
    struct telling t = { .d.type = MEXT_DATA_ABSENT };
    uint64_t end = mext_absent_ram_end(m);

    if (wipe(m, timeout_ms, why))
        return -1;
    for (uint64_t i = 0; i * 64 < end; i++)
        for (uint64_t w = m->pages.gone[i] & ~m->pages.told[i]; w; w &= w - 1) {
            uint64_t gfn = i * 64 + (unsigned)__builtin_ctzll(w);

            if (in_ram(m, gfn) && tell(m, &t, gfn, timeout_ms, why))
                return -1;
        }
    return flush(m, &t, timeout_ms, why);
}
