/* SPDX-License-Identifier: GPL-2.0-only */
/* agent-probe: asks a guest's agent from dom0, for operators and tests. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mext_agent.h"
#include "mext_net.h"

static unsigned timeout_ms = 10000;
static struct mext_why why;

static void usage(FILE *f)
{
    fputs(
        "Usage: agent-probe [--timeout MS] DOMID COMMAND\n"
        "\n"
        "  info             the agent's version, and what it can do\n"
        "  free [GFNS [FILE]]  free pages; GFNS from the domain's memory (0:\n"
        "                   that); FILE gets the bitmap, words of 64 gfns\n"
        "  trim cache|deep  drop clean page cache\n"
        "  quiesce MS       hold still, for so long at most\n"
        "  resume [FLAGS]   go on; 1: tell the neighbours, 2: set the clock\n"
        "  calm PERCENT MS  slow the configured services\n"
        "  report           what the agent noted at its last resume\n",
        f);
}

static int failed(void)
{
    fprintf(stderr, "agent-probe: %s\n", why.text);
    return 1;
}

/* RAM of PVH and HVM guests goes on above 4 GiB behind a hole. */
static uint64_t domain_gfns(uint32_t domid)
{
    struct mext_store *s;
    char text[24];
    uint64_t pages = 0;

    if (mext_store_open(&s, &why))
        return 0;
    if (mext_store_read(s, domid, "memory/static-max", text, sizeof(text)) > 0)
        pages = strtoull(text, NULL, 10) / 4;
    mext_store_close(s);
    return pages > 0xf0000 ? pages + 0x100000 : pages;
}

static int do_info(struct mext_agent *a, uint32_t domid, char **args)
{
    printf("name=\"%s\" abilities=%u\n", mext_agent_name(a),
           mext_agent_abilities(a));
    return 0;
}

static int save(const char *path, const uint64_t *words, uint64_t n)
{
    FILE *f = fopen(path, "wb");

    if (!f)
        return mext_fail(&why, "%s cannot be written", path);
    if (fwrite(words, sizeof(*words), n, f) != n || fclose(f))
        return mext_fail(&why, "%s is not whole", path);
    return 0;
}

static int do_free(struct mext_agent *a, uint32_t domid, char **args)
{
    uint64_t ngfns = args[0] ? strtoull(args[0], NULL, 0) : 0;
    uint64_t start = mext_now_ms(), pages, *bitmap;
    unsigned flags;
    int rc;

    if (!ngfns)
        ngfns = domain_gfns(domid);
    if (!ngfns || ngfns > MEXT_GFN_MAX + 1)
        return mext_fail(&why, "how many gfns?");
    bitmap = calloc((ngfns + 63) / 64, 8);
    if (!bitmap)
        return mext_fail(&why, "out of memory");
    rc = mext_agent_free(a, bitmap, ngfns, timeout_ms, &flags, &pages, &why);
    if (!rc)
        printf(
            "free_pages=%" PRIu64 " ngfns=%" PRIu64 " zero=%u ms=%" PRIu64 "\n",
            pages, ngfns, flags & MEXT_AGENT_FREE_ZERO, mext_now_ms() - start);
    if (!rc && args[0] && args[1])
        rc = save(args[1], bitmap, (ngfns + 63) / 64);
    free(bitmap);
    return rc;
}

static int do_trim(struct mext_agent *a, uint32_t domid, char **args)
{
    bool deep = args[0] && !strcmp(args[0], "deep");
    uint64_t before, after;

    if (mext_agent_trim(a, deep ? MEXT_AGENT_TRIM_DEEP : MEXT_AGENT_TRIM_CACHE,
                        timeout_ms, &before, &after, &why))
        return -1;
    printf("before_kib=%" PRIu64 " after_kib=%" PRIu64 "\n", before, after);
    return 0;
}

static int do_quiesce(struct mext_agent *a, uint32_t domid, char **args)
{
    struct mext_agentmsg m;

    if (!args[0])
        return mext_fail(&why, "hold still for how long?");
    if (mext_agent_quiesce(a, timeout_ms, (unsigned)strtoul(args[0], NULL, 0),
                           &m, &why))
        return -1;
    printf("took_ms=%u cgroups=%u hooks=%u\n", m.u.quiesced.took_ms,
           m.u.quiesced.cgroups, m.u.quiesced.hooks);
    return 0;
}

static int do_resume(struct mext_agent *a, uint32_t domid, char **args)
{
    struct mext_agentmsg m;

    if (mext_agent_resume(a, args[0] ? (unsigned)strtoul(args[0], NULL, 0) : 0,
                          timeout_ms, &m, &why))
        return -1;
    printf("took_ms=%u hooks=%u announced=%u stepped_ms=%" PRId64 "\n",
           m.u.resumed.took_ms, m.u.resumed.hooks, m.u.resumed.announced,
           (int64_t)(m.u.resumed.after_ms - m.u.resumed.before_ms));
    return 0;
}

static int do_calm(struct mext_agent *a, uint32_t domid, char **args)
{
    unsigned n;

    if (!args[0] || !args[1])
        return mext_fail(&why, "how slow, and for how long?");
    if (mext_agent_calm(a, (unsigned)strtoul(args[0], NULL, 0),
                        (unsigned)strtoul(args[1], NULL, 0), timeout_ms, &n,
                        &why))
        return -1;
    printf("cgroups=%u\n", n);
    return 0;
}

static int report(uint32_t domid)
{
    char text[MEXT_AGENT_REPORT_MAX + 1];
    struct mext_agent_report r;
    struct mext_store *s;
    int rc;

    if (mext_store_open(&s, &why))
        return failed();
    rc = mext_agent_report_read(s, domid, timeout_ms, &r, &why);
    mext_store_close(s);
    if (rc)
        return failed();
    mext_agent_report_text(&r, text);
    printf("%s gap_ms=%" PRIu64 "\n", text, mext_agent_report_gap(&r));
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct mext_agent *a, uint32_t domid, char **args);
} commands[] = {
    { "info", do_info },       { "free", do_free },     { "trim", do_trim },
    { "quiesce", do_quiesce }, { "resume", do_resume }, { "calm", do_calm },
};

/* Asks one thing; how the agent let go is told, a suspend depends on it. */
static int ask(uint32_t domid, const char *name, char **args)
{
    struct mext_agent *a;
    size_t i = 0;
    int rc;

    while (i < sizeof(commands) / sizeof(commands[0]) &&
           strcmp(commands[i].name, name))
        i++;
    if (i == sizeof(commands) / sizeof(commands[0])) {
        usage(stderr);
        return 2;
    }
    if (mext_agent_open(domid, timeout_ms, &a, &why))
        return failed();
    rc = commands[i].run(a, domid, args);
    if (!mext_agent_close(a, timeout_ms))
        fputs("agent-probe: the agent does not let go of the vchan\n", stderr);
    return rc ? failed() : 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "timeout", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    uint32_t domid;
    int c;

    while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
        if (c == 't') {
            timeout_ms = (unsigned)strtoul(optarg, NULL, 0);
            continue;
        }
        usage(c == 'h' ? stdout : stderr);
        return c == 'h' ? 0 : 2;
    }
    if (argc - optind < 2) {
        usage(stderr);
        return 2;
    }
    mext_net_cancel_fd(-1);
    domid = (uint32_t)strtoul(argv[optind], NULL, 10);
    if (!strcmp(argv[optind + 1], "report"))
        return report(domid);
    return ask(domid, argv[optind + 1], argv + optind + 2);
}
