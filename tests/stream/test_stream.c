/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Readers of streams: what keeps the rules passes, however the bytes arrive;
 * each rule of the table is broken by a stream of its own and by nothing else
 * before it; the specification has the same table.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broken.h"
#include "unit.h"
#include "walk_bytes.h"

static struct bytes stream;

/* All that a walk tells, as one number and some counts. */
struct seen {
    uint64_t sum;
    unsigned records, pages, kinds[STREAM_KINDS], entries, params, settings;
    unsigned blocks, broken;
    size_t bytes;
    bool mapped; /* a mapped-ram file, which is not read in order */
    bool stop;   /* at the first violation */
    enum stream_rule first;
    bool rule[STREAM_RULES];
    char text[512];
};

static void mix(struct seen *s, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        s->sum = (s->sum ^ b[i]) * 0x100000001b3;
}

static bool on_broken(void *arg, const struct stream_broken *b)
{
    struct seen *s = arg;

    if (!s->broken++) {
        s->first = b->rule;
        snprintf(s->text, sizeof(s->text), "%s at %llu: %s",
                 stream_rule_name(b->rule), (unsigned long long)b->at, b->text);
    }
    s->rule[b->rule] = true;
    return !s->stop;
}

static void on_begin(void *arg, const struct stream_record *r)
{
    mix(arg, &r->at, sizeof(r->at));
}

static void on_end(void *arg, const struct stream_record *r)
{
    struct seen *s = arg;

    s->records++;
    s->mapped |= strstr(r->note, "mapped-ram") != NULL;
    mix(s, &r->length, sizeof(r->length));
    mix(s, r->name, strlen(r->name));
    mix(s, r->note, strlen(r->note));
}

static void on_page(void *arg, const struct stream_page *p)
{
    struct seen *s = arg;

    s->pages++;
    s->kinds[p->kind]++;
    mix(s, &p->pfn, sizeof(p->pfn));
    mix(s, p->data, p->len);
}

static void on_setting(void *arg, const char *path, const char *value, size_t n)
{
    struct seen *s = arg;

    s->settings++;
    mix(s, path, strlen(path));
    mix(s, value, n);
    if (!strcmp(path, "disks[1].vdev"))
        ck_assert(n == 4 && !memcmp(value, "xvdb", 4));
}

static void on_entry(void *arg, unsigned type, unsigned instance, const void *p,
                     size_t n)
{
    struct seen *s = arg;

    s->entries++;
    mix(s, p, n);
}

static void on_param(void *arg, uint64_t index, uint64_t value)
{
    struct seen *s = arg;

    s->params++;
    mix(s, &value, sizeof(value));
}

static void on_block(void *arg, uint32_t number, const char *name, uint64_t len)
{
    struct seen *s = arg;

    s->blocks++;
}

static void on_bytes(void *arg, const void *p, size_t n)
{
    struct seen *s = arg;

    if (!s->mapped)
        ck_assert(!memcmp(stream.p + s->bytes, p, n));
    s->bytes += n;
}

static const struct stream_events events = {
    .broken = on_broken,
    .begin = on_begin,
    .end = on_end,
    .page = on_page,
    .setting = on_setting,
    .entry = on_entry,
    .param = on_param,
    .block = on_block,
    .bytes = on_bytes,
};

/* ---- streams that are fine ---- */

START_TEST(fine)
{
    static const size_t pieces[] = { 1, 7, 4095, 4096, 65537 };
    struct seen whole = { 0 }, part;

    if (!BASE_FINE(_i))
        return;
    build_stream(&stream, _i);
    ck_assert_msg(!walk_bytes(stream.p, stream.n, 0, &events, &whole, NULL),
                  "%s", whole.text);
    if (_i != BASE_MAPPED) /* which has a hole */
        ck_assert_uint_eq(whole.bytes, stream.n);
    for (unsigned i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        memset(&part, 0, sizeof(part));
        ck_assert(
            !walk_bytes(stream.p, stream.n, pieces[i], &events, &part, NULL));
        ck_assert(!memcmp(&part, &whole, sizeof(part)));
    }
}
END_TEST

