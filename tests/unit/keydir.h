/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder of its own for each test, and packetd's words for keys run in it. */
#ifndef KEYDIR_H
#define KEYDIR_H

#include <sys/types.h>

#include "mext_keys.h"
#include "unit.h"

extern char dir[64]; /* of the running test */
extern struct mext_why why;

void keydir_setup(void);
void keydir_teardown(void);

/* <dir>/name, in one of two static buffers. */
const char *path(const char *name);
void put_file(const char *name, const char *text, mode_t mode);
void slurp(const char *name, char buf[4096]);

/* The public key of `who`; its text, if text is not NULL. */
void public_of(enum fix_who who, uint8_t pk[MEXT_KEY_LEN],
               char text[MEXT_KEY_TEXT_LEN]);

/* The reason is one line of printable text that mentions the word. */
void says(const char *word);

/*
 * Runs the words of `line` in a child, MEXT_KEYS_DIR being <dir>/k, with
 * `input` on standard input; with NULL that is this process's.  Fills out and
 * err; the exit status, 77 for a word that is not about keys.
 */
int run_words(const char *line, const char *input);
extern char out[4096], err[4096];

/*
 * Runs `step` in a child that is killed at the n-th of its stops, one before
 * and one behind each system call; whether it was.  If not, step returned 0.
 */
bool cut_off(int (*step)(void), unsigned n);

#endif
