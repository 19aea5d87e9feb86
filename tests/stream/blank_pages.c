/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * blank_pages IN OUT: a stream as it is, but that every page's content is zero.
 * So a saved guest fits among the tests, and nothing of it is given away.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

struct copy {
    int in, out;
    off_t at; /* bytes written */
    bool failed;
};

static ptrdiff_t read_file(void *arg, uint64_t at, void *buf, size_t n)
{
    const struct copy *c = arg;

    return read(c->in, buf, n);
}

static void put(struct copy *c, const void *p, size_t n, off_t at)
{
    c->failed |= pwrite(c->out, p, n, at) != (ssize_t)n;
}

static void on_bytes(void *arg, const void *p, size_t n)
{
    struct copy *c = arg;

    put(c, p, n, c->at);
    c->at += (off_t)n;
}

/* Its bytes have just been written. */
static void on_page(void *arg, const struct stream_page *p)
{
    static const uint8_t zero[STREAM_PAGE_LEN];
    struct copy *c = arg;

    if (p->len)
        put(c, zero, p->len, c->at - (off_t)p->len);
}

int main(int argc, char **argv)
{
    static const struct stream_events events = { .bytes = on_bytes,
                                                 .page = on_page };
    struct copy c = { .in = -1 };
    struct stream *s;

    if (argc != 3) {
        fprintf(stderr, "Usage: blank_pages IN OUT\n");
        return 2;
    }
    c.in = open(argv[1], O_RDONLY);
    c.out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    s = stream_open(read_file, &c, &events, &c);
    if (c.in < 0 || c.out < 0 || !s || stream_walk(s) || c.failed) {
        fprintf(stderr, "blank_pages: %s: cannot be read, or is broken\n",
                argv[1]);
        return 1;
    }
    stream_close(s);
    return 0;
}
