/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PACKETD_RECEIPT_H
#define PACKETD_RECEIPT_H

#include "mext_quote.h"
#include "ms_host.h"
#include "packetd.h"

/*
 * Signs that mstrap m, at ip, waits for the token t, of that digest; e_r is
 * what the attester says about it (lengths of 0: nothing), NULL: it is not
 * asked, as for an answer that may not be longer than a token.  -1 and why.
 */
int packetd_receipt(const struct packetd *p,
                    const uint8_t digest[MEXT_DIGEST_LEN],
                    const struct mext_token *t, uint32_t ip,
                    const struct ms_domain *m, uint8_t out[MEXT_RECEIPT_LEN],
                    struct mext_evidence *e_r, struct mext_why *why);

#endif
