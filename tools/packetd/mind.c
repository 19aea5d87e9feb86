/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_journal_file.h"
#include "mext_libxl.h"
#include "mind.h"

#define MINDS MEXT_RUNDIR "/packetd-minds"
#define OVER  "over\n"

static void path_of(const uint8_t id[MEXT_ID_LEN], char out[128])
{
    char hex[2 * MEXT_ID_LEN + 1];

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    snprintf(out, 128, MINDS "/%s", hex);
}

static int open_file(const uint8_t id[MEXT_ID_LEN])
{
    char path[128];

    path_of(id, path);
    mkdir(MINDS, 0700); /* or it is there */
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool is_over(int fd)
{
    struct stat st;

    return !fstat(fd, &st) && st.st_size > 0;
}

bool mind_wanted(const struct mext_entry *e)
{
    static uint8_t boot[MEXT_BOOT_LEN];
    static bool known;
    struct mext_why quiet;
    char path[128];
    bool wanted;
    int fd;

    if (e->side != MEXT_SIDE_DEST || e->noted != MEXT_NOTED_RUNNING)
        return false;
    known = known || !mext_boot_id(boot, &quiet);
    if (!known || memcmp(boot, e->boot, sizeof(boot)))
        return false;
    path_of(e->id, path);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT;
    wanted = !is_over(fd) && !mext_jfile_locked(fd);
    close(fd);
    return wanted;
}

static int write_over(int fd)
{
    return write(fd, OVER, strlen(OVER)) == (ssize_t)strlen(OVER) ? 0 : -1;
}

int mind_not(const uint8_t id[MEXT_ID_LEN], struct mext_why *why)
{
    int fd = open_file(id), rc = fd < 0 ? -1 : write_over(fd);

    if (rc)
        mext_fail(why, "cannot write to " MINDS ": %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

static void note(void *arg, const char *text)
{
    packetd_log("%s: %s", (const char *)arg, text);
}

/* Whose journal has expired, and nobody minds it. */
static bool is_old(int minds, const char *name, const char *journals)
{
    uint8_t id[MEXT_ID_LEN];
    struct mext_entry e;
    struct mext_why quiet;
    bool locked;
    int fd;

    if (sodium_hex2bin(id, sizeof(id), name, strlen(name), NULL, NULL, NULL) ||
        !mext_journal_read(journals, id, MEXT_SIDE_DEST, &e, &quiet))
        return false;
    fd = openat(minds, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    locked = fd < 0 || mext_jfile_locked(fd);
    if (fd >= 0)
        close(fd);
    return !locked;
}

static void tidy(const struct packetd *p)
{
    struct mext_why quiet;
    struct dirent *at;
    char journals[4096];
    DIR *d = opendir(MINDS);

    while (d && !packetd_journal_dir(p, journals, &quiet) && (at = readdir(d)))
        if (is_old(dirfd(d), at->d_name, journals))
            unlinkat(dirfd(d), at->d_name, 0);
    if (d)
        closedir(d);
}

/* Returns when there is nothing more to mind. */
static int stay(const struct packetd *p, const struct mext_entry *e)
{
    struct mext_domain_now now;
    struct mext_lxl *l;
    struct mext_why why;

    if (mext_lxl_open(p->verbosity, &l, &why)) {
        packetd_log("%s is not minded: %s", e->name, why.text);
        return -1;
    }
    if (!mext_lxl_now(l, e->domid, &now) &&
        !memcmp(now.uuid, e->uuid, sizeof(now.uuid)))
        mext_lxl_mind(l, e->domid, note, (char *)e->name);
    mext_lxl_close(l);
    return 0;
}

static int mind_here(const struct packetd *p, const struct mext_entry *e)
{
    int fd;

    closefrom(STDERR_FILENO + 1);
    if (setsid() < 0 || (fd = open_file(e->id)) < 0) {
        packetd_log("%s is not minded: %s", e->name, strerror(errno));
        return 1;
    }
    if (mext_jfile_lock(fd) || is_over(fd))
        return 0;
    tidy(p);
    return stay(p, e) || write_over(fd);
}

void mind(const struct packetd *p, const struct mext_entry *e)
{
    struct mext_entry copy = *e;
    pid_t pid = fork();

    if (pid == 0)
        _exit(mind_here(p, &copy));
    if (pid < 0)
        packetd_log("%s is not minded yet: %s", e->name, strerror(errno));
}
