/* SPDX-License-Identifier: LGPL-2.1-only */
/* A source asks what became of a migration (docs/specs/token.md). */
#ifndef MEXT_FATE_ASK_H
#define MEXT_FATE_ASK_H

#include "mext_fate.h"
#include "mext_keys.h"

/*
 * Asks packetd at host_port ("HOST" or "HOST:PORT") once: one datagram, with a
 * nonce of its own in the place of q's, and one answer within timeout_ms, that
 * of q->audience to this very question.  self is q->source.  Datagrams get
 * lost: who is not answered asks again.  0 and *f_r, or -1 and why.
 */
int mext_fate_ask(const char *host_port, const struct mext_query *q,
                  const struct mext_identity *self, unsigned timeout_ms,
                  struct mext_fate *f_r, struct mext_why *why);

#endif
