/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "What became of it" and its answer: as fuzz_token; nothing but the signed
 * octets is taken, and once signed, what is within all limits, with one
 * encoding.  Who asks so that he is answered gets an answer that he takes.
 */
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "fate";
const size_t fuzz_mutations = 300000;

/* What belongs to one way of signing. */
struct world {
    uint8_t query[MEXT_QUERY_LEN], fate[MEXT_FATE_LEN];
};

static struct mext_identity source, dest;

static bool trusts(void *unused, const uint8_t pk[MEXT_KEY_LEN])
{
    return !memcmp(pk, source.pk, MEXT_KEY_LEN);
}

static int judge(const uint8_t *in, size_t n, struct mext_query *q_r)
{
    return mext_query_judge(in, n, dest.pk, trusts, NULL, q_r);
}

static void sign(uint8_t *object, size_t len, const struct mext_identity *who)
{
    size_t n = len - MEXT_SIG_LEN;

    crypto_sign_ed25519_detached(object + n, NULL, object, n, who->sk);
}

static void try_answers(const uint8_t *query)
{
    uint8_t out[MEXT_FATE_LEN];
    struct mext_fate got;

    for (unsigned i = 0; i <= MEXT_FATE_UNKNOWN + 1; i++) {
        struct mext_fate f = { .fate = (uint8_t)i };

        if (mext_fate_sign(&f, query, &dest, out))
            continue;
        FUZZ_CHECK(!mext_fate_verify(out, sizeof(out), query, &got));
        FUZZ_CHECK(got.fate == f.fate && got.domid == f.domid);
    }
}

static void try_query(const uint8_t *data)
{
    uint8_t bytes[MEXT_QUERY_LEN], again[MEXT_QUERY_LEN];
    struct mext_query q;

    memcpy(bytes, data, sizeof(bytes));
    sign(bytes, sizeof(bytes), &source);
    if (judge(bytes, sizeof(bytes), &q))
        return;
    FUZZ_CHECK(!memcmp(q.audience, dest.pk, sizeof(q.audience)));
    FUZZ_CHECK(!mext_query_sign(&q, &source, again));
    FUZZ_CHECK(!memcmp(bytes, again, sizeof(bytes)));
    try_answers(bytes);
}

static void try_fate(const uint8_t *data, const struct world *w)
{
    uint8_t bytes[MEXT_FATE_LEN], again[MEXT_FATE_LEN];
    struct mext_fate f;

    memcpy(bytes, data, sizeof(bytes));
    sign(bytes, sizeof(bytes), &dest);
    if (mext_fate_verify(bytes, sizeof(bytes), w->query, &f))
        return;
    FUZZ_CHECK(f.domid <= MEXT_DOMID_MAX);
    FUZZ_CHECK(!mext_fate_sign(&f, w->query, &dest, again));
    FUZZ_CHECK(!memcmp(bytes, again, sizeof(bytes)));
}

/* The stand-in for signatures can be forged, so it is no proof of anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world worlds[2];
    bool genuine = fuzz_genuine(data, size, 256);
    struct world *w = &worlds[genuine];
    struct mext_query q;
    struct mext_fate f;

    if (!w->query[0]) {
        fix_identity(&source, FIX_SOURCE);
        fix_identity(&dest, FIX_DEST);
        fix_query_bytes(w->query);
        fix_fate_bytes(w->fate);
    }
    if (!judge(data, size, &q) && genuine)
        FUZZ_CHECK(!memcmp(data, w->query, size));
    if (!mext_fate_verify(data, size, w->query, &f) && genuine)
        FUZZ_CHECK(!memcmp(data, w->fate, size));
    if (size == MEXT_QUERY_LEN)
        try_query(data);
    if (size == MEXT_FATE_LEN)
        try_fate(data, w);
    return 0;
}
