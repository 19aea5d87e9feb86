/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way to the hypervisor. All structures are passed by address; 0 or
 * a positive count is success, a negative number is minus a Xen error.
 */
#ifndef MS_HYPERCALL_H
#define MS_HYPERCALL_H

#include <stdint.h>

#include <xen/xen.h>

#include "../mstrap.h"

extern char ms_hypercall_page[];

static inline long ms_hypercall(unsigned number, uint64_t command, void *args)
{
    long result;
    void *entry = ms_hypercall_page + number * 32;

    __asm__ volatile("call *%[entry]"
                     : "=a"(result), "+D"(command), "+S"(args)
                     : [entry] "r"(entry)
                     : "memory", "rcx", "rdx", "r8", "r9", "r10", "r11");
    return result;
}

/** Fills the hypercall page; before anything else here. */
void ms_hypercall_init(void);

/** A domain parameter (HVM_PARAM_*), 0 if Xen does not tell. */
uint64_t ms_domain_param(uint32_t index);

/** Gives the rest of the time slice away. */
void ms_yield(void);

#endif
