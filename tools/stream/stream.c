/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream_priv.h"

struct stream *stream_open(stream_read_fn *read, void *read_arg,
                           const struct stream_events *events, void *arg)
{
    struct stream *s = malloc(sizeof(*s));

    if (s)
        stream_again(s, read, read_arg, events, arg);
    return s;
}

void stream_again(struct stream *s, stream_read_fn *read, void *read_arg,
                  const struct stream_events *events, void *arg)
{
    memset(s, 0, offsetof(struct stream, big));
    s->read = read;
    s->read_arg = read_arg;
    s->ev = *events;
    s->arg = arg;
}

void stream_close(struct stream *s)
{
    free(s);
}

uint64_t stream_offset(const struct stream *s)
{
    return s->at;
}

bool stream_complete(const struct stream *s)
{
    return s->complete;
}

/* ---- text ---- */

void stream_printable(char *dst, size_t max, const void *src, size_t n)
{
    const uint8_t *p = src;
    size_t i;

    for (i = 0; i < n && i + 1 < max; i++)
        dst[i] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '?';
    dst[i] = 0;
}

void stream_note(struct stream *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(s->rec.note, sizeof(s->rec.note), fmt, args);
    va_end(args);
}

/* ---- rules ---- */

static bool broken(struct stream *s, enum stream_rule rule, const char *fmt,
                   va_list args)
{
    char text[STREAM_NAME_MAX + STREAM_NOTE_MAX];
    struct stream_broken b = {
        .rule = rule,
        .at = s->in_record ? s->rec.at : s->at,
        .rec = s->in_record ? &s->rec : NULL,
        .text = text,
    };

    s->bad = true;
    vsnprintf(text, sizeof(text), fmt, args);
    return !s->ev.broken || s->ev.broken(s->arg, &b);
}

int stream_odd(struct stream *s, enum stream_rule rule, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    s->over |= !broken(s, rule, fmt, args);
    va_end(args);
    return s->over ? -1 : 0;
}

int stream_lost(struct stream *s, enum stream_rule rule, const char *fmt, ...)
{
    va_list args;

    /* Not the stream's fault, and told by stream_walk. */
    if (rule == STREAM_R_FILE_TRUNCATED && s->error)
        return -1;
    va_start(args, fmt);
    broken(s, rule, fmt, args);
    va_end(args);
    s->over = true;
    return -1;
}

int stream_no_memory(struct stream *s)
{
    s->error = ENOMEM;
    return -1;
}

/* ---- records ---- */

void stream_at_record(struct stream *s, enum stream_layer layer)
{
    struct stream_record *r = &s->rec;

    memset(r, 0, sizeof(*r));
    r->layer = layer;
    r->at = s->at;
    r->first = UINT64_MAX;
    s->left = 0;
    s->in_record = true;
}

void stream_name(struct stream *s, const void *name, size_t n)
{
    stream_printable(s->rec.name, sizeof(s->rec.name), name, n);
}

void stream_begin(struct stream *s, uint32_t type, const char *name)
{
    s->rec.type = type;
    if (name)
        stream_name(s, name, strlen(name));
    if (s->ev.begin)
        s->ev.begin(s->arg, &s->rec);
}

void stream_end(struct stream *s)
{
    s->rec.length = s->at - s->rec.at;
    if (s->ev.end)
        s->ev.end(s->arg, &s->rec);
    s->in_record = false;
}

void stream_page(struct stream *s, const struct stream_page *p)
{
    struct stream_record *r = &s->rec;

    r->pages[p->kind]++;
    if (p->pfn < r->first)
        r->first = p->pfn;
    if (p->pfn > r->last)
        r->last = p->pfn;
    if (s->ev.page)
        s->ev.page(s->arg, p);
}

int stream_finish(struct stream *s, enum stream_rule padding)
{
    const uint8_t *p;
    size_t pad;

    if (stream_body_skip(s, s->left))
        return -1;
    pad = (size_t)((s->rec.at - s->at) & 7); /* records begin at multiples */
    p = stream_take(s, pad);
    if (!p)
        return -1;
    return stream_is_zero(p, pad) ? 0 : stream_odd(s, padding, "it is not");
}

/* ---- the whole ---- */

typedef int reader(struct stream *s);

static const struct format {
    const char *magic;
    size_t n;
    reader *read;
} formats[] = {
    { "Xen saved domain, xl format\n \0 \r", 32, stream_read_xl },
    { "LibxlFmt", 8, stream_read_libxl },
    { "\xff\xff\xff\xff\xff\xff\xff\xffXENF", 12, stream_read_libxc },
    { "QEVM", 4, stream_read_qemu },
    { "MEXTDMP1", 8, stream_read_dump },
    { MEXT_OPEN_MAGIC, 8, stream_read_sealed },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static reader *format_of(struct stream *s)
{
    const uint8_t *p;
    size_t n;

    p = stream_peek(s, 32, &n);
    for (size_t i = 0; i < FORMATS; i++)
        if (n >= formats[i].n && !memcmp(p, formats[i].magic, formats[i].n))
            return formats[i].read;
    return NULL;
}

static void walk(struct stream *s)
{
    reader *read = format_of(s);
    size_t n;

    if (!read) {
        if (!s->error)
            stream_lost(s, STREAM_R_FILE_MAGIC, "it begins as none");
        return;
    }
    if (read(s))
        return;
    s->in_record = false;
    stream_peek(s, 1, &n);
    s->complete = !s->error;
    if (n)
        stream_lost(s, STREAM_R_FILE_TRAILING, "from %llu on there is more",
                    (unsigned long long)s->at);
}

int stream_walk(struct stream *s)
{
    walk(s);
    if (s->error) {
        errno = s->error;
        return -1;
    }
    return s->bad;
}

const char *stream_layer_name(enum stream_layer layer)
{
    static const char *const names[STREAM_LAYERS] = { "xl", "libxl", "libxc",
                                                      "QEMU", "mext" };

    return names[layer];
}

const char *stream_kind_name(enum stream_kind kind)
{
    static const char *const names[STREAM_KINDS] = {
        "NOTAB",     "L1TAB",     "L2TAB",     "L3TAB",     "L4TAB",
        "5",         "6",         "7",         "8",         "L1TAB_PIN",
        "L2TAB_PIN", "L3TAB_PIN", "L4TAB_PIN", "BROKEN",    "XALLOC",
        "XTAB",      "zero",      "page",      "difference"
    };

    return names[kind];
}
