/* SPDX-License-Identifier: GPL-2.0-only */
/* What the effects of the tables do to the world, done or failed. */
#include <assert.h>
#include <string.h>

#include "world.h"

static const uint8_t note_of[MEXT_EFFECTS] = {
    [MEXT_DO_NOTE_BEGUN] = NOTE_BEGUN,
    [MEXT_DO_NOTE_COMMITTING] = NOTE_COMMITTING,
    [MEXT_DO_NOTE_STRANDED] = NOTE_STRANDED,
    [MEXT_DO_NOTE_DONE] = NOTE_DONE,
    [MEXT_DO_NOTE_KEPT] = NOTE_KEPT,
    [MEXT_DO_NOTE_INCOMING] = NOTE_INCOMING,
    [MEXT_DO_NOTE_COMMITTED] = NOTE_COMMITTED,
    [MEXT_DO_NOTE_RUNNING] = NOTE_RUNNING,
    [MEXT_DO_NOTE_ABORTED] = NOTE_ABORTED,
    [MEXT_DO_NOTE_LOST] = NOTE_LOST,
};

static const uint8_t message_of[MEXT_EFFECTS] = {
    [MEXT_DO_SEND_COMMIT] = MSG_COMMIT,
    [MEXT_DO_SEND_PREPARED] = MSG_PREPARED,
    [MEXT_DO_SEND_RUNNING] = MSG_RUNNING,
    [MEXT_DO_SEND_ABORT] = MSG_ABORT,
};

void world_send(struct world *w, enum side to, enum message m)
{
    for (unsigned i = 0; i < QUEUE; i++)
        if (!w->inbox[to][i]) {
            w->inbox[to][i] = m;
            return;
        }
    assert(!"more messages than a connection can have");
}

/* What was sent may still come; what was not read is lost. */
static void hang_up(struct world *w, enum side side)
{
    w->up = 0;
    memset(w->inbox[side], 0, QUEUE);
}

void world_exit(struct world *w, enum side side)
{
    struct program *p = &w->p[side];

    p->alive = p->state = p->event = p->done = p->failed = 0;
    hang_up(w, side);
    if (side == DEST)
        w->give_up = 0;
}

/* Failed, it may be as before, durable, or seen only until power is lost. */
static bool note(struct program *p, struct step *s, unsigned way)
{
    if (way > 3)
        return false;
    if (way != 1)
        p->note = note_of[s->effect];
    if (way == 0 || way == 2)
        p->durable = note_of[s->effect];
    s->rc = way ? -1 : 0;
    s->fault = way > 0;
    return true;
}

/*
 * Failed, it may have been sent all the same; nothing can be sent after that.
 * Over a connection that is lost it may seem done.
 */
static bool send_message(struct world *w, struct step *s, unsigned way)
{
    if (way > (w->up ? 2 : 1))
        return false;
    s->rc = way ? -1 : 0;
    if (!w->up)
        return true;
    if (way != 1)
        world_send(w, s->side == SOURCE ? DEST : SOURCE, message_of[s->effect]);
    if (way)
        w->up = 0;
    s->fault = way > 0;
    return true;
}

static bool ask(struct world *w, struct step *s, unsigned way)
{
    hang_up(w, SOURCE);
    if (way == 0)
        w->asked = 1;
    s->rc = way ? -1 : 0;
    s->fault = way > 0;
    return way < 2;
}

static bool resume(const struct rules *r, struct world *w, struct step *s,
                   unsigned way)
{
    if (w->copy != COPY_SUSPENDED)
        return way == 0;
    s->rc = way ? -1 : 0;
    s->fault = way > 0;
    if (way)
        return way == 1;
    w->copy = COPY_RUNS;
    if (w->ran && s->event != MEXT_EV_HERE)
        w->bad = BAD_RESUMED;
    return true;
}

static bool destroy_copy(struct world *w, struct step *s, unsigned way)
{
    if (w->copy != COPY_SUSPENDED) {
        s->rc = w->copy == COPY_RUNS ? -1 : 0;
        return way == 0;
    }
    s->rc = way ? -1 : 0;
    s->fault = way > 0;
    if (way)
        return way == 1;
    w->copy = COPY_GONE;
    if (!w->ran)
        w->bad = BAD_DESTROYED_COPY;
    return true;
}

static bool unpause(const struct rules *r, struct world *w, struct step *s,
                    unsigned way)
{
    if (w->domain != DOMAIN_COMPLETE) {
        if (w->domain != DOMAIN_RUNS || (r->quirks & QUIRK_UNPAUSE))
            s->rc = -1;
        return way == 0;
    }
    s->rc = way ? -1 : 0;
    s->fault = way > 0;
    if (way)
        return way == 1;
    w->domain = DOMAIN_RUNS;
    w->ran = 1;
    return true;
}

static bool destroy_domain(struct world *w, struct step *s, unsigned way)
{
    if (w->domain == DOMAIN_NONE)
        return way == 0;
    s->rc = way ? -1 : 0;
    s->fault = way > 0;
    if (way)
        return way == 1;
    if (w->domain == DOMAIN_RUNS)
        w->bad = BAD_DESTROYED_GUEST;
    w->domain = DOMAIN_NONE;
    return true;
}

bool world_effect(const struct rules *r, struct world *w, struct step *s,
                  unsigned way)
{
    s->rc = 0;
    s->fault = false;
    if (note_of[s->effect])
        return note(&w->p[s->side], s, way);
    if (message_of[s->effect])
        return send_message(w, s, way);
    switch (s->effect) {
    case MEXT_DO_ASK:
        return ask(w, s, way);
    case MEXT_DO_RESUME:
        return resume(r, w, s, way);
    case MEXT_DO_DESTROY_COPY:
        return destroy_copy(w, s, way);
    case MEXT_DO_UNPAUSE:
        return unpause(r, w, s, way);
    case MEXT_DO_DESTROY_DOMAIN:
        return destroy_domain(w, s, way);
    }
    return false;
}
