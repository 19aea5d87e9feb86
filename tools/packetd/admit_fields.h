/* SPDX-License-Identifier: GPL-2.0-only */
/* The fields of libxl_domain_config that admit.c knows; admit_fields.c. */
#ifndef PACKETD_ADMIT_FIELDS_H
#define PACKETD_ADMIT_FIELDS_H

#include "admit.h"

/* What stands there in the JSON. */
enum admit_kind {
    ADMIT_MAP,
    ADMIT_LIST,
    ADMIT_TEXT,   /* a string without NUL */
    ADMIT_WORD,   /* a string of letters, digits and _ - */
    ADMIT_BOOL,   /* libxl_defbool: "True" or "False" */
    ADMIT_FLAG,   /* true or false */
    ADMIT_NUMBER, /* digits only */
};

#define ADMIT_FIELDS_MAX 64 /* of one map */

struct admit_judge;
struct admit_field;

struct admit_value {
    const char *text; /* string, with NUL behind it, or "" */
    size_t len;
    uint64_t number;
    const struct admit_field *sub; /* of a map at its end */
    uint64_t seen;                 /* ... bit i: sub[i] was there */
};

/* Good or not; said: *j->why tells it already. */
enum admit_verdict { ADMIT_NO, ADMIT_YES, ADMIT_SAID };

struct admit_check {
    const char *text; /* what passes it, in words */
    enum admit_verdict (*fn)(struct admit_judge *j,
                             const struct admit_value *v);
};

/*
 * A value must pass `form`, if there is one, and then needs `word`, if there is
 * one, unless it passes `free`.
 */
struct admit_field {
    const char *name; /* of an element of a list: "" */
    enum admit_kind kind;
    uint64_t max; /* bytes of a text, value of a number, elements of a list */
    const struct admit_check *form, *free;
    unsigned word; /* enum policy_allow, one bit */
    const struct admit_field
        *sub; /* of a map, to a NULL name; of a list: one */
};

/* The whole configuration, a map. */
extern const struct admit_field admit_root;

/* State of judging; rule NULL: only form and name are looked at. */
#define ADMIT_DEPTH 8

struct admit_level {
    const struct admit_field *in;  /* map or list */
    const struct admit_field *now; /* whose value is next in a map */
    uint64_t seen;
    unsigned count; /* elements so far */
};

struct admit_judge {
    const struct policy_accept *rule;
    const char *key;
    struct admit_guest *guest;
    struct mext_why *why;
    struct admit_level levels[ADMIT_DEPTH];
    unsigned depth;
    uint64_t overhead_kib; /* memory beside the guest's RAM */
    uint64_t target_kib;
    struct {
        bool path, empty, cdrom;
    } disk;        /* the one that is being read */
    bool built[3]; /* what b_info says of the type, enum mext_inspect_guest */
};

/* Says what could be added to the rule's line; j->rule is there. */
enum admit_verdict admit_lacks(struct admit_judge *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
