/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two programs: which events they raise, and an event's effects, between
 * any two of which something else can happen.
 */
#include <string.h>

#include "programs.h"

/*
 * mext_machine_event() is run anew for each effect: those done before only
 * return what they returned, the next is done, and those behind it only tell
 * that there are more.
 */
struct replay {
    const struct rules *rules;
    struct world *w;
    struct step *s;
    unsigned at, way;
    bool possible, more;
};

static int effect(void *arg, enum mext_effect e)
{
    struct replay *r = arg;
    const struct program *p = &r->w->p[r->s->side];
    unsigned i = r->at++;

    if (i < p->done)
        return p->failed >> i & 1 ? -1 : 0;
    if (i > p->done) {
        r->more = true;
        return 0;
    }
    r->s->effect = e;
    r->possible = world_effect(r->rules, r->w, r->s, r->way);
    return r->s->rc;
}

static bool last_of(enum side side, unsigned state)
{
    if (side == SOURCE)
        return state == MEXT_SRC_DONE || state == MEXT_SRC_KEPT ||
               state == MEXT_SRC_STRANDED;
    return state == MEXT_DST_RUNNING || state == MEXT_DST_ABORTED ||
           state == MEXT_DST_LOST;
}

/* Behind the last effect. */
static void finish(struct world *w, enum side side, unsigned state, int rc)
{
    struct program *p = &w->p[side];
    bool doubt = state == MEXT_SRC_ASKED || state == MEXT_SRC_DOUBT;

    if (side == SOURCE && state == MEXT_SRC_KEPT && w->copy != COPY_RUNS &&
        !w->excused)
        w->bad = BAD_KEPT;
    if (side == SOURCE && state == MEXT_SRC_DONE &&
        (w->copy != COPY_GONE || !w->ran))
        w->bad = BAD_DONE;
    p->event = p->done = p->failed = 0;
    p->state = state;
    if (side == SOURCE && state == MEXT_SRC_COPYING && !rc && w->up)
        world_send(w, DEST, MSG_CONFIG);
    /* Who could not even do what FAILED asks for leaves it to the next one. */
    if (last_of(side, state) || (rc && !(side == SOURCE && doubt)))
        world_exit(w, side);
}

static bool one_way(const struct rules *r, struct world *w, struct step *s,
                    unsigned way)
{
    struct program *p = &w->p[s->side];
    struct replay re = { r, w, s, 0, way, false, false };
    struct mext_machine m = { r->table[s->side], r->rows[s->side], p->state,
                              effect, &re };
    int rc = mext_machine_event(&m, (enum mext_event)p->event);

    if (!re.at)
        re.possible = way == 0;
    if (re.more) {
        p->failed |= (s->rc != 0) << p->done;
        p->done++;
    } else {
        finish(w, s->side, m.state, rc);
    }
    return re.possible;
}

/* The next effect of the event that is being done, in each way it can go. */
static void go_on(const struct rules *r, const struct world *w, struct step *s,
                  world_fn *fn, void *arg)
{
    bool needed = s->fault;

    for (unsigned way = 0;; way++) {
        struct world n = *w;

        s->what = WHAT_EFFECT;
        s->state = w->p[s->side].state;
        s->event = w->p[s->side].event;
        s->effect = 0;
        s->rc = 0;
        s->fault = false;
        if (!one_way(r, &n, s, way))
            break;
        if (s->fault && !(r->faults & FAULT_EFFECT))
            continue;
        s->fault |= needed;
        fn(arg, &n, s);
    }
}

void program_event(const struct rules *r, const struct world *w, enum side side,
                   enum mext_event ev, bool fault, world_fn *fn, void *arg)
{
    struct world n = *w;
    struct step s = { .side = side, .fault = fault };

    n.p[side].event = ev;
    go_on(r, &n, &s, fn, arg);
}

/* Goes on from a note, which it first makes durable. */
static void take_up(const struct rules *r, const struct world *w,
                    enum side side, unsigned state, enum mext_event ev,
                    bool fault, world_fn *fn, void *arg)
{
    struct world n = *w;
    struct step s = { .side = side, .again = 1, .fault = fault };
    struct program *p = &n.p[side];

    p->alive = 1;
    p->state = state;
    p->event = ev;
    if (!(r->quirks & QUIRK_UNSYNCED))
        p->durable = p->note;
    go_on(r, &n, &s, fn, arg);
}

