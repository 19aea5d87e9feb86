/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_keyfile.h"
#include "mext_net.h"

#define TRUST_DIR "trust.d"

/* What is being written; never a key's name, since those have no dot first. */
#define UNFINISHED ".new"

/* ---- whose, and who may ---- */

static int check_owner(const struct stat *st, const char *path,
                       struct mext_why *why)
{
    if (st->st_uid && st->st_uid != geteuid())
        return mext_fail(why, "%s belongs to another user: chown %u %s", path,
                         (unsigned)geteuid(), path);
    if (st->st_mode & 022)
        return mext_fail(why,
                         "%s can be changed by other users (mode %03o): look "
                         "at what is in it, then chmod go-w %s",
                         path, st->st_mode & 0777, path);
    return 0;
}

static int check_file(const struct stat *st, bool secret, const char *path,
                      struct mext_why *why)
{
    if (!S_ISREG(st->st_mode))
        return mext_fail(why, "%s is not a regular file", path);
    if (secret && (st->st_mode & 077))
        return mext_fail(why,
                         "%s can be used by other users (mode %03o): chmod "
                         "600 %s, and replace the key if it may be known",
                         path, st->st_mode & 0777, path);
    return check_owner(st, path, why);
}

/* ---- folders ---- */

static int failed(struct mext_why *why, const char *verb,
                  const struct mext_folder *f, const char *name)
{
    int err = errno;

    return mext_fail(why, "cannot %s %s%s%s: %s", verb, f->path,
                     *name ? "/" : "", name, strerror(err));
}

/* Whether the path fits. */
static bool set_path(struct mext_folder *f, const struct mext_folder *in,
                     const char *name)
{
    int n = snprintf(f->path, sizeof(f->path), "%s%s%s", in ? in->path : "",
                     in ? "/" : "", name);

    f->fd = -1;
    return n > 0 && (size_t)n < sizeof(f->path);
}

int mext_folder_open(const struct mext_folder *in, const char *name,
                     struct mext_folder *f_r, struct mext_why *why)
{
    struct stat st;

    if (!set_path(f_r, in, name))
        return mext_fail(why, "the folder's name is empty or too long");
    if (in && in->fd < 0)
        return 0;
    f_r->fd = openat(in ? in->fd : AT_FDCWD, name,
                     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f_r->fd < 0)
        return errno == ENOENT ? 0 : failed(why, "open", f_r, "");
    if (fstat(f_r->fd, &st) ? failed(why, "examine", f_r, "")
                            : check_owner(&st, f_r->path, why)) {
        mext_folder_close(f_r);
        return -1;
    }
    return 0;
}

/* mkdir -p: parents as the umask says, the last folder for its owner alone. */
static int make_path(const char *dir)
{
    char path[4096];
    size_t n = strlen(dir);

    memcpy(path, dir, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (path[i] != '/')
            continue;
        path[i] = 0;
        if (mkdir(path, 0755) && errno != EEXIST)
            return -1;
        path[i] = '/';
    }
    return mkdir(path, 0700);
}

int mext_folder_make(const struct mext_folder *in, const char *name,
                     struct mext_folder *f_r, struct mext_why *why)
{
    if (!set_path(f_r, in, name))
        return mext_fail(why, "the folder's name is empty or too long");
    if ((in ? mkdirat(in->fd, name, 0700) : make_path(name)) && errno != EEXIST)
        return failed(why, "create", f_r, "");
    return mext_folder_open(in, name, f_r, why);
}

int mext_folder_lock(const struct mext_folder *f, struct mext_why *why)
{
    int r = 0;

    if (f->fd >= 0)
        do
            r = flock(f->fd, LOCK_EX);
        while (r && errno == EINTR);
    if (r)
        return failed(why, "lock", f, "");
    if (f->fd >= 0)
        unlinkat(f->fd, UNFINISHED, 0);
    return 0;
}

