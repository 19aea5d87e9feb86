/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migrations of this host whose process died before their end, as destination
 * and as source (docs/specs/commit.md, "After a crash").
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commit.h"
#include "mext_resolve.h"
#include "mext_steer.h"
#include "mind.h"
#include "received.h"

#define AT_ONCE 64 /* of each side; the others later */
#define PATIENCE_MS \
    3000 /* a destination is asked for so long, then again later */

struct found {
    enum mext_side side;
    struct mext_entry e[AT_ONCE];
    unsigned n;
};

/* A stranded one waits for the operator. */
static bool is_ours(const struct mext_entry *e, bool alive)
{
    return !alive && !mext_noted_final(e->noted) &&
           e->noted != MEXT_NOTED_STRANDED;
}

static bool collect(void *arg, const struct mext_entry *e, bool alive)
{
    struct found *f = arg;

    if (e->side == f->side && (is_ours(e, alive) || (!alive && mind_wanted(e))))
        f->e[f->n++] = *e;
    return f->n == AT_ONCE;
}

struct unfinished {
    bool any, minds;
};

/*
 * True: nothing is ever to be done about it.  One that died after its last note has
 * left its socket, and nothing else.
 */
static bool is_over(void *arg, const struct mext_entry *e, bool alive)
{
    struct unfinished *u = arg;

    u->minds |= !alive && mind_wanted(e);
    u->any |= is_ours(e, alive);
    if (alive || !mext_noted_final(e->noted))
        return false;
    mext_steer_forget(MEXT_STEER_DIR, e);
    return mind_over(e);
}

bool packetd_unfinished(const struct packetd *p, bool *minds_r)
{
    static struct mext_journal_known over;
    struct unfinished u = { false, false };
    struct mext_why quiet;
    char dir[4096];

    if (!packetd_journal_dir(p, dir, &quiet))
        mext_journal_others(dir, &over, is_over, &u, &quiet);
    *minds_r = u.minds;
    return u.any || u.minds;
}

/* The guest runs, and perhaps nobody minds it. */
static void settle(const struct packetd *p, struct commit *c)
{
    const struct mext_entry *e = mext_journal_entry(c->journal);
    struct mext_domain_now now;

    if (!mind_wanted(e))
        return;
    packetd_log("%s: came in as domain %u, by its migration's journal, and is "
                "minded",
                e->name, e->domid);
    if (commit_domain_there(c, &now) > 0)
        mext_lxl_vifs_strip(c->lxl, e->domid);
    mind(p, e);
}

struct claim {
    uint32_t domid;
    bool made;
};

static bool is_claimed(void *arg, const struct mext_entry *e, bool alive)
{
    struct claim *c = arg;

    c->made = e->side == MEXT_SIDE_DEST && e->domid == c->domid &&
              !mext_noted_final(e->noted);
    return c->made;
}

static int note_it(struct commit *c, uint32_t domid, struct mext_why *why)
{
    struct mext_domain_now now;

    return mext_lxl_now(c->lxl, domid, &now)
               ? mext_fail(why, "Xen does not say what domain %u is", domid)
               : commit_domain(c, domid, now.uuid, why);
}

/*
 * The process died while libxl made the domain, before that was noted: it has
 * the guest's name and a suffix.  One domain is made and noted at a time, so
 * one of that name that no other migration has noted is it.
 */
static int find_unnoted(const struct packetd *p, const char *dir,
                        struct commit *c, struct mext_why *why)
{
    char name[MEXT_ENTRY_NAME_MAX + sizeof(MEXT_INCOMING_SUFFIX)];
    struct claim claim = { 0 };
    int lock = received_lock(p->state_dir, why), rc;

    if (lock < 0)
        return -1;
    snprintf(name, sizeof(name), "%s" MEXT_INCOMING_SUFFIX,
             mext_journal_entry(c->journal)->name);
    rc = mext_lxl_named(c->lxl, name, &claim.domid, why);
    if (rc > 0)
        rc = mext_journal_each(dir, is_claimed, &claim, why) ? -1
             : claim.made                                    ? 0
                          : note_it(c, claim.domid, why);
    close(lock);
    return rc;
}

