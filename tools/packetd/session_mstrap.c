/* SPDX-License-Identifier: GPL-2.0-only */
/* Receiver mstrap: an unprivileged domain that becomes the guest. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "incoming.h"
#include "mext_fault.h"
#include "mind.h"

/* Deadlines, ms. */
#define MSTRAP_MS 60000
#define TIDY_MS   60000

/*
 * The first of the pool, from our place on, that no other migration has, and no
 * mstrap that waits.
 */
static int take_address(struct session *s, struct mext_why *why)
{
    const struct packetd *p = s->p;

    for (uint32_t i = 0; i < p->pool_count; i++) {
        uint32_t ip = p->pool_first + (s->slot + i) % p->pool_count;
        int r = address_hold(ip, why);

        if (r < 0)
            return -1;
        if (r == 0 && !ms_find_waiting(s->lxl, s->store, ip, s->token.port,
                                       p->measurement)) {
            s->ip = ip;
            return 0;
        }
        address_let_go();
    }
    return mext_fail(why, "all addresses of the pool are taken: try later, or "
                          "give packetd run --pool more");
}

static int choose_address(struct session *s, struct mext_why *why)
{
    if (s->token.ip) {
        s->ip = s->token.ip;
        s->netmask = s->token.netmask;
        s->gateway = s->token.gateway;
        return address_hold(s->ip, why) ? -1 : 0;
    }
    if (!s->p->pool_count)
        return mext_fail(why, "this packetd has no pool of addresses: give "
                              "--mstrap-ip, or packetd run --pool");
    if (take_address(s, why))
        return -1;
    s->netmask = s->p->netmask;
    s->gateway = s->p->gateway;
    return 0;
}

static const char *dotted(uint32_t ip, char out[16])
{
    struct in_addr a = { htonl(ip) };

    return inet_ntop(AF_INET, &a, out, 16);
}

void packetd_cmdline(uint32_t ip, uint32_t netmask, uint32_t gateway,
                     uint16_t port, char out[128])
{
    char a[16], b[16], c[16];
    int n = snprintf(out, 128, "ip=%s netmask=%s port=%u", dotted(ip, a),
                     dotted(netmask, b), port);

    if (gateway)
        snprintf(out + n, 128 - (size_t)n, " gateway=%s", dotted(gateway, c));
}

/* A new domain, or the one that waits at the token's address. */
static int find_domain(struct session *s, const struct mext_launch *how,
                       struct mext_why *why)
{
    struct mext_launched r;
    char by[16];
    uint32_t waiting = 0;

    if (s->token.ip)
        waiting = ms_find_waiting(s->lxl, s->store, s->ip, s->token.port,
                                  s->p->measurement);
    if (s->token.ip && !waiting &&
        packetd_admit_address(s->p, s->policy, s->key, s->ip, why))
        return session_fail(s, MEXT_E_REFUSED);
    if (waiting ? mext_lxl_adopt(s->lxl, waiting, how, &r, &s->commit.code, why)
                : mext_lxl_launch(s->lxl, how, &r, &s->commit.code, why))
        return -1;
    s->adopted = waiting;
    s->minded = waiting &&
                mext_store_read(s->store, waiting, "mstrap/started-by", by,
                                sizeof(by)) < 0;
    s->domid = s->ms.domid = r.domid;
    s->ms.vif = r.vif;
    s->ms.vcpus = s->token.vcpus;
    s->name = r.name;
    /* First: what is noted is destroyed if anything fails. */
    return commit_domain(&s->commit, r.domid, r.uuid, why) ||
                   (s->minded && mind_not(s->token.id, why))
               ? session_fail(s, MEXT_E_INTERNAL)
               : 0;
}

/* The CPU the guest knows: set on a new domain, compared on one that ran. */
static int set_policy(struct session *s, const struct mext_ctl *m,
                      struct mext_why *why)
{
    int (*policy)(struct mext_dom *, uint32_t, const uint8_t *, uint32_t,
                  const uint8_t *, struct mext_why *) =
        s->adopted ? mext_dom_policy_same : mext_dom_policy_set;

    if (policy(s->ms.dom, m->u.config.nleaves, m->u.config.leaves,
               m->u.config.nmsrs, m->u.config.msrs, why))
        return session_fail(s, MEXT_E_POLICY);
    return 0;
}

static int launch(struct session *s, const struct mext_ctl *m,
                  struct mext_why *why)
{
    char cmdline[128];
    struct mext_launch how = {
        .json = s->json,
        .image = s->p->image,
        .bridge = s->p->bridge,
        .vif_script = s->p->vif_script,
        .cmdline = cmdline,
        .memory_kib = s->token.memory_kib,
        .vcpus = s->token.vcpus,
    };

    if (choose_address(s, why))
        return session_fail(s, MEXT_E_CONFIG);
    packetd_cmdline(s->ip, s->netmask, s->gateway, s->token.port, cmdline);
    if (mext_fault("dest.launch", why))
        return session_fail(s, MEXT_E_INTERNAL);
    if (session_make_alone(s, &how, find_domain, why))
        return -1;
    if (mext_fault("dest.launched", why) ||
        mext_dom_open(s->ms.domid, &s->ms.dom, why))
        return session_fail(s, MEXT_E_INTERNAL);
    return set_policy(s, m, why);
}

/* A small mstrap grows to the guest: the limit, and what xenstore says. */
static int grow(struct session *s, struct mext_why *why)
{
    char kib[24];

    snprintf(kib, sizeof(kib), "%llu", (unsigned long long)s->token.memory_kib);
    return mext_dom_grow(s->ms.dom, s->token.memory_kib, s->token.vcpus, why) ||
           mext_store_write(s->store, s->ms.domid, "memory/static-max", kib,
                            why);
}

