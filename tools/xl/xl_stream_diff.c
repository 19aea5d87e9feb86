/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl migrate-stream diff: of each stream the things that have a name, and a
 * hash of each page; then both are compared.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xl_stream_index.h"
#include "xl_stream_run.h"
#include "xl_stream_things.h"

#define PAGE_DATA   1u
#define VERIFY      13u
#define BLOCK_SHIFT 44 /* a page of QEMU's RAM: its block's number above */
#define PAGE_MASK   (((uint64_t)1 << BLOCK_SHIFT) - 1)
#define RANGES      8u /* that are shown, if not all */

/* Names of blocks of RAM, numbered for both streams. */
struct names {
    char *name[2 * STREAM_BLOCKS];
    unsigned n;
};

struct side {
    const struct xl_stream *x;
    const char *name; /* of the file */
    struct xl_things things;
    struct xl_index pages;
    struct names *names;
    unsigned block[STREAM_BLOCKS]; /* this stream's numbers */
    uint64_t changes;              /* pages that came as differences */
    bool verify, qemu, failed;
    bool broken;    /* a rule is */
    bool xen_pages; /* the record has pages, whose bytes are not its own */
    crypto_generichash_state hash;
};

/* ---- reading ---- */

static struct xl_thing *add(struct side *d, const char *name)
{
    struct xl_thing *t = xl_things_add(&d->things, name);

    d->failed |= !t;
    return t;
}

