/* SPDX-License-Identifier: LGPL-2.1-only */
/* Octets before QEMU's elements: migration/savevm.h of QEMU 7.2. */
#ifndef STREAM_QEMU_H
#define STREAM_QEMU_H

#include "stream_priv.h"

enum {
    QEMU_EOF = 0x00,
    QEMU_START = 0x01,
    QEMU_PART = 0x02,
    QEMU_END = 0x03,
    QEMU_FULL = 0x04,
    QEMU_SUBSECTION = 0x05,
    QEMU_VMDESCRIPTION = 0x06,
    QEMU_CONFIGURATION = 0x07,
    QEMU_COMMAND = 0x08,
    QEMU_FOOTER = 0x7e,
};

#endif
