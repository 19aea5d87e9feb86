/* SPDX-License-Identifier: LGPL-2.1-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mext_journal_file.h"
#include "mext_minds.h"

/* An unfinished new file that is older, in seconds, is nobody's any more. */
#define UNFINISHED_S 3600

struct item {
    uint64_t when;
    uint8_t id[MEXT_ID_LEN];
    enum mext_side side;
};

struct items {
    const struct mext_folder *f;
    struct item *v;
    size_t n, room;
    bool full;    /* no memory for more */
    bool clear;   /* for expire: finished ones by their end, others go */
    uint64_t now; /* with clear */
};

static void push(struct items *s, const struct mext_entry *e)
{
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        struct item *v = realloc(s->v, room * sizeof(*v));

        if (!v) {
            s->full = true;
            return;
        }
        s->v = v;
        s->room = room;
    }
    s->v[s->n].when = s->clear ? e->changed : e->begun;
    s->v[s->n].side = e->side;
    memcpy(s->v[s->n++].id, e->id, MEXT_ID_LEN);
}

/* Removes one that nobody holds, if it is finished or has no record. */
static void drop(const struct mext_folder *f, const char *name,
                 const uint8_t id[MEXT_ID_LEN], enum mext_side side)
{
    struct mext_jfile c;
    int fd;

    if (mext_jfile_open_locked(f, name, &fd))
        return;
    if (!mext_jfile_load(fd, id, side, &c) &&
        (c.n ? mext_noted_final(c.e.noted) : !c.foreign))
        unlinkat(f->fd, name, 0);
    close(fd);
}

/* One that was cut off before it had its name; or has both. */
static void drop_unfinished(const struct items *s, const char *name)
{
    struct stat st;
    int fd;

    if (fstatat(s->f->fd, name, &st, AT_SYMLINK_NOFOLLOW) ||
        (uint64_t)st.st_mtime + UNFINISHED_S > s->now)
        return;
    if (!mext_jfile_open_locked(s->f, name, &fd)) {
        unlinkat(s->f->fd, name, 0);
        close(fd);
    }
}

static void look_at(struct items *s, const char *name)
{
    uint8_t id[MEXT_ID_LEN];
    enum mext_side side;
    struct mext_jfile c;

    if (s->clear && *name == '.' && mext_jfile_parse(name + 1, id, &side))
        drop_unfinished(s, name);
    if (s->full || s->n == MEXT_JOURNAL_FILES_MAX ||
        !mext_jfile_parse(name, id, &side) ||
        mext_jfile_peek(s->f, name, id, side, &c, NULL))
        return;
    if (!c.n && s->clear)
        drop(s->f, name, id, side);
    else if (c.n && (!s->clear || mext_noted_final(c.e.noted)))
        push(s, &c.e);
}

static int by_age(const void *pa, const void *pb)
{
    const struct item *a = pa, *b = pb;

    if (a->when != b->when)
        return a->when < b->when ? -1 : 1;
    return memcmp(a->id, b->id, sizeof(a->id));
}

/* All its names; NULL and errno. */
static DIR *open_names(const struct mext_folder *f)
{
    int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (d)
        rewinddir(d);
    else
        mext_jfile_close(fd);
    return d;
}

/* The oldest first; 0, or -1 with errno.  To be freed in any case. */
static int list(struct items *s)
{
    DIR *d = open_names(s->f);
    struct dirent *e;
    int err;

    if (!d)
        return -1;
    while (errno = 0, (e = readdir(d)))
        look_at(s, e->d_name);
    err = s->full ? ENOMEM : errno;
    closedir(d);
    if (s->n)
        qsort(s->v, s->n, sizeof(*s->v), by_age);
    errno = err;
    return err ? -1 : 0;
}

int mext_journal_each(const char *dir, mext_entry_fn *fn, void *arg,
                      struct mext_why *why)
{
    struct mext_folder f;
    struct items s = { .f = &f };
    bool done = false;
    int r;

