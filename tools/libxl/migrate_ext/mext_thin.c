/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_thin.h"
#include "mext_stock.h"

/* Xen's tools/xl/xl.h. */
#define XL_MAGIC      "Xen saved domain, xl format\n \0 \r"
#define XL_MAGIC_LEN  32
#define XL_HEADER_LEN 48 /* its last four: length of what follows */
#define XL_BYTE_ORDER 0x01020304u
#define XL_STREAM_V2  2u /* bit of the mandatory flags */
#define XL_DATA_AT    44
#define LIBXC_ID_AT   8
#define GFN_MASK      ((1ull << GFN_BITS) - 1)
#define TYPE_PLAIN    0u /* the one with data in an HVM or PVH guest */
#define TYPE_XALLOC   14u

enum {
    XL_HEADER,
    LIBXL_HEADER,
    LIBXL_RECORD,
    LIBXC_HEADER,
    LIBXC_RECORD,
    BATCH_COUNT,
    BATCH_GFNS,
    BATCH_DATA,
    REST, /* goes on as it is: after the stream, or not understood */
};

/* What is collected next. */
static void expect(struct mext_thin *t, unsigned state, size_t want)
{
    t->state = state;
    t->want = want;
    t->have = 0;
}

static void give_up(struct mext_thin *t, const char *what)
{
    t->odd = what;
    t->state = REST;
}

static bool has_data(uint64_t entry)
{
    return entry >> TYPE_SHIFT == TYPE_PLAIN;
}

/*
 * Iterations go upwards, and the first takes every gfn: only there an entry
 * may lose its data, and only the first time.
 */
static bool leave_out(struct mext_thin *t, uint64_t entry)
{
    uint64_t gfn = entry & GFN_MASK, bit = 1ull << gfn % 64;

    if (gfn < t->next_gfn) {
        t->over = true;
        t->iterations++;
    }
    t->next_gfn = gfn + 1;
    if (t->over || gfn >= t->ngfns || !(t->bitmap[gfn / 64] & bit))
        return false;
    t->bitmap[gfn / 64] &= ~bit;
    return has_data(entry);
}

/* The batch's head is complete: its entries change, and so does its length. */
static int thin_batch(struct mext_thin *t)
{
    uint32_t count = load32(t->head + COUNT_AT), len = load32(t->head + 4);
    unsigned kept = 0;

    t->npages = 0;
    for (uint32_t i = 0; i < count; i++)
        t->npages += has_data(load64(t->head + BATCH_LEN + 8 * i));
    if (len != 8 + 8 * count + (uint64_t)PAGE_LEN * t->npages) {
        give_up(t, "a batch of pages has a length of its own");
        return t->out(t->arg, t->head, t->have);
    }
    if (!t->asked) {
        t->ask(t->arg, t->bitmap, t->ngfns);
        t->asked = true;
        t->iterations = 1;
    }
    memset(t->drop, 0, sizeof(t->drop));
    t->npages = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *p = t->head + BATCH_LEN + 8 * i;
        uint64_t entry = load64(p);
        bool out = leave_out(t, entry);

        if (out) {
            entry |= (uint64_t)TYPE_XALLOC << TYPE_SHIFT;
            memcpy(p, &entry, sizeof(entry));
            t->drop[t->npages / 8] |= (uint8_t)(1u << t->npages % 8);
            t->npages++;
        } else if (has_data(entry)) {
            t->npages++;
            kept++;
        }
    }
    t->pages += t->npages - kept;
    t->kept += kept;
    len = 8 + 8 * count + PAGE_LEN * kept;
    memcpy(t->head + 4, &len, sizeof(len));
    t->page = t->part = 0;
    t->state = BATCH_DATA;
    return t->out(t->arg, t->head, t->have);
}

/* Sizes and numbers that decide how it goes on; NULL: as it should be. */
static const char *look_at_xl(struct mext_thin *t)
{
    if (memcmp(t->head, XL_MAGIC, XL_MAGIC_LEN) ||
        load32(t->head + XL_MAGIC_LEN) != XL_BYTE_ORDER)
        return "it does not begin as xl's streams do";
    if (!(load32(t->head + XL_MAGIC_LEN + 4) & XL_STREAM_V2))
        return "it is one of the old streams";
    return NULL;
}

static const char *look_at_libxc(struct mext_thin *t)
{
    static const uint8_t id[] = { 0x58, 0x45, 0x4e, 0x46 };

    if (load64(t->head) != ~0ull || memcmp(t->head + LIBXC_ID_AT, id, 4))
        return "libxc's part does not begin as it should";
    if (load32(t->head + LIBXC_TYPE_AT) != LIBXC_HVM)
        return "it is a PV guest's";
    return NULL;
}

