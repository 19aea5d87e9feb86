/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "mext_choose.h"
#include "mext_copy.h"
#include "mext_crypto.h"
#include "mext_dest.h"
#include "mext_fault.h"
#include "mext_memory.h"
#include "mext_resolve.h"
#include "mext_sender.h"
#include "mext_source.h"
#include "mext_steer.h"
#include "mext_stream.h"
#include "mext_store.h"
#include "mext_suspend.h"
#include "mext_xen.h"

/* Deadlines, ms. */
#define CONNECT_MS 30000 /* TCP tries again after 1, 3, 7 and 15 s */
#define ANSWER_MS  30000
#define DATA_MS    30000
#define RESTORE_MS \
    180000              /* libxl there starts a device model and all devices */
#define COMMIT_MS 10000 /* then it is asked what became of it */
#define REPORT_MS 5000  /* the guest tells how long it stood still */
#define DOUBT_MS  60000

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
    struct mext_policy policy;
    struct mext_dest dest;
    struct mext_hear hear; /* what that says while memory goes */
    struct mext_source source;
    struct mext_steer *steer;
    struct mext_copy copy;
    struct mext_stream stream; /* of receiver dom0 */
    uint32_t domid;
    uint64_t t_start, t_suspended;
};

static void say(void *arg, const char *text)
{
    struct sender *s = arg;
    struct mext_standing now = {
        .state = mext_src_name(s->source.machine.state),
        .step = text,
        .iteration = s->copy.iterations,
    };

    s->ev->step(s->ev->arg, text);
    mext_steer_tell(s->steer, &now);
}

static void progress(void *arg, const struct mext_progress *p)
{
    struct sender *s = arg;

    s->ev->progress(s->ev->arg, p);
}

/* ---- the guest ---- */

static bool by_stream(const struct sender *s)
{
    return s->dest.receiver == MEXT_RECEIVER_DOM0;
}

static int open_guest(struct sender *s, struct mext_why *why)
{
    struct mext_dom_state st;

    if (mext_lxl_open(s->rq->verbosity, &s->lxl, why) ||
        mext_lxl_find(s->lxl, s->rq->domain, &s->domid, why) ||
        mext_resolve_former(s->lxl, s->domid, s->rq->keys_dir, say, s, why) ||
        mext_store_open(&s->store, why) ||
        mext_dom_open(s->domid, &s->dom, why) ||
        mext_lxl_guest(s->lxl, s->domid, &s->guest, why) ||
        mext_dom_state(s->dom, &st, why))
        return -1;
    if (mext_choose_receiver(s->rq, &s->guest, &s->dest.receiver, say, s, why))
        return -1;
    s->rep->receiver = mext_receiver_word(s->dest.receiver);
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
    s->source.lxl = s->lxl;
    s->help.domid = s->domid;
    s->help.wanted = s->rq->agent;
    s->help.trim = s->rq->trim;
    s->help.say = say;
    s->help.say_arg = s;
    s->copy.ram_pages = s->guest.max_kib / 4;
    s->copy.throttle = (struct mext_throttle){ .lxl = s->lxl,
                                               .store = s->store,
                                               .domid = s->domid,
                                               .vcpus = s->guest.vcpus };
    s->stream.dom = s->dom;
    s->stream.live = s->guest.live;
    return mext_dom_policy_get(s->dom, &s->policy, why);
}

/* ---- the destination ---- */

/* From here on the journal knows of it, and whoever looks may steer it. */
static int begin(struct sender *s, struct mext_why *why)
{
    struct mext_entry e = { .side = MEXT_SIDE_SOURCE,
                            .noted = MEXT_NOTED_BEGUN,
                            .domid = s->domid };
    struct mext_domain_now now;

    if (mext_lxl_now(s->lxl, s->domid, &now))
        return mext_fail(why, "\"%s\" is gone", s->guest.name);
    memcpy(e.id, s->dest.token.id, sizeof(e.id));
    memcpy(e.uuid, now.uuid, sizeof(e.uuid));
    memcpy(e.ours, s->dest.token.source, sizeof(e.ours));
    memcpy(e.theirs, s->dest.token.audience, sizeof(e.theirs));
    snprintf(e.host, sizeof(e.host), "%s", s->rq->host);
    snprintf(e.name, sizeof(e.name), "%s", s->guest.name);
    if (mext_source_begin(&s->source, MEXT_JOURNAL_DIR, &e, why) ||
        mext_steer_open(MEXT_STEER_DIR, &e, &s->steer, why))
        return -1;
    s->copy.steer = s->steer;
    mext_steer_limit(s->steer, s->rq->timeout_ms);
    sodium_bin2hex(s->rep->id, sizeof(s->rep->id), e.id, MEXT_ID_LEN);
    mext_sayf(say, s, "migration %.8s has begun", s->rep->id);
    if (s->ev->begun)
        s->ev->begun(s->ev->arg, e.id);
    return 0;
}

