/* SPDX-License-Identifier: LGPL-2.1-only */
/* The window that slides over the stream. */
#include <errno.h>

#include "stream_priv.h"

/* At least n bytes in the window, unless the stream ends before. */
static void fill(struct stream *s, size_t n)
{
    ptrdiff_t got;

    if (s->have - s->used >= n)
        return;
    memmove(s->big.window, s->big.window + s->used, s->have - s->used);
    s->have -= s->used;
    s->used = 0;
    while (!s->eof && s->have < n) {
        got = s->read(s->read_arg, s->at + s->have, s->big.window + s->have,
                      WINDOW - s->have);
        if (got < 0)
            s->error = errno ? errno : EIO;
        if (got <= 0)
            s->eof = true;
        else
            s->have += (size_t)got;
    }
}

static const uint8_t *consume(struct stream *s, size_t n)
{
    const uint8_t *p = s->big.window + s->used;

    s->used += n;
    s->at += n;
    if (n && s->ev.bytes)
        s->ev.bytes(s->arg, p, n);
    return p;
}

const uint8_t *stream_window(struct stream *s, size_t n, size_t *n_r)
{
    fill(s, n);
    *n_r = s->have - s->used;
    return s->big.window + s->used;
}

const uint8_t *stream_peek(struct stream *s, size_t n, size_t *n_r)
{
    const uint8_t *p = stream_window(s, n, n_r);

    if (*n_r > n)
        *n_r = n;
    return p;
}

const uint8_t *stream_take(struct stream *s, size_t n)
{
    fill(s, n);
    if (s->have - s->used < n) {
        consume(s, s->have - s->used);
        stream_lost(s, STREAM_R_FILE_TRUNCATED, "nothing is at %llu",
                    (unsigned long long)s->at);
        return NULL;
    }
    return consume(s, n);
}

void stream_seek(struct stream *s, uint64_t at)
{
    uint64_t window = s->at - s->used; /* its offset */

    if (at >= window && at - window <= s->have) {
        s->used = (size_t)(at - window);
    } else {
        s->used = s->have = 0;
        s->eof = false;
    }
    s->at = at;
}

static size_t at_most(uint64_t n, size_t most)
{
    return n < most ? (size_t)n : most;
}

int stream_skip(struct stream *s, uint64_t n)
{
    size_t step;

    while (n) {
        step = s->have - s->used;
        if (!step)
            step = TAKE_MAX;
        step = at_most(n, step < TAKE_MAX ? step : TAKE_MAX);
        if (!stream_take(s, step))
            return -1;
        n -= step;
    }
    return 0;
}

const uint8_t *stream_body(struct stream *s, size_t n)
{
    const uint8_t *p = stream_take(s, n);

    if (!p)
        return NULL;
    s->left -= n;
    if (n && s->ev.body)
        s->ev.body(s->arg, p, n);
    return p;
}

int stream_body_skip(struct stream *s, uint64_t n)
{
    size_t step;

    while (n) {
        step = s->have - s->used;
        if (!step)
            step = 1;
        step = at_most(n, step < TAKE_MAX ? step : TAKE_MAX);
        if (!stream_body(s, step))
            return -1;
        n -= step;
    }
    return 0;
}

bool stream_is_zero(const void *p, size_t n)
{
    const uint8_t *b = p;

    return !n || (!b[0] && !memcmp(b, b + 1, n - 1));
}
