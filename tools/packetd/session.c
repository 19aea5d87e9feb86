/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "address.h"
#include "admit.h"
#include "cpu.h"
#include "devices.h"
#include "door.h"
#include "incoming.h"
#include "mext_agent.h"
#include "mext_fault.h"
#include "mind.h"
#include "receipt.h"
#include "received.h"

/* Deadlines, ms. */
#define CONFIG_MS  30000
#define COMMIT_MS  120000
#define DEVICES_MS 3000 /* the source waits for the guest's report meanwhile */

int session_fail(struct session *s, unsigned code)
{
    s->commit.code = code;
    return -1;
}

static const char *state_name(const struct session *s)
{
    return mext_dst_name(s->commit.machine.state);
}

void session_step(struct session *s, const char *fmt, ...)
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
    mext_conn_send(&s->conn, &m, SESSION_SEND_MS, &ignored);
}

static bool by_stream(const struct session *s)
{
    return s->token.receiver == MEXT_RECEIVER_DOM0;
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

    l->channels = by_stream(s) ? s->token.channels : 1;
    memcpy(h.token, s->digest, sizeof(h.token));
    memcpy(h.destination, s->token.audience, sizeof(h.destination));
    randombytes_buf(secret, sizeof(secret));
    crypto_scalarmult_base(h.session, secret);
    memcpy(s->hello, h.session, sizeof(s->hello));
    rc = mext_root_derive(&l->root, MEXT_KDF_CONTROL, secret, s->token.session,
                          s->digest, s->token.session, h.session) ||
         !self || mext_hello_sign(&h, self, l->hello);
    mext_wipe(secret, sizeof(secret));
    return rc ? mext_fail(why, "the source's session key is unusable") : 0;
}

/*
 * Starts the line on connection fd; further ones come to it through joins, -1:
 * none.  Both are closed here.
 */
static int start_line(struct session *s, int fd, int joins,
                      struct mext_why *why)
{
    struct line_setup setup;
    int ends[2], rc = -1;

    if (make_setup(s, &setup, why))
        return session_fail(s, MEXT_E_LINK);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        mext_fail(why, "socketpair: %s", strerror(errno));
        return session_fail(s, MEXT_E_INTERNAL);
    }
    if (packetd_jailed(s->p, LINE_WORD, (int[]){ ends[1], fd, joins },
                       joins < 0 ? 2 : 3, why) > 0 &&
        write(ends[0], &setup, sizeof(setup)) == sizeof(setup))
        rc = mext_conn_init(&s->conn, ends[0], NULL, false, 0);
    mext_wipe(&setup, sizeof(setup));
    close(ends[1]);
    close(fd);
    if (joins >= 0)
        close(joins);
    return rc ? session_fail(s, MEXT_E_INTERNAL) : 0;
}

/* Is a message of the source's due in this state? */
static bool is_due(const struct session *s, uint8_t type)
{
    switch (s->commit.machine.state) {
    case MEXT_DST_NEW:
        return type == MEXT_CTL_CONFIG || type == MEXT_CTL_LOOK;
    case MEXT_DST_INCOMING:
        return by_stream(s) ? type == MEXT_CTL_STREAM || type == MEXT_CTL_ENDED
                            : type == MEXT_CTL_FINAL;
    case MEXT_DST_PREPARED:
        return type == MEXT_CTL_COMMIT;
    default:
        return false;
    }
}

int session_receive(struct session *s, struct mext_ctl *m, unsigned timeout_ms,
                    struct mext_why *why)
{
    unsigned aborted;

    if (mext_conn_recv(&s->conn, m, timeout_ms, &aborted, why))
        return session_fail(s, aborted ? aborted : MEXT_E_LINK);
    if (is_due(s, m->type))
        return 0;
    mext_fail(why, "message 0x%02x out of turn", m->type);
    return session_fail(s, MEXT_E_MALFORMED);
}

