/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "admit.h"
#include "commit.h"
#include "receipt.h"
#include "door.h"
#include "mext_agent.h"
#include "mext_fault.h"
#include "mext_steer.h"
#include "mind.h"
#include "ms_host.h"
#include "packetd.h"
#include "received.h"

/* Deadlines, ms. */
#define CONFIG_MS 30000
#define SEND_MS   30000
#define MSTRAP_MS 60000
#define TIDY_MS   60000
#define COMMIT_MS 120000

struct session {
    const struct packetd *p;
    const char *key; /* name of the source's */
    const struct policy *policy;
    const struct policy_accept *rule; /* of the policy, that lets it in */
    unsigned slot;
    char peer[64];
    struct mext_token token;
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_conn conn;
    struct mext_lxl *lxl;
    struct mext_store *store;
    struct ms_domain ms;
    struct commit commit;
    struct mext_steer *steer;
    bool adopted;                  /* mstrap was started by hand */
    bool minded;                   /* ... and its xl minds the guest */
    char *json, *name;             /* guest's, owned */
    uint32_t ip, netmask, gateway; /* mstrap's */
    uint32_t report_ms; /* how long the source waits for the guest's report */
};

static int fail(struct session *s, unsigned code)
{
    s->commit.code = code;
    return -1;
}

static const char *state_name(const struct session *s)
{
    return mext_dst_name(s->commit.machine.state);
}

/* Tells log and source what is being done. */
static void step(struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void step(struct session *s, const char *fmt, ...)
{
    struct mext_ctl m = { .type = MEXT_CTL_STEP };
    struct mext_why ignored;
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    packetd_log("%s: %s", s->name ? s->name : s->peer, text);
    mext_steer_tell(s->steer, &(struct mext_standing){ .state = state_name(s),
                                                       .step = text });
    m.u.step.text = text;
    m.u.step.len = (uint16_t)strlen(text);
    mext_conn_send(&s->conn, &m, SEND_MS, &ignored);
}

/* ---- the line to the source ---- */

/*
 * The keys of the control connection and the hello that proves who we are: the
 * line's, which gets nothing else of ours.
 */
static int make_setup(struct session *s, struct line_setup *l,
                      struct mext_why *why)
{
    const struct mext_identity *self = mext_identities_find(&s->p->ids,
                                                            s->token.audience);
    uint8_t secret[32];
    struct mext_hello h;
    int rc;

    memcpy(h.token, s->digest, sizeof(h.token));
    memcpy(h.destination, s->token.audience, sizeof(h.destination));
    randombytes_buf(secret, sizeof(secret));
    crypto_scalarmult_base(h.session, secret);
    rc = mext_root_derive(&l->root, MEXT_KDF_CONTROL, secret, s->token.session,
                          s->digest, s->token.session, h.session) ||
         !self || mext_hello_sign(&h, self, l->hello);
    mext_wipe(secret, sizeof(secret));
    return rc ? mext_fail(why, "the source's session key is unusable") : 0;
}

/* Starts the line on connection fd, which is closed here. */
static int start_line(struct session *s, int fd, struct mext_why *why)
{
    struct line_setup setup;
    int ends[2], rc = -1;

    if (make_setup(s, &setup, why))
        return fail(s, MEXT_E_LINK);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        mext_fail(why, "socketpair: %s", strerror(errno));
        return fail(s, MEXT_E_INTERNAL);
    }
    if (packetd_jailed(s->p, LINE_WORD, (int[]){ ends[1], fd }, 2, why) > 0 &&
        write(ends[0], &setup, sizeof(setup)) == sizeof(setup))
        rc = mext_conn_init(&s->conn, ends[0], NULL, false);
    mext_wipe(&setup, sizeof(setup));
    close(ends[1]);
    close(fd);
    return rc ? fail(s, MEXT_E_INTERNAL) : 0;
}

/* Which message of the source's is due in a state: one, or none. */
static const uint8_t due[] = {
    [MEXT_DST_NEW] = MEXT_CTL_CONFIG,
    [MEXT_DST_INCOMING] = MEXT_CTL_FINAL,
    [MEXT_DST_PREPARED] = MEXT_CTL_COMMIT,
};

/* Receives the message that is due; anything else ends the migration. */
static int receive(struct session *s, struct mext_ctl *m, unsigned timeout_ms,
                   struct mext_why *why)
{
    unsigned aborted;

    if (mext_conn_recv(&s->conn, m, timeout_ms, &aborted, why))
        return fail(s, aborted ? aborted : MEXT_E_LINK);
    if (m->type == due[s->commit.machine.state])
        return 0;
    mext_fail(why, "message 0x%02x out of turn", m->type);
    return fail(s, MEXT_E_MALFORMED);
}

/* ---- the receiving domain ---- */

