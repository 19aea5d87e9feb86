/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore-helper --restore-domain ...: what libxl is told its save helper is
 * (restore.c).  It parses the guest's memory as the source wrote it, so it is run
 * with no more than it needs: jail_helper.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "jail.h"

int main(int argc, char **argv)
{
    struct mext_why why;

    if (argc < 2 || strcmp(argv[1], "--restore-domain")) {
        fprintf(stderr, "restore-helper is libxl's, and packetd's\n");
        return 2;
    }
    if (jail_helper(&why)) {
        fprintf(stderr, "restore-helper: %s\n", why.text);
        return 1;
    }
    argv[0] = SAVE_HELPER;
    execv(SAVE_HELPER, argv);
    fprintf(stderr, "restore-helper: cannot run " SAVE_HELPER ": %s\n",
            strerror(errno));
    return 127;
}
