/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any stream goes through, in pieces as in one; what comes out is no longer
 * than what went in, and only by whole pages shorter.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mext_thin.h"

const char fuzz_corpus[] = "thin";
const size_t fuzz_mutations = 30000;

struct run {
    uint8_t *p;
    size_t n, room;
};

static int take(void *arg, const void *p, size_t n)
{
    struct run *r = arg;

    FUZZ_CHECK(n <= r->room - r->n);
    memcpy(r->p + r->n, p, n);
    r->n += n;
    return 0;
}

static void ask(void *arg, uint64_t *bitmap, uint64_t ngfns)
{
    memset(bitmap, 0x55, ngfns / 8);
}

static uint64_t thin_in(struct run *r, const uint8_t *data, size_t size,
                        size_t piece)
{
    static struct mext_thin t;
    static uint64_t bitmap[16];

    memset(&t, 0, sizeof(t));
    memset(bitmap, 0, sizeof(bitmap));
    t.out = take;
    t.ask = ask;
    t.arg = r;
    t.bitmap = bitmap;
    t.ngfns = 64 * 16;
    r->n = 0;
    for (size_t i = 0; i < size; i += piece)
        FUZZ_CHECK(
            !mext_thin_feed(&t, data + i, size - i < piece ? size - i : piece));
    return t.pages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole = { malloc(size + 1), 0, size };
    struct run pieces = { malloc(size + 1), 0, size };
    uint64_t pages = thin_in(&whole, data, size, size + 1);

    FUZZ_CHECK(thin_in(&pieces, data, size, 13) == pages);
    FUZZ_CHECK(whole.n == pieces.n && !memcmp(whole.p, pieces.p, whole.n));
    FUZZ_CHECK(size - whole.n <= pages * 4096 + 16 + 8 * MEXT_THIN_BATCH_MAX);
    free(whole.p);
    free(pieces.p);
    return 0;
}