/* A thing of kind "KIND NAME", its value from n bytes of text. */
static struct xl_thing *add_text(struct side *d, const char *kind,
                                 const char *name, const void *text, size_t n)
{
    char full[STREAM_PATH_MAX + 32];
    struct xl_thing *t;
    const uint8_t *p = text;

    snprintf(full, sizeof(full), "%s %s", kind, name);
    t = add(d, full);
    if (!t)
        return NULL;
    t->hash = xl_hash(text, n);
    for (size_t i = 0; i < n && i + 1 < sizeof(t->value); i++)
        t->value[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
    return t;
}

static bool on_broken(void *arg, const struct stream_broken *b)
{
    struct side *d = arg;

    d->broken = true;
    if (b->rule == STREAM_R_FILE_TRUNCATED || b->rule == STREAM_R_FILE_MAGIC)
        xl_stream_say(d->x->err, d->name, b);
    return true;
}

static void on_setting(void *arg, const char *path, const char *value, size_t n)
{
    add_text(arg, "config", path, value, n);
}

static void on_entry(void *arg, unsigned type, unsigned instance, const void *p,
                     size_t n)
{
    const char *known = stream_entry_name(type);
    struct xl_thing *t;
    char name[64];

    snprintf(name, sizeof(name), "%s %u", known ? known : "?", instance);
    t = add_text(arg, "hvm", name, p, n);
    if (t)
        snprintf(t->value, sizeof(t->value), "%zu bytes, %016" PRIx64, n,
                 t->hash);
}

static void on_param(void *arg, uint64_t index, uint64_t value)
{
    const char *known = stream_param_name(index);
    char name[32], text[32];

    snprintf(name, sizeof(name), "%" PRIu64, index);
    snprintf(text, sizeof(text), "%#" PRIx64, value);
    add_text(arg, "param", known ? known : name, text, strlen(text));
}

static void on_subsection(void *arg, const char *device, uint32_t instance,
                          const char *name)
{
    char full[2 * STREAM_NAME_MAX + 16];

    snprintf(full, sizeof(full), "%s %" PRIu32 " %s", device, instance, name);
    add_text(arg, "subsection", full, "there", 5);
}

static void on_block(void *arg, uint32_t number, const char *name, uint64_t len)
{
    struct side *d = arg;
    struct names *l = d->names;
    char text[32];
    unsigned i;

    for (i = 0; i < l->n && strcmp(l->name[i], name); i++)
        ;
    if (i == l->n && i < 2 * STREAM_BLOCKS) {
        l->name[i] = strdup(name);
        l->n += !!l->name[i];
    }
    d->failed |= i >= l->n;
    d->block[number] = i;
    snprintf(text, sizeof(text), "%" PRIu64 " bytes", len);
    add_text(d, "block", name, text, strlen(text));
}

/* Which page it is for both streams. */
static uint64_t page_of(const struct side *d, const struct stream_page *p)
{
    if (!d->qemu)
        return p->pfn;
    return (uint64_t)d->block[p->block] << BLOCK_SHIFT | (p->pfn & PAGE_MASK);
}

/*
 * As a receiver has it: the last content counts; XALLOC only populates; what
 * has no page changes nothing.  A populated page with nothing said of it has
 * hash 0; of what came as a difference the hash is of all before, and of it.
 */
static void on_page(void *arg, const struct stream_page *p)
{
    static const uint8_t zero[STREAM_PAGE_LEN];
    bool change = p->kind == STREAM_RAM_XBZRLE;
    bool content = p->len == STREAM_PAGE_LEN || p->kind == STREAM_RAM_ZERO;
    struct side *d = arg;
    uint64_t *value;

    if (d->verify || p->kind == STREAM_BROKEN || p->kind == STREAM_XTAB)
        return;
    value = xl_index_add(&d->pages, page_of(d, p), 0);
    if (!value)
        d->failed = true;
    else if (change)
        *value = *value * 31 + xl_hash(p->data ? p->data : zero, p->len);
    else if (content)
        *value = xl_hash(p->data ? p->data : zero, STREAM_PAGE_LEN);
    d->changes += change;
}

static void on_begin(void *arg, const struct stream_record *r)
{
    struct side *d = arg;

    d->qemu = r->layer == STREAM_QEMU;
    d->xen_pages = r->layer == STREAM_LIBXC && r->type == PAGE_DATA;
    if (r->layer == STREAM_LIBXC && r->type == VERIFY)
        d->verify = true;
    crypto_generichash_init(&d->hash, NULL, 0, 16);
}

static void on_body(void *arg, const void *p, size_t n)
{
    struct side *d = arg;

    if (!d->xen_pages)
        crypto_generichash_update(&d->hash, p, n);
}

/* What is told value by value, or is no more than where it stands. */
static bool is_told(const struct stream_record *r, const struct side *d)
{
    return d->xen_pages || r->layer == STREAM_XL || !strcmp(r->name, "ram") ||
           (r->layer == STREAM_DUMP && !strcmp(r->name, "PAGES")) ||
           !strcmp(r->name, "HVM_CONTEXT") || !strcmp(r->name, "HVM_PARAMS") ||
           !strcmp(r->name, "vmdescription");
}

static void on_end(void *arg, const struct stream_record *r)
{
    struct side *d = arg;
    struct xl_thing *t;
    uint8_t out[16];

    crypto_generichash_final(&d->hash, out, sizeof(out));
    if (is_told(r, d))
        return;
    t = add_text(d, stream_layer_name(r->layer), r->name, out, sizeof(out));
    if (t)
        snprintf(t->value, sizeof(t->value), "%" PRIu64 " bytes, %.36s",
                 r->length, *r->note ? r->note : "");
}

static int read_side(struct side *d)
{
    static const struct stream_events events = {
        .broken = on_broken,
        .begin = on_begin,
        .end = on_end,
        .page = on_page,
        .setting = on_setting,
        .entry = on_entry,
        .param = on_param,
        .block = on_block,
        .subsection = on_subsection,
        .body = on_body,
    };
    struct stream *s = NULL;
    struct xl_file f;
    int rc;

    if (xl_file_open(d->x, d->name, &f))
        return -1;
    rc = xl_file_check(d->x, &f) ? -1 : xl_file_walk(d->x, &f, &events, d, &s);
    xl_file_close(&f);
    if (rc >= 0 && (!stream_complete(s) || d->failed)) {
        fprintf(d->x->err, "xl: %s: %s\n", d->name,
                d->failed ? "there is too much in it, or too little memory"
                          : "it is damaged: xl migrate-stream verify");
        rc = -1;
    } else if (rc >= 0 && d->broken) {
        fprintf(d->x->err,
                "xl: %s: it breaks rules, so not all of it is compared: xl "
                "migrate-stream verify\n",
                d->name);
    }
    stream_close(s);
    return rc < 0 ? -1 : 0;
}

/* ---- comparing ---- */

struct diff {
    const struct xl_stream *x;
    yajl_gen json; /* NULL: text */
    struct side side[2];
    struct names names;
    uint64_t things;                /* that differ */
    uint64_t only[2], differ, same; /* pages */
    /* A range of pages with one word. */
    const char *word;
    uint64_t first, last;
    unsigned ranges;
};

static void put_thing(struct diff *d, const struct xl_thing *a,
                      const struct xl_thing *b)
{
    const char *name = a ? a->name : b->name;

    d->things++;
    if (!d->json) {
        fprintf(d->x->out, "%s: %s | %s\n", name, a ? a->value : "-",
                b ? b->value : "-");
        return;
    }
    yajl_gen_map_open(d->json);
    xl_json_text(d->json, "name", name);
    if (a)
        xl_json_text(d->json, "a", a->value);
    if (b)
        xl_json_text(d->json, "b", b->value);
    yajl_gen_map_close(d->json);
}

static void compare_things(struct diff *d)
{
    const struct xl_things *a = &d->side[0].things, *b = &d->side[1].things;
    size_t i = 0, j = 0;
    int order;

    while (i < a->n || j < b->n) {
        order = i == a->n   ? 1
                : j == b->n ? -1
                            : strcmp(a->thing[i].name, b->thing[j].name);
        if (order < 0)
            put_thing(d, &a->thing[i++], NULL);
        else if (order > 0)
            put_thing(d, NULL, &b->thing[j++]);
        else {
            if (a->thing[i].hash != b->thing[j].hash)
                put_thing(d, &a->thing[i], &b->thing[j]);
            i++;
            j++;
        }
    }
}

static void put_range(struct diff *d)
{
    const char *block = "";
    uint64_t top = d->first >> BLOCK_SHIFT;

    if (!d->word || (!d->x->all && ++d->ranges > RANGES))
        return;
    if (d->side[0].qemu && top < d->names.n)
        block = d->names.name[top];
    if (!d->json) {
        fprintf(d->x->out, "pages %s%s%#" PRIx64 " to %#" PRIx64 ": %s\n",
                block, *block ? " " : "", d->first & PAGE_MASK,
                d->last & PAGE_MASK, d->word);
        return;
    }
    yajl_gen_map_open(d->json);
    if (*block)
        xl_json_text(d->json, "block", block);
    xl_json_number(d->json, "first", d->first & PAGE_MASK);
    xl_json_number(d->json, "last", d->last & PAGE_MASK);
    xl_json_text(d->json, "how", d->word);
    yajl_gen_map_close(d->json);
}

/* The next page in rising order and what is with it; NULL: ends a range. */
static void put_page(struct diff *d, uint64_t page, const char *word)
{
    if (word && d->word == word && page == d->last + 1) {
        d->last = page;
        return;
    }
    put_range(d);
    d->word = word;
    d->first = d->last = page;
}

static void compare_pages(struct diff *d)
{
    static const char differs[] = "differ", in_a[] = "only in the first",
                      in_b[] = "only in the second";
    const struct xl_index *a = &d->side[0].pages, *b = &d->side[1].pages;
    size_t i = 0, j = 0;

    while (i < a->n || j < b->n) {
        if (j == b->n || (i < a->n && a->row[i].page < b->row[j].page)) {
            d->only[0]++;
            put_page(d, a->row[i++].page, in_a);
        } else if (i == a->n || b->row[j].page < a->row[i].page) {
            d->only[1]++;
            put_page(d, b->row[j++].page, in_b);
        } else {
            bool same = a->row[i].value == b->row[j].value;

            same ? d->same++ : d->differ++;
            put_page(d, a->row[i].page, same ? NULL : differs);
            i++;
            j++;
        }
    }
    put_page(d, 0, NULL);
}

static void put_sums(struct diff *d, bool same)
{
    uint64_t changes = d->side[0].changes + d->side[1].changes;
    FILE *f = d->x->out;

    if (d->json) {
        xl_json_number(d->json, "same", d->same);
        xl_json_number(d->json, "differ", d->differ);
        xl_json_number(d->json, "only_a", d->only[0]);
        xl_json_number(d->json, "only_b", d->only[1]);
        xl_json_number(d->json, "as_differences", changes);
        return;
    }
    if (d->ranges > RANGES)
        fprintf(f, "... and %u ranges more: --all\n", d->ranges - RANGES);
    fprintf(f,
            "pages: %" PRIu64 " the same, %" PRIu64 " differ, %" PRIu64
            " only in the first, %" PRIu64 " only in the second\n",
            d->same, d->differ, d->only[0], d->only[1]);
    if (changes)
        fprintf(f,
                "%" PRIu64 " pages came as differences: the same only where "
                "these are\n",
                changes);
    fprintf(f, same ? "the same\n" : "%" PRIu64 " other things differ\n",
            d->things);
}

static int compare(struct diff *d)
{
    bool same;

    if (d->x->json) {
        d->json = xl_json_open(d->x->out);
        if (!d->json)
            return 1;
        yajl_gen_map_open(d->json);
        xl_json_key(d->json, "things");
        yajl_gen_array_open(d->json);
    }
    compare_things(d);
    if (d->json) {
        yajl_gen_array_close(d->json);
        xl_json_key(d->json, "ranges");
        yajl_gen_array_open(d->json);
    }
    compare_pages(d);
    same = !d->things && !d->differ && !d->only[0] && !d->only[1] &&
           !d->side[0].broken && !d->side[1].broken;
    if (d->json) {
        yajl_gen_array_close(d->json);
        xl_json_key(d->json, "pages");
        yajl_gen_map_open(d->json);
    }
    put_sums(d, same);
    if (d->json) {
        yajl_gen_map_close(d->json);
        yajl_gen_map_close(d->json);
        xl_json_close(d->x->out, d->json);
    }
    return !same;
}

int xl_stream_diff(const struct xl_stream *x)
{
    static struct diff d;
    int rc = 0;

    d = (struct diff){ .x = x };
    for (unsigned i = 0; i < 2 && !rc; i++) {
        d.side[i].x = x;
        d.side[i].name = x->name[i];
        d.side[i].names = &d.names;
        rc = read_side(&d.side[i]);
        xl_things_sort(&d.side[i].things);
        xl_index_sort(&d.side[i].pages);
    }
    rc = rc ? 1 : compare(&d);
    for (unsigned i = 0; i < 2; i++) {
        xl_things_free(&d.side[i].things);
        xl_index_free(&d.side[i].pages);
    }
    for (unsigned i = 0; i < d.names.n; i++)
        free(d.names.name[i]);
    return rc;
}