static int choose_address(struct session *s, struct mext_why *why)
{
    if (s->token.ip) {
        s->ip = s->token.ip;
        s->netmask = s->token.netmask;
        s->gateway = s->token.gateway;
        return 0;
    }
    if (!s->p->pool_count)
        return mext_fail(why, "this packetd has no pool of addresses: give "
                              "--mstrap-ip, or packetd run --pool");
    s->ip = s->p->pool_first + s->slot % s->p->pool_count;
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
        return fail(s, MEXT_E_REFUSED);
    if (waiting ? mext_lxl_adopt(s->lxl, waiting, how, &r, &s->commit.code, why)
                : mext_lxl_launch(s->lxl, how, &r, &s->commit.code, why))
        return -1;
    s->adopted = waiting;
    s->minded = waiting &&
                mext_store_read(s->store, waiting, "mstrap/started-by", by,
                                sizeof(by)) < 0;
    if (s->minded && mind_not(s->token.id, why))
        return fail(s, MEXT_E_INTERNAL);
    s->ms.domid = r.domid;
    s->ms.vif = r.vif;
    s->ms.vcpus = s->token.vcpus;
    s->name = r.name;
    return commit_domain(&s->commit, r.domid, r.uuid, why)
               ? fail(s, MEXT_E_INTERNAL)
               : 0;
}

/*
 * The same, if one more guest may come in.  One domain is made at a time:
 * others see its memory taken and the guest counted.
 */
static int find_domain_alone(struct session *s, const struct mext_launch *how,
                             struct mext_why *why)
{
    int lock = received_lock(s->p->state_dir, why), rc;

    if (lock < 0)
        return fail(s, MEXT_E_INTERNAL);
    if (admit_count(s->rule, s->key,
                    received_count(lock, s->store, s->policy, s->rule), why))
        rc = fail(s, MEXT_E_REFUSED);
    else
        rc = find_domain(s, how, why);
    if (!rc && received_note(lock, s->store, s->ms.domid, s->key, why))
        rc = fail(s, MEXT_E_INTERNAL);
    close(lock);
    return rc;
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
        return fail(s, MEXT_E_POLICY);
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
        .cmdline = cmdline,
        .memory_kib = s->token.memory_kib,
        .vcpus = s->token.vcpus,
    };

    if (m->u.config.memory_kib != s->token.memory_kib) {
        mext_fail(why, "memory is not that of the token");
        return fail(s, MEXT_E_CONFIG);
    }
    if (choose_address(s, why))
        return fail(s, MEXT_E_CONFIG);
    packetd_cmdline(s->ip, s->netmask, s->gateway, s->token.port, cmdline);
    if (mext_fault("dest.launch", why))
        return fail(s, MEXT_E_INTERNAL);
    if (find_domain_alone(s, &how, why))
        return -1;
    if (mext_fault("dest.launched", why) ||
        mext_dom_open(s->ms.domid, &s->ms.dom, why))
        return fail(s, MEXT_E_INTERNAL);
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
        return fail(s, MEXT_E_INTERNAL);
    if (s->adopted ? grow(s, why)
                   : ms_seed(&s->ms, why) || mext_dom_unpause(s->ms.dom, why))
        return fail(s, MEXT_E_INTERNAL);
    step(s,
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
            return fail(s, MEXT_E_MSTRAP);
        }
        if (now >= end) {
            mext_fail(why, "mstrap did not answer in time (xl console %s)",
                      s->name);
            return fail(s, MEXT_E_MSTRAP);
        }
        r = mext_store_wait(s->store, s->conn.fd, (unsigned)(end - now), why);
        if (r < 0)
            return fail(s, MEXT_E_CANCELLED);
        /* Nothing is due from the source here but its giving up. */
        if (r == 2 && !mext_conn_recv(&s->conn, &m, SEND_MS, NULL, why))
            mext_fail(why, "message 0x%02x out of turn", m.type);
        if (r == 2)
            return fail(s, MEXT_E_LINK);
    }
}

static int watch_domain(struct session *s, struct mext_why *why)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/data/mstrap", s->ms.domid);
    return mext_store_watch(s->store, path, why) ||
           mext_store_watch(s->store, "@releaseDomain", why);
}

/* The receipt, and what the attester has to say about it. */
static int send_receipt(struct session *s, struct mext_why *why)
{
    struct mext_ctl m = { .type = MEXT_CTL_RECEIPT };
    uint8_t out[MEXT_RECEIPT_LEN];
    struct mext_evidence e;

    if (mext_fault("dest.receipt", why) ||
        packetd_receipt(s->p, s->digest, &s->token, s->ip, &s->ms, out, &e,
                        why))
        return fail(s, MEXT_E_INTERNAL);
    m.u.receipt.bytes = out;
    if (mext_conn_send(&s->conn, &m, SEND_MS, why))
        return fail(s, MEXT_E_LINK);
    if (!e.attest_len)
        return 0;
    m.type = MEXT_CTL_EVIDENCE;
    m.u.evidence.attest = e.attest;
    m.u.evidence.attest_len = e.attest_len;
    m.u.evidence.sig = e.sig;
    m.u.evidence.sig_len = e.sig_len;
    return mext_conn_send(&s->conn, &m, SEND_MS, why) ? fail(s, MEXT_E_LINK)
                                                      : 0;
}

