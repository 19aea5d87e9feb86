/* SPDX-License-Identifier: LGPL-2.1-only */
#include <lz4.h>

#include "mext_chunk.h"

uint32_t mext_chunk_pack(const uint8_t *p, uint32_t n, uint8_t *out)
{
    int max = n ? (int)n - 1 : 0;

    return (uint32_t)LZ4_compress_default((const char *)p, (char *)out, (int)n,
                                          max);
}

int mext_chunk_unpack(const uint8_t *packed, uint32_t n, uint8_t *out,
                      uint32_t len)
{
    int got = LZ4_decompress_safe((const char *)packed, (char *)out, (int)n,
                                  (int)len);

    return got >= 0 && (uint32_t)got == len ? 0 : MEXT_ERR_FORMAT;
}
