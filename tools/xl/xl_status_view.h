/* SPDX-License-Identifier: LGPL-2.1-only */
/* Migrations as text and as JSON. */
#ifndef XL_STATUS_VIEW_H
#define XL_STATUS_VIEW_H

#include <stdio.h>

#include "mext_monitor.h"

/* A migration: what is noted, and what its socket says. */
struct xl_seen {
    struct mext_entry e;
    bool alive; /* a process minds it */
    bool live;  /* ... and has said: */
    struct mext_monitor_line now;
};

/* What is to be done about it; "" if nothing is. */
void xl_view_todo(const struct xl_seen *m, char out[80]);

/* A table; now: seconds since 1970. */
void xl_view_table(FILE *f, const struct xl_seen *m, size_t n, uint64_t now);

/* All about one, a line each. */
void xl_view_one(FILE *f, const struct xl_seen *m, uint64_t now);

/* An array of objects. */
void xl_view_json(FILE *f, const struct xl_seen *m, size_t n);

/* Of one that no process minds any more: the last line of its monitor, as it was. */
void xl_view_last(FILE *f, const struct xl_seen *m);

/* How far one is, on one line without newline: state, iteration, rate. */
void xl_view_progress(FILE *f, const struct mext_monitor_line *l);

/* What became of a wish to cancel it: l is its last line, or the answer. */
void xl_view_cancel(FILE *f, const struct xl_seen *m, bool cancelled,
                    const struct mext_monitor_line *l);

#endif
