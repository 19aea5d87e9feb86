/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>

#include "home.h"
#include "paging.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/memory.h"

#define CPUID_EXTENDED       0x80000001
#define CPUID_EDX_HUGE_PAGES (1u << 26)
#define GIB_SHIFT            (30 - MS_PAGE_SHIFT)
#define GIBS_MIN             4u
#define FOREIGN_PAGES        2

static struct ms_tables tables __attribute__((aligned(MS_PAGE_SIZE)));

/* head.S */
void ms_move(void *to, const void *from, size_t bytes, uint64_t cr3);

static unsigned pages_to(const char *end)
{
    return (unsigned)((uintptr_t)(end - ms_image_start) >> MS_PAGE_SHIFT);
}

static bool has_huge_pages(void)
{
    uint32_t a, b, c, d;

    return __get_cpuid(CPUID_EXTENDED, &a, &b, &c, &d) &&
           d & CPUID_EDX_HUGE_PAGES;
}

static void plan(const struct ms_ram *ram, struct ms_paging *p)
{
    uint64_t gibs = (ram->end + (1u << GIB_SHIFT) - 1) >> GIB_SHIFT;

    p->tables_gfn = ms_own_gfn(&tables);
    p->image_gfn = MS_IMAGE_GFN;
    p->text_end = pages_to(ms_text_end);
    p->rodata_end = pages_to(ms_rodata_end);
    p->image_end = pages_to(ms_image_end);
    p->foreign_gfn = MS_SHARED_INFO_GFN;
    p->foreign = FOREIGN_PAGES;
    p->huge_pages = has_huge_pages();
    p->gibs = p->huge_pages ? 512 : gibs < GIBS_MIN ? GIBS_MIN : (unsigned)gibs;
    p->spare_gfn = MS_IMAGE_GFN + p->image_end;
    p->spare = ms_page(p->spare_gfn);
}

void ms_home_move(const struct ms_ram *ram, struct ms_home *home_r)
{
    struct ms_paging p;
    struct ms_home home = { .first_gfn = MS_IMAGE_GFN };
    uint64_t got;

    plan(ram, &p);
    home.pages = p.image_end + (p.huge_pages ? 0 : p.gibs - 1);
    home.gfn_limit = (uint64_t)p.gibs << GIB_SHIFT;
    if (ram->end > home.gfn_limit || p.gibs > 512)
        ms_fail("guest is too large");
    got = ms_populate(home.first_gfn, home.pages);
    if (got != home.pages)
        ms_fail("no memory of its own: %lu pages of %lu", got, home.pages);
    if (!ms_map_shared_info(MS_SHARED_INFO_GFN) ||
        !ms_map_grant_frame(MS_GRANT_GFN))
        ms_fail("cannot map shared_info and the grant table");
    ms_paging_build(&tables, &p);
    *home_r = home;
    ms_move(ms_page(MS_IMAGE_GFN), ms_image_start,
            (size_t)(ms_image_end - ms_image_start),
            p.tables_gfn << MS_PAGE_SHIFT);
    ms_shared_info = (void *)ms_image_end;
    ms_gnttab_init(ms_image_end + MS_PAGE_SIZE);
}

void ms_home_unmap(void)
{
    ms_unmap(MS_GRANT_GFN);
    ms_shared_info = NULL;
    ms_unmap(MS_SHARED_INFO_GFN);
}
