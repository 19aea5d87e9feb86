/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A whole data channel as mstrap reads it: OPEN, frames, pages.  Each octet
 * that opens must be the genuine channel's at that place.
 */
#include <string.h>

#include "fixture.h"
#include "fuzz.h"
#include "mext_unpack.h"

const char fuzz_corpus[] = "frame";
const size_t fuzz_mutations = 100000;

/* Opens the pages behind a frame; false when the channel is at its end. */
static bool read_pages(struct mext_seal *s, struct mext_buf *b,
                       const struct mext_data *m)
{
    uint8_t page[MEXT_PAGE_SIZE], tag[MEXT_TAG_LEN];

    for (unsigned k = 0; k < m->u.pages.ndata; k++) {
        unsigned n = m->u.pages.len[k];

        mext_get(b, page, n);
        mext_get(b, tag, sizeof(tag));
        if (b->bad || mext_page_open(s, page, n, tag))
            return false;
        if (m->u.pages.coding[k] == MEXT_CODING_LZ4)
            FUZZ_CHECK(!mext_unpack(page, n));
        for (size_t i = 1; i < sizeof(page); i++)
            FUZZ_CHECK(page[i] == page[0]);
    }
    return true;
}

static bool read_frame(struct mext_seal *s, struct mext_buf *b)
{
    uint8_t hdr[MEXT_FRAME_HDR_LEN], body[MEXT_DATA_BODY_MAX];
    struct mext_data m;
    int len;

    mext_get(b, hdr, sizeof(hdr));
    len = mext_frame_len(hdr, MEXT_DATA_BODY_MAX);
    if (b->bad || len < 0)
        return false;
    mext_get(b, body, (size_t)len);
    if (b->bad || mext_frame_open(s, body, (size_t)len))
        return false;
    /* only the genuine source can have sealed it, so it must be right */
    FUZZ_CHECK(!mext_data_decode(body, (size_t)len - MEXT_TAG_LEN, &m));
    return m.type != MEXT_DATA_PAGES || read_pages(s, b, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mext_seal fresh[MEXT_CHANNELS_MAX];
    static bool made[MEXT_CHANNELS_MAX];
    struct mext_open o;
    struct mext_seal s;
    struct mext_buf b;
    const uint8_t *head;

    mext_buf_init(&b, (uint8_t *)data, size);
    head = mext_view(&b, MEXT_OPEN_LEN);
    if (!head || mext_open_decode(head, &o))
        return 0;
    FUZZ_CHECK(o.index < o.count && o.count <= MEXT_CHANNELS_MAX);
    if (!made[o.index])
        fix_seal(&fresh[o.index], FIX_DEST, MEXT_KDF_DATA, MEXT_DIR_TO_DEST,
                 o.index);
    made[o.index] = true;
    s = fresh[o.index];
    while (read_frame(&s, &b))
        ;
    /* five objects, or one that failed */
    FUZZ_CHECK(s.counter <= 6 || s.counter == MEXT_OBJECTS_MAX);
    return 0;
}
