/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Packed pages become pages again (docs/specs/transport.md, "PAGES"), in the
 * gfns where their bytes have arrived.  Pure but for LZ4 and Zstandard; compiled
 * into mstrap as it is.  Buffers are the module's own, static, one set for all
 * channels: not reentrant.
 */
#ifndef MEXT_UNPACK_H
#define MEXT_UNPACK_H

#include "mext_codec.h"

/*
 * Unpacks an LZ4 block of n bytes in place: page[4096] holds them at its
 * start, and then the page.  MEXT_ERR_FORMAT, with the page's content
 * undefined, if they are not exactly one page; MEXT_ERR_LIMIT for n above
 * MEXT_PACKED_MAX.
 */
int mext_unpack(uint8_t *page, unsigned n);

/*
 * Unpacks a batch in place: the pieces of its n bytes are at the start of
 * page[0], page[1], ..., each of 4096 bytes, and then the pages.
 * MEXT_ERR_FORMAT, with the pages' content undefined, if they are not exactly
 * these pages; MEXT_ERR_LIMIT for n above MEXT_BATCH_MAX or what fits into the
 * pages, or pages above MEXT_BATCH_PAGES.
 */
int mext_unpack_batch(uint8_t *const *page, unsigned pages, uint32_t n);

/*
 * Puts a delta of n bytes into page[4096], which is as it was sent before.
 * MEXT_ERR_FORMAT, with the page's content undefined, if the delta is malformed
 * or the page does not become what the delta's sum says.
 */
int mext_unpack_delta(uint8_t *page, const uint8_t *delta, unsigned n);

/* The sum in a delta, of page[4096]. */
uint64_t mext_page_sum(const uint8_t *page);

/* Wipes what was left of pages in the buffers. */
void mext_unpack_forget(void);

#endif
