/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stock streams of images, as libxl and libxc write and restore them: what
 * receiver dom0 moves.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_config.h"
#include "mext_libxl.h"
#include "mext_net.h"
#include "mext_store.h"
#include "mext_suspend.h"
#include "mext_xen.h"

#define BATCH      256 /* pages of a record */
#define ITERATIONS 4   /* before the suspend */
#define SUSPEND_MS 60000
#define PAGES      1
#define CONTEXT    9

/* Above the gfn: a page without content, of which none follows. */
#define XALLOC (0xeull << 60)

/* ---- the source ---- */

struct saver {
    int fd;
    struct mext_dom *dom;
    struct mext_store *store;
    struct image_ram ram;
    uint64_t gfns[BATCH];
    unsigned n;
};

static volatile sig_atomic_t told_to_end;

static void on_term(int sig)
{
    told_to_end = 1;
}

static int put(struct saver *s, const void *p, size_t n, struct mext_why *why)
{
    const char *at = p;

    while (n) {
        ssize_t k = told_to_end ? -1 : write(s->fd, at, n);

        if (k < 0 && errno == EINTR && !told_to_end)
            continue;
        if (k < 0)
            return mext_fail(why, "nobody reads the stream any more");
        at += k;
        n -= (size_t)k;
    }
    return 0;
}

static int put_record(struct saver *s, uint32_t type, const void *p,
                      uint32_t len, struct mext_why *why)
{
    static const uint8_t pad[8];
    uint32_t head[2] = { type, len };

    return put(s, head, sizeof(head), why) || (len && put(s, p, len, why)) ||
           put(s, pad, -len % 8, why);
}

static int put_batch(struct saver *s, struct mext_why *why)
{
    uint32_t head[4] = { PAGES, 8 + s->n * (8 + MEXT_PAGE_SIZE), s->n, 0 };

    if (!s->n)
        return 0;
    if (put(s, head, sizeof(head), why) || put(s, s->gfns, 8 * s->n, why))
        return -1;
    for (unsigned i = 0; i < s->n; i++)
        if (put(s, image_page(&s->ram, s->gfns[i]), MEXT_PAGE_SIZE, why))
            return -1;
    s->n = 0;
    return 0;
}

/* Pages of a bitmap that the guest has; NULL: all. */
static int put_pages(struct saver *s, const uint64_t *bits,
                     struct mext_why *why)
{
    for (uint64_t g = 0; g < IMAGE_GFNS; g++) {
        if ((bits && !image_bit(bits, g)) || !image_bit(s->ram.present, g) ||
            (g >= IMAGE_SPECIAL_GFN && g < IMAGE_SPECIAL_GFN + IMAGE_SPECIALS))
            continue;
        s->gfns[s->n++] = g;
        if (s->n == BATCH && put_batch(s, why))
            return -1;
    }
    return put_batch(s, why);
}

static int put_dirty(struct saver *s, struct mext_why *why)
{
    const uint64_t *bits;

    return mext_dom_dirty_fetch(s->dom, false, &bits, why) ||
           put_pages(s, bits, why);
}

static int put_headers(struct saver *s, struct mext_why *why)
{
    static const uint8_t libxc[40] = "\xff\xff\xff\xff\xff\xff\xff\xff"
                                     "XENF\0\0\0\3\0\0\0\0\0\0\0\0"
                                     "\2\0\0\0\x0c\0\0\0\4\0\0\0\x11\0\0";

    return put(s, "LibxlFmt\0\0\0\2\0\0\0", 16, why) ||
           put_record(s, 1, NULL, 0, why) || put(s, libxc, 40, why) ||
           put_record(s, 0x10, NULL, 0, why);
}

static int put_end(struct saver *s, struct mext_why *why)
{
    uint8_t *context = NULL;
    uint32_t len;
    int rc = mext_dom_context_get(s->dom, &context, &len, why) ||
             put_record(s, CONTEXT, context, len, why) ||
             put_record(s, 0, NULL, 0, why) || put_record(s, 0, NULL, 0, why);

    free(context);
    return rc;
}

static int save(struct saver *s, struct mext_why *why)
{
    bool suspended;

    if (mext_dom_dirty_start(s->dom, IMAGE_GFNS, why) || put_headers(s, why) ||
        put_pages(s, NULL, why))
        return -1;
    for (unsigned i = 0; i < ITERATIONS; i++)
        if (put_dirty(s, why))
            return -1;
    return mext_suspend(s->dom, s->store, SUSPEND_MS, &suspended, why) ||
           put_dirty(s, why) || put_end(s, why);
}

int mext_lxl_save(struct mext_lxl *l, uint32_t domid, bool live, int fd,
                  struct mext_why *why)
{
    struct sigaction term = { .sa_handler = on_term };
    struct saver s = { .fd = fd };
    int rc = -1;

    sigaction(SIGTERM, &term, NULL);
    if (!mext_dom_open(domid, &s.dom, why) && !mext_store_open(&s.store, why) &&
        !image_ram_open(domid, false, &s.ram)) {
        rc = save(&s, why);
        image_ram_close(&s.ram);
    }
    mext_store_close(s.store);
    mext_dom_close(s.dom);
    return rc ? -1 : 0;
}

/* ---- the destination ---- */

static int get(int fd, void *p, size_t n)
{
    char *at = p;

    while (n) {
        ssize_t k = read(fd, at, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return -1;
        at += k;
        n -= (size_t)k;
    }
    return 0;
}

static int get_pages(int fd, struct image_ram *ram)
{
    static uint64_t gfns[1024];
    uint32_t head[2];

    if (get(fd, head, sizeof(head)) || head[0] > 1024 ||
        get(fd, gfns, 8 * (size_t)head[0]))
        return -1;
    for (uint32_t i = 0; i < head[0]; i++)
        if ((gfns[i] & ~XALLOC) >= IMAGE_GFNS ||
            (!(gfns[i] & XALLOC) &&
             get(fd, image_page(ram, gfns[i]), MEXT_PAGE_SIZE)))
            return -1;
    return 0;
}

/* libxc's part; its context goes to m. */
static int get_memory(int fd, struct image_ram *ram, struct image_msg *m)
{
    static uint8_t skip[40];
    uint32_t head[2];

    if (get(fd, skip, 16 + 8) || get(fd, skip, 40))
        return -1;
    do {
        if (get(fd, head, sizeof(head)))
            return -1;
        if (head[0] == PAGES
                ? get_pages(fd, ram)
                : head[1] > sizeof(m->data) || get(fd, m->data, head[1]) ||
                      get(fd, skip, -head[1] % 8))
            return -1;
        if (head[0] == CONTEXT)
            m->len = head[1];
    } while (head[0]);
    return get(fd, head, sizeof(head)); /* libxl's end */
}

int image_restore(struct image_conn *c, uint32_t domid, int fd)
{
    static struct image_msg m;
    struct image_ram ram;
    int rc;

    if (image_ram_open(domid, false, &ram))
        return -1;
    image_ram_junk(&ram);
    rc = get_memory(fd, &ram, &m);
    image_ram_close(&ram);
    m.op = IMAGE_CONTEXT_SET;
    m.domid = domid;
    return rc ? -1 : image_call(c, &m);
}
