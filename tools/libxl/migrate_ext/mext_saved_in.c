/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>

#include "mext_net.h"
#include "mext_saved_priv.h"

const uint8_t mext_saved_trailer_head[MEXT_SAVED_HEAD] = {
    0x50, 0x2a, 0x4d, 0x18, 0x28, 0,   0,   0, /* to be skipped: 40 octets */
    'm',  'e',  'x',  't',  's',  'u', 'm', '1',
};

static const uint8_t zstd_magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

struct mext_saved_in {
    int fd;
    enum mext_saved_kind kind;
    uint64_t len, at; /* bytes before the trailer, read so far; not of STOCK */
    uint8_t sum[MEXT_DIGEST_LEN];
    ZSTD_DCtx *z;
    bool frame_over; /* packed: no frame is begun */
    size_t used, have;
    uint8_t buf[1u << 17];
};

/* n bytes at a place; -1: they are not there. */
static int read_at(int fd, uint64_t at, void *buf, size_t n)
{
    uint8_t *to = buf;

    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

static int set_up_unpacking(struct mext_saved_in *i)
{
    i->z = ZSTD_createDCtx();
    if (!i->z)
        return -1;
    ZSTD_DCtx_setParameter(i->z, ZSTD_d_windowLogMax, MEXT_SAVED_WINDOW_LOG);
    i->frame_over = true;
    return 0;
}

/* Which kind it is. */
static int look(struct mext_saved_in *i, struct mext_why *why)
{
    uint8_t magic[sizeof(zstd_magic)], end[MEXT_SAVED_TRAILER];
    struct stat st;
    bool packed;

    if (fstat(i->fd, &st))
        return mext_fail(why, "%s", strerror(errno));
    /* Of what is read from its middle on, nothing is known. */
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(end) ||
        lseek(i->fd, 0, SEEK_CUR))
        return 0;
    i->len = (uint64_t)st.st_size - sizeof(end);
    if (read_at(i->fd, 0, magic, sizeof(magic)) ||
        read_at(i->fd, i->len, end, sizeof(end)))
        return mext_fail(why, "cannot be read: %s", strerror(errno));
    packed = !memcmp(magic, zstd_magic, sizeof(magic));
    if (memcmp(end, mext_saved_trailer_head, MEXT_SAVED_HEAD))
        return packed ? mext_fail(why, "it is packed, and the sum at its end "
                                       "is missing: it is cut short")
                      : 0;
    i->kind = packed ? MEXT_SAVED_ZSTD : MEXT_SAVED_PLAIN;
    memcpy(i->sum, end + MEXT_SAVED_HEAD, sizeof(i->sum));
    return packed && set_up_unpacking(i) ? mext_fail(why, "out of memory") : 0;
}

int mext_saved_open(int fd, struct mext_saved_in **i_r, struct mext_why *why)
{
    struct mext_saved_in *i = calloc(1, sizeof(*i));

    if (!i)
        return mext_fail(why, "out of memory");
    i->fd = fd;
    if (look(i, why)) {
        mext_saved_close_in(i);
        return -1;
    }
    *i_r = i;
    return 0;
}

enum mext_saved_kind mext_saved_kind(const struct mext_saved_in *i)
{
    return i->kind;
}

int mext_saved_check(struct mext_saved_in *i, mext_saved_progress_fn *progress,
                     void *arg, struct mext_why *why)
{
    crypto_generichash_state sum;
    uint8_t out[MEXT_DIGEST_LEN];
    uint64_t at = 0;

    if (i->kind == MEXT_SAVED_STOCK)
        return 0;
    crypto_generichash_init(&sum, NULL, 0, sizeof(out));
    while (at < i->len) {
        size_t n = i->len - at < sizeof(i->buf) ? (size_t)(i->len - at)
                                                : sizeof(i->buf);

        if (read_at(i->fd, at, i->buf, n))
            return mext_fail(why, "cannot be read: %s", strerror(errno));
        crypto_generichash_update(&sum, i->buf, n);
        at += n;
        if (progress && progress(arg, at, i->len))
            return mext_fail(why, "cancelled");
    }
    crypto_generichash_final(&sum, out, sizeof(out));
    if (memcmp(out, i->sum, sizeof(out)))
        return mext_fail(why, "it is damaged: its sum is not the one at its "
                              "end");
    return mext_saved_rewind(i) ? mext_fail(why, "%s", strerror(errno)) : 0;
}

int mext_saved_rewind(struct mext_saved_in *i)
{
    i->at = 0;
    i->used = i->have = 0;
    i->frame_over = true;
    if (i->z)
        ZSTD_DCtx_reset(i->z, ZSTD_reset_session_only);
    return lseek(i->fd, 0, SEEK_SET) ? -1 : 0;
}

/* The file's next bytes, those before the trailer. */
static ptrdiff_t read_on(struct mext_saved_in *i, void *buf, size_t n)
{
    ssize_t got;

    if (i->kind != MEXT_SAVED_STOCK && n > i->len - i->at)
        n = (size_t)(i->len - i->at);
    if (!n)
        return 0;
    do
        got = read(i->fd, buf, n);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        i->at += (uint64_t)got;
    return got;
}

/* More of what is packed, if there is more. */
static int fill(struct mext_saved_in *i)
{
    ptrdiff_t got;

    if (i->used < i->have)
        return 0;
    got = read_on(i, i->buf, sizeof(i->buf));
    if (got < 0)
        return -1;
    i->used = 0;
    i->have = (size_t)got;
    return 0;
}

static ptrdiff_t unpack(struct mext_saved_in *i, void *buf, size_t n)
{
    ZSTD_outBuffer out = { buf, n, 0 };

    while (!out.pos) {
        ZSTD_inBuffer in;
        size_t left;

        if (fill(i))
            return -1;
        in = (ZSTD_inBuffer){ i->buf, i->have, i->used };
        if (!in.size && i->frame_over)
            return 0;
        /* Without input it gives what it has still kept. */
        left = ZSTD_decompressStream(i->z, &out, &in);
        if (ZSTD_isError(left) || (!in.size && !out.pos)) {
            errno = EBADMSG;
            return -1;
        }
        i->used = in.pos;
        i->frame_over = !left;
    }
    return (ptrdiff_t)out.pos;
}

ptrdiff_t mext_saved_read(struct mext_saved_in *i, void *buf, size_t n)
{
    if (!n)
        return 0;
    return i->kind == MEXT_SAVED_ZSTD ? unpack(i, buf, n) : read_on(i, buf, n);
}

int mext_saved_seek(struct mext_saved_in *i, uint64_t at)
{
    if (i->kind != MEXT_SAVED_STOCK) {
        errno = ESPIPE;
        return -1;
    }
    /* From where it was opened on, which need not be its beginning. */
    if (lseek(i->fd, (off_t)(at - i->at), SEEK_CUR) < 0)
        return -1;
    i->at = at;
    return 0;
}

void mext_saved_close_in(struct mext_saved_in *i)
{
    if (!i)
        return;
    ZSTD_freeDCtx(i->z);
    free(i);
}
