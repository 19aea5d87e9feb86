/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linker script (after the preprocessor). No segment is both writable and
 * executable. The stack comes first among the writable pages: what overflows
 * it runs into read-only data and faults. .boot is at the end and is left
 * behind when mstrap moves.
 */
#include "layout.h"

OUTPUT_FORMAT("elf64-x86-64")
ENTRY(ms_entry)

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    bss PT_LOAD FLAGS(6);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
    stack PT_GNU_STACK FLAGS(6);
}

#define AT_LOAD(section) AT(ADDR(section) - MS_LINK_BASE + MS_LOAD_BASE)

SECTIONS
{
    . = MS_LINK_BASE;
    ms_image_start = .;
    .text : AT_LOAD(.text) {
        KEEP(*(.text.head))
        *(.text .text.*)
        KEEP(*(.text.hypercall))
    } :text
    . = ALIGN(4096);
    ms_text_end = .;
    .note.xen : AT_LOAD(.note.xen) { KEEP(*(.note.xen)) } :rodata :note
    .rodata : AT_LOAD(.rodata) { *(.rodata .rodata.*) } :rodata
    . = ALIGN(4096);
    ms_rodata_end = .;
    .bss (NOLOAD) : AT_LOAD(.bss) {
        *(.bss.stack)
        *(SORT_BY_ALIGNMENT(.bss.*))
        *(SORT_BY_ALIGNMENT(.bss) COMMON)
        . = ALIGN(4096);
    } :bss
    .data : AT_LOAD(.data) {
        *(.data .data.*)
        *(.got .got.*)
    } :data
    . = ALIGN(4096);
    ms_image_end = .;
    .boot (NOLOAD) : AT_LOAD(.boot) { *(.boot) } :data
    /DISCARD/ : {
        *(.comment) *(.eh_frame) *(.eh_frame_hdr) *(.note.GNU-stack)
        *(.note.gnu.*) *(.gnu.*) *(.debug_*)
    }
}

ASSERT(ms_image_end - ms_image_start < MS_OWN_SIZE, "image exceeds its region")
