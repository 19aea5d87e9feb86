/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xenstore and the vchan.  There is a vchan only while a session is: see
 * "Finding it" in docs/specs/agent.md for why.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "watch.h"

#define TO_AGENT 4096 /* bytes of the rings */
#define TO_DOM0  65536

#define NODE(name) MEXT_AGENT_DIR "/" name

/* dom0 takes answers at once, unless it is in trouble. */
#define SEND_MS 5000

static bool write_node(struct agent *a, const char *path, const char *value)
{
    if (xs_write(a->xs, XBT_NULL, path, value, (unsigned)strlen(value)))
        return true;
    agent_log("cannot write %s: %s", path, strerror(errno));
    return false;
}

static bool advertise(struct agent *a)
{
    char version[8];

    snprintf(version, sizeof(version), "%d", MEXT_AGENT_VERSION);
    return write_node(a, NODE("version"), version);
}

void serve_report(struct agent *a)
{
    char text[MEXT_AGENT_REPORT_MAX + 1];

    advertise(a); /* of itself, it is not there after a move */
    mext_agent_report_text(&a->report, text);
    write_node(a, NODE("report"), text);
}

/* ---- a session ---- */

/* False in a domain we were moved to, until it is looked at. */
static bool advertised(struct agent *a)
{
    char *v = xs_read(a->xs, XBT_NULL, NODE("version"), NULL);
    bool there = v || errno != ENOENT;

    free(v);
    return there;
}

static void end_session(struct agent *a)
{
    if (!a->chan)
        return;
    if (advertised(a)) {
        libxenvchan_close(a->chan); /* removes vchan */
        xs_rm(a->xs, XBT_NULL, NODE("serving"));
    } else {
        /* its event channel went with the domain: Linux must not unbind it */
        agent_log("moved in the middle of a session: reboot rather than "
                  "stop me, the kernel would not survive it well");
    }
    a->chan = NULL;
}

static void begin_session(struct agent *a)
{
    /* libxenvchan does not survive their absence */
    if (access("/dev/xen/evtchn", W_OK) || access("/dev/xen/gntalloc", W_OK)) {
        agent_log("no /dev/xen/evtchn or /dev/xen/gntalloc: modprobe "
                  "xen-evtchn xen-gntalloc");
        return;
    }
    a->chan = libxenvchan_server_init(NULL, 0, NODE("vchan"), TO_AGENT,
                                      TO_DOM0);
    if (!a->chan) {
        agent_log("cannot make a vchan: %s", strerror(errno));
        return;
    }
    a->chan->blocking = 0;
    a->greeted = a->ended = false;
    a->have = 0;
    a->idle_end = agent_now_ms() + MEXT_AGENT_IDLE_MS;
    if (!write_node(a, NODE("serving"), a->session))
        end_session(a);
}

int serve_send(struct agent *a, const struct mext_agentmsg *m)
{
    static uint8_t out[MEXT_FRAME_HDR_LEN + MEXT_AGENT_BODY_MAX];
    struct pollfd p = { .fd = libxenvchan_fd_for_select(a->chan),
                        .events = POLLIN };
    uint64_t end = agent_now_ms() + SEND_MS;
    struct mext_buf b;
    size_t n, at = 0;

    mext_buf_init(&b, out + MEXT_FRAME_HDR_LEN, MEXT_AGENT_BODY_MAX);
    if (mext_agentmsg_encode(m, &b))
        return -1;
    mext_store32(out, (uint32_t)b.pos);
    for (n = MEXT_FRAME_HDR_LEN + b.pos; at < n;) {
        int r = libxenvchan_write(a->chan, out + at, n - at);

        if (r < 0 || agent_now_ms() >= end)
            return -1;
        at += (size_t)r;
        if (r == 0 && poll(&p, 1, 100) > 0)
            libxenvchan_wait(a->chan);
    }
    return 0;
}

/* Answers what is complete in a->in: 1 one answered, 0 none, -1 end. */
static int take_frame(struct agent *a)
{
    struct mext_agentmsg m;
    size_t len;

    if (a->have < MEXT_FRAME_HDR_LEN)
        return 0;
    len = mext_load32(a->in);
    if (len > sizeof(a->in) - MEXT_FRAME_HDR_LEN)
        return -1; /* longer than any request */
    if (a->have < MEXT_FRAME_HDR_LEN + len)
        return 0;
    if (mext_agentmsg_decode(a->in + MEXT_FRAME_HDR_LEN, len, &m) ||
        request_answer(a, &m))
        return -1;
    a->have -= MEXT_FRAME_HDR_LEN + len;
    memmove(a->in, a->in + MEXT_FRAME_HDR_LEN + len, a->have);
    return a->gave_up ? -1 : 1;
}

