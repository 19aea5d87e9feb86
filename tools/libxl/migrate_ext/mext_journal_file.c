/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_fault.h"
#include "mext_journal_file.h"
#include "mext_net.h"

/* ---- names and texts ---- */

void mext_jfile_name(char name[MEXT_JOURNAL_NAME],
                     const uint8_t id[MEXT_ID_LEN], enum mext_side side,
                     bool unfinished)
{
    char hex[MEXT_JOURNAL_HEX + 1];

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    snprintf(name, MEXT_JOURNAL_NAME, "%s%s.%s", unfinished ? "." : "", hex,
             mext_side_name(side));
}

bool mext_jfile_parse(const char *name, uint8_t id_r[MEXT_ID_LEN],
                      enum mext_side *side_r)
{
    const char *end = name + strspn(name, "0123456789abcdef");

    if (end != name + MEXT_JOURNAL_HEX)
        return false;
    if (!strcmp(end, ".out"))
        *side_r = MEXT_SIDE_SOURCE;
    else if (!strcmp(end, ".in"))
        *side_r = MEXT_SIDE_DEST;
    else
        return false;
    return !sodium_hex2bin(id_r, MEXT_ID_LEN, name, MEXT_JOURNAL_HEX, NULL,
                           NULL, NULL);
}

/* What can be done about an error, as the end of a sentence. */
static const char *remedy(int err)
{
    switch (err) {
    case ENOSPC:
    case EDQUOT:
        return ": make room on that file system";
    case EACCES:
    case EPERM:
        return ": is this run as root?";
    case EROFS:
        return ": mount that file system writable";
    case EIO:
        return ": look at the disk (dmesg)";
    default:
        return "";
    }
}

int mext_jfile_failed(struct mext_why *why, const char *verb, const char *path)
{
    int err = errno;

    if (err == ELOOP)
        return mext_fail(why, "%s is no regular file: move it away", path);
    return mext_fail(why, "cannot %s %s: %s%s", verb, path, strerror(err),
                     remedy(err));
}

void mext_jfile_close(int fd)
{
    int err = errno;

    if (fd >= 0)
        close(fd);
    errno = err;
}

/* ---- locks ---- */

/*
 * Locks of the open file, not of the process, as flock's; but unlike those they
 * can be looked at without being taken, so that who only looks is never in the
 * way of who acts.
 */
