/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_streams DIR CORPUS: the small streams as files in DIR, and what the fuzz
 * targets begin with in CORPUS/stream_*.
 * make_streams bad DIR: each of broken.c's table as DIR/RULE/ROW, to be tried with other
 * readers.
 * make_streams big MIB: a PVH guest's on standard output, with so much memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broken.h"
#include "build_guest.h"
#include "build_stream.h"
#include "stream_guest.h"
#include "walk_bytes.h"

static struct bytes stream;

static void put_file(const char *dir, const char *sub, const char *name,
                     const void *p, size_t n)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, sub);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name);
    f = fopen(path, "wb");
    if (!f || fwrite(p, 1, n, f) != n || fclose(f)) {
        perror(path);
        exit(1);
    }
}

/* Where records of the stream are. */
struct place {
    size_t libxc, libxl, pages, context, context_end;
};

static void on_end(void *arg, const struct stream_record *r)
{
    struct place *w = arg;
    size_t end = (size_t)(r->at + r->length);

    if (!strcmp(r->name, "header") && r->layer == STREAM_LIBXC)
        w->libxc = end;
    else if (!strcmp(r->name, "PAGE_DATA"))
        w->pages = end;
    else if (!strcmp(r->name, "END") && r->layer == STREAM_LIBXC)
        w->libxl = end;
    if (!strcmp(r->name, "HVM_CONTEXT")) {
        w->context = (size_t)r->at + 8;
        w->context_end = end;
    }
}

static struct place find(void)
{
    static const struct stream_events events = { .end = on_end };
    struct place w = { 0 };

    if (walk_bytes(stream.p, stream.n, 0, &events, &w, NULL))
        exit(1);
    return w;
}

/* libxc's records behind an octet that says which guest; without pages. */
static void put_libxc(const char *dir, enum base base, uint8_t how)
{
    static const char *const name[] = { "pvh", "hvm", "pv", "v2" };
    struct place w;

    build_stream(&stream, base);
    w = find();
    stream.p[w.pages - 1] = how;
    put_file(dir, "stream_libxc", name[base], stream.p + w.pages - 1,
             w.libxl - w.pages + 1);
    build_stream(&stream, base);
    stream.p[w.libxc - 1] = how;
    put_file(dir, "stream_libxc",
             base == BASE_PV   ? "pv-pages"
             : base == BASE_V2 ? "v2-pages"
                               : "pvh-pages",
             stream.p + w.libxc - 1, 12000);
}

/* A guest for the converters: its context, and QEMU's sections of it. */
struct seed {
    size_t n;
    uint8_t p[65536];
};

static void seed_bytes(void *arg, const void *p, size_t n)
{
    struct seed *s = arg;

    memcpy(s->p + s->n, p, n);
    s->n += n;
}

static void seed_section(void *arg, const struct stream_record *r)
{
    static struct seed body;
    struct seed *s = arg, *all = &body;
    uint8_t head[4] = { (uint8_t)r->instance, (uint8_t)r->version };
    size_t name = strlen(r->name), n;

    if (r->type != 4)
        return;
    n = (size_t)r->length - 14 - name - 5;
    memcpy(all->p, s->p + r->at + 14 + name, n);
    head[2] = (uint8_t)(n >> 8);
    head[3] = (uint8_t)n;
    all->p[n] = (uint8_t)name;
    seed_bytes(s, all->p + n, 1);
    seed_bytes(s, r->name, name);
    seed_bytes(s, head, sizeof(head));
    seed_bytes(s, all->p, n);
}

static void no_refusal(void *arg, const char *name, const char *why)
{
    fprintf(stderr, "%s: %s\n", name, why);
    exit(1);
}

