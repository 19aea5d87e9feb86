/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "config.h"

#define VERSION_TEXT "mext-agent " PACKAGE_VERSION

static int hello(struct agent *a, const struct mext_agentmsg *m,
                 struct mext_agentmsg *r, struct agent_why *why)
{
    const struct agent_config *c = a->config;

    r->type = MEXT_AGENT_WELCOME;
    r->u.welcome.version = MEXT_AGENT_VERSION;
    r->u.welcome.abilities = (c->free ? MEXT_AGENT_CAN_FREE : 0) |
                             (c->trim ? MEXT_AGENT_CAN_TRIM : 0) |
                             (c->quiesce ? MEXT_AGENT_CAN_QUIESCE : 0) |
                             (c->calm ? MEXT_AGENT_CAN_CALM : 0) |
                             (c->clock ? MEXT_AGENT_CAN_CLOCK : 0);
    r->u.welcome.text = VERSION_TEXT;
    r->u.welcome.len = sizeof(VERSION_TEXT) - 1;
    a->greeted = true;
    return 0;
}

struct asker {
    struct agent *a;
    uint32_t id;
};

static int send_bits(void *arg, uint64_t first, uint32_t count,
                     const uint8_t *bits, struct agent_why *why)
{
    struct asker *asker = arg;
    struct mext_agentmsg m = { .type = MEXT_AGENT_BITMAP, .id = asker->id };

    m.u.bitmap.first = first;
    m.u.bitmap.count = count;
    m.u.bitmap.bits = bits;
    if (!serve_send(asker->a, &m))
        return 0;
    asker->a->ended = true;
    return agent_fail(why, MEXT_AGENT_E_FAILED, "nobody listens");
}

static int free_pages(struct agent *a, const struct mext_agentmsg *m,
                      struct mext_agentmsg *r, struct agent_why *why)
{
    struct asker asker = { a, m->id };
    unsigned flags = 0;
    uint64_t pages = 0;

    if (!a->config->free)
        return agent_fail(why, MEXT_AGENT_E_DENIED, "free = no");
    if (pages_free(m->u.free.ngfns, agent_now_ms() + m->u.free.deadline_ms,
                   send_bits, &asker, &flags, &pages, why))
        return -1;
    r->type = MEXT_AGENT_FREE_END;
    r->u.free_end.flags = (uint8_t)flags;
    r->u.free_end.pages = pages;
    return 0;
}

static int trim_cache(struct agent *a, const struct mext_agentmsg *m,
                      struct mext_agentmsg *r, struct agent_why *why)
{
    uint64_t end = agent_now_ms() + m->u.trim.deadline_ms;

    if (m->u.trim.level > a->config->trim)
        return agent_fail(why, MEXT_AGENT_E_DENIED, "trim allows less");
    r->type = MEXT_AGENT_TRIMMED;
    return trim(m->u.trim.level, end, &r->u.trimmed.before_kib,
                &r->u.trimmed.after_kib, why);
}

static int quiesce(struct agent *a, const struct mext_agentmsg *m,
                   struct mext_agentmsg *r, struct agent_why *why)
{
    if (!a->config->quiesce)
        return agent_fail(why, MEXT_AGENT_E_DENIED, "quiesce = no");
    r->type = MEXT_AGENT_QUIESCED;
    return agent_quiesce(a, m->u.quiesce.deadline_ms, m->u.quiesce.hold_ms, r,
                         why);
}

static int calm(struct agent *a, const struct mext_agentmsg *m,
                struct mext_agentmsg *r, struct agent_why *why)
{
    unsigned n = 0;

    if (!a->config->calm)
        return agent_fail(why, MEXT_AGENT_E_DENIED, "calm = no");
    r->type = MEXT_AGENT_CALMED;
    if (agent_calm(a, m->u.calm.percent, m->u.calm.hold_ms, &n, why))
        return -1;
    r->u.calmed.cgroups = (uint16_t)n;
    return 0;
}

/* asked: dom0's wall clock when it sent the request. */
static void step_clock(uint64_t asked_ms)
{
    uint64_t now = agent_time().real;
    uint64_t off = now > asked_ms ? now - asked_ms : asked_ms - now;
    struct timespec t = { (time_t)(asked_ms / 1000),
                          (long)(asked_ms % 1000) * 1000000 };

    if (off <= MEXT_AGENT_CLOCK_OFF_MS)
        return;
    if (clock_settime(CLOCK_REALTIME, &t))
        agent_log("cannot set the clock: %s", strerror(errno));
    else
        agent_log("clock stepped by %llu ms", (unsigned long long)off);
}

static int resume(struct agent *a, const struct mext_agentmsg *m,
                  struct mext_agentmsg *r, struct agent_why *why)
{
    uint64_t start = agent_now_ms();

    r->type = MEXT_AGENT_RESUMED;
    r->u.resumed.before_ms = agent_time().real;
    if (m->u.resume.flags & MEXT_AGENT_RESUME_CLOCK && a->config->clock &&
        m->u.resume.real_ms / 1000 <= INT32_MAX * 4ULL)
        step_clock(m->u.resume.real_ms + (agent_now_ms() - start));
    r->u.resumed.after_ms = agent_time().real;
    agent_resume(a, m->u.resume.flags & MEXT_AGENT_RESUME_ANNOUNCE,
                 m->u.resume.deadline_ms, r);
    return 0;
}

static const struct {
    uint8_t type;
    int (*answer)(struct agent *a, const struct mext_agentmsg *m,
                  struct mext_agentmsg *r, struct agent_why *why);
} requests[] = {
    { MEXT_AGENT_HELLO, hello },     { MEXT_AGENT_FREE, free_pages },
    { MEXT_AGENT_TRIM, trim_cache }, { MEXT_AGENT_QUIESCE, quiesce },
    { MEXT_AGENT_RESUME, resume },   { MEXT_AGENT_CALM, calm },
};

int request_answer(struct agent *a, const struct mext_agentmsg *m)
{
    struct mext_agentmsg r = { .id = m->id };
    struct agent_why why = { MEXT_AGENT_E_UNKNOWN, "" };
    int rc = -1;

    if (!a->greeted && m->type != MEXT_AGENT_HELLO)
        return -1;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (requests[i].type == m->type)
            rc = requests[i].answer(a, m, &r, &why);
    if (a->ended)
        return -1;
    if (rc) {
        agent_log("%s: %s", mext_agent_reason(why.code), why.text);
        r.type = MEXT_AGENT_ERROR;
        r.u.error.code = (uint16_t)why.code;
        r.u.error.text = why.text;
        r.u.error.len = (uint16_t)strlen(why.text);
    }
    if (!serve_send(a, &r))
        return 0;
    /* Who is not heard is not waited for either: dom0 has given up. */
    a->gave_up |= r.type == MEXT_AGENT_QUIESCED;
    return -1;
}
