/* SPDX-License-Identifier: GPL-2.0-only */
/* What the journal's tests share: a folder, files in it, journals. */
#ifndef JOURNAL_CASE_H
#define JOURNAL_CASE_H

#include <sys/types.h>

#include "fix_journal.h"
#include "unit.h"

#define LEN MEXT_JOURNAL_LEN
#define SRC MEXT_SIDE_SOURCE
#define DST MEXT_SIDE_DEST
#define DAY UINT64_C(86400)

extern char journal_top[32]; /* exists during each test */
extern char journal_dir[64]; /* below it, does not */
extern uint8_t journal_id[MEXT_ID_LEN];
extern struct mext_why why;

/* Runs the tests as a program, each with an empty folder; its exit status. */
int journal_main(const char *name, const TTest *const *tests);

/* ---- files as such ---- */

/* The path of a migration's file; lives until the next call. */
const char *path_of(const uint8_t *id, enum mext_side side);
/* -1: is not there. */
off_t size_of(const char *file);
/* Writes over the source's file. */
void poke(off_t at, const void *p, size_t n);
void make_folder(void);
/* A file of one record, of the migration of id i; nothing is synchronous. */
void put_file(unsigned i, enum mext_noted n, uint64_t begun, uint64_t changed);
/* Makes an empty file. */
void put_empty(const char *file);
/* How many there are, of any name. */
int files(void);

/* ---- journals of the migration journal_id ---- */

/* What it begins with. */
void fill(struct mext_entry *e, enum mext_side side);
struct mext_journal *create(enum mext_side side);
void note(struct mext_journal *j, enum mext_noted n, const char *text);
struct mext_journal *take(enum mext_side side);
/* What the source's says, 0 if it is not whole. */
enum mext_noted noted(void);
/* A source's that says begun, committing; closed. */
void two_records(void);

struct seen {
    unsigned n, alive, stop; /* stop: after so many */
    uint64_t begun[8];
};

struct seen all(unsigned stop);

#endif
