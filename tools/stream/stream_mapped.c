/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * RAM of QEMU's mapped-ram files: each block of the list has a header, a bitmap
 * of its pages that are in the file, and room for all of them.  migration/ram.c
 * and docs/devel/migration/mapped-ram.rst of QEMU 10.0.
 */
#include "stream_qemu.h"

#define HEAD_LEN   28
#define VERSION_IS 1u
#define GAP        (1u << 20) /* QEMU puts pages at multiples of it */
#define WORD_BITS  64u
#define CHUNK      (STREAM_BATCH_MAX * WORD_BITS) /* pages, as s->big.bits has */

struct region {
    uint32_t block;
    uint64_t npages;
    uint64_t bitmap, pages; /* offsets */
};

static uint64_t bitmap_len(uint64_t npages)
{
    return (npages + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
}

static int check_pages(struct stream *s, const struct region *r, uint64_t len)
{
    uint64_t end = r->bitmap + bitmap_len(r->npages);

    if (r->pages % STREAM_PAGE_LEN || r->pages < end || r->pages - end >= GAP)
        return stream_lost(
            s, STREAM_R_MAPPED_PAGES, "%llu, the bitmap ends at %llu",
            (unsigned long long)r->pages, (unsigned long long)end);
    if (r->pages > INT64_MAX || len > INT64_MAX - r->pages)
        return stream_lost(s, STREAM_R_MAPPED_END, "%llu bytes from %llu on",
                           (unsigned long long)len,
                           (unsigned long long)r->pages);
    return 0;
}

static int read_header(struct stream *s, struct region *r, uint64_t len)
{
    const uint8_t *p = stream_take(s, HEAD_LEN);
    uint64_t page_len;

    if (!p)
        return -1;
    page_len = load64be(p + 4);
    r->bitmap = load64be(p + 12);
    r->pages = load64be(p + 20);
    if (load32be(p) != VERSION_IS)
        return stream_lost(s, STREAM_R_MAPPED_VERSION, "it is %u", load32be(p));
    if (page_len != STREAM_PAGE_LEN)
        return stream_lost(s, STREAM_R_MAPPED_PAGE, "they have %llu",
                           (unsigned long long)page_len);
    if (r->bitmap != s->at)
        return stream_lost(s, STREAM_R_MAPPED_BITMAP_AT, "%llu, not %llu",
                           (unsigned long long)r->bitmap,
                           (unsigned long long)s->at);
    return check_pages(s, r, len);
}

/* Of n pages from first on, into s->big.bits. */
static int read_bits(struct stream *s, const struct region *r, uint64_t first,
                     unsigned n)
{
    size_t len = (size_t)bitmap_len(n);
    const uint8_t *p;

    stream_seek(s, r->bitmap + first / 8);
    p = stream_take(s, len);
    if (!p)
        return -1;
    memcpy(s->big.bits, p, len);
    if (n % WORD_BITS && s->big.bits[n / WORD_BITS] >> n % WORD_BITS)
        return stream_odd(s, STREAM_R_MAPPED_BITMAP, "in %s",
                          s->big.blocks[r->block].name);
    return 0;
}

/* Between bitmap and pages. */
static int read_padding(struct stream *s, const struct region *r)
{
    const uint8_t *p;
    bool zero = true;
    size_t n;

    while (s->at < r->pages) {
        n = r->pages - s->at < TAKE_MAX ? (size_t)(r->pages - s->at) : TAKE_MAX;
        p = stream_take(s, n);
        if (!p)
            return -1;
        zero = zero && stream_is_zero(p, n);
    }
    return zero ? 0
                : stream_odd(s, STREAM_R_MAPPED_PADDING, "before %llu",
                             (unsigned long long)r->pages);
}

/* What has no bit is zero to a receiver; or shared, of which nothing is said. */
static int read_page(struct stream *s, const struct region *r, uint64_t pfn,
                     bool bit)
{
    struct stream_page page = { .block = r->block, .pfn = pfn };

    if (bit) {
        stream_seek(s, r->pages + pfn * STREAM_PAGE_LEN);
        page.data = stream_take(s, STREAM_PAGE_LEN);
        if (!page.data)
            return -1;
        page.len = STREAM_PAGE_LEN;
    } else if (s->qemu.ignore_shared) {
        return 0;
    }
    page.kind = bit ? STREAM_RAM_PAGE : STREAM_RAM_ZERO;
    stream_page(s, &page);
    return 0;
}

int stream_read_mapped(struct stream *s, uint32_t block)
{
    uint64_t len = s->big.blocks[block].len, first = 0;
    struct region r = { .block = block, .npages = len / STREAM_PAGE_LEN };
    unsigned n;

    if (read_header(s, &r, len))
        return -1;
    while (first < r.npages) {
        n = r.npages - first < CHUNK ? (unsigned)(r.npages - first) : CHUNK;
        if (read_bits(s, &r, first, n) ||
            (first + n == r.npages && read_padding(s, &r)))
            return -1;
        for (unsigned i = 0; i < n; i++)
            if (read_page(s, &r, first + i,
                          s->big.bits[i / WORD_BITS] >> i % WORD_BITS & 1))
                return -1;
        first += n;
    }
    stream_seek(s, r.pages + len);
    return 0;
}