static int as_destination(const struct packetd *p, const char *dir,
                          struct mext_lxl *lxl, const struct mext_entry *e)
{
    struct commit c = { .lxl = lxl, .code = MEXT_E_INTERNAL };
    struct mext_domain_now now;
    struct mext_why why = { "its process ended" };
    bool over = mext_noted_final(e->noted);
    int r;

    commit_init(&c);
    r = commit_take(&c, dir, e->id, &why);
    if (r > 0)
        return 0;
    if (!r && c.machine.state == MEXT_DST_INCOMING && !c.domid)
        r = find_unnoted(p, dir, &c, &why);
    if (r) {
        packetd_log("%s: a migration from %s that was broken off stays so: %s",
                    e->name, e->host, why.text);
        commit_close(&c);
        return -1;
    }
    if (c.machine.state == MEXT_DST_INCOMING) {
        commit_event(&c, MEXT_EV_FAILED, &why);
    } else if (c.machine.state == MEXT_DST_COMMITTED) {
        int there = commit_domain_there(&c, &now);

        /* If Xen does not say it is looked at again. */
        if (there >= 0)
            commit_event(&c, there ? MEXT_EV_GO : MEXT_EV_GONE, &why);
    }
    if (!over)
        packetd_log("%s: a migration from %s that was broken off is %s",
                    e->name, e->host, mext_dst_name(c.machine.state));
    if (c.machine.state == MEXT_DST_RUNNING)
        settle(p, &c);
    commit_close(&c);
    return c.machine.state == MEXT_DST_INCOMING ||
                   c.machine.state == MEXT_DST_COMMITTED
               ? -1
               : 0;
}

static void say(void *arg, const char *text)
{
    packetd_log("%s: %s", (const char *)arg, text);
}

static int as_source(const struct packetd *p, const char *dir,
                     struct mext_lxl *lxl, struct mext_entry *e)
{
    struct mext_resolver r = {
        .dir = dir,
        .keys_dir = p->keys_dir,
        .lxl = lxl,
        .patience_ms = PATIENCE_MS,
        .say = say,
        .say_arg = e->name,
    };
    struct mext_why why;
    unsigned state;
    int rc;

    if (mext_noted_final(e->noted)) {
        packetd_log("%s: was to go to %s, stayed, and is minded", e->name,
                    e->host);
        mind(p, e);
        return 0;
    }
    rc = mext_resolve(&r, e->id, &state, &why);
    if (rc == 0)
        packetd_log("%s: its migration to %s, broken off, is %s", e->name,
                    e->host, mext_src_name(state));
    else if (rc < 0)
        packetd_log("%s: its migration to %s is not over: %s", e->name, e->host,
                    why.text);
    return rc < 0 ? -1 : 0;
}

/* Guests that stand still here before those whose destination is to be asked. */
int packetd_recover(const struct packetd *p)
{
    static struct found here = { .side = MEXT_SIDE_DEST };
    static struct found there = { .side = MEXT_SIDE_SOURCE };
    struct mext_lxl *lxl;
    struct mext_why why;
    char dir[4096];
    int rc = 0;

    if (packetd_journal_dir(p, dir, &why) ||
        mext_journal_each(dir, collect, &here, &why) ||
        mext_journal_each(dir, collect, &there, &why) ||
        mext_lxl_open(p->verbosity, &lxl, &why)) {
        packetd_log("what was broken off stays so: %s", why.text);
        return 1;
    }
    for (unsigned i = 0; i < here.n; i++)
        rc |= as_destination(p, dir, lxl, &here.e[i]);
    for (unsigned i = 0; i < there.n; i++)
        rc |= as_source(p, dir, lxl, &there.e[i]);
    mext_lxl_close(lxl);
    return rc ? 1 : 0;
}
