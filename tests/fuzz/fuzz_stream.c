/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "fuzz_stream.h"
#include "stream.h"
#include "walk_bytes.h"

struct told {
    uint64_t sum, bytes, records, pages, broken;
    uint64_t first; /* rule */
    uint64_t mapped;
};

static void mix(struct told *t, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        t->sum = (t->sum ^ b[i]) * 0x100000001b3;
}

static void check_text(const char *text, size_t max)
{
    size_t n = strnlen(text, max + 1);

    FUZZ_CHECK(n <= max);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(text[i] >= 0x20 && text[i] < 0x7f);
}

static bool on_broken(void *arg, const struct stream_broken *b)
{
    struct told *t = arg;

    FUZZ_CHECK(b->rule < STREAM_RULES);
    check_text(b->text, 1024);
    if (!t->broken++)
        t->first = b->rule;
    mix(t, &b->rule, sizeof(b->rule));
    mix(t, &b->at, sizeof(b->at));
    return true;
}

static void on_end(void *arg, const struct stream_record *r)
{
    struct told *t = arg;
    uint64_t pages = 0;

    FUZZ_CHECK(r->layer < STREAM_LAYERS);
    check_text(r->name, STREAM_NAME_MAX);
    check_text(r->note, STREAM_NOTE_MAX);
    for (unsigned k = 0; k < STREAM_KINDS; k++)
        pages += r->pages[k];
    FUZZ_CHECK(!pages == (r->first > r->last));
    t->records++;
    t->mapped |= strstr(r->note, "mapped-ram") != NULL;
    mix(t, &r->at, sizeof(r->at));
    mix(t, &r->length, sizeof(r->length));
    mix(t, r->note, strlen(r->note));
}

static void on_page(void *arg, const struct stream_page *p)
{
    struct told *t = arg;

    FUZZ_CHECK(p->kind < STREAM_KINDS && p->block < STREAM_BLOCKS);
    FUZZ_CHECK(!p->len == !p->data && p->len <= STREAM_PAGE_LEN);
    t->pages++;
    mix(t, &p->pfn, sizeof(p->pfn));
    mix(t, p->data, p->len < 64 ? p->len : 64);
}

static void on_setting(void *arg, const char *path, const char *value, size_t n)
{
    check_text(path, STREAM_PATH_MAX);
    mix(arg, path, strlen(path));
    mix(arg, value, n);
}

static void on_entry(void *arg, unsigned type, unsigned instance, const void *p,
                     size_t n)
{
    mix(arg, p, n);
}

static void on_bytes(void *arg, const void *p, size_t n)
{
    struct told *t = arg;

    FUZZ_CHECK(n && p);
    t->bytes += n;
}

static void walk(struct told *t, const uint8_t *p, size_t n, size_t piece)
{
    static const struct stream_events events = {
        .broken = on_broken,
        .end = on_end,
        .page = on_page,
        .setting = on_setting,
        .entry = on_entry,
        .bytes = on_bytes,
    };
    uint64_t at;
    int rc;

    memset(t, 0, sizeof(*t));
    rc = walk_bytes(p, n, piece, &events, t, &at);
    FUZZ_CHECK(rc == (t->broken > 0));
    /* Of a mapped-ram file not all is read; the end may be sought behind it. */
    FUZZ_CHECK((at == t->bytes && at <= n) || t->mapped);
    FUZZ_CHECK(rc || at == n);
}

void fuzz_stream(const void *head, size_t nhead, const uint8_t *data,
                 size_t size)
{
    struct told whole, parts;
    uint8_t *p = malloc(nhead + size + 1);

    if (!p)
        abort();
    if (nhead)
        memcpy(p, head, nhead);
    if (size)
        memcpy(p + nhead, data, size);
    walk(&whole, p, nhead + size, 0);
    walk(&parts, p, nhead + size, 61);
    FUZZ_CHECK(!memcmp(&whole, &parts, sizeof(whole)));
    free(p);
}