    if (mext_folder_open(NULL, dir, &f, why))
        return -1;
    r = f.fd < 0 ? 0 : list(&s);
    if (r)
        mext_jfile_failed(why, "read", dir);
    for (size_t i = 0; !r && i < s.n && !done; i++) {
        char name[MEXT_JOURNAL_NAME];
        struct mext_jfile c;
        bool alive;

        mext_jfile_name(name, s.v[i].id, s.v[i].side, false);
        if (!mext_jfile_peek(&f, name, s.v[i].id, s.v[i].side, &c, &alive) &&
            c.n)
            done = fn(arg, &c.e, alive);
    }
    free(s.v);
    mext_folder_close(&f);
    return r;
}

/* ---- again and again ---- */

struct mext_journal_name {
    uint8_t id[MEXT_ID_LEN];
    uint8_t side;
};

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct mext_journal_name));
}

static bool is_known(const struct mext_journal_known *k,
                     const struct mext_journal_name *name)
{
    return k->n && bsearch(name, k->v, k->n, sizeof(*name), by_name);
}

/* Without memory it is read again. */
static void know(struct mext_journal_known *k,
                 const struct mext_journal_name *name)
{
    struct mext_journal_name *v = k->v;

    if (!(k->n & (k->n - 1))) /* room is a power of two */
        v = realloc(k->v, (k->n ? 2 * k->n : 1) * sizeof(*v));
    if (!v)
        return;
    k->v = v;
    k->v[k->n++] = *name;
}

/* One of the folder: whether it is known from now on. */
static bool is_settled(const struct mext_folder *f, const char *name,
                       const struct mext_journal_name *key, mext_entry_fn *fn,
                       void *arg)
{
    struct mext_jfile c;
    bool alive;

    return !mext_jfile_peek(f, name, key->id, key->side, &c, &alive) && c.n &&
           fn(arg, &c.e, alive);
}

int mext_journal_others(const char *dir, struct mext_journal_known *k,
                        mext_entry_fn *fn, void *arg, struct mext_why *why)
{
    struct mext_journal_known next = { NULL, 0 };
    struct mext_journal_name key;
    enum mext_side side;
    struct mext_folder f;
    struct dirent *e;
    DIR *d;

    if (mext_folder_open(NULL, dir, &f, why))
        return -1;
    if (f.fd < 0)
        return 0;
    d = open_names(&f);
    if (!d) {
        mext_jfile_failed(why, "read", dir);
        mext_folder_close(&f);
        return -1;
    }
    while ((e = readdir(d))) {
        if (!mext_jfile_parse(e->d_name, key.id, &side))
            continue;
        key.side = (uint8_t)side;
        if (is_known(k, &key) || is_settled(&f, e->d_name, &key, fn, arg))
            know(&next, &key);
    }
    closedir(d);
    mext_folder_close(&f);
    if (next.n)
        qsort(next.v, next.n, sizeof(*next.v), by_name);
    free(k->v);
    *k = next;
    return 0;
}

void mext_journal_expire(const char *dir, uint64_t now)
{
    struct mext_folder f;
    struct items s = { .f = &f, .clear = true, .now = now };
    struct mext_why why;

    if (mext_folder_open(NULL, dir, &f, &why) || f.fd < 0)
        return;
    if (list(&s))
        s.n = 0;
    for (size_t i = 0; i < s.n; i++) {
        const struct item *it = &s.v[i];
        bool old = now > it->when && now - it->when > MEXT_JOURNAL_KEEP_S;
        char name[MEXT_JOURNAL_NAME];

        mext_jfile_name(name, it->id, it->side, false);
        if ((old || s.n - i > MEXT_JOURNAL_KEEP_MAX) &&
            !mext_minds_wanted(it->id))
            drop(&f, name, it->id, it->side);
    }
    free(s.v);
    mext_folder_close(&f);
}
