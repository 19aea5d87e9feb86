/* SPDX-License-Identifier: LGPL-2.1-only */
/* `xl save --cooperative`, and `xl restore` of what it wrote. */
#ifndef XL_SAVE_H
#define XL_SAVE_H

#include <stdbool.h>

/* Their lines of `xl help`. */
extern const char xl_save_help[];

/* argv[0] is "save". Exit status. */
int xl_save_run(int argc, char **argv, unsigned verbosity);

/*
 * argv is xl's whole command line, word the place of "restore" in it.  -1: the
 * stock xl is to run with argv, of which the file may have been replaced by
 * what its contents come out of; else exit status.
 */
int xl_restore_prepare(int argc, char **argv, int word);

#endif