int mext_folder_trust(const char *dir, bool change, struct mext_folder *f_r,
                      struct mext_why *why)
{
    struct mext_folder top;
    int rc = change ? mext_folder_make(NULL, dir, &top, why)
                    : mext_folder_open(NULL, dir, &top, why);

    if (rc)
        return -1;
    rc = change ? mext_folder_make(&top, TRUST_DIR, f_r, why)
                : mext_folder_open(&top, TRUST_DIR, f_r, why);
    mext_folder_close(&top);
    if (!rc && change && mext_folder_lock(f_r, why)) {
        mext_folder_close(f_r);
        return -1;
    }
    return rc;
}

void mext_folder_close(struct mext_folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* ---- reading ---- */

bool mext_keyfile_there(const struct mext_folder *f, const char *name)
{
    return f->fd >= 0 && (!faccessat(f->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) ||
                          errno != ENOENT);
}

/* Whole file as a string; -1 if it does not fit. */
static int read_text(int fd, char *text, size_t max)
{
    size_t n = 0;
    ssize_t r;

    do {
        r = read(fd, text + n, max - n);
        if (r > 0)
            n += (size_t)r;
    } while ((r > 0 && n < max) || (r < 0 && errno == EINTR));
    if (r < 0 || n == max || memchr(text, 0, n))
        return -1;
    text[n] = 0;
    return 0;
}

/* O_NONBLOCK: a FIFO of that name must not hang us; check_file refuses it. */
int mext_keyfile_read(const struct mext_folder *f, const char *name,
                      bool secret, char *text_r, size_t max,
                      struct mext_why *why)
{
    char path[sizeof(f->path) + 256];
    int fd = openat(f->fd, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC),
        rc;
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    if (fd < 0 && errno == ELOOP)
        return mext_fail(
            why, "%s is a symbolic link: put the file itself there", path);
    if (fd < 0)
        return failed(why, "open", f, name);
    rc = fstat(fd, &st) ? failed(why, "examine", f, name)
                        : check_file(&st, secret, path, why);
    if (!rc && read_text(fd, text_r, max))
        rc = mext_fail(why, "%s is longer than %zu bytes, or is no text", path,
                       max - 1);
    close(fd);
    return rc;
}

/* ---- writing ---- */

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

/* 0, or -1 with errno. */
static int write_unfinished(int at, mode_t mode, const char *text)
{
    int fd = openat(at, UNFINISHED,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    int rc, saved;

    if (fd < 0)
        return -1;
    rc = write_all(fd, text, strlen(text));
    saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

int mext_keyfile_write(const struct mext_folder *f, const char *name,
                       mode_t mode, const char *text, bool replace,
                       struct mext_why *why)
{
    int rc = write_unfinished(f->fd, mode, text);

    if (!rc && replace)
        rc = renameat(f->fd, UNFINISHED, f->fd, name);
    else if (!rc)
        rc = linkat(f->fd, UNFINISHED, f->fd, name, 0);
    if (rc)
        failed(why, "write", f, name);
    unlinkat(f->fd, UNFINISHED, 0);
    if (!rc && fsync(f->fd))
        rc = failed(why, "write", f, name);
    return rc;
}

int mext_keyfile_link(const struct mext_folder *f, const char *name,
                      const char *other, struct mext_why *why)
{
    if (linkat(f->fd, name, f->fd, other, 0) || fsync(f->fd))
        return failed(why, "create", f, other);
    return 0;
}

int mext_keyfile_rename(const struct mext_folder *f, const char *name,
                        const char *other, struct mext_why *why)
{
    if (renameat(f->fd, name, f->fd, other) || fsync(f->fd))
        return failed(why, "replace", f, other);
    return 0;
}

int mext_keyfile_remove(const struct mext_folder *f, const char *name,
                        struct mext_why *why)
{
    if (unlinkat(f->fd, name, 0) || fsync(f->fd))
        return failed(why, "remove", f, name);
    return 0;
}
