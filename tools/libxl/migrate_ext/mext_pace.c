/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mext_pace.h"

void mext_pace_set(struct mext_pace *p, uint64_t bytes_per_s)
{
    p->bytes_per_s = bytes_per_s;
    p->since_us = 0;
}

uint64_t mext_pace_wait(struct mext_pace *p, uint64_t now_us, uint64_t bytes)
{
    uint64_t due;

    if (!p->bytes_per_s)
        return 0;
    due = p->since_us +
          (uint64_t)((double)(bytes - p->from) * 1e6 / (double)p->bytes_per_s);
    if (p->since_us && due > now_us)
        return due - now_us;
    p->since_us = now_us;
    p->from = bytes;
    return 0;
}
