/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands for tests, from the console and from a FIFO. */
#include "witness.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIFO "/run/witness"

static void check(void)
{
    pages_check_all();
    disk_check_all();
    say("CHECKED mem_bad=%llu blk_bad=%llu tcp_bad=%llu",
        (unsigned long long)pages_state().bad,
        (unsigned long long)disk_state().bad,
        (unsigned long long)tcp_state().bad);
}

static const struct command {
    const char *name;
    void (*run)(void);
} commands[] = {
    { "check", check },
    { "reset", ticks_reset },
    { "poke", pages_poke },
    { "pokedisk", disk_poke },
};

static void run(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(commands[i].name, name))
            commands[i].run();
}

/* Commands are short and written at once: a read gives whole lines.  Returns
 * what to poll from now on. */
static int read_commands(int fd)
{
    char text[256], *line, *rest = text;
    ssize_t n = read(fd, text, sizeof(text) - 1);

    if (n <= 0)
        return -1;
    text[n] = '\0';
    while ((line = strsep(&rest, "\r\n")))
        run(line);
    return fd;
}

void commands_run(void)
{
    struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN } };

    mkfifo(FIFO, 0600);
    /* Open for writing too: never at its end. */
    p[1] = (struct pollfd){ .fd = open(FIFO, O_RDWR | O_CLOEXEC),
                            .events = POLLIN };
    for (;;) {
        poll(p, 2, -1);
        for (int i = 0; i < 2; i++)
            if (p[i].revents)
                p[i].fd = read_commands(p[i].fd);
    }
}
