/* SPDX-License-Identifier: GPL-2.0-only */
/* What witness sends and witness-peer echoes, every MESSAGE_MS. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdint.h>

#include "stamp.h"

#define MESSAGE_MS   20
#define MESSAGE_PORT 7100
#define ASK_PORT     7101

struct message {
    uint64_t sequence; /* from 0 */
    uint64_t check;    /* both sides run on x86: no byte order */
};

static inline uint64_t message_check(uint64_t sequence)
{
    return stamp_mix(sequence + 0x77);
}

#endif
