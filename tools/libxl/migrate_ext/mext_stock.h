/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Xen's own numbers: docs/specs/libxl-migration-stream and
 * libxc-migration-stream of Xen 4.17, for who makes a stream thinner
 * (mext_thin.c) and who says what is wrong with it (mext_inspect.c).
 */
#ifndef MEXT_STOCK_H
#define MEXT_STOCK_H

#include "mext_load.h"

#define LIBXL_IDENT   "LibxlFmt"
#define LIBXL_LEN     16
#define LIBXL_END     0u
#define LIBXL_CONTEXT 1u /* of libxc: its stream follows */
#define RECORD_LEN    8
#define LIBXC_LEN     40 /* image header 24, domain header 16 */
#define LIBXC_TYPE_AT 24
#define LIBXC_PV      1u
#define LIBXC_HVM     2u /* PVH too */
#define LIBXC_END     0u
#define LIBXC_PAGES   1u
#define BATCH_LEN     16 /* record header, count, reserved */
#define COUNT_AT      8
#define PAGE_LEN      4096u
#define TYPE_SHIFT    60 /* of an entry; its gfn is below bit 52 */
#define GFN_BITS      52

/* A body's length, with what fills its record. */
static inline uint64_t padded(uint32_t len)
{
    return ((uint64_t)len + 7) & ~7ull;
}

#endif
