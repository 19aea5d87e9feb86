/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_attest.h"
#include "mext_crypto.h"
#include "mext_handshake.h"
#include "mext_memory.h"
#include "mext_sender.h"
#include "mext_store.h"
#include "mext_suspend.h"
#include "mext_xen.h"

/* Deadlines, ms. */
#define CONNECT_MS 10000
#define ANSWER_MS  30000
#define BOOT_MS    120000 /* creating a domain may take a while */
#define DATA_MS    60000
#define COMMIT_MS  60000
#define REPORT_MS  5000 /* the guest tells how long it stood still */

struct sender {
    const struct mext_request *rq;
    const struct mext_events *ev;
    struct mext_report *rep;
    struct mext_lxl *lxl;
    struct mext_store *store;
    struct mext_dom *dom;
    struct mext_guest guest;
    struct mext_memory mem;
    struct mext_help help;
    struct mext_identity self;
    struct mext_token token;
    uint8_t secret[32];              /* X25519, of token.session */
    uint8_t digest[MEXT_DIGEST_LEN]; /* of the signed token */
    struct mext_attest attest;
    struct mext_policy policy;
    struct mext_conn conn;
    struct mext_receipt receipt;
    uint32_t domid;
    bool suspended, renamed;
    uint64_t t_start, t_suspended;
};

