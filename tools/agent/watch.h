/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for xenstore beside other things. */
#ifndef AGENT_WATCH_H
#define AGENT_WATCH_H

#include <stdbool.h>

/*
 * Watches path and all below it, until the process ends.  Returns a descriptor
 * to poll for POLLIN, or -1 and errno.  The caller looks once after this: what
 * changed before is not told.
 */
int watch_open(const char *path);

/* Takes what made fd ready: true if something may have changed. */
bool watch_fired(int fd);

#endif
