/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "packetd.h"
#include "policy.h"

static void print_error(void *arg, unsigned line, const char *text)
{
    if (line)
        fprintf(stderr, "%s:%u: %s\n", (const char *)arg, line, text);
    else
        fprintf(stderr, "%s: %s\n", (const char *)arg, text);
}

int packetd_check_config(int argc, char **argv)
{
    static struct policy policy;
    const char *path = argc > 1 ? argv[1] : PACKETD_CONF;
    bool help = argc == 2 && (!strcmp(path, "-h") || !strcmp(path, "--help"));

    if (help || argc > 2 || path[0] == '-') {
        fprintf(help ? stdout : stderr,
                "Usage: packetd check-config [FILE]\n"
                "\n"
                "Prints the errors of FILE, default %s, each with its line.\n"
                "Exit status: 0 none, 1 errors, 2 usage. See "
                "packetd.conf(5).\n",
                PACKETD_CONF);
        return help ? 0 : 2;
    }
    return policy_read(path, &policy, print_error, (void *)path) ? 1 : 0;
}
