/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Host identity and trust on disk.
 *
 * <dir>/host.key   base64 of the 32-byte Ed25519 seed and a newline, mode 0600
 * <dir>/trust.d/NAME.pub   base64 of a public key and a newline; NAME is
 *                  [A-Za-z0-9._-]{1,64}, not beginning with a dot
 *
 * A name that is a destination's host name or address pins that host's key; a
 * key in trust.d may also send to this host.  <dir> is normally
 * /etc/xen/packetd (MEXT_KEYS_DIR in the environment overrides it).
 */
#ifndef MEXT_KEYS_H
#define MEXT_KEYS_H

#include "mext_token.h"

#define MEXT_KEY_TEXT_LEN 45 /* base64 of 32 bytes, with NUL */

/* The keys folder in use; never NULL. */
const char *mext_keys_dir(void);

/* 32 bytes <-> base64; parse takes surrounding white space; MEXT_ERR_FORMAT. */
void mext_key_text(const uint8_t key[MEXT_KEY_LEN],
                   char out[MEXT_KEY_TEXT_LEN]);
int mext_key_parse(const char *text, uint8_t key_r[MEXT_KEY_LEN]);

/*
 * Why a call below failed, for the operator: one sentence without newline,
 * with what to do next.  Filled on failure only.
 */
struct mext_why {
    char text[MEXT_TEXT_MAX + 1];
};

/* Reads <dir>/host.key; refuses a file others may read.  -1 and why. */
int mext_identity_load(const char *dir, struct mext_identity *id_r,
                       struct mext_why *why);

/* Creates dir, host.key (O_EXCL, 0600, fsync) if missing; -1 and why. */
int mext_identity_create(const char *dir, struct mext_why *why);

/* Key pinned under a name; -1 and why (unknown, unreadable, malformed). */
int mext_trust_find(const char *dir, const char *name,
                    uint8_t pk_r[MEXT_KEY_LEN], struct mext_why *why);

/* Name under which pk is trusted, "" in name_r[65] if it is not: bool. */
bool mext_trust_has(const char *dir, const uint8_t pk[MEXT_KEY_LEN],
                    char name_r[65]);

/* Adds (refuses to replace a different key), removes; -1 and why. */
int mext_trust_add(const char *dir, const char *name,
                   const uint8_t pk[MEXT_KEY_LEN], struct mext_why *why);
int mext_trust_remove(const char *dir, const char *name, struct mext_why *why);

/* Calls fn for each trusted key in name order; returns how many. */
typedef void mext_trust_fn(void *arg, const char *name,
                           const uint8_t pk[MEXT_KEY_LEN]);
int mext_trust_each(const char *dir, mext_trust_fn *fn, void *arg);

#endif
