/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mext_agent.h for guests of images: an agent that tells what is free, which is a bitmap
 * beside the guest's memory, and does nothing else; or none (guest.c).
 */
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "mext_agent.h"
#include "mext_net.h"

struct mext_agent {
    struct image_conn *conn;
    struct image_ram ram;
    unsigned flags;
};

static int nothing_else(struct mext_why *why)
{
    return mext_fail(why, "its agent does not do that");
}

int mext_agent_open(uint32_t domid, unsigned timeout_ms,
                    struct mext_agent **a_r, struct mext_why *why)
{
    struct mext_agent *a = calloc(1, sizeof(*a));
    char how[8];

    if (a)
        a->conn = image_open(NULL);
    if (!a || !a->conn ||
        image_read(a->conn, domid, "data/free", how, sizeof(how)) < 0 ||
        image_ram_open(domid, false, &a->ram)) {
        mext_agent_close(a, 0);
        return mext_fail(why, "the guest has no agent");
    }
    a->flags = strcmp(how, "zero") ? 0 : MEXT_AGENT_FREE_ZERO;
    *a_r = a;
    return 0;
}

bool mext_agent_close(struct mext_agent *a, unsigned wait_ms)
{
    if (a) {
        image_ram_close(&a->ram);
        image_close(a->conn);
        free(a);
    }
    return true;
}

unsigned mext_agent_abilities(const struct mext_agent *a)
{
    return MEXT_AGENT_CAN_FREE;
}

const char *mext_agent_name(const struct mext_agent *a)
{
    return "image";
}

int mext_agent_free(struct mext_agent *a, uint64_t *bitmap, uint64_t ngfns,
                    unsigned timeout_ms, unsigned *flags_r, uint64_t *pages_r,
                    struct mext_why *why)
{
    uint64_t n = (ngfns + 63) / 64;

    *flags_r = a->flags;
    *pages_r = 0;
    memset(bitmap, 0, n * 8);
    for (uint64_t i = 0; i < n && i < IMAGE_GFNS / 64; i++) {
        bitmap[i] = __atomic_load_n(&a->ram.free[i], __ATOMIC_SEQ_CST);
        *pages_r += (unsigned)__builtin_popcountll(bitmap[i]);
    }
    return 0;
}

int mext_agent_trim(struct mext_agent *a, unsigned level, unsigned timeout_ms,
                    uint64_t *before_r, uint64_t *after_r, struct mext_why *why)
{
    return nothing_else(why);
}

int mext_agent_quiesce(struct mext_agent *a, unsigned timeout_ms,
                       unsigned hold_ms, struct mext_agentmsg *m_r,
                       struct mext_why *why)
{
    return nothing_else(why);
}

int mext_agent_resume(struct mext_agent *a, unsigned flags, unsigned timeout_ms,
                      struct mext_agentmsg *m_r, struct mext_why *why)
{
    return nothing_else(why);
}

int mext_agent_calm(struct mext_agent *a, unsigned percent, unsigned hold_ms,
                    unsigned timeout_ms, unsigned *cgroups_r,
                    struct mext_why *why)
{
    return nothing_else(why);
}
