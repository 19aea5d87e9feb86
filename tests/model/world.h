/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two hosts and what lies between them, as far as docs/specs/commit.md speaks
 * of it: each state is a struct world, and world_next() tells all that can
 * happen in it next.  The programs on both sides are mext_machine_event()
 * itself, one effect at a time.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>

#include "mext_commit.h"

enum side { SOURCE, DEST, SIDES };

/* The source's copy of the guest, and the destination's domain. */
enum copy { COPY_RUNS, COPY_SUSPENDED, COPY_GONE };
enum domain { DOMAIN_NONE, DOMAIN_BUILDING, DOMAIN_COMPLETE, DOMAIN_RUNS };

enum note {
    NOTE_NONE,
    NOTE_BEGUN,
    NOTE_COMMITTING,
    NOTE_STRANDED,
    NOTE_DONE,
    NOTE_KEPT,
    NOTE_INCOMING,
    NOTE_COMMITTED,
    NOTE_RUNNING,
    NOTE_ABORTED,
    NOTE_LOST,
    NOTES
};

enum message {
    MSG_NONE,
    MSG_CONFIG,
    MSG_FINAL,
    MSG_COMMIT,
    MSG_PREPARED,
    MSG_RUNNING,
    MSG_ABORT
};
#define QUEUE 4

/* A program; it is between two events if event is 0. */
struct program {
    uint8_t alive, state, event;
    uint8_t done, failed; /* effects of event: how many; bits of those failed */
    uint8_t note;         /* what a reader of the file sees */
    uint8_t durable;      /* and what is left of that by a power cut */
};

struct world {
    struct program p[SIDES];
    uint8_t inbox[SIDES][QUEUE]; /* the control connection, on its way to */
    uint8_t up;                  /* it takes messages */
    uint8_t copy, domain;
    uint8_t packetd; /* the destination's is up */
    uint8_t give_up; /* and has told the session to */
    uint8_t asked;   /* a query was sent: it may come now, later and again */
    uint8_t fates;   /* bits of the answers sent: the same */
    uint8_t ran;     /* the guest has run at the destination */
    uint8_t excused; /* who held the only copy lost power */
    uint8_t looked;  /* the operator: nothing of the guest is there */
    uint8_t bad;     /* what went wrong, an index of world_wrong()'s texts */
};

/* Bits of what may happen at all. */
enum fault {
    FAULT_LINK = 1,      /* the connection is lost */
    FAULT_CANCEL = 2,    /* cancels, errors, limits that run out */
    FAULT_KILL = 4,      /* programs are killed, between any two effects */
    FAULT_EFFECT = 8,    /* effects fail */
    FAULT_POWER = 16,    /* a host loses power */
    FAULT_DISK = 32,     /* ... and the destination its disk */
    FAULT_OPERATOR = 64, /* has a word */
    FAULT_GUEST = 128    /* it ends by itself */
};

/* Bits of what programs must not do, and broken ones do. */
enum quirk {
    QUIRK_GLANCE = 1,    /* the operator looks for what runs, not what is */
    QUIRK_UNSYNCED = 2,  /* a note that is not durable is gone on from */
    QUIRK_COMMITTED = 4, /* after a crash what is committed is given up */
    QUIRK_ABORTED = 8,   /* a query is answered "aborted" too early */
    QUIRK_UNPAUSE = 16,  /* unpausing what runs fails */
    QUIRK_BLIND = 32,    /* after a crash a copy is resumed unasked */
    QUIRK_ASKS = 64      /* ... and asked for though it runs */
};

struct rules {
    const struct mext_transition *table[SIDES];
    size_t rows[SIDES];
    unsigned faults, quirks;
};

/* How a world came from the one before. */
enum what {
    WHAT_EFFECT,
    WHAT_SUSPEND,
    WHAT_BUILD,
    WHAT_QUERY,
    WHAT_START,
    WHAT_LOOK,
    WHAT_BREAK,
    WHAT_KILL,
    WHAT_KILL_PACKETD,
    WHAT_POWER,
    WHAT_DISK,
    WHAT_END
};
struct step {
    uint8_t what, side;
    uint8_t state, event, effect; /* WHAT_EFFECT */
    uint8_t again;                /* taken up after a crash */
    int8_t rc;
    bool fault; /* not needed for it to end */
};

typedef void world_fn(void *arg, const struct world *w, const struct step *s);

void world_first(struct world *w);
void world_next(const struct rules *r, const struct world *w, world_fn *fn,
                void *arg);

/* Nothing more has to happen. */
bool world_ended(const struct world *w);

/* The promise that is broken, NULL if none is. */
const char *world_wrong(const struct world *w);

/* Prints the step, and the world it led to. */
void world_print(const struct step *s, const struct world *w);

/* effects.c: does it in one of several ways; false if there is no such way. */
bool world_effect(const struct rules *r, struct world *w, struct step *s,
                  unsigned way);
/* A program ends, or is killed. */
void world_exit(struct world *w, enum side side);
void world_send(struct world *w, enum side to, enum message m);

/* What must not happen once, as against what must not be (world_wrong). */
enum bad {
    BAD_NONE,
    BAD_DESTROYED_GUEST,
    BAD_DESTROYED_COPY,
    BAD_RESUMED,
    BAD_KEPT,
    BAD_DONE,
    BADS
};

#endif
