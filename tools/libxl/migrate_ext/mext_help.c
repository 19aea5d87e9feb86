/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mext_help.h"

/* Deadlines, ms: a guest that is slower does not help. */
#define OPEN_MS    10000 /* it makes rings; what is written meanwhile goes first */
#define TRIM_MS    30000
#define FREE_MS    5000 /* at least, see free_ms */
#define QUIESCE_MS 10000
#define CALM_MS    3000
#define RESUME_MS  10000
#define CLOSE_MS   1000

/*
 * For fewer pages it is not asked again what is free: the answer costs some 400
 * pages that the question dirties.
 */
#ifndef ASK_PAGES /* tests/image has small guests */
#define ASK_PAGES 2048
#endif

/* What is left to services that write too fast. */
#define CALM_PERCENT 20u

/* The guest's services hold still at most so long if dom0 dies, ms. */
#define HOLD_MS 60000

/* Remembers the first, tells all. */
static void without(struct mext_help *h, const char *what,
                    const struct mext_why *why)
{
    if (!h->why.text[0])
        mext_fail(&h->why, "%s: %.400s", what, why->text);
    mext_sayf(h->say, h->say_arg, "%s: %.400s", what, why->text);
}

static bool can(struct mext_help *h, unsigned ability, const char *what)
{
    struct mext_why why;

    if (!h->talk)
        return false;
    if (mext_agent_abilities(h->talk) & ability)
        return true;
    mext_fail(&why, "its agent does not do that");
    without(h, what, &why);
    return false;
}

/* True if there is somebody to talk to; the first failure is the last try. */
static bool talk(struct mext_help *h)
{
    struct mext_why why;

    if (h->talk)
        return true;
    if (!h->wanted)
        return false;
    if (mext_agent_open(h->domid, OPEN_MS, &h->talk, &why)) {
        h->talk = NULL;
        h->wanted = false;
        without(h, "without the guest's help", &why);
        return false;
    }
    snprintf(h->agent, sizeof(h->agent), "%.60s", mext_agent_name(h->talk));
    return true;
}

/* False: its rings may still be there, which a suspend would tear. */
static bool hang_up(struct mext_help *h)
{
    bool gone = mext_agent_close(h->talk, CLOSE_MS);

    h->talk = NULL;
    return gone;
}

void mext_help_begin(struct mext_help *h)
{
    static const char what[] = "the guest keeps its page cache";
    uint64_t before, after;
    struct mext_why why;

    if (!talk(h))
        return;
    mext_sayf(h->say, h->say_arg, "the guest's agent helps: %s", h->agent);
    if (!h->trim || !can(h, MEXT_AGENT_CAN_TRIM, what))
        return;
    if (mext_agent_trim(h->talk, h->trim, TRIM_MS, &before, &after, &why)) {
        without(h, what, &why);
        return;
    }
    h->did |= MEXT_HELPED_TRIM;
    h->trimmed_kib = after > before ? after - before : 0;
    mext_sayf(h->say, h->say_arg, "the guest gave up %llu MiB of page cache",
              (unsigned long long)h->trimmed_kib >> 10);
}

/* A second for each GiB: what tells it in the guest looks at every page. */
static unsigned free_ms(uint64_t ngfns)
{
    uint64_t ms = FREE_MS + (ngfns >> 18) * 1000;

    return ms < MEXT_AGENT_DEADLINE_MAX ? (unsigned)ms
                                        : MEXT_AGENT_DEADLINE_MAX;
}

/* Sets bitmap, of ngfns gfns; *zero_r: free pages have to read as zero. */
static bool ask(struct mext_help *h, uint64_t *bitmap, uint64_t ngfns,
                bool *zero_r)
{
    static const char what[] = "the guest does not say what is free";
    struct mext_why why;
    unsigned flags;
    uint64_t pages;

    if (!can(h, MEXT_AGENT_CAN_FREE, what))
        return false;
    if (mext_agent_free(h->talk, bitmap, ngfns, free_ms(ngfns), &flags, &pages,
                        &why)) {
        without(h, what, &why);
        return false;
    }
    *zero_r = flags & MEXT_AGENT_FREE_ZERO;
    return true;
}