/* After what head holds, which is none of a batch's. */
static void next_state(struct mext_thin *t)
{
    uint32_t type = load32(t->head), len = load32(t->head + 4);

    switch (t->state) {
    case XL_HEADER:
        if ((t->odd = look_at_xl(t)))
            break;
        t->pass = load32(t->head + XL_DATA_AT);
        expect(t, LIBXL_HEADER, LIBXL_LEN);
        return;
    case LIBXL_HEADER:
        if (memcmp(t->head, LIBXL_IDENT, 8)) {
            t->odd = "libxl's part does not begin as it should";
            break;
        }
        expect(t, LIBXL_RECORD, RECORD_LEN);
        return;
    case LIBXL_RECORD:
        if (type == LIBXL_END) {
            t->ended = true;
            break;
        }
        if (type == LIBXL_CONTEXT && !len) {
            expect(t, LIBXC_HEADER, LIBXC_LEN);
            return;
        }
        t->pass = padded(len);
        expect(t, LIBXL_RECORD, RECORD_LEN);
        return;
    case LIBXC_HEADER:
        if ((t->odd = look_at_libxc(t)))
            break;
        expect(t, LIBXC_RECORD, RECORD_LEN);
        return;
    case LIBXC_RECORD:
        t->pass = padded(len);
        expect(t, type == LIBXC_END ? LIBXL_RECORD : LIBXC_RECORD, RECORD_LEN);
        return;
    }
    t->state = REST;
}

static bool is_batch(const struct mext_thin *t)
{
    return t->state == LIBXC_RECORD && load32(t->head) == LIBXC_PAGES &&
           load32(t->head + 4) >= 8;
}

/* head holds what was wanted. */
static int complete(struct mext_thin *t)
{
    uint32_t count;
    size_t n = t->have;

    if (is_batch(t)) { /* goes on when its length is known */
        t->state = BATCH_COUNT;
        t->want = BATCH_LEN;
        return 0;
    }
    if (t->state == BATCH_COUNT) {
        count = load32(t->head + COUNT_AT);
        if (count <= MEXT_THIN_BATCH_MAX) {
            t->state = BATCH_GFNS;
            t->want = BATCH_LEN + 8 * (size_t)count;
            return t->want == t->have ? thin_batch(t) : 0;
        }
        give_up(t, "a batch of pages is larger than libxc's");
        return t->out(t->arg, t->head, n);
    }
    if (t->state == BATCH_GFNS)
        return thin_batch(t);
    next_state(t);
    return t->out(t->arg, t->head, n);
}

/* Data of the batch's pages; *used_r bytes of p are done with. */
static int feed_data(struct mext_thin *t, const uint8_t *p, size_t n,
                     size_t *used_r)
{
    bool drop = t->drop[t->page / 8] & 1u << t->page % 8;
    size_t most = PAGE_LEN - t->part;

    if (n > most)
        n = most;
    *used_r = n;
    t->part += (unsigned)n;
    if (t->part == PAGE_LEN) {
        t->part = 0;
        t->page++;
    }
    return drop ? 0 : t->out(t->arg, p, n);
}

/* One step; *used_r may be 0 where only the state changes. */
static int step(struct mext_thin *t, const uint8_t *p, size_t n, size_t *used_r)
{
    *used_r = n;
    if (t->state == REST)
        return t->out(t->arg, p, n);
    if (t->pass) {
        if (n > t->pass)
            *used_r = (size_t)t->pass;
        t->pass -= *used_r;
        return t->out(t->arg, p, *used_r);
    }
    if (t->state == BATCH_DATA) {
        if (t->page < t->npages)
            return feed_data(t, p, n, used_r);
        *used_r = 0;
        expect(t, LIBXC_RECORD, RECORD_LEN);
        return 0;
    }
    if (!t->want && t->bare)
        expect(t, LIBXL_HEADER, LIBXL_LEN);
    else if (!t->want)
        expect(t, XL_HEADER, XL_HEADER_LEN);
    if (n > t->want - t->have)
        *used_r = t->want - t->have;
    memcpy(t->head + t->have, p, *used_r);
    t->have += *used_r;
    return t->have == t->want ? complete(t) : 0;
}

int mext_thin_feed(struct mext_thin *t, const void *p, size_t n)
{
    const uint8_t *at = p;
    size_t used;
    int rc;

    while (n) {
        if ((rc = step(t, at, n, &used)))
            return rc;
        at += used;
        n -= used;
    }
    return 0;
}