/* The message that has come, taken away. */
static enum message head(struct world *w, enum side side)
{
    enum message m = w->inbox[side][0];

    memmove(w->inbox[side], w->inbox[side] + 1, QUEUE - 1);
    w->inbox[side][QUEUE - 1] = MSG_NONE;
    return m;
}

/* What a message is in this state; NONE: it is not read now. */
static enum mext_event source_reads(unsigned state, enum message m)
{
    switch (state) {
    case MEXT_SRC_COPYING:
        return m == MSG_ABORT ? MEXT_EV_FAILED : MEXT_EV_NONE;
    case MEXT_SRC_READY:
        return m == MSG_PREPARED ? MEXT_EV_PREPARED : MEXT_EV_FAILED;
    case MEXT_SRC_ASKED:
        return m == MSG_RUNNING ? MEXT_EV_RUNNING
               : m == MSG_ABORT ? MEXT_EV_ABORTED
                                : MEXT_EV_SILENT;
    }
    return MEXT_EV_NONE;
}

static enum mext_event dest_reads(unsigned state, enum message m)
{
    if (state > MEXT_DST_PREPARED)
        return MEXT_EV_NONE;
    return m == MSG_CONFIG   ? MEXT_EV_CONFIG
           : m == MSG_FINAL  ? MEXT_EV_FINAL
           : m == MSG_COMMIT ? MEXT_EV_COMMIT
                             : MEXT_EV_FAILED;
}

static void read_message(const struct rules *r, const struct world *w,
                         enum side side, world_fn *fn, void *arg)
{
    struct world n = *w;
    unsigned state = w->p[side].state;
    enum message m = head(&n, side);
    enum mext_event ev = side == SOURCE ? source_reads(state, m)
                                        : dest_reads(state, m);

    if (!ev)
        return;
    /* mstrap is told, and becomes tidy, before that is an event. */
    if (m == MSG_FINAL)
        n.domain = DOMAIN_COMPLETE;
    program_event(r, &n, side, ev, false, fn, arg);
}

/* The operator, who may also change his mind. */
static void word(const struct rules *r, const struct world *w,
                 void (*say)(const struct rules *, const struct world *,
                             enum mext_event, world_fn *, void *),
                 world_fn *fn, void *arg)
{
    if (!(r->faults & FAULT_OPERATOR))
        return;
    if (w->looked)
        say(r, w, MEXT_EV_HERE, fn, arg);
    if (w->ran)
        say(r, w, MEXT_EV_THERE, fn, arg);
}

static void say_in_doubt(const struct rules *r, const struct world *w,
                         enum mext_event ev, world_fn *fn, void *arg)
{
    program_event(r, w, SOURCE, ev, true, fn, arg);
}

static void say_stranded(const struct rules *r, const struct world *w,
                         enum mext_event ev, world_fn *fn, void *arg)
{
    take_up(r, w, SOURCE, MEXT_SRC_STRANDED, ev, true, fn, arg);
}

static void source_doubts(const struct rules *r, const struct world *w,
                          world_fn *fn, void *arg)
{
    static const enum mext_event fates[] = { MEXT_EV_RUNNING, MEXT_EV_ABORTED,
                                             MEXT_EV_LOST, MEXT_EV_UNKNOWN };

    program_event(r, w, SOURCE, MEXT_EV_SILENT, false, fn, arg);
    for (unsigned i = 0; i < 4; i++)
        if (w->fates >> i & 1)
            program_event(r, w, SOURCE, fates[i], false, fn, arg);
    word(r, w, say_in_doubt, fn, arg);
}

static void source_copies(const struct rules *r, const struct world *w,
                          world_fn *fn, void *arg)
{
    struct step s = { .what = WHAT_SUSPEND, .side = SOURCE };
    struct world n = *w;

    if (w->copy == COPY_SUSPENDED) {
        program_event(r, w, SOURCE, MEXT_EV_ALL_SENT, false, fn, arg);
    } else if (w->copy == COPY_RUNS && w->up && w->domain == DOMAIN_BUILDING) {
        n.copy = COPY_SUSPENDED;
        world_send(&n, DEST, MSG_FINAL);
        fn(arg, &n, &s);
    }
}

