/* SPDX-License-Identifier: GPL-2.0-only */
/* What became of a migration to here: docs/specs/commit.md. */
#include <stdio.h>
#include <string.h>

#include "packetd.h"

int packetd_journal_dir(const struct packetd *p, char out[4096],
                        struct mext_why *why)
{
    if (snprintf(out, 4096, "%s/migrations", p->state_dir) >= 4096)
        return mext_fail(why, "the name of the state folder is too long");
    return 0;
}

struct mext_fate packetd_fate_of(const struct mext_entry *e)
{
    struct mext_fate f = { .fate = MEXT_FATE_UNKNOWN };

    switch (e->noted) {
    case MEXT_NOTED_INCOMING:
    case MEXT_NOTED_COMMITTED:
        f.fate = MEXT_FATE_PENDING;
        break;
    case MEXT_NOTED_RUNNING:
        f.fate = MEXT_FATE_RUNNING;
        f.domid = e->domid <= MEXT_DOMID_MAX ? e->domid : 0;
        break;
    case MEXT_NOTED_ABORTED:
        f.fate = MEXT_FATE_ABORTED;
        break;
    case MEXT_NOTED_LOST:
        f.fate = MEXT_FATE_LOST;
        break;
    default: /* a source's */
        break;
    }
    return f;
}

int packetd_fate(const struct packetd *p, const struct mext_query *q,
                 struct mext_fate *f_r, struct mext_why *why)
{
    struct mext_entry e;
    char dir[4096];
    int r;

    *f_r = (struct mext_fate){ .fate = MEXT_FATE_UNKNOWN };
    if (packetd_journal_dir(p, dir, why))
        return -1;
    r = mext_journal_read(dir, q->id, MEXT_SIDE_DEST, &e, why);
    if (r)
        return r < 0 ? -1 : 0;
    /* A migration is told of to its own source. */
    if (memcmp(e.theirs, q->source, MEXT_KEY_LEN))
        return 0;
    *f_r = packetd_fate_of(&e);
    if (f_r->fate == MEXT_FATE_PENDING)
        packetd_pursue(p, &e);
    return 0;
}
