/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mext_fate_ask.h"
#include "mext_minds.h"
#include "mext_source.h"
#include "mext_steer.h"
#include "mext_suspend.h"
#include "mext_throttle.h"
#include "mext_xen.h"

#define SEND_MS   60000
#define ANSWER_MS 2000
#define AGAIN_MS  1000 /* between two questions */

static void say(struct mext_source *s, const char *text)
{
    s->say(s->say_arg, text);
}

void mext_source_home_name(const char *name, char out[256])
{
    size_t n = strlen(name), suffix = strlen(MEXT_AWAY_SUFFIX);

    if (n > suffix && !strcmp(name + n - suffix, MEXT_AWAY_SUFFIX))
        n -= suffix;
    snprintf(out, 256, "%.*s", (int)n, name);
}

/* ---- the copy here ---- */

int mext_domain_noted(struct mext_lxl *l, const struct mext_entry *e,
                      uint32_t domid, const uint8_t uuid[MEXT_UUID_LEN],
                      struct mext_domain_now *now_r)
{
    uint8_t boot[MEXT_BOOT_LEN];
    struct mext_why quiet;
    int r;

    if (mext_boot_id(boot, &quiet))
        return -1;
    if (memcmp(boot, e->boot, sizeof(boot)))
        return 0;
    r = mext_lxl_now(l, domid, now_r);
    return r < 0 ? -1 : r == 0 && !memcmp(now_r->uuid, uuid, MEXT_UUID_LEN);
}

/* 1 if the domain that was noted is still there, not one that came after; 0; -1. */
static int copy_there(struct mext_source *s, struct mext_domain_now *now)
{
    const struct mext_entry *e;

    if (!s->journal)
        return 0;
    e = mext_journal_entry(s->journal);
    return mext_domain_noted(s->lxl, e, e->domid, e->uuid, now);
}

static int not_told(struct mext_source *s)
{
    return mext_fail(s->why,
                     "Xen does not say whether the copy of \"%.60s\" is "
                     "here",
                     mext_journal_entry(s->journal)->name);
}

bool mext_source_runs_here(struct mext_source *s)
{
    struct mext_domain_now now;

    return copy_there(s, &now) > 0 && !now.suspended;
}

/* What a process that died may have left: log-dirty, a request to suspend. */
static int take_back(struct mext_source *s, const struct mext_entry *e,
                     struct mext_store *store)
{
    struct mext_dom *d;

    int r = 0;

    if (mext_dom_open(e->domid, &d, s->why))
        return -1;
    mext_dom_dirty_off(d);
    if (e->noted == MEXT_NOTED_BEGUN)
        r = mext_suspend_withdraw(d, store, s->why);
    mext_dom_close(d);
    s->ours = r > 0;
    return r < 0 ? -1 : 0;
}

/* Whom somebody else suspended he lets run: he may be saving it. */
static int let_run(struct mext_source *s, const struct mext_entry *e,
                   struct mext_store *store)
{
    struct mext_domain_now now;
    char home[256];

    mext_throttle_end(s->lxl, store, e->domid);
    if (s->found && take_back(s, e, store))
        return -1;
    if (mext_lxl_now(s->lxl, e->domid, &now))
        return not_told(s);
    if (now.suspended && (s->ours || e->noted != MEXT_NOTED_BEGUN)) {
        /* First: who dies in between has left it to be seen. */
        mext_minds_ask(e->id);
        if (mext_lxl_resume(s->lxl, e->domid, s->why))
            return -1;
    }
    mext_suspend_forget(store, e->domid);
    if (s->resumed)
        s->resumed(s->say_arg);
    mext_source_home_name(now.name, home);
    /* On one host the domain that arrives may have the name for a while. */
    return strcmp(now.name, home)
               ? mext_lxl_rename(s->lxl, e->domid, home, s->why)
               : 0;
}

static int resume(struct mext_source *s)
{
    struct mext_domain_now now;
    struct mext_store *store;
    int r = copy_there(s, &now);

    if (r <= 0)
        return r ? not_told(s) : 0;
    if (s->beside)
        return 0;
    if (mext_store_open(&store, s->why))
        return -1;
    r = let_run(s, mext_journal_entry(s->journal), store);
    mext_store_close(store);
    return r;
}

/* Only a suspended copy goes: one that runs is not a copy any more. */
static int destroy_copy(struct mext_source *s)
{
    struct mext_domain_now now;
    uint32_t domid;
    int r = copy_there(s, &now);

    if (r <= 0)
        return r ? not_told(s) : 0;
    domid = mext_journal_entry(s->journal)->domid;
    if (!now.suspended)
        return mext_fail(s->why,
                         "the guest runs at the destination, but domain %u "
                         "here is not suspended: it was let run by hand, and "
                         "one of the two has to be destroyed at once",
                         domid);
    return mext_lxl_destroy(s->lxl, domid, s->why);
}

