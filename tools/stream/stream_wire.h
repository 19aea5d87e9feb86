/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Structures of fixed layout as tables: from bytes, to bytes.  A table is read
 * row by row, from the first byte to the last.
 */
#ifndef STREAM_WIRE_H
#define STREAM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
    const struct wire *sub; /* of each element, if that is a structure */
    uint16_t at, mem;       /* in memory; 0 bytes: these stay zero */
    uint16_t len, n;        /* bytes of an element, how many; 0: the end */
};

/* One value, an array of them, bytes that mean nothing, structures. */
#define WIRE_MEM(s, m) sizeof(((s *)0)->m)
#define WIRE_ONE(s, m, l) \
    { \
        NULL, (uint16_t)offsetof(s, m), WIRE_MEM(s, m), l, 1 \
    }
#define WIRE_ALL(s, m, l) \
    { \
        NULL, (uint16_t)offsetof(s, m), WIRE_MEM(s, m[0]), l, \
            WIRE_MEM(s, m) / WIRE_MEM(s, m[0]) \
    }
#define WIRE_PAD(l) \
    { \
        NULL, 0, 0, 1, l \
    }
#define WIRE_SUB(s, m, table) \
    { \
        table, (uint16_t)offsetof(s, m), 0, 1, 1 \
    }
#define WIRE_SUBS(s, m, table) \
    { \
        table, (uint16_t)offsetof(s, m), WIRE_MEM(s, m[0]), 1, \
            WIRE_MEM(s, m) / WIRE_MEM(s, m[0]) \
    }
#define WIRE_END \
    { \
        NULL, 0, 0, 0, 0 \
    }

/* Bytes of all of it. */
size_t stream_wire_len(const struct wire *w);
/* stream_wire_len bytes; be: big-endian. Behind them. */
uint8_t *stream_wire_put(uint8_t *p, const struct wire *w, const void *obj,
                         bool be);
/* Pads keep what obj has. */
const uint8_t *stream_wire_get(const uint8_t *p, const struct wire *w,
                               void *obj, bool be);

#endif
