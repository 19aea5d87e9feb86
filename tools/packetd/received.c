/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mext_libxl.h"
#include "mext_net.h"
#include "received.h"

#define UUID_LEN    36
#define KEY_MAX     64 /* bytes of a name in the trust folder */
#define DOMAINS_MAX 4096
#define AWAY_S      300

int received_lock(const char *state_dir, struct mext_why *why)
{
    char dir[512];
    int fd = -1;

    snprintf(dir, sizeof(dir), "%s/received", state_dir);
    if ((mkdir(dir, 0700) && errno != EEXIST) ||
        (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
        flock(fd, LOCK_EX)) {
        mext_fail(why, "%.200s: %s", dir, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* The uuid of a domain is the end of the path of its /vm. */
static bool read_uuid(struct mext_store *store, uint32_t domid,
                      char uuid_r[UUID_LEN + 1])
{
    char vm[64];
    int n = mext_store_read(store, domid, "vm", vm, sizeof(vm));

    if (n != UUID_LEN + 4 || strncmp(vm, "/vm/", 4) || strchr(vm + 4, '/'))
        return false;
    strcpy(uuid_r, vm + 4);
    return true;
}

/* A guest on its way here has a name with an end to it. */
static bool read_name(struct mext_store *store, uint32_t domid, char *name_r,
                      size_t max)
{
    int n = mext_store_read(store, domid, "name", name_r, max), k;

    k = n - (int)strlen(MEXT_INCOMING_SUFFIX);
    if (k > 0 && !strcmp(name_r + k, MEXT_INCOMING_SUFFIX))
        name_r[k] = 0;
    return n > 0;
}

static bool read_key(int lock, const char *uuid, char key_r[KEY_MAX + 1])
{
    int fd = openat(lock, uuid, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, key_r, KEY_MAX);

    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return false;
    key_r[n] = 0;
    return true;
}

static bool is_here(const char (*uuids)[UUID_LEN + 1], unsigned n,
                    const char *uuid)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(uuids[i], uuid))
            return true;
    return false;
}

#define HERE 0600
#define AWAY 0400 /* since the file's time */

/* One that is started again is away for a moment; after a while it is for good. */
static bool is_gone(int lock, const char *uuid)
{
    struct stat st;

    if (fstatat(lock, uuid, &st, AT_SYMLINK_NOFOLLOW))
        return true;
    if ((st.st_mode & 07777) == AWAY)
        return time(NULL) - st.st_mtime > AWAY_S;
    utimensat(lock, uuid, NULL, AT_SYMLINK_NOFOLLOW);
    fchmodat(lock, uuid, AWAY, 0);
    return false;
}

/* Drops the files of guests that have not been among those here for a while. */
static void forget(int lock, const char (*uuids)[UUID_LEN + 1], unsigned n)
{
    int fd = openat(lock, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    while (d && (e = readdir(d)))
        if (e->d_name[0] == '.')
            continue;
        else if (is_here(uuids, n, e->d_name))
            fchmodat(lock, e->d_name, HERE, 0);
        else if (is_gone(lock, e->d_name))
            unlinkat(lock, e->d_name, 0);
    if (d)
        closedir(d);
}

int received_count(int lock, struct mext_store *store, const struct policy *p,
                   const struct policy_accept *rule, struct mext_why *why)
{
    static uint32_t domains[DOMAINS_MAX];
    static char uuids[DOMAINS_MAX][UUID_LEN + 1];
    int n = mext_store_domains(store, domains, DOMAINS_MAX), count = 0;
    unsigned known = 0;
    char key[KEY_MAX + 1], name[256];

    if (n < 0)
        return mext_fail(why, "xenstore does not say which guests are here");
    for (int i = 0; i < n; i++) {
        if (!read_uuid(store, domains[i], uuids[known]))
            continue;
        if (read_key(lock, uuids[known], key) &&
            read_name(store, domains[i], name, sizeof(name)) &&
            policy_accept_find(p, key, name) == rule)
            count++;
        known++;
    }
    forget(lock, (const char(*)[UUID_LEN + 1]) uuids, known);
    return count;
}

int received_note(int lock, struct mext_store *store, uint32_t domid,
                  const char *key, struct mext_why *why)
{
    char uuid[UUID_LEN + 1];
    size_t n = strlen(key);
    int fd, rc;

    if (!read_uuid(store, domid, uuid))
        return mext_fail(why, "domain %u has no uuid in xenstore", domid);
    fd = openat(lock, uuid, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, HERE);
    rc = fd < 0 || write(fd, key, n) != (ssize_t)n || fsync(fd);
    if (rc)
        mext_fail(why, "%s in received: %s", uuid, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc ? -1 : 0;
}
