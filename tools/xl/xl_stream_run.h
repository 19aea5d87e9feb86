/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the parts of xl migrate-stream share. */
#ifndef XL_STREAM_RUN_H
#define XL_STREAM_RUN_H

#include <stdbool.h>
#include <stdio.h>

#include <yajl/yajl_gen.h>

#include "stream.h"

struct xl_stream {
    FILE *out, *err;
    bool json, all, zeroed;
    const char *name[2]; /* files */
};

/* A file that is read. */
struct xl_file {
    int fd;
    const char *name;
};

/* "-" is standard input; -1, and it was said. */
int xl_file_open(const struct xl_stream *x, const char *name,
                 struct xl_file *f_r);
void xl_file_close(struct xl_file *f);

/*
 * Walks the file: as stream_walk; -1 was said.  *s_r is the caller's to close,
 * NULL after -1; s_r may be NULL.
 */
int xl_file_walk(const struct xl_stream *x, struct xl_file *f,
                 const struct stream_events *events, void *arg,
                 struct stream **s_r);

/* "FILE: offset 4096: libxc PAGE_DATA: libxc.page-type: ..." */
void xl_stream_say(FILE *f, const char *name, const struct stream_broken *b);

/* A generator of JSON whose text goes to f as it comes. */
yajl_gen xl_json_open(FILE *f);
/* Ends what is written with a newline. */
void xl_json_close(FILE *f, yajl_gen g);
void xl_json_key(yajl_gen g, const char *key);
void xl_json_text(yajl_gen g, const char *key, const char *value);
void xl_json_number(yajl_gen g, const char *key, uint64_t value);

/* The words; exit statuses. */
int xl_stream_inspect(const struct xl_stream *x);
int xl_stream_verify(const struct xl_stream *x);
int xl_stream_strip(const struct xl_stream *x);
int xl_stream_diff(const struct xl_stream *x);

#endif
