/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Looks at a stock stream (libxl's version 2, libxc's version 2 or 3) before
 * libxl does: only records that libxl of a live guest writes, each of a length
 * that it can have, in libxl's order, and nothing behind the end.  What a page
 * or a device holds is not looked at.  docs/specs/dom0-stream.md.
 *
 * Pure: no file descriptor, no allocation, no libc beyond mem*.  The bytes are
 * hostile.
 */
#ifndef MEXT_INSPECT_H
#define MEXT_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEXT_INSPECT_BATCH_MAX 1024u /* pages of a record, as libxc's own */

enum mext_inspect_guest { MEXT_INSPECT_PVH, MEXT_INSPECT_HVM, MEXT_INSPECT_PV };

struct mext_inspect {
    /* filled by the caller, the rest zero */
    enum mext_inspect_guest guest;

    /* result: what is wrong; NULL: nothing so far */
    const char *wrong;

    /* private */
    unsigned state;
    uint64_t pass;     /* bytes that are not looked at */
    size_t have, want; /* of head */
    unsigned seen;     /* libxl's records, bits by type */
    uint8_t head[16 + 8 * MEXT_INSPECT_BATCH_MAX];
};

/* The stream's next n bytes: 0, or -1 and c->wrong; then for ever. */
int mext_inspect_feed(struct mext_inspect *c, const void *p, size_t n);

/* True if it has come to its end. */
bool mext_inspect_over(const struct mext_inspect *c);

#endif
