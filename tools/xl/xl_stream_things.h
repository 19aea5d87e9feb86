/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a stream holds besides pages, as a list of names and values. */
#ifndef XL_STREAM_THINGS_H
#define XL_STREAM_THINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_THINGS_MAX 65536u

struct xl_thing {
    char *name;     /* "config c_info.name", "hvm CPU 0" */
    char value[64]; /* printable; what is longer is cut */
    uint64_t hash;  /* of all of it */
    size_t order;   /* in the stream */
};

/* All zero: empty. */
struct xl_things {
    struct xl_thing *thing;
    size_t n, room;
};

/* NULL: no memory, or too many. */
struct xl_thing *xl_things_add(struct xl_things *l, const char *name);
/* 64 bits, keyed for this process. */
uint64_t xl_hash(const void *p, size_t n);
/* By name, those of one name as they came. */
void xl_things_sort(struct xl_things *l);
void xl_things_free(struct xl_things *l);

#endif
