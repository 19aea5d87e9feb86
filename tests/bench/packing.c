/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packing IMAGE [LATER]: what --compress leaves of a guest's memory, and what it
 * costs beside sealing.  IMAGE is a dump of the memory as it is, page after page;
 * LATER one of the same guest some time after, of which the pages that have
 * changed are sent again.  Nothing is sent: the link is as fast as memory.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>

#include "mext_order.h"
#include "mext_pack.h"
#include "mext_seal.h"

#define CACHE_PAGES_MAX 16384 /* as mext_memory.c has it, and an eighth */

struct image {
    const uint8_t *page;
    uint64_t pages;
};

struct result {
    uint64_t pages, bytes, deltas, zstd;
    double us;
};

static const uint8_t zeros[MEXT_PAGE_SIZE];

static struct image load(const char *path)
{
    struct image i = { NULL, 0 };
    int fd = open(path, O_RDONLY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) || st.st_size < MEXT_PAGE_SIZE) {
        perror(path);
        exit(1);
    }
    i.pages = (uint64_t)st.st_size / MEXT_PAGE_SIZE;
    i.page = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (i.page == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    return i;
}

static double cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Packs and seals the frame, and counts what would be sent. */
static void send_frame(struct mext_packer *p, struct mext_data *d,
                       const uint8_t **page, struct result *r)
{
    static struct mext_seal seal;
    static uint8_t out[MEXT_PAGE_SIZE + MEXT_TAG_LEN];
    uint64_t bytes = 0;

    mext_packer_frame(p, d, page);
    for (unsigned i = 0; i < d->u.pages.ndata; i++) {
        if (!d->u.pages.len[i])
            continue;
        mext_page_seal(&seal, out, page[i], d->u.pages.len[i]);
        bytes += d->u.pages.len[i] + MEXT_TAG_LEN;
    }
    mext_packer_sent(p, bytes + 1, 0);
    r->pages += d->u.pages.ndata;
    r->bytes += bytes;
}

static bool has_content(const uint8_t *page)
{
    return memcmp(page, zeros, MEXT_PAGE_SIZE) != 0;
}

/* Sends the gfns set in todo, in the order of an iteration of the product. */
static void send_all(struct mext_packer *p, const struct image *now,
                     uint64_t *todo, const uint64_t *hot, struct result *r)
{
    const uint8_t *page[MEXT_PAGES_DATA_MAX];
    uint64_t list[MEXT_BLOCK_GFNS];
    struct mext_order order;
    double start = cpu_us();
    unsigned n;

    if (mext_order_init(&order, todo, now->pages))
        exit(1);
    mext_order_begin(&order);
    while ((n = mext_order_next(&order, hot, list, MEXT_BLOCK_GFNS)))
        for (unsigned i = 0; i < n;) {
            struct mext_data d = { .type = MEXT_DATA_PAGES };
            unsigned room = mext_packer_room(p);

            p->again = p->cache && (order.second || !hot);
            d.u.pages.base = list[i];
            for (; i < n && d.u.pages.ndata < room &&
                   list[i] - d.u.pages.base < MEXT_PAGES_SPAN_MAX;
                 i++) {
                unsigned at = (unsigned)(list[i] - d.u.pages.base);

                mext_map_set(d.u.pages.map, at, MEXT_MAP_DATA);
                d.u.pages.span = (uint16_t)(at + 1);
                page[d.u.pages.ndata++] = now->page + list[i] * MEXT_PAGE_SIZE;
            }
            send_frame(p, &d, page, r);
        }
    r->us += cpu_us() - start;
    mext_order_free(&order);
}

/* One bit for each gfn with content; later: only where it is not the same. */
static uint64_t *content_of(const struct image *now, const struct image *before)
{
    uint64_t *map = calloc(now->pages / 64, sizeof(*map));

    for (uint64_t gfn = 0; map && gfn < now->pages; gfn++) {
        const uint8_t *page = now->page + gfn * MEXT_PAGE_SIZE;

        if (has_content(page) &&
            (!before ||
             memcmp(page, before->page + gfn * MEXT_PAGE_SIZE, MEXT_PAGE_SIZE)))
            map[gfn / 64] |= 1ULL << (gfn % 64);
    }
    return map;
}

/*
 * The blocks in which something will change, those with most of it last, as if
 * one had been written in each that many are in.
 */
static uint64_t *hot_of(const uint64_t *changed, uint64_t pages)
{
    uint64_t *hot = calloc(pages / 64, sizeof(*hot));

    for (uint64_t i = 0; hot && i < pages / 64; i++)
        if (__builtin_popcountll(changed[i]))
            hot[i] = 1;
    return hot;
}

static void tell(const char *what, const struct result *r)
{
    printf("%-12s %8llu pages %9.2f MB %6.3f of them %7.2f us a page, %llu by "
           "zstd, %llu changed\n",
           what, (unsigned long long)r->pages, (double)r->bytes / 1e6,
           (double)r->bytes / ((double)r->pages * MEXT_PAGE_SIZE),
           r->us / (double)r->pages, (unsigned long long)r->zstd,
           (unsigned long long)r->deltas);
}

static void measure(const char *how, const struct image *now,
                    const struct image *later)
{
    uint64_t *todo = content_of(now, NULL);
    uint64_t *changed = content_of(later, now);
    uint64_t *hot = hot_of(changed, now->pages);
    struct result r = { 0, 0, 0, 0, 0 }, again = { 0, 0, 0, 0, 0 };
    struct mext_packing packing;
    struct mext_packer p;

    if (!todo || !changed || !hot || !mext_packing_parse(how, &packing) ||
        mext_packer_init(&p, &packing))
        exit(1);
    if (packing.by != MEXT_PACK_NONE)
        p.cache = mext_cache_new(now->pages / 8 < CACHE_PAGES_MAX
                                     ? now->pages / 8
                                     : CACHE_PAGES_MAX);
    send_all(&p, now, todo, hot, &r);
    r.zstd = p.zstd;
    tell(how, &r);
    send_all(&p, later, changed, NULL, &again);
    again.zstd = p.zstd - r.zstd;
    again.deltas = p.delta;
    if (again.pages)
        tell("  again", &again);
    mext_cache_free(p.cache);
    mext_packer_free(&p);
    free(todo);
    free(changed);
    free(hot);
}

int main(int argc, char **argv)
{
    static const char *const how[] = { "none",   "lz4",    "zstd:1", "zstd:3",
                                       "zstd:6", "zstd:9", "auto" };
    struct image now, later;

    if (argc < 2 || argc > 3 || sodium_init() < 0) {
        fprintf(stderr, "Usage: packing IMAGE [LATER]\n");
        return 2;
    }
    now = load(argv[1]);
    later = load(argv[argc - 1]);
    if (later.pages != now.pages || now.pages % 64) {
        fprintf(stderr, "packing: the images differ in size, or are odd\n");
        return 1;
    }
    for (unsigned i = 0; i < sizeof(how) / sizeof(how[0]); i++)
        measure(how[i], &now, &later);
    return 0;
}
