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

/* Suspended or not, it runs on. */
static void let_run(struct mext_lxl *l, uint32_t domid,
                    const uint8_t id[MEXT_ID_LEN])
{
    struct mext_domain_now now;
    struct mext_why why;

    if (mext_lxl_now(l, domid, &now) || !now.suspended)
        return;
    mext_minds_ask(id);
    if (mext_lxl_resume(l, domid, &why))
        fprintf(stderr, "xl-write: %s\n", why.text);
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
        let_run(l, domid, id);
    }
    mext_lxl_close(l);
    return rc ? 1 : 0;
}
