/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "fix_journal.h"

const struct fix_journal fix_journals[] = {
    { "out",
      MEXT_SIDE_SOURCE,
      { MEXT_NOTED_BEGUN, MEXT_NOTED_COMMITTING, MEXT_NOTED_DONE } },
    { "out-stranded",
      MEXT_SIDE_SOURCE,
      { MEXT_NOTED_BEGUN, MEXT_NOTED_STRANDED, MEXT_NOTED_KEPT } },
    { "in",
      MEXT_SIDE_DEST,
      { MEXT_NOTED_INCOMING, MEXT_NOTED_COMMITTED, MEXT_NOTED_RUNNING } },
    { "in-lost",
      MEXT_SIDE_DEST,
      { MEXT_NOTED_INCOMING, MEXT_NOTED_COMMITTED, MEXT_NOTED_LOST } },
    { "in-aborted",
      MEXT_SIDE_DEST,
      { MEXT_NOTED_INCOMING, MEXT_NOTED_ABORTED } },
};
const size_t fix_njournals = COUNT(fix_journals);

void fix_entry(const struct fix_journal *j, unsigned i, struct mext_entry *e_r)
{
    bool source = j->side == MEXT_SIDE_SOURCE;
    struct mext_token t;

    fix_token(&t);
    memset(e_r, 0, sizeof(*e_r));
    memcpy(e_r->id, t.id, sizeof(e_r->id));
    e_r->side = j->side;
    e_r->noted = j->noted[i];
    e_r->begun = FIX_NOW;
    e_r->changed = FIX_NOW + i;
    memset(e_r->boot, 0xb0, sizeof(e_r->boot));
    if (source || i) {
        memset(e_r->uuid, source ? 0x51 : 0xd1, sizeof(e_r->uuid));
        e_r->domid = source ? 5 : MEXT_DOMID_MAX;
    }
    memcpy(e_r->ours, source ? t.source : t.audience, MEXT_KEY_LEN);
    memcpy(e_r->theirs, source ? t.audience : t.source, MEXT_KEY_LEN);
    strcpy(e_r->host, source ? "dest.example:7010" : "192.0.2.1:43210");
    strcpy(e_r->name, "guest");
    if (mext_noted_final(e_r->noted))
        snprintf(e_r->text, sizeof(e_r->text), "it is %s",
                 mext_noted_name(e_r->noted));
}

size_t fix_record_head(const uint8_t record[MEXT_JOURNAL_LEN])
{
    size_t n = MEXT_JOURNAL_LEN - MEXT_DIGEST_LEN;

    while (n && !record[n - 1])
        n--;
    return n;
}
