/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

int agent_fail(struct agent_why *why, unsigned code, const char *fmt, ...)
{
    va_list ap;

    why->code = code;
    va_start(ap, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, ap);
    va_end(ap);
    for (char *p = why->text; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    return -1;
}

void agent_log(const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(stderr, "mext-agent: %s\n", line);
}

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t agent_now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

struct mext_agent_time agent_time(void)
{
    return (struct mext_agent_time){ .real = clock_ms(CLOCK_REALTIME),
                                     .boot = clock_ms(CLOCK_BOOTTIME),
                                     .mono = clock_ms(CLOCK_MONOTONIC) };
}

void agent_sleep_ms(unsigned ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

int agent_read_file(const char *path, char *out, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;

    if (fd < 0)
        return -1;
    n = read(fd, out, max - 1);
    close(fd);
    if (n < 0)
        return -1;
    out[n] = 0;
    return (int)n;
}

int agent_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t r;

    if (fd < 0)
        return -1;
    while (text[n])
        n++;
    r = write(fd, text, n);
    close(fd);
    return r == (ssize_t)n ? 0 : -1;
}

int agent_wait_child(int pid, uint64_t end_ms)
{
    unsigned pause = 1;
    int status, r;

    while ((r = waitpid(pid, &status, WNOHANG)) == 0) {
        if (agent_now_ms() >= end_ms) {
            kill(pid, SIGKILL); /* it may not lead its group yet */
            kill(-pid, SIGKILL);
            return -1; /* one that is long in the kernel is reaped later */
        }
        agent_sleep_ms(pause);
        if (pause < 20)
            pause *= 2;
    }
    return r == pid ? status : -1;
}
