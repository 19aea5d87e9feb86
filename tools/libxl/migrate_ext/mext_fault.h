/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Fault points: named places at which a test makes something go wrong.  They are
 * compiled in with --enable-fault-injection only; otherwise they are nothing.
 *
 * What shall happen is in the file MEXT_FAULT_FILE, a line for each fault:
 *
 *   POINT[@N] ACTION [ARGUMENT]
 *
 * At the Nth time (the first) that a process of this host comes to POINT, the
 * line is taken out, written behind MEXT_FAULT_HIT, and this is done:
 *
 *   kill         the process ends as by kill -9
 *   fail [TEXT]  the step fails, for the reason TEXT ("Input/output error")
 *   hang [S]     the process stands still for S seconds, or for ever
 *   run COMMAND  the shell runs it; then it goes on as if nothing had been
 */
#ifndef MEXT_FAULT_H
#define MEXT_FAULT_H

#include "mext_keys.h"

#define MEXT_FAULT_FILE MEXT_RUNDIR "/xen-migrate.faults"
#define MEXT_FAULT_HIT  MEXT_RUNDIR "/xen-migrate.faults.hit"

#ifdef MEXT_FAULT_INJECTION

/* 0: go on; -1, with why (NULL: not wanted): the step has failed. */
int mext_fault(const char *point, struct mext_why *why);

/*
 * The same for an effect of a table (mext_commit.h): "SIDE.EFFECT" before it is
 * done, where the fault takes its place; "SIDE.EFFECT.done" after it, where it is
 * done, but looks as if it had failed.
 */
int mext_fault_effect(const char *side, const char *effect, bool done);

#else

static inline int mext_fault(const char *point, struct mext_why *why)
{
    return 0;
}

static inline int mext_fault_effect(const char *side, const char *effect,
                                    bool done)
{
    return 0;
}

#endif
#endif
