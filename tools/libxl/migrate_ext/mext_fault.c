/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mext_fault.h"

#ifdef MEXT_FAULT_INJECTION

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "mext_net.h"

#define FILE_MAX 4096
#define LINE_LEN 512

struct fault {
    char point[64];
    unsigned times; /* it is due when this comes to 1 */
    char action[8];
    char argument[LINE_LEN];
};

static bool parse(const char *line, struct fault *f)
{
    char name[64];
    char *at;

    f->argument[0] = '\0';
    if (sscanf(line, "%63s %7s %511[^\n]", name, f->action, f->argument) < 2)
        return false;
    at = strchr(name, '@');
    f->times = at ? (unsigned)strtoul(at + 1, NULL, 10) : 1;
    if (at)
        *at = '\0';
    strcpy(f->point, name);
    return true;
}

static void hit(const char *point, const char *action)
{
    int fd = open(MEXT_FAULT_HIT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                  0644);

    if (fd < 0 || dprintf(fd, "%s %s\n", point, action) < 0)
        abort();
    close(fd);
}

/*
 * Writes the file anew without the fault that is due, or with one time less to
 * go; true if one is.
 */
static bool take(int fd, const char *point, struct fault *due)
{
    char text[FILE_MAX], left[FILE_MAX + 16], *line, *next = text;
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    bool found = false, counted = false;
    size_t len = 0;

    if (n <= 0)
        return false;
    text[n] = '\0';
    while ((line = strsep(&next, "\n"))) {
        struct fault f;

        if (!parse(line, &f))
            continue;
        if (!counted && !strcmp(f.point, point)) {
            counted = true;
            if (f.times <= 1) {
                *due = f;
                found = true;
                continue;
            }
            f.times--;
        }
        len += (size_t)snprintf(left + len, sizeof(left) - len, "%s@%u %s %s\n",
                                f.point, f.times, f.action, f.argument);
        if (len >= sizeof(left))
            abort();
    }
    if (counted && (ftruncate(fd, 0) || pwrite(fd, left, len, 0) < 0))
        abort();
    return found;
}

static bool is_due(const char *point, struct fault *due)
{
    int fd = open(MEXT_FAULT_FILE, O_RDWR | O_CLOEXEC);
    bool found;

    if (fd < 0)
        return false;
    flock(fd, LOCK_EX);
    found = take(fd, point, due);
    close(fd);
    return found;
}

int mext_fault(const char *point, struct mext_why *why)
{
    struct fault f;
    struct mext_why quiet;

    if (!is_due(point, &f))
        return 0;
    hit(point, f.action);
    if (!strcmp(f.action, "kill"))
        raise(SIGKILL);
    if (!strcmp(f.action, "fail"))
        return mext_fail(why ? why : &quiet, "fault at %s: %.200s", point,
                         *f.argument ? f.argument : strerror(EIO));
    if (!strcmp(f.action, "run") && system(f.argument) < 0)
        abort();
    if (!strcmp(f.action, "hang")) {
        unsigned s = (unsigned)strtoul(f.argument, NULL, 10);

        do
            s = sleep(s ? s : 3600);
        while (s || !*f.argument);
    }
    return 0;
}

int mext_fault_effect(const char *side, const char *effect, bool done)
{
    char point[64];

    snprintf(point, sizeof(point), "%s.%s%s", side, effect,
             done ? ".done" : "");
    for (char *p = point; *p; p++)
        *p = *p == ' ' ? '-' : (char)tolower(*p);
    return mext_fault(point, NULL);
}

#endif
