/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_agent.h for guests that have no agent. */
#include "mext_agent.h"
#include "mext_net.h"

static int nobody(struct mext_why *why)
{
    return mext_fail(why, "the guest has no agent");
}

int mext_agent_open(uint32_t domid, unsigned timeout_ms,
                    struct mext_agent **a_r, struct mext_why *why)
{
    return nobody(why);
}

bool mext_agent_close(struct mext_agent *a, unsigned wait_ms)
{
    return true;
}

unsigned mext_agent_abilities(const struct mext_agent *a)
{
    return 0;
}

const char *mext_agent_name(const struct mext_agent *a)
{
    return "";
}

int mext_agent_free(struct mext_agent *a, uint64_t *bitmap, uint64_t ngfns,
                    unsigned timeout_ms, unsigned *flags_r, uint64_t *pages_r,
                    struct mext_why *why)
{
    return nobody(why);
}

int mext_agent_trim(struct mext_agent *a, unsigned level, unsigned timeout_ms,
                    uint64_t *before_r, uint64_t *after_r, struct mext_why *why)
{
    return nobody(why);
}

int mext_agent_quiesce(struct mext_agent *a, unsigned timeout_ms,
                       unsigned hold_ms, struct mext_agentmsg *m_r,
                       struct mext_why *why)
{
    return nobody(why);
}

int mext_agent_resume(struct mext_agent *a, unsigned flags, unsigned timeout_ms,
                      struct mext_agentmsg *m_r, struct mext_why *why)
{
    return nobody(why);
}

int mext_agent_calm(struct mext_agent *a, unsigned percent, unsigned hold_ms,
                    unsigned timeout_ms, unsigned *cgroups_r,
                    struct mext_why *why)
{
    return nobody(why);
}
