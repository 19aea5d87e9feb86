/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freezing and slowing cgroups, version 2 or 1.  Before anything is changed,
 * a line "FILE<tab>VALUE" that undoes it is in STATE, so that it can be undone by
 * whoever comes after.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define STATE "/run/mext-agent.state"
#define ROOT  "/sys/fs/cgroup/"

#define FILE_MAX (AGENT_PATH_MAX + 64)

static int remember(const char *file, const char *value)
{
    int fd = open(STATE, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  0600);
    char line[FILE_MAX + 64];
    int n = snprintf(line, sizeof(line), "%s\t%s\n", file, value);
    bool ok = fd >= 0 && n < (int)sizeof(line) &&
              write(fd, line, (size_t)n) == n;

    if (fd >= 0)
        close(fd);
    return ok ? 0 : -1;
}

static void undo_line(char *line)
{
    char *tab = strchr(line, '\t');

    if (!tab || strncmp(line, ROOT, strlen(ROOT)) || strstr(line, ".."))
        return;
    *tab = 0;
    if (agent_write_file(line, tab + 1) && errno != ENOENT && errno != ENODEV)
        agent_log("cannot write %s to %s: %s", tab + 1, line, strerror(errno));
}

void cgroups_undo(void)
{
    FILE *f = fopen(STATE, "re");
    char line[FILE_MAX + 64];

    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        undo_line(line);
    }
    fclose(f);
    unlink(STATE);
}

/* True if this process is in the cgroup or below it. */
static bool holds_us(const char *name)
{
    char text[4096], *rest = text, *line;
    size_t n = strlen(name);

    if (agent_read_file("/proc/self/cgroup", text, sizeof(text)) < 0)
        return true; /* better not frozen than frozen for ever */
    while ((line = strsep(&rest, "\n"))) {
        char *path = strchr(line, ':');

        path = path ? strchr(path + 1, ':') : NULL;
        if (path && !strncmp(path + 1, "/", 1) && !strncmp(path + 2, name, n) &&
            (!path[2 + n] || path[2 + n] == '/'))
            return true;
    }
    return false;
}

/* The file that exists: version 2, hybrid, version 1; its values. */
static bool freezer(const char *name, char file[FILE_MAX], bool *v2_r)
{
    static const struct {
        const char *prefix, *suffix;
        bool v2;
    } places[] = {
        { ROOT, "cgroup.freeze", true },
        { ROOT "unified/", "cgroup.freeze", true },
        { ROOT "freezer/", "freezer.state", false },
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(file, FILE_MAX, "%s%s/%s", places[i].prefix, name,
                 places[i].suffix);
        *v2_r = places[i].v2;
        if (!access(file, W_OK))
            return true;
    }
    return false;
}

static bool is_frozen(const char *file, bool v2)
{
    char events[FILE_MAX], text[256];

    if (!v2)
        return agent_read_file(file, text, sizeof(text)) > 0 &&
               !strncmp(text, "FROZEN", 6);
    snprintf(events, sizeof(events), "%.*scgroup.events",
             (int)(strrchr(file, '/') + 1 - file), file);
    return agent_read_file(events, text, sizeof(text)) > 0 &&
           strstr(text, "frozen 1");
}

/* Frozen by others, who are to find it so. */
static bool is_theirs(const char *file, bool v2)
{
    const char *set = v2 ? "1" : "FROZEN";
    char text[256];

    return agent_read_file(file, text, sizeof(text)) > 0 &&
           !strncmp(text, set, strlen(set));
}

static int freeze(const char *name, uint64_t end_ms, struct agent_why *why)
{
    char file[FILE_MAX];
    bool v2;

    if (holds_us(name))
        return agent_fail(why, MEXT_AGENT_E_FAILED,
                          "cgroup %.100s holds the agent", name);
    if (!freezer(name, file, &v2))
        return agent_fail(why, MEXT_AGENT_E_FAILED,
                          "no cgroup %.100s that can be frozen", name);
    if (is_theirs(file, v2))
        return 0;
    if (remember(file, v2 ? "0" : "THAWED") ||
        agent_write_file(file, v2 ? "1" : "FROZEN"))
        return agent_fail(why, MEXT_AGENT_E_FAILED, "freezing %.100s: %s", name,
                          strerror(errno));
    while (!is_frozen(file, v2)) {
        if (agent_now_ms() >= end_ms)
            return agent_fail(why, MEXT_AGENT_E_DEADLINE, "freezing %.100s",
                              name);
        agent_sleep_ms(1);
    }
    return 0;
}

int cgroups_freeze(const struct agent_config *c, uint64_t end_ms, unsigned *n_r,
                   struct agent_why *why)
{
    for (unsigned i = 0; i < c->ncgroups; i++)
        if (freeze(c->cgroups[i], end_ms, why)) {
            cgroups_undo();
            return -1;
        }
    *n_r = c->ncgroups;
    return 0;
}

static int calm(const char *name, unsigned percent, struct agent_why *why)
{
    char file[FILE_MAX], old[64], value[64];
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    snprintf(file, sizeof(file), ROOT "%s/cpu.max", name);
    if (agent_read_file(file, old, sizeof(old)) <= 0)
        return agent_fail(why, MEXT_AGENT_E_FAILED,
                          "no cgroup %.100s that can be slowed", name);
    old[strcspn(old, "\n")] = 0;
    snprintf(value, sizeof(value), "%ld 100000",
             (cpus > 0 ? cpus : 1) * 1000 * (long)percent);
    if (remember(file, old) || agent_write_file(file, value))
        return agent_fail(why, MEXT_AGENT_E_FAILED, "slowing %.100s: %s", name,
                          strerror(errno));
    return 0;
}

int cgroups_calm(const struct agent_config *c, unsigned percent, unsigned *n_r,
                 struct agent_why *why)
{
    for (unsigned i = 0; i < c->ncgroups; i++)
        if (calm(c->cgroups[i], percent, why)) {
            cgroups_undo();
            return -1;
        }
    *n_r = c->ncgroups;
    return 0;
}
