/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Receiver dom0: libxl restores the guest from a stock stream, in a process of
 * its own (restore.h).  What comes from the line is looked at record by record
 * and passed on, a message at a time.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "incoming.h"
#include "mext_fault.h"
#include "restore.h"

/* Deadlines, ms. */
#define MAKE_MS    60000
#define CLAIM_MS   10000  /* libxl sets the domain's limit */
#define CLAIM_STEP 20     /* and does not say when */
#define NEXT_MS    300000 /* the source gives up long before */
#define TAKE_MS    60000  /* libxl takes a message's bytes */
#define RESTORE_MS 120000 /* from the stream's end on */
#define STOP_MS    60000

/* ---- the domain ---- */

/* libxl's process is over: why, in its own words, if it said any. */
static int over(struct session *s, struct mext_why *why)
{
    struct restore_result r;

    if (mext_net_recv(s->dom0.result, &r, sizeof(r), TAKE_MS, why))
        mext_fail(why, "the process that restored it has died");
    else
        mext_fail(why, "%s", r.domid ? "the stream ended early" : r.why.text);
    return session_fail(s, MEXT_E_CREATE);
}

/* The domain is made, before its memory comes; its number is not told us. */
static bool find(struct session *s)
{
    char name[256];
    struct mext_domain_now now;
    struct mext_why quiet;
    uint32_t domid;

    snprintf(name, sizeof(name), "%s" MEXT_INCOMING_SUFFIX, s->name);
    if (mext_lxl_find(s->lxl, name, &domid, &quiet) ||
        mext_lxl_now(s->lxl, domid, &now) ||
        memcmp(now.uuid, s->dom0.uuid, sizeof(now.uuid)))
        return false;
    s->domid = domid;
    return true;
}

/* libxl writes /vm/UUID together with the domain's name. */
static int wait_for_domain(struct session *s, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + MAKE_MS, now;
    int r;

    while (!find(s)) {
        now = mext_now_ms();
        if (now >= end) {
            mext_fail(why, "libxl did not make the domain in time");
            return session_fail(s, MEXT_E_CREATE);
        }
        r = mext_store_wait(s->store, s->dom0.result, (unsigned)(end - now),
                            why);
        if (r < 0)
            return session_fail(s, MEXT_E_CANCELLED);
        if (r == 2)
            return over(s, why);
    }
    return commit_domain(&s->commit, s->domid, s->dom0.uuid, why)
               ? session_fail(s, MEXT_E_INTERNAL)
               : 0;
}

