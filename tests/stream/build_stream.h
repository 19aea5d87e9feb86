/* SPDX-License-Identifier: GPL-2.0-only */
/* Small streams that keep every rule, made octet by octet. */
#ifndef BUILD_STREAM_H
#define BUILD_STREAM_H

#include <stddef.h>
#include <stdint.h>

#define BYTES_MAX (1u << 17)

struct bytes {
    uint8_t p[BYTES_MAX];
    size_t n;
};

enum base {
    BASE_PVH,    /* xl save of a PVH guest */
    BASE_HVM,    /* with QEMU's state */
    BASE_PV,     /* a PV guest's */
    BASE_V2,     /* libxc's version 2 alone, of an HVM guest */
    BASE_BARE,   /* xl's and libxl's parts without libxc's: broken */
    BASE_QEMU,   /* with RAM, devices and a description */
    BASE_MAPPED, /* the same as a mapped-ram file */
    BASE_DUMP,   /* a data channel of ours without its seals */
    BASE_MANY,   /* with one section too many */
    BASES
};

/* Whether it is one that keeps every rule. */
#define BASE_FINE(b) ((b) != BASE_BARE && (b) != BASE_MANY)

void build_stream(struct bytes *b, enum base base);

#endif
