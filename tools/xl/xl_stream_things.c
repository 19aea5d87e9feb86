/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "xl_stream_things.h"

uint64_t xl_hash(const void *p, size_t n)
{
    static uint8_t key[crypto_shorthash_KEYBYTES];
    static bool ready;
    uint8_t out[crypto_shorthash_BYTES];
    uint64_t h;

    if (!ready)
        crypto_shorthash_keygen(key);
    ready = true;
    crypto_shorthash(out, p, n, key);
    memcpy(&h, out, sizeof(h));
    return h;
}

struct xl_thing *xl_things_add(struct xl_things *l, const char *name)
{
    struct xl_thing *t;
    size_t room;

    if (l->n == l->room) {
        room = l->room ? 2 * l->room : 256;
        t = room > XL_THINGS_MAX ? NULL : realloc(l->thing, room * sizeof(*t));
        if (!t)
            return NULL;
        l->thing = t;
        l->room = room;
    }
    t = &l->thing[l->n];
    memset(t, 0, sizeof(*t));
    t->name = strdup(name);
    t->order = l->n;
    if (!t->name)
        return NULL;
    l->n++;
    return t;
}

static int by_name(const void *a, const void *b)
{
    const struct xl_thing *x = a, *y = b;
    int rc = strcmp(x->name, y->name);

    if (rc)
        return rc;
    return x->order < y->order ? -1 : x->order > y->order;
}

void xl_things_sort(struct xl_things *l)
{
    if (l->n)
        qsort(l->thing, l->n, sizeof(*l->thing), by_name);
}

void xl_things_free(struct xl_things *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->thing[i].name);
    free(l->thing);
    memset(l, 0, sizeof(*l));
}