static int connect_data(struct sender *s, struct mext_why *why)
{
    const struct mext_dest *d = &s->dest;
    struct mext_root root;
    struct mext_why first;
    int rc;

    if (mext_dest_root(&s->dest, &root, why))
        return -1;
    rc = mext_memory_connect(&s->mem, d->receipt.ip, d->receipt.port,
                             d->token.id, d->token.channels, &root, CONNECT_MS,
                             &first);
    mext_wipe(&root, sizeof(root));
    if (!rc)
        return 0;
    mext_hear_last_word(&s->hear, &first);
    if (s->hear.gave_up) {
        *why = first;
        return -1;
    }
    return mext_fail(why,
                     "mstrap: %.250s (does a firewall, or the bridge "
                     "there, keep TCP port %u of packetd's --pool from "
                     "this host, or has another host that address?)",
                     first.text, d->receipt.port);
}

/* ---- stop-and-copy ---- */

static int suspend_guest(struct sender *s, struct mext_why *why)
{
    uint64_t t = mext_now_us();

    if (mext_suspend(s->dom, s->store, s->rq->suspend_timeout_ms,
                     &s->source.ours, why))
        return -1;
    s->t_suspended = mext_now_us();
    s->copy.suspended = true;
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
    rc = mext_conn_send(&s->dest.conn, &m, ANSWER_MS, why);
    free(context);
    return rc;
}

static int wait_prepared(struct sender *s, unsigned timeout_ms,
                         struct mext_why *why)
{
    struct mext_ctl m;

