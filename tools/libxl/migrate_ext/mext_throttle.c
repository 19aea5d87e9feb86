/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>

#include "mext_throttle.h"

#define NODE "mext-throttle" /* the cap it had, in per cent of a CPU; 0: none */

static const unsigned percents[] = { 50, 25, 10 };
#define STEPS (sizeof(percents) / sizeof(percents[0]))

/* The cap it had when it was slowed down; -1: it was not. */
static int cap_before(struct mext_store *s, uint32_t domid)
{
    char text[12];

    if (mext_store_read(s, domid, NODE, text, sizeof(text)) <= 0)
        return -1;
    return (int)(strtoul(text, NULL, 10) & 0xffff);
}

static int note_cap(struct mext_throttle *t, unsigned *cap_r,
                    struct mext_why *why)
{
    int before = cap_before(t->store, t->domid);
    char text[12];

    if (before >= 0) {
        *cap_r = (unsigned)before;
        return 0;
    }
    if (mext_lxl_cap(t->lxl, t->domid, cap_r, why))
        return -1;
    snprintf(text, sizeof(text), "%u", *cap_r);
    return mext_store_write(t->store, t->domid, NODE, text, why);
}

int mext_throttle_more(struct mext_throttle *t, unsigned *percent_r,
                       struct mext_why *why)
{
    unsigned cap, all = 100 * t->vcpus;

    if (t->step == STEPS)
        return 0;
    if (note_cap(t, &cap, why))
        return -1;
    if (!cap || cap > all)
        cap = all;
    cap = cap * percents[t->step] / 100;
    if (mext_lxl_set_cap(t->lxl, t->domid, cap ? cap : 1, why))
        return -1;
    *percent_r = percents[t->step++];
    return 1;
}

void mext_throttle_end(struct mext_lxl *l, struct mext_store *s, uint32_t domid)
{
    int cap = cap_before(s, domid);
    struct mext_why quiet;

    if (cap >= 0 && !mext_lxl_set_cap(l, domid, (unsigned)cap, &quiet))
        mext_store_remove(s, domid, NODE);
}
