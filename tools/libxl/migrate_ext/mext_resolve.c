/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <string.h>

#include "mext_resolve.h"

#define ASK_MS    3000  /* whatever the operator says; datagrams get lost */
#define WAIT_MS   10000 /* but for longer if it is about to decide */
#define FORMER_MS 3000

static void in_doubt(struct mext_source *s, const struct mext_resolver *r,
                     struct mext_why *why)
{
    if (r->verdict == MEXT_VERDICT_NONE) {
        mext_source_ask(s, r->patience_ms, why);
        return;
    }
    mext_source_ask(s, ASK_MS, why);
    if (s->undecided)
        mext_source_ask(s, WAIT_MS, why);
    if (s->machine.state == MEXT_SRC_DONE || s->machine.state == MEXT_SRC_KEPT)
        return;
    if (s->heard == MEXT_EV_RUNNING || s->heard == MEXT_EV_ABORTED ||
        s->undecided)
        return;
    why->text[0] = 0;
    mext_source_event(
        s, r->verdict == MEXT_VERDICT_HERE ? MEXT_EV_HERE : MEXT_EV_THERE, why);
}

static int end_it(struct mext_source *s, const struct mext_resolver *r,
                  struct mext_why *why)
{
    const struct mext_entry *e = mext_journal_entry(s->journal);

    if (s->machine.state == MEXT_SRC_COPYING &&
        r->verdict == MEXT_VERDICT_THERE)
        return mext_fail(why,
                         "\"%.60s\" was never let run at %.60s: it is here",
                         e->name, e->host);
    if (s->machine.state == MEXT_SRC_COPYING)
        mext_source_event(s, MEXT_EV_FAILED, why);
    else if (mext_source_runs_here(s))
        mext_source_event(s, MEXT_EV_HERE, why);
    else if (s->machine.state == MEXT_SRC_DOUBT ||
             s->machine.state == MEXT_SRC_STRANDED)
        in_doubt(s, r, why);
    if (s->machine.state == MEXT_SRC_DONE || s->machine.state == MEXT_SRC_KEPT)
        return 0;
    if (s->undecided)
        return mext_fail(
            why,
            "%.100s answers that it is still at it: its word counts, "
            "so try again in a few seconds, or end it there (xl "
            "migrate-cancel)",
            e->host);
    if (s->machine.state == MEXT_SRC_STRANDED)
        return mext_fail(
            why,
            "%.100s %s \"%.60s\", whose copy here stays "
            "suspended: see whether it runs there, then --there "
            "if it does, --here if it has no domain there, not even "
            "a paused one",
            e->host,
            s->heard == MEXT_EV_LOST ? "had taken over and then lost"
                                     : "does not know of",
            e->name);
    return -1;
}

int mext_resolve(const struct mext_resolver *r, const uint8_t id[MEXT_ID_LEN],
                 unsigned *state_r, struct mext_why *why)
{
    struct mext_source s = {
        .keys_dir = r->keys_dir,
        .lxl = r->lxl,
        .say = r->say,
        .say_arg = r->say_arg,
    };
    int rc;

    why->text[0] = 0;
    mext_source_init(&s);
    rc = mext_source_take(&s, r->dir, id, why);
    if (rc)
        return rc;
    rc = end_it(&s, r, why);
    *state_r = s.machine.state;
    if (!rc && !mext_noted_final(mext_journal_entry(s.journal)->noted))
        rc = mext_fail(why, "its end cannot be noted in the journal");
    if (rc && !why->text[0])
        mext_fail(why, "it is not known yet, and not given up");
    mext_source_close(&s);
    return rc;
}

struct former {
    uint32_t domid;
    const uint8_t *uuid;
    bool found, alive;
    struct mext_entry e;
};

static bool is_former(void *arg, const struct mext_entry *e, bool alive)
{
    struct former *f = arg;

    if (!mext_source_is_of(e, f->domid, f->uuid))
        return false;
    f->found = true;
    f->alive = alive;
    f->e = *e;
    return true;
}

int mext_resolve_domain(const struct mext_resolver *r, uint32_t domid,
                        struct mext_why *why)
{
    struct mext_domain_now now;
    struct mext_why reason;
    unsigned state;
    int rc;

    for (;;) {
        struct former f = { .domid = domid, .uuid = now.uuid };

        if (mext_lxl_now(r->lxl, domid, &now))
            return mext_fail(why, "it is gone");
        if (mext_journal_each(r->dir, is_former, &f, why))
            return -1;
        if (!f.found)
            return 0;
        rc = f.alive ? 1 : mext_resolve(r, f.e.id, &state, &reason);
        if (rc > 0)
            return mext_source_busy(now.name, f.e.host, why);
        if (rc < 0)
            return mext_fail(why,
                             "a former migration to %.100s is not over: %.300s "
                             "(xl migrate-resolve)",
                             f.e.host, reason.text);
        if (state == MEXT_SRC_DONE)
            return mext_fail(why,
                             "\"%.60s\" runs on %.100s since a former "
                             "migration",
                             now.name, f.e.host);
        r->say(r->say_arg, "a former migration, broken off, is ended: the "
                           "guest was here");
    }
}

/* By the name given, or by what it was renamed to. */
static int find_away(struct mext_lxl *l, const char *domain, uint32_t *domid_r,
                     struct mext_why *why)
{
    char away[300];

    snprintf(away, sizeof(away), "%s" MEXT_AWAY_SUFFIX, domain);
    return mext_lxl_find(l, away, domid_r, why) &&
                   mext_lxl_find(l, domain, domid_r, why)
               ? -1
               : 0;
}

int mext_resolve_former(struct mext_lxl *l, uint32_t domid,
                        const char *keys_dir, mext_say_fn *say, void *arg,
                        struct mext_why *why)
{
    struct mext_resolver r = {
        .dir = MEXT_JOURNAL_DIR,
        .keys_dir = keys_dir,
        .lxl = l,
        .patience_ms = FORMER_MS,
        .say = say,
        .say_arg = arg,
    };

    return mext_resolve_domain(&r, domid, why);
}

int mext_resume_here(const struct mext_resolver *r, const char *domain,
                     struct mext_entry *e_r, struct mext_why *why)
{
    struct mext_domain_now now;
    struct former f = { .uuid = now.uuid };
    struct mext_lxl *l = r->lxl;
    char home[256];
    uint32_t domid;

    if (find_away(l, domain, &domid, why))
        return -1;
    if (mext_lxl_now(l, domid, &now))
        return mext_fail(why, "\"%.60s\" is gone", domain);
    f.domid = domid;
    if (mext_journal_each(r->dir, is_former, &f, why))
        return -1;
    if (f.found) {
        *e_r = f.e;
        return 1;
    }
    if (!now.suspended)
        return mext_fail(why, "\"%.60s\" is not suspended", domain);
    mext_source_home_name(now.name, home);
    if (strcmp(now.name, home) && mext_lxl_rename(l, domid, home, why))
        return -1;
    return mext_lxl_resume(l, domid, why);
}
