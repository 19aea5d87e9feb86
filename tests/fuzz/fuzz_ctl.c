/* SPDX-License-Identifier: GPL-2.0-only */
/* Bodies of the control channel: what is accepted has one encoding. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "mext_codec.h"

const char fuzz_corpus[] = "ctl";
const size_t fuzz_mutations = 300000;

/* Reads every leaf and MSR: they lie inside the body. */
static void read_config(const struct mext_ctl *m)
{
    struct mext_leaf l;
    struct mext_msr r;

    for (unsigned i = 0; i < m->u.config.nleaves; i++)
        mext_leaf_get(m->u.config.leaves, i, &l);
    for (unsigned i = 0; i < m->u.config.nmsrs; i++)
        mext_msr_get(m->u.config.msrs, i, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mext_ctl m;
    struct mext_buf b;
    uint8_t *again;

    if (mext_ctl_decode(data, size, &m))
        return 0;
    if (m.type == MEXT_CTL_CONFIG)
        read_config(&m);
    again = malloc(size);
    FUZZ_CHECK(again != NULL);
    mext_buf_init(&b, again, size);
    FUZZ_CHECK(!mext_ctl_encode(&m, &b));
    FUZZ_CHECK(b.pos == size && !memcmp(again, data, size));
    free(again);
    return 0;
}
