/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables in docs/specs/commit.md. */
#ifndef SPEC_H
#define SPEC_H

#define SPEC_TEXT_MAX 32768
#define SPEC_ROW_MAX  256

/* Reads all of it, ended by a NUL. */
void spec_read(char text[SPEC_TEXT_MAX]);

/* What is behind a heading, a whole line with its mark; NULL: not there. */
const char *spec_section(const char *text, const char *heading);

/*
 * The next row of the table in a section, without its end of line, from `at`
 * on, and where to go on; NULL: no more.  The table's head is no row.
 */
const char *spec_row(const char *at, char row[SPEC_ROW_MAX]);

#endif