/* ---- messages and questions ---- */

/*
 * Whatever becomes of it, it may have arrived: a failure shows as silence.
 */
static void send_commit(struct mext_source *s)
{
    struct mext_ctl m = { .type = MEXT_CTL_COMMIT };
    struct mext_why quiet;

    mext_conn_send(s->conn, &m, SEND_MS, &quiet);
}

static enum mext_event heard(const struct mext_fate *f)
{
    switch (f->fate) {
    case MEXT_FATE_RUNNING:
        return MEXT_EV_RUNNING;
    case MEXT_FATE_ABORTED:
        return MEXT_EV_ABORTED;
    case MEXT_FATE_LOST:
        return MEXT_EV_LOST;
    case MEXT_FATE_UNKNOWN:
        return MEXT_EV_UNKNOWN;
    default:
        return MEXT_EV_SILENT;
    }
}

static void ask(struct mext_source *s)
{
    const struct mext_entry *e = mext_journal_entry(s->journal);
    struct mext_identities ids;
    const struct mext_identity *self;
    struct mext_query q;
    struct mext_fate f;

    s->heard = MEXT_EV_SILENT;
    s->undecided = false;
    memcpy(q.id, e->id, sizeof(q.id));
    memcpy(q.audience, e->theirs, sizeof(q.audience));
    memcpy(q.source, e->ours, sizeof(q.source));
    if (mext_identities_load(s->keys_dir, &ids, s->why))
        return;
    self = mext_identities_find(&ids, e->ours);
    if (!self)
        mext_fail(s->why,
                  "the key that this migration was begun with is no longer "
                  "this host's: nobody at %.100s answers any other",
                  e->host);
    else if (!mext_fate_ask(e->host, &q, self, ANSWER_MS, &f, s->why)) {
        s->heard = heard(&f);
        s->undecided = f.fate == MEXT_FATE_PENDING;
        s->domid_there = f.domid;
    }
    mext_wipe(&ids, sizeof(ids));
}

/* ---- others ---- */

bool mext_source_is_of(const struct mext_entry *e, uint32_t domid,
                       const uint8_t uuid[MEXT_UUID_LEN])
{
    return e->side == MEXT_SIDE_SOURCE && !mext_noted_final(e->noted) &&
           e->domid == domid && !memcmp(e->uuid, uuid, sizeof(e->uuid));
}

int mext_source_busy(const char *name, const char *host, struct mext_why *why)
{
    return mext_fail(why,
                     "\"%.60s\" is being migrated to %.100s already (xl "
                     "migrate-status, xl migrate-cancel)",
                     name, host);
}

struct rival {
    const struct mext_entry *ours;
    char host[MEXT_ENTRY_HOST_MAX + 1]; /* where the other one goes; "": none */
    bool alive;
};

static bool is_rival(void *arg, const struct mext_entry *e, bool alive)
{
    struct rival *r = arg;

    if (!mext_source_is_of(e, r->ours->domid, r->ours->uuid) ||
        !memcmp(e->id, r->ours->id, sizeof(e->id)))
        return false;
    snprintf(r->host, sizeof(r->host), "%s", e->host);
    r->alive = alive;
    return alive;
}

/* ---- the machine ---- */

static int note(struct mext_source *s, enum mext_noted n)
{
    if (s->journal)
        return mext_journal_note(s->journal, n, s->why->text, s->why);
    return 0;
}

/* One that comes last: if it is missing the journal makes it good later. */
static int note_last(struct mext_source *s, enum mext_noted n)
{
    struct mext_why why;

    if (s->journal && mext_journal_note(s->journal, n, s->why->text, &why))
        say(s, why.text);
    return 0;
}

static int effect(void *arg, enum mext_effect e)
{
    struct mext_source *s = arg;

    switch (e) {
    case MEXT_DO_NOTE_BEGUN:
        return 0; /* by mext_source_begin */
    case MEXT_DO_NOTE_COMMITTING:
        return note(s, MEXT_NOTED_COMMITTING);
    case MEXT_DO_NOTE_STRANDED:
        return note_last(s, MEXT_NOTED_STRANDED);
    case MEXT_DO_NOTE_DONE:
        return note_last(s, MEXT_NOTED_DONE);
    case MEXT_DO_NOTE_KEPT:
        return note_last(s, MEXT_NOTED_KEPT);
    case MEXT_DO_SEND_COMMIT:
        send_commit(s);
        return 0;
    case MEXT_DO_SEND_ABORT:
        if (s->conn)
            mext_conn_abort(s->conn, MEXT_E_CANCELLED, s->why->text);
        return 0;
    case MEXT_DO_ASK:
        ask(s);
        return 0;
    case MEXT_DO_RESUME:
        return resume(s);
    case MEXT_DO_DESTROY_COPY:
        return destroy_copy(s);
    default:
        return -1;
    }
}

