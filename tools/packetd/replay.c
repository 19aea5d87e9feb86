/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ids already seen (docs/specs/token.md, "Once only"): one empty file each,
 * named EXPIRY-ID in hex, created with O_EXCL.  Ids long expired are forgotten,
 * and EXPIRY-floor remembers the highest expiry of them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "packetd.h"

#define FLOOR "floor"

struct ids {
    int fd; /* of the folder */
    const char *hex;
    uint64_t before; /* what expired before then is forgotten */
    uint64_t floor;  /* on disk */
    uint64_t forget; /* highest expiry of what is to be forgotten */
    bool seen;
};

/* EXPIRY-REST, 16 lower-case digits; REST, or NULL if it is no such name. */
static const char *parse(const char *name, uint64_t *expiry_r)
{
    if (strspn(name, "0123456789abcdef") != 16 || name[16] != '-')
        return NULL;
    *expiry_r = strtoull(name, NULL, 16);
    return name + 17;
}

static void look(struct ids *s, const char *name)
{
    uint64_t expiry;
    const char *rest = parse(name, &expiry);

    if (!rest)
        return;
    if (!strcmp(rest, FLOOR)) {
        if (expiry > s->floor)
            s->floor = expiry;
    } else if (!strcmp(rest, s->hex)) {
        s->seen = true;
    } else if (expiry < s->before && expiry > s->forget) {
        s->forget = expiry;
    }
}

static void drop(struct ids *s, const char *name)
{
    uint64_t expiry;
    const char *rest = parse(name, &expiry);

    if (!rest || !strcmp(rest, s->hex))
        return;
    if (expiry < (strcmp(rest, FLOOR) ? s->before : s->floor))
        unlinkat(s->fd, name, 0);
}

/* Calls fn with the name of each file; -1 with errno. */
static int each(struct ids *s, void (*fn)(struct ids *, const char *))
{
    int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    int saved;

    if (!d) {
        saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        return -1;
    }
    rewinddir(d);
    while (errno = 0, (e = readdir(d)))
        fn(s, e->d_name);
    saved = errno;
    closedir(d);
    errno = saved;
    return saved ? -1 : 0;
}

/* Creates EXPIRY-REST so that it survives a power cut; -1 with errno. */
static int record(int dfd, uint64_t expiry, const char *rest)
{
    char name[64];
    int rc, fd;

    snprintf(name, sizeof(name), "%016" PRIx64 "-%s", expiry, rest);
    fd = openat(dfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    rc = fsync(fd) || fsync(dfd);
    close(fd);
    return rc ? -1 : 0;
}

/* The floor first: a crash between the two forgets nothing. */
static int forget(struct ids *s)
{
    if (!s->forget)
        return 0;
    if (s->forget > s->floor) {
        if (record(s->fd, s->forget, FLOOR) && errno != EEXIST)
            return -1;
        s->floor = s->forget;
    }
    return each(s, drop);
}

static unsigned judge(struct ids *s, const char *dir, uint64_t expiry,
                      struct mext_why *why)
{
    if (each(s, look) || forget(s))
        goto failed;
    if (!s->seen && expiry <= s->floor) {
        mext_fail(why,
                  "ids of tokens that expired until second %" PRIu64
                  " are forgotten: was the clock set back? If it is right "
                  "now, and no old token may be about, remove "
                  "%s/%016" PRIx64 "-" FLOOR,
                  s->floor, dir, s->floor);
        return MEXT_E_REPLAY;
    }
    if (!s->seen && !record(s->fd, expiry, s->hex))
        return 0;
    if (s->seen || errno == EEXIST) {
        mext_fail(why, "%s", s->hex);
        return MEXT_E_REPLAY;
    }
failed:
    mext_fail(why, "%s cannot be used: %s", dir, strerror(errno));
    return MEXT_E_INTERNAL;
}

/* Opens DIR/ids, making both if need be; -1 with errno. */
static int open_ids(const char *state_dir, char *dir, size_t max)
{
    int fd;

    snprintf(dir, max, "%s/ids", state_dir);
    mkdir(state_dir, 0700);
    if (!mkdir(dir, 0700)) {
        fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            fsync(fd);
            close(fd);
        }
    }
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

unsigned packetd_replay_new(const char *state_dir,
                            const uint8_t id[MEXT_ID_LEN], uint64_t expiry,
                            uint64_t now, struct mext_why *why)
{
    char hex[2 * MEXT_ID_LEN + 1], dir[512];
    struct ids s = {
        .fd = open_ids(state_dir, dir, sizeof(dir)),
        .hex = hex,
        .before = now > MEXT_REPLAY_KEEP ? now - MEXT_REPLAY_KEEP : 0,
    };
    unsigned code;

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    if (s.fd < 0) {
        mext_fail(why, "%s cannot be opened: %s", dir, strerror(errno));
        return MEXT_E_INTERNAL;
    }
    code = judge(&s, dir, expiry, why);
    close(s.fd);
    return code;
}