static int watch_vm(struct session *s, struct mext_why *why)
{
    const uint8_t *u = s->dom0.uuid;
    char path[64];
    int n = snprintf(path, sizeof(path), "/vm/");

    for (unsigned i = 0; i < 16; i++)
        n += snprintf(path + n, sizeof(path) - (size_t)n, "%s%02x",
                      i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
    return mext_store_watch(s->store, path, why);
}

/* Once the domain has its limit; without, if libxl never sets one. */
static int try_claim(struct session *s, struct mext_dom *dom, uint64_t pages,
                     struct mext_why *why)
{
    uint64_t end = mext_now_ms() + CLAIM_MS;
    struct mext_why quiet;
    int r;

    while ((r = mext_dom_claim(dom, pages, why)) > 0) {
        if (mext_now_ms() >= end) {
            packetd_log("%s: its memory cannot be set aside", s->name);
            return 0;
        }
        if (mext_net_wait(&s->dom0.result, 1, CLAIM_STEP, &quiet) == 0)
            return over(s, why);
        if (mext_net_cancelled(why))
            return session_fail(s, MEXT_E_CANCELLED);
    }
    return r ? session_fail(s, MEXT_E_MEMORY) : 0;
}

/*
 * libxl takes a guest's memory as its pages come.  So all of it is set aside before
 * the next guest is looked at; one too many is refused while it still runs.
 */
static int claim(struct session *s, uint64_t pages, struct mext_why *why)
{
    struct mext_dom *dom;
    int rc;

    if (mext_dom_open(s->domid, &dom, why))
        return session_fail(s, MEXT_E_INTERNAL);
    rc = try_claim(s, dom, pages, why);
    mext_dom_close(dom);
    return rc;
}

/* What a guest with less than it may have did not need. */
static int unclaim(struct session *s, struct mext_why *why)
{
    struct mext_dom *dom;
    int rc;

    if (mext_dom_open(s->domid, &dom, why))
        return -1;
    rc = mext_dom_claim(dom, 0, why);
    mext_dom_close(dom);
    return rc;
}

static int make(struct session *s, const struct mext_launch *how,
                struct mext_why *why)
{
    struct mext_launched r;
    struct dom0 *d = &s->dom0;

    if (mext_lxl_restore_check(s->lxl, how, &r, &s->commit.code, why))
        return -1;
    s->name = r.name;
    memcpy(d->uuid, r.uuid, sizeof(d->uuid));
    if (watch_vm(s, why))
        return session_fail(s, MEXT_E_INTERNAL);
    d->pid = restore_start(s->p, s->json, d->uuid,
                           mext_journal_lock(s->commit.journal), &d->result,
                           &d->stream, why);
    if (d->pid < 0)
        return session_fail(s, MEXT_E_INTERNAL);
    d->started = true;
    return wait_for_domain(s, why) || claim(s, r.memory_kib / 4, why) ? -1 : 0;
}

int dom0_boot(struct session *s, const struct mext_ctl *m, struct mext_why *why)
{
    struct mext_launch how = {
        .json = s->json,
        .memory_kib = s->token.memory_kib,
        .vcpus = s->token.vcpus,
    };

    if (mext_fault("dest.restore", why))
        return session_fail(s, MEXT_E_INTERNAL);
    s->dom0.inspect.guest = s->guest;
    if (session_make_alone(s, &how, make, why))
        return -1;
    session_step(s, "domain %u created, libxl waits for the guest", s->domid);
    return session_receipt(s, 0, s->hello, why);
}

/* ---- the stream ---- */

/* One message's bytes: nothing that is not as it should be gets to libxl. */
static int pass(struct session *s, const struct mext_ctl *m,
                struct mext_why *why)
{
    struct dom0 *d = &s->dom0;
    struct iovec v = { (void *)m->u.stream.bytes, m->u.stream.len };
    int none[] = { d->result };
    struct mext_why quiet;

    if (mext_inspect_feed(&d->inspect, m->u.stream.bytes, m->u.stream.len)) {
        mext_fail(why, "the stream: %s", d->inspect.wrong);
        return session_fail(s, MEXT_E_MALFORMED);
    }
    d->bytes += m->u.stream.len;
    if (!mext_net_send(d->stream, &v, 1, TAKE_MS, why))
        return 0;
    /* Why libxl takes no more is its to say. */
    if (mext_net_wait(none, 1, TAKE_MS, &quiet) == 0)
        return over(s, why);
    mext_fail(why, "libxl takes no more of the stream");
    return session_fail(s, MEXT_E_CREATE);
}

/*
 * The source's next message, 0; or libxl's process ended before it had all: after
 * that it may be through before ENDED comes.
 */
static int next(struct session *s, struct mext_ctl *m, struct mext_why *why)
{
    bool all = mext_inspect_over(&s->dom0.inspect);
    int fds[] = { all ? -1 : s->dom0.result, s->conn.fd };
    int r = mext_net_wait(fds, 2, NEXT_MS, why);

    if (r < 0)
        return session_fail(s, MEXT_E_LINK);
    return r == 0 ? over(s, why) : session_receive(s, m, SESSION_SEND_MS, why);
}

/* All of it has come; its end is libxl's sign to start the devices. */
static int finish(struct session *s, const struct mext_ctl *m,
                  struct mext_why *why)
{
    struct restore_result r;
    struct dom0 *d = &s->dom0;

    if (!mext_inspect_over(&d->inspect) || m->u.ended.bytes != d->bytes) {
        mext_fail(why, "%llu octets of %llu came", (unsigned long long)d->bytes,
                  (unsigned long long)m->u.ended.bytes);
        return session_fail(s, MEXT_E_COUNT);
    }
    s->report_ms = m->u.ended.report_ms;
    close(d->stream);
    d->stream = -1;
    if (mext_net_recv(d->result, &r, sizeof(r), RESTORE_MS, why)) {
        mext_fail(why, "libxl has not finished, or its process has died");
        return session_fail(s, MEXT_E_CREATE);
    }
    close(d->result);
    d->started = false; /* libxl is through: what there is now is ours */
    if (r.domid != s->domid) {
        mext_fail(why, "%s", r.domid ? "another domain" : r.why.text);
        return session_fail(s, MEXT_E_CREATE);
    }
    return 0;
}

int dom0_hand_over(struct session *s, struct mext_why *why)
{
    struct mext_ctl m;
    uint64_t t;

    do {
        if (next(s, &m, why) || (m.type == MEXT_CTL_STREAM && pass(s, &m, why)))
            return -1;
    } while (m.type == MEXT_CTL_STREAM);
    t = mext_now_us();
    if (mext_fault("dest.restored", why))
        return session_fail(s, MEXT_E_INTERNAL);
    if (finish(s, &m, why))
        return -1;
    s->commit.tidy_us = mext_now_us() - t;
    t = mext_now_us();
    if (mext_fault("dest.settle", why) || unclaim(s, why) ||
        mext_lxl_settle(s->lxl, s->domid, s->json, s->name, why) ||
        mext_lxl_rename(s->lxl, s->domid, s->name, why))
        return session_fail(s, MEXT_E_HANDOVER);
    s->commit.prepare_us = mext_now_us() - t;
    return 0;
}

/*
 * Without the rest of its stream libxl destroys the domain itself.  The line,
 * which may have more of it, has only to wait for our last word.
 */
void dom0_stop(struct session *s)
{
    struct dom0 *d = &s->dom0;
    struct mext_why quiet;

    if (!d->started)
        return;
    shutdown(s->conn.fd, SHUT_RD);
    if (d->stream >= 0)
        close(d->stream);
    if (mext_net_wait(&d->result, 1, STOP_MS, &quiet) < 0)
        kill(d->pid, SIGKILL);
    close(d->result);
    d->started = false;
    /* One that was made and not noted: so that it is destroyed all the same. */
    if (!s->commit.domid && find(s))
        commit_domain(&s->commit, s->domid, d->uuid, &quiet);
}
