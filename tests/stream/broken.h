/* SPDX-License-Identifier: GPL-2.0-only */
/* For each rule of the table streams that break it, it first of all. */
#ifndef BROKEN_H
#define BROKEN_H

#include "build_stream.h"
#include "stream.h"

#define AT_END (-100000) /* right after the record */

struct patch {
    enum {
        NOTHING,
        SET,    /* octets at, from the record's beginning; < 0: its end */
        INSERT, /* octets before at */
        DROP,   /* the record */
        DOUBLE, /* the record, a second time after it */
        CUT,    /* ends the stream at */
        APPEND, /* to the stream */
        TEXT,   /* of the record: the first such text becomes as long another */
    } op;
    int at;
    const char *octets; /* hex, and 'text' */
    const char *other;
};

struct broken {
    enum stream_rule rule;
    enum base base;
    const char *record; /* layer and name */
    unsigned nth;
    struct patch patch[2];
};

extern const struct broken broken[];
extern const size_t nbroken;

/* The stream of a row. */
void build_broken(struct bytes *b, const struct broken *row);

#endif
