/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packed pages of a source that means ill, unpacked by the very decoder that is
 * in mstrap.  The first octet of an input: 0, an LZ4 block follows; 0x80, a delta,
 * whose sum is right if its first octet is not 0xff; else the pages of a batch (six
 * bits), and whether their gfns are in a row (0x40).  What is not a page's own must
 * stay as it is.
 */
#include <string.h>

#include "fuzz.h"
#include "mext_unpack.h"

const char fuzz_corpus[] = "unpack";
const size_t fuzz_mutations = 30000;

#define FENCE 0x5a

/* Beyond a batch's limit, with room around each. */
static _Alignas(8) uint8_t room[2 * MEXT_BATCH_PAGES + 3][MEXT_PAGE_SIZE];

static bool is_fence(unsigned i)
{
    return room[i][0] == FENCE &&
           !memcmp(room[i], room[i] + 1, MEXT_PAGE_SIZE - 1);
}

static void block(const uint8_t *data, size_t size)
{
    uint8_t page[MEXT_PAGE_SIZE] = { 0 };

    if (size > sizeof(page))
        size = sizeof(page);
    memcpy(page, data, size);
    mext_unpack(page, (unsigned)size);
}

static void batch(unsigned pages, bool row, const uint8_t *data, size_t size)
{
    uint8_t *at[64] = { NULL };

    if (size > pages * MEXT_PAGE_SIZE)
        size = pages * MEXT_PAGE_SIZE;
    if (pages > MEXT_BATCH_PAGES) {
        FUZZ_CHECK(mext_unpack_batch(at, pages, (uint32_t)size));
        return;
    }
    memset(room, FENCE, (row ? pages + 2 : 2 * pages + 1) * MEXT_PAGE_SIZE);
    for (unsigned i = 0; i < pages; i++) {
        at[i] = room[1 + (row ? i : 2 * i)];
        memcpy(at[i], data + (size_t)i * MEXT_PAGE_SIZE,
               mext_batch_piece((uint32_t)size, i));
    }
    if (!mext_unpack_batch(at, pages, (uint32_t)size))
        FUZZ_CHECK(pages && size <= MEXT_BATCH_MAX);
    for (unsigned i = 0; i < pages; i++)
        FUZZ_CHECK(row || is_fence(2 * i + 2));
    FUZZ_CHECK(is_fence(0));
    FUZZ_CHECK(!row || is_fence(pages + 1));
}

/* As the specification says it, an octet after the other. */
static bool runs_right(const uint8_t *runs, size_t size)
{
    unsigned end = 0;

    for (size_t i = 0; i < size;) {
        unsigned run = 0, n;

        if (size - i < 2)
            return false;
        run = (unsigned)runs[i] << 8 | runs[i + 1];
        n = run & 127;
        i += 2;
        if (!n || (run >> 7) + n > 512 || size - i < n * 8 ||
            (end && run >> 7 <= end))
            return false;
        memcpy(&room[2][(run >> 7) * 8], runs + i, n * 8);
        end = (run >> 7) + n;
        i += n * 8;
    }
    return true;
}

static void delta(const uint8_t *data, size_t size)
{
    uint8_t whole[MEXT_DELTA_MAX];
    bool right, sum = size && data[0] != 0xff;

    if (size < 8 || size > sizeof(whole))
        return;
    memset(room, FENCE, 4 * MEXT_PAGE_SIZE);
    memset(room[1], 7, MEXT_PAGE_SIZE);
    memset(room[2], 7, MEXT_PAGE_SIZE);
    right = runs_right(data + 8, size - 8);
    memcpy(whole, data, size);
    mext_store64(whole, mext_page_sum(room[2]) + !sum);
    FUZZ_CHECK(!mext_unpack_delta(room[1], whole, (unsigned)size) ==
               (right && sum));
    FUZZ_CHECK(!right || !memcmp(room[1], room[2], MEXT_PAGE_SIZE));
    FUZZ_CHECK(is_fence(0) && is_fence(3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (!data[0])
        block(data + 1, size - 1);
    else if (data[0] == 0x80)
        delta(data + 1, size - 1);
    else
        batch(data[0] & 63, data[0] & 0x40, data + 1, size - 1);
    return 0;
}
