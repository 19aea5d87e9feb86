/* SPDX-License-Identifier: LGPL-2.1-only */
#include <sodium/randombytes.h>

#include "mext_fate_ask.h"
#include "mext_net.h"

int mext_fate_ask(const char *host_port, const struct mext_query *q,
                  const struct mext_identity *self, unsigned timeout_ms,
                  struct mext_fate *f_r, struct mext_why *why)
{
    uint8_t out[MEXT_QUERY_LEN], in[MEXT_FATE_LEN + 1];
    struct mext_query fresh = *q;
    char host[256];
    uint16_t port;
    int n;

    if (mext_net_split(host_port, MEXT_CONTROL_PORT, host, &port, why))
        return -1;
    randombytes_buf(fresh.nonce, sizeof(fresh.nonce));
    if (mext_query_sign(&fresh, self, out))
        return mext_fail(why, "the key that began the migration is not the "
                              "one to ask with");
    n = mext_net_ask(host, port, out, sizeof(out), in, sizeof(in), timeout_ms,
                     why);
    if (n < 0)
        return -1;
    if (mext_fate_verify(in, (size_t)n, out, f_r))
        return mext_fail(why,
                         "what answers on %s port %u is not the packetd that "
                         "was asked",
                         host, port);
    return 0;
}
