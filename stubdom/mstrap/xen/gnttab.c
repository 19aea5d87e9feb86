/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

#include "gnttab.h"

static grant_entry_v1_t *table;

void ms_gnttab_init(void *frame)
{
    table = frame;
}

void ms_grant(unsigned ref, const void *page)
{
    table[ref].domid = 0;
    table[ref].frame = (uint32_t)ms_own_gfn(page);
    ms_barrier();
    table[ref].flags = GTF_permit_access;
}

/* Xen sets the use bits with an atomic operation; so is the end of a grant. */
static bool revoke(unsigned ref)
{
    uint16_t flags = __atomic_load_n(&table[ref].flags, __ATOMIC_SEQ_CST);

    do {
        if (flags & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, 0, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    table[ref].domid = 0;
    table[ref].frame = 0;
    return true;
}

bool ms_gnttab_revoke(void)
{
    bool all = true;

    for (unsigned ref = GNTTAB_NR_RESERVED_ENTRIES;
         ref < MS_PAGE_SIZE / sizeof(*table); ref++)
        if (table[ref].flags && !revoke(ref))
            all = false;
    return all;
}
