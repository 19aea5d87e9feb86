/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_journal_file.h"
#include "mext_net.h"
#include "mext_text.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* So many records' room is taken at once: all that a migration notes. */
#define ROOM 8

struct mext_journal {
    int fd;
    struct mext_jfile c;
    uint32_t domid; /* for the records that follow */
    uint8_t uuid[MEXT_UUID_LEN];
    char path[]; /* for texts */
};

static int not_whole(struct mext_why *why, const char *path, bool foreign)
{
    if (foreign)
        return mext_fail(why,
                         "%s is of another version: use the programs that "
                         "wrote it",
                         path);
    return mext_fail(why,
                     "%s has no whole record: its migration had not begun, "
                     "or the disk is damaged",
                     path);
}

/* ---- folders ---- */

/* The names of the folder and of those above it are durable. */
static int sync_parents(int fd)
{
    struct stat below, st;
    int r = fstat(fd, &below);

    fd = r ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0) {
        int up = -1;

        r = fstat(fd, &st);
        if (!r && (st.st_ino != below.st_ino || st.st_dev != below.st_dev)) {
            r = fsync(fd);
            /* Not all kinds of file system can or need to. */
            if (r && (errno == EINVAL || errno == EROFS))
                r = 0;
            up = r ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        below = st;
        mext_jfile_close(fd);
        fd = up;
    }
    return r;
}

static int make_folder(const char *dir, struct mext_folder *f_r,
                       struct mext_why *why)
{
    if (mext_folder_make(NULL, dir, f_r, why))
        return -1;
    if (f_r->fd < 0)
        return mext_fail(why, "%s was removed while it was made: try again",
                         dir);
    if (sync_parents(f_r->fd)) {
        mext_jfile_failed(why, "make", dir);
        mext_folder_close(f_r);
        return -1;
    }
    return 0;
}

/* ---- one migration ---- */

static struct mext_journal *new_journal(const char *dir, const char *name,
                                        struct mext_why *why)
{
    size_t n = strlen(dir) + 1 + strlen(name) + 1;
    struct mext_journal *j = calloc(1, sizeof(*j) + n);

    if (!j) {
        mext_fail(why, "out of memory");
        return NULL;
    }
    j->fd = -1;
    snprintf(j->path, n, "%s/%s", dir, name);
    return j;
}

/* Its first record, before it has its name; 0, or -1 with errno. */
static int fill(struct mext_journal *j, const struct mext_entry *e)
{
    /* A full disk shall show now, not in the middle of it. */
    if (fallocate(j->fd, FALLOC_FL_KEEP_SIZE, 0, ROOM * MEXT_JOURNAL_LEN) &&
        (errno == ENOSPC || errno == EDQUOT))
        return -1;
    if (mext_jfile_append(j->fd, &j->c, e))
        return -1;
    return fsync(j->fd);
}

/*
 * It is locked and whole before it gets its name, so nobody ever finds it
 * otherwise.
 */
