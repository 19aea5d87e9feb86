/* SPDX-License-Identifier: GPL-2.0-only */
/* packetd.conf: what is accepted keeps its bounds, and proposals are lines. */
#include <string.h>

#include "fuzz.h"
#include "policy.h"

const char fuzz_corpus[] = "policy";
const size_t fuzz_mutations = 100000;

static struct policy policy, again;

static void note(void *arg, unsigned line, const char *text)
{
    unsigned *errors = arg;

    FUZZ_CHECK(*text && line <= 1U << 20);
    ++*errors;
}

static void check_prefixes(const struct policy_prefixes *p)
{
    FUZZ_CHECK(p->n <= POLICY_PREFIXES_MAX);
    for (unsigned i = 0; i < p->n; i++) {
        FUZZ_CHECK(policy_path_plain(p->text[i], true));
        FUZZ_CHECK(!policy_path_plain(p->text[i], false) ||
                   policy_path_within(p, p->text[i]));
    }
}

static void check_accept(const struct policy_accept *r)
{
    char line[400];
    FILE *f;
    unsigned errors = 0;

    FUZZ_CHECK(r->line && *r->key && *r->guest);
    FUZZ_CHECK(r->memory_kib <= MEXT_MEMORY_KIB_MAX);
    FUZZ_CHECK(r->vcpus <= MEXT_VCPUS_MAX && r->guests <= POLICY_GUESTS_MAX);
    FUZZ_CHECK(r->allow < 2U * POLICY_XSM_LABEL);
    FUZZ_CHECK(r->nbridges <= POLICY_BRIDGES_MAX);
    check_prefixes(&r->disks);
    check_prefixes(&r->files);
    for (unsigned i = 0; i < r->nbridges; i++)
        FUZZ_CHECK(*r->bridges[i].name &&
                   r->bridges[i].first <= r->bridges[i].last &&
                   r->bridges[i].last <= POLICY_VLAN_MAX);
    /* a pattern as a guest's name: whatever it holds, the proposal is a line */
    policy_accept_line("h", r->guest, 4096, 1, line, sizeof(line));
    f = fmemopen(line, strlen(line), "r");
    FUZZ_CHECK(f && !policy_parse(f, &again, note, &errors));
    FUZZ_CHECK(again.naccepts == 1);
    fclose(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *f = fmemopen((void *)data, size, "r");
    unsigned errors = 0, n;

    if (!f)
        return 0;
    n = policy_parse(f, &policy, note, &errors);
    FUZZ_CHECK(n == errors);
    FUZZ_CHECK(policy.n <= POLICY_RULES_MAX);
    FUZZ_CHECK(policy.naccepts <= POLICY_RULES_MAX);
    for (unsigned i = 0; i < policy.naccepts; i++)
        check_accept(&policy.accepts[i]);
    fclose(f);
    return 0;
}
