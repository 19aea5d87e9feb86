/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * QEMU's description of a stream, JSON at its end: each device with its fields
 * and their sizes, from which it follows how long the device's section is.
 * migration/vmstate.c and scripts/analyze-migration.py of QEMU 7.2.
 */
#include <stdlib.h>

#include <yajl/yajl_parse.h>

#include "stream_qemu.h"

#define DEPTH_MAX 64
#define TOTAL_MAX (1ull << 40) /* more is not added up */
#define SUB_LEN   6u           /* octet, length of the name, version */

enum what {
    OTHER, /* and all in it */
    TOP,
    DEVICES,
    DEVICE,
    FIELDS,
    FIELD,
    SUBSECTIONS,
    SUBSECTION,
    STRUCT, /* a field's, whose size has all of it */
};

struct level {
    enum what what, next; /* next: what the value of the last key is */
    enum { NO_NUMBER, SIZE, COUNT, INSTANCE } number;
    enum { NO_TEXT, NAME, VMSD } text;
    uint64_t total, size, count;
    uint32_t instance;
    uint32_t vmsd; /* bytes of its name */
    char name[STREAM_NAME_MAX + 1];
};

struct desc {
    struct stream *s;
    unsigned depth;
    bool over;
    unsigned devices;
    struct level level[DEPTH_MAX];
};

static struct level *inner(struct desc *d)
{
    return &d->level[d->depth - 1];
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a + b < TOTAL_MAX ? a + b : TOTAL_MAX;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    return !a || b < TOTAL_MAX / a ? a * b : TOTAL_MAX;
}

static bool is(const unsigned char *key, size_t n, const char *word)
{
    return n == strlen(word) && !memcmp(key, word, n);
}

static int on_key(void *arg, const unsigned char *key, size_t n)
{
    struct level *l = inner(arg);
    bool sized = l->what == DEVICE || l->what == SUBSECTION ||
                 l->what == STRUCT;

    l->next = OTHER;
    l->number = NO_NUMBER;
    l->text = NO_TEXT;
    if (l->what == TOP && is(key, n, "devices"))
        l->next = DEVICES;
    else if (sized && is(key, n, "fields"))
        l->next = FIELDS;
    else if (sized && is(key, n, "subsections"))
        l->next = SUBSECTIONS;
    else if (l->what == FIELD && is(key, n, "struct"))
        l->next = STRUCT;
    else if (l->what == FIELD && is(key, n, "size"))
        l->number = SIZE;
    else if (l->what == FIELD && is(key, n, "array_len"))
        l->number = COUNT;
    else if (l->what == DEVICE && is(key, n, "instance_id"))
        l->number = INSTANCE;
    else if (l->what == DEVICE && is(key, n, "name"))
        l->text = NAME;
    else if (l->what == SUBSECTION && is(key, n, "vmsd_name"))
        l->text = VMSD;
    return 1;
}

