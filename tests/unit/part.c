/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "part.h"

/* The words and the descriptors that monitor.c gives. */
static void become_part(const char *program, const char *word, const int *fds,
                        unsigned n, const char *deed)
{
    char uid[16], gid[16], says[64];
    char *argv[] = { "packetd", (char *)word, uid, gid, NULL };
    char *env[] = { deed ? says : NULL, NULL };
    int high[3];

    snprintf(uid, sizeof(uid), "%u", PART_UID);
    snprintf(gid, sizeof(gid), "%u", PART_GID);
    snprintf(says, sizeof(says), PART_DEED "=%s", deed ? deed : "");
    for (unsigned i = 0; i < n; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
    for (unsigned i = 0; i < n; i++)
        dup2(high[i], GATE_FD + (int)i);
    close_range(GATE_FD + n, ~0U, 0);
    execve(program, argv, env);
    _exit(127);
}

pid_t part_start(const char *program, const char *word, const int *fds,
                 unsigned n, int log, const char *deed)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    if (log >= 0)
        dup2(log, STDERR_FILENO);
    become_part(program, word, fds, n, deed);
    return -1;
}

int part_wait(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

int part_door_start(struct part_door *d, const char *program,
                    const char *address, int log, const char *deed,
                    struct mext_why *why)
{
    int ends[2], tcp, udp;

    if (mext_net_listen(address ? address : "127.0.0.1", 0, &tcp, &udp,
                        &d->port, why))
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return mext_fail(why, "socketpair: %s", strerror(errno));
    d->pid = part_start(program, DOOR_WORD, (int[]){ ends[1], tcp, udp }, 3,
                        log, deed);
    d->gate = ends[0];
    close(ends[1]);
    close(tcp);
    close(udp);
    return d->pid > 0 ? 0 : mext_fail(why, "fork: %s", strerror(errno));
}
