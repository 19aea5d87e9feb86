/* SPDX-License-Identifier: GPL-2.0-only */
/* What packetd.conf, as it is now, says of a source. */
#include <arpa/inet.h>

#include "admit.h"
#include "packetd.h"

static void log_error(void *arg, unsigned line, const char *text)
{
    packetd_log("%s line %u: %s", (const char *)arg, line, text);
}

const struct policy *packetd_policy(const struct packetd *p,
                                    struct mext_why *why)
{
    static struct policy policy;

    if (!policy_read(p->conf, &policy, log_error, (void *)p->conf))
        return &policy;
    mext_fail(why, "%.200s has errors: packetd check-config tells them",
              p->conf);
    return NULL;
}

int packetd_admit_address(const struct packetd *p, const struct policy *policy,
                          const char *key, uint32_t ip, struct mext_why *why)
{
    struct in_addr a = { htonl(ip) };
    char text[INET_ADDRSTRLEN];

    if ((ip >= p->pool_first && ip - p->pool_first < p->pool_count) ||
        policy_address_allowed(policy, key, ip))
        return 0;
    inet_ntop(AF_INET, &a, text, sizeof(text));
    return mext_fail(why,
                     "mstrap may not have %s: no accept line for key %.64s "
                     "has address=%s",
                     text, key, text);
}

int packetd_admit_token(const struct packetd *p, const char *key,
                        const struct mext_token *t, bool bare,
                        struct mext_why *why)
{
    const struct policy *policy = packetd_policy(p, why);

    unsigned allow = t->receiver == MEXT_RECEIVER_DOM0 ? POLICY_DOM0 : 0;

    if (bare && allow)
        return mext_fail(why, "receiver dom0 waits for no source");
    if (!policy ||
        admit_token(policy, key, t->memory_kib, t->vcpus, allow, why))
        return -1;
    return bare ? packetd_admit_address(p, policy, key, t->ip, why) : 0;
}
