/* SPDX-License-Identifier: GPL-2.0-only */
/* Bodies of a data channel: what is accepted has one encoding. */
#include <string.h>

#include "fuzz.h"
#include "mext_codec.h"

const char fuzz_corpus[] = "data";
const size_t fuzz_mutations = 300000;

static void check_packed(const struct mext_data *m, unsigned i,
                         unsigned *members, uint32_t *pieces)
{
    uint16_t len = m->u.pages.len[i];

    if (m->u.pages.coding[i] == MEXT_CODING_LZ4) {
        FUZZ_CHECK(len >= 1 && len <= MEXT_PACKED_MAX);
        return;
    }
    if (m->u.pages.coding[i] == MEXT_CODING_DELTA) {
        FUZZ_CHECK(len >= 8 && len <= MEXT_DELTA_MAX);
        return;
    }
    FUZZ_CHECK(m->u.pages.coding[i] == MEXT_CODING_ZSTD);
    FUZZ_CHECK(len <= MEXT_PAGE_SIZE);
    (*members)++;
    *pieces += len;
}

static void check_pages(const struct mext_data *m)
{
    unsigned n = 0, members = 0;
    uint32_t pieces = 0;

    FUZZ_CHECK(m->u.pages.span >= 1);
    FUZZ_CHECK(m->u.pages.span <= MEXT_PAGES_SPAN_MAX);
    FUZZ_CHECK(m->u.pages.base + m->u.pages.span - 1 <= MEXT_GFN_MAX);
    for (unsigned i = 0; i < m->u.pages.span; i++) {
        unsigned v = mext_map_get(m->u.pages.map, i);

        if (v == MEXT_MAP_DATA)
            FUZZ_CHECK(m->u.pages.len[n] == MEXT_PAGE_SIZE);
        if (v == MEXT_MAP_PACKED)
            check_packed(m, n, &members, &pieces);
        n += mext_map_follows(v);
    }
    FUZZ_CHECK(pieces == m->u.pages.batch && members <= MEXT_BATCH_PAGES);
    FUZZ_CHECK(pieces <= MEXT_BATCH_MAX);
    FUZZ_CHECK(pieces < members * MEXT_PAGE_SIZE || !members);
    FUZZ_CHECK(n == m->u.pages.ndata && n <= MEXT_PAGES_DATA_MAX);
}

static void check_absent(const struct mext_data *m)
{
    FUZZ_CHECK(m->u.absent.n <= MEXT_ABSENT_MAX);
    for (unsigned i = 0; i < m->u.absent.n; i++) {
        const struct mext_extent *e = &m->u.absent.e[i];

        FUZZ_CHECK(e->count >= 1 && e->gfn + e->count - 1 <= MEXT_GFN_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t again[MEXT_DATA_BODY_MAX];
    struct mext_data m;
    struct mext_buf b;

    if (mext_data_decode(data, size, &m))
        return 0;
    if (m.type == MEXT_DATA_PAGES)
        check_pages(&m);
    if (m.type == MEXT_DATA_ABSENT)
        check_absent(&m);
    if (m.type == MEXT_DATA_ERROR)
        FUZZ_CHECK(strlen(m.u.error.text) == m.u.error.len);
    mext_buf_init(&b, again, sizeof(again));
    FUZZ_CHECK(!mext_data_encode(&m, &b));
    FUZZ_CHECK(b.pos == size && !memcmp(again, data, size));
    return 0;
}