static int read_config(struct session *s, struct mext_ctl *m,
                       struct mext_why *why)
{
    uint8_t digest[MEXT_DIGEST_LEN];

    if (receive(s, m, CONFIG_MS, why))
        return -1;
    /* Signed with the token: nobody on the way here can have made another. */
    mext_digest(s->conn.buf, s->conn.body_len, digest);
    if (memcmp(digest, s->token.config, sizeof(digest))) {
        mext_fail(why, "not the configuration the token is for");
        return fail(s, MEXT_E_CONFIG);
    }
    s->json = strndup((const char *)m->u.config.json, m->u.config.json_len);
    return s->json ? 0 : fail(s, MEXT_E_INTERNAL);
}

/* From here on there may be a domain: the journal knows of it. */
static int begin(struct session *s, const char *name, struct mext_why *why)
{
    struct mext_entry e = { .side = MEXT_SIDE_DEST,
                            .noted = MEXT_NOTED_INCOMING };
    char dir[4096];

    memcpy(e.id, s->token.id, sizeof(e.id));
    memcpy(e.ours, s->token.audience, sizeof(e.ours));
    memcpy(e.theirs, s->token.source, sizeof(e.theirs));
    snprintf(e.host, sizeof(e.host), "%s", s->peer);
    snprintf(e.name, sizeof(e.name), "%s", name);
    s->commit.lxl = s->lxl;
    if (packetd_journal_dir(s->p, dir, why) ||
        commit_begin(&s->commit, dir, &e, why) ||
        mext_steer_open(MEXT_STEER_DIR, &e, &s->steer, why))
        return fail(s, MEXT_E_INTERNAL);
    return 0;
}

/*
 * Judged before libxl takes it apart, and again as libxl understood it, which
 * is what is acted on.
 */
static int admit(struct session *s, struct mext_why *why)
{
    struct admit_guest g;

    s->policy = packetd_policy(s->p, why);
    if (!s->policy ||
        admit_config(s->policy, s->key, s->json, strlen(s->json), &g, why) ||
        mext_lxl_canonical(s->lxl, &s->json, why) ||
        admit_config(s->policy, s->key, s->json, strlen(s->json), &g, why))
        return fail(s, MEXT_E_REFUSED);
    s->rule = g.rule;
    return begin(s, g.name, why);
}

static int boot(struct session *s, struct mext_why *why)
{
    struct mext_ctl m;

    if (read_config(s, &m, why))
        return -1;
    if (mext_fault("dest.config", why))
        return fail(s, MEXT_E_INTERNAL);
    if (mext_lxl_open(s->p->verbosity, &s->lxl, why) ||
        mext_store_open(&s->store, why))
        return fail(s, MEXT_E_INTERNAL);
    s->ms.store = s->store;
    s->ms.lxl = s->lxl;
    if (admit(s, why) || launch(s, &m, why))
        return -1;
    if (watch_domain(s, why))
        return fail(s, MEXT_E_INTERNAL);
    if (start(s, why) || wait_state(s, MEXT_RCV_WAITING, MSTRAP_MS, why))
        return -1;
    if (ms_keys_read(&s->ms, why))
        return fail(s, MEXT_E_MSTRAP);
    if (mext_fault("dest.invite", why) ||
        ms_invite(&s->ms, s->digest, s->token.session, s->token.channels, why))
        return fail(s, MEXT_E_INTERNAL);
    return send_receipt(s, why);
}

/* ---- receiving, hand-over ---- */

/* Waits for FINAL, however long the pre-copy takes; minds mstrap meanwhile. */
static int wait_final(struct session *s, struct mext_ctl *m,
                      struct mext_why *why)
{
    char detail[200];
    int r;

    while ((r = mext_store_wait(s->store, s->conn.fd, 60000, why)) != 2) {
        if (r < 0)
            return fail(s, MEXT_E_CANCELLED);
        if (ms_state_read(&s->ms, detail, sizeof(detail)) == MEXT_RCV_FAILED) {
            mext_fail(why, "%s", detail);
            return fail(s, MEXT_E_MSTRAP);
        }
    }
    return receive(s, m, SEND_MS, why);
}

