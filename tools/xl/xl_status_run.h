/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of xl's words for migrations share. */
#ifndef XL_STATUS_RUN_H
#define XL_STATUS_RUN_H

#include "xl_status.h"
#include "xl_status_view.h"

enum xl_word { XL_WORD_STATUS, XL_WORD_CANCEL, XL_WORD_SET, XL_WORDS };

/* One call. */
struct xl_run {
    const struct xl_places *p;
    enum xl_word word;
    const char *name; /* DOMAIN or ID; NULL: none */
    bool json, all, watch, help, set;
    struct mext_wishes wishes;
    /* all that are noted, the oldest first */
    struct xl_seen *seen;
    size_t n;
};

/* Fills seen; -1, and it was said, if that cannot be read. */
int xl_run_read(struct xl_run *r);

/*
 * The one named, among seen; NULL, and it was said, if there is none.  A
 * guest's name goes before its number, and that before a migration's ID.
 */
struct xl_seen *xl_run_find(struct xl_run *r);

/* Is name the beginning of its id, of digits enough? */
bool xl_has_id(const struct mext_entry *e, const char *name);
#define XL_SEVERAL "xl: several migrations begin with %s\n"

/* The words; the exit status. */
int xl_run_cancel(struct xl_run *r);
int xl_run_set(struct xl_run *r);

#endif
