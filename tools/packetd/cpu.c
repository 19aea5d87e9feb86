/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "cpu.h"
#include "mext_xen.h"

static void add(void *arg, const char *what)
{
    char *text = arg;
    size_t n = strlen(text);

    snprintf(text + n, CPU_TEXT - n, "%s%s", n ? ", " : "", what);
}

int cpu_missing(bool pv, const struct mext_cpu *guest, char text[CPU_TEXT],
                struct mext_why *why)
{
    struct mext_policy p;
    struct mext_cpu host;
    unsigned n;

    text[0] = 0;
    if (mext_host_policy_get(pv, &p, why))
        return -1;
    host = (struct mext_cpu){ p.nleaves, p.nmsrs, p.leaves, p.msrs, p.xen };
    n = mext_cpu_missing(guest, &host, add, text);
    mext_policy_free(&p);
    return (int)n;
}
