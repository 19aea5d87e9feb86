/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mext_keyfile.h"
#include "mext_net.h"

#ifndef MEXT_SYSCONFDIR
#define MEXT_SYSCONFDIR "/etc"
#endif

#define HOST "host.key"
#define NEXT "next.key"
#define OLD  "old.key"

#define FILE_MAX 256 /* bytes; a secret key is 45, be lenient */

#define FINGERPRINT_OCTETS 16

#define B64 sodium_base64_VARIANT_ORIGINAL

_Static_assert(sodium_base64_ENCODED_LEN(MEXT_KEY_LEN, B64) ==
                   MEXT_KEY_TEXT_LEN,
               "");
_Static_assert(FINGERPRINT_OCTETS / 2 * 5 == MEXT_FINGERPRINT_LEN, "");

const char *mext_keys_dir(void)
{
    const char *dir = secure_getenv("MEXT_KEYS_DIR");

    return dir && *dir ? dir : MEXT_SYSCONFDIR "/xen/packetd";
}

/* ---- keys as text ---- */

void mext_key_text(const uint8_t key[MEXT_KEY_LEN], char out[MEXT_KEY_TEXT_LEN])
{
    sodium_bin2base64(out, MEXT_KEY_TEXT_LEN, key, MEXT_KEY_LEN, B64);
}

/* Encoded again and compared: libsodium 1.0.18 takes some octets above 127. */
int mext_key_parse(const char *text, uint8_t key_r[MEXT_KEY_LEN])
{
    static const char white[] = " \t\r\n";
    char again[MEXT_KEY_TEXT_LEN];
    uint8_t key[MEXT_KEY_LEN] = { 0 };
    size_t n, len = 0;
    int rc = MEXT_ERR_FORMAT;

    text += strspn(text, white);
    n = strcspn(text, white);
    if (n != MEXT_KEY_TEXT_LEN - 1 || text[n + strspn(text + n, white)])
        return rc;
    if (!sodium_base642bin(key, sizeof(key), text, n, NULL, &len, NULL, B64) &&
        len == sizeof(key)) {
        mext_key_text(key, again);
        if (!sodium_memcmp(again, text, n)) {
            memcpy(key_r, key, sizeof(key));
            rc = 0;
        }
        sodium_memzero(again, sizeof(again));
    }
    sodium_memzero(key, sizeof(key));
    return rc;
}

void mext_fingerprint(const uint8_t pk[MEXT_KEY_LEN],
                      char out[MEXT_FINGERPRINT_LEN])
{
    uint8_t digest[MEXT_DIGEST_LEN];

    mext_digest(pk, MEXT_KEY_LEN, digest);
    for (unsigned i = 0; i < FINGERPRINT_OCTETS; i += 2)
        out += sprintf(out, "%s%02x%02x", i ? "-" : "", digest[i],
                       digest[i + 1]);
}

/* ---- own identity ---- */

static int load(const struct mext_folder *f, const char *name,
                struct mext_identity *id_r, struct mext_why *why)
{
    char text[FILE_MAX + 1];
    uint8_t seed[MEXT_KEY_LEN];
    int rc = mext_keyfile_read(f, name, true, text, sizeof(text), why);

    if (!rc && mext_key_parse(text, seed))
        rc = mext_fail(why,
                       "%s/%s does not hold one key in base64: put it back "
                       "from a copy, or move it away",
                       f->path, name);
    if (!rc)
        crypto_sign_ed25519_seed_keypair(id_r->pk, id_r->sk, seed);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return rc;
}

static int load_host(const struct mext_folder *f, struct mext_identity *id_r,
                     struct mext_why *why)
{
    if (mext_keyfile_there(f, HOST))
        return load(f, HOST, id_r, why);
    if (mext_keyfile_there(f, NEXT))
        return mext_fail(why,
                         "%s holds no " HOST " but a " NEXT ": packetd rotate "
                         "makes it the " HOST,
                         f->path);
    return mext_fail(why, "%s holds no " HOST ": run packetd genkey", f->path);
}

int mext_identity_load(const char *dir, struct mext_identity *id_r,
                       struct mext_why *why)
{
    struct mext_folder f;
    int rc;

    if (mext_folder_open(NULL, dir, &f, why))
        return -1;
    rc = load_host(&f, id_r, why);
    mext_folder_close(&f);
    return rc;
}

/* Another one, if it is there and not one that we have. */
static int load_more(const struct mext_folder *f, const char *name,
                     struct mext_identities *ids, struct mext_why *why)
{
    struct mext_identity *id = &ids->id[ids->n];

    if (!mext_keyfile_there(f, name))
        return 0;
    if (load(f, name, id, why))
        return -1;
    if (mext_identities_find(ids, id->pk))
        sodium_memzero(id, sizeof(*id));
    else
        ids->n++;
    return 0;
}

/*
 * next.key is read before host.key, and old.key last: so a rotation meanwhile
 * takes none of them out of our sight, though one may be seen twice.
 */
static int load_all(const struct mext_folder *f, struct mext_identities *ids,
                    struct mext_why *why)
{
    struct mext_identities next = { .n = 0 };
    int rc = load_more(f, NEXT, &next, why);

    ids->n = 0;
    if (!rc)
        rc = load_host(f, &ids->id[0], why);
    if (!rc) {
        ids->n = 1;
        if (next.n && !mext_identities_find(ids, next.id[0].pk))
            ids->id[ids->n++] = next.id[0];
        ids->ntold = ids->n;
        rc = load_more(f, OLD, ids, why);
    }
    sodium_memzero(&next, sizeof(next));
    return rc;
}