static void put_guest(const char *dir)
{
    static const struct stream_events events = { .end = seed_section };
    static const uint8_t beat[32];
    static struct guest_bytes guest;
    static struct seed s;
    const struct stream_target t = { .tcg = true, .refuse = no_refusal };
    struct stream_put to = { .bytes = seed_bytes, .arg = &s };
    struct xen_guest *g = stream_guest_new();
    size_t n, end;
    uint8_t *p;

    build_guest(&guest, beat, sizeof(beat));
    put_file(dir, "stream_guest", "beat", guest.p + guest.context,
             guest.context_len);
    for (unsigned type = 1; g && type < 21; type++)
        for (unsigned i = 0; i < 2; i++)
            if ((p = guest_entry(&guest, type, i, &n)))
                stream_guest_entry(g, type, i, p, n);
    stream_put_open(&to, "pc");
    stream_guest_put(g, &t, &to);
    stream_put_close(&to);
    free(g);
    end = s.n;
    if (walk_bytes(s.p, end, 0, &events, &s, NULL))
        exit(1);
    put_file(dir, "stream_machine", "beat", s.p + end, s.n - end);
}

static void put_corpus(const char *dir)
{
    struct place w;

    put_guest(dir);
    put_libxc(dir, BASE_PVH, 0);
    put_libxc(dir, BASE_V2, 1);
    put_libxc(dir, BASE_PV, 2);
    build_stream(&stream, BASE_PVH);
    w = find();
    put_file(dir, "stream_hvm", "pvh", stream.p + w.context,
             w.context_end - w.context);
    build_stream(&stream, BASE_HVM);
    w = find();
    put_file(dir, "stream_libxl", "hvm", stream.p + w.libxl,
             stream.n - w.libxl);
    build_stream(&stream, BASE_QEMU);
    put_file(dir, "stream_qemu", "pc", stream.p + 8, stream.n - 8);
    build_stream(&stream, BASE_MAPPED);
    put_file(dir, "stream_qemu", "mapped", stream.p + 8, stream.n - 8);
    build_stream(&stream, BASE_DUMP);
    put_file(dir, "stream_dump", "channel", stream.p + 8, stream.n - 8);
    build_stream(&stream, BASE_BARE);
    put_file(dir, "stream_xl", "bare", stream.p, stream.n);
    build_stream(&stream, BASE_PVH);
    put_file(dir, "stream_xl", "pvh", stream.p, 8000);
    build_stream(&stream, BASE_QEMU);
    put_file(dir, "stream_xl", "qemu", stream.p, stream.n);
}

/* 1,024 pages from pfn on, each with a number of its own in it. */
static void put_pages(uint64_t pfn)
{
    static uint64_t page[1024][512];
    uint32_t head[4] = { 1, 8 + 1024 * (8 + sizeof(page[0])), 1024, 0 };
    uint64_t entry[1024];

    for (unsigned i = 0; i < 1024; i++) {
        entry[i] = pfn + i;
        for (unsigned j = 0; j < 512; j++)
            page[i][j] = (pfn + i) * 0x9e3779b97f4a7c15 + j;
    }
    fwrite(head, 1, sizeof(head), stdout);
    fwrite(entry, 1, sizeof(entry), stdout);
    fwrite(page, 1, sizeof(page), stdout);
}

static int put_big(unsigned long mib)
{
    struct place w;

    build_stream(&stream, BASE_PVH);
    w = find();
    fwrite(stream.p, 1, w.pages, stdout);
    for (uint64_t pfn = 0; pfn < mib << 8; pfn += 1024)
        put_pages(pfn);
    fwrite(stream.p + w.pages, 1, stream.n - w.pages, stdout);
    return fflush(stdout) ? 1 : 0;
}

static int put_bad(const char *dir)
{
    char name[32];

    for (size_t i = 0; i < nbroken; i++) {
        build_broken(&stream, &broken[i]);
        snprintf(name, sizeof(name), "%zu", i);
        put_file(dir, stream_rule_name(broken[i].rule), name, stream.p,
                 stream.n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const char *const name[] = { "pvh", "hvm",  "pv",     "v2",
                                        NULL,  "qemu", "mapped", "dump" };

    if (argc != 3) {
        fprintf(stderr, "Usage: make_streams DIR CORPUS | bad DIR | big MIB\n");
        return 2;
    }
    if (!strcmp(argv[1], "bad"))
        return put_bad(argv[2]);
    if (!strcmp(argv[1], "big"))
        return put_big(strtoul(argv[2], NULL, 10));
    for (unsigned b = 0; b <= BASE_DUMP; b++)
        if (BASE_FINE(b)) {
            build_stream(&stream, b);
            put_file(argv[1], ".", name[b], stream.p, stream.n);
        }
    put_corpus(argv[2]);
    return 0;
}
