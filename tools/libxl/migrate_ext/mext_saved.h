/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A saved guest's file (docs/specs/saved.md): the stock stream, packed by
 * Zstandard or not, and a sum of it behind it.
 *
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_SAVED_H
#define MEXT_SAVED_H

#include <stddef.h>

#include "mext_keys.h"

#define MEXT_SAVED_TRAILER    48u /* octets */
#define MEXT_SAVED_WINDOW_LOG 27

/* ---- writing ---- */

struct mext_saved_out;

/*
 * Begins PATH.part, which becomes PATH by mext_saved_name.  level: of
 * Zstandard, 0: not packed.
 */
int mext_saved_create(const char *path, int level, struct mext_saved_out **o_r,
                      struct mext_why *why);
/* The stock stream's next n bytes. */
int mext_saved_write(struct mext_saved_out *o, const void *p, size_t n,
                     struct mext_why *why);
/* Bytes in the file so far, about. */
uint64_t mext_saved_len(const struct mext_saved_out *o);
/* All is written: PATH.part is whole, and on disk, when this returns 0. */
int mext_saved_flush(struct mext_saved_out *o, struct mext_why *why);
/* After that: it is PATH, on disk, when this returns 0. */
int mext_saved_name(struct mext_saved_out *o, struct mext_why *why);
/* Frees it; PATH.part is removed unless it got its name. */
void mext_saved_close(struct mext_saved_out *o);

/* ---- reading ---- */

enum mext_saved_kind {
    MEXT_SAVED_STOCK, /* or no saved guest at all: has no sum */
    MEXT_SAVED_PLAIN,
    MEXT_SAVED_ZSTD,
};

struct mext_saved_in;

/*
 * The file that fd is open for, which stays the caller's and can be sought
 * unless it is the stock xl's.  -1: cut short, or it cannot be read.
 */
int mext_saved_open(int fd, struct mext_saved_in **i_r, struct mext_why *why);
enum mext_saved_kind mext_saved_kind(const struct mext_saved_in *i);
/* Called now and then; not 0 ends it. */
typedef int mext_saved_progress_fn(void *arg, uint64_t done, uint64_t of);
/* Reads all of it, and compares the sum; nothing to do for the stock xl's. */
int mext_saved_check(struct mext_saved_in *i, mext_saved_progress_fn *progress,
                     void *arg, struct mext_why *why);
/* The stock stream from its first byte on is read next. */
int mext_saved_rewind(struct mext_saved_in *i);
/* Up to n bytes of the stock stream, 0: its end; -1: errno, EBADMSG: damaged. */
ptrdiff_t mext_saved_read(struct mext_saved_in *i, void *buf, size_t n);
/* What is at this offset is read next; -1: errno, ESPIPE: not in this file. */
int mext_saved_seek(struct mext_saved_in *i, uint64_t at);
void mext_saved_close_in(struct mext_saved_in *i);

#endif