int session_receipt(struct session *s, uint32_t ip,
                    const uint8_t session[MEXT_KEY_LEN], struct mext_why *why)
{
    const struct waiting w = { s->domid, ip, session };
    struct mext_ctl m = { .type = MEXT_CTL_RECEIPT };
    uint8_t out[MEXT_RECEIPT_LEN];
    struct mext_evidence e;

    if (mext_fault("dest.receipt", why) ||
        packetd_receipt(s->p, s->digest, &s->token, &w, out, &e, why))
        return session_fail(s, MEXT_E_INTERNAL);
    m.u.receipt.bytes = out;
    if (mext_conn_send(&s->conn, &m, SESSION_SEND_MS, why))
        return session_fail(s, MEXT_E_LINK);
    if (!e.attest_len)
        return 0;
    m.type = MEXT_CTL_EVIDENCE;
    m.u.evidence.attest = e.attest;
    m.u.evidence.attest_len = e.attest_len;
    m.u.evidence.sig = e.sig;
    m.u.evidence.sig_len = e.sig_len;
    return mext_conn_send(&s->conn, &m, SESSION_SEND_MS, why)
               ? session_fail(s, MEXT_E_LINK)
               : 0;
}

/* ---- the configuration ---- */

static int read_config(struct session *s, struct mext_ctl *m,
                       struct mext_why *why)
{
    uint8_t digest[MEXT_DIGEST_LEN];

    if (session_receive(s, m, CONFIG_MS, why))
        return -1;
    /* Signed with the token: nobody on the way here can have made another. */
    mext_digest(mext_conn_body(&s->conn), s->conn.body_len, digest);
    if (memcmp(digest, s->token.config, sizeof(digest))) {
        mext_fail(why, "not the configuration the token is for");
        return session_fail(s, MEXT_E_CONFIG);
    }
    s->json = strndup((const char *)m->u.config.json, m->u.config.json_len);
    return s->json ? 0 : session_fail(s, MEXT_E_INTERNAL);
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
        return session_fail(s, MEXT_E_INTERNAL);
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
        return session_fail(s, MEXT_E_REFUSED);
    s->rule = g.rule;
    s->guest = g.type;
    if (by_stream(s) && admit_allows(g.rule, s->key, POLICY_DOM0, why))
        return session_fail(s, MEXT_E_REFUSED);
    return begin(s, g.name, why);
}

int session_make_alone(struct session *s, const struct mext_launch *how,
                       session_make_fn *make, struct mext_why *why)
{
    int lock = received_lock(s->p->state_dir, why), others, rc;

    if (lock < 0)
        return session_fail(s, MEXT_E_INTERNAL);
    others = received_count(lock, s->store, s->policy, s->rule, why);
    if (others < 0)
        rc = session_fail(s, MEXT_E_INTERNAL);
    else if (admit_count(s->rule, s->key, (unsigned)others, why))
        rc = session_fail(s, MEXT_E_REFUSED);
    else
        rc = make(s, how, why);
    if (!rc && received_note(lock, s->store, s->domid, s->key, why))
        rc = session_fail(s, MEXT_E_INTERNAL);
    close(lock);
    return rc;
}

/* What is wanted of us: m is CONFIG, or LOOK. */
static int begin_with(struct session *s, struct mext_ctl *m,
                      struct mext_why *why)
{
    if (read_config(s, m, why))
        return -1;
    if (mext_fault("dest.config", why) ||
        mext_lxl_open(s->p->verbosity, &s->lxl, why) ||
        mext_store_open(&s->store, why))
        return session_fail(s, MEXT_E_INTERNAL);
    return 0;
}

/* What does not fit into a message is left out, and said so. */
static void lacks(void *arg, const char *words)
{
    struct mext_why *why = arg;

    if (!*why->text)
        mext_fail(why, CPU_LACKS, words);
    else if (!strstr(why->text, "--dry-run"))
        snprintf(why->text + strlen(why->text),
                 sizeof(why->text) - strlen(why->text),
                 ", and more (--dry-run)");
}

/* Of a guest that an mstrap or libxl would take, and that would die here. */
static int judge_cpu(struct session *s, const struct mext_ctl *m,
                     struct mext_why *why)
{
    struct mext_cpu guest = { m->u.config.nleaves, m->u.config.nmsrs,
                              m->u.config.leaves, m->u.config.msrs,
                              m->u.config.xen };
    int n;