START_TEST(told)
{
    struct seen s = { 0 };

    build_stream(&stream, BASE_PVH);
    ck_assert(!walk_bytes(stream.p, stream.n, 0, &events, &s, NULL));
    ck_assert_uint_eq(s.records, 14);
    ck_assert_uint_eq(s.pages, 9);
    ck_assert_uint_eq(s.kinds[STREAM_NOTAB], 6);
    ck_assert_uint_eq(s.kinds[STREAM_XALLOC], 1);
    ck_assert_uint_eq(s.kinds[STREAM_XTAB], 1);
    ck_assert_uint_eq(s.kinds[STREAM_BROKEN], 1);
    ck_assert_uint_eq(s.entries, 9);
    ck_assert_uint_eq(s.params, 2);
    ck_assert_uint_eq(s.settings, 8);
    memset(&s, 0, sizeof(s));
    build_stream(&stream, BASE_QEMU);
    ck_assert(!walk_bytes(stream.p, stream.n, 0, &events, &s, NULL));
    ck_assert_uint_eq(s.records, 12);
    ck_assert_uint_eq(s.blocks, 2);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_ZERO], 1);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_PAGE], 2);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_XBZRLE], 1);
    memset(&s, 0, sizeof(s));
    build_stream(&stream, BASE_MAPPED);
    ck_assert(!walk_bytes(stream.p, stream.n, 0, &events, &s, NULL));
    ck_assert_uint_eq(s.records, 12);
    ck_assert_uint_eq(s.blocks, 2);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_ZERO], 1);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_PAGE], 2);
    memset(&s, 0, sizeof(s));
    build_stream(&stream, BASE_DUMP);
    ck_assert(!walk_bytes(stream.p, stream.n, 0, &events, &s, NULL));
    ck_assert_uint_eq(s.records, 7);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_ZERO], 2);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_PAGE], 4);
    ck_assert_uint_eq(s.kinds[STREAM_RAM_XBZRLE], 1);
}
END_TEST

/* Pages that came packed are told as they were. */
static void on_packed(void *arg, const struct stream_page *p)
{
    unsigned *seen = arg;

    if (p->kind != STREAM_RAM_PAGE || p->pfn == 0x100)
        return;
    ++*seen;
    for (unsigned i = 0; i < 4096; i++) {
        unsigned at = i + (p->pfn == 0x105 ? 4096 : 0);
        uint8_t want = p->pfn == 0x103 ? 'z'
                       : at < 5000     ? (uint8_t)(at * at >> 3)
                                       : 'y';

        ck_assert_msg(p->data[i] == want, "gfn %#llx, %u",
                      (unsigned long long)p->pfn, i);
    }
}

START_TEST(unpacked)
{
    static const struct stream_events packed = { .page = on_packed };
    unsigned seen = 0;

    build_stream(&stream, BASE_DUMP);
    ck_assert(!walk_bytes(stream.p, stream.n, 0, &packed, &seen, NULL));
    ck_assert_uint_eq(seen, 3);
}
END_TEST

/* Cut anywhere it is broken, but where QEMU's description may be missing. */
START_TEST(cut)
{
    struct seen s;
    size_t whole;

    if (!BASE_FINE(_i))
        return;
    build_stream(&stream, _i);
    whole = stream.n;
    for (size_t n = 0; n < whole; n += n < 400 || whole - n < 3000 ? 1 : 61) {
        memset(&s, 0, sizeof(s));
        if (!walk_bytes(stream.p, n, 0, &events, &s, NULL))
            ck_assert_msg((_i == BASE_QEMU || _i == BASE_MAPPED) &&
                              !memcmp(stream.p + n, "\6\0\0", 3),
                          "cut at %zu", n);
        else
            ck_assert(s.rule[STREAM_R_FILE_TRUNCATED] ||
                      s.rule[STREAM_R_FILE_MAGIC] ||
                      s.rule[STREAM_R_QEMU_FOOTER]);
    }
}
END_TEST

/* ---- rules ---- */

