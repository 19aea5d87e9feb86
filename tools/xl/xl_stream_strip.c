/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl migrate-stream strip: three walks.  The first keeps the rules and notes
 * for each page which of its entries counts, the second copies, the third sees
 * that the copy keeps the rules.  Why xl restore takes the copy for the same
 * guest: docs/specs/streams.md.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xl_stream_index.h"
#include "xl_stream_run.h"

#define PAGE_DATA  1u
#define PV_INFO    2u
#define VERIFY     13u
#define BATCH      1024u /* entries, as libxc makes them */
#define TYPE_SHIFT 60

struct strip {
    const struct xl_stream *x;
    struct xl_index counts; /* number of the entry of a page that counts */
    uint64_t entries;       /* seen in this walk */
    bool pages;             /* in a record of pages */
    const char *refused;    /* NULL: nothing is against it */
    int error;              /* errno of writing or of memory */

    FILE *new;
    unsigned n, ndata; /* of the batch */
    uint64_t batch[BATCH];
    uint8_t *data; /* BATCH pages */

    uint64_t absent, older, zeroed; /* entries, then pages, that are left out */
};

/* ---- first walk ---- */

static bool tell(void *arg, const struct stream_broken *b)
{
    const struct strip *t = arg;

    xl_stream_say(t->x->err, t->x->name[0], b);
    return false;
}

static void note_record(void *arg, const struct stream_record *r)
{
    struct strip *t = arg;

    if (t->refused)
        return;
    if (r->layer == STREAM_QEMU)
        t->refused = "QEMU's stream has nothing to leave out";
    else if (r->layer == STREAM_DUMP)
        t->refused = "a data channel is nothing that xl restore takes";
    else if (r->layer == STREAM_LIBXC && r->type == VERIFY)
        t->refused = "it has pages to compare (VERIFY)";
    else if (r->layer == STREAM_LIBXC && r->type == PV_INFO)
        t->refused = "it is a PV guest's, whose pages have types";
}

static bool has_data(unsigned kind)
{
    return kind < STREAM_BROKEN;
}

/* The last entry with data counts; without any, the first that populates. */
static void note_page(void *arg, const struct stream_page *p)
{
    struct strip *t = arg;
    uint64_t number = t->entries++, *value;

    if (!has_data(p->kind) && p->kind != STREAM_XALLOC)
        return;
    value = xl_index_add(&t->counts, p->pfn, number);
    if (!value)
        t->error = ENOMEM;
    else if (has_data(p->kind))
        *value = number;
}

static int first_walk(struct strip *t, struct xl_file *f)
{
    static const struct stream_events events = { .broken = tell,
                                                 .begin = note_record,
                                                 .page = note_page };

    if (xl_file_walk(t->x, f, &events, t, NULL))
        return -1;
    if (t->error)
        t->refused = strerror(t->error);
    if (!t->refused)
        return 0;
    fprintf(t->x->err, "xl: %s: %s\n", f->name, t->refused);
    return -1;
}

/* ---- second walk ---- */

static void put(struct strip *t, const void *p, size_t n)
{
    if (n && fwrite(p, 1, n, t->new) != n && !t->error)
        t->error = errno ? errno : EIO;
}

static void put_batch(struct strip *t)
{
    uint32_t len = 8 + 8 * t->n + STREAM_PAGE_LEN * t->ndata;
    uint32_t head[] = { PAGE_DATA, len, t->n, 0 };

    if (!t->n)
        return;
    put(t, head, sizeof(head));
    put(t, t->batch, t->n * sizeof(t->batch[0]));
    put(t, t->data, (size_t)t->ndata * STREAM_PAGE_LEN);
    t->n = t->ndata = 0;
}

static void copy_begin(void *arg, const struct stream_record *r)
{
    struct strip *t = arg;

    t->pages = r->layer == STREAM_LIBXC && r->type == PAGE_DATA;
    if (!t->pages)
        put_batch(t);
}

static void copy_end(void *arg, const struct stream_record *r)
{
    struct strip *t = arg;

    t->pages = false;
}

