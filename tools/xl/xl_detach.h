/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `xl migrate --cooperative --detach`: the migration goes on in the background
 * once it has begun; until then it is as in the foreground.
 */
#ifndef XL_DETACH_H
#define XL_DETACH_H

#include <stdbool.h>

#include "mext_keys.h"

/*
 * Divides the process.  -1: in the one that migrates, which calls xl_detach_now
 * as soon as it is begun, and does not when it fails before.  Otherwise in the
 * one of the terminal, after that: its exit status.
 */
int xl_detach(const char *domain, const char *host, bool json);

/* From here on what is said goes into the log, and the terminal may close. */
void xl_detach_now(const uint8_t id[MEXT_ID_LEN]);

#endif
