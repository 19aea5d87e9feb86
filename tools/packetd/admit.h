/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a trusted source may make this host do: judges tokens and guest
 * configurations by the accept lines of packetd.conf(5).  The fields that are
 * known, and what each must be, are in docs/specs/policy.md.
 *
 * Functions return 0, or -1 with *why filled: key, line and field, and what the
 * line lacks; printable ASCII whatever the source wrote.
 */
#ifndef PACKETD_ADMIT_H
#define PACKETD_ADMIT_H

#include "mext_inspect.h"
#include "policy.h"

#define ADMIT_NAME_MAX 200 /* bytes of a guest's name */

/* A guest that may come in; the rule belongs to the policy. */
struct admit_guest {
    const struct policy_accept *rule;
    char name[ADMIT_NAME_MAX + 1];
    enum mext_inspect_guest type;
    uint64_t memory_kib; /* b_info.max_memkb */
    unsigned vcpus;
};

/*
 * Before the name is known: is there a line for this key that leaves room for
 * so much memory and so many vCPUs, and has the words `allow`?  key: name of the
 * source's key in the trust folder.
 */
int admit_token(const struct policy *p, const char *key, uint64_t memory_kib,
                unsigned vcpus, unsigned allow, struct mext_why *why);

/* Has the rule this word of allow=, one bit? */
int admit_allows(const struct policy_accept *r, const char *key,
                 enum policy_allow word, struct mext_why *why);

/*
 * Finds the rule by the guest's name and judges the whole configuration by it;
 * json: len bytes as libxl_domain_config_to_json writes them, without NUL.
 *
 * To be asked twice: of the text that came, since libxl's parser can be made to
 * abort or to read too far by what is refused here; and of what libxl made of
 * it, since that is what is acted on.
 */
int admit_config(const struct policy *p, const char *key, const char *json,
                 size_t len, struct admit_guest *g_r, struct mext_why *why);

/*
 * Is there room for one more guest?  others: how many guests that came in, or
 * are about to, have a key and a name for which policy_accept_find gives r.
 */
int admit_count(const struct policy_accept *r, const char *key, unsigned others,
                struct mext_why *why);

#endif
