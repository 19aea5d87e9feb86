/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <lz4.h>

#include "mext_pack.h"
#include "mext_seal.h"

unsigned mext_pack(const uint8_t *page, uint8_t *out)
{
    return (unsigned)LZ4_compress_default((const char *)page, (char *)out,
                                          MEXT_PAGE_SIZE, MEXT_PACKED_MAX);
}

static uint8_t packed[MEXT_PACKED_MAX];

int mext_unpack(uint8_t *page, unsigned n)
{
    if (n > sizeof(packed))
        return MEXT_ERR_LIMIT;
    memcpy(packed, page, n);
    if (LZ4_decompress_safe((const char *)packed, (char *)page, (int)n,
                            MEXT_PAGE_SIZE) != MEXT_PAGE_SIZE)
        return MEXT_ERR_FORMAT;
    return 0;
}

void mext_unpack_forget(void)
{
    mext_wipe(packed, sizeof(packed));
}
