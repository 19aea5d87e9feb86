/* SPDX-License-Identifier: GPL-2.0-only */
/* make_guest BEAT: build_guest.h's stream on standard output. */
#include <stdio.h>

#include "build_guest.h"

static struct guest_bytes guest;
static uint8_t beat[65536];

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t n = f ? fread(beat, 1, sizeof(beat), f) : 0;

    if (!n) {
        fprintf(stderr, "Usage: make_guest BEAT\n");
        return 2;
    }
    fclose(f);
    build_guest(&guest, beat, n);
    if (fwrite(guest.p, 1, guest.n, stdout) != guest.n || fflush(stdout))
        return 1;
    return 0;
}
