/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl's words for migrations: migrate-status, migrate-cancel, migrate-set. */
#ifndef XL_STATUS_H
#define XL_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Their lines of `xl help`. */
extern const char xl_status_help[];

struct xl_places {
    const char *journal, *sockets; /* folders */
    uint64_t now;                  /* seconds since 1970 */
    FILE *out, *err;
};

/* The usual ones, and the time. */
void xl_status_places(struct xl_places *p_r);

bool xl_status_word(const char *word);

/* Runs the word argv[0] with its arguments; the exit status. */
int xl_status_run(const struct xl_places *p, int argc, char **argv);

#endif
