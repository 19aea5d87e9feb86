/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>

#include <xen/xen.h>
#include <xen/hvm/params.h>

#include "receiver.h"
#include "xen/hypercall.h"
#include "xen/memory.h"

static const struct ms_ram *ram;
static uint64_t limit, console_gfn, store_gfn, populated;

/*
 * True while every gfn of the built RAM has its page: then pages are written
 * without asking Xen first. Ends with the first page that is given back.
 */
static bool ram_is_whole;

void ms_receiver_init(const struct ms_ram *built, uint64_t gfn_limit)
{
    ram = built;
    limit = gfn_limit;
    console_gfn = ms_domain_param(HVM_PARAM_CONSOLE_PFN);
    store_gfn = ms_domain_param(HVM_PARAM_STORE_PFN);
    ram_is_whole = ms_current_pages() >= ram->pages;
}

uint64_t ms_receiver_populated(void)
{
    return populated;
}

static bool forbidden(uint64_t gfn)
{
    return gfn >= limit || gfn == console_gfn || gfn == store_gfn ||
           (gfn >= MS_OWN_GFN &&
            gfn < MS_OWN_GFN + (MS_OWN_SIZE >> MS_PAGE_SHIFT));
}

static int page(uint64_t gfn, uint8_t **page_r)
{
    if (forbidden(gfn))
        return MEXT_E_GFN;
    if (!(ram_is_whole && ms_ram_has(ram, gfn)) && !ms_gfn_present(gfn)) {
        if (!ms_populate(gfn, 1))
            return MEXT_E_MEMORY;
        populated++;
    }
    *page_r = ms_page(gfn);
    return 0;
}

/*
 * Gives back what is there; a run may hold gfns that never had a page. What
 * lies outside the built RAM was never more than the source had.
 */
static int absent(uint64_t gfn, uint32_t count)
{
    uint64_t end = gfn + count;

    for (unsigned i = 0; i < ram->ranges; i++) {
        uint64_t from = gfn, to = end;

        if (from < ram->range[i].first)
            from = ram->range[i].first;
        if (to > ram->range[i].end)
            to = ram->range[i].end;
        while (from < to) {
            ram_is_whole = false;
            /* Stops at a gfn without a page: skip that one. */
            from += ms_release(from, to - from) + 1;
        }
    }
    return 0;
}

const struct ms_sink ms_receiver = { .page = page, .absent = absent };