static int on_number(void *arg, const char *text, size_t n)
{
    struct desc *d = arg;
    uint64_t v = 0;
    struct level *l;

    if (!d->depth)
        return 0;
    l = inner(d);
    for (size_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        v = plus(times(v, 10), (uint64_t)(text[i] - '0'));
    if (l->number == SIZE)
        l->size = v;
    else if (l->number == COUNT)
        l->count = v;
    else if (l->number == INSTANCE)
        l->instance = (uint32_t)v;
    return 1;
}

static int on_string(void *arg, const unsigned char *text, size_t n)
{
    struct desc *d = arg;
    struct level *l;

    if (!d->depth)
        return 0;
    l = inner(d);
    if (l->text != NO_TEXT)
        stream_printable(l->name, sizeof(l->name), text, n);
    if (l->text == VMSD)
        l->vmsd = n < 256 ? (uint32_t)n : 256;
    return 1;
}

static int enter(struct desc *d, bool array)
{
    struct level *l, *outer = d->depth ? inner(d) : NULL;
    enum what what = OTHER;

    if (d->depth == DEPTH_MAX || (!outer && array))
        return 0;
    if (!outer)
        what = TOP;
    else if (array)
        what = outer->next;
    else if (outer->what == DEVICES || outer->what == FIELDS ||
             outer->what == SUBSECTIONS)
        what = outer->what + 1;
    else if (outer->next == STRUCT)
        what = STRUCT;
    l = &d->level[d->depth++];
    memset(l, 0, sizeof(*l));
    l->what = what;
    l->count = 1;
    return 1;
}

static int on_map(void *arg)
{
    return enter(arg, false);
}

static int on_array(void *arg)
{
    return enter(arg, true);
}

/* A device is described: its section has to be as long. */
static int on_device(struct desc *d, const struct level *l)
{
    struct section *all = d->s->big.section, *sec = NULL;

    d->devices++;
    for (unsigned i = 0; i < d->s->qemu.nsections && !sec; i++)
        if (all[i].instance == l->instance && !strcmp(all[i].name, l->name))
            sec = &all[i];
    if (!sec || sec->start || sec->described)
        return stream_odd(d->s, STREAM_R_QEMU_DESC_SET, "%s %u is none",
                          l->name, l->instance);
    sec->described = true;
    if (l->total != sec->body)
        return stream_odd(d->s, STREAM_R_QEMU_DESC_LEN,
                          "%s %u at %llu has %llu bytes, not %llu", l->name,
                          l->instance, (unsigned long long)sec->at,
                          (unsigned long long)sec->body,
                          (unsigned long long)l->total);
    return 0;
}

static void tell_subsection(struct desc *d, const struct level *l)
{
    const struct level *device = l;

    while (device > d->level && device->what != DEVICE)
        device--;
    if (d->s->ev.subsection && device->what == DEVICE)
        d->s->ev.subsection(d->s->arg, device->name, device->instance, l->name);
}

static int leave(void *arg)
{
    struct desc *d = arg;
    struct level *l = inner(d), *outer;

    d->depth--;
    if (!d->depth)
        return 1;
    outer = inner(d);
    if (l->what == DEVICE) {
        d->over = on_device(d, l);
        return !d->over;
    }
    if (l->what == FIELD) {
        outer->total = plus(outer->total, times(l->size, l->count));
    } else if (l->what == SUBSECTION) {
        outer->total = plus(outer->total, plus(l->total, SUB_LEN + l->vmsd));
        tell_subsection(d, l);
    } else if (l->what == FIELDS || l->what == SUBSECTIONS) {
        outer->total = plus(outer->total, l->total);
    }
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = leave,
    .yajl_start_array = on_array,
    .yajl_end_array = leave,
};

/* All len bytes, whatever becomes of the text; -1: over. */
static int feed(struct stream *s, uint32_t len, yajl_handle h, bool *valid_r)
{
    const uint8_t *p;
    size_t n;

    *valid_r = true;
    while (len) {
        n = len < TAKE_MAX ? len : TAKE_MAX;
        p = stream_body(s, n);
        if (!p)
            return -1;
        *valid_r = *valid_r && yajl_parse(h, p, n) == yajl_status_ok;
        len -= (uint32_t)n;
    }
    return 0;
}

static int check_described(struct stream *s)
{
    for (unsigned i = 0; i < s->qemu.nsections; i++) {
        const struct section *sec = &s->big.section[i];

        if (!sec->start && !sec->described &&
            stream_odd(s, STREAM_R_QEMU_DESC_SET, "%s %u is not", sec->name,
                       sec->instance))
            return -1;
    }
    return 0;
}

int stream_read_vmdesc(struct stream *s, uint32_t len)
{
    struct desc *d = calloc(1, sizeof(*d));
    yajl_handle h = d ? yajl_alloc(&callbacks, NULL, d) : NULL;
    bool valid = false;
    int rc;

    if (!h) {
        free(d);
        return stream_no_memory(s);
    }
    d->s = s;
    rc = feed(s, len, h, &valid);
    valid = valid && yajl_complete_parse(h) == yajl_status_ok;
    if (d->over)
        rc = -1;
    stream_note(s, "%u devices", d->devices);
    yajl_free(h);
    free(d);
    if (rc)
        return -1;
    if (!valid)
        return stream_odd(s, STREAM_R_QEMU_DESC, "it is not");
    return check_described(s);
}