/* Asks and applies; the bitmap in m was taken before. */
static void ask_free(struct mext_help *h, struct mext_memory *m)
{
    uint64_t *bitmap = malloc(m->ngfns / 8), before = m->nfree;
    struct mext_why why;
    bool zero;

    if (!bitmap || !ask(h, bitmap, m->ngfns, &zero)) {
        free(bitmap);
        return;
    }
    if (mext_memory_free(m, bitmap, zero, &why)) {
        without(h, "the guest's free pages are sent", &why);
    } else {
        h->did |= MEXT_HELPED_FREE;
        h->free_pages = m->nfree;
        if (m->nfree - before >= 1024)
            mext_sayf(h->say, h->say_arg,
                      "%llu MiB of the guest's memory are free and stay behind",
                      (unsigned long long)(m->nfree - before) >> 8);
    }
    free(bitmap);
}

void mext_help_free(struct mext_help *h, struct mext_memory *m)
{
    if (talk(h))
        ask_free(h, m);
    hang_up(h);
}

void mext_help_bitmap(struct mext_help *h, uint64_t *bitmap, uint64_t ngfns)
{
    bool zero = false;

    if (talk(h) && ask(h, bitmap, ngfns, &zero)) {
        if (zero) {
            memset(bitmap, 0, (ngfns + 63) / 64 * 8);
            mext_sayf(h->say, h->say_arg,
                      "all pages are sent: the guest's kernel relies on free "
                      "pages being zero (init_on_free)");
        } else {
            h->did |= MEXT_HELPED_FREE;
        }
    }
    hang_up(h);
}

void mext_help_no_quiesce(struct mext_help *h)
{
    struct mext_why why;

    if (!h->talk)
        return;
    mext_fail(&why, "libxl chooses the moment of its suspend");
    without(h, "the guest's services do not hold still", &why);
}

bool mext_help_calm(struct mext_help *h)
{
    static const char what[] = "the guest's services are not slowed down";
    unsigned cgroups = 0;
    struct mext_why why;

    if (h->did & MEXT_HELPED_CALM)
        return false;
    if (talk(h) && can(h, MEXT_AGENT_CAN_CALM, what)) {
        h->engaged = true;
        if (mext_agent_calm(h->talk, CALM_PERCENT, MEXT_AGENT_HOLD_MAX, CALM_MS,
                            &cgroups, &why))
            without(h, what, &why);
    }
    hang_up(h);
    if (!cgroups)
        return false;
    h->did |= MEXT_HELPED_CALM;
    mext_sayf(h->say, h->say_arg,
              "the guest slowed %u cgroups down to %u %% of its CPUs", cgroups,
              CALM_PERCENT);
    return true;
}

void mext_help_quiesce(struct mext_help *h, struct mext_memory *m)
{
    static const char what[] = "the guest's services do not hold still";
    struct mext_agentmsg done;
    struct mext_why why;

    if (talk(h) && m->ntodo >= ASK_PAGES)
        ask_free(h, m);
    if (can(h, MEXT_AGENT_CAN_QUIESCE, what)) {
        h->engaged = true; /* perhaps, even if it says no */
        if (mext_agent_quiesce(h->talk, QUIESCE_MS, HOLD_MS, &done, &why)) {
            without(h, what, &why);
        } else {
            h->did |= MEXT_HELPED_QUIESCE;
            if (done.u.quiesced.cgroups || done.u.quiesced.hooks)
                mext_sayf(
                    h->say, h->say_arg,
                    "the guest froze %u cgroups and ran %u hooks in %u ms",
                    done.u.quiesced.cgroups, done.u.quiesced.hooks,
                    done.u.quiesced.took_ms);
        }
    }
    if (!hang_up(h))
        mext_sayf(h->say, h->say_arg,
                  "warning: the guest's agent has not put its rings away");
}

void mext_help_undo(struct mext_help *h)
{
    struct mext_agentmsg done;
    struct mext_why why;

    if (!h->engaged)
        return;
    h->engaged = false;
    h->wanted = true; /* whatever went wrong since */
    if (talk(h) && mext_agent_resume(h->talk, 0, RESUME_MS, &done, &why))
        without(h, "the guest's services may hold still for a minute", &why);
    hang_up(h);
}

void mext_help_close(struct mext_help *h)
{
    hang_up(h);
}
