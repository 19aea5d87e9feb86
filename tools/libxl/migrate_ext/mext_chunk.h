/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Pieces of a stock stream made smaller on their way: PACKED instead of STREAM
 * (docs/specs/transport.md).  Pure but for LZ4.
 */
#ifndef MEXT_CHUNK_H
#define MEXT_CHUNK_H

#include "mext_codec.h"

/*
 * Packs p[n], n at most MEXT_STREAM_MAX, into out[n] as an LZ4 block: its
 * length, or 0 if it does not get smaller.
 */
uint32_t mext_chunk_pack(const uint8_t *p, uint32_t n, uint8_t *out);

/*
 * Unpacks the block into out[len]; MEXT_ERR_FORMAT, with the content of out
 * undefined, if it is not exactly so many bytes.
 */
int mext_chunk_unpack(const uint8_t *packed, uint32_t n, uint8_t *out,
                      uint32_t len);

#endif