static void source_lives(const struct rules *r, const struct world *w,
                         world_fn *fn, void *arg)
{
    unsigned state = w->p[SOURCE].state;
    bool lost = (!w->up && !w->inbox[SOURCE][0]) || w->copy == COPY_GONE;

    if (state == MEXT_SRC_NEW)
        program_event(r, w, SOURCE, MEXT_EV_BEGIN, false, fn, arg);
    if (state == MEXT_SRC_COPYING)
        source_copies(r, w, fn, arg);
    if (state == MEXT_SRC_DOUBT) {
        source_doubts(r, w, fn, arg);
        return;
    }
    if (w->inbox[SOURCE][0])
        read_message(r, w, SOURCE, fn, arg);
    if (lost || (r->faults & FAULT_CANCEL))
        program_event(r, w, SOURCE,
                      state == MEXT_SRC_ASKED ? MEXT_EV_SILENT : MEXT_EV_FAILED,
                      !lost, fn, arg);
}

/* After a crash.  A copy that runs again was resumed for a reason. */
static void source_again(const struct rules *r, const struct world *w,
                         world_fn *fn, void *arg)
{
    uint8_t note = w->p[SOURCE].note;
    bool resumed = w->copy == COPY_RUNS && !(r->quirks & QUIRK_ASKS);

    if (note == NOTE_COMMITTING && (r->quirks & QUIRK_BLIND))
        note = NOTE_BEGUN;
    if (note == NOTE_BEGUN)
        take_up(r, w, SOURCE, MEXT_SRC_COPYING, MEXT_EV_FAILED, false, fn, arg);
    else if (note == NOTE_COMMITTING)
        take_up(r, w, SOURCE, MEXT_SRC_DOUBT,
                resumed ? MEXT_EV_HERE : MEXT_EV_SILENT, false, fn, arg);
    else if (note == NOTE_STRANDED && resumed)
        take_up(r, w, SOURCE, MEXT_SRC_STRANDED, MEXT_EV_HERE, false, fn, arg);
    else if (note == NOTE_STRANDED && (r->faults & FAULT_OPERATOR)) {
        word(r, w, say_stranded, fn, arg);
        say_stranded(r, w, MEXT_EV_SILENT, fn, arg);
    }
}

void source_next(const struct rules *r, const struct world *w, world_fn *fn,
                 void *arg)
{
    const struct program *p = &w->p[SOURCE];
    struct step s = { .side = SOURCE };

    if (p->event)
        go_on(r, w, &s, fn, arg);
    else if (p->alive)
        source_lives(r, w, fn, arg);
    else
        source_again(r, w, fn, arg);
}

static void dest_lives(const struct rules *r, const struct world *w,
                       world_fn *fn, void *arg)
{
    unsigned state = w->p[DEST].state;
    struct step build = { .what = WHAT_BUILD, .side = DEST };
    struct world n = *w;
    bool must = w->give_up || (!w->up && !w->inbox[DEST][0]);

    if (state == MEXT_DST_COMMITTED) {
        program_event(r, w, DEST, MEXT_EV_GO, false, fn, arg);
        return;
    }
    if (state == MEXT_DST_INCOMING && w->domain == DOMAIN_NONE) {
        n.domain = DOMAIN_BUILDING;
        fn(arg, &n, &build);
    }
    if (w->inbox[DEST][0])
        read_message(r, w, DEST, fn, arg);
    if (must || (r->faults & FAULT_CANCEL))
        program_event(r, w, DEST, MEXT_EV_FAILED, !must, fn, arg);
}

void dest_next(const struct rules *r, const struct world *w, world_fn *fn,
               void *arg)
{
    const struct program *p = &w->p[DEST];
    struct step s = { .side = DEST };

    if (p->event)
        go_on(r, w, &s, fn, arg);
    else if (p->alive)
        dest_lives(r, w, fn, arg);
    else if (w->packetd && p->note == NOTE_INCOMING)
        take_up(r, w, DEST, MEXT_DST_INCOMING, MEXT_EV_FAILED, false, fn, arg);
    else if (w->packetd && p->note == NOTE_COMMITTED)
        take_up(r, w, DEST, MEXT_DST_COMMITTED,
                !w->domain                    ? MEXT_EV_GONE
                : r->quirks & QUIRK_COMMITTED ? MEXT_EV_FAILED
                                              : MEXT_EV_GO,
                false, fn, arg);
}
