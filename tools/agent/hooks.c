/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

/* What each that undoes something has, however slow the others were. */
#define LEAST_MS 2000

/* That pre.d has begun, and post.d has not been run since; for who comes after. */
#define BEGUN "/run/mext-agent.hooks"

/* Only root's, which nobody else may change: it runs as root. */
static bool trusted(const char *path, mode_t type)
{
    struct stat st;

    return !stat(path, &st) && (st.st_mode & S_IFMT) == type &&
           st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* As run-parts: no copies of an editor or of a package manager. */
static int wanted(const struct dirent *d)
{
    return d->d_name[0] &&
           !d->d_name[strspn(d->d_name, "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_-")];
}

static void __attribute__((noreturn)) run(const char *path, const char *sub)
{
    char *const argv[] = { (char *)path, (char *)sub, NULL };
    int null = open("/dev/null", O_RDWR);
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null, 0);
    dup2(2, 1);
    close_range(3, ~0U, 0);
    execv(path, argv);
    _exit(127);
}

static int run_one(const char *path, const char *sub, uint64_t end_ms,
                   struct agent_why *why)
{
    pid_t pid = fork();
    int status;

    if (pid < 0)
        return agent_fail(why, MEXT_AGENT_E_FAILED, "fork: %s",
                          strerror(errno));
    if (!pid)
        run(path, sub);
    status = agent_wait_child(pid, end_ms);
    if (status < 0)
        return agent_fail(why, MEXT_AGENT_E_DEADLINE, "hook %.150s", path);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return agent_fail(
            why, MEXT_AGENT_E_FAILED, "hook %.150s: status %d", path,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}

int hooks_begin(struct agent_why *why)
{
    int fd = open(BEGUN, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return agent_fail(why, MEXT_AGENT_E_FAILED, BEGUN ": %s",
                          strerror(errno));
    close(fd);
    return 0;
}

bool hooks_begun(void)
{
    return !access(BEGUN, F_OK);
}

void hooks_end(void)
{
    unlink(BEGUN);
}

int hooks_run(const char *dir, const char *sub, uint64_t end_ms, bool strict,
              unsigned *n_r, struct agent_why *why)
{
    char path[AGENT_PATH_MAX + NAME_MAX + 16];
    struct dirent **list = NULL;
    int n, rc = 0;

    *n_r = 0;
    snprintf(path, sizeof(path), "%s/%s", dir, sub);
    n = trusted(path, S_IFDIR) ? scandir(path, &list, wanted, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, list[i]->d_name);
        if (!(strict && rc) && trusted(path, S_IFREG) && !access(path, X_OK)) {
            uint64_t least = agent_now_ms() + LEAST_MS;

            rc = run_one(path, sub, strict || end_ms > least ? end_ms : least,
                         why);
            ++*n_r;
            if (rc)
                agent_log("%s: %s", mext_agent_reason(why->code), why->text);
        }
        free(list[i]);
    }
    free(list);
    return strict ? rc : 0;
}
