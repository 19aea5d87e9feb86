/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>

#include "xl_stream_index.h"

#define FIRST 4096u /* places */

/* Keyed, so that whose file it is cannot choose pages that want one place. */
static size_t place_of(const struct xl_index *x, uint64_t page)
{
    uint8_t hash[crypto_shorthash_BYTES];
    uint64_t h;

    crypto_shorthash(hash, (const uint8_t *)&page, sizeof(page), x->key);
    memcpy(&h, hash, sizeof(h));
    return (size_t)h & (x->places - 1);
}

/* The page's row, or the empty one where it would be. */
static struct xl_index_row *look(const struct xl_index *x, uint64_t page)
{
    size_t at = place_of(x, page);

    while (x->row[at].page != page && x->row[at].page != UINT64_MAX)
        at = (at + 1) & (x->places - 1);
    return &x->row[at];
}

uint64_t *xl_index_find(const struct xl_index *x, uint64_t page)
{
    struct xl_index_row *r = x->places ? look(x, page) : NULL;

    return r && r->page == page ? &r->value : NULL;
}

static int grow(struct xl_index *x)
{
    struct xl_index y = *x;

    if (!x->places)
        crypto_shorthash_keygen(y.key);
    y.places = x->places ? 2 * x->places : FIRST;
    y.row = malloc(y.places * sizeof(*y.row));
    if (!y.row)
        return -1;
    memset(y.row, 0xff, y.places * sizeof(*y.row));
    for (size_t i = 0; i < x->places; i++)
        if (x->row[i].page != UINT64_MAX)
            *look(&y, x->row[i].page) = x->row[i];
    free(x->row);
    *x = y;
    return 0;
}

uint64_t *xl_index_add(struct xl_index *x, uint64_t page, uint64_t value)
{
    struct xl_index_row *r;

    if (x->n >= x->places - x->places / 4 && (x->n >= XL_INDEX_MAX || grow(x)))
        return NULL;
    r = look(x, page);
    if (r->page != page) {
        *r = (struct xl_index_row){ page, value };
        x->n++;
    }
    return &r->value;
}

static int by_page(const void *a, const void *b)
{
    const struct xl_index_row *x = a, *y = b;

    return x->page < y->page ? -1 : x->page > y->page;
}

void xl_index_sort(struct xl_index *x)
{
    size_t n = 0;

    for (size_t i = 0; i < x->places; i++)
        if (x->row[i].page != UINT64_MAX)
            x->row[n++] = x->row[i];
    if (n)
        qsort(x->row, n, sizeof(*x->row), by_page);
}

void xl_index_free(struct xl_index *x)
{
    free(x->row);
    memset(x, 0, sizeof(*x));
}
