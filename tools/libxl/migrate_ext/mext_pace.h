/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A bandwidth that is kept: how long to wait before more is sent.  Pure: times
 * and bytes in, a wait out.
 */
#ifndef MEXT_PACE_H
#define MEXT_PACE_H

#include <stdint.h>

struct mext_pace {
    uint64_t bytes_per_s; /* 0: any */
    /* private; all zero before the first call */
    uint64_t since_us; /* 0: begins anew at the next call */
    uint64_t from;     /* bytes that had been sent then */
};

/* From now on so much, 0: any. */
void mext_pace_set(struct mext_pace *p, uint64_t bytes_per_s);

/*
 * The wait, in us, after which `bytes` in all are within the bandwidth; 0: none.
 * now_us is of any clock that never goes back; bytes never shrink.  What was not
 * used for a while is not saved up.
 */
uint64_t mext_pace_wait(struct mext_pace *p, uint64_t now_us, uint64_t bytes);

#endif
