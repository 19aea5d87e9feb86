/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mstrap: what its parts share. A tiny PVH domain that receives a guest's
 * memory into its own gfns and becomes that guest. See docs/specs for the
 * protocol and docs/architecture.md for its place.
 */
#ifndef MSTRAP_H
#define MSTRAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/layout.h"

#define MS_PAGE_SHIFT 12
#define MS_PAGE_SIZE  4096
#define MS_OWN_GFN    (MS_OWN_BASE >> MS_PAGE_SHIFT)

/* One more than the highest gfn that can be mapped: 512 GiB. */
#define MS_GFN_LIMIT (UINT64_C(1) << 27)

/* Printed, and kept from, the compiler's format checks alike. */
#define MS_FORMAT(string, first) __attribute__((format(printf, string, first)))

#define MS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Keeps the compiler from moving memory accesses; x86 keeps store order. */
#define ms_barrier() __asm__ volatile("" ::: "memory")

/** One line on the domain's console, with the prefix "mstrap: ". */
void ms_print(const char *format, ...) MS_FORMAT(1, 2);

/**
 * The end: message on the console, ERROR to the source if there is a session,
 * state "failed MESSAGE" in xenstore; then waits to be destroyed.
 * reason: MEXT_E_*; ms_fail's is MEXT_E_INTERNAL.
 */
_Noreturn void ms_fail_as(unsigned reason, const char *format, ...)
    MS_FORMAT(2, 3);
_Noreturn void ms_fail(const char *format, ...) MS_FORMAT(1, 2);

/** Give the CPU away for ever; the vCPU stays runnable (never blocked). */
_Noreturn void ms_spin(void);

/** A guest page through the direct map. */
static inline void *ms_page(uint64_t gfn)
{
    return (void *)(MS_DIRECT_BASE + (gfn << MS_PAGE_SHIFT));
}

extern char ms_image_start[], ms_text_end[], ms_rodata_end[], ms_image_end[];

/* The first two frames of the region are mapped, not populated. */
#define MS_SHARED_INFO_GFN MS_OWN_GFN
#define MS_GRANT_GFN       (MS_OWN_GFN + 1)
#define MS_IMAGE_GFN       (MS_OWN_GFN + 2)

/** The frame behind an address in mstrap's own image, after the move. */
static inline uint64_t ms_own_gfn(const void *address)
{
    return MS_IMAGE_GFN +
           (((uintptr_t)address - (uintptr_t)ms_image_start) >> MS_PAGE_SHIFT);
}

#endif