static int start(struct session *s, struct mext_why *why)
{
    if (mext_fault("dest.start", why))
        return session_fail(s, MEXT_E_INTERNAL);
    if (s->adopted ? grow(s, why)
                   : ms_seed(&s->ms, why) || mext_dom_unpause(s->ms.dom, why))
        return session_fail(s, MEXT_E_INTERNAL);
    session_step(s,
                 s->adopted ? "mstrap found waiting in domain %u"
                            : "domain %u created, starting mstrap",
                 s->ms.domid);
    return 0;
}

/* A state mstrap must reach; link and operator may end the wait. */
static int wait_state(struct session *s, enum mext_rcv want,
                      unsigned timeout_ms, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms;
    char detail[200];
    struct mext_ctl m;

    for (;;) {
        enum mext_rcv st = ms_state_read(&s->ms, detail, sizeof(detail));
        uint64_t now = mext_now_ms();
        int r;

        if (st == want)
            return 0;
        if (st == MEXT_RCV_FAILED) {
            mext_fail(why, "%s", detail);
            return session_fail(s, MEXT_E_MSTRAP);
        }
        if (now >= end) {
            mext_fail(why, "mstrap did not answer in time (xl console %s)",
                      s->name);
            return session_fail(s, MEXT_E_MSTRAP);
        }
        r = mext_store_wait(s->store, s->conn.fd, (unsigned)(end - now), why);
        if (r < 0)
            return session_fail(s, MEXT_E_CANCELLED);
        /* Nothing is due from the source here but its giving up. */
        if (r == 2 && !mext_conn_recv(&s->conn, &m, SESSION_SEND_MS, NULL, why))
            mext_fail(why, "message 0x%02x out of turn", m.type);
        if (r == 2)
            return session_fail(s, MEXT_E_LINK);
    }
}

static int watch_domain(struct session *s, struct mext_why *why)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/data/mstrap", s->ms.domid);
    return mext_store_watch(s->store, path, why) ||
           mext_store_watch(s->store, "@releaseDomain", why);
}

int mstrap_boot(struct session *s, const struct mext_ctl *m,
                struct mext_why *why)
{
    s->ms.store = s->store;
    s->ms.lxl = s->lxl;
    if (launch(s, m, why))
        return -1;
    if (watch_domain(s, why))
        return session_fail(s, MEXT_E_INTERNAL);
    if (start(s, why) || wait_state(s, MEXT_RCV_WAITING, MSTRAP_MS, why))
        return -1;
    if (ms_keys_read(&s->ms, why))
        return session_fail(s, MEXT_E_MSTRAP);
    if (mext_fault("dest.invite", why) ||
        ms_invite(&s->ms, s->digest, s->token.session, s->token.channels, why))
        return session_fail(s, MEXT_E_INTERNAL);
    return session_receipt(s, s->ip, s->ms.key, why);
}

/* ---- hand-over ---- */

/* Waits for FINAL, however long the pre-copy takes; minds mstrap meanwhile. */
static int wait_final(struct session *s, struct mext_ctl *m,
                      struct mext_why *why)
{
    char detail[200];
    int r;

    while ((r = mext_store_wait(s->store, s->conn.fd, 60000, why)) != 2) {
        if (r < 0)
            return session_fail(s, MEXT_E_CANCELLED);
        if (ms_state_read(&s->ms, detail, sizeof(detail)) == MEXT_RCV_FAILED) {
            mext_fail(why, "%s", detail);
            return session_fail(s, MEXT_E_MSTRAP);
        }
    }
    return session_receive(s, m, SESSION_SEND_MS, why);
}

int mstrap_hand_over(struct session *s, struct mext_why *why)
{
    uint64_t t;
    struct mext_ctl m;
    struct mext_tsc tsc;

    if (wait_final(s, &m, why))
        return -1;
    tsc = (struct mext_tsc){ m.u.final.tsc_mode, m.u.final.tsc_khz,
                             m.u.final.tsc_incarnation, m.u.final.tsc_nsec };
    /* It counts when the guest is started again, and memory= was judged without. */
    if (m.u.final.target_kib > s->token.memory_kib) {
        mext_fail(why, "a target of more memory than the guest has");
        return session_fail(s, MEXT_E_MALFORMED);
    }
    t = mext_now_us();
    /* While mstrap tidies up. */
    if (mext_fault("dest.settle", why) ||
        mext_lxl_settle(s->lxl, s->ms.domid, s->json, s->name, why) ||
        mext_lxl_rename(s->lxl, s->ms.domid, s->name, why))
        return session_fail(s, MEXT_E_HANDOVER);
    if (wait_state(s, MEXT_RCV_TIDY, TIDY_MS, why))
        return -1;
    s->commit.tidy_us = mext_now_us() - t;
    t = mext_now_us();
    if (mext_fault("dest.hand-over", why) ||
        ms_handover(&s->ms, &tsc, m.u.final.context, m.u.final.context_len,
                    m.u.final.target_kib, why) ||
        (s->adopted &&
         mext_lxl_vifs_replace(s->lxl, s->ms.domid, s->ms.vif, s->json, why)))
        return session_fail(s, MEXT_E_HANDOVER);
    s->commit.prepare_us = mext_now_us() - t;
    s->report_ms = m.u.final.report_ms;
    return 0;
}