START_TEST(rule_fires)
{
    const struct broken *row = &broken[_i];
    struct seen first = { .stop = true }, all = { 0 };

    build_broken(&stream, row);
    ck_assert_int_eq(walk_bytes(stream.p, stream.n, 0, &events, &first, NULL),
                     1);
    ck_assert_msg(first.first == row->rule, "row %d: %s instead of %s", _i,
                  first.text, stream_rule_name(row->rule));
    ck_assert_uint_eq(first.broken, 1);
    ck_assert_int_eq(walk_bytes(stream.p, stream.n, 3, &events, &all, NULL), 1);
    ck_assert(all.first == row->rule);
}
END_TEST

START_TEST(every_rule_has_one)
{
    bool has[STREAM_RULES] = { false };

    for (size_t i = 0; i < nbroken; i++)
        has[broken[i].rule] = true;
    for (unsigned r = 0; r < STREAM_RULES; r++) {
        ck_assert_msg(has[r], "no stream breaks %s", stream_rule_name(r));
        for (unsigned other_r = 0; other_r < r; other_r++)
            ck_assert_str_ne(stream_rule_name(r), stream_rule_name(other_r));
    }
}
END_TEST

/* Rows | `name` | text | ... of the specification, in the table's order. */
START_TEST(specification_agrees)
{
    const char *top = getenv("srcdir");
    char path[4096], line[1024], name[64], text[256];
    unsigned r = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/docs/specs/streams.md", top ? top : ".");
    f = fopen(path, "r");
    ck_assert_msg(f, "%s", path);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "| `%63[a-z0-9.-]` | %255[^|]", name, text) != 2 ||
            !strchr(name, '.'))
            continue;
        text[strlen(text) - 1] = 0; /* the space before the bar */
        ck_assert_msg(r < STREAM_RULES, "%s is not in the code", name);
        ck_assert_str_eq(name, stream_rule_name(r));
        ck_assert_str_eq(text, stream_rule_text(r));
        r++;
    }
    fclose(f);
    ck_assert_msg(r == STREAM_RULES, "%s is not specified",
                  r < STREAM_RULES ? stream_rule_name(r) : "");
}
END_TEST

/* ---- a file that cannot be read ---- */

struct disk {
    size_t at, good;
};

static ptrdiff_t no_read(void *arg, uint64_t at, void *buf, size_t n)
{
    struct disk *d = arg;

    if (d->at == d->good) {
        errno = EIO;
        return -1;
    }
    memcpy(buf, stream.p + d->at, 100);
    d->at += 100;
    return 100;
}

START_TEST(read_error)
{
    static const struct stream_events no_more = { .broken = on_broken };
    struct seen seen = { 0 };
    struct disk disk = { 0, (size_t)_i * 100 };
    struct stream *s = stream_open(no_read, &disk, &no_more, &seen);

    build_stream(&stream, BASE_PVH);
    ck_assert_int_eq(stream_walk(s), -1);
    ck_assert_int_eq(errno, EIO);
    ck_assert_uint_eq(seen.broken, 0);
    ck_assert(!stream_complete(s));
    stream_close(s);
}
END_TEST

/* ---- long ones ---- */

/* A device's state longer than the window, with footers that are none. */
START_TEST(long_section)
{
    const size_t more = 700000;
    struct seen s = { 0 };
    uint8_t *p;
    size_t at;

    build_stream(&stream, BASE_QEMU);
    at = (size_t)((uint8_t *)memmem(stream.p, stream.n, "\5timer", 6) -
                  stream.p) +
         6 + 8;
    p = malloc(stream.n + more);
    memcpy(p, stream.p, at);
    memset(p + at, 0x7e, more);
    memcpy(p + at + more, stream.p + at, stream.n - at);
    s.bytes = 0;
    ck_assert_int_eq(walk_bytes(p, stream.n + more, 0,
                                &(struct stream_events){ .broken = on_broken },
                                &s, NULL),
                     1);
    ck_assert_msg(s.first == STREAM_R_QEMU_DESC_LEN, "%s", s.text);
    ck_assert_uint_eq(s.broken, 1);
    free(p);
}
END_TEST

