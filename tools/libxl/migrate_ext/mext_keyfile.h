/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Small text files that others must not change, or not even read, in folders
 * that others must not change.  A file appears, is replaced and disappears as
 * a whole, whenever the machine stops.
 *
 * Whose they are: root's or the caller's, and neither group nor others may
 * write them.  What is not so is refused, and why holds the command that mends
 * it.  All return 0, or -1 and why.
 */
#ifndef MEXT_KEYFILE_H
#define MEXT_KEYFILE_H

#include <sys/types.h>

#include "mext_keys.h"

/* An open folder; with fd -1 one that is not there, which is an empty one. */
struct mext_folder {
    int fd;
    char path[4096]; /* for texts */
};

/*
 * Opens a folder: `name` in the folder `in`, or a path if that is NULL.  The
 * way to it may lead through symbolic links: what is looked at is the folder
 * that was opened.
 */
int mext_folder_open(const struct mext_folder *in, const char *name,
                     struct mext_folder *f_r, struct mext_why *why);
/* The same; what is missing is made first, with parents if `in` is NULL. */
int mext_folder_make(const struct mext_folder *in, const char *name,
                     struct mext_folder *f_r, struct mext_why *why);
/* <dir>/trust.d; `change`: with what is missing, and locked. */
int mext_folder_trust(const char *dir, bool change, struct mext_folder *f_r,
                      struct mext_why *why);
/*
 * Waits for other writers, and removes what one that was cut off left; to be
 * held, until closed, by who changes files.
 */
int mext_folder_lock(const struct mext_folder *f, struct mext_why *why);
void mext_folder_close(struct mext_folder *f);

/* Whether there is anything of that name. */
bool mext_keyfile_there(const struct mext_folder *f, const char *name);

/*
 * Reads a whole file into text_r[max] and ends it by a NUL.  Refuses symbolic
 * links, what is no regular file, what is longer or holds a NUL; secret: what
 * others may read.  On failure text_r may hold anything.
 */
int mext_keyfile_read(const struct mext_folder *f, const char *name,
                      bool secret, char *text_r, size_t max,
                      struct mext_why *why);

/*
 * Writes a file of that mode (umask permitting); refuses to overwrite one
 * unless `replace`.
 */
int mext_keyfile_write(const struct mext_folder *f, const char *name,
                       mode_t mode, const char *text, bool replace,
                       struct mext_why *why);

/* A second name for a file; refuses to overwrite. */
int mext_keyfile_link(const struct mext_folder *f, const char *name,
                      const char *other, struct mext_why *why);
/* Another name, taking the place of what has it. */
int mext_keyfile_rename(const struct mext_folder *f, const char *name,
                        const char *other, struct mext_why *why);
/* Unlinks it; its octets are not overwritten. */
int mext_keyfile_remove(const struct mext_folder *f, const char *name,
                        struct mext_why *why);

#endif
