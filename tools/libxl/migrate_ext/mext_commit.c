/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdbool.h>

#include "mext_commit.h"
#include "mext_fault.h"

#define SRC(s, e, n, ...) \
    { \
        MEXT_SRC_##s, MEXT_EV_##e, MEXT_SRC_##n, \
        { \
            __VA_ARGS__ \
        } \
    }
#define DST(s, e, n, ...) \
    { \
        MEXT_DST_##s, MEXT_EV_##e, MEXT_DST_##n, \
        { \
            __VA_ARGS__ \
        } \
    }
#define KEEP    MEXT_DO_RESUME, MEXT_DO_NOTE_KEPT
#define LEAVE   MEXT_DO_DESTROY_COPY, MEXT_DO_NOTE_DONE
#define GIVE_UP MEXT_DO_DESTROY_DOMAIN, MEXT_DO_NOTE_ABORTED, MEXT_DO_SEND_ABORT

const struct mext_transition mext_src_table[] = {
    SRC(NEW, BEGIN, COPYING, MEXT_DO_NOTE_BEGUN),
    SRC(NEW, FAILED, KEPT, MEXT_DO_SEND_ABORT, MEXT_DO_RESUME),
    SRC(COPYING, ALL_SENT, READY, MEXT_DO_NOTE_COMMITTING),
    SRC(COPYING, FAILED, KEPT, MEXT_DO_SEND_ABORT, KEEP),
    SRC(READY, PREPARED, ASKED, MEXT_DO_SEND_COMMIT),
    SRC(READY, FAILED, KEPT, MEXT_DO_SEND_ABORT, KEEP),
    SRC(ASKED, RUNNING, DONE, LEAVE),
    SRC(ASKED, ABORTED, KEPT, KEEP),
    SRC(ASKED, SILENT, DOUBT, MEXT_DO_ASK),
    SRC(DOUBT, RUNNING, DONE, LEAVE),
    SRC(DOUBT, ABORTED, KEPT, KEEP),
    SRC(DOUBT, SILENT, DOUBT, MEXT_DO_ASK),
    SRC(DOUBT, LOST, STRANDED, MEXT_DO_NOTE_STRANDED),
    SRC(DOUBT, UNKNOWN, STRANDED, MEXT_DO_NOTE_STRANDED),
    SRC(DOUBT, HERE, KEPT, KEEP),
    SRC(DOUBT, THERE, DONE, LEAVE),
    SRC(STRANDED, SILENT, DOUBT, MEXT_DO_ASK),
    SRC(STRANDED, HERE, KEPT, KEEP),
    SRC(STRANDED, THERE, DONE, LEAVE),
};
const size_t mext_src_rows = sizeof(mext_src_table) / sizeof(mext_src_table[0]);

const struct mext_transition mext_dst_table[] = {
    DST(NEW, CONFIG, INCOMING, MEXT_DO_NOTE_INCOMING),
    DST(NEW, FAILED, ABORTED, MEXT_DO_SEND_ABORT),
    DST(INCOMING, FINAL, PREPARED, MEXT_DO_SEND_PREPARED),
    DST(INCOMING, FAILED, ABORTED, GIVE_UP),
    DST(PREPARED, COMMIT, COMMITTED, MEXT_DO_NOTE_COMMITTED),
    DST(PREPARED, FAILED, ABORTED, GIVE_UP),
    DST(COMMITTED, GO, RUNNING, MEXT_DO_UNPAUSE, MEXT_DO_SEND_RUNNING,
        MEXT_DO_NOTE_RUNNING),
    DST(COMMITTED, FAILED, ABORTED, GIVE_UP),
    DST(COMMITTED, GONE, LOST, MEXT_DO_NOTE_LOST),
};
const size_t mext_dst_rows = sizeof(mext_dst_table) / sizeof(mext_dst_table[0]);

const struct mext_transition *mext_transition(const struct mext_machine *m,
                                              enum mext_event ev)
{
    for (size_t i = 0; i < m->rows; i++)
        if (m->table[i].state == m->state && m->table[i].event == ev)
            return &m->table[i];
    return NULL;
}

/* What an event that has no place in a state is taken for. */
static const struct mext_transition *instead(const struct mext_machine *m)
{
    const struct mext_transition *t = mext_transition(m, MEXT_EV_FAILED);

    return t ? t : mext_transition(m, MEXT_EV_SILENT);
}

/*
 * Whether a transition ends where the effect fails.  COMMIT may have gone out all
 * the same, so the way back is barred; the others only tell, or note, what is so
 * already or will be found again.
 */
static bool counts(enum mext_effect e)
{
    switch (e) {
    case MEXT_DO_SEND_COMMIT:
    case MEXT_DO_ASK:
    case MEXT_DO_SEND_ABORT:
    case MEXT_DO_SEND_RUNNING:
    case MEXT_DO_NOTE_RUNNING:
    case MEXT_DO_NOTE_ABORTED:
    case MEXT_DO_NOTE_LOST:
    case MEXT_DO_NOTE_DONE:
    case MEXT_DO_NOTE_KEPT:
        return false;
    default:
        return true;
    }
}

