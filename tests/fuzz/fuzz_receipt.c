/* SPDX-License-Identifier: GPL-2.0-only */
/* Receipts: as fuzz_token; a signed one is for its token, or refused. */
#include <string.h>

#include <sodium/crypto_sign_ed25519.h>

#include "fixture.h"
#include "fuzz.h"

const char fuzz_corpus[] = "receipt";
const size_t fuzz_mutations = 300000;

/* What belongs to one way of signing. */
struct world {
    uint8_t receipt[MEXT_RECEIPT_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_token t;
};

static struct mext_identity dest;

static void check_binding(const struct mext_receipt *r, const struct world *w)
{
    FUZZ_CHECK(!memcmp(r->token, w->digest, sizeof(w->digest)));
    FUZZ_CHECK(!memcmp(r->id, w->t.id, sizeof(w->t.id)));
    FUZZ_CHECK(!memcmp(r->destination, dest.pk, sizeof(dest.pk)));
    FUZZ_CHECK(r->channels == w->t.channels);
}

/* As the answer to one whom this dom0 is to receive: with the hello's key only. */
static void try_dom0(const uint8_t bytes[MEXT_RECEIPT_LEN],
                     const struct world *w)
{
    struct mext_token t = w->t;
    struct mext_receipt own;
    struct mext_receipt r;
    const struct mext_asked asked = { &t, w->digest, own.session };

    fix_receipt(&own);
    memset(t.image, 0, sizeof(t.image));
    t.ip = 0;
    t.receiver = MEXT_RECEIVER_DOM0;
    if (mext_receipt_verify(bytes, MEXT_RECEIPT_LEN, &asked, &r))
        return;
    check_binding(&r, w);
    FUZZ_CHECK(!r.ip);
    FUZZ_CHECK(!memcmp(r.session, own.session, sizeof(r.session)));
}

static void try_signed(const uint8_t *data, const struct world *w)
{
    uint8_t bytes[MEXT_RECEIPT_LEN], again[MEXT_RECEIPT_LEN];
    const size_t n = sizeof(bytes) - MEXT_SIG_LEN;
    struct mext_token any = w->t;
    const struct mext_asked open = { &any, w->digest, NULL };
    const struct mext_asked asked = { &w->t, w->digest, NULL };
    struct mext_receipt r;

    memcpy(bytes, data, n);
    crypto_sign_ed25519_detached(bytes + n, NULL, bytes, n, dest.sk);
    memset(any.image, 0, sizeof(any.image));
    try_dom0(bytes, w);
    if (mext_receipt_verify(bytes, sizeof(bytes), &open, &r))
        return;
    check_binding(&r, w);
    FUZZ_CHECK(!mext_receipt_sign(&r, &dest, again));
    FUZZ_CHECK(!memcmp(bytes, again, sizeof(bytes)));
    if (!mext_receipt_verify(bytes, sizeof(bytes), &asked, &r))
        FUZZ_CHECK(!memcmp(r.measurement, w->t.image, sizeof(w->t.image)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world worlds[2];
    bool genuine = fuzz_genuine(data, size, 256);
    struct world *w = &worlds[genuine];
    const struct mext_asked asked = { &w->t, w->digest, NULL };
    struct mext_receipt r;

    if (!w->receipt[0]) {
        fix_identity(&dest, FIX_DEST);
        fix_receipt_bytes(w->receipt);
        fix_digest(w->digest);
        fix_token(&w->t);
    }
    if (!mext_receipt_verify(data, size, &asked, &r))
        FUZZ_CHECK(!memcmp(data, w->receipt, size));
    if (size == MEXT_RECEIPT_LEN)
        try_signed(data, w);
    return 0;
}