static int hand_over(struct session *s, struct mext_why *why)
{
    uint64_t t = mext_now_us();
    struct mext_ctl m;
    struct mext_tsc tsc;

    if (wait_final(s, &m, why))
        return -1;
    tsc = (struct mext_tsc){ m.u.final.tsc_mode, m.u.final.tsc_khz,
                             m.u.final.tsc_incarnation, m.u.final.tsc_nsec };
    t = mext_now_us();
    /* While mstrap tidies up. */
    if (mext_fault("dest.settle", why) ||
        mext_lxl_settle(s->lxl, s->ms.domid, s->json, s->name, why) ||
        mext_lxl_rename(s->lxl, s->ms.domid, s->name, why))
        return fail(s, MEXT_E_HANDOVER);
    if (wait_state(s, MEXT_RCV_TIDY, TIDY_MS, why))
        return -1;
    s->commit.tidy_us = mext_now_us() - t;
    t = mext_now_us();
    if (mext_fault("dest.hand-over", why) ||
        ms_handover(&s->ms, &tsc, m.u.final.context, m.u.final.context_len,
                    m.u.final.target_kib, why) ||
        (s->adopted &&
         mext_lxl_vifs_replace(s->lxl, s->ms.domid, s->ms.vif, s->json, why)))
        return fail(s, MEXT_E_HANDOVER);
    s->commit.prepare_us = mext_now_us() - t;
    s->report_ms = m.u.final.report_ms;
    return 0;
}

/* Point of no return: once COMMIT is noted the guest runs here, or nowhere. */
static int commit(struct session *s, struct mext_why *why)
{
    struct mext_ctl m;

    if (commit_event(&s->commit, MEXT_EV_FINAL, why) ||
        mext_fault("dest.wait-commit", why))
        return fail(s, MEXT_E_LINK);
    if (receive(s, &m, COMMIT_MS, why))
        return -1;
    if (mext_steer_commit(s->steer, why))
        return fail(s, MEXT_E_CANCELLED);
    s->commit.code = MEXT_E_HANDOVER;
    return commit_event(&s->commit, MEXT_EV_COMMIT, why) ||
           commit_event(&s->commit, MEXT_EV_GO, why);
}

/* ---- the whole ---- */

static void abandon(struct session *s, struct mext_why *why)
{
    struct mext_why first, quiet;

    if (mext_net_cancelled(&quiet)) {
        s->commit.code = MEXT_E_CANCELLED;
        mext_fail(why, "at the destination");
    }
    first = *why;
    mext_steer_commit(s->steer, &quiet); /* it is given up already */
    mext_net_cancel_fd(-1);
    if (s->commit.machine.state != MEXT_DST_ABORTED)
        commit_event(&s->commit, MEXT_EV_FAILED, why);
    /* Only now, for who reads the log and looks for what is left. */
    packetd_log("%s: given up: %s%s%s", s->name ? s->name : s->peer,
                mext_reason(s->commit.code), *first.text ? ": " : "",
                first.text);
    mext_steer_close(s->steer, state_name(s), why->text);
}

/* What the guest says of its own standstill, to the source. */
static void pass_report(struct session *s)
{
    struct mext_ctl m = { .type = MEXT_CTL_GUEST };
    struct mext_agent_report report;
    struct mext_why why;

    if (mext_agent_report_read(s->store, s->ms.domid, s->report_ms, &report,
                               &why))
        packetd_log("%s: %s", s->name, why.text);
    else
        m.u.guest.stopped_ms = mext_agent_report_gap(&report);
    mext_conn_send(&s->conn, &m, SEND_MS, &why);
}

/* The guest runs: what is left of the migration goes. */
static void settle(struct session *s)
{
    uint32_t domid = s->ms.domid;

    packetd_log("%s: runs as domain %u", s->name, domid);
    if (!s->minded)
        mind(s->p, mext_journal_entry(s->commit.journal));
    mext_steer_close(s->steer, state_name(s), "");
    commit_close(&s->commit);
    if (!s->adopted)
        mext_lxl_vifs_strip(s->lxl, domid);
    if (s->report_ms)
        pass_report(s);
    mext_conn_close(&s->conn);
    mext_dom_close(s->ms.dom);
    mext_store_close(s->store);
    mext_lxl_close(s->lxl);
}

int packetd_session(const struct packetd *p, const uint8_t *token,
                    const struct mext_token *t, const char *key, int fd,
                    unsigned slot)
{
    struct session s = { .p = p, .slot = slot, .token = *t, .key = key };
    struct mext_why why = { "" };

    commit_init(&s.commit);
    s.commit.conn = &s.conn;
    mext_digest(token, MEXT_TOKEN_LEN, s.digest);
    mext_net_peer(fd, s.peer);
    if (start_line(&s, fd, &why) || boot(&s, &why) || hand_over(&s, &why) ||
        commit(&s, &why)) {
        abandon(&s, &why);
        return 1;
    }
    settle(&s);
    return 0;
}
