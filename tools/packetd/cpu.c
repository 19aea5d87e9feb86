/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "cpu.h"
#include "mext_xen.h"

struct words {
    char text[CPU_TEXT];
    cpu_words_fn *fn;
    void *arg;
};

static void flush(struct words *w)
{
    if (w->text[0])
        w->fn(w->arg, w->text);
    w->text[0] = 0;
}

static void add(void *arg, const char *what)
{
    struct words *w = arg;
    size_t n = strlen(w->text);

    if (n + 2 + strlen(what) >= sizeof(w->text)) {
        flush(w);
        n = 0;
    }
    snprintf(w->text + n, sizeof(w->text) - n, "%s%s", n ? ", " : "", what);
}

int cpu_missing(bool pv, const struct mext_cpu *guest, cpu_words_fn *fn,
                void *arg, struct mext_why *why)
{
    struct words w = { .fn = fn, .arg = arg };
    struct mext_policy p;
    struct mext_cpu host;
    unsigned n;

    if (mext_host_policy_get(pv, &p, why))
        return -1;
    host = (struct mext_cpu){ p.nleaves, p.nmsrs, p.leaves, p.msrs, p.xen };
    n = mext_cpu_missing(guest, &host, add, &w);
    flush(&w);
    mext_policy_free(&p);
    return (int)n;
}
