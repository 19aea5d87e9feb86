/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A made-up guest on the source, behind the functions of mext_xen.h and
 * mext_map.h that mext_memory.c calls, and the memory that receives it.
 */
#ifndef MITM_GUEST_H
#define MITM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

/* Some of RAM has no page; far above it is firmware, and a host's own pages. */
#define GUEST_GFNS     576
#define GUEST_RAM      192
#define GUEST_FIRMWARE 512

void guest_init(void);

/* As struct ms_sink's functions. */
int guest_receives(uint64_t gfn, uint8_t **page_r);
int guest_absent(uint64_t gfn, uint32_t count);

/* A page that cannot be mapped from now on, though it may be there; GUEST_GFNS: none. */
void guest_hide(uint64_t gfn);

/* Whether a page had content when it was given back. */
bool guest_leaked(void);
/* It has got the memory that it gets at the end. */
bool guest_grew(void);

/*
 * Whether the received page is untouched, or as the source had it at some
 * time; complete: whether it is there if, and as, the source has it now.
 */
bool guest_page_right(uint64_t gfn, bool complete);

#endif