static int begin(const struct mext_folder *f, struct mext_journal *j,
                 const struct mext_entry *e)
{
    char name[MEXT_JOURNAL_NAME], unfinished[MEXT_JOURNAL_NAME];
    int r, err;

    mext_jfile_name(name, e->id, e->side, false);
    mext_jfile_name(unfinished, e->id, e->side, true);
    j->fd = openat(f->fd, unfinished,
                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return -1;
    r = mext_jfile_lock(j->fd) || fill(j, e) ? -1 : 0;
    if (!r)
        r = linkat(f->fd, unfinished, f->fd, name, 0);
    if (!r && fsync(f->fd)) {
        r = -1;
        err = errno;
        unlinkat(f->fd, name, 0);
        errno = err;
    }
    err = errno;
    unlinkat(f->fd, unfinished, 0);
    errno = err;
    return r;
}

/* Printable, and zeros to the end. */
static void clean(char *text, size_t max)
{
    char was[MEXT_ENTRY_HOST_MAX + 1] = "";
    size_t n = strnlen(text, max);

    memcpy(was, text, n);
    memset(text, 0, max);
    mext_show(was, n, text, max);
}

static int complete(struct mext_entry *e, struct mext_why *why)
{
    if (mext_boot_id(e->boot, why))
        return -1;
    e->begun = e->changed = (uint64_t)time(NULL);
    clean(e->host, sizeof(e->host));
    clean(e->name, sizeof(e->name));
    clean(e->text, sizeof(e->text));
    return 0;
}

int mext_journal_create(const char *dir, struct mext_entry *e,
                        struct mext_journal **j_r, struct mext_why *why)
{
    struct mext_journal *j;
    struct mext_folder f;
    char name[MEXT_JOURNAL_NAME];
    int r;

    if (complete(e, why))
        return -1;
    mext_jfile_name(name, e->id, e->side, false);
    j = new_journal(dir, name, why);
    if (!j || make_folder(dir, &f, why)) {
        mext_journal_close(j);
        return -1;
    }
    r = begin(&f, j, e);
    if (r && errno == EEXIST)
        mext_fail(why, "%s is there already: that migration was begun before",
                  j->path);
    else if (r)
        mext_jfile_failed(why, "write", j->path);
    mext_folder_close(&f);
    if (r) {
        mext_journal_close(j);
        return -1;
    }
    j->domid = e->domid;
    memcpy(j->uuid, e->uuid, sizeof(j->uuid));
    *j_r = j;
    return 0;
}

/* -1 and why if the folder is not there. */
static int open_folder(const char *dir, const char *name,
                       struct mext_folder *f_r, struct mext_why *why)
{
    if (mext_folder_open(NULL, dir, f_r, why))
        return -1;
    return f_r->fd < 0
               ? mext_fail(why, "there is no %s/%s: no such migration is noted",
                           dir, name)
               : 0;
}

static int cannot_open(struct mext_why *why, const char *dir, const char *name)
{
    char path[MEXT_TEXT_MAX];

    if (errno == ENOENT)
        return mext_fail(why, "there is no %s/%s: no such migration is noted",
                         dir, name);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return mext_jfile_failed(why, "open", path);
}

/* What is in the file that was just locked. */
static int look(struct mext_journal *j, const uint8_t id[MEXT_ID_LEN],
                enum mext_side side, struct mext_why *why)
{
    if (mext_jfile_load(j->fd, id, side, &j->c))
        return mext_jfile_failed(why, "read", j->path);
    if (!j->c.n)
        return not_whole(why, j->path, j->c.foreign);
    /* Who wrote it may have died before it was durable. */
    if (fdatasync(j->fd))
        return mext_jfile_failed(why, "write", j->path);
    j->domid = j->c.e.domid;
    memcpy(j->uuid, j->c.e.uuid, sizeof(j->uuid));
    return 0;
}

int mext_journal_take(const char *dir, const uint8_t id[MEXT_ID_LEN],
                      enum mext_side side, struct mext_journal **j_r,
                      struct mext_why *why)
{
    struct mext_journal *j;
    struct mext_folder f;
    char name[MEXT_JOURNAL_NAME];
    int r;

    mext_jfile_name(name, id, side, false);
    if (open_folder(dir, name, &f, why))
        return -1;
    j = new_journal(dir, name, why);
    r = j ? mext_jfile_open_locked(&f, name, &j->fd) : -1;
    if (j && r < 0)
        cannot_open(why, dir, name);
    mext_folder_close(&f);
    if (!r)
        r = look(j, id, side, why);
    if (r) {
        mext_journal_close(j);
        return r;
    }
    *j_r = j;
    return 0;
}

const struct mext_entry *mext_journal_entry(const struct mext_journal *j)
{
    return &j->c.e;
}

void mext_journal_domain(struct mext_journal *j, uint32_t domid,
                         const uint8_t uuid[MEXT_UUID_LEN])
{
    j->domid = domid;
    memcpy(j->uuid, uuid, sizeof(j->uuid));
}

/* The room that was taken at first and not used. */
static void give_back(struct mext_journal *j)
{
    int r = ftruncate(j->fd, (off_t)j->c.n * MEXT_JOURNAL_LEN);

    (void)r;
}

int mext_journal_note(struct mext_journal *j, enum mext_noted n,
                      const char *text, struct mext_why *why)
{
    struct mext_entry e = j->c.e;

    e.noted = n;
    e.changed = (uint64_t)time(NULL);
    e.domid = j->domid;
    memcpy(e.uuid, j->uuid, sizeof(e.uuid));
    memset(e.text, 0, sizeof(e.text));
    if (text)
        mext_show(text, strlen(text), e.text, sizeof(e.text));
    if (mext_jfile_append(j->fd, &j->c, &e))
        return mext_jfile_failed(why, "write", j->path);
    if (mext_noted_final(n))
        give_back(j);
    return 0;
}

int mext_journal_lock(const struct mext_journal *j)
{
    return j->fd;
}

/* Not unlocked: closing does that, unless it is a child's who inherited it. */
void mext_journal_close(struct mext_journal *j)
{
    if (!j)
        return;
    mext_jfile_close(j->fd);
    free(j);
}

static bool there_is_none(const char *dir)
{
    return access(dir, F_OK) && errno == ENOENT;
}

int mext_journal_read(const char *dir, const uint8_t id[MEXT_ID_LEN],
                      enum mext_side side, struct mext_entry *e_r,
                      struct mext_why *why)
{
    char name[MEXT_JOURNAL_NAME], path[MEXT_TEXT_MAX];
    struct mext_folder f = { .fd = -1 };
    struct mext_jfile c;
    int r;

    mext_jfile_name(name, id, side, false);
    if (open_folder(dir, name, &f, why))
        return f.fd < 0 && there_is_none(dir) ? 1 : -1;
    r = mext_jfile_peek(&f, name, id, side, &c, NULL);
    if (r) {
        r = errno == ENOENT ? 1 : -1;
        cannot_open(why, dir, name);
    }
    mext_folder_close(&f);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (!r && !c.n) {
        not_whole(why, path, c.foreign);
        r = c.foreign ? -1 : 1;
    }
    if (!r)
        *e_r = c.e;
    return r;
}

int mext_boot_id(uint8_t boot_r[MEXT_BOOT_LEN], struct mext_why *why)
{
    int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
    uint8_t text[64], boot[MEXT_BOOT_LEN];
    ssize_t n = fd < 0 ? -1 : mext_jfile_read_at(fd, text, sizeof(text), 0);
    size_t len;

    if (n < 0)
        mext_jfile_failed(why, "read", BOOT_ID);
    mext_jfile_close(fd);
    if (n < 0)
        return -1;
    if (sodium_hex2bin(boot, sizeof(boot), (char *)text, (size_t)n, "-\n", &len,
                       NULL) ||
        len != sizeof(boot))
        return mext_fail(why, "%s is not what Linux writes there", BOOT_ID);
    memcpy(boot_r, boot, sizeof(boot));
    return 0;
}
