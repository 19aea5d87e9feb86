/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ids already seen: one empty file each, named EXPIRY-ID in hex, created with
 * O_EXCL.  An id is forgotten only once its token is expired by far, so that
 * a clock step back within the skew cannot revive it.
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

#define KEEP_S (24 * 3600)

/* True if the id is among the names; drops those long expired. */
static bool seen(const char *dir, int dirfd_, const char *hex, uint64_t now)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    bool found = false;

    while (d && (e = readdir(d))) {
        char *dash;
        uint64_t expiry = strtoull(e->d_name, &dash, 16);

        if (*dash != '-' || strlen(dash + 1) != 2 * MEXT_ID_LEN)
            continue;
        if (!strcmp(dash + 1, hex))
            found = true;
        else if (expiry + KEEP_S < now)
            unlinkat(dirfd_, e->d_name, 0);
    }
    if (d)
        closedir(d);
    return found;
}

/* Creates the id's file so that it survives a power cut. */
static int record(int dfd, const char *name)
{
    int rc,
        fd = openat(dfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    rc = fsync(fd) || fsync(dfd);
    close(fd);
    return rc ? -1 : 0;
}

unsigned packetd_replay_new(const char *state_dir,
                            const uint8_t id[MEXT_ID_LEN], uint64_t expiry,
                            uint64_t now, struct mext_why *why)
{
    char hex[2 * MEXT_ID_LEN + 1], name[64], dir[512];
    unsigned code = 0;
    int dfd;

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    snprintf(name, sizeof(name), "%016" PRIx64 "-%s", expiry, hex);
    snprintf(dir, sizeof(dir), "%s/ids", state_dir);
    mkdir(state_dir, 0700);
    mkdir(dir, 0700);
    dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dfd >= 0 && seen(dir, dfd, hex, now)) {
        mext_fail(why, "%s", hex);
        code = MEXT_E_REPLAY;
    } else if (dfd < 0 || record(dfd, name)) {
        mext_fail(why, "%s cannot be written: %s", dir, strerror(errno));
        code = errno == EEXIST ? MEXT_E_REPLAY : MEXT_E_INTERNAL;
    }
    if (dfd >= 0)
        close(dfd);
    return code;
}
