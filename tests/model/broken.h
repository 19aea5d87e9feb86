/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables and programs that must not pass. */
#ifndef BROKEN_H
#define BROKEN_H

#include "world.h"

#define FAULTS_HOSTS \
    (FAULT_LINK | FAULT_CANCEL | FAULT_KILL | FAULT_EFFECT | FAULT_POWER)
#define FAULTS_ALL (FAULTS_HOSTS | FAULT_DISK | FAULT_OPERATOR | FAULT_GUEST)

unsigned broken_count(void);

/*
 * The n-th from 1, with all faults; 0: the product's tables, unbroken.  What is
 * broken.  The tables are valid until the next call.
 */
const char *broken_rules(unsigned n, struct rules *r_r);

#endif