void mext_source_init(struct mext_source *s)
{
    s->machine = (struct mext_machine){ .table = mext_src_table,
                                        .rows = mext_src_rows,
                                        .state = MEXT_SRC_NEW,
                                        .effect = effect,
                                        .arg = s };
    s->journal = NULL;
    s->found = s->beside = s->ours = false;
    s->undecided = false;
    s->heard = MEXT_EV_SILENT;
    s->domid_there = 0;
}

/*
 * Of two that begin at once each has noted itself before it looks, so one sees the
 * other, or each does and none goes on.
 */
static int alone(struct mext_source *s, const char *dir,
                 const struct mext_entry *e, struct mext_why *why)
{
    struct rival r = { .ours = e };
    struct mext_why quiet;

    if (!mext_journal_each(dir, is_rival, &r, why) && !*r.host)
        return 0;
    if (*r.host)
        mext_source_busy(e->name, r.host, why);
    mext_journal_note(s->journal, MEXT_NOTED_KEPT, why->text, &quiet);
    mext_source_close(s);
    return -1;
}

int mext_source_begin(struct mext_source *s, const char *dir,
                      struct mext_entry *e, struct mext_why *why)
{
    mext_journal_expire(dir, (uint64_t)time(NULL));
    if (mext_journal_create(dir, e, &s->journal, why) || alone(s, dir, e, why))
        return -1;
    return mext_source_event(s, MEXT_EV_BEGIN, why);
}

/* It died as it saw the other one, or before: the guest is the other one's. */
static int look_beside(struct mext_source *s, const char *dir,
                       struct mext_why *why)
{
    struct rival r = { .ours = mext_journal_entry(s->journal) };

    if (mext_journal_each(dir, is_rival, &r, why))
        return -1;
    s->beside = r.alive;
    return 0;
}

int mext_source_take(struct mext_source *s, const char *dir,
                     const uint8_t id[MEXT_ID_LEN], struct mext_why *why)
{
    static const uint8_t states[] = {
        [MEXT_NOTED_BEGUN] = MEXT_SRC_COPYING,
        [MEXT_NOTED_COMMITTING] = MEXT_SRC_DOUBT,
        [MEXT_NOTED_STRANDED] = MEXT_SRC_STRANDED,
        [MEXT_NOTED_DONE] = MEXT_SRC_DONE,
        [MEXT_NOTED_KEPT] = MEXT_SRC_KEPT,
    };
    int r = mext_journal_take(dir, id, MEXT_SIDE_SOURCE, &s->journal, why);

    if (r)
        return r;
    s->machine.state = states[mext_journal_entry(s->journal)->noted];
    s->found = true;
    if (s->machine.state == MEXT_SRC_COPYING && look_beside(s, dir, why)) {
        mext_source_close(s);
        return -1;
    }
    mext_steer_forget(MEXT_STEER_DIR, mext_journal_entry(s->journal));
    return 0;
}

int mext_source_event(struct mext_source *s, enum mext_event ev,
                      struct mext_why *why)
{
    s->why = why;
    return mext_machine_event(&s->machine, ev);
}

bool mext_source_over(const struct mext_source *s)
{
    return s->machine.state == MEXT_SRC_DONE ||
           s->machine.state == MEXT_SRC_KEPT ||
           s->machine.state == MEXT_SRC_STRANDED;
}

void mext_source_ask(struct mext_source *s, unsigned timeout_ms,
                     struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms;
    struct mext_why quiet;
    int none = -1;

    mext_source_event(s, MEXT_EV_SILENT, why);
    for (;;) {
        if (s->heard != MEXT_EV_SILENT)
            mext_source_event(s, s->heard, why);
        if (mext_source_over(s) || mext_now_ms() >= end ||
            mext_net_cancelled(&quiet))
            return;
        mext_net_wait(&none, 1, AGAIN_MS, &quiet);
        mext_source_event(s, MEXT_EV_SILENT, why);
    }
}

void mext_source_close(struct mext_source *s)
{
    mext_journal_close(s->journal);
    s->journal = NULL;
}
