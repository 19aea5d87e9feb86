/* SPDX-License-Identifier: LGPL-2.1-only */
/* What both directions of xl migrate-stream convert share. */
#ifndef XL_STREAM_CONVERT_H
#define XL_STREAM_CONVERT_H

#include "xl_stream_run.h"

struct xl_convert {
    const struct xl_stream *x;
    struct xl_file in;
    FILE *new;
    int error;        /* errno of writing */
    unsigned refused; /* by name, and not accepted */
    yajl_gen json;    /* in the array not_carried; NULL: text */
};

/* For events and for what is not carried; arg: a struct whose first this is. */
bool xl_convert_broken(void *arg, const struct stream_broken *b);
void xl_convert_refuse(void *arg, const char *name, const char *why);
void xl_convert_put(void *arg, const void *p, size_t n);

/*
 * After the first walk: 0 if everything is carried or accepted, and the new
 * file is open for the second.
 */
int xl_convert_begin(struct xl_convert *c);
/* After the second: 0 if the new file is whole and keeps every rule. */
int xl_convert_end(struct xl_convert *c, int rc);

/* The directions; the file is open. 0, or -1 and it was said. */
int xl_stream_to_qemu(struct xl_convert *c);
int xl_stream_to_xen(struct xl_convert *c);

#endif
