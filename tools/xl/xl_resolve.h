/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl migrate-resolve: ends migrations from here that were broken off. */
#ifndef XL_RESOLVE_H
#define XL_RESOLVE_H

/* Its line of `xl help`. */
extern const char xl_resolve_help[];

/* Runs the word argv[0] with its arguments; the exit status. */
int xl_resolve_run(int argc, char **argv, unsigned verbosity);

#endif
