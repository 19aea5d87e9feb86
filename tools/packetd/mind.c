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
#include "mext_minds.h"
#include "mind.h"

#define MADE        " made\n"
#define ANEW        "anew\n"
#define CONFIG_PATH (MEXT_MINDS_PATH + sizeof(".new"))
#define OTHERS_S \
    5 /* so long who else may mind a guest that stayed acts first */

static int open_file(const uint8_t id[MEXT_ID_LEN])
{
    char path[MEXT_MINDS_PATH];

    mext_minds_path(id, path);
    mkdir(MEXT_MINDS_DIR, 0700); /* or it is there */
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/*
 * What is written: MEXT_MINDS_OVER; ANEW, its domain goes and another is made, as the
 * file beside this one says; the domain that the guest has since it was started
 * again, and MADE if it has yet to be let run.
 */
static void read_word(int fd, char out[16])
{
    ssize_t n = pread(fd, out, 15, 0);

    out[n > 0 ? n : 0] = 0;
}

static bool is_word(int fd, const char *expected)
{
    char word[16];

    read_word(fd, word);
    return !strcmp(word, expected);
}

static bool is_over(int fd)
{
    return is_word(fd, MEXT_MINDS_OVER);
}

/* The domain that a minder before this one had last; whether it is to be let run. */
static uint32_t domain_of(int fd, const struct mext_entry *e, bool *made_r)
{
    char word[16], *end;
    unsigned long n;

    read_word(fd, word);
    n = strtoul(word, &end, 10);
    *made_r = !strcmp(end, MADE);
    return n && n <= MEXT_DOMID_MAX ? (uint32_t)n : e->domid;
}

enum care { CARE_OVER, CARE_TAKEN, CARE_WANTED };

static enum care care_of(const struct mext_entry *e)
{
    static uint8_t boot[MEXT_BOOT_LEN];
    static bool known;
    struct mext_why quiet;
    char path[MEXT_MINDS_PATH];
    bool came = e->noted == MEXT_NOTED_RUNNING;
    enum care c;
    int fd;

    if (!came && e->noted != MEXT_NOTED_KEPT)
        return CARE_OVER;
    known = known || !mext_boot_id(boot, &quiet);
    if (!known)
        return CARE_TAKEN; /* for all that can be told */
    if (memcmp(boot, e->boot, sizeof(boot)))
        return CARE_OVER;
    mext_minds_path(e->id, path);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return came ? CARE_WANTED : CARE_OVER; /* it never suspended */
    if (fd < 0)
        return CARE_TAKEN;
    c = is_over(fd)             ? CARE_OVER
        : mext_jfile_locked(fd) ? CARE_TAKEN
                                : CARE_WANTED;
    close(fd);
    return c;
}

bool mind_wanted(const struct mext_entry *e)
{
    return care_of(e) == CARE_WANTED;
}

bool mind_over(const struct mext_entry *e)
{
    return care_of(e) == CARE_OVER;
}

static int write_word(int fd, const char *word)
{
    ssize_t n = (ssize_t)strlen(word);

    return ftruncate(fd, 0) || pwrite(fd, word, (size_t)n, 0) != n ? -1 : 0;
}

int mind_not(const uint8_t id[MEXT_ID_LEN], struct mext_why *why)
{
    int fd = open_file(id), rc = fd < 0 ? -1 : write_word(fd, MEXT_MINDS_OVER);

    if (rc)
        mext_fail(why, "cannot write to " MEXT_MINDS_DIR ": %s",
                  strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Who minds a guest. */
struct minder {
    const char *name; /* the guest's */
    int fd;
    char config[CONFIG_PATH]; /* of ANEW */
};

static void config_path(const uint8_t id[MEXT_ID_LEN], char out[CONFIG_PATH])
{
    char path[MEXT_MINDS_PATH];

    mext_minds_path(id, path);
    snprintf(out, CONFIG_PATH, "%s.new", path);
}

static void note(void *arg, const char *text)
{
    const struct minder *m = arg;

    packetd_log("%s: %s", m->name, text);
}

/* To be started again: whoever minds it after this process has to know how. */
static void anew(void *arg, const char *json)
{
    const struct minder *m = arg;
    ssize_t len = (ssize_t)strlen(json);
    int fd = open(m->config,
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = fd >= 0 && write(fd, json, (size_t)len) == len;

    if (fd >= 0)
        close(fd);
    if (!written || write_word(m->fd, ANEW))
        note(arg, "how it is started again is not written down");
}

/* Started again, likewise. */
static void again(void *arg, uint32_t domid, bool runs)
{
    const struct minder *m = arg;
    char word[16];

    snprintf(word, sizeof(word), "%u%s", domid, runs ? "\n" : MADE);
    if (write_word(m->fd, word))
        note(arg, "its new number is not written down");
    else
        unlink(m->config);
}

/* What `anew` wrote, with a NUL; NULL: it cannot be read. */
static char *read_config(const struct minder *m)
{
    int fd = open(m->config, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    char *json = NULL;

    if (fd >= 0 && !fstat(fd, &st) && st.st_size > 0 &&
        (json = calloc(1, (size_t)st.st_size + 1)) &&
        read(fd, json, (size_t)st.st_size) != st.st_size) {
        free(json);
        json = NULL;
    }
    if (fd >= 0)
        close(fd);
    return json;
}

/* Whoever was at it died: 0, and the domain that the guest has now; 1 it has none; -1. */
static int go_on_anew(struct minder *m, struct mext_lxl *l,
                      const struct mext_minding *how, uint32_t *domid_r)
{
    char *json = read_config(m);
    int rc;

    note(m, "who minded the guest died as it was to be started again");
    rc = mext_lxl_anew(l, json ? json : "", how, domid_r);
    free(json);
    return rc ? -1 : !*domid_r;
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
        mext_journal_read(journals, id, MEXT_SIDE_DEST, &e, &quiet) <= 0 ||
        mext_journal_read(journals, id, MEXT_SIDE_SOURCE, &e, &quiet) <= 0)
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
    DIR *d = opendir(MEXT_MINDS_DIR);

    while (d && !packetd_journal_dir(p, journals, &quiet) && (at = readdir(d)))
        if (is_old(dirfd(d), at->d_name, journals))
            unlinkat(dirfd(d), at->d_name, 0);
    if (d)
        closedir(d);
}

/* Whoever made it anew died before it let it run. */
static void let_run(struct minder *m, struct mext_lxl *l, uint32_t domid,
                    bool paused)
{
    struct mext_why why;

    if (paused && mext_lxl_unpause(l, domid, &why))
        note(m, why.text);
    else
        again(m, domid, true);
}

struct other {
    const struct mext_entry *ours;
    bool found;
};

/* Of one guest's the one that began first minds it; packetd starts it if need be. */
static bool is_earlier(void *arg, const struct mext_entry *e, bool alive)
{
    struct other *o = arg;
    const struct mext_entry *ours = o->ours;

    (void)alive;
    if (!memcmp(e->id, ours->id, sizeof(e->id)) ||
        memcmp(e->uuid, ours->uuid, sizeof(e->uuid)) ||
        e->changed > ours->changed ||
        (e->changed == ours->changed &&
         memcmp(e->id, ours->id, sizeof(e->id)) > 0))
        return false;
    o->found = !mind_over(e);
    return o->found;
}

/* One that went away and came back is minded by who came with it. */
static bool is_minded(const struct packetd *p, const struct mext_entry *e)
{
    struct other o = { .ours = e };
    struct mext_why quiet;
    char dir[4096];

    return e->noted == MEXT_NOTED_KEPT &&
           !packetd_journal_dir(p, dir, &quiet) &&
           !mext_journal_each(dir, is_earlier, &o, &quiet) && o.found;
}

/* 0 when there is nothing more to mind. */
static int stay(const struct packetd *p, const struct mext_entry *e, int fd)
{
    struct minder m = { .name = e->name, .fd = fd };
    const struct mext_minding how = { note, anew, again, &m };
    struct mext_domain_now now;
    struct mext_lxl *l;
    struct mext_why why;
    bool made;
    uint32_t domid = domain_of(fd, e, &made);
    int r = 0;

    if (mext_lxl_open(p->verbosity, &l, &why)) {
        packetd_log("%s is not minded: %s", e->name, why.text);
        return -1;
    }
    config_path(e->id, m.config);
    if (is_word(fd, ANEW))
        r = go_on_anew(&m, l, &how, &domid);
    if (r == 0)
        r = mext_lxl_now(l, domid, &now);
    if (r == 0 && memcmp(now.uuid, e->uuid, sizeof(now.uuid)))
        r = 1;
    if (r == 0 && made)
        let_run(&m, l, domid, now.paused);
    if (r == 0)
        r = mext_lxl_mind(l, domid, e->noted == MEXT_NOTED_KEPT ? OTHERS_S : 0,
                          &how);
    mext_lxl_close(l);
    return r < 0 ? -1 : 0;
}

static int mind_here(const struct packetd *p, const struct mext_entry *e)
{
    char config[CONFIG_PATH];
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
    if (!is_minded(p, e) && stay(p, e, fd))
        return 1;
    config_path(e->id, config);
    unlink(config); /* of a guest that could not be made */
    return write_word(fd, MEXT_MINDS_OVER) ? 1 : 0;
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
