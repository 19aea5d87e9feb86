/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LOOK in the place of CONFIG: what would stand against this guest's coming.
 * Nothing is made, journalled or kept but the token's id.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admit.h"
#include "config.h"
#include "cpu.h"
#include "incoming.h"
#include "received.h"

static void send_finding(void *arg, unsigned kind, const char *text)
{
    struct mext_ctl m = { .type = MEXT_CTL_FINDING };
    struct session *s = arg;
    struct mext_why ignored;

    m.u.finding.kind = (uint8_t)kind;
    m.u.finding.text = text;
    m.u.finding.len = (uint16_t)strlen(text);
    mext_conn_send(&s->conn, &m, SESSION_SEND_MS, &ignored);
}

static void finding(struct session *s, unsigned kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void finding(struct session *s, unsigned kind, const char *fmt, ...)
{
    char text[MEXT_TEXT_MAX + 1];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    send_finding(s, kind, text);
}

/* ---- what packetd.conf says ---- */

/* As in session.c, admit: 0 if libxl may be asked about it. */
static int look_at_policy(struct session *s)
{
    const char *json = s->json;
    struct admit_guest g;
    struct mext_why why;
    int lock, others;

    s->policy = packetd_policy(s->p, &why);
    if (!s->policy ||
        admit_config(s->policy, s->key, json, strlen(json), &g, &why) ||
        mext_lxl_canonical(s->lxl, &s->json, &why) ||
        admit_config(s->policy, s->key, s->json, strlen(s->json), &g, &why)) {
        finding(s, MEXT_FINDING_OBSTACLE, "%s", why.text);
        return -1;
    }
    s->rule = g.rule;
    s->guest = g.type;
    lock = received_lock(s->p->state_dir, &why);
    if ((s->token.receiver == MEXT_RECEIVER_DOM0 &&
         admit_allows(g.rule, s->key, POLICY_DOM0, &why)) ||
        lock < 0 ||
        (others = received_count(lock, s->store, s->policy, s->rule, &why)) <
            0 ||
        admit_count(s->rule, s->key, (unsigned)others, &why))
        finding(s, MEXT_FINDING_OBSTACLE, "%s", why.text);
    else
        finding(s, MEXT_FINDING_FINE, "packetd.conf lets it in, line %u",
                g.rule->line);
    if (lock >= 0)
        close(lock);
    return 0;
}

/* ---- the CPU ---- */

static void lacks(void *arg, const char *words)
{
    finding(arg, MEXT_FINDING_OBSTACLE, CPU_LACKS, words);
}

static void look_at_cpu(struct session *s, const struct mext_cpu *guest)
{
    struct mext_why why;
    int n = cpu_missing(s->guest == MEXT_INSPECT_PV, guest, lacks, s, &why);

    if (n < 0)
        finding(s, MEXT_FINDING_OBSTACLE, "%s", why.text);
    else if (!n)
        finding(s, MEXT_FINDING_FINE,
                "the CPU has all that the guest was promised");
}

/* ---- mstrap ---- */

/* What packetd itself is to have for it. */
static void look_at_mstrap(struct session *s)
{
    if (s->token.receiver != MEXT_RECEIVER_MSTRAP)
        return;
    if (!s->p->vif_script && !mext_lxl_bridge_here(s->p->bridge))
        finding(
            s, MEXT_FINDING_OBSTACLE,
            "packetd: there is no bridge %.32s here for mstrap: packetd run "
            "--bridge",
            s->p->bridge);
    if (!s->token.ip && !s->p->pool_count)
        finding(s, MEXT_FINDING_OBSTACLE,
                "packetd: it has no pool of addresses for mstrap: packetd run "
                "--pool there, or --mstrap-ip here");
}

int session_look(struct session *s, const struct mext_ctl *m,
                 struct mext_why *why)
{
    uint8_t leaves[MEXT_LEAVES_MAX * 24], msrs[MEXT_MSRS_MAX * 16];
    struct mext_cpu guest = { m->u.config.nleaves, m->u.config.nmsrs, leaves,
                              msrs, m->u.config.xen };
    struct mext_launch how = { .memory_kib = s->token.memory_kib,
                               .vcpus = s->token.vcpus };
    struct mext_ctl end = { .type = MEXT_CTL_LOOKED };
    char facts[128];

    /* What was received goes when something is sent. */
    memcpy(leaves, m->u.config.leaves, guest.nleaves * 24u);
    memcpy(msrs, m->u.config.msrs, guest.nmsrs * 16u);
    mext_lxl_facts(s->lxl, facts);
    finding(s, MEXT_FINDING_NOTE, "%s; packetd " PACKAGE_VERSION, facts);
    if (!look_at_policy(s)) {
        how.json = s->json;
        mext_lxl_look(s->lxl, &how, send_finding, s);
        look_at_cpu(s, &guest);
        look_at_mstrap(s);
    }
    packetd_log("%s: looked whether a guest could come", s->peer);
    return mext_conn_send(&s->conn, &end, SESSION_SEND_MS, why);
}
