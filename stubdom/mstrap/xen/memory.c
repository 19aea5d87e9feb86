/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>

#include <xen/xen.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>

#include "hypercall.h"
#include "memory.h"

/* Extents of one call: the list is on the stack. */
#define BATCH 128

static uint64_t reservation(unsigned op, uint64_t first, uint64_t count)
{
    uint64_t done = 0;

    while (done < count) {
        xen_pfn_t gfns[BATCH];
        struct xen_memory_reservation args = { .domid = DOMID_SELF };
        long r;

        while (args.nr_extents < BATCH && done + args.nr_extents < count) {
            gfns[args.nr_extents] = first + done + args.nr_extents;
            args.nr_extents++;
        }
        set_xen_guest_handle(args.extent_start, gfns);
        r = ms_hypercall(__HYPERVISOR_memory_op, op, &args);
        if (r > 0)
            done += (uint64_t)r;
        if (r < (long)args.nr_extents)
            break;
    }
    return done;
}

uint64_t ms_populate(uint64_t first, uint64_t count)
{
    return reservation(XENMEM_populate_physmap, first, count);
}

uint64_t ms_release(uint64_t first, uint64_t count)
{
    return reservation(XENMEM_decrease_reservation, first, count);
}

bool ms_gfn_present(uint64_t gfn)
{
    struct xen_hvm_get_mem_type args = { .domid = DOMID_SELF, .pfn = gfn };

    return !ms_hypercall(__HYPERVISOR_hvm_op, HVMOP_get_mem_type, &args) &&
           args.mem_type == HVMMEM_ram_rw;
}

uint64_t ms_current_pages(void)
{
    domid_t self = DOMID_SELF;
    long r = ms_hypercall(__HYPERVISOR_memory_op, XENMEM_current_reservation,
                          &self);

    return r < 0 ? 0 : (uint64_t)r;
}

static bool map(unsigned space, uint64_t gfn)
{
    struct xen_add_to_physmap args = {
        .domid = DOMID_SELF, .space = space, .idx = 0, .gpfn = gfn
    };

    return !ms_hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &args);
}

bool ms_map_shared_info(uint64_t gfn)
{
    return map(XENMAPSPACE_shared_info, gfn);
}

bool ms_map_grant_frame(uint64_t gfn)
{
    return map(XENMAPSPACE_grant_table, gfn);
}

bool ms_unmap(uint64_t gfn)
{
    struct xen_remove_from_physmap args = { .domid = DOMID_SELF, .gpfn = gfn };

    return !ms_hypercall(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
                         &args);
}
