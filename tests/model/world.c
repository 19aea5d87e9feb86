/* SPDX-License-Identifier: GPL-2.0-only */
/* The network, what breaks, and the promises. */
#include <stdio.h>
#include <string.h>

#include "programs.h"

void world_first(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->p[SOURCE].alive = w->p[DEST].alive = 1;
    w->packetd = w->up = 1;
}

/* packetd answers by the note; the answer may come late, often, or not. */
static void query(const struct rules *r, const struct world *w, world_fn *fn,
                  void *arg)
{
    static const uint8_t fate_of[NOTES] = {
        [NOTE_RUNNING] = 1, [NOTE_ABORTED] = 2, [NOTE_LOST] = 4, [NOTE_NONE] = 8
    };
    struct step s = { .what = WHAT_QUERY, .side = DEST };
    struct world n = *w;
    enum note note = w->p[DEST].note;

    if (!w->asked || !w->packetd)
        return;
    n.fates |= fate_of[note];
    if (note == NOTE_INCOMING && (r->quirks & QUIRK_ABORTED))
        n.fates |= fate_of[NOTE_ABORTED];
    if (note == NOTE_INCOMING && w->p[DEST].alive)
        n.give_up = 1;
    fn(arg, &n, &s);
}

/* Of what is on its way the first few still come, in either direction. */
static void lose_link(const struct world *w, world_fn *fn, void *arg)
{
    struct step s = { .what = WHAT_BREAK, .fault = true };

    for (unsigned i = 0; i <= QUEUE; i++)
        for (unsigned j = 0; j <= QUEUE; j++) {
            struct world n = *w;

            if ((i && !w->inbox[SOURCE][i - 1]) ||
                (j && !w->inbox[DEST][j - 1]))
                break;
            n.up = 0;
            memset(n.inbox[SOURCE] + i, 0, QUEUE - i);
            memset(n.inbox[DEST] + j, 0, QUEUE - j);
            fn(arg, &n, &s);
        }
}

static void kills(const struct world *w, world_fn *fn, void *arg)
{
    for (enum side side = SOURCE; side < SIDES; side++) {
        struct step s = { .what = WHAT_KILL, .side = side, .fault = true };
        struct world n = *w;

        if (!w->p[side].alive)
            continue;
        world_exit(&n, side);
        fn(arg, &n, &s);
    }
    if (w->packetd) {
        struct step s = { .what = WHAT_KILL_PACKETD,
                          .side = DEST,
                          .fault = true };
        struct world n = *w;

        n.packetd = 0;
        fn(arg, &n, &s);
    }
}

/* Excused is only what the host with the only copy of the guest does. */
static void power(const struct world *w, enum side side, bool disk,
                  world_fn *fn, void *arg)
{
    struct step s = { .what = disk ? WHAT_DISK : WHAT_POWER,
                      .side = side,
                      .fault = true };
    struct world n = *w;
    struct program *p = &n.p[side];

    p->note = p->durable;
    if (disk)
        p->note = p->durable = NOTE_NONE;
    if (p->alive)
        world_exit(&n, side);
    if (side == SOURCE) {
        n.excused |= w->copy != COPY_GONE && w->domain != DOMAIN_RUNS;
        n.copy = COPY_GONE;
    } else {
        n.excused |= w->domain == DOMAIN_RUNS;
        n.domain = DOMAIN_NONE;
        n.packetd = 0;
    }
    fn(arg, &n, &s);
}

static void guest_ends(const struct world *w, world_fn *fn, void *arg)
{
    struct step s = { .what = WHAT_END, .fault = true };
    struct world n = *w;

    n.excused = 1;
    if (w->domain == DOMAIN_RUNS) {
        s.side = DEST;
        n.domain = DOMAIN_NONE;
        fn(arg, &n, &s);
    } else if (w->copy == COPY_RUNS) {
        n.copy = COPY_GONE;
        fn(arg, &n, &s);
    }
}

/* That nothing is there is still so when he comes to say it: nothing may be
 * made there once the source is in doubt. */
static void operator_looks(const struct rules *r, const struct world *w,
                           world_fn *fn, void *arg)
{
    struct step s = { .what = WHAT_LOOK, .fault = true };
    const struct program *p = &w->p[SOURCE];
    struct world n = *w;
    bool asks = p->alive ? p->state == MEXT_SRC_DOUBT && !p->event
                         : p->note == NOTE_STRANDED;

    n.looked = w->domain == DOMAIN_NONE ||
               ((r->quirks & QUIRK_GLANCE) && w->domain != DOMAIN_RUNS);
    if (asks && n.looked)
        fn(arg, &n, &s);
}

static void packetd_starts(const struct world *w, world_fn *fn, void *arg)
{
    struct step s = { .what = WHAT_START, .side = DEST };
    struct world n = *w;

    n.packetd = 1;
    if (!w->packetd)
        fn(arg, &n, &s);
}