/*
 * A block of three bitmaps' worth of pages and some more, made as it is read:
 * first and last page of each, and every 4,000th, are in the file.
 */
#define LONG_PAGES ((3u << 18) + 5u)
#define LONG_LEN   ((uint64_t)LONG_PAGES << 12)

struct long_file {
    size_t head, tail; /* in stream.p: what is before and behind the block */
    uint64_t bitmap, pages;
    uint64_t reads, last; /* of pages: how many, the last one */
    unsigned told, wrong;
};

static bool long_bit(uint64_t pfn)
{
    return pfn < LONG_PAGES &&
           (pfn % 4000 == 0 || (pfn & 0x3ffff) == 0 ||
            ((pfn + 1) & 0x3ffff) == 0 || pfn == LONG_PAGES - 1);
}

static ptrdiff_t read_long(void *arg, uint64_t at, void *buf, size_t n)
{
    struct long_file *f = arg;
    uint8_t *p = buf;
    size_t i;

    for (i = 0; i < n; i++, at++) {
        if (at >= f->pages + LONG_LEN) {
            if (f->tail + at - f->pages - LONG_LEN >= stream.n)
                break;
            p[i] = stream.p[f->tail + at - f->pages - LONG_LEN];
        } else if (at >= f->pages) {
            f->reads++;
            p[i] = (uint8_t)((at - f->pages) / 4096 * 7);
        } else if (at >= f->bitmap) {
            p[i] = 0;
            for (unsigned b = 0; b < 8; b++)
                p[i] |= (uint8_t)(long_bit((at - f->bitmap) * 8 + b) << b);
        } else {
            p[i] = stream.p[at];
        }
    }
    return (ptrdiff_t)i;
}

static void on_long_page(void *arg, const struct stream_page *p)
{
    struct long_file *f = arg;
    bool bit = p->kind == STREAM_RAM_PAGE;

    f->wrong += p->pfn != f->told || bit != long_bit(p->pfn);
    for (unsigned i = 0; bit && i < 4096; i += 4095)
        f->wrong += p->data[i] != (uint8_t)(p->pfn * 7);
    f->told++;
}

static void set64be(uint64_t at, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(stream.p + at, &v, sizeof(v));
}

START_TEST(long_block)
{
    static const struct stream_events long_events = { .page = on_long_page };
    struct long_file f = { 0 };
    struct stream *s;
    size_t ram;

    build_stream(&stream, BASE_MAPPED);
    ram =
        (size_t)((uint8_t *)memmem(stream.p, stream.n, "\3ram", 4) - stream.p);
    f.head = ram + 4 + 8;
    f.bitmap = f.head + 8 + 7 + 8 + 28;
    f.pages = f.bitmap + LONG_PAGES / 64 * 8 + 8;
    f.pages = (f.pages + 0xfffff) & ~0xfffffull;
    set64be(f.head, LONG_LEN | 4);
    set64be(f.head + 15, LONG_LEN);
    set64be(f.head + 23 + 12, f.bitmap);
    set64be(f.head + 23 + 20, f.pages);
    f.tail = 0x5000; /* behind the pages of rom */
    s = stream_open(read_long, &f, &long_events, &f);
    ck_assert_int_eq(stream_walk(s), 0);
    ck_assert_uint_eq(f.told, LONG_PAGES);
    ck_assert_uint_eq(f.wrong, 0);
    ck_assert_msg(f.reads < LONG_LEN / 10, "%llu bytes of pages were read",
                  (unsigned long long)f.reads);
    stream_close(s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { told,
                                   unpacked,
                                   every_rule_has_one,
                                   specification_agrees,
                                   long_section,
                                   long_block,
                                   NULL };
    Suite *s = unit_suite("stream", tests);
    TCase *loops = tcase_create("loops");

    tcase_add_loop_test(loops, fine, 0, BASES);
    tcase_add_loop_test(loops, cut, 0, BASES);
    tcase_add_loop_test(loops, rule_fires, 0, (int)nbroken);
    tcase_add_loop_test(loops, read_error, 0, 3);
    suite_add_tcase(s, loops);
    return unit_main(s);
}
