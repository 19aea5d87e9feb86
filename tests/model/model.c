/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proves what docs/specs/commit.md promises, for every order of events, losses,
 * failures and crashes, as many of each as you like.  Then proves that it can
 * fail, on tables and programs with one thing broken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broken.h"
#include "explore.h"

#define LINK (FAULT_LINK | FAULT_CANCEL)

static const struct {
    const char *name;
    unsigned faults;
} configs[] = {
    { "nothing fails", 0 },
    { "link, cancel", LINK },
    { "link, killed", LINK | FAULT_KILL },
    { "link, effects", LINK | FAULT_EFFECT },
    { "link, killed, power", LINK | FAULT_KILL | FAULT_POWER },
    { "link, killed, effects", LINK | FAULT_KILL | FAULT_EFFECT },
    { "link, killed, power, effects", FAULTS_HOSTS },
    { "... and the disk", FAULTS_HOSTS | FAULT_DISK },
    { "... and the operator", FAULTS_HOSTS | FAULT_DISK | FAULT_OPERATOR },
    { "all", FAULTS_ALL },
};

/* Rows that nothing led to prove nothing. */
static int all_taken(const struct rules *r, const struct explored *e)
{
    int missing = 0;

    for (enum side side = SOURCE; side < SIDES; side++)
        for (size_t i = 0; i < r->rows[side]; i++) {
            const struct mext_transition *t = &r->table[side][i];

            if (e->taken[side][t->state][t->event])
                continue;
            printf("never taken: %s, %s\n",
                   side ? mext_dst_name(t->state) : mext_src_name(t->state),
                   mext_event_name(t->event));
            missing = 1;
        }
    return missing;
}

static int prove(void)
{
    struct rules r;
    struct explored e;

    printf("%-30s %8s %9s %6s\n", "what happens", "states", "steps", "ends");
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        broken_rules(0, &r);
        r.faults = configs[i].faults;
        explore(&r, true, &e);
        printf("%-30s %8zu %9zu %6zu\n", configs[i].name, e.states, e.steps,
               e.ends);
        if (e.wrong) {
            printf("VIOLATION after %u steps: %s\n", e.length, e.wrong);
            return 1;
        }
    }
    return all_taken(&r, &e);
}

/* 0: the broken one was caught. */
static int caught(unsigned n, bool trace)
{
    struct rules r;
    struct explored e;
    const char *name = broken_rules(n, &r);

    explore(&r, trace, &e);
    printf("%2u %-47s %s", n, name, e.wrong ? e.wrong : "NOT CAUGHT");
    if (e.wrong)
        printf(" (%u steps)", e.length);
    putchar('\n');
    return !e.wrong;
}

int main(int argc, char **argv)
{
    int failed;

    if (argc == 3 && !strcmp(argv[1], "--broken") && atoi(argv[2]) > 0 &&
        (unsigned)atoi(argv[2]) <= broken_count())
        return !caught(atoi(argv[2]), true);
    if (argc != 1) {
        fprintf(stderr, "Usage: model [--broken 1..%u]\n", broken_count());
        return 2;
    }
    failed = prove();
    if (!failed)
        puts("no violation");
    puts("\nbroken on purpose; --broken N prints the way there:");
    for (unsigned n = 1; n <= broken_count(); n++)
        failed |= caught(n, false);
    return failed;
}
