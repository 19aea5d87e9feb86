/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl migrate-stream inspect and verify. */
#include <inttypes.h>
#include <string.h>

#include "xl_stream_run.h"

struct view {
    const struct xl_stream *x;
    yajl_gen json; /* NULL: text */
    uint64_t broken;
    uint64_t records, pages;
    /* Records of pages one after another, if not each is shown. */
    unsigned n;
    struct stream_record run;
};

/* ---- inspect ---- */

static uint64_t sum(const struct stream_record *r)
{
    uint64_t n = 0;

    for (unsigned k = 0; k < STREAM_KINDS; k++)
        n += r->pages[k];
    return n;
}

static void put_pages(FILE *f, const struct stream_record *r)
{
    for (unsigned k = 0; k < STREAM_KINDS; k++)
        if (r->pages[k])
            fprintf(f, " %" PRIu64 " %s", r->pages[k], stream_kind_name(k));
    fprintf(f, ", %#" PRIx64 " to %#" PRIx64, r->first, r->last);
}

static void put_text(struct view *v, const struct stream_record *r)
{
    FILE *f = v->x->out;

    fprintf(f, "%12" PRIu64 " %12" PRIu64 " %-5s %s", r->at, r->length,
            stream_layer_name(r->layer), r->name);
    if (v->n > 1)
        fprintf(f, " x %u", v->n);
    if (*r->note)
        fprintf(f, ": %s", r->note);
    if (sum(r)) {
        fputc(':', f);
        put_pages(f, r);
    }
    fputc('\n', f);
}

static void put_json(struct view *v, const struct stream_record *r)
{
    yajl_gen g = v->json;

    yajl_gen_map_open(g);
    xl_json_number(g, "offset", r->at);
    xl_json_number(g, "length", r->length);
    xl_json_text(g, "layer", stream_layer_name(r->layer));
    xl_json_number(g, "type", r->type);
    xl_json_text(g, "name", r->name);
    xl_json_number(g, "records", v->n);
    if (*r->note)
        xl_json_text(g, "note", r->note);
    if (sum(r)) {
        xl_json_key(g, "pages");
        yajl_gen_map_open(g);
        for (unsigned k = 0; k < STREAM_KINDS; k++)
            if (r->pages[k])
                xl_json_number(g, stream_kind_name(k), r->pages[k]);
        yajl_gen_map_close(g);
        xl_json_number(g, "first", r->first);
        xl_json_number(g, "last", r->last);
    }
    yajl_gen_map_close(g);
}

static void flush(struct view *v)
{
    if (v->n && v->json)
        put_json(v, &v->run);
    else if (v->n)
        put_text(v, &v->run);
    v->n = 0;
}

/* The same kind of record as the run, and both have pages. */
static bool joins(const struct view *v, const struct stream_record *r)
{
    return v->n && !v->x->all && r->layer == v->run.layer &&
           r->type == v->run.type && !strcmp(r->name, v->run.name) && sum(r) &&
           sum(&v->run);
}

static void join(struct stream_record *to, const struct stream_record *r)
{
    to->length += r->length;
    for (unsigned k = 0; k < STREAM_KINDS; k++)
        to->pages[k] += r->pages[k];
    if (r->first < to->first)
        to->first = r->first;
    if (r->last > to->last)
        to->last = r->last;
}

static void on_end(void *arg, const struct stream_record *r)
{
    struct view *v = arg;

    v->records++;
    v->pages += sum(r);
    if (joins(v, r)) {
        join(&v->run, r);
        v->n++;
        return;
    }
    flush(v);
    v->run = *r;
    v->n = 1;
}

static void put_subsection(void *arg, const char *device, uint32_t instance,
                           const char *name)
{
    struct view *v = arg;
    yajl_gen g = v->json;

    flush(v);
    if (!g) {
        fprintf(v->x->out, "%12s %12s %-5s %s: subsection of %s %" PRIu32 "\n",
                "-", "-", stream_layer_name(STREAM_QEMU), name, device,
                instance);
        return;
    }
    yajl_gen_map_open(g);
    xl_json_text(g, "layer", stream_layer_name(STREAM_QEMU));
    xl_json_text(g, "subsection", name);
    xl_json_text(g, "device", device);
    xl_json_number(g, "instance", instance);
    yajl_gen_map_close(g);
}