/* What has come on the vchan. */
static void serve_chan(struct agent *a)
{
    int r, got;

    do {
        r = libxenvchan_read(a->chan, a->in + a->have, sizeof(a->in) - a->have);
        if (r > 0)
            a->have += (size_t)r;
        got = r < 0 ? -1 : take_frame(a);
        if (r > 0 || got > 0)
            a->idle_end = agent_now_ms() + MEXT_AGENT_IDLE_MS;
    } while (r > 0 || got > 0);
    if (got < 0)
        end_session(a);
}

/* ---- xenstore ---- */

static void moved(struct agent *a)
{
    struct mext_agentmsg unused;

    end_session(a);
    a->session[0] = 0;
    agent_resume(a, true, a->config->hook_ms, &unused);
    agent_log("moved or restored; thawed");
}

/* A session that dom0 wishes: 16 hex digits. */
static bool wish(struct agent *a, char out[20])
{
    unsigned len;
    char *v = xs_read(a->xs, XBT_NULL, NODE("session"), &len);
    bool ok = v && len == 16 && strspn(v, "0123456789abcdef") == 16;

    if (ok)
        memcpy(out, v, 17);
    free(v);
    return ok;
}

/* Something below our folder changed, or this is another domain. */
static void look(struct agent *a)
{
    char session[20] = "";

    if (!advertised(a))
        moved(a);
    wish(a, session);
    if (!strcmp(session, a->session))
        return;
    end_session(a);
    strcpy(a->session, session);
    if (session[0])
        begin_session(a);
}

/* ---- loop ---- */

/* Hooks take their time, in which the guest may be suspended: no ring is left. */
static void finish_quiesce(struct agent *a)
{
    struct mext_agentmsg unused;

    if (!a->gave_up)
        return;
    a->gave_up = false;
    end_session(a);
    agent_resume(a, false, a->config->hook_ms, &unused);
}

static void check_times(struct agent *a)
{
    struct mext_agentmsg unused;

    while (waitpid(-1, NULL, WNOHANG) > 0) /* children given up */
        ;
    if (a->chan && agent_now_ms() >= a->idle_end)
        end_session(a);
    if (a->state == AGENT_RUNNING || agent_now_ms() < a->hold_end)
        return;
    agent_log("nobody said go on: going on");
    agent_resume(a, false, a->config->hook_ms, &unused);
}

/* For poll: until the next thing to be done by time; -1: for ever. */
static int next_time(const struct agent *a)
{
    uint64_t next = UINT64_MAX, now = agent_now_ms();

    if (a->chan)
        next = a->idle_end;
    if (a->state != AGENT_RUNNING && a->hold_end < next)
        next = a->hold_end;
    return next == UINT64_MAX ? -1 : next <= now ? 0 : (int)(next - now);
}

static int loop(struct agent *a, int sigfd, int watchfd)
{
    struct pollfd p[3] = { { .fd = sigfd, .events = POLLIN },
                           { .fd = watchfd, .events = POLLIN },
                           { .events = POLLIN } };

    look(a);
    while (!p[0].revents) {
        p[2].fd = a->chan ? libxenvchan_fd_for_select(a->chan) : -1;
        p[2].revents = 0;
        if (poll(p, 3, next_time(a)) < 0 && errno != EINTR)
            return 1;
        if (p[2].revents) {
            libxenvchan_wait(a->chan);
            serve_chan(a);
        }
        finish_quiesce(a);
        if (p[1].revents && watch_fired(watchfd))
            look(a);
        check_times(a);
    }
    return 0;
}

int agent_serve(struct agent *a, int sigfd)
{
    struct mext_agentmsg unused;
    int rc = 1, watchfd = -1;

    a->xs = xs_open(0);
    if (a->xs)
        watchfd = watch_open(MEXT_AGENT_DIR);
    if (watchfd < 0) {
        agent_log("cannot reach xenstore: %s", strerror(errno));
        return 1;
    }
    xs_rm(a->xs, XBT_NULL, MEXT_AGENT_DIR); /* of one that died */
    if (advertise(a))
        rc = loop(a, sigfd, watchfd);
    end_session(a);
    agent_resume(a, false, a->config->hook_ms, &unused);
    xs_rm(a->xs, XBT_NULL, MEXT_AGENT_DIR);
    return rc;
}
