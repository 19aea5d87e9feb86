/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

static uint64_t free_kib(void)
{
    char text[512];
    char *p;

    if (agent_read_file("/proc/meminfo", text, sizeof(text)) < 0)
        return 0;
    p = strstr(text, "MemFree:");
    return p ? strtoull(p + 8, NULL, 10) : 0;
}

/* In a process of its own: sync may take longer than the deadline. */
static void __attribute__((noreturn)) do_trim(unsigned level)
{
    bool deep = level == MEXT_AGENT_TRIM_DEEP;

    setpgid(0, 0);
    /* Not the session's: who held its event channel over a suspend would be the end. */
    close_range(3, ~0U, 0);
    sync();
    if (agent_write_file("/proc/sys/vm/drop_caches", deep ? "3" : "1"))
        _exit(1);
    if (deep && agent_write_file("/proc/sys/vm/compact_memory", "1") &&
        errno != ENOENT) /* a kernel without compaction */
        _exit(1);
    _exit(0);
}

int trim(unsigned level, uint64_t end_ms, uint64_t *before_r, uint64_t *after_r,
         struct agent_why *why)
{
    uint64_t before = free_kib();
    pid_t pid = fork();
    int status;

    if (pid < 0)
        return agent_fail(why, MEXT_AGENT_E_FAILED, "fork: %s",
                          strerror(errno));
    if (!pid)
        do_trim(level);
    status = agent_wait_child(pid, end_ms);
    if (status < 0)
        return agent_fail(why, MEXT_AGENT_E_DEADLINE, "dropping the cache");
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return agent_fail(why, MEXT_AGENT_E_FAILED, "cannot drop the cache");
    *before_r = before;
    *after_r = free_kib();
    return 0;
}
