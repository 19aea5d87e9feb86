/* SPDX-License-Identifier: GPL-2.0-only */
/* xl migrate-stream, run by a test. */
#ifndef XL_CASE_H
#define XL_CASE_H

extern char *out, *err; /* of the last run, owned; NULL: none yet */

/* Runs the words, ended by spaces; the exit status. */
int xl(const char *words);

#endif