void world_next(const struct rules *r, const struct world *w, world_fn *fn,
                void *arg)
{
    source_next(r, w, fn, arg);
    dest_next(r, w, fn, arg);
    query(r, w, fn, arg);
    packetd_starts(w, fn, arg);
    if (r->faults & FAULT_LINK)
        lose_link(w, fn, arg);
    if (r->faults & FAULT_KILL)
        kills(w, fn, arg);
    if (r->faults & FAULT_POWER) {
        power(w, SOURCE, false, fn, arg);
        power(w, DEST, false, fn, arg);
    }
    if (r->faults & FAULT_DISK)
        power(w, DEST, true, fn, arg);
    if (r->faults & FAULT_OPERATOR)
        operator_looks(r, w, fn, arg);
    if (r->faults & FAULT_GUEST)
        guest_ends(w, fn, arg);
}

static bool source_ended(const struct world *w)
{
    const struct program *p = &w->p[SOURCE];

    return !p->alive && p->note != NOTE_BEGUN && p->note != NOTE_COMMITTING &&
           !(p->note == NOTE_STRANDED && w->copy == COPY_RUNS);
}

static bool dest_ended(const struct world *w)
{
    const struct program *p = &w->p[DEST];

    return !p->alive && p->note != NOTE_INCOMING && p->note != NOTE_COMMITTED;
}

bool world_ended(const struct world *w)
{
    return source_ended(w) && dest_ended(w);
}

const char *world_wrong(const struct world *w)
{
    static const char *const texts[BADS] = {
        [BAD_DESTROYED_GUEST] = "never none: the running guest was destroyed",
        [BAD_DESTROYED_COPY] = "never none: the only copy was destroyed",
        [BAD_RESUMED] = "never two: it was resumed after it ran there",
        [BAD_KEPT] = "kept, but it does not run here",
        [BAD_DONE] = "done, but it never ran there, or still is here",
    };
    bool here = w->copy == COPY_RUNS, there = w->domain == DOMAIN_RUNS;

    if (w->bad)
        return texts[w->bad];
    if (here && there)
        return "never two: it runs here and there";
    if (dest_ended(w) && w->domain != DOMAIN_NONE && !there)
        return "it ends: a domain is left that nobody minds";
    if (source_ended(w) && w->copy == COPY_SUSPENDED &&
        w->p[SOURCE].note != NOTE_STRANDED)
        return "it ends: a suspended copy is left, and nobody is told";
    if (w->excused)
        return NULL;
    if (w->copy == COPY_GONE && !there)
        return "never none: nothing is left of it";
    return NULL;
}

static const char *const notes[NOTES] = { "-",        "begun",     "committing",
                                          "stranded", "done",      "kept",
                                          "incoming", "committed", "running",
                                          "aborted",  "lost" };

static void print_program(const struct world *w, enum side side)
{
    const struct program *p = &w->p[side];

    printf(" %s %s%s,", side ? "| dest" : "source",
           !p->alive ? "gone"
           : side    ? mext_dst_name(p->state)
                     : mext_src_name(p->state),
           p->event ? "..." : "");
    printf(" noted %s", notes[p->note]);
    if (p->note != p->durable)
        printf(" (durable: %s)", notes[p->durable]);
}

static void print_step(const struct step *s)
{
    static const char *const whats[] = {
        [WHAT_SUSPEND] = "suspends, sends FINAL",
        [WHAT_BUILD] = "makes the domain",
        [WHAT_QUERY] = "packetd answers a query",
        [WHAT_START] = "packetd starts",
        [WHAT_LOOK] = "the operator looks, there is nothing",
        [WHAT_BREAK] = "the link is lost",
        [WHAT_KILL] = "killed",
        [WHAT_KILL_PACKETD] = "packetd is killed",
        [WHAT_POWER] = "power is lost",
        [WHAT_DISK] = "power and disk are lost",
        [WHAT_END] = "the guest ends by itself",
    };

    printf("  %s: ", s->side ? "dest" : "source");
    if (s->what != WHAT_EFFECT)
        printf("%s\n", whats[s->what]);
    else
        printf("%s%s: %s%s\n", s->again ? "taken up, " : "",
               mext_event_name(s->event),
               s->effect ? mext_effect_name(s->effect) : "nothing",
               !s->rc     ? ""
               : s->fault ? " FAILS"
                          : " cannot be done");
}

void world_print(const struct step *s, const struct world *w)
{
    static const char *const copies[] = { "runs", "suspended", "gone" };
    static const char *const domains[] = { "none", "building", "complete",
                                           "runs" };

    print_step(s);
    printf("      ");
    print_program(w, SOURCE);
    printf(", copy %s ", copies[w->copy]);
    print_program(w, DEST);
    printf(", domain %s\n", domains[w->domain]);
}
