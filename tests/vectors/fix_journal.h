/* SPDX-License-Identifier: GPL-2.0-only */
/* Fixed journals of migrations. */
#ifndef FIX_JOURNAL_H
#define FIX_JOURNAL_H

#include "fixture.h"
#include "mext_journal.h"

/* What a side notes of a migration that goes well, in this order. */
struct fix_journal {
    const char *name;
    enum mext_side side;
    enum mext_noted noted[4]; /* 0 ends it */
};

extern const struct fix_journal fix_journals[];
extern const size_t fix_njournals;

/* Entry i of one, of the migration of fix_token. */
void fix_entry(const struct fix_journal *j, unsigned i, struct mext_entry *e_r);

/* Octets of a record that are not all zero; its checksum is not among them. */
size_t fix_record_head(const uint8_t record[MEXT_JOURNAL_LEN]);

#endif