static bool count_broken(void *arg, const struct stream_broken *b)
{
    struct view *v = arg;

    v->broken++;
    if (b->rule == STREAM_R_FILE_MAGIC || b->rule == STREAM_R_FILE_TRUNCATED)
        xl_stream_say(v->x->err, v->x->name[0], b);
    return true;
}

static void totals(struct view *v, uint64_t bytes)
{
    if (v->json) {
        yajl_gen_array_close(v->json);
        xl_json_number(v->json, "bytes", bytes);
        xl_json_number(v->json, "records", v->records);
        xl_json_number(v->json, "pages", v->pages);
        xl_json_number(v->json, "violations", v->broken);
        return;
    }
    fprintf(v->x->out,
            "%" PRIu64 " bytes, %" PRIu64 " records, %" PRIu64 " pages\n",
            bytes, v->records, v->pages);
    if (v->broken)
        fprintf(v->x->out, "%" PRIu64 " violations: xl migrate-stream verify\n",
                v->broken);
}

static int open_json(struct view *v, const char *list)
{
    if (!v->x->json)
        return 0;
    v->json = xl_json_open(v->x->out);
    if (!v->json)
        return -1;
    yajl_gen_map_open(v->json);
    xl_json_key(v->json, list);
    yajl_gen_array_open(v->json);
    return 0;
}

static void close_json(struct view *v)
{
    if (!v->json)
        return;
    yajl_gen_map_close(v->json);
    xl_json_close(v->x->out, v->json);
}

int xl_stream_inspect(const struct xl_stream *x)
{
    static const struct stream_events events = { .end = on_end,
                                                 .subsection = put_subsection,
                                                 .broken = count_broken };
    struct view v = { .x = x };
    struct xl_file f;
    struct stream *s = NULL;
    int rc;

    if (xl_file_open(x, x->name[0], &f))
        return 1;
    rc = open_json(&v, "list");
    if (!rc && !x->json)
        fprintf(x->out, "%12s %12s %-5s %s\n", "OFFSET", "LENGTH", "PART",
                "RECORD");
    if (!rc)
        rc = xl_file_walk(x, &f, &events, &v, &s);
    xl_file_close(&f);
    flush(&v);
    if (rc >= 0) {
        totals(&v, stream_offset(s));
        rc = !stream_complete(s);
        stream_close(s);
    } else if (v.json) {
        yajl_gen_array_close(v.json);
    }
    close_json(&v);
    return rc ? 1 : 0;
}

/* ---- verify ---- */

static bool on_broken(void *arg, const struct stream_broken *b)
{
    struct view *v = arg;
    yajl_gen g = v->json;

    v->broken++;
    if (!g) {
        xl_stream_say(v->x->out, v->x->name[0], b);
        return v->x->all;
    }
    yajl_gen_map_open(g);
    xl_json_number(g, "offset", b->at);
    if (b->rec) {
        xl_json_text(g, "layer", stream_layer_name(b->rec->layer));
        xl_json_text(g, "name", b->rec->name);
    }
    xl_json_text(g, "rule", stream_rule_name(b->rule));
    xl_json_text(g, "holds", stream_rule_text(b->rule));
    xl_json_text(g, "found", b->text);
    yajl_gen_map_close(g);
    return v->x->all;
}

static void count_end(void *arg, const struct stream_record *r)
{
    struct view *v = arg;

    v->records++;
    v->pages += sum(r);
}

int xl_stream_verify(const struct xl_stream *x)
{
    static const struct stream_events events = { .end = count_end,
                                                 .broken = on_broken };
    struct view v = { .x = x };
    struct xl_file f;
    struct stream *s = NULL;
    int rc;

    if (xl_file_open(x, x->name[0], &f))
        return 1;
    rc = open_json(&v, "violations");
    if (!rc)
        rc = xl_file_walk(x, &f, &events, &v, &s);
    if (!rc)
        rc = xl_file_check(x, &f);
    xl_file_close(&f);
    if (v.json) {
        yajl_gen_array_close(v.json);
        xl_json_key(v.json, "fine");
        yajl_gen_bool(v.json, !rc);
    }
    close_json(&v);
    if (!rc && !x->json)
        fprintf(x->out,
                "%s: every rule is kept: %" PRIu64 " bytes, %" PRIu64
                " records, %" PRIu64 " pages\n",
                x->name[0], stream_offset(s), v.records, v.pages);
    stream_close(s);
    return rc ? 1 : 0;
}
