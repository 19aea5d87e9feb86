/* SPDX-License-Identifier: LGPL-2.1-only */
#include <assert.h>
#include <string.h>

#include "stream_wire.h"

static uint64_t from_memory(const void *p, size_t n)
{
    uint64_t v = 0;

    assert(n && n <= sizeof(v));
    memcpy(&v, p, n);
    return v;
}

static void to_bytes(uint8_t *p, uint64_t v, size_t n, bool be)
{
    for (size_t i = 0; i < n; i++)
        p[be ? n - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

static uint64_t from_bytes(const uint8_t *p, size_t n, bool be)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)p[be ? n - 1 - i : i] << 8 * i;
    return v;
}

size_t stream_wire_len(const struct wire *w)
{
    size_t len = 0;

    for (; w->len; w++)
        len += w->n * (w->sub ? stream_wire_len(w->sub) : w->len);
    return len;
}

uint8_t *stream_wire_put(uint8_t *p, const struct wire *w, const void *obj,
                         bool be)
{
    const uint8_t *o;

    for (; w->len; w++) {
        o = (const uint8_t *)obj + w->at;
        for (unsigned i = 0; i < w->n; i++, o += w->mem) {
            if (w->sub) {
                p = stream_wire_put(p, w->sub, o, be);
                continue;
            }
            to_bytes(p, w->mem ? from_memory(o, w->mem) : 0, w->len, be);
            p += w->len;
        }
    }
    return p;
}

const uint8_t *stream_wire_get(const uint8_t *p, const struct wire *w,
                               void *obj, bool be)
{
    uint64_t v;
    uint8_t *o;

    for (; w->len; w++) {
        o = (uint8_t *)obj + w->at;
        for (unsigned i = 0; i < w->n; i++, o += w->mem) {
            if (w->sub) {
                p = stream_wire_get(p, w->sub, o, be);
                continue;
            }
            v = from_bytes(p, w->len, be);
            memcpy(o, &v, w->mem);
            p += w->len;
        }
    }
    return p;
}
