/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether this host can give a guest the CPU, and the Xen, that it knows.  Xen
 * itself takes what it lacks out of the guest's CPUID without a word, and the guest,
 * which has looked long ago, dies of its next such instruction.
 */
#ifndef PACKETD_CPU_H
#define PACKETD_CPU_H

#include "mext_cpu.h"
#include "mext_keys.h"

#define CPU_TEXT  400 /* bytes of what is missing that are told at a time */
#define CPU_LACKS "this host cannot give what the guest has: %s"

/* Names of what is missing, parted by commas, fewer than CPU_TEXT bytes. */
typedef void cpu_words_fn(void *arg, const char *words);

/*
 * How much is missing; fn is told what, again and again if it is much; -1 and why: it
 * is not known.
 */
int cpu_missing(bool pv, const struct mext_cpu *guest, cpu_words_fn *fn,
                void *arg, struct mext_why *why);

#endif
