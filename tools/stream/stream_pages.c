/* SPDX-License-Identifier: LGPL-2.1-only */
/* PAGE_DATA: a head, its entries, then 4096 bytes for some of them. */
#include <stdlib.h>

#include "stream_libxc.h"

#define HEAD_LEN   8u
#define ENTRY_LEN  8u
#define PFN_MASK   0x000fffffffffffffull
#define BITS_MASK  0x0ff0000000000000ull
#define TYPE_SHIFT 60

static unsigned type_of(uint64_t entry)
{
    return (unsigned)(entry >> TYPE_SHIFT);
}

static bool has_data(uint64_t entry)
{
    return type_of(entry) < STREAM_BROKEN;
}

static bool is_legal(const struct stream *s, unsigned type)
{
    if (s->xc.guest == GUEST_PV)
        return type <= 4 || type >= 9;
    return type == STREAM_NOTAB || type >= STREAM_BROKEN;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Most records go upwards; others are sorted. */
static int check_twice(struct stream *s)
{
    uint64_t *e = s->big.sorted;
    unsigned n = s->xc.npfns;
    bool up = true;

    for (unsigned i = 0; i < n; i++) {
        e[i] = s->big.entries[i] & PFN_MASK;
        up &= !i || e[i] > e[i - 1];
    }
    if (up)
        return 0;
    qsort(e, n, sizeof(*e), by_value);
    for (unsigned i = 1; i < n; i++)
        if (e[i] == e[i - 1])
            return stream_odd(s, STREAM_R_XC_PAGE_TWICE, "pfn %#llx is not",
                              (unsigned long long)e[i]);
    return 0;
}

static int check_entry(struct stream *s, uint64_t entry, unsigned i)
{
    uint64_t pfn = entry & PFN_MASK;

    if (entry & BITS_MASK &&
        stream_odd(s, STREAM_R_XC_PAGE_BITS, "entry %u is %#llx", i,
                   (unsigned long long)entry))
        return -1;
    if (!is_legal(s, type_of(entry)) &&
        stream_odd(s, STREAM_R_XC_PAGE_TYPE, "of entry %u, pfn %#llx, it is %u",
                   i, (unsigned long long)pfn, type_of(entry)))
        return -1;
    if (pfn > STREAM_PFN_MAX &&
        stream_odd(s, STREAM_R_XC_PFN, "of entry %u it is %#llx", i,
                   (unsigned long long)pfn))
        return -1;
    return 0;
}

/* All entries; *data_r: how many have data. */
static int read_entries(struct stream *s, unsigned count, unsigned *data_r)
{
    const uint8_t *p = stream_body(s, count * ENTRY_LEN);

    if (!p)
        return -1;
    memcpy(s->big.entries, p, count * ENTRY_LEN);
    s->xc.npfns = count;
    *data_r = 0;
    for (unsigned i = 0; i < count; i++) {
        *data_r += has_data(s->big.entries[i]);
        if (check_entry(s, s->big.entries[i], i))
            return -1;
    }
    return check_twice(s);
}

static int read_page(struct stream *s, uint64_t entry)
{
    struct stream_page page = { .pfn = entry & PFN_MASK,
                                .kind = type_of(entry) };

    if (!has_data(entry)) {
        stream_page(s, &page);
        return 0;
    }
    page.len = STREAM_PAGE_LEN;
    page.data = stream_body(s, STREAM_PAGE_LEN);
    if (!page.data)
        return -1;
    stream_page(s, &page);
    return 0;
}

int stream_read_pages(struct stream *s)
{
    unsigned count, data;
    const uint8_t *p;

    if (s->left < HEAD_LEN)
        return stream_odd(s, STREAM_R_XC_COUNT, "there is none");
    p = stream_body(s, HEAD_LEN);
    if (!p)
        return -1;
    count = load32(p);
    if (load32(p + 4) &&
        stream_odd(s, STREAM_R_XC_PAGE_RESERVED, "it is %#x", load32(p + 4)))
        return -1;
    if (!count || count > STREAM_BATCH_MAX || s->left / ENTRY_LEN < count)
        return stream_odd(s, STREAM_R_XC_COUNT, "it is %u in %llu bytes", count,
                          (unsigned long long)s->left);
    if (read_entries(s, count, &data))
        return -1;
    if (s->left != (uint64_t)data * STREAM_PAGE_LEN)
        return stream_odd(s, STREAM_R_XC_PAGE_LEN,
                          "%llu bytes for %u pages with data",
                          (unsigned long long)s->left, data);
    for (unsigned i = 0; i < count; i++)
        if (read_page(s, s->big.entries[i]))
            return -1;
    return 0;
}
