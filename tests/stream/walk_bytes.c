/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "walk_bytes.h"

struct memory {
    const uint8_t *p;
    size_t n, piece;
};

static ptrdiff_t read_memory(void *arg, uint64_t at, void *buf, size_t n)
{
    const struct memory *m = arg;

    if (at >= m->n)
        return 0;
    if (n > m->n - at)
        n = (size_t)(m->n - at);
    if (m->piece && n > m->piece)
        n = m->piece;
    memcpy(buf, m->p + at, n);
    return (ptrdiff_t)n;
}

int walk_bytes(const uint8_t *p, size_t n, size_t piece,
               const struct stream_events *events, void *arg, uint64_t *at_r)
{
    static struct stream *s;
    struct memory m = { p, n, piece };
    int rc;

    /* One for all, since fuzzers walk often. */
    if (s)
        stream_again(s, read_memory, &m, events, arg);
    else
        s = stream_open(read_memory, &m, events, arg);
    if (!s)
        abort();
    rc = stream_walk(s);
    if (at_r)
        *at_r = stream_offset(s);
    return rc;
}
