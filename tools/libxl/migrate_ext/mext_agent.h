/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * dom0's end of a talk with the guest's agent (docs/specs/agent.md), and the
 * one file that knows libxenvchan here.  Everything the agent says is hostile;
 * no call waits longer than its timeout, or after a cancel (mext_net_cancel_fd).
 *
 * Functions return 0 or -1 with *why filled: no help from the agent is never
 * a reason to fail a migration.  After a -1 that is not the agent's own ERROR
 * the talk is over and further requests fail at once.
 *
 * A talk must have ended (mext_agent_close) before the guest is asked to
 * suspend.
 */
#ifndef MEXT_AGENT_H
#define MEXT_AGENT_H

#include "mext_agentmsg.h"
#include "mext_store.h"

struct mext_agent;

/* Finds the guest's agent, and greets it; *a_r is the caller's to close. */
int mext_agent_open(uint32_t domid, unsigned timeout_ms,
                    struct mext_agent **a_r, struct mext_why *why);

/*
 * Ends the talk and frees a (NULL allowed).  Then waits until the agent has
 * put its rings away: true if it has, within wait_ms (0: does not wait).
 */
bool mext_agent_close(struct mext_agent *a, unsigned wait_ms);

/* MEXT_AGENT_CAN_*, and its name and version, printable, as it says. */
unsigned mext_agent_abilities(const struct mext_agent *a);
const char *mext_agent_name(const struct mext_agent *a);

/*
 * Free pages among gfns 0 to ngfns - 1: sets their bits in bitmap, which has
 * (ngfns + 63) / 64 elements (gfn g: bit g % 64 of element g / 64), clears
 * all others; *flags_r is MEXT_AGENT_FREE_ZERO or 0, *pages_r the number of
 * bits.  On failure the bitmap is all clear.
 *
 * Log-dirty must be on, and the answer may be applied to dirty bitmaps taken
 * *before* this call only.
 */
int mext_agent_free(struct mext_agent *a, uint64_t *bitmap, uint64_t ngfns,
                    unsigned timeout_ms, unsigned *flags_r, uint64_t *pages_r,
                    struct mext_why *why);

/* level: MEXT_AGENT_TRIM_*; KiB free in the guest before and after. */
int mext_agent_trim(struct mext_agent *a, unsigned level, unsigned timeout_ms,
                    uint64_t *before_r, uint64_t *after_r,
                    struct mext_why *why);

/*
 * The guest's services hold still until a resume, or hold_ms of its time.
 * Then close, wait, and suspend.  took_ms, cgroups and hooks in *m_r.
 */
int mext_agent_quiesce(struct mext_agent *a, unsigned timeout_ms,
                       unsigned hold_ms, struct mext_agentmsg *m_r,
                       struct mext_why *why);

/*
 * Undoes quiesce and calm, after a migration that did not happen; flags are
 * MEXT_AGENT_RESUME_*, the wall clock is this host's.  m_r->u.resumed.
 */
int mext_agent_resume(struct mext_agent *a, unsigned flags, unsigned timeout_ms,
                      struct mext_agentmsg *m_r, struct mext_why *why);

/* The configured services get percent of the guest's CPUs; how many did. */
int mext_agent_calm(struct mext_agent *a, unsigned percent, unsigned hold_ms,
                    unsigned timeout_ms, unsigned *cgroups_r,
                    struct mext_why *why);

/*
 * What the agent in domid (on this host, after a migration) left in xenstore;
 * waits for it up to timeout_ms.  Needs no vchan.  The numbers are the
 * guest's word.
 */
int mext_agent_report_read(struct mext_store *s, uint32_t domid,
                           unsigned timeout_ms, struct mext_agent_report *r_r,
                           struct mext_why *why);

#endif