    why->text[0] = 0;
    n = cpu_missing(s->guest == MEXT_INSPECT_PV, &guest, lacks, why, why);
    return n ? session_fail(s, MEXT_E_POLICY) : 0;
}

static int boot(struct session *s, const struct mext_ctl *m,
                struct mext_why *why)
{
    if (admit(s, why) || judge_cpu(s, m, why))
        return -1;
    if (m->u.config.memory_kib != s->token.memory_kib) {
        mext_fail(why, "memory is not that of the token");
        return session_fail(s, MEXT_E_CONFIG);
    }
    return by_stream(s) ? dom0_boot(s, m, why) : mstrap_boot(s, m, why);
}

/* ---- commit ---- */

/* Point of no return: once COMMIT is noted the guest runs here, or nowhere. */
static int commit(struct session *s, struct mext_why *why)
{
    struct mext_ctl m;

    if (commit_event(&s->commit, MEXT_EV_FINAL, why) ||
        mext_fault("dest.wait-commit", why))
        return session_fail(s, MEXT_E_LINK);
    if (session_receive(s, &m, COMMIT_MS, why))
        return -1;
    if (mext_steer_commit(s->steer, why))
        return session_fail(s, MEXT_E_CANCELLED);
    s->commit.code = MEXT_E_HANDOVER;
    return commit_event(&s->commit, MEXT_EV_COMMIT, why) ||
           commit_event(&s->commit, MEXT_EV_GO, why);
}

/* ---- the whole ---- */

static int hand_over(struct session *s, struct mext_why *why)
{
    return by_stream(s) ? dom0_hand_over(s, why) : mstrap_hand_over(s, why);
}

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
    dom0_stop(s);
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

    if (mext_agent_report_read(s->store, s->domid, s->report_ms, &report, &why))
        packetd_log("%s: %s", s->name, why.text);
    else
        m.u.guest.stopped_ms = mext_agent_report_gap(&report);
    mext_conn_send(&s->conn, &m, SESSION_SEND_MS, &why);
}

/*
 * The guest runs: its devices come back first, and the source is told; then what is
 * left of the migration goes, since all of that is work for dom0 as well.
 */
static void settle(struct session *s)
{
    uint32_t domid = s->domid;

    address_let_go(); /* there is no mstrap any more */
    packetd_log("%s: runs as domain %u", s->name, domid);
    devices_wait(s->store, domid, DEVICES_MS);
    if (s->report_ms)
        pass_report(s);
    mext_conn_close(&s->conn);
    if (!s->adopted)
        mext_lxl_vifs_strip(s->lxl, domid);
    if (!s->minded) /* last: who is minded needs no recovery any more */
        mind(s->p, mext_journal_entry(s->commit.journal));
    mext_steer_close(s->steer, state_name(s), "");
    commit_close(&s->commit);
    mext_dom_close(s->ms.dom);
    mext_store_close(s->store);
    mext_lxl_close(s->lxl);
}

int packetd_session(const struct packetd *p, const uint8_t *token,
                    const struct mext_token *t, const char *key, int fd,
                    int joins, unsigned slot)
{
    struct session s = { .p = p, .slot = slot, .token = *t, .key = key };
    struct mext_why why = { "" };
    struct mext_ctl m;

    commit_init(&s.commit);
    s.commit.conn = &s.conn;
    mext_digest(token, MEXT_TOKEN_LEN, s.digest);
    mext_net_peer(fd, s.peer);
    if (start_line(&s, fd, joins, &why) || begin_with(&s, &m, &why)) {
        abandon(&s, &why);
        return 1;
    }
    if (m.type == MEXT_CTL_LOOK)
        return session_look(&s, &m, &why), SESSION_LOOKED;
    if (boot(&s, &m, &why) || hand_over(&s, &why) || commit(&s, &why)) {
        abandon(&s, &why);
        return 1;
    }
    settle(&s);
    return 0;
}
