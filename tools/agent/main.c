/* SPDX-License-Identifier: GPL-2.0-only */
/* mext-agent(8): a guest's part in its own migration. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent.h"
#include "config.h"

static void usage(FILE *f)
{
    fputs(
        "Usage: mext-agent [OPTION]...\n"
        "\n"
        "  --config FILE   default " MEXT_SYSCONFDIR "/mext-agent.conf\n"
        "  --undo          end what an agent that died left: thaw, run post.d\n"
        "  --version\n"
        "  --help          this text\n"
        "\n"
        "mext-agent stays in the foreground and logs to standard error.\n"
        "See mext-agent(8).\n",
        f);
}

enum { O_CONFIG = 256, O_UNDO, O_VERSION };

static const struct option options[] = {
    { "config", required_argument, NULL, O_CONFIG },
    { "undo", no_argument, NULL, O_UNDO },
    { "version", no_argument, NULL, O_VERSION },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

/* SIGTERM and SIGINT, to be polled for. */
static int signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Of an agent that ended between pre.d and post.d. */
static void undo_hooks(const struct agent_config *c)
{
    struct agent_why why;
    unsigned n;

    hooks_run(c->hooks, "post.d", agent_now_ms() + c->hook_ms, false, &n, &why);
    hooks_end();
}

int main(int argc, char **argv)
{
    const char *path = MEXT_SYSCONFDIR "/mext-agent.conf";
    static struct agent_config config;
    static struct agent agent;
    bool undo = false;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
        switch (c) {
        case O_CONFIG:
            path = optarg;
            break;
        case O_UNDO:
            undo = true;
            break;
        case O_VERSION:
            puts(PACKAGE_VERSION);
            return 0;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    if (optind != argc) {
        usage(stderr);
        return 2;
    }
    signal(SIGCHLD, SIG_DFL); /* whoever started this may have ignored it */
    cgroups_undo();
    if (agent_config_read(path, &config))
        return 1;
    agent.config = &config;
    if (hooks_begun())
        undo_hooks(&config);
    if (undo)
        return 0;
    return agent_serve(&agent, signals());
}
