/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent's messages and report: what is accepted has one encoding. */
#include <string.h>

#include "fuzz.h"
#include "mext_agentmsg.h"

const char fuzz_corpus[] = "agent";
const size_t fuzz_mutations = 300000;

static void check_bitmap(const struct mext_agentmsg *m)
{
    uint32_t count = m->u.bitmap.count;
    unsigned sum = 0;

    FUZZ_CHECK(count >= 1 && count <= MEXT_AGENT_CHUNK_GFNS);
    FUZZ_CHECK(m->u.bitmap.first + count - 1 <= MEXT_GFN_MAX);
    for (uint32_t i = 0; i < (count + 7) / 8; i++)
        sum += m->u.bitmap.bits[i];
    (void)sum;
}

static void try_report(const uint8_t *data, size_t size)
{
    char again[MEXT_AGENT_REPORT_MAX + 1];
    struct mext_agent_report r;

    if (mext_agent_report_parse((const char *)data, size, &r))
        return;
    mext_agent_report_text(&r, again);
    FUZZ_CHECK(strlen(again) == size && !memcmp(again, data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[MEXT_AGENT_BODY_MAX];
    struct mext_agentmsg m;
    struct mext_buf b;

    try_report(data, size);
    if (mext_agentmsg_decode(data, size, &m))
        return 0;
    if (m.type == MEXT_AGENT_BITMAP)
        check_bitmap(&m);
    mext_buf_init(&b, again, sizeof(again));
    FUZZ_CHECK(!mext_agentmsg_encode(&m, &b));
    FUZZ_CHECK(b.pos == size && !memcmp(again, data, size));
    return 0;
}
