/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The source's half of the handshake on the control connection
 * (docs/specs/transport.md): token out, HELLO or REFUSE in.
 */
#ifndef MEXT_HANDSHAKE_H
#define MEXT_HANDSHAKE_H

#include "mext_conn.h"
#include "mext_token.h"

/*
 * Sends the signed token over fd, a connected stream, and takes the answer of
 * the host whose key is the token's audience.  secret: the X25519 key of the
 * token's session.  peer: that host's name in the trust folder, for the text.
 * timeout_ms: for each of the two.  0: *c has the session's keys and owns fd,
 * *h_r is the answer, *root_r what further connections' keys are made from, to
 * be wiped; or -1 and why, fd is still the caller's, and *refused_r is the reason
 * (MEXT_E_*) if the token was refused, else left alone.  MEXT_E_AUDIENCE: it
 * has another key, so a new token for another one may be taken.
 */
int mext_handshake(struct mext_conn *c, int fd,
                   const uint8_t token[MEXT_TOKEN_LEN],
                   const uint8_t secret[32], const char *peer,
                   unsigned timeout_ms, struct mext_hello *h_r,
                   struct mext_root *root_r, unsigned *refused_r,
                   struct mext_why *why);

#endif
