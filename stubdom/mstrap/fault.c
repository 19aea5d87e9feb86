/* SPDX-License-Identifier: GPL-2.0-only */
#include "fault.h"
#include "mstrap.h"

#define VECTORS                32
#define STUB_SIZE              16
#define GATE_INTERRUPT_PRESENT 0x8e00

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint16_t flags;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

static struct gate gates[VECTORS];

/* head.S */
extern char ms_fault_stubs[];

_Noreturn void ms_fault(uint64_t vector, uint64_t error, uint64_t rip,
                        uint64_t address);
_Noreturn void ms_fault(uint64_t vector, uint64_t error, uint64_t rip,
                        uint64_t address)
{
    static bool again;

    if (again)
        ms_spin();
    again = true;
    ms_fail("CPU exception %lu, error %lx, at %lx, address %lx", vector, error,
            rip, address);
}

void ms_fault_init(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof(gates) - 1, (uint64_t)gates };

    for (unsigned i = 0; i < VECTORS; i++) {
        uint64_t stub = (uint64_t)ms_fault_stubs + i * STUB_SIZE;

        gates[i].offset_low = (uint16_t)stub;
        gates[i].selector = MS_CODE_SELECTOR;
        gates[i].flags = GATE_INTERRUPT_PRESENT;
        gates[i].offset_middle = (uint16_t)(stub >> 16);
        gates[i].offset_high = (uint32_t)(stub >> 32);
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}
