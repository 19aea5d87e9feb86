/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A TPM's evidence: nothing but the quote that was signed is accepted.  So that
 * the checks behind the signature are reached, each quote is also tried after
 * it was signed.  AK files: what is accepted has one text.
 */
#include <string.h>

#include "fix_quote.h"
#include "fuzz.h"

const char fuzz_corpus[] = "quote";
const size_t fuzz_mutations = 20000;

static struct mext_evidence good;
static struct mext_ak ak;
static uint8_t binding[MEXT_DIGEST_LEN], measurement[MEXT_DIGEST_LEN];

static int verify(const struct mext_evidence *e)
{
    struct mext_why why;

    return mext_quote_verify(e->attest, e->attest_len, e->sig, e->sig_len, &ak,
                             binding, measurement, &why);
}

static bool same_attest(const struct mext_evidence *e, size_t from, size_t to)
{
    return e->attest_len == good.attest_len &&
           !memcmp(e->attest + from, good.attest + from, to - from);
}

/* With another name of the signer the rest is the same, but elsewhere. */
static void try_signed(struct mext_evidence *e)
{
    size_t name = (size_t)e->attest[6] << 8 | e->attest[7];

    fix_quote_sign(e, FIX_DEST);
    if (verify(e))
        return;
    FUZZ_CHECK(e->attest_len == good.attest_len - 34u + name);
    memmove(e->attest + 42, e->attest + 8 + name, e->attest_len - 8 - name);
    e->attest_len = good.attest_len;
    FUZZ_CHECK(same_attest(e, 0, 6) && same_attest(e, 42, 76) &&
               same_attest(e, 101, good.attest_len));
}

static void try_text(const uint8_t *data, size_t size)
{
    char text[MEXT_AK_TEXT_MAX];
    struct mext_ak read;
    struct mext_why why;

    if (mext_ak_parse((const char *)data, size, &read, &why))
        return;
    mext_ak_text(&read, text);
    FUZZ_CHECK(strlen(text) == size && !memcmp(text, data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mext_evidence e = { .attest_len = 0 };
    struct mext_ctl m;

    if (!good.attest_len) {
        fix_quote(&good, NULL);
        fix_ak(&ak, FIX_DEST);
        fix_binding(binding);
        fix_measurement(measurement);
    }
    try_text(data, size);
    if (mext_ctl_decode(data, size, &m) || m.type != MEXT_CTL_EVIDENCE)
        return 0;
    e.attest_len = m.u.evidence.attest_len;
    e.sig_len = m.u.evidence.sig_len;
    memcpy(e.attest, m.u.evidence.attest, e.attest_len);
    memcpy(e.sig, m.u.evidence.sig, e.sig_len);
    if (!verify(&e))
        FUZZ_CHECK(same_attest(&e, 0, good.attest_len));
    try_signed(&e);
    return 0;
}
