/* SPDX-License-Identifier: LGPL-2.1-only */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mext_keyfile.h"
#include "mext_net.h"

#define SUFFIX       ".pub"
#define NAME_MAX_LEN 64
#define FILE_MAX     1024 /* bytes; four keys are 180, be lenient */
#define FILE_NAME    (NAME_MAX_LEN + sizeof(SUFFIX))

/* ---- names ---- */

static bool name_ok(const char *name, size_t n)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";

    return n && n <= NAME_MAX_LEN && name[0] != '.' &&
           strspn(name, allowed) >= n;
}

/* NAME -> NAME.pub */
static int file_name(const char *name, char file[FILE_NAME],
                     struct mext_why *why)
{
    if (!name_ok(name, strlen(name)))
        return mext_fail(why,
                         "a key's name is 1 to %d of A-Z a-z 0-9 . _ - and "
                         "does not begin with a dot: give another by --peer "
                         "(packetd trust fetch: --name)",
                         NAME_MAX_LEN);
    strcpy(stpcpy(file, name), SUFFIX);
    return 0;
}

/* ---- files ---- */

bool mext_trusted_has(const struct mext_trusted *t,
                      const uint8_t pk[MEXT_KEY_LEN])
{
    for (unsigned i = 0; i < t->n; i++)
        if (!memcmp(t->key[i], pk, MEXT_KEY_LEN))
            return true;
    return false;
}

/* A key a line, empty lines apart; changes text. */
static int parse(char *text, struct mext_trusted *t)
{
    char *line;

    t->n = 0;
    while ((line = strsep(&text, "\n"))) {
        if (!line[strspn(line, " \t\r")])
            continue;
        if (t->n == MEXT_TRUSTED_MAX || mext_key_parse(line, t->key[t->n]))
            return -1;
        t->n++;
    }
    return t->n ? 0 : -1;
}

static int read_keys(const struct mext_folder *f, const char *file,
                     struct mext_trusted *t_r, struct mext_why *why)
{
    char text[FILE_MAX + 1];
    struct mext_trusted t;

    if (mext_keyfile_read(f, file, false, text, sizeof(text), why))
        return -1;
    if (parse(text, &t))
        return mext_fail(why,
                         "%s/%s does not hold 1 to %d keys in base64, one a "
                         "line: mend or remove it",
                         f->path, file, MEXT_TRUSTED_MAX);
    *t_r = t;
    return 0;
}

static int write_keys(const struct mext_folder *f, const char *file,
                      const struct mext_trusted *t, bool replace,
                      struct mext_why *why)
{
    char text[MEXT_TRUSTED_MAX * MEXT_KEY_TEXT_LEN + 1], *p = text;

    for (unsigned i = 0; i < t->n; i++) {
        mext_key_text(t->key[i], p);
        p = stpcpy(p + MEXT_KEY_TEXT_LEN - 1, "\n");
    }
    return mext_keyfile_write(f, file, 0644, text, replace, why);
}

/* ---- looking up ---- */

int mext_trust_read(const char *dir, const char *name, struct mext_trusted *t_r,
                    struct mext_why *why)
{
    char file[FILE_NAME];
    struct mext_folder f;
    int rc = 0;

    if (file_name(name, file, why) || mext_folder_trust(dir, false, &f, why))
        return -1;
    if (mext_keyfile_there(&f, file))
        rc = read_keys(&f, file, t_r, why);
    else
        t_r->n = 0;
    mext_folder_close(&f);
    return rc;
}

int mext_trust_find(const char *dir, const char *name, struct mext_trusted *t_r,
                    struct mext_why *why)
{
    struct mext_trusted t;

    if (mext_trust_read(dir, name, &t, why))
        return -1;
    if (!t.n)
        return mext_fail(why,
                         "no key of %s in %s/trust.d: packetd trust "
                         "fetch %s asks for it, or packetd trust add %s KEY "
                         "with what 'packetd pubkey' prints there",
                         name, dir, name, name);
    *t_r = t;
    return 0;
}

struct has {
    const uint8_t *pk;
    char *name; /* [65] */
};

static void has_one(void *arg, const char *name, const uint8_t pk[MEXT_KEY_LEN])
{
    struct has *h = arg;

    if (!*h->name && !memcmp(pk, h->pk, MEXT_KEY_LEN))
        strcpy(h->name, name);
}

bool mext_trust_has(const char *dir, const uint8_t pk[MEXT_KEY_LEN],
                    char name_r[65])
{
    struct has h = { pk, name_r };

    *name_r = 0;
    mext_trust_each(dir, has_one, &h);
    return *name_r;
}

/* ---- changing ---- */

/* *t, what the file holds, becomes what it is to hold; 1 if it does. */
static int append(struct mext_trusted *t, const char *name,
                  const uint8_t pk[MEXT_KEY_LEN], bool also,
                  struct mext_why *why)
{
    if (mext_trusted_has(t, pk))
        return 1;
    if (t->n && !also)
        return mext_fail(why,
                         "%s has another key already: if the host was set up "
                         "anew, packetd trust remove %s first; --also adds a "
                         "second one",
                         name, name);
    if (!t->n && also)
        return mext_fail(why, "%s has no key yet: do without --also", name);
    if (t->n == MEXT_TRUSTED_MAX)
        return mext_fail(why,
                         "%s has %d keys already: packetd trust remove %s KEY "
                         "first, for one no longer used",
                         name, MEXT_TRUSTED_MAX, name);
    memcpy(t->key[t->n++], pk, MEXT_KEY_LEN);
    return 0;
}

