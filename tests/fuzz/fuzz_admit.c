/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest configurations: what a narrow rule lets in, an open one does too, and
 * every refusal can be shown to an operator.
 */
#include <string.h>

#include "admit.h"
#include "fuzz.h"

const char fuzz_corpus[] = "admit";
const size_t fuzz_mutations = 100000;

static const char narrow_rule[] =
    "accept h web-* memory=1024 vcpus=2 disk=/dev/vg file=/boot/guest "
    "bridge=xenbr0 bridge=ovs.1-9\n"
    "accept h helped disk=/dev/san file=/boot bridge=xenbr0";
static const char open_rule[] =
    "accept * * disk=/ file=/ bridge=xenbr0 bridge=ovs.1-4094 allow=backend,"
    "bootloader,coredump,cpu-features,cpu-pinning,cpu-weight,device-model,"
    "image-format,script,vifname,xsm-label";

static void no_error(void *arg, unsigned line, const char *text)
{
    FUZZ_CHECK(!"a rule with an error");
}

static void read_rules(const char *text, struct policy *p)
{
    FILE *f = fmemopen((void *)text, strlen(text), "r");

    FUZZ_CHECK(f && !policy_parse(f, p, no_error, NULL));
    fclose(f);
}

static int ask(const struct policy *p, const char *json, size_t size,
               struct admit_guest *g)
{
    struct mext_why why = { "" };
    int rc = admit_config(p, "h", json, size, g, &why);

    FUZZ_CHECK(!rc == !*why.text);
    for (const char *c = why.text; *c; c++)
        FUZZ_CHECK(*c >= 0x20 && *c <= 0x7e);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct policy narrow, open;
    const char *json = (const char *)data;
    struct admit_guest g, g2;

    if (!open.naccepts) {
        read_rules(narrow_rule, &narrow);
        read_rules(open_rule, &open);
    }
    if (!ask(&narrow, json, size, &g)) {
        FUZZ_CHECK(g.rule == policy_accept_find(&narrow, "h", g.name));
        FUZZ_CHECK(!g.rule->memory_kib || g.memory_kib <= g.rule->memory_kib);
        FUZZ_CHECK(!g.rule->vcpus || g.vcpus <= g.rule->vcpus);
        FUZZ_CHECK(!ask(&open, json, size, &g2));
        FUZZ_CHECK(!strcmp(g.name, g2.name) && g.memory_kib == g2.memory_kib);
    }
    if (!ask(&open, json, size, &g))
        FUZZ_CHECK(*g.name && g.memory_kib && g.vcpus);
    return 0;
}
