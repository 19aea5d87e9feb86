/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Xenstore, the one file that knows libxenstore.  Values written by a guest
 * are hostile: reads are bounded and NUL-free.
 */
#ifndef MEXT_STORE_H
#define MEXT_STORE_H

#include "mext_keys.h"

struct mext_store;

int mext_store_open(struct mext_store **s_r, struct mext_why *why);
void mext_store_close(struct mext_store *s);

/*
 * Reads /local/domain/<domid>/<path> into out[max]; its length, or -1 if it
 * is not there, too long for max or holds a NUL (why is not touched: absence
 * is an answer).
 */
int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max);
int mext_store_write(struct mext_store *s, uint32_t domid, const char *path,
                     const char *value, struct mext_why *why);
void mext_store_remove(struct mext_store *s, uint32_t domid, const char *path);

/*
 * Writes `to` if `from` is there, in one transaction: 1; 0 if something else is, or
 * nothing; -1 and why.
 */
int mext_store_replace(struct mext_store *s, uint32_t domid, const char *path,
                       const char *from, const char *to, struct mext_why *why);

/* True if there is such a node, whatever it holds. */
bool mext_store_has(struct mext_store *s, uint32_t domid, const char *path);
/* The same, 1 or 0; -1 and why: xenstore does not say. */
int mext_store_there(struct mext_store *s, uint32_t domid, const char *path,
                     struct mext_why *why);

/*
 * Writes for a domain that may be gone by now: then nothing is written, so
 * that nothing of it is left; -1 and why.
 */
int mext_store_tell(struct mext_store *s, uint32_t domid, const char *path,
                    const char *value, struct mext_why *why);

/* Domains xenstore knows but 0, at most max; how many, or -1 if it does not say. */
int mext_store_domains(struct mext_store *s, uint32_t *out, unsigned max);

/* The nodes right below a path that are called by a number, likewise. */
unsigned mext_store_numbers(struct mext_store *s, uint32_t domid,
                            const char *path, uint32_t *out, unsigned max);

/* True if nothing is below /local/domain/<domid>/<path>. */
bool mext_store_empty(struct mext_store *s, uint32_t domid, const char *path);

/*
 * Waits until xenstore says that something below a watched path changed, an
 * `also` descriptor (-1: none) is readable, or timeout_ms has passed: 1, 2 or
 * 0; -1 and why on failure or cancel.
 */
int mext_store_watch(struct mext_store *s, const char *path,
                     struct mext_why *why);
int mext_store_wait(struct mext_store *s, int also, unsigned timeout_ms,
                    struct mext_why *why);

/*
 * The same for many watches: fired, if not NULL, is called with the token of
 * each that fired.  A token stands for one path.
 */
typedef void mext_fired_fn(void *arg, const char *token);
int mext_store_watch_as(struct mext_store *s, const char *path,
                        const char *token, struct mext_why *why);
void mext_store_unwatch(struct mext_store *s, const char *path,
                        const char *token);
int mext_store_wait_each(struct mext_store *s, int also, unsigned timeout_ms,
                         mext_fired_fn *fired, void *arg, struct mext_why *why);

#endif