static void step(struct sender *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void step(struct sender *s, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    s->ev->step(s->ev->arg, text);
}

#define AWAY_SUFFIX "--migratedaway"

static void say(void *arg, const char *text)
{
    struct sender *s = arg;

    s->ev->step(s->ev->arg, text);
}

/* ---- the guest ---- */

static int open_guest(struct sender *s, struct mext_why *why)
{
    struct mext_dom_state st;

    if (mext_lxl_open(s->rq->verbosity, &s->lxl, why) ||
        mext_lxl_find(s->lxl, s->rq->domain, &s->domid, why) ||
        mext_store_open(&s->store, why) ||
        mext_dom_open(s->domid, &s->dom, why) ||
        mext_lxl_guest(s->lxl, s->domid, &s->guest, why) ||
        mext_dom_state(s->dom, &st, why))
        return -1;
    if (strcmp(s->guest.type, "pvh"))
        return mext_fail(why,
                         "\"%s\" is a %s guest: only PVH guests move "
                         "cooperatively so far, use xl migrate without "
                         "--cooperative",
                         s->guest.name, s->guest.type);
    if (s->guest.obstacle)
        return mext_fail(why,
                         "\"%s\" has %s, which cannot move: detach it "
                         "first",
                         s->guest.name, s->guest.obstacle);
    if (st.shutdown || st.dying)
        return mext_fail(why, "\"%s\" is not running", s->guest.name);
    if (st.paused)
        return mext_fail(why,
                         "\"%s\" is paused and could not prepare itself: "
                         "xl unpause it first",
                         s->guest.name);
    s->help.domid = s->domid;
    s->help.wanted = s->rq->agent;
    s->help.trim = s->rq->trim;
    s->help.say = say;
    s->help.say_arg = s;
    return mext_dom_policy_get(s->dom, &s->policy, why);
}

/* ---- keys, token, control connection ---- */

static void config_message(struct sender *s, struct mext_ctl *m)
{
    m->type = MEXT_CTL_CONFIG;
    m->u.config.memory_kib = s->guest.max_kib;
    m->u.config.json = (const uint8_t *)s->guest.json;
    m->u.config.json_len = (uint32_t)strlen(s->guest.json);
    m->u.config.nleaves = s->policy.nleaves;
    m->u.config.leaves = s->policy.leaves;
    m->u.config.nmsrs = s->policy.nmsrs;
    m->u.config.msrs = s->policy.msrs;
}

/* BLAKE2b-256 of the CONFIG body, for the token. */
static int config_digest(struct sender *s, uint8_t out[MEXT_DIGEST_LEN],
                         struct mext_why *why)
{
    uint8_t *body = malloc(MEXT_CONTROL_BODY_MAX);
    struct mext_ctl m;
    struct mext_buf b;
    int rc = -1;

    config_message(s, &m);
    mext_buf_init(&b, body, body ? MEXT_CONTROL_BODY_MAX : 0);
    if (mext_ctl_encode(&m, &b))
        mext_fail(why, "the guest's configuration is too large");
    else
        rc = 0;
    if (!rc)
        mext_digest(body, b.pos, out);
    free(body);
    return rc;
}

static int make_token(struct sender *s, const uint8_t audience[MEXT_KEY_LEN],
                      uint8_t out[MEXT_TOKEN_LEN], struct mext_why *why)
{
    const struct mext_request *rq = s->rq;
    struct mext_token *t = &s->token;

    memset(t, 0, sizeof(*t));
    randombytes_buf(t->id, sizeof(t->id));
    t->issued = (uint64_t)time(NULL);
    t->expiry = t->issued + 300;
    memcpy(t->audience, audience, sizeof(t->audience));
    memcpy(t->source, s->self.pk, sizeof(t->source));
    randombytes_buf(s->secret, sizeof(s->secret));
    crypto_scalarmult_base(t->session, s->secret);
    memcpy(t->image, rq->image, sizeof(t->image));
    t->memory_kib = s->guest.max_kib;
    t->vcpus = s->guest.vcpus;
    t->channels = rq->channels;
    t->port = rq->port;
    t->ip = rq->ip;
    t->netmask = rq->netmask;
    t->gateway = rq->gateway;
    if (config_digest(s, t->config, why))
        return -1;
    if (mext_token_sign(t, &s->self, out))
        return mext_fail(why, "memory, vCPUs or mstrap's address are outside "
                              "what a token can carry");
    mext_digest(out, MEXT_TOKEN_LEN, s->digest);
    return 0;
}

/* One attempt, with one of the destination's keys. */
static int try_key(struct sender *s, const char *host, uint16_t port,
                   const uint8_t key[MEXT_KEY_LEN], unsigned *refused_r,
                   struct mext_why *why)
{
    uint8_t token[MEXT_TOKEN_LEN];
    int fd;

    *refused_r = 0;
    if (make_token(s, key, token, why) ||
        mext_net_connect(host, port, CONNECT_MS, &fd, why))
        return -1;
    if (mext_handshake(&s->conn, fd, token, s->secret, s->rq->peer, ANSWER_MS,
                       refused_r, why)) {
        close(fd);
        return -1;
    }
    return 0;
}

/* A destination whose key is being replaced has one or another of its keys. */
static int connect_control(struct sender *s, struct mext_why *why)
{
    struct mext_trusted peer;
    unsigned refused, i = 0;
    char host[256];
    uint16_t port;
    int rc;

    if (mext_net_split(s->rq->host, MEXT_CONTROL_PORT, host, &port, why) ||
        mext_identity_load(s->rq->keys_dir, &s->self, why) ||
        mext_trust_find(s->rq->keys_dir, s->rq->peer, &peer, why) ||
        mext_attest_load(&s->attest, s->rq->keys_dir, s->rq->peer,
                         sodium_is_zero(s->rq->image, sizeof(s->rq->image)),
                         why))
        return -1;
    step(s, "connecting to packetd on %s port %u", host, port);
    do
        rc = try_key(s, host, port, peer.key[i], &refused, why);
    while (refused == MEXT_E_AUDIENCE && ++i < peer.n);
    mext_wipe(&s->self, sizeof(s->self)); /* signs nothing else */
    return rc;
}

/* CONFIG, then steps until the receipt. */
static int boot_mstrap(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m;

    config_message(s, &m);
    if (mext_conn_send(&s->conn, &m, ANSWER_MS, why))
        return -1;
    do {
        if (mext_conn_recv(&s->conn, &m, BOOT_MS, NULL, why))
            return -1;
        if (m.type == MEXT_CTL_STEP)
            step(s, "destination: %.*s", m.u.step.len, m.u.step.text);
    } while (m.type == MEXT_CTL_STEP);
    if (m.type != MEXT_CTL_RECEIPT)
        return mext_fail(why,
                         "the destination sent message 0x%02x where a "
                         "receipt belongs",
                         m.type);
    if (mext_attest_hear(&s->attest, &s->conn, m.u.receipt.bytes, &s->token,
                         s->digest, ANSWER_MS, &s->receipt, why))
        return -1;
    if (s->receipt.attester == MEXT_ATTESTER_TPM)
        step(s, s->attest.tpm ? "the destination's TPM vouches for its mstrap"
                              : "the destination's TPM is not enrolled here: "
                                "its word is not looked at");
    s->rep->domid = s->receipt.domid;
    return 0;
}

static int connect_data(struct sender *s, struct mext_why *why)
{
    struct mext_root root;
    int rc = mext_root_derive(&root, MEXT_KDF_DATA, s->secret,
                              s->receipt.mstrap, s->digest, s->token.session,
                              s->receipt.mstrap);

    mext_wipe(s->secret, sizeof(s->secret));
    if (rc)
        return mext_fail(why, "mstrap's session key is unusable");
    rc = mext_memory_connect(&s->mem, s->receipt.ip, s->receipt.port,
                             s->token.id, s->token.channels, &root, CONNECT_MS,
                             why);
    mext_wipe(&root, sizeof(root));
    return rc;
}

/* ---- pre-copy ---- */

static void on_progress(void *arg, uint64_t sent, uint64_t of)
{
    struct sender *s = arg;
    uint64_t us = mext_now_us() - s->mem.iteration_start;
    struct mext_progress p = {
        .iteration = s->rep->iterations,
        .sent = sent,
        .of = of,
        .wire_bytes = mext_memory_bytes(&s->mem) + s->conn.sent,
        .rate = us ? sent * 1000000 / us : 0,
    };

    s->ev->progress(s->ev->arg, &p);
}

/* Says at once if the destination gave up while we were sending. */
static int still_there(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m;
    struct mext_why quiet;

    if (mext_net_wait(&s->conn.fd, 1, 0, &quiet) < 0)
        return 0;
    if (mext_conn_recv(&s->conn, &m, ANSWER_MS, NULL, why))
        return -1;
    return mext_fail(why, "the destination sent message 0x%02x out of turn",
                     m.type);
}

static int precopy(struct sender *s, struct mext_why *why)
{
    struct mext_iteration now = { 0 }, before;
    enum mext_decision d = MEXT_GO_ON;
    uint64_t rate;

    while (d == MEXT_GO_ON) {
        before = now;
        s->rep->iterations++;
        if (mext_memory_iterate(&s->mem, s->rep->iterations, DATA_MS, &now,
                                why) ||
            still_there(s, why))
            return -1;
        d = mext_precopy_decide(&s->rq->limits, &now,
                                before.number ? &before : NULL, &rate);
        step(s,
             "iteration %u: %llu pages (%llu with data) in %llu ms, %llu "
             "dirty; %s",
             now.number, (unsigned long long)now.pages,
             (unsigned long long)now.data, (unsigned long long)now.us / 1000,
             (unsigned long long)now.dirty, mext_decision_text(d));
        if ((d == MEXT_STOP_STALLED || d == MEXT_STOP_LIMIT) &&
            mext_help_calm(&s->help))
            d = MEXT_GO_ON;
    }
    return 0;
}

/* ---- stop-and-copy ---- */

static int suspend_guest(struct sender *s, struct mext_why *why)
{
    uint64_t t = mext_now_us();

    if (mext_suspend(s->dom, s->store, s->rq->suspend_timeout_ms, &s->suspended,
                     why))
        return -1;
    s->t_suspended = mext_now_us();
    s->rep->suspend_us = s->t_suspended - t;
    return 0;
}

static uint64_t memory_target(struct sender *s)
{
    char text[24];

    if (mext_store_read(s->store, s->domid, "memory/target", text,
                        sizeof(text)) <= 0)
        return s->guest.target_kib;
    return strtoull(text, NULL, 10);
}

static int send_final(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m = { .type = MEXT_CTL_FINAL };
    uint8_t *context = NULL;
    struct mext_tsc tsc;
    int rc;

    if (mext_dom_tsc_get(s->dom, &tsc, why) ||
        mext_dom_context_get(s->dom, &context, &m.u.final.context_len, why))
        return -1;
    m.u.final.tsc_mode = tsc.mode;
    m.u.final.tsc_khz = tsc.khz;
    m.u.final.tsc_incarnation = tsc.incarnation;
    m.u.final.tsc_nsec = tsc.nsec;
    m.u.final.target_kib = memory_target(s);
    m.u.final.data = s->rep->data_pages;
    m.u.final.zero = s->rep->zero_pages;
    m.u.final.absent = s->rep->absent_pages;
    m.u.final.report_ms = s->help.did & MEXT_HELPED_QUIESCE ? REPORT_MS : 0;
    m.u.final.context = context;
    rc = mext_conn_send(&s->conn, &m, ANSWER_MS, why);
    free(context);
    return rc;
}

/* DONE from mstrap and PREPARED from packetd. */
static int wait_prepared(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m;

    if (mext_memory_done(&s->mem, DATA_MS, why) ||
        mext_conn_recv(&s->conn, &m, DATA_MS, NULL, why))
        return -1;
    if (m.type != MEXT_CTL_PREPARED)
        return mext_fail(why,
                         "the destination sent message 0x%02x where "
                         "PREPARED belongs",
                         m.type);
    s->rep->tidy_own_us = m.u.prepared.tidy_us;
    s->rep->prepare_us = m.u.prepared.prepare_us;
    return 0;
}

/* The name is the guest's again, or free for it on this very host. */
static int rename_source(struct sender *s, bool away, struct mext_why *why)
{
    char name[300];

    snprintf(name, sizeof(name), "%s%s", s->guest.name,
             away ? AWAY_SUFFIX : "");
    if (mext_lxl_rename(s->lxl, s->domid, name, why))
        return -1;
    s->renamed = away;
    return 0;
}

static int stop_and_copy(struct sender *s, struct mext_why *why)
{
    uint64_t before = s->mem.data + s->mem.zero, t;

    if (mext_memory_last(&s->mem, DATA_MS, why))
        return -1;
    s->rep->last_pages = s->mem.data + s->mem.zero - before;
    s->rep->data_pages = s->mem.data;
    s->rep->zero_pages = s->mem.zero;
    s->rep->packed_pages = s->mem.npacked;
    s->rep->absent_pages = s->mem.absent;
    /* mstrap tidies up meanwhile; on one host the name is free from here. */
    if (rename_source(s, true, why) || send_final(s, why))
        return -1;
    t = mext_now_us();
    s->rep->last_us = t - s->t_suspended;
    if (wait_prepared(s, why))
        return -1;
    s->rep->tidy_us = mext_now_us() - t;
    return 0;
}

/* ---- commit ---- */

/*
 * From here the source never resumes its guest unless the destination says,
 * over the authenticated channel, that it gave up.
 */
static enum mext_outcome commit(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m = { .type = MEXT_CTL_COMMIT };
    uint64_t t = mext_now_us(), now;
    unsigned aborted = 0;

    mext_net_cancel_fd(-1);
    if (mext_conn_send(&s->conn, &m, COMMIT_MS, why) ||
        mext_conn_recv(&s->conn, &m, COMMIT_MS, &aborted, why))
        return aborted ? MEXT_KEPT : MEXT_UNKNOWN;
    if (m.type != MEXT_CTL_RUNNING)
        return MEXT_UNKNOWN;
    now = mext_now_us();
    s->rep->domid = m.u.running.domid;
    s->rep->handover_us = m.u.running.handover_us;
    s->rep->commit_us = now - t;
    s->rep->downtime_us = now - s->t_suspended;
    s->rep->total_us = now - s->t_start;
    return MEXT_DONE;
}

/* ---- the whole ---- */

static int prepare(struct sender *s, struct mext_why *why)
{
    if (open_guest(s, why) || connect_control(s, why) || boot_mstrap(s, why) ||
        connect_data(s, why))
        return -1;
    s->rep->setup_us = mext_now_us() - s->t_start;
    step(s, "mstrap answers, %u data channel%s", s->token.channels,
         s->token.channels > 1 ? "s" : "");
    mext_help_begin(&s->help);
    if (mext_memory_start(&s->mem, s->dom, s->guest.max_kib / 4, s->rq->pack,
                          on_progress, s, why))
        return -1;
    mext_help_free(&s->help, &s->mem);
    return 0;
}

/* After RUNNING, if the guest was prepared for it. */
static void hear_guest(struct sender *s)
{
    struct mext_ctl m;
    struct mext_why why;

    if (!(s->help.did & MEXT_HELPED_QUIESCE))
        return;
    if (!mext_conn_recv(&s->conn, &m, 2 * REPORT_MS, NULL, &why) &&
        m.type == MEXT_CTL_GUEST)
        s->rep->stopped_ms = m.u.guest.stopped_ms;
}

static enum mext_outcome run(struct sender *s, struct mext_why *why)
{
    uint64_t t;
    enum mext_outcome o;

    if (prepare(s, why))
        return MEXT_KEPT;
    t = mext_now_us();
    if (precopy(s, why))
        return MEXT_KEPT;
    s->rep->precopy_us = mext_now_us() - t;
    mext_help_quiesce(&s->help, &s->mem);
    step(s, "suspending the guest");
    if (suspend_guest(s, why) || stop_and_copy(s, why))
        return MEXT_KEPT;
    o = commit(s, why);
    s->rep->wire_bytes = mext_memory_bytes(&s->mem) + s->conn.sent;
    return o;
}

/* Puts the guest back as it was; adds to why if that fails. */
static void undo(struct sender *s, struct mext_why *why)
{
    struct mext_why more;
    char first[MEXT_TEXT_MAX + 1];

    memcpy(first, why->text, sizeof(first));
    mext_net_cancel_fd(-1);
    mext_conn_abort(&s->conn, MEXT_E_CANCELLED, first);
    if (s->dom)
        mext_dom_dirty_stop(s->dom);
    if (s->renamed)
        rename_source(s, false, &more);
    if (s->suspended && mext_lxl_resume(s->lxl, s->domid, &more))
        mext_fail(why, "%.300s; %.150s (try: xl unpause %u)", first, more.text,
                  s->domid);
    mext_help_undo(&s->help);
}

static void unknown(struct sender *s, struct mext_why *why)
{
    char first[MEXT_TEXT_MAX + 1];

    memcpy(first, why->text, sizeof(first));
    mext_fail(why,
              "%.150s; whether the guest runs there is not known, so the "
              "copy here stays suspended as \"%.60s" AWAY_SUFFIX "\". Look at "
              "xl list on the destination: if \"%.60s\" runs there, xl destroy "
              "%u here; if not, xl migrate --cooperative --resume %u here",
              first, s->guest.name, s->guest.name, s->domid, s->domid);
}

static void cleanup(struct sender *s)
{
    s->rep->helped = s->help.did;
    s->rep->free_pages = s->help.free_pages;
    s->rep->trimmed_kib = s->help.trimmed_kib;
    s->rep->less = s->help.why;
    memcpy(s->rep->agent, s->help.agent, sizeof(s->rep->agent));
    mext_help_close(&s->help);
    mext_memory_close(&s->mem);
    mext_conn_close(&s->conn);
    mext_policy_free(&s->policy);
    mext_guest_free(&s->guest);
    mext_dom_close(s->dom);
    mext_store_close(s->store);
    mext_lxl_close(s->lxl);
    mext_wipe(s, sizeof(*s));
}

enum mext_outcome mext_migrate(const struct mext_request *rq,
                               const struct mext_events *ev,
                               struct mext_report *rep_r, struct mext_why *why)
{
    struct sender s = { .rq = rq, .ev = ev, .rep = rep_r };
    struct mext_why more;
    enum mext_outcome o;

    memset(rep_r, 0, sizeof(*rep_r));
    if (mext_crypto_init()) {
        mext_fail(why, "libsodium cannot be initialised");
        return MEXT_KEPT;
    }
    s.t_start = mext_now_us();
    o = run(&s, why);
    if (o == MEXT_KEPT)
        undo(&s, why);
    else if (o == MEXT_UNKNOWN)
        unknown(&s, why);
    else if (mext_lxl_destroy(s.lxl, s.domid, &more))
        step(&s, "warning: %s; xl destroy it, it must not run again",
             more.text);
    if (o == MEXT_DONE)
        hear_guest(&s);
    cleanup(&s);
    return o;
}

/* NAME--migratedaway goes by NAME again. */
static int rename_back(struct mext_lxl *l, uint32_t domid, struct mext_why *why)
{
    struct mext_guest g;
    size_t n;
    int rc = 0;

    if (mext_lxl_guest(l, domid, &g, why))
        return -1;
    n = strlen(g.name);
    if (n > strlen(AWAY_SUFFIX) &&
        !strcmp(g.name + n - strlen(AWAY_SUFFIX), AWAY_SUFFIX)) {
        g.name[n - strlen(AWAY_SUFFIX)] = 0;
        rc = mext_lxl_rename(l, domid, g.name, why);
    }
    mext_guest_free(&g);
    return rc;
}

/* By the name given, or by what it was renamed to. */
static int find_away(struct mext_lxl *l, const char *domain, uint32_t *domid_r,
                     struct mext_why *why)
{
    char away[300];

    snprintf(away, sizeof(away), "%s" AWAY_SUFFIX, domain);
    return mext_lxl_find(l, away, domid_r, why) &&
                   mext_lxl_find(l, domain, domid_r, why)
               ? -1
               : 0;
}

int mext_resume_here(const char *domain, unsigned verbosity,
                     struct mext_why *why)
{
    struct mext_lxl *l = NULL;
    struct mext_dom *d = NULL;
    struct mext_dom_state st;
    uint32_t domid;
    int rc = -1;

    if (mext_lxl_open(verbosity, &l, why) ||
        find_away(l, domain, &domid, why) || mext_dom_open(domid, &d, why) ||
        mext_dom_state(d, &st, why))
        goto out;
    if (!st.shutdown || st.reason != MEXT_SHUTDOWN_SUSPEND)
        mext_fail(why, "\"%s\" is not suspended", domain);
    else if (!rename_back(l, domid, why))
        rc = mext_lxl_resume(l, domid, why);
out:
    mext_dom_close(d);
    mext_lxl_close(l);
    return rc;
}
