/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "codec_case.h"

uint8_t body[MEXT_CONTROL_BODY_MAX + 1];
uint8_t again[MEXT_CONTROL_BODY_MAX + 1];

void data_refused(size_t n, int rc)
{
    struct mext_data m, before;
    uint8_t *copy = malloc(n ? n : 1);
    int got;

    memcpy(copy, body, n);
    memset(&m, 0xa5, sizeof(m));
    memcpy(&before, &m, sizeof(m));
    got = mext_data_decode(copy, n, &m);
    ck_assert_int_lt(got, 0);
    if (rc)
        ck_assert_int_eq(got, rc);
    ck_assert(!memcmp(&m, &before, sizeof(m)));
    free(copy);
}

void ctl_refused(size_t n, int rc)
{
    struct mext_ctl m, before;
    uint8_t *copy = malloc(n ? n : 1);
    int got;

    memcpy(copy, body, n);
    memset(&m, 0xa5, sizeof(m));
    memcpy(&before, &m, sizeof(m));
    got = mext_ctl_decode(copy, n, &m);
    ck_assert_int_lt(got, 0);
    if (rc)
        ck_assert_int_eq(got, rc);
    ck_assert(!memcmp(&m, &before, sizeof(m)));
    free(copy);
}
