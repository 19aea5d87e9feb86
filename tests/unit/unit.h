/* SPDX-License-Identifier: GPL-2.0-only */
/* What the libcheck programs share. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

#include "fixture.h"

/* Runs a suite as a program; its exit status. */
int unit_main(Suite *s);

/* Ends the program, counted as skipped, if it does not run as root. */
void unit_need_root(void);

/* A suite of one case with the given test functions, ended by NULL. */
Suite *unit_suite(const char *name, const TTest *const *tests);
/* The same; setup and teardown (may be NULL) run around each test. */
Suite *unit_suite_in(const char *name, const TTest *const *tests, SFun setup,
                     SFun teardown);

/* Adds another case to a suite. */
TCase *unit_case(Suite *s, const char *name, const TTest *const *tests);

/* A socket of that type at a free port of the loopback. */
int unit_listen(int type, unsigned *port_r);

/* Reads a committed vector into buf[max]; its length. */
size_t unit_vector(const char *name, uint8_t *buf, size_t max);

#endif
