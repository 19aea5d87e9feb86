/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Thins a stock migration stream (xl's header, libxl's version 2, libxc's
 * version 2 or 3) on its way to whoever restores it: pages that the guest calls
 * free lose their data and become entries of type XALLOC, which a receiver
 * populates and does not fill.  Format, and why it is safe:
 * docs/specs/thin-stream.md.
 *
 * Pure: no file descriptor, no allocation, no libc beyond mem*.  Bytes that are
 * not understood go on as they are, so nothing is ever lost; the stream comes
 * from this host's own libxl.
 */
#ifndef MEXT_THIN_H
#define MEXT_THIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries of a batch of pages; libxc makes 1,024. */
#define MEXT_THIN_BATCH_MAX 4096u

/* Takes n bytes, 0; not 0: they could not be written. */
typedef int mext_thin_out_fn(void *arg, const void *p, size_t n);

/*
 * The first batch is here, so log-dirty is on: sets the bits of free gfns, and
 * only those, in bitmap (gfn g: bit g % 64 of element g / 64) of ngfns gfns.
 */
typedef void mext_thin_ask_fn(void *arg, uint64_t *bitmap, uint64_t ngfns);

struct mext_thin {
    /* filled by the caller, the rest zero */
    mext_thin_out_fn *out;
    mext_thin_ask_fn *ask;
    void *arg;
    uint64_t *bitmap; /* (ngfns + 63) / 64 elements, zero; the caller's */
    uint64_t ngfns;   /* gfns above are not looked at */
    bool bare;        /* it begins with libxl's header, without xl's */

    /* results */
    uint64_t pages;      /* entries of type XALLOC made of pages with data */
    uint64_t kept;       /* pages with data that went on */
    unsigned iterations; /* over the gfns, so far */
    bool ended;          /* the stream's END has gone by */
    const char *odd;     /* what was not understood; NULL: nothing */

    /* private */
    unsigned state;
    uint64_t pass;               /* bytes to go on as they are */
    size_t have, want;           /* of head */
    uint64_t next_gfn;           /* of the first iteration */
    bool asked, over;            /* over: the first iteration is */
    unsigned page, npages, part; /* of the batch; bytes of page gone by */
    uint8_t drop[MEXT_THIN_BATCH_MAX / 8];
    uint8_t head[16 + 8 * MEXT_THIN_BATCH_MAX];
};

/* The stream's next n bytes; what out said last, 0 if it took all. */
int mext_thin_feed(struct mext_thin *t, const void *p, size_t n);

#endif
