/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the parts of xl migrate-stream share. */
#ifndef XL_STREAM_RUN_H
#define XL_STREAM_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include "mext_saved.h"
#include "stream.h"
#include "xl_json.h"

struct xl_stream {
    FILE *out, *err;
    bool json, all, zeroed;
    bool to, accel;      /* convert: these were named */
    bool tcg, xen;       /* QEMU's emulation; to Xen */
    const char *accept;  /* names, or NULL */
    const char *name[2]; /* files */
};

/* A file that is read. */
struct xl_file {
    int fd;
    struct mext_saved_in *in; /* what is in it, unpacked */
    const char *name;
    uint64_t at; /* offset of what is read next */
};

/* "-" is standard input; -1, and it was said. */
int xl_file_open(const struct xl_stream *x, const char *name,
                 struct xl_file *f_r);
void xl_file_close(struct xl_file *f);
/* From the first byte again: -1, and it was said, if it is none to be sought. */
int xl_file_rewind(const struct xl_stream *x, struct xl_file *f);
/*
 * The sum of a file of xl save --cooperative, over all of it: -1, and it was said, if
 * it is another.  Of other files nothing is read; the first byte is read next.
 */
int xl_file_check(const struct xl_stream *x, struct xl_file *f);

/*
 * Walks the file: as stream_walk; -1 was said.  *s_r is the caller's to close,
 * NULL after -1; s_r may be NULL.
 */
int xl_file_walk(const struct xl_stream *x, struct xl_file *f,
                 const struct stream_events *events, void *arg,
                 struct stream **s_r);

/*
 * The new file, x->name[1], to be written; NULL, and it was said.  It has another name,
 * and goes if xl is interrupted, until xl_new_close finds that it keeps every rule: 0;
 * -1, and it was said, or rc was not 0: there is no such file.
 */
FILE *xl_new_open(const struct xl_stream *x);
int xl_new_close(const struct xl_stream *x, FILE *f, int rc);

/* "FILE: offset 4096: libxc PAGE_DATA: libxc.page-type: ..." */
void xl_stream_say(FILE *f, const char *name, const struct stream_broken *b);

/* The words; exit statuses. */
int xl_stream_inspect(const struct xl_stream *x);
int xl_stream_verify(const struct xl_stream *x);
int xl_stream_strip(const struct xl_stream *x);
int xl_stream_diff(const struct xl_stream *x);
int xl_stream_convert(const struct xl_stream *x);

#endif