static void copy_bytes(void *arg, const void *p, size_t n)
{
    struct strip *t = arg;

    if (!t->pages)
        put(t, p, n);
}

static void copy_page(void *arg, const struct stream_page *p)
{
    struct strip *t = arg;
    uint64_t number = t->entries++, kind = p->kind;
    const uint64_t *counts;

    counts = xl_index_find(&t->counts, p->pfn);
    if (!has_data(p->kind) && (!counts || *counts != number)) {
        t->absent++;
        return;
    }
    if (!counts || *counts != number) {
        t->older++;
        return;
    }
    if (has_data(p->kind) && t->x->zeroed && stream_is_zero(p->data, p->len)) {
        t->zeroed++;
        kind = STREAM_XALLOC;
    } else if (has_data(p->kind)) {
        memcpy(t->data + (size_t)t->ndata * STREAM_PAGE_LEN, p->data,
               STREAM_PAGE_LEN);
        t->ndata++;
    }
    t->batch[t->n++] = kind << TYPE_SHIFT | p->pfn;
    if (t->n == BATCH)
        put_batch(t);
}

static int second_walk(struct strip *t, struct xl_file *f)
{
    static const struct stream_events events = { .begin = copy_begin,
                                                 .end = copy_end,
                                                 .page = copy_page,
                                                 .bytes = copy_bytes };

    t->entries = 0;
    if (xl_file_rewind(t->x, f) || xl_file_walk(t->x, f, &events, t, NULL))
        return -1;
    if (fflush(t->new) && !t->error)
        t->error = errno;
    if (!t->error)
        return 0;
    fprintf(t->x->err, "xl: %s: %s\n", t->x->name[1], strerror(t->error));
    return -1;
}

/* ---- the whole ---- */

static int report_json(const struct strip *t, uint64_t was, uint64_t is)
{
    yajl_gen g = xl_json_open(t->x->out);

    if (!g)
        return -1;
    yajl_gen_map_open(g);
    xl_json_number(g, "bytes", is);
    xl_json_number(g, "bytes_before", was);
    xl_json_number(g, "older", t->older);
    xl_json_number(g, "absent", t->absent);
    xl_json_number(g, "zero", t->zeroed);
    yajl_gen_map_close(g);
    xl_json_close(t->x->out, g);
    return 0;
}

static int report(const struct strip *t, uint64_t was, uint64_t is)
{
    if (t->x->json)
        return report_json(t, was, is);
    fprintf(t->x->out,
            "%" PRIu64 " bytes instead of %" PRIu64 " (%.1f %%): %" PRIu64
            " older copies of pages, %" PRIu64 " entries without a page",
            is, was, was ? 100.0 * (double)is / (double)was : 0, t->older,
            t->absent);
    if (t->x->zeroed)
        fprintf(t->x->out, ", %" PRIu64 " zero pages", t->zeroed);
    fprintf(t->x->out, " left out\n");
    return 0;
}

static int copy(struct strip *t, struct xl_file *f)
{
    struct stat was, is = { 0 };
    int rc;

    t->new = xl_new_open(t->x);
    if (!t->new)
        return -1;
    rc = second_walk(t, f);
    if (fstat(fileno(t->new), &is) && !rc)
        rc = -1;
    if (xl_new_close(t->x, t->new, rc))
        return -1;
    return report(t, fstat(f->fd, &was) ? 0 : (uint64_t)was.st_size,
                  (uint64_t)is.st_size);
}

int xl_stream_strip(const struct xl_stream *x)
{
    static struct strip t;
    struct xl_file f;
    int rc = -1;

    t = (struct strip){ .x = x };
    if (xl_file_open(x, x->name[0], &f))
        return 1;
    t.data = malloc((size_t)BATCH * STREAM_PAGE_LEN);
    if (!t.data)
        fprintf(x->err, "xl: %s: %s\n", f.name, strerror(ENOMEM));
    else if (!xl_file_rewind(x, &f) && !xl_file_check(x, &f) &&
             !first_walk(&t, &f))
        rc = copy(&t, &f);
    xl_file_close(&f);
    xl_index_free(&t.counts);
    free(t.data);
    return rc ? 1 : 0;
}