    if (mext_conn_recv(&s->dest.conn, &m, timeout_ms, NULL, why))
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

/* The name is free for the guest that arrives: on one host, this host's. */
static int rename_away(struct sender *s, struct mext_why *why)
{
    char name[300];

    snprintf(name, sizeof(name), "%s" MEXT_AWAY_SUFFIX, s->guest.name);
    return mext_lxl_rename(s->lxl, s->domid, name, why);
}

/* mstrap's DONE and packetd's PREPARED, on two connections: either may be first. */
static int wait_both(struct sender *s, struct mext_why *why)
{
    int fds[] = { s->mem.lane[0].channel.fd, s->dest.conn.fd };

    while (fds[0] >= 0 || fds[1] >= 0) {
        int r = mext_net_wait(fds, 2, DATA_MS, why);

        if (r < 0)
            return -1;
        if (r == 0 ? mext_memory_done(&s->mem, DATA_MS, why)
                   : wait_prepared(s, DATA_MS, why))
            return -1;
        fds[r] = -1;
    }
    return 0;
}

static int stop_and_copy(struct sender *s, struct mext_why *why)
{
    uint64_t before = s->mem.data + s->mem.zero, t;

    if (mext_memory_last(&s->mem, DATA_MS, why))
        return -1;
    s->rep->last_pages = s->mem.data + s->mem.zero - before;
    s->rep->foreseen_pages = s->copy.rest_pages;
    s->rep->foreseen_us = s->copy.rest_us;
    s->rep->data_pages = s->mem.data;
    s->rep->zero_pages = s->mem.zero;
    s->rep->packed_pages = s->mem.packed;
    s->rep->zstd_pages = s->mem.zstd;
    s->rep->delta_pages = s->mem.delta;
    s->rep->absent_pages = s->mem.absent;
    if (mext_hear_now(&s->hear, why))
        return -1;
    mext_hear_end(&s->hear); /* from now on an answer is due */
    if (mext_fault("source.rename", why) || rename_away(s, why) ||
        mext_fault("source.final", why) || send_final(s, why))
        return -1;
    t = mext_now_us();
    s->rep->last_us = t - s->t_suspended;
    /* While mstrap tidies up. */
    if (mext_source_event(&s->source, MEXT_EV_ALL_SENT, why) ||
        mext_fault("source.wait-prepared", why) || wait_both(s, why))
        return -1;
    s->rep->tidy_us = mext_now_us() - t;
    return 0;
}

/* ---- receiver dom0 ---- */

static int send_ended(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m = { .type = MEXT_CTL_ENDED };

    m.u.ended.bytes = s->stream.bytes;
    return mext_conn_send(&s->dest.conn, &m, ANSWER_MS, why);
}

/* All of the guest, by libxl's own rules, and all but the unpause there. */
static int move_stream(struct sender *s, struct mext_why *why)
{
    uint64_t t = mext_now_us();

    s->source.ours = true;
    if (mext_stream_run(&s->stream, why) ||
        mext_lxl_unchanged(s->lxl, s->domid, s->guest.json, why))
        return -1;
    s->t_suspended = s->stream.t_suspended;
    s->rep->precopy_us = s->t_suspended - t;
    s->rep->data_pages = s->stream.thin.kept;
    s->help.free_pages = s->stream.thin.pages;
    t = mext_now_us();
    s->rep->last_us = t - s->t_suspended;
    if (mext_fault("source.rename", why) || rename_away(s, why) ||
        mext_fault("source.ended", why) || send_ended(s, why) ||
        mext_source_event(&s->source, MEXT_EV_ALL_SENT, why) ||
        mext_fault("source.wait-prepared", why) ||
        wait_prepared(s, RESTORE_MS, why))
        return -1;
    s->rep->tidy_us = mext_now_us() - t;
    return 0;
}

/* ---- commit ---- */

/* It runs there, as domain domid, 0: not known. */
static void arrived(struct sender *s, uint32_t domid)
{
    uint64_t now = mext_now_us();

    if (domid)
        s->rep->domid = domid;
    s->rep->downtime_us = now - s->t_suspended;
    s->rep->total_us = now - s->t_start;
}

/* What came after COMMIT. */
static enum mext_event hear_running(struct sender *s, struct mext_why *why)
{
    struct mext_ctl m;
    unsigned aborted = 0;

