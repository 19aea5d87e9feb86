/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any stream, of any guest: what is said of it does not hang on how it arrives,
 * and what was wrong once stays so.
 */
#include <string.h>

#include "fuzz.h"
#include "mext_inspect.h"

const char fuzz_corpus[] = "inspect";
const size_t fuzz_mutations = 30000;

static const char *look(enum mext_inspect_guest guest, const uint8_t *data,
                        size_t size, size_t piece, bool *over_r)
{
    static struct mext_inspect c;

    memset(&c, 0, sizeof(c));
    c.guest = guest;
    for (size_t i = 0; i < size; i += piece) {
        bool was = c.wrong;
        int rc = mext_inspect_feed(&c, data + i,
                                   size - i < piece ? size - i : piece);

        FUZZ_CHECK(rc == (c.wrong ? -1 : 0) && !(was && !rc));
    }
    *over_r = mext_inspect_over(&c);
    return c.wrong;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (unsigned g = MEXT_INSPECT_PVH; g <= MEXT_INSPECT_PV; g++) {
        bool whole, pieces;
        const char *a = look(g, data, size, size + 1, &whole);
        const char *b = look(g, data, size, 13, &pieces);

        FUZZ_CHECK(a == b && (a || whole == pieces));
    }
    return 0;
}
