/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A journal's file, for mext_journal*.c: names, locks, records
 * (docs/specs/journal.md).  Functions return 0, or -1 with errno, unless they
 * say otherwise.
 */
#ifndef MEXT_JOURNAL_FILE_H
#define MEXT_JOURNAL_FILE_H

#include <sys/types.h>

#include "mext_journal.h"
#include "mext_keyfile.h"

#define MEXT_JOURNAL_HEX (2 * MEXT_ID_LEN)
/* Bytes of a name, with NUL. */
#define MEXT_JOURNAL_NAME \
    (MEXT_JOURNAL_HEX + sizeof("." \
                               ".out"))

/* What a file holds. */
struct mext_jfile {
    struct mext_entry e; /* the last good record's, if n */
    uint32_t n;          /* good records */
    bool again;          /* the last one says what the one before it does */
    bool foreign;        /* it is of another version of the format */
};

/* The name of the finished file; with a dot first, of the unfinished one. */
void mext_jfile_name(char name[MEXT_JOURNAL_NAME],
                     const uint8_t id[MEXT_ID_LEN], enum mext_side side,
                     bool unfinished);
/* False if it is not that of a finished file. */
bool mext_jfile_parse(const char *name, uint8_t id_r[MEXT_ID_LEN],
                      enum mext_side *side_r);

/* Opens a regular file; ELOOP if it is none. */
int mext_jfile_open(const struct mext_folder *f, const char *name, int flags);
/* Locks it: 1 if another one has it. */
int mext_jfile_lock(int fd);
/* True if another one has it, or that cannot be known. */
bool mext_jfile_locked(int fd);
/* Opens and locks the file that has that name: 1 if another one has it. */
int mext_jfile_open_locked(const struct mext_folder *f, const char *name,
                           int *fd_r);

/* As many of n bytes as there are. */
ssize_t mext_jfile_read_at(int fd, uint8_t *p, size_t n, off_t at);
/* Reads up to the first record that does not count. */
int mext_jfile_load(int fd, const uint8_t id[MEXT_ID_LEN], enum mext_side side,
                    struct mext_jfile *c_r);
/* The same by name, without taking the lock; alive_r (or NULL): who has it. */
int mext_jfile_peek(const struct mext_folder *f, const char *name,
                    const uint8_t id[MEXT_ID_LEN], enum mext_side side,
                    struct mext_jfile *c_r, bool *alive_r);

/*
 * Makes e the last record, durable.  The third one in a row that says the same
 * goes over the second: the file stays short, however often a migration is
 * stranded anew, and if that is cut off the first is left.
 */
int mext_jfile_append(int fd, struct mext_jfile *c, const struct mext_entry *e);

/* close, leaving errno alone; -1 is allowed. */
void mext_jfile_close(int fd);
/* -1 and why: errno, and what can be done about it. */
int mext_jfile_failed(struct mext_why *why, const char *verb, const char *path);

#endif
