/* SPDX-License-Identifier: LGPL-2.1-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_keys.h"

#ifndef MEXT_SYSCONFDIR
#define MEXT_SYSCONFDIR "/etc"
#endif

#define HOST_KEY     "host.key"
#define TRUST_DIR    "trust.d"
#define SUFFIX       ".pub"
#define NAME_MAX_LEN 64
#define FILE_MAX     128 /* a key file is 45 octets; be lenient */

#define B64 sodium_base64_VARIANT_ORIGINAL

_Static_assert(sodium_base64_ENCODED_LEN(MEXT_KEY_LEN, B64) ==
                   MEXT_KEY_TEXT_LEN,
               "");

__attribute__((format(printf, 2, 3))) static int fail(struct mext_why *why,
                                                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, ap);
    va_end(ap);
    return -1;
}

const char *mext_keys_dir(void)
{
    const char *dir = secure_getenv("MEXT_KEYS_DIR");

    return dir && *dir ? dir : MEXT_SYSCONFDIR "/xen/packetd";
}

/* ---- base64 ---- */

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

/* ---- small files ---- */

/* Opens a folder; its parents may be symbolic links, as the operator likes. */
static int open_dir(int at, const char *path)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* <dir>/trust.d, or -1 with errno. */
static int open_trust(const char *dir)
{
    int fd = open_dir(AT_FDCWD, dir), trust;

    if (fd < 0)
        return -1;
    trust = open_dir(fd, TRUST_DIR);
    close(fd);
    return trust;
}

/* 0 if st is a regular file, and ours alone where `secret`. */
static int check_stat(const struct stat *st, bool secret, const char *name,
                      struct mext_why *why)
{
    if (!S_ISREG(st->st_mode))
        return fail(why, "%s is not a regular file", name);
    if (secret && st->st_uid != geteuid())
        return fail(why, "%s belongs to another user: chown it", name);
    if (secret && (st->st_mode & 077))
        return fail(why,
                    "%s can be used by other users (mode %03o): "
                    "chmod 600 it, and replace the key if it may be known",
                    name, st->st_mode & 0777);
    return 0;
}

/* Whole file as a string; -1 if it does not fit. */
static int read_text(int fd, char text[FILE_MAX + 1])
{
    size_t n = 0;
    ssize_t r;

    do {
        r = read(fd, text + n, FILE_MAX + 1 - n);
        if (r > 0)
            n += (size_t)r;
    } while ((r > 0 && n <= FILE_MAX) || (r < 0 && errno == EINTR));
    if (r < 0 || n > FILE_MAX || memchr(text, 0, n))
        return -1;
    text[n] = 0;
    return 0;
}

/*
 * Reads the key in at/name.  O_NONBLOCK: a FIFO of that name must not hang
 * packetd; check_stat refuses it.
 */
static int read_key(int at, const char *name, bool secret,
                    uint8_t key_r[MEXT_KEY_LEN], struct mext_why *why)
{
    char text[FILE_MAX + 1];
    struct stat st;
    int rc,
        fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && errno == ELOOP)
        return fail(why, "%s is a symbolic link: put the file itself there",
                    name);
    if (fd < 0)
        return fail(why, "cannot open %s: %s", name, strerror(errno));
    rc = fstat(fd, &st)
             ? fail(why, "cannot examine %s: %s", name, strerror(errno))
             : check_stat(&st, secret, name, why);
    if (!rc && (read_text(fd, text) || mext_key_parse(text, key_r)))
        rc = fail(why, "%s does not hold one key in base64", name);
    sodium_memzero(text, sizeof(text));
    close(fd);
    return rc;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t r = write(fd, p, n);

        if (r < 0 && errno != EINTR)
            return -1;
        if (r > 0) {
            p += r;
            n -= (size_t)r;
        }
    }
    return fsync(fd);
}

/*
 * Creates at/name with the key's text; errno EEXIST if it is there.  Written
 * under another name and linked, so that a crash leaves a whole file or none.
 */
