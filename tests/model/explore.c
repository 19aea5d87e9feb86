/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

#define NOWHERE UINT32_MAX

struct search {
    const struct rules *rules;
    struct world *worlds;
    uint32_t *parents;
    uint32_t *slots; /* hash table of index + 1 */
    size_t n, room, mask;
    size_t at;         /* the world looked at */
    uint32_t *targets; /* of the steps that need no fault, by world */
    size_t *firsts;    /* where a world's begin */
    size_t links, links_room, steps;
    uint32_t wrong;
    struct explored *told;
};

static void *more(void *p, size_t n, size_t size)
{
    p = reallocarray(p, n, size);
    if (!p) {
        perror("model");
        exit(1);
    }
    return p;
}

static size_t hash(const struct world *w)
{
    const uint8_t *p = (const uint8_t *)w;
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < sizeof(*w); i++)
        h = (h ^ p[i]) * 0x100000001b3;
    return h ^ h >> 29;
}

static size_t slot_of(const struct search *s, const struct world *w)
{
    size_t i = hash(w) & s->mask;

    while (s->slots[i] && memcmp(&s->worlds[s->slots[i] - 1], w, sizeof(*w)))
        i = (i + 1) & s->mask;
    return i;
}

static void grow(struct search *s)
{
    s->room = s->room ? s->room * 2 : 1 << 12;
    s->worlds = more(s->worlds, s->room, sizeof(*s->worlds));
    s->parents = more(s->parents, s->room, sizeof(*s->parents));
    s->firsts = more(s->firsts, s->room + 1, sizeof(*s->firsts));
    s->slots = more(s->slots, s->room * 2, sizeof(*s->slots));
    s->mask = s->room * 2 - 1;
    memset(s->slots, 0, s->room * 2 * sizeof(*s->slots));
    for (size_t i = 0; i < s->n; i++)
        s->slots[slot_of(s, &s->worlds[i])] = i + 1;
}

static uint32_t add(struct search *s, const struct world *w, uint32_t parent)
{
    size_t slot;

    if (s->n == s->room)
        grow(s);
    slot = slot_of(s, w);
    if (s->slots[slot])
        return s->slots[slot] - 1;
    s->worlds[s->n] = *w;
    s->parents[s->n] = parent;
    if (s->wrong == NOWHERE && world_wrong(w))
        s->wrong = s->n;
    s->slots[slot] = ++s->n;
    return s->n - 1;
}

/* An effect that the event's own row does not have is one of FAILED's. */
static void take(struct search *s, const struct step *step)
{
    const struct rules *r = s->rules;
    const struct mext_machine m = { .table = r->table[step->side],
                                    .rows = r->rows[step->side],
                                    .state = step->state };
    const struct mext_transition *t =
        mext_transition(&m, (enum mext_event)step->event);
    bool own = t && memchr(t->effects, step->effect, MEXT_EFFECTS_MAX);

    s->told->taken[step->side][step->state]
                  [own ? step->event : MEXT_EV_FAILED] = true;
}

static void found(void *arg, const struct world *w, const struct step *step)
{
    struct search *s = arg;
    uint32_t to = add(s, w, s->at);

    s->steps++;
    if (step->what == WHAT_EFFECT)
        take(s, step);
    if (step->fault || to == s->at)
        return;
    if (s->links == s->links_room) {
        s->links_room = s->links_room ? s->links_room * 2 : 1 << 12;
        s->targets = more(s->targets, s->links_room, sizeof(*s->targets));
    }
    s->targets[s->links++] = to;
}

static void visit_all(struct search *s)
{
    struct world w;

    world_first(&w);
    add(s, &w, NOWHERE);
    for (s->at = 0; s->at < s->n && s->wrong == NOWHERE; s->at++) {
        w = s->worlds[s->at]; /* which grows */
        s->firsts[s->at] = s->links;
        world_next(s->rules, &w, found, s);
    }
    s->firsts[s->at] = s->links;
}

/* A world from which no end can be reached, NOWHERE if there is none. */
static uint32_t endless(const struct search *s)
{
    bool *ends = more(NULL, s->n, sizeof(*ends)), changed = true;
    uint32_t i, none = NOWHERE;

    for (i = 0; i < s->n; i++)
        ends[i] = world_ended(&s->worlds[i]);
    while (changed) {
        changed = false;
        for (i = s->n; i-- > 0;)
            for (size_t k = s->firsts[i]; !ends[i] && k < s->firsts[i + 1]; k++)
                if (ends[s->targets[k]])
                    ends[i] = changed = true;
    }
    for (i = s->n; i-- > 0;)
        if (!ends[i])
            none = i;
    free(ends);
    return none;
}

struct aim {
    const struct world *w;
    bool done;
};

static void print_if(void *arg, const struct world *w, const struct step *step)
{
    struct aim *aim = arg;

    if (aim->done || memcmp(w, aim->w, sizeof(*w)))
        return;
    world_print(step, w);
    aim->done = true;
}

/* How many steps lead to a world; prints them. */
static unsigned print_way(const struct search *s, uint32_t to, bool print)
{
    struct aim aim = { &s->worlds[to], !print };
    unsigned n;

    if (s->parents[to] == NOWHERE)
        return 0;
    n = print_way(s, s->parents[to], print);
    if (print)
        world_next(s->rules, &s->worlds[s->parents[to]], print_if, &aim);
    return n + 1;
}

void explore(const struct rules *r, bool trace, struct explored *e_r)
{
    struct search s = { .rules = r, .wrong = NOWHERE, .told = e_r };

    memset(e_r, 0, sizeof(*e_r));
    visit_all(&s);
    if (s.wrong != NOWHERE)
        e_r->wrong = world_wrong(&s.worlds[s.wrong]);
    else if ((s.wrong = endless(&s)) != NOWHERE)
        e_r->wrong = "it ends: no end can be reached";
    if (e_r->wrong)
        e_r->length = print_way(&s, s.wrong, trace);
    e_r->states = s.n;
    e_r->steps = s.steps;
    for (size_t i = 0; i < s.n; i++)
        e_r->ends += world_ended(&s.worlds[i]);
    free(s.worlds);
    free(s.parents);
    free(s.slots);
    free(s.targets);
    free(s.firsts);
}