    if (mext_conn_recv(&s->dest.conn, &m, COMMIT_MS, &aborted, why))
        return aborted ? MEXT_EV_ABORTED : MEXT_EV_SILENT;
    if (m.type != MEXT_CTL_RUNNING)
        return MEXT_EV_SILENT;
    s->rep->handover_us = m.u.running.handover_us;
    arrived(s, m.u.running.domid);
    return MEXT_EV_RUNNING;
}

static void count_bytes(struct sender *s)
{
    s->rep->wire_bytes = mext_memory_bytes(&s->mem) + mext_dest_bytes(&s->dest);
}

/* Whoever else may have let it run: what was sent is no guest any more then. */
static int still_suspended(struct sender *s, struct mext_why *why)
{
    struct mext_dom_state st;

    if (mext_dom_state(s->dom, &st, why))
        return -1;
    return st.exists && st.shutdown && st.reason == MEXT_SHUTDOWN_SUSPEND
               ? 0
               : mext_fail(why, "the guest was resumed by somebody else");
}

/* Point of no return: from here on only the destination knows. */
static int commit(struct sender *s, struct mext_why *why)
{
    uint64_t t = mext_now_us();

    if (still_suspended(s, why) || mext_steer_commit(s->steer, why) ||
        mext_source_event(&s->source, MEXT_EV_PREPARED, why))
        return -1;
    s->source.heard = hear_running(s, why);
    s->rep->commit_us = mext_now_us() - t;
    if (s->source.heard != MEXT_EV_SILENT) {
        mext_source_event(&s->source, s->source.heard, why);
        return 0;
    }
    mext_sayf(say, s,
              "the destination does not answer: %s; asking what became of it",
              why->text);
    count_bytes(s);
    mext_dest_close(&s->dest); /* who asks has given it up */
    mext_source_ask(&s->source, DOUBT_MS, why);
    if (s->source.heard == MEXT_EV_RUNNING)
        arrived(s, s->source.domid_there);
    return 0;
}

/* ---- the whole ---- */

/* All that the stream goes over. */
static void use_connections(struct sender *s)
{
    struct mext_dest *d = &s->dest;

    s->stream.nconns = d->token.channels;
    s->stream.lock = mext_journal_lock(s->source.journal);
    s->stream.id = d->token.id;
    s->stream.conn[0] = &d->conn;
    for (unsigned i = 1; i < s->stream.nconns; i++)
        s->stream.conn[i] = &d->joined[i - 1];
    if (s->stream.nconns > 1)
        mext_sayf(say, s, "libxl waits there, %u connections",
                  s->stream.nconns);
}

static int prepare(struct sender *s, struct mext_why *why)
{
    if (open_guest(s, why) || mext_fault("source.connect", why) ||
        mext_dest_connect(&s->dest, why) || begin(s, why) ||
        mext_fault("source.boot", why) || mext_dest_ask(&s->dest, why))
        return -1;
    /* While the destination makes its domain. */
    if (!by_stream(s) &&
        mext_memory_measure(&s->mem, s->dom, s->guest.max_kib / 4, why))
        return -1;
    if (mext_dest_boot(&s->dest, why))
        return -1;
    if (by_stream(s)) {
        use_connections(s);
        s->rep->setup_us = mext_now_us() - s->t_start;
        mext_help_begin(&s->help);
        mext_help_no_quiesce(&s->help);
        mext_help_close(&s->help); /* of a PV guest nothing is asked later */
        return 0;
    }
    s->rep->domid = s->dest.receipt.domid;
    mext_hear_begin(&s->hear);
    if (mext_fault("source.data", why) || connect_data(s, why))
        return -1;
    s->rep->setup_us = mext_now_us() - s->t_start;
    mext_sayf(say, s, "mstrap answers, %u data channel%s",
              s->dest.token.channels, s->dest.token.channels > 1 ? "s" : "");
    mext_help_begin(&s->help);
    s->mem.sparse = s->rq->ip; /* one that waits there may be small yet */
    if (mext_fault("source.log-dirty", why) ||
        mext_memory_start(&s->mem, &s->rq->packing, mext_copy_progress,
                          &s->copy, why))
        return -1;
    mext_help_free(&s->help, &s->mem);
    return 0;
}

/* After RUNNING, if the guest was prepared for it. */
static void hear_guest(struct sender *s)
{
    struct mext_ctl m;
    struct mext_why why;

    if (!(s->help.did & MEXT_HELPED_QUIESCE) || s->dest.conn.fd < 0)
        return;
    if (!mext_conn_recv(&s->dest.conn, &m, 2 * REPORT_MS, NULL, &why) &&
        m.type == MEXT_CTL_GUEST)
        s->rep->stopped_ms = m.u.guest.stopped_ms;
}

/* Iterations, the suspend, the rest; all but the unpause there. */
static int move_pages(struct sender *s, struct mext_why *why)
{
    uint64_t t = mext_now_us();

    if (mext_copy_run(&s->copy, why))
        return -1;
    s->rep->precopy_us = mext_now_us() - t;
    if (mext_lxl_unchanged(s->lxl, s->domid, s->guest.json, why))
        return -1;
    mext_throttle_end(s->lxl, s->store, s->domid);
    mext_help_quiesce(&s->help, &s->mem);
    if (mext_copy_catch_up(&s->copy, why) || mext_hear_now(&s->hear, why))
        return -1;
    mext_sayf(say, s, "suspending the guest");
    return mext_fault("source.suspend", why) || suspend_guest(s, why) ||
                   mext_fault("source.last", why) || stop_and_copy(s, why)
               ? -1
               : 0;
}

static int run(struct sender *s, struct mext_why *why)
{
    if (prepare(s, why) ||
        (by_stream(s) ? move_stream(s, why) : move_pages(s, why)) ||
        commit(s, why))
        return -1;
    if (!s->rep->wire_bytes)
        count_bytes(s);
    return 0;
}

static void resumed(void *arg)
{
    struct sender *s = arg;

    mext_help_undo(&s->help);
}

/* Puts the guest back as it was. */
static void undo(struct sender *s, struct mext_why *why)
{
    struct mext_why quiet;

    mext_steer_commit(s->steer, &quiet); /* nobody can cancel that */
    mext_steer_why(s->steer, why);
    mext_net_cancel_fd(-1);
    mext_hear_end(&s->hear);
    mext_stream_stop(&s->stream);
    if (s->dom)
        mext_dom_dirty_stop(s->dom);
    mext_source_event(&s->source, MEXT_EV_FAILED, why);
}

/* Nobody knows where it runs, or the last step could not be done. */
static enum mext_outcome unfinished(struct sender *s, struct mext_why *why)
{
    bool stranded = s->source.machine.state == MEXT_SRC_STRANDED;
    struct mext_why first = *why;
    const char *name = s->guest.name;

