/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

/* What is written: OVER; the domain that the guest has since it was started again. */
static void read_word(int fd, char out[16])
{
    ssize_t n = pread(fd, out, 15, 0);

    out[n > 0 ? n : 0] = 0;
}

static bool is_over(int fd)
{
    char word[16];

    read_word(fd, word);
    return !strcmp(word, OVER);
}

/* The domain that a minder before this one had last. */
static uint32_t domain_of(int fd, const struct mext_entry *e)
{
    char word[16];
    unsigned long n;

    read_word(fd, word);
    n = strtoul(word, NULL, 10);
    return n && n <= MEXT_DOMID_MAX ? (uint32_t)n : e->domid;
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

static int write_word(int fd, const char *word)
{
    ssize_t n = (ssize_t)strlen(word);

    return ftruncate(fd, 0) || pwrite(fd, word, (size_t)n, 0) != n ? -1 : 0;
}

int mind_not(const uint8_t id[MEXT_ID_LEN], struct mext_why *why)
{
    int fd = open_file(id), rc = fd < 0 ? -1 : write_word(fd, OVER);

    if (rc)
        mext_fail(why, "cannot write to " MINDS ": %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Who minds a guest. */
struct minder {
    const char *name; /* the guest's */
    int fd;
};

static void note(void *arg, const char *text)
{
    const struct minder *m = arg;

    packetd_log("%s: %s", m->name, text);
}

/* Started again: whoever minds it after this process has to know. */
static void again(void *arg, uint32_t domid)
{
    const struct minder *m = arg;
    char word[16];

    snprintf(word, sizeof(word), "%u\n", domid);
    if (write_word(m->fd, word))
        note(arg, "its new number is not written down");
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
        mext_journal_read(journals, id, MEXT_SIDE_DEST, &e, &quiet) <= 0)
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

/* 0 when there is nothing more to mind. */
static int stay(const struct packetd *p, const struct mext_entry *e, int fd)
{
    struct minder m = { e->name, fd };
    uint32_t domid = domain_of(fd, e);
    struct mext_domain_now now;
    struct mext_lxl *l;
    struct mext_why why;
    int r;

    if (mext_lxl_open(p->verbosity, &l, &why)) {
        packetd_log("%s is not minded: %s", e->name, why.text);
        return -1;
    }
    r = mext_lxl_now(l, domid, &now);
    if (r == 0 && !memcmp(now.uuid, e->uuid, sizeof(now.uuid)))
        r = mext_lxl_mind(l, domid, note, again, &m);
    mext_lxl_close(l);
    return r < 0 ? -1 : 0;
}

static int mind_here(const struct packetd *p, const struct mext_entry *e)
{
    int fd;

    /* Of a migration they are handled otherwise. */
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    closefrom(STDERR_FILENO + 1);
    if (setsid() < 0 || (fd = open_file(e->id)) < 0) {
        packetd_log("%s is not minded: %s", e->name, strerror(errno));
        return 1;
    }
    if (mext_jfile_lock(fd) || is_over(fd))
        return 0;
    tidy(p);
    return stay(p, e, fd) || write_word(fd, OVER);
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