static int write_key(int at, const char *name, mode_t mode,
                     const uint8_t key[MEXT_KEY_LEN])
{
    char tmp[32], text[MEXT_KEY_TEXT_LEN + 1];
    int rc = -1, fd, saved;

    snprintf(tmp, sizeof(tmp), ".new-%08x", (unsigned)randombytes_random());
    fd = openat(at, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                mode);
    if (fd < 0)
        return -1;
    mext_key_text(key, text);
    strcat(text, "\n");
    if (!write_all(fd, text, strlen(text)) && !linkat(at, tmp, at, name, 0))
        rc = 0;
    saved = errno;
    close(fd);
    unlinkat(at, tmp, 0);
    if (!rc && fsync(at)) {
        rc = -1;
        saved = errno;
    }
    sodium_memzero(text, sizeof(text));
    errno = saved;
    return rc;
}

/* mkdir -p: parents as the umask says, the last folder for its owner alone. */
static int make_dir(const char *dir)
{
    char path[4096];
    size_t n = strlen(dir);

    if (!n || n >= sizeof(path)) {
        errno = n ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    memcpy(path, dir, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (path[i] != '/')
            continue;
        path[i] = 0;
        if (mkdir(path, 0755) && errno != EEXIST)
            return -1;
        path[i] = '/';
    }
    return mkdir(path, 0700) && errno != EEXIST ? -1 : 0;
}

/* ---- own identity ---- */

int mext_identity_load(const char *dir, struct mext_identity *id_r,
                       struct mext_why *why)
{
    uint8_t seed[MEXT_KEY_LEN];
    int rc, fd = open_dir(AT_FDCWD, dir);

    if (fd < 0)
        return fail(why, "cannot open %s: %s; run packetd genkey", dir,
                    strerror(errno));
    if (faccessat(fd, HOST_KEY, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
        rc = fail(why, "%s holds no " HOST_KEY ": run packetd genkey", dir);
    else
        rc = read_key(fd, HOST_KEY, true, seed, why);
    close(fd);
    if (!rc)
        crypto_sign_ed25519_seed_keypair(id_r->pk, id_r->sk, seed);
    sodium_memzero(seed, sizeof(seed));
    return rc;
}

int mext_identity_create(const char *dir, struct mext_why *why)
{
    uint8_t seed[MEXT_KEY_LEN];
    int rc = 0, fd;

    if (sodium_init() < 0)
        return fail(why, "libsodium finds no source of randomness");
    if (make_dir(dir))
        return fail(why, "cannot create %s: %s", dir, strerror(errno));
    fd = open_dir(AT_FDCWD, dir);
    if (fd < 0)
        return fail(why, "cannot open %s: %s", dir, strerror(errno));
    randombytes_buf(seed, sizeof(seed));
    if (write_key(fd, HOST_KEY, 0600, seed) && errno != EEXIST)
        rc = fail(why, "cannot write %s/" HOST_KEY ": %s", dir,
                  strerror(errno));
    sodium_memzero(seed, sizeof(seed));
    close(fd);
    return rc;
}

/* ---- trusted keys ---- */

static bool name_ok(const char *name, size_t n)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";

    return n && n <= NAME_MAX_LEN && name[0] != '.' &&
           strspn(name, allowed) >= n;
}

/* NAME -> NAME.pub */
static int file_name(const char *name, char file[NAME_MAX_LEN + 5],
                     struct mext_why *why)
{
    if (!name_ok(name, strlen(name)))
        return fail(why,
                    "a key's name is 1 to %d of A-Z a-z 0-9 . _ - and "
                    "does not begin with a dot",
                    NAME_MAX_LEN);
    strcpy(stpcpy(file, name), SUFFIX);
    return 0;
}

int mext_trust_find(const char *dir, const char *name,
                    uint8_t pk_r[MEXT_KEY_LEN], struct mext_why *why)
{
    char file[NAME_MAX_LEN + 5];
    int rc, at;

    if (file_name(name, file, why))
        return -1;
    at = open_trust(dir);
    if (at < 0 && errno != ENOENT)
        return fail(why, "cannot open %s/" TRUST_DIR ": %s", dir,
                    strerror(errno));
    if (at < 0 ||
        (faccessat(at, file, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT))
        rc = fail(why,
                  "no key of %s in %s/" TRUST_DIR ": add the one that "
                  "'packetd pubkey' prints there, packetd trust add %s KEY",
                  name, dir, name);
    else
        rc = read_key(at, file, false, pk_r, why);
    if (at >= 0)
        close(at);
    return rc;
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

/* Opens <dir>/trust.d, making what is missing. */
static int create_trust(const char *dir, struct mext_why *why)
{
    int at, fd;

    if (make_dir(dir))
        return fail(why, "cannot create %s: %s", dir, strerror(errno));
    fd = open_dir(AT_FDCWD, dir);
    if (fd < 0)
        return fail(why, "cannot open %s: %s", dir, strerror(errno));
    at = mkdirat(fd, TRUST_DIR, 0700) && errno != EEXIST
             ? -1
             : open_dir(fd, TRUST_DIR);
    if (at < 0)
        fail(why, "cannot create %s/" TRUST_DIR ": %s", dir, strerror(errno));
    close(fd);
    return at;
}

/* What it means that NAME.pub is there already: 0 if it is the same key. */
static int compare_old(int at, const char *name, const char *file,
                       const uint8_t pk[MEXT_KEY_LEN], struct mext_why *why)
{
    uint8_t old[MEXT_KEY_LEN];

    if (read_key(at, file, false, old, why))
        return -1;
    if (memcmp(old, pk, MEXT_KEY_LEN))
        return fail(why,
                    "%s has another key already: if the host was set up "
                    "anew, packetd trust remove %s first",
                    name, name);
    return 0;
}

int mext_trust_add(const char *dir, const char *name,
                   const uint8_t pk[MEXT_KEY_LEN], struct mext_why *why)
{
    char file[NAME_MAX_LEN + 5];
    int rc = 0, at;

    if (file_name(name, file, why))
        return -1;
    /* Catches most slips, such as a pasted secret or X25519 key. */
    if (!crypto_core_ed25519_is_valid_point(pk))
        return fail(why, "this is not an Ed25519 public key: take what "
                         "'packetd pubkey' prints on the other host");
    at = create_trust(dir, why);
    if (at < 0)
        return -1;
    if (write_key(at, file, 0644, pk))
        rc = errno == EEXIST ? compare_old(at, name, file, pk, why)
                             : fail(why, "cannot write %s/" TRUST_DIR "/%s: %s",
                                    dir, file, strerror(errno));
    close(at);
    return rc;
}

int mext_trust_remove(const char *dir, const char *name, struct mext_why *why)
{
    char file[NAME_MAX_LEN + 5];
    int rc = 0, at;

    if (file_name(name, file, why))
        return -1;
    at = open_trust(dir);
    if (at < 0 || unlinkat(at, file, 0) || fsync(at))
        rc = fail(why, "cannot remove %s from %s/" TRUST_DIR ": %s", name, dir,
                  strerror(errno));
    if (at >= 0)
        close(at);
    return rc;
}

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

int mext_trust_each(const char *dir, mext_trust_fn *fn, void *arg)
{
    struct dirent **list = NULL;
    struct mext_why why;
    uint8_t pk[MEXT_KEY_LEN];
    int count = 0, at = open_trust(dir), n;

    if (at < 0)
        return 0;
    n = scandirat(at, ".", &list, is_key_file, by_name);
    for (int i = 0; i < n; i++) {
        char *name = list[i]->d_name;

        if (!read_key(at, name, false, pk, &why)) {
            name[strlen(name) - strlen(SUFFIX)] = 0;
            fn(arg, name, pk);
            count++;
        }
        free(list[i]);
    }
    free(list);
    close(at);
    return count;
}
