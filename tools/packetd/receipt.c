/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <time.h>

#include "attest.h"
#include "receipt.h"

static int sign(const struct packetd *p, const uint8_t digest[MEXT_DIGEST_LEN],
                const struct mext_token *t, const struct waiting *w,
                uint16_t attester, uint8_t out[MEXT_RECEIPT_LEN],
                struct mext_why *why)
{
    const struct mext_identity *self = mext_identities_find(&p->ids,
                                                            t->audience);
    struct mext_receipt r = {
        .issued = (uint64_t)time(NULL),
        .ip = w->ip,
        .port = t->port,
        .channels = t->channels,
        .domid = w->domid,
        .attester = attester,
    };

    memcpy(r.token, digest, sizeof(r.token));
    memcpy(r.id, t->id, sizeof(r.id));
    memcpy(r.destination, t->audience, sizeof(r.destination));
    memcpy(r.measurement, p->measurement, sizeof(r.measurement));
    memcpy(r.measurement2, p->measurement2, sizeof(r.measurement2));
    memcpy(r.session, w->session, sizeof(r.session));
    if (!self || mext_receipt_sign(&r, self, out))
        return mext_fail(why, "the receipt cannot be signed");
    return 0;
}

int packetd_receipt(const struct packetd *p,
                    const uint8_t digest[MEXT_DIGEST_LEN],
                    const struct mext_token *t, const struct waiting *w,
                    uint8_t out[MEXT_RECEIPT_LEN], struct mext_evidence *e_r,
                    struct mext_why *why)
{
    uint8_t binding[MEXT_DIGEST_LEN];
    struct attester *a;
    int rc;

    if (!e_r)
        return sign(p, digest, t, w, MEXT_ATTESTER_KEY, out, why);
    if (attest_open(p->attest, p->keys_dir, &a, why))
        return -1;
    rc = sign(p, digest, t, w, a->type, out, why);
    if (!rc) {
        mext_digest(out, MEXT_RECEIPT_LEN, binding);
        rc = attest_evidence(a, binding, e_r, why);
    }
    attest_close(a);
    return rc;
}
