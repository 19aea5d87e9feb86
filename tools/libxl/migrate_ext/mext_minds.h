/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who minds a guest after a migration (docs/specs/commit.md, "After a crash"): the files
 * that packetd's processes for that hold, named after the migration.  They are of this
 * boot, as the guests are.
 */
#ifndef MEXT_MINDS_H
#define MEXT_MINDS_H

#include "mext_keys.h"

#define MEXT_MINDS_DIR  MEXT_RUNDIR "/packetd-minds"
#define MEXT_MINDS_PATH (sizeof(MEXT_MINDS_DIR) + 1 + 2 * MEXT_ID_LEN)

#define MEXT_MINDS_OVER \
    "over\n" /* what is in one when the guest needs nobody any more */

void mext_minds_path(const uint8_t id[MEXT_ID_LEN], char out[MEXT_MINDS_PATH]);

/* The guest of that migration is minded, or is to be, and runs. */
bool mext_minds_wanted(const uint8_t id[MEXT_ID_LEN]);

/*
 * At the source: the guest had suspended and runs on, which the daemon of `xl create`
 * takes for its end.  packetd of this host is to mind it.
 */
void mext_minds_ask(const uint8_t id[MEXT_ID_LEN]);

#endif
