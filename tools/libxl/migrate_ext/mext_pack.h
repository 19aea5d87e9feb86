/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A page made smaller on its way: LZ4 blocks (lz4_Block_format), each page by
 * itself (docs/specs/transport.md, "PAGES").  Pure but for LZ4; compiled into
 * mstrap as it is.
 */
#ifndef MEXT_PACK_H
#define MEXT_PACK_H

#include "mext_codec.h"

/*
 * Packs page[4096] into out[MEXT_PACKED_MAX]; the length, 1 to
 * MEXT_PACKED_MAX, or 0 if it does not get that small.
 */
unsigned mext_pack(const uint8_t *page, uint8_t *out);

/*
 * Unpacks n bytes in place: page[4096] holds them at its start, and then the
 * page.  MEXT_ERR_FORMAT, with the page's content undefined, if they are not
 * exactly one page; MEXT_ERR_LIMIT for n above MEXT_PACKED_MAX.  Not
 * reentrant.
 */
int mext_unpack(uint8_t *page, unsigned n);

/* Wipes what the last mext_unpack has left in its buffer. */
void mext_unpack_forget(void);

#endif
