/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int mext_saved_create(const char *path, int level, struct mext_saved_out **o_r,
                      struct mext_why *why)
{
    struct mext_saved_out *o;
    int fd = -1;

    if (place_check(path, why))
        return -1;
    o = calloc(1, sizeof(*o));
    if (!o || !(o->path = strdup(path)) ||
        asprintf(&o->part, "%s.part", path) < 0 ||
        (level && set_up_packing(o, level))) {
        mext_saved_close(o);
        return mext_fail(why, "out of memory");
    }
    /* No other's file that is there already, nor where a link leads. */
    if (unlink(o->part) && errno != ENOENT)
        cannot(o->part, why);
    else if ((fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                        0600)) < 0)
        cannot(o->part, why);
    else if (!(o->file = fdopen(fd, "w")))
        cannot(o->part, why);
    if (!o->file) {
        if (fd >= 0)
            close(fd);
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

/* So that the name is there after a power cut. */
static int sync_folder(const char *path, struct mext_why *why)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                  : -1;
    int rc = fd < 0 || fsync(fd) ? cannot(path, why) : 0;

    if (fd >= 0)
        close(fd);
    free(copy);
    return rc;
}

int mext_saved_finish(struct mext_saved_out *o, struct mext_why *why)
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
    if (rename(o->part, o->path))
        return cannot(o->path, why);
    o->len += sizeof(trailer);
    o->done = true;
    return sync_folder(o->path, why);
}

void mext_saved_close(struct mext_saved_out *o)
{
    if (!o)
        return;
    if (o->file)
        fclose(o->file);
    if (o->file && !o->done)
        unlink(o->part);
    ZSTD_freeCCtx(o->z);
    free(o->path);
    free(o->part);
    free(o);
}
