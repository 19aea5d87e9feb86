/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * RAM of QEMU, version 4: an address with flags, then what they say; up to a
 * word with the flag EOS.  migration/ram.c and xbzrle.c of QEMU 7.2.
 */
#include "stream_qemu.h"

#define ZERO          0x02u
#define MEM_SIZE      0x04u
#define PAGE          0x08u
#define EOS           0x10u
#define CONTINUE      0x20u
#define XBZRLE        0x40u
#define MULTIFD_FLUSH 0x200u
#define FLAGS         0xfffull /* below the address */
#define XBZRLE_IS     0x01u

/* ---- the list of blocks ---- */

static struct block *by_name(struct stream *s, const char *name)
{
    for (unsigned i = 0; i < s->qemu.nblocks; i++)
        if (!strcmp(s->big.blocks[i].name, name))
            return &s->big.blocks[i];
    return NULL;
}

/* A length octet and a name of printable characters. */
static int read_name(struct stream *s, char name[STREAM_NAME_MAX + 1],
                     bool *fine_r)
{
    const uint8_t *p = stream_take(s, 1);
    size_t n;

    if (!p)
        return -1;
    n = *p;
    p = stream_take(s, n);
    if (!p)
        return -1;
    stream_printable(name, STREAM_NAME_MAX + 1, p, n);
    *fine_r = n && !memcmp(name, p, n);
    return 0;
}

static int read_block(struct stream *s, uint64_t *left)
{
    struct block *b = &s->big.blocks[s->qemu.nblocks];
    const uint8_t *p;
    bool fine, taken;

    if (s->qemu.nblocks == STREAM_BLOCKS)
        return stream_lost(s, STREAM_R_RAM_BLOCKS, "this is another");
    if (read_name(s, b->name, &fine))
        return -1;
    taken = by_name(s, b->name);
    p = stream_take(s, s->qemu.ignore_shared ? 16 : 8);
    if (!p)
        return -1;
    b->len = load64be(p);
    if (!b->len || b->len > *left || b->len & FLAGS)
        return stream_lost(s, STREAM_R_RAM_BLOCKS, "%s has %llu of %llu bytes",
                           b->name, (unsigned long long)b->len,
                           (unsigned long long)*left);
    if ((!fine || taken) &&
        stream_odd(s, STREAM_R_RAM_BLOCKS, "name %s is not new or not one",
                   b->name))
        return -1;
    *left -= b->len;
    if (s->ev.block)
        s->ev.block(s->arg, s->qemu.nblocks, b->name, b->len);
    s->qemu.nblocks++;
    return s->qemu.mapped ? stream_read_mapped(s, s->qemu.nblocks - 1) : 0;
}

static int read_blocks(struct stream *s, uint64_t total, bool start)
{
    uint64_t left = total;

    if ((!start || s->qemu.nblocks) &&
        stream_odd(s, STREAM_R_RAM_PLACE, start ? "a second" : "not in one"))
        return -1;
    s->qemu.nblocks = 0;
    s->qemu.have_block = false;
    while (left)
        if (read_block(s, &left))
            return -1;
    stream_note(s, "%u blocks, %llu bytes", s->qemu.nblocks,
                (unsigned long long)total);
    return 0;
}

/* ---- pages ---- */

/* A number of one or two octets of seven bits; -1: none, or too large. */
static int get_number(const uint8_t *p, size_t n, size_t *at)
{
    int low;

    if (*at >= n)
        return -1;
    low = p[(*at)++];
    if (!(low & 0x80))
        return low;
    if (*at >= n || p[*at] & 0x80)
        return -1;
    return (low & 0x7f) | p[(*at)++] << 7;
}

/* Runs: how many bytes stay, how many follow that differ. */
static bool fits_page(const uint8_t *p, size_t n)
{
    size_t at = 0, to = 0;
    int run;

    while (at < n) {
        run = get_number(p, n, &at);
        if (run < 0 || (!run && to))
            return false;
        to += (size_t)run;
        run = get_number(p, n, &at);
        if (run <= 0 || (size_t)run > n - at)
            return false;
        to += (size_t)run;
        at += (size_t)run;
        if (to > STREAM_PAGE_LEN)
            return false;
    }
    return n;
}

