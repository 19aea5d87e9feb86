/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>

#include "mext_net.h"
#include "mext_saved_priv.h"

#define BUFFER      (1u << 20)
#define WORKERS_MAX 4

struct mext_saved_out {
    FILE *file;
    char *path, *part; /* owned */
    ZSTD_CCtx *z;      /* NULL: not packed */
    crypto_generichash_state sum;
    uint64_t len;
    bool done;
    uint8_t packed[1u << 17];
};

static int cannot(const char *path, struct mext_why *why)
{
    return mext_fail(why, "%.400s: %s", path, strerror(errno));
}

/* Only what can be renamed: not a device, nor a pipe. */
static int place_check(const char *path, struct mext_why *why)
{
    struct stat st;

    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return mext_fail(why, "%.400s is not a file: use the stock xl save",
                         path);
    return 0;
}

static int set_up_packing(struct mext_saved_out *o, int level)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    o->z = ZSTD_createCCtx();
    if (!o->z)
        return -1;
    ZSTD_CCtx_setParameter(o->z, ZSTD_c_compressionLevel, level);
    /* Refused by a library without threads, which does it alone then. */
    if (cpus > 1)
        ZSTD_CCtx_setParameter(o->z, ZSTD_c_nbWorkers,
                               cpus > WORKERS_MAX ? WORKERS_MAX : (int)cpus);
    return 0;
}

/* Is the name still that of the open file? */
static bool is_ours(const char *part, int fd)
{
    struct stat st, named;

    return !fstat(fd, &st) && !lstat(part, &named) &&
           st.st_dev == named.st_dev && st.st_ino == named.st_ino;
}

/* What an earlier save has left; not what another one still writes to. */
static int remove_old(const char *part, struct mext_why *why)
{
    int fd = open(part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    int busy = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB);
    int rc;

    if (busy)
        rc = mext_fail(why, "%.400s: another xl save writes to it", part);
    else
        rc = unlink(part) && errno != ENOENT ? cannot(part, why) : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

/* A file that nobody else writes to: its descriptor, -1 and why. */
static int open_part(const char *part, struct mext_why *why)
{
    int fd;

    /* No other's file that is there already, nor where a link leads. */
    if (remove_old(part, why))
        return -1;
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot(part, why);
    if (!flock(fd, LOCK_EX | LOCK_NB) && is_ours(part, fd))
        return fd;
    close(fd);
    return mext_fail(why, "%.400s: another xl save writes to it", part);
}

int mext_saved_create(const char *path, int level, struct mext_saved_out **o_r,
                      struct mext_why *why)
{
    struct mext_saved_out *o;
    int fd;

    if (place_check(path, why))
        return -1;
    o = calloc(1, sizeof(*o));
    if (!o || !(o->path = strdup(path)) ||
        asprintf(&o->part, "%s.part", path) < 0 ||
        (level && set_up_packing(o, level))) {
        mext_saved_close(o);
        return mext_fail(why, "out of memory");
    }
    fd = open_part(o->part, why);
    if (fd >= 0 && !(o->file = fdopen(fd, "w"))) {
        cannot(o->part, why);
        close(fd);
    }
    if (!o->file) {
        mext_saved_close(o);
        return -1;
    }
    setvbuf(o->file, NULL, _IOFBF, BUFFER);
    crypto_generichash_init(&o->sum, NULL, 0, MEXT_DIGEST_LEN);
    *o_r = o;
    return 0;
}

static int put(struct mext_saved_out *o, const void *p, size_t n,
               struct mext_why *why)
{
    if (fwrite(p, 1, n, o->file) != n)
        return cannot(o->part, why);
    crypto_generichash_update(&o->sum, p, n);
    o->len += n;
    return 0;
}

/* Until all of it is taken, with ZSTD_e_end also until all has come out. */
static int pack(struct mext_saved_out *o, const void *p, size_t n,
                ZSTD_EndDirective how, struct mext_why *why)
{
    ZSTD_inBuffer in = { p, n, 0 };
    size_t left;

    do {
        ZSTD_outBuffer out = { o->packed, sizeof(o->packed), 0 };

        left = ZSTD_compressStream2(o->z, &out, &in, how);
        if (ZSTD_isError(left))
            return mext_fail(why, "%.400s: %s", o->part,
                             ZSTD_getErrorName(left));
        if (put(o, o->packed, out.pos, why))
            return -1;
    } while (how == ZSTD_e_end ? left : in.pos < in.size);
    return 0;
}

int mext_saved_write(struct mext_saved_out *o, const void *p, size_t n,
                     struct mext_why *why)
{
    return o->z ? pack(o, p, n, ZSTD_e_continue, why) : put(o, p, n, why);
}

uint64_t mext_saved_len(const struct mext_saved_out *o)
{
    return o->len;
}

int mext_saved_flush(struct mext_saved_out *o, struct mext_why *why)
{
    uint8_t trailer[MEXT_SAVED_TRAILER];

    if (o->z && pack(o, NULL, 0, ZSTD_e_end, why))
        return -1;
    memcpy(trailer, mext_saved_trailer_head, MEXT_SAVED_HEAD);
    crypto_generichash_final(&o->sum, trailer + MEXT_SAVED_HEAD,
                             MEXT_DIGEST_LEN);
    if (fwrite(trailer, 1, sizeof(trailer), o->file) != sizeof(trailer) ||
        fflush(o->file) || fsync(fileno(o->file)))
        return cannot(o->part, why);
    o->len += sizeof(trailer);
    return 0;
}

/*
 * The name is there after a power cut.  If that is not sure it is taken away again: the
 * guest goes on, and no file of it may be restored.
 */
int mext_saved_name(struct mext_saved_out *o, struct mext_why *why)
{
    char *copy = strdup(o->path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                  : -1;
    int rc = -1;

    if (fd < 0) {
        cannot(o->path, why);
    } else if (!is_ours(o->part, fileno(o->file))) {
        mext_fail(why, "%.400s was taken away while it was written", o->part);
    } else if (rename(o->part, o->path)) {
        cannot(o->path, why);
    } else {
        o->done = true;
        rc = fsync(fd) ? cannot(o->path, why) : 0;
        if (rc)
            unlink(o->path);
    }
    if (fd >= 0)
        close(fd);
    free(copy);
    return rc;
}

void mext_saved_close(struct mext_saved_out *o)
{
    if (!o)
        return;
    if (o->file && !o->done && is_ours(o->part, fileno(o->file)))
        unlink(o->part);
    if (o->file)
        fclose(o->file);
    ZSTD_freeCCtx(o->z);
    free(o->path);
    free(o->part);
    free(o);
}
