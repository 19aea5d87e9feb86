/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACKETD_RECEIPT_H
#define PACKETD_RECEIPT_H

#include "mext_quote.h"
#include "packetd.h"

/* Who waits for a guest's memory. */
struct waiting {
    uint32_t domid;
    uint32_t ip;            /* mstrap's, 0: this dom0 restores the guest */
    const uint8_t *session; /* MEXT_KEY_LEN: mstrap's key, or packetd's */
};

/*
 * Signs that w waits for the token t, of that digest; e_r is what the attester
 * says about it (lengths of 0: nothing), NULL: it is not asked, as for an answer
 * that may not be longer than a token.  -1 and why.
 */
int packetd_receipt(const struct packetd *p,
                    const uint8_t digest[MEXT_DIGEST_LEN],
                    const struct mext_token *t, const struct waiting *w,
                    uint8_t out[MEXT_RECEIPT_LEN], struct mext_evidence *e_r,
                    struct mext_why *why);

#endif
