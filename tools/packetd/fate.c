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

uint8_t packetd_fate(const struct packetd *p, const struct mext_query *q,
                     uint32_t *domid_r)
{
    struct mext_entry e;
    struct mext_fate f;
    struct mext_why why;
    char dir[4096];

    *domid_r = 0;
    if (packetd_journal_dir(p, dir, &why) ||
        mext_journal_read(dir, q->id, MEXT_SIDE_DEST, &e, &why))
        return MEXT_FATE_UNKNOWN;
    /* A migration is told of to its own source. */
    if (memcmp(e.theirs, q->source, MEXT_KEY_LEN))
        return MEXT_FATE_UNKNOWN;
    f = packetd_fate_of(&e);
    if (f.fate == MEXT_FATE_PENDING)
        packetd_pursue(p, &e);
    *domid_r = f.domid;
    return f.fate;
}
