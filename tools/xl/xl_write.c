/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl-write DOMID live|still VERBOSITY ID: libxl writes the domain as a stock stream to
 * standard output, suspended at the end, or with "still" from the beginning.  Of
 * receiver dom0.  Whoever reads it may go away at any time, or send the process
 * group SIGTERM: then the domain runs on, whatever became of who started this.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_libxl.h"
#include "mext_minds.h"
#include "mext_net.h"
#include "mext_suspend.h"

/* Suspended or not, it runs on: 0. */
static int let_run(struct mext_lxl *l, uint32_t domid,
                   const uint8_t id[MEXT_ID_LEN], struct mext_why *why)
{
    struct mext_domain_now now;

    if (mext_lxl_now(l, domid, &now))
        return mext_fail(why, "Xen does not say how domain %u is", domid);
    if (!now.suspended)
        return 0;
    mext_minds_ask(id);
    return mext_lxl_resume(l, domid, why);
}

/* libxl asks nothing of it any more. */
static void forget(uint32_t domid)
{
    struct mext_store *store;
    struct mext_why quiet;

    if (mext_store_open(&store, &quiet))
        return;
    mext_suspend_forget(store, domid);
    mext_store_close(store);
}

int main(int argc, char **argv)
{
    struct mext_lxl *l;
    uint8_t id[MEXT_ID_LEN];
    struct mext_why why;
    uint32_t domid;
    size_t n;
    int rc;

    if (argc != 5 || isatty(STDOUT_FILENO) ||
        sodium_hex2bin(id, sizeof(id), argv[4], strlen(argv[4]), NULL, &n,
                       NULL) ||
        n != sizeof(id)) {
        fprintf(stderr,
                "Usage: xl-write DOMID live|still VERBOSITY ID >STREAM\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN); /* libxl's save helper heeds it */
    domid = (uint32_t)strtoul(argv[1], NULL, 10);
    if (mext_lxl_open((unsigned)strtoul(argv[3], NULL, 10), &l, &why)) {
        fprintf(stderr, "xl-write: %s\n", why.text);
        return 1;
    }
    rc = mext_lxl_save(l, domid, !strcmp(argv[2], "live"), STDOUT_FILENO, &why);
    if (rc) {
        fprintf(stderr, "xl-write: %s\n", why.text);
        if (let_run(l, domid, id, &why))
            fprintf(stderr, "xl-write: %s\n", why.text);
        else
            forget(domid);
    }
    mext_lxl_close(l);
    return rc ? 1 : 0;
}
