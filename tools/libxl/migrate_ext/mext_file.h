/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Small text files below the keys folder, whole: names are relative to it and
 * the last part of one may not be a symbolic link.
 */
#ifndef MEXT_FILE_H
#define MEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "mext_keys.h"

/*
 * Reads <dir>/<name> into text[max], at most max - 1 bytes, and ends it by a
 * NUL; *n_r: its bytes.  A file that is not there is no failure: *found_r says
 * so.  -1 and why if it is too long, holds a NUL, or is not a regular file.
 */
int mext_file_read(const char *dir, const char *name, char *text, size_t max,
                   size_t *n_r, bool *found_r, struct mext_why *why);

/*
 * Creates <dir>/<name>, mode 0644, so that a crash leaves all of text or
 * nothing; -1 and why, also if it is there already.
 */
int mext_file_create(const char *dir, const char *name, const char *text,
                     struct mext_why *why);

#endif
