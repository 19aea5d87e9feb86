/* SPDX-License-Identifier: GPL-2.0-only */
#include "paging.h"

#define GIB        (UINT64_C(1) << 30)
#define LARGE_PAGE (UINT64_C(1) << 21)
#define FOURTH     3

/* A table below another: the leaves decide what is allowed. */
#define TABLE    (MS_PTE_PRESENT | MS_PTE_WRITE | MS_PTE_ACCESSED)
#define CODE     (MS_PTE_PRESENT | MS_PTE_ACCESSED)
#define CONSTANT (CODE | MS_PTE_NX)
#define DATA     (CONSTANT | MS_PTE_WRITE | MS_PTE_DIRTY)

static uint64_t table_at(const struct ms_paging *p, size_t offset)
{
    return ((p->tables_gfn << MS_PAGE_SHIFT) + offset) | TABLE;
}

static void fill_large(ms_table table, uint64_t address)
{
    for (unsigned i = 0; i < 512; i++)
        table[i] = (address + i * LARGE_PAGE) | DATA | MS_PTE_LARGE;
}

static void build_direct(struct ms_tables *t, const struct ms_paging *p)
{
    unsigned spare = 0;

    for (unsigned i = 0; i < 512; i++) {
        if (i == FOURTH) {
            t->direct[i] = table_at(p, offsetof(struct ms_tables, fourth));
        } else if (p->huge_pages) {
            t->direct[i] = i * GIB | DATA | MS_PTE_LARGE;
        } else if (i < p->gibs) {
            fill_large(p->spare[spare], i * GIB);
            t->direct[i] = ((p->spare_gfn + spare) << MS_PAGE_SHIFT) | TABLE;
            spare++;
        } else {
            t->direct[i] = 0;
        }
    }
    fill_large(t->fourth, FOURTH * GIB);
    t->fourth[(MS_OWN_BASE - FOURTH * GIB) / LARGE_PAGE] = 0;
}

static void build_link(struct ms_tables *t, const struct ms_paging *p)
{
    for (unsigned i = 0; i < p->image_end; i++)
        t->link_pages[i] = ((p->image_gfn + i) << MS_PAGE_SHIFT) |
                           (i < p->text_end     ? CODE
                            : i < p->rodata_end ? CONSTANT
                                                : DATA);
    for (unsigned i = 0; i < p->foreign; i++)
        t->link_pages[p->image_end + i] =
            ((p->foreign_gfn + i) << MS_PAGE_SHIFT) | DATA;
    t->link_gib[0] = table_at(p, offsetof(struct ms_tables, link_pages));
    t->link[510] = table_at(p, offsetof(struct ms_tables, link_gib));
}

void ms_paging_build(struct ms_tables *t, const struct ms_paging *p)
{
    build_direct(t, p);
    build_link(t, p);
    t->root[MS_DIRECT_SLOT] = table_at(p, offsetof(struct ms_tables, direct));
    t->root[511] = table_at(p, offsetof(struct ms_tables, link));
}
