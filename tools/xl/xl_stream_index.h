/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A table of pages: for each number 64 bits.  16 bytes a place, of which 3/8 to
 * 3/4 are in use: 21 to 43 bytes a page, 64 while it grows.
 */
#ifndef XL_STREAM_INDEX_H
#define XL_STREAM_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include <sodium.h>

#define XL_INDEX_MAX (1u << 28) /* pages: 1 TiB of guest */

struct xl_index_row {
    uint64_t page; /* UINT64_MAX: none */
    uint64_t value;
};

/* All zero: empty. */
struct xl_index {
    struct xl_index_row *row;
    size_t n, places; /* places: 0 or a power of two */
    uint8_t key[crypto_shorthash_KEYBYTES];
};

/* The page's value; NULL: it has none. */
uint64_t *xl_index_find(const struct xl_index *x, uint64_t page);
/* The same, and with value if it had none; NULL: no memory, or too many. */
uint64_t *xl_index_add(struct xl_index *x, uint64_t page, uint64_t value);
/* row[n] in rising order of pages; then nothing is found or added any more. */
void xl_index_sort(struct xl_index *x);
void xl_index_free(struct xl_index *x);

#endif
