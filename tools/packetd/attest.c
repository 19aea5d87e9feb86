/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "attest.h"
#include "mext_net.h"

/* ---- the host key alone ---- */

static int key_measure(struct attester *a,
                       const uint8_t sha256[MEXT_DIGEST_LEN],
                       struct mext_why *why)
{
    return 0;
}

static int key_evidence(struct attester *a,
                        const uint8_t binding[MEXT_DIGEST_LEN],
                        struct mext_evidence *e_r, struct mext_why *why)
{
    memset(e_r, 0, sizeof(*e_r));
    return 0;
}

static void key_close(struct attester *a)
{
}

static struct attester attest_key = {
    .type = MEXT_ATTESTER_KEY,
    .measure = key_measure,
    .evidence = key_evidence,
    .close = key_close,
};

/* ---- any ---- */

int attest_open(const char *how, const char *keys_dir, struct attester **a_r,
                struct mext_why *why)
{
    if (!strcmp(how, "key")) {
        *a_r = &attest_key;
        return 0;
    }
    if (!strcmp(how, "tpm"))
        return attest_tpm_open(NULL, keys_dir, a_r, why);
    if (!strncmp(how, "tpm:", 4) && how[4])
        return attest_tpm_open(how + 4, keys_dir, a_r, why);
    return mext_fail(why, "\"%.100s\" is neither key, tpm nor tpm:TCTI", how);
}

int attest_measure(struct attester *a, const uint8_t sha256[MEXT_DIGEST_LEN],
                   struct mext_why *why)
{
    return a->measure(a, sha256, why);
}

int attest_evidence(struct attester *a, const uint8_t binding[MEXT_DIGEST_LEN],
                    struct mext_evidence *e_r, struct mext_why *why)
{
    return a->evidence(a, binding, e_r, why);
}

void attest_close(struct attester *a)
{
    if (a)
        a->close(a);
}
