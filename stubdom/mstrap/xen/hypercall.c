/* SPDX-License-Identifier: GPL-2.0-only */
#include <cpuid.h>

#include <stdint.h>

#include <xen/arch-x86/cpuid.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

#include "hypercall.h"

static uint32_t xen_leaf(void)
{
    for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
        uint32_t a, b, c, d;

        __cpuid(base, a, b, c, d);
        if (b == XEN_CPUID_SIGNATURE_EBX && c == XEN_CPUID_SIGNATURE_ECX &&
            d == XEN_CPUID_SIGNATURE_EDX)
            return base;
    }
    return 0;
}

void ms_hypercall_init(void)
{
    uint64_t physical = (uint64_t)(ms_hypercall_page - ms_image_start) +
                        MS_LOAD_BASE;
    uint32_t pages, msr, c, d, base = xen_leaf();

    if (!base)
        __builtin_trap();
    __cpuid_count(base + 2, 0, pages, msr, c, d);
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)physical),
                       "d"((uint32_t)(physical >> 32))
                     : "memory");
}

uint64_t ms_domain_param(uint32_t index)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

    if (ms_hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, &param))
        return 0;
    return param.value;
}

void ms_yield(void)
{
    ms_hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, NULL);
}

_Noreturn void ms_spin(void)
{
    for (;;)
        ms_yield();
}
