/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses that the linker script, the assembly and the C code agree on.
 * Included by all three: only macros here, and no integer suffixes.
 */
#ifndef MS_LAYOUT_H
#define MS_LAYOUT_H

/* The image is linked here, in the top 2 GiB of the address space ... */
#define MS_LINK_BASE 0xffffffff80000000
/* ... and loaded by the domain builder at this guest physical address. */
#define MS_LOAD_BASE 0x100000

/* All guest physical memory, as seen after the move (512 GiB, slot 256). */
#define MS_DIRECT_BASE 0xffff800000000000
#define MS_DIRECT_SLOT 256

/*
 * mstrap's own frames start here: in the hole below 4 GiB, above the ACPI
 * tables (fc000), up to which libxl lets a PVH guest's RAM reach, and below
 * the IOAPIC (fec00). The 2 MiB slot that they are in is left out of the
 * direct map.
 */
#define MS_OWN_BASE 0xfd000000
#define MS_OWN_SIZE 0x200000

#define MS_STACK_SIZE 0x5000

#define MS_CODE_SELECTOR 8
#define MS_DATA_SELECTOR 16

#endif