static struct flock whole_file(void)
{
    return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

int mext_jfile_lock(int fd)
{
    struct flock l = whole_file();

    if (!fcntl(fd, F_OFD_SETLK, &l))
        return 0;
    return errno == EAGAIN || errno == EACCES ? 1 : -1;
}

bool mext_jfile_locked(int fd)
{
    struct flock l = whole_file();

    return fcntl(fd, F_OFD_GETLK, &l) || l.l_type != F_UNLCK;
}

/* ---- reading ---- */

/* O_NONBLOCK: a FIFO must not hang us. */
int mext_jfile_open(const struct mext_folder *f, const char *name, int flags)
{
    int fd = openat(f->fd, name,
                    flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || (!fstat(fd, &st) && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    errno = ELOOP;
    return -1;
}

ssize_t mext_jfile_read_at(int fd, uint8_t *p, size_t n, off_t at)
{
    size_t got = 0;

    while (got < n) {
        ssize_t r = pread(fd, p + got, n - got, at + (off_t)got);

        if (!r)
            break;
        if (r < 0 && errno != EINTR)
            return -1;
        if (r > 0)
            got += (size_t)r;
    }
    return (ssize_t)got;
}

/* The migration is the same, so only what can change is compared. */
static bool same(const struct mext_entry *a, const struct mext_entry *b)
{
    return a->noted == b->noted && a->domid == b->domid &&
           !memcmp(a->uuid, b->uuid, sizeof(a->uuid));
}

/* Whether these n bytes are the record that comes next; then it counts. */
static bool take_record(struct mext_jfile *c, const uint8_t *bytes, size_t n,
                        const uint8_t id[MEXT_ID_LEN], enum mext_side side)
{
    const size_t name = sizeof(MEXT_JOURNAL_MAGIC) - 2; /* without version */
    struct mext_entry e;
    uint32_t seq;

    if (!c->n && n > name)
        c->foreign = !memcmp(bytes, MEXT_JOURNAL_MAGIC, name) &&
                     bytes[name] != MEXT_JOURNAL_MAGIC[name];
    if (n < MEXT_JOURNAL_LEN || mext_entry_decode(bytes, &seq, &e) ||
        seq != c->n + 1 || e.side != side || memcmp(e.id, id, sizeof(e.id)))
        return false;
    c->again = c->n && same(&c->e, &e);
    c->e = e;
    c->n++;
    return true;
}

int mext_jfile_load(int fd, const uint8_t id[MEXT_ID_LEN], enum mext_side side,
                    struct mext_jfile *c_r)
{
    uint8_t bytes[MEXT_JOURNAL_LEN];
    ssize_t n;

    memset(c_r, 0, sizeof(*c_r));
    do {
        n = mext_jfile_read_at(fd, bytes, sizeof(bytes),
                               (off_t)c_r->n * MEXT_JOURNAL_LEN);
        if (n < 0)
            return -1;
    } while (take_record(c_r, bytes, (size_t)n, id, side) &&
             c_r->n < MEXT_JOURNAL_RECORDS_MAX);
    return 0;
}

int mext_jfile_open_locked(const struct mext_folder *f, const char *name,
                           int *fd_r)
{
    struct stat mine, named;

    for (;;) {
        int fd = mext_jfile_open(f, name, O_RDWR), r;

        if (fd < 0)
            return -1;
        r = mext_jfile_lock(fd);
        if (!r && !fstat(fd, &mine) &&
            !fstatat(f->fd, name, &named, AT_SYMLINK_NOFOLLOW) &&
            mine.st_ino == named.st_ino && mine.st_dev == named.st_dev) {
            *fd_r = fd;
            return 0;
        }
        mext_jfile_close(fd);
        if (r)
            return r;
        /* It was removed before it was locked: it is another one now. */
    }
}

/* ---- writing ---- */

/* Cuts what lies behind the good records, lest it come to count again. */
static int cut(int fd, off_t len)
{
    struct stat st;

    if (fstat(fd, &st))
        return -1;
    if (st.st_size <= len)
        return 0;
    return ftruncate(fd, len) || fdatasync(fd) ? -1 : 0;
}

static int write_at(int fd, const uint8_t *p, size_t n, off_t at)
{
    while (n) {
        ssize_t r = pwrite(fd, p, n, at);

        if (r < 0 && errno != EINTR)
            return -1;
        if (r > 0) {
            p += r;
            n -= (size_t)r;
            at += r;
        }
    }
    return 0;
}

int mext_jfile_append(int fd, struct mext_jfile *c, const struct mext_entry *e)
{
    uint8_t bytes[MEXT_JOURNAL_LEN];
    bool again = c->n && same(&c->e, e);
    off_t at;

    if (mext_entry_encode(e, 1, bytes)) {
        errno = EINVAL;
        return -1;
    }
    if (again && c->again) {
        c->n--;
        c->again = false;
    }
    if (mext_entry_encode(e, c->n + 1, bytes)) {
        errno = EFBIG;
        return -1;
    }
    at = (off_t)c->n * MEXT_JOURNAL_LEN;
    errno = ENOSPC; /* what a fault there is taken for */
    if (mext_fault("journal.write", NULL) || cut(fd, at) ||
        write_at(fd, bytes, sizeof(bytes), at))
        return -1;
    errno = EIO;
    if (mext_fault("journal.sync", NULL) || fdatasync(fd))
        return -1;
    c->e = *e;
    c->n++;
    c->again = again;
    return 0;
}

int mext_jfile_peek(const struct mext_folder *f, const char *name,
                    const uint8_t id[MEXT_ID_LEN], enum mext_side side,
                    struct mext_jfile *c_r, bool *alive_r)
{
    int fd = mext_jfile_open(f, name, O_RDONLY), r;

    if (fd < 0)
        return -1;
    /* First: one that is done and given back meanwhile is not found dead. */
    if (alive_r)
        *alive_r = mext_jfile_locked(fd);
    r = mext_jfile_load(fd, id, side, c_r);
    mext_jfile_close(fd);
    return r;
}
