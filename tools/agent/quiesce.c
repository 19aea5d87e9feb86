/* SPDX-License-Identifier: GPL-2.0-only */
/* Holding still and going on: the table of states in docs/specs/agent.md. */
#include <string.h>

#include "agent.h"

/* How long cards may take to come back before the neighbours are told, ms. */
#define CARDS_MS 2000

int agent_quiesce(struct agent *a, unsigned deadline_ms, unsigned hold_ms,
                  struct mext_agentmsg *m_r, struct agent_why *why)
{
    uint64_t start = agent_now_ms(), end = start + deadline_ms;
    unsigned hooks, cgroups;

    if (a->state == AGENT_QUIET)
        return agent_fail(why, MEXT_AGENT_E_STATE, "quiet already");
    if (hooks_begin(why)) /* nothing has been done that post.d would undo */
        return -1;
    a->hold_end = end + hold_ms; /* should something below fail to return */
    if (hooks_run(a->config->hooks, "pre.d", end, true, &hooks, why) ||
        cgroups_freeze(a->config, end, &cgroups, why)) {
        /* post.d later: dom0 waits for this answer, then suspends the guest */
        cgroups_undo();
        a->state = AGENT_RUNNING;
        a->gave_up = true;
        return -1;
    }
    a->state = AGENT_QUIET;
    a->hold_end = agent_now_ms() + hold_ms;
    a->report.quiesced = agent_time();
    m_r->u.quiesced.took_ms = (uint32_t)(agent_now_ms() - start);
    m_r->u.quiesced.cgroups = (uint16_t)cgroups;
    m_r->u.quiesced.hooks = (uint16_t)hooks;
    return 0;
}

int agent_calm(struct agent *a, unsigned percent, unsigned hold_ms,
               unsigned *n_r, struct agent_why *why)
{
    if (a->state == AGENT_QUIET)
        return agent_fail(why, MEXT_AGENT_E_STATE, "quiet");
    cgroups_undo(); /* what to go back to is from before the first calm */
    a->state = AGENT_RUNNING;
    if (cgroups_calm(a->config, percent, n_r, why))
        return -1;
    a->state = AGENT_CALM;
    a->hold_end = agent_now_ms() + hold_ms;
    return 0;
}

void agent_resume(struct agent *a, bool tell_neighbours, unsigned deadline_ms,
                  struct mext_agentmsg *m_r)
{
    struct mext_agent_report *r = &a->report;
    bool was_quiet = a->state == AGENT_QUIET;
    uint64_t start = agent_now_ms(), cards = start + CARDS_MS;
    struct agent_why why;
    unsigned hooks = 0, told = 0;

    r->resumed = agent_time();
    cgroups_undo();
    a->state = AGENT_RUNNING;
    r->thawed = agent_time();
    if (!was_quiet)
        memset(&r->quiesced, 0, sizeof(r->quiesced));
    if (was_quiet || tell_neighbours) {
        r->n++;
        serve_report(a);
    }
    if (tell_neighbours && a->config->announce)
        told = announce(cards < start + deadline_ms ? cards
                                                    : start + deadline_ms);
    if (was_quiet || tell_neighbours || hooks_begun())
        hooks_run(a->config->hooks, "post.d", start + deadline_ms, false,
                  &hooks, &why);
    hooks_end();
    m_r->u.resumed.took_ms = (uint32_t)(agent_now_ms() - start);
    m_r->u.resumed.hooks = (uint16_t)hooks;
    m_r->u.resumed.announced = (uint16_t)told;
}