static int do_effect(struct mext_machine *m, enum mext_effect e)
{
    const char *side = m->table == mext_src_table ? "source" : "dest";
    const char *name = mext_effect_name(e);

    return mext_fault_effect(side, name, false) || m->effect(m->arg, e) ||
           mext_fault_effect(side, name, true);
}

/* 0, or -1 if an effect that counts failed; only with 0 the state is the next. */
static int go(struct mext_machine *m, const struct mext_transition *t)
{
    for (unsigned i = 0; i < MEXT_EFFECTS_MAX && t->effects[i]; i++) {
        enum mext_effect e = (enum mext_effect)t->effects[i];

        if (do_effect(m, e) && counts(e))
            return -1;
    }
    m->state = t->next;
    return 0;
}

int mext_machine_event(struct mext_machine *m, enum mext_event ev)
{
    const struct mext_transition *t = mext_transition(m, ev);

    if (t && !go(m, t))
        return 0;
    t = t ? mext_transition(m, MEXT_EV_FAILED) : instead(m);
    if (t && t->event != ev)
        go(m, t);
    return -1;
}

static const char *name_of(const char *const *names, unsigned n, unsigned i)
{
    return i < n && names[i] ? names[i] : "?";
}

const char *mext_src_name(unsigned state)
{
    static const char *const names[] = {
        [MEXT_SRC_NEW] = "new",     [MEXT_SRC_COPYING] = "copying",
        [MEXT_SRC_READY] = "ready", [MEXT_SRC_ASKED] = "asked",
        [MEXT_SRC_DOUBT] = "doubt", [MEXT_SRC_STRANDED] = "stranded",
        [MEXT_SRC_DONE] = "done",   [MEXT_SRC_KEPT] = "kept",
    };

    return name_of(names, MEXT_SRC_STATES, state);
}

const char *mext_dst_name(unsigned state)
{
    static const char *const names[] = {
        [MEXT_DST_NEW] = "new",           [MEXT_DST_INCOMING] = "incoming",
        [MEXT_DST_PREPARED] = "prepared", [MEXT_DST_COMMITTED] = "committed",
        [MEXT_DST_RUNNING] = "running",   [MEXT_DST_ABORTED] = "aborted",
        [MEXT_DST_LOST] = "lost",
    };

    return name_of(names, MEXT_DST_STATES, state);
}

const char *mext_event_name(unsigned ev)
{
    static const char *const names[] = {
        [MEXT_EV_BEGIN] = "begin",       [MEXT_EV_ALL_SENT] = "all sent",
        [MEXT_EV_PREPARED] = "prepared", [MEXT_EV_RUNNING] = "running",
        [MEXT_EV_ABORTED] = "aborted",   [MEXT_EV_SILENT] = "silent",
        [MEXT_EV_LOST] = "lost",         [MEXT_EV_UNKNOWN] = "unknown",
        [MEXT_EV_HERE] = "here",         [MEXT_EV_THERE] = "there",
        [MEXT_EV_CONFIG] = "config",     [MEXT_EV_FINAL] = "final",
        [MEXT_EV_COMMIT] = "commit",     [MEXT_EV_GO] = "go",
        [MEXT_EV_GONE] = "gone",         [MEXT_EV_FAILED] = "failed",
    };

    return name_of(names, MEXT_EVENTS, ev);
}

const char *mext_effect_name(unsigned e)
{
    static const char *const names[] = {
        [MEXT_DO_NOTE_BEGUN] = "note begun",
        [MEXT_DO_NOTE_COMMITTING] = "note committing",
        [MEXT_DO_NOTE_STRANDED] = "note stranded",
        [MEXT_DO_NOTE_DONE] = "note done",
        [MEXT_DO_NOTE_KEPT] = "note kept",
        [MEXT_DO_SEND_COMMIT] = "send COMMIT",
        [MEXT_DO_ASK] = "ask",
        [MEXT_DO_RESUME] = "resume",
        [MEXT_DO_DESTROY_COPY] = "destroy the copy",
        [MEXT_DO_NOTE_INCOMING] = "note incoming",
        [MEXT_DO_NOTE_COMMITTED] = "note committed",
        [MEXT_DO_NOTE_RUNNING] = "note running",
        [MEXT_DO_NOTE_ABORTED] = "note aborted",
        [MEXT_DO_NOTE_LOST] = "note lost",
        [MEXT_DO_SEND_PREPARED] = "send PREPARED",
        [MEXT_DO_SEND_RUNNING] = "send RUNNING",
        [MEXT_DO_UNPAUSE] = "unpause",
        [MEXT_DO_DESTROY_DOMAIN] = "destroy the domain",
        [MEXT_DO_SEND_ABORT] = "send ABORT",
    };

    return name_of(names, MEXT_EFFECTS, e);
}
