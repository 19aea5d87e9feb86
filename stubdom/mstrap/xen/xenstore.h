/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xenstore client. Waits for each reply; all lengths of replies are bounded
 * by the caller's buffer. Paths may be relative to the domain's own folder.
 */
#ifndef MS_XENSTORE_H
#define MS_XENSTORE_H

#include "../mstrap.h"

void ms_xs_init(void);

/**
 * Reads a node into out[size], NUL-terminated. Returns its length, or -1 if
 * there is no such node, its value does not fit or contains a NUL.
 */
int ms_xs_read(const char *path, char *out, size_t size);

/** The names below a node, each with its NUL. Length of all, or -1. */
int ms_xs_list(const char *path, char *out, size_t size);

/** Writes a node; false if xenstore refuses. */
bool ms_xs_write(const char *path, const char *value);
bool ms_xs_write_number(const char *path, uint64_t value);

/** Asks for an event when the node changes (and one at once). */
bool ms_xs_watch(const char *path);

/** Forgets all watches and transactions of this domain. */
bool ms_xs_reset_watches(void);

/** True once after any watch has fired. Never waits. */
bool ms_xs_changed(void);

/** Waits until a watch fires, at most timeout_ms. */
void ms_xs_wait(unsigned timeout_ms);

/** The event channel, for those who wait for more than xenstore. */
uint32_t ms_xs_port(void);

#endif