int mext_trust_add(const char *dir, const char *name,
                   const uint8_t pk[MEXT_KEY_LEN], bool also,
                   struct mext_why *why)
{
    struct mext_trusted t = { .n = 0 };
    char file[FILE_NAME];
    struct mext_folder f;
    int rc = 0;

    if (file_name(name, file, why))
        return -1;
    /* Catches most slips, such as a pasted secret or X25519 key. */
    if (!crypto_core_ed25519_is_valid_point(pk))
        return mext_fail(why, "this is not an Ed25519 public key: take what "
                              "'packetd pubkey' prints on the other host");
    if (mext_folder_trust(dir, true, &f, why))
        return -1;
    if (mext_keyfile_there(&f, file))
        rc = read_keys(&f, file, &t, why);
    if (!rc)
        rc = append(&t, name, pk, also, why);
    if (!rc)
        rc = write_keys(&f, file, &t, also, why);
    mext_folder_close(&f);
    return rc < 0 ? -1 : 0;
}

static int remove_key(const struct mext_folder *f, const char *name,
                      const char *file, const uint8_t *pk, struct mext_why *why)
{
    struct mext_trusted t, rest = { .n = 0 };

    if (read_keys(f, file, &t, why))
        return -1;
    if (!mext_trusted_has(&t, pk))
        return mext_fail(why, "this is not a key of %s: packetd trust list",
                         name);
    for (unsigned i = 0; i < t.n; i++)
        if (memcmp(t.key[i], pk, MEXT_KEY_LEN))
            memcpy(rest.key[rest.n++], t.key[i], MEXT_KEY_LEN);
    return rest.n ? write_keys(f, file, &rest, true, why)
                  : mext_keyfile_remove(f, file, why);
}

int mext_trust_remove(const char *dir, const char *name, const uint8_t *pk,
                      struct mext_why *why)
{
    char file[FILE_NAME];
    struct mext_folder f;
    int rc;

    if (file_name(name, file, why) || mext_folder_trust(dir, false, &f, why))
        return -1;
    rc = mext_folder_lock(&f, why);
    if (!rc && !mext_keyfile_there(&f, file))
        rc = mext_fail(why, "no key of %s in %s", name, f.path);
    if (!rc)
        rc = pk ? remove_key(&f, name, file, pk, why)
                : mext_keyfile_remove(&f, file, why);
    mext_folder_close(&f);
    return rc;
}

/* ---- all of them ---- */

/* NAME.pub with a valid NAME; anything else in the folder is not a key. */
static int is_key_file(const struct dirent *e)
{
    size_t n = strlen(e->d_name), s = strlen(SUFFIX);

    return n > s && !strcmp(e->d_name + n - s, SUFFIX) &&
           name_ok(e->d_name, n - s);
}

/* By NAME alone: "a" before "a-b", though "a-b.pub" sorts before "a.pub". */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    size_t n = strlen((*a)->d_name) - strlen(SUFFIX);
    size_t m = strlen((*b)->d_name) - strlen(SUFFIX);
    int r = memcmp((*a)->d_name, (*b)->d_name, n < m ? n : m);

    return r ? r : (n > m) - (n < m);
}

/* The keys of one file; how many. */
static int walk_file(const struct mext_folder *f, char *file, mext_trust_fn *fn,
                     void *arg, struct mext_why *why)
{
    struct mext_trusted t;

    if (read_keys(f, file, &t, why))
        return 0;
    file[strlen(file) - strlen(SUFFIX)] = 0;
    for (unsigned i = 0; i < t.n; i++)
        fn(arg, file, t.key[i]);
    return (int)t.n;
}

/* how many; why: the first thing that was passed over, or "". */
static int walk(const char *dir, mext_trust_fn *fn, void *arg,
                struct mext_why *why)
{
    struct dirent **list = NULL;
    struct mext_folder f;
    struct mext_why more;
    int count = 0, n;

    *why->text = 0;
    if (mext_folder_trust(dir, false, &f, why) || f.fd < 0)
        return 0;
    n = scandirat(f.fd, ".", &list, is_key_file, by_name);
    for (int i = 0; i < n; i++) {
        count += walk_file(&f, list[i]->d_name, fn, arg,
                           *why->text ? &more : why);
        free(list[i]);
    }
    free(list);
    mext_folder_close(&f);
    return count;
}

int mext_trust_each(const char *dir, mext_trust_fn *fn, void *arg)
{
    struct mext_why why;

    return walk(dir, fn, arg, &why);
}

static void ignore(void *arg, const char *name, const uint8_t pk[MEXT_KEY_LEN])
{
}

int mext_trust_check(const char *dir, struct mext_why *why)
{
    struct mext_why first;

    walk(dir, ignore, NULL, &first);
    return *first.text ? mext_fail(why, "%s", first.text) : 0;
}
