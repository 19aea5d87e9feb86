/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Host identity and trust on disk.
 *
 * <dir>/host.key   base64 of the 32-byte Ed25519 seed and a newline, mode 0600
 * <dir>/next.key   the same: the key that will be the host's
 * <dir>/old.key    the same: the key that was the host's
 * <dir>/trust.d/NAME.pub   one to four public keys in base64, one a line; NAME
 *                  is [A-Za-z0-9._-]{1,64}, not beginning with a dot
 *
 * A name that is a destination's host name or address pins that host's keys; a
 * key in trust.d may also send what packetd.conf accepts from NAME.  <dir> is
 * normally /etc/xen/packetd (MEXT_KEYS_DIR in the environment overrides it).
 * Files and folders that others may change, secret ones that others may read,
 * and symbolic links to files are refused.
 */
#ifndef MEXT_KEYS_H
#define MEXT_KEYS_H

#include "mext_token.h"

#define MEXT_KEY_TEXT_LEN    45 /* base64 of 32 bytes, with NUL */
#define MEXT_FINGERPRINT_LEN 40 /* text, with NUL */
#define MEXT_IDENTITIES_MAX  3  /* keys a host has while one replaces another */
#define MEXT_TRUSTED_MAX     4  /* keys under one name */

/* The keys folder in use; never NULL. */
const char *mext_keys_dir(void);

/* 32 bytes <-> base64; parse takes surrounding white space; MEXT_ERR_FORMAT. */
void mext_key_text(const uint8_t key[MEXT_KEY_LEN],
                   char out[MEXT_KEY_TEXT_LEN]);
int mext_key_parse(const char *text, uint8_t key_r[MEXT_KEY_LEN]);

/*
 * A public key in short, to compare by eye or telephone: the first 16 octets of
 * its BLAKE2b-256 in hex, in groups of four digits with "-" between.
 */
void mext_fingerprint(const uint8_t pk[MEXT_KEY_LEN],
                      char out[MEXT_FINGERPRINT_LEN]);

/*
 * Why a call below failed, for the operator: one sentence without newline,
 * with what to do next.  Filled on failure only.
 */
struct mext_why {
    char text[MEXT_TEXT_MAX + 1];
};

/* One line for the operator, or the log. */
typedef void mext_say_fn(void *arg, const char *text);
/* What stands for or against a migration; kind: MEXT_FINDING_*. */
typedef void mext_finding_fn(void *arg, unsigned kind, const char *text);

/* ---- own identity; all return 0, or -1 and why ---- */

/* Reads <dir>/host.key, the key to sign with as a source. */
int mext_identity_load(const char *dir, struct mext_identity *id_r,
                       struct mext_why *why);

/* All keys that are this host's, the secrets to be wiped by the caller. */
struct mext_identities {
    /* host.key; next.key and old.key as far as they are there */
    struct mext_identity id[MEXT_IDENTITIES_MAX];
    unsigned n;     /* >= 1 */
    unsigned ntold; /* who asks is told the first so many, 1 or 2 */
};

/*
 * Reads all of them, for a destination, which takes tokens for each.  While
 * keys are being rotated it sees the set before, or after, or both.
 */
int mext_identities_load(const char *dir, struct mext_identities *ids_r,
                         struct mext_why *why);

/* The one with that public key, to sign with; NULL: none of ours. */
const struct mext_identity *mext_identities_find(
    const struct mext_identities *ids, const uint8_t pk[MEXT_KEY_LEN]);

/*
 * Creates dir if missing and host.key, or next.key beside host.key; never
 * overwrites one.
 */
int mext_identity_create(const char *dir, bool next, struct mext_why *why);

/*
 * next.key becomes host.key, which becomes old.key.  One that was cut off is
 * completed by calling it again.
 */
int mext_identity_rotate(const char *dir, struct mext_why *why);
/* Removes old.key. */
int mext_identity_finish(const char *dir, struct mext_why *why);

/* ---- trusted keys; all return 0, or -1 and why, if nothing else is said ---- */

/* The keys under one name, in the order to try them. */
struct mext_trusted {
    uint8_t key[MEXT_TRUSTED_MAX][MEXT_KEY_LEN];
    unsigned n;
};

/* Those of a name; of one that is not there, none (n is 0). */
int mext_trust_read(const char *dir, const char *name, struct mext_trusted *t_r,
                    struct mext_why *why);
/* The same, but a name that is not there is an error. */
int mext_trust_find(const char *dir, const char *name, struct mext_trusted *t_r,
                    struct mext_why *why);
bool mext_trusted_has(const struct mext_trusted *t,
                      const uint8_t pk[MEXT_KEY_LEN]);

/* Name under which pk is trusted, "" in name_r[65] if it is not: bool. */
bool mext_trust_has(const char *dir, const uint8_t pk[MEXT_KEY_LEN],
                    char name_r[65]);

/*
 * Adds a key, which may be there already.  A name that has another one needs
 * `also`, which is refused for a name that has none.
 */
int mext_trust_add(const char *dir, const char *name,
                   const uint8_t pk[MEXT_KEY_LEN], bool also,
                   struct mext_why *why);
/* Removes one key, or with NULL all of the name's. */
int mext_trust_remove(const char *dir, const char *name, const uint8_t *pk,
                      struct mext_why *why);

/*
 * Calls fn for each trusted key in name order; returns how many.  What cannot
 * be read, or is refused, is passed over.
 */
typedef void mext_trust_fn(void *arg, const char *name,
                           const uint8_t pk[MEXT_KEY_LEN]);
int mext_trust_each(const char *dir, mext_trust_fn *fn, void *arg);
/* -1 and why if mext_trust_each passes over anything: the first such thing. */
int mext_trust_check(const char *dir, struct mext_why *why);

#endif