int mext_identities_load(const char *dir, struct mext_identities *ids_r,
                         struct mext_why *why)
{
    struct mext_identities ids;
    struct mext_folder f;
    int rc;

    if (mext_folder_open(NULL, dir, &f, why))
        return -1;
    rc = load_all(&f, &ids, why);
    if (!rc)
        *ids_r = ids;
    sodium_memzero(&ids, sizeof(ids));
    mext_folder_close(&f);
    return rc;
}

const struct mext_identity *mext_identities_find(
    const struct mext_identities *ids, const uint8_t pk[MEXT_KEY_LEN])
{
    for (unsigned i = 0; i < ids->n; i++)
        if (!memcmp(ids->id[i].pk, pk, MEXT_KEY_LEN))
            return &ids->id[i];
    return NULL;
}

/* ---- making and changing it ---- */

static int write_seed(const struct mext_folder *f, const char *name,
                      struct mext_why *why)
{
    char text[MEXT_KEY_TEXT_LEN + 1];
    uint8_t seed[MEXT_KEY_LEN];
    int rc;

    randombytes_buf(seed, sizeof(seed));
    mext_key_text(seed, text);
    strcat(text, "\n");
    rc = mext_keyfile_write(f, name, 0600, text, false, why);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(text, sizeof(text));
    return rc;
}

/* Whether a key of that name would not be in the way of, or miss, another. */
static int may_create(const struct mext_folder *f, bool next,
                      struct mext_why *why)
{
    bool host_there = mext_keyfile_there(f, HOST);
    bool next_there = mext_keyfile_there(f, NEXT);

    if (next ? next_there : host_there)
        return mext_fail(why,
                         "%s/%s exists and is not overwritten: 'packetd "
                         "pubkey%s' prints its public key; packetd(8) says "
                         "how to replace a host's key",
                         f->path, next ? NEXT : HOST, next ? " --next" : "");
    if (next && !host_there)
        return mext_fail(why, "%s holds no " HOST ": packetd genkey first",
                         f->path);
    if (next_there)
        return mext_fail(why,
                         "%s holds a " NEXT ": packetd rotate makes it the "
                         "" HOST,
                         f->path);
    return 0;
}

int mext_identity_create(const char *dir, bool next, struct mext_why *why)
{
    struct mext_folder f;
    int rc;

    if (sodium_init() < 0)
        return mext_fail(why, "libsodium finds no source of randomness");
    if (next ? mext_folder_open(NULL, dir, &f, why)
             : mext_folder_make(NULL, dir, &f, why))
        return -1;
    rc = mext_folder_lock(&f, why) || may_create(&f, next, why) ||
                 write_seed(&f, next ? NEXT : HOST, why)
             ? -1
             : 0;
    mext_folder_close(&f);
    return rc;
}

/* 1 if host.key and old.key are one, as a rotation that was cut off leaves. */
static int cut_off(const struct mext_folder *f, struct mext_why *why)
{
    struct mext_identity host, old;
    int rc = -1;

    if (!load_host(f, &host, why) && !load(f, OLD, &old, why)) {
        rc = !memcmp(host.pk, old.pk, MEXT_KEY_LEN);
        sodium_memzero(&old, sizeof(old));
    }
    sodium_memzero(&host, sizeof(host));
    return rc;
}

/* host.key gets the second name old.key, so that it never has none. */
static int keep_host(const struct mext_folder *f, struct mext_why *why)
{
    struct mext_identity host;
    int rc;

    if (!mext_keyfile_there(f, HOST))
        return 0;
    if (!mext_keyfile_there(f, OLD)) {
        rc = load(f, HOST, &host, why);
        sodium_memzero(&host, sizeof(host));
        return rc ? -1 : mext_keyfile_link(f, HOST, OLD, why);
    }
    rc = cut_off(f, why);
    if (!rc)
        mext_fail(why,
                  "%s holds the " OLD " of the last rotation: packetd rotate "
                  "--finish first",
                  f->path);
    return rc == 1 ? 0 : -1;
}

static int rotate(const struct mext_folder *f, struct mext_why *why)
{
    struct mext_identity next;
    int rc;

    if (!mext_keyfile_there(f, NEXT))
        return mext_fail(why, "%s holds no " NEXT ": packetd genkey --next",
                         f->path);
    rc = load(f, NEXT, &next, why);
    sodium_memzero(&next, sizeof(next));
    if (rc || keep_host(f, why))
        return -1;
    return mext_keyfile_rename(f, NEXT, HOST, why);
}

static int finish(const struct mext_folder *f, struct mext_why *why)
{
    struct mext_identity host;
    int rc;

    if (!mext_keyfile_there(f, OLD))
        return mext_fail(why, "%s holds no " OLD ": no rotation to finish",
                         f->path);
    rc = load_host(f, &host, why);
    sodium_memzero(&host, sizeof(host));
    if (!rc && mext_keyfile_there(f, NEXT))
        rc = cut_off(f, why);
    if (rc == 1)
        mext_fail(why,
                  "the rotation in %s was cut off: packetd rotate completes it",
                  f->path);
    return rc ? -1 : mext_keyfile_remove(f, OLD, why);
}

static int locked(const char *dir,
                  int (*change)(const struct mext_folder *, struct mext_why *),
                  struct mext_why *why)
{
    struct mext_folder f;
    int rc;

    if (mext_folder_open(NULL, dir, &f, why))
        return -1;
    rc = mext_folder_lock(&f, why);
    if (!rc)
        rc = change(&f, why);
    mext_folder_close(&f);
    return rc;
}

int mext_identity_rotate(const char *dir, struct mext_why *why)
{
    return locked(dir, rotate, why);
}

int mext_identity_finish(const char *dir, struct mext_why *why)
{
    return locked(dir, finish, why);
}
