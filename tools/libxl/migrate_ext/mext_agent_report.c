/* SPDX-License-Identifier: LGPL-2.1-only */
/* Apart from mext_agent.c: packetd can read reports without libxenvchan. */
#include <stdio.h>

#include "mext_agent.h"
#include "mext_net.h"

#define REPORT MEXT_AGENT_DIR "/report"

/* 1 there and right, 0 not there, -1 and why. */
static int look(struct mext_store *s, uint32_t domid,
                struct mext_agent_report *r_r, struct mext_why *why)
{
    char text[MEXT_AGENT_REPORT_MAX + 1];
    int n = mext_store_read(s, domid, REPORT, text, sizeof(text));

    if (n < 0)
        return 0;
    if (mext_agent_report_parse(text, (size_t)n, r_r))
        return mext_fail(why, "the guest's agent left a malformed report");
    return 1;
}

int mext_agent_report_read(struct mext_store *s, uint32_t domid,
                           unsigned timeout_ms, struct mext_agent_report *r_r,
                           struct mext_why *why)
{
    uint64_t now, end = mext_now_ms() + timeout_ms;
    char path[128];
    int r;

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, REPORT);
    if (timeout_ms && mext_store_watch(s, path, why))
        return -1;
    for (;;) {
        r = look(s, domid, r_r, why);
        now = mext_now_ms();
        if (r || now >= end)
            break;
        if (mext_store_wait(s, -1, (unsigned)(end - now), why) < 0)
            return -1;
    }
    if (!r)
        return mext_fail(why, "the guest's agent left no report");
    return r < 0 ? -1 : 0;
}
