/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commit.h"
#include "mext_fault.h"
#include "mext_source.h"
#include "mext_steer.h"
#include "packetd.h"

#define SEND_MS 30000

static const struct mext_entry *entry(struct commit *c)
{
    return mext_journal_entry(c->journal);
}

int commit_domain_there(struct commit *c, struct mext_domain_now *now_r)
{
    return c->domid
               ? mext_domain_noted(c->lxl, entry(c), c->domid, c->uuid, now_r)
               : 0;
}

static int not_told(struct commit *c)
{
    return mext_fail(c->why, "Xen does not say whether domain %u is there",
                     c->domid);
}

/* ---- effects ---- */

static int note(struct commit *c, enum mext_noted n)
{
    struct mext_why why;
    int rc = mext_journal_note(c->journal, n, c->why->text, &why);

    if (!rc)
        return 0;
    packetd_log("%s: %s", entry(c)->name, why.text);
    *c->why = why;
    return -1;
}

static int send_prepared(struct commit *c)
{
    struct mext_ctl m = { .type = MEXT_CTL_PREPARED };

    m.u.prepared.tidy_us = c->tidy_us;
    m.u.prepared.prepare_us = c->prepare_us;
    return mext_conn_send(c->conn, &m, SEND_MS, c->why);
}

static int send_running(struct commit *c)
{
    struct mext_ctl m = { .type = MEXT_CTL_RUNNING };
    struct mext_why why;

    if (!c->conn)
        return 0;
    m.u.running.domid = c->domid;
    m.u.running.handover_us = mext_now_us() - c->since;
    if (!mext_conn_send(c->conn, &m, SEND_MS, &why))
        return 0;
    packetd_log("%s: the source could not be told that it runs: %s",
                entry(c)->name, why.text);
    return -1;
}

/* One that runs already counts as done: Xen would refuse it. */
static int unpause(struct commit *c)
{
    struct mext_domain_now now;
    int r = commit_domain_there(c, &now);

    if (r <= 0)
        return r ? not_told(c) : mext_fail(c->why, "the domain is gone");
    return now.paused ? mext_lxl_unpause(c->lxl, c->domid, c->why) : 0;
}

static int destroy_domain(struct commit *c)
{
    struct mext_domain_now now;
    int r = commit_domain_there(c, &now);

    if (r < 0)
        not_told(c);
    if (r == 0 || (r > 0 && !mext_lxl_destroy(c->lxl, c->domid, c->why)))
        return 0;
    packetd_log("%s: %s; it is tried again", entry(c)->name, c->why->text);
    return -1;
}

static int effect(void *arg, enum mext_effect e)
{
    struct commit *c = arg;

    switch (e) {
    case MEXT_DO_NOTE_INCOMING:
        return 0; /* by commit_begin */
    case MEXT_DO_NOTE_COMMITTED:
        c->since = mext_now_us();
        return note(c, MEXT_NOTED_COMMITTED);
    case MEXT_DO_NOTE_RUNNING:
        return note(c, MEXT_NOTED_RUNNING);
    case MEXT_DO_NOTE_ABORTED:
        return note(c, MEXT_NOTED_ABORTED);
    case MEXT_DO_NOTE_LOST:
        return note(c, MEXT_NOTED_LOST);
    case MEXT_DO_SEND_PREPARED:
        return send_prepared(c);
    case MEXT_DO_SEND_RUNNING:
        return send_running(c);
    case MEXT_DO_SEND_ABORT:
        if (c->conn)
            mext_conn_abort(c->conn, c->code, c->why->text);
        return 0;
    case MEXT_DO_UNPAUSE:
        return unpause(c);
    case MEXT_DO_DESTROY_DOMAIN:
        return destroy_domain(c);
    default:
        return -1;
    }
}

/* ---- the machine ---- */

void commit_init(struct commit *c)
{
    c->machine = (struct mext_machine){ .table = mext_dst_table,
                                        .rows = mext_dst_rows,
                                        .state = MEXT_DST_NEW,
                                        .effect = effect,
                                        .arg = c };
    c->journal = NULL;
    c->domid = 0;
    c->found = false;
}

int commit_begin(struct commit *c, const char *dir, struct mext_entry *e,
                 struct mext_why *why)
{
    mext_journal_expire(dir, (uint64_t)time(NULL));
    return mext_journal_create(dir, e, &c->journal, why) ||
                   commit_event(c, MEXT_EV_CONFIG, why)
               ? -1
               : 0;
}

int commit_domain(struct commit *c, uint32_t domid, const uint8_t uuid[16],
                  struct mext_why *why)
{
    /* Known before it is noted: if that fails it is destroyed all the same. */
    c->domid = domid;
    memcpy(c->uuid, uuid, sizeof(c->uuid));
    if (mext_fault("dest.created", why))
        return -1;
    mext_journal_domain(c->journal, domid, uuid);
    return mext_journal_note(c->journal, MEXT_NOTED_INCOMING, NULL, why);
}

int commit_take(struct commit *c, const char *dir,
                const uint8_t id[MEXT_ID_LEN], struct mext_why *why)
{
    static const uint8_t states[] = {
        [MEXT_NOTED_INCOMING] = MEXT_DST_INCOMING,
        [MEXT_NOTED_COMMITTED] = MEXT_DST_COMMITTED,
        [MEXT_NOTED_RUNNING] = MEXT_DST_RUNNING,
        [MEXT_NOTED_ABORTED] = MEXT_DST_ABORTED,
        [MEXT_NOTED_LOST] = MEXT_DST_LOST,
    };
    int r = mext_journal_take(dir, id, MEXT_SIDE_DEST, &c->journal, why);

    if (r)
        return r;
    c->machine.state = states[entry(c)->noted];
    c->domid = entry(c)->domid;
    memcpy(c->uuid, entry(c)->uuid, sizeof(c->uuid));
    c->found = true;
    mext_steer_forget(MEXT_STEER_DIR, entry(c));
    return 0;
}

int commit_event(struct commit *c, enum mext_event ev, struct mext_why *why)
{
    c->why = why;
    return mext_machine_event(&c->machine, ev);
}

void commit_close(struct commit *c)
{
    mext_journal_close(c->journal);
    c->journal = NULL;
}
