/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page tables mstrap runs on: pure, also compiled on the host.
 *
 *   MS_DIRECT_BASE  all guest physical memory, writable, never executable,
 *                   without the 2 MiB that mstrap itself is in
 *   MS_LINK_BASE    mstrap: text read + execute, constants read, rest write
 *
 * Nothing is mapped at address 0, and nothing is writable and executable.
 */
#ifndef MS_PAGING_H
#define MS_PAGING_H

#include "mstrap.h"

#define MS_PTE_PRESENT  (UINT64_C(1) << 0)
#define MS_PTE_WRITE    (UINT64_C(1) << 1)
#define MS_PTE_ACCESSED (UINT64_C(1) << 5)
#define MS_PTE_DIRTY    (UINT64_C(1) << 6)
#define MS_PTE_LARGE    (UINT64_C(1) << 7)
#define MS_PTE_NX       (UINT64_C(1) << 63)

typedef uint64_t ms_table[512];

/* Page aligned, in the image. */
struct ms_tables {
    ms_table root;
    ms_table direct; /* 512 GiB in 1 GiB pieces */
    ms_table fourth; /* the 4th GiB, which has the hole */
    ms_table link, link_gib, link_pages;
};

/* What the tables shall map. */
struct ms_paging {
    uint64_t tables_gfn; /* frame of the first table, after the move */
    uint64_t image_gfn;  /* frame of the image's first page */
    unsigned text_end, rodata_end, image_end; /* pages from the start */
    uint64_t foreign_gfn; /* frames that follow the image in the ... */
    unsigned foreign;     /* ... address space: how many, for data */
    bool huge_pages;      /* the CPU has 1 GiB pages */
    unsigned gibs;        /* without: GiB to map, >= 4 ... */
    ms_table *spare;      /* ... and gibs - 1 tables for them ... */
    uint64_t spare_gfn;   /* ... at this frame. */
};

void ms_paging_build(struct ms_tables *tables, const struct ms_paging *p);

#endif