    switch (s->source.heard) {
    case MEXT_EV_RUNNING:
        mext_sayf(say, s, "warning: %s (again: xl migrate-resolve %s)",
                  first.text, name);
        return MEXT_DONE;
    case MEXT_EV_ABORTED:
        if (mext_source_runs_here(&s->source)) {
            mext_fail(why, "%.400s (again: xl migrate-resolve %.60s)",
                      first.text, name);
            return MEXT_KEPT;
        }
        mext_fail(why,
                  "%.300s; it does not run there, and could not be let run "
                  "here: xl migrate-resolve %.60s",
                  first.text, name);
        return MEXT_UNKNOWN;
    default:
        mext_fail(why,
                  "%.180s; whether the guest runs there is not known, so the "
                  "copy here stays suspended%s. See whether it runs there: xl "
                  "migrate-resolve --there %.60s if it does, --here if it has "
                  "no domain there, not even a paused one",
                  first.text,
                  stranded ? "" : "; packetd of this host goes on asking",
                  name);
        return MEXT_UNKNOWN;
    }
}

static enum mext_outcome outcome(struct sender *s, struct mext_why *why)
{
    switch (s->source.machine.state) {
    case MEXT_SRC_DONE:
        return MEXT_DONE;
    case MEXT_SRC_NEW:
    case MEXT_SRC_KEPT:
        return MEXT_KEPT;
    case MEXT_SRC_COPYING:
    case MEXT_SRC_READY:
        s->source.heard = MEXT_EV_ABORTED;
        return unfinished(s, why);
    default:
        return unfinished(s, why);
    }
}

static void cleanup(struct sender *s)
{
    s->rep->iterations = s->copy.iterations;
    s->rep->helped = s->help.did;
    s->rep->free_pages = s->help.free_pages;
    s->rep->trimmed_kib = s->help.trimmed_kib;
    s->rep->less = s->help.why;
    memcpy(s->rep->agent, s->help.agent, sizeof(s->rep->agent));
    mext_help_close(&s->help);
    mext_hear_end(&s->hear);
    mext_source_close(&s->source);
    mext_stream_stop(&s->stream);
    mext_memory_close(&s->mem);
    mext_dest_close(&s->dest);
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
    enum mext_outcome o;

    memset(rep_r, 0, sizeof(*rep_r));
    rep_r->receiver = "";
    if (mext_crypto_init()) {
        mext_fail(why, "libsodium cannot be initialised");
        return MEXT_KEPT;
    }
    mext_source_init(&s.source);
    s.source.keys_dir = rq->keys_dir;
    s.source.say = s.dest.say = say;
    s.source.say_arg = s.dest.say_arg = &s;
    s.source.conn = &s.dest.conn;
    s.source.resumed = resumed;
    s.dest.rq = rq;
    s.dest.guest = &s.guest;
    s.dest.policy = &s.policy;
    s.hear.control = &s.dest.conn;
    s.copy = (struct mext_copy){
        .mem = &s.mem,
        .help = &s.help,
        .hear = &s.hear,
        .machine = &s.source.machine,
        .limits = rq->limits,
        .on_stall = rq->on_stall,
        .pace.bytes_per_s = rq->bytes_per_s,
        .say = say,
        .progress = progress,
        .arg = &s,
        .data_ms = DATA_MS,
    };
    s.stream.copy = &s.copy;
    s.stream.verbosity = rq->verbosity;
    s.stream.pack = rq->packing.by != MEXT_PACK_NONE;
    s.t_start = mext_now_us();
    if (run(&s, why))
        undo(&s, why);
    o = outcome(&s, why);
    if (o == MEXT_DONE)
        hear_guest(&s);
    mext_steer_close(s.steer, mext_src_name(s.source.machine.state), why->text);
    cleanup(&s);
    return o;
}