static int read_zero(struct stream *s, struct stream_page *page)
{
    const uint8_t *p = stream_take(s, 1);

    if (!p)
        return -1;
    page->kind = STREAM_RAM_ZERO;
    stream_page(s, page);
    return *p ? stream_odd(s, STREAM_R_RAM_ZERO, "it is of %#x", *p) : 0;
}

static int read_difference(struct stream *s, struct stream_page *page)
{
    const uint8_t *p = stream_take(s, 3);
    size_t n;

    if (!p)
        return -1;
    n = load16be(p + 1);
    if (*p != XBZRLE_IS || n > STREAM_PAGE_LEN)
        return stream_lost(s, STREAM_R_RAM_XBZRLE, "%#x, %zu bytes", *p, n);
    p = stream_take(s, n);
    if (!p)
        return -1;
    page->kind = STREAM_RAM_XBZRLE;
    page->data = n ? p : NULL;
    page->len = n;
    stream_page(s, page);
    return fits_page(p, n) ? 0 : stream_odd(s, STREAM_R_RAM_XBZRLE, "not here");
}

static int read_whole(struct stream *s, struct stream_page *page)
{
    page->data = stream_take(s, STREAM_PAGE_LEN);
    if (!page->data)
        return -1;
    page->kind = STREAM_RAM_PAGE;
    page->len = STREAM_PAGE_LEN;
    stream_page(s, page);
    return 0;
}

/* Which block the page is of: the one before, or one that is named. */
static int find_block(struct stream *s, bool same)
{
    char name[STREAM_NAME_MAX + 1];
    struct block *b;
    bool fine;

    if (same)
        return s->qemu.have_block
                   ? 0
                   : stream_lost(s, STREAM_R_RAM_BLOCK, "there is none before");
    if (read_name(s, name, &fine))
        return -1;
    b = by_name(s, name);
    if (!b)
        return stream_lost(s, STREAM_R_RAM_BLOCK, "%s is not", name);
    s->qemu.block = (uint32_t)(b - s->big.blocks);
    s->qemu.have_block = true;
    return 0;
}

static int read_page(struct stream *s, uint64_t addr, unsigned flags)
{
    struct stream_page page = { .pfn = addr / STREAM_PAGE_LEN };

    if (find_block(s, flags & CONTINUE))
        return -1;
    page.block = s->qemu.block;
    if (addr >= s->big.blocks[page.block].len &&
        stream_odd(s, STREAM_R_RAM_OFFSET, "%#llx in %s",
                   (unsigned long long)addr, s->big.blocks[page.block].name))
        return -1;
    switch (flags & ~CONTINUE) {
    case ZERO:
        return read_zero(s, &page);
    case PAGE:
        return read_whole(s, &page);
    default:
        return read_difference(s, &page);
    }
}

static bool is_page(unsigned flags)
{
    flags &= ~CONTINUE;
    return flags == ZERO || flags == PAGE || flags == XBZRLE;
}

int stream_read_ram(struct stream *s, bool start)
{
    const uint8_t *p;
    unsigned flags;
    uint64_t addr;
    int rc;

    for (;;) {
        p = stream_take(s, 8);
        if (!p)
            return -1;
        flags = (unsigned)(load64be(p) & FLAGS);
        addr = load64be(p) & ~FLAGS;
        if (flags == EOS)
            return 0;
        if (flags == MEM_SIZE)
            rc = read_blocks(s, addr, start);
        else if (s->qemu.mapped)
            rc = stream_lost(s, STREAM_R_MAPPED_ENTRIES, "flags are %#x",
                             flags);
        else if (is_page(flags))
            rc = read_page(s, addr, flags);
        else if (flags & MULTIFD_FLUSH)
            rc = stream_lost(s, STREAM_R_QEMU_MULTIFD, "a flush is in it");
        else
            rc = stream_lost(s, STREAM_R_RAM_FLAGS, "they are %#x", flags);
        if (rc)
            return -1;
    }
}
