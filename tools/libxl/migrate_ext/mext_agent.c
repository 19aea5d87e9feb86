/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <libxenvchan.h>

#include "mext_agent.h"
#include "mext_net.h"

/* The agent keeps deadlines too; ours end a little later, to hear it. */
#define GRACE_MS 500

#define SESSION_LEN 16

struct mext_agent {
    uint32_t domid;
    struct mext_store *store; /* own connection: its watches end with it */
    struct libxenvchan *chan;
    char session[SESSION_LEN + 1];
    bool broken; /* after a failure in the middle of a frame, all is lost */
    uint32_t id; /* of the last request */
    unsigned abilities;
    char name[MEXT_TEXT_MAX + 1];
    uint8_t in[MEXT_FRAME_HDR_LEN + MEXT_AGENT_BODY_MAX];
};

/* ---- frames ---- */

/*
 * libxenvchan itself takes ring indices that make no sense for an empty or
 * full ring, so such a peer is a silent one.
 */
static int wait_event(struct mext_agent *a, uint64_t end, struct mext_why *why)
{
    int fd = libxenvchan_fd_for_select(a->chan);
    uint64_t now = mext_now_ms();
    struct mext_why quiet;

    if (now >= end)
        return mext_fail(why, "the guest's agent does not answer");
    if (mext_net_wait(&fd, 1, (unsigned)(end - now), &quiet) < 0) {
        if (mext_net_cancelled(why))
            return -1;
        return mext_fail(why, "the guest's agent does not answer");
    }
    /* its descriptor does not block; nothing pending is no harm */
    libxenvchan_wait(a->chan);
    return 0;
}

static int closed(struct mext_why *why)
{
    return mext_fail(why, "the guest's agent ended the talk");
}

static int send_all(struct mext_agent *a, const uint8_t *p, size_t n,
                    uint64_t end, struct mext_why *why)
{
    while (n) {
        int r = libxenvchan_write(a->chan, p, n);

        if (r < 0)
            return closed(why);
        if (r == 0 && wait_event(a, end, why))
            return -1;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

/* A peer that trickles octets does not get more time either. */
static int recv_all(struct mext_agent *a, uint8_t *p, size_t n, uint64_t end,
                    struct mext_why *why)
{
    while (n) {
        int r = libxenvchan_read(a->chan, p, n);

        if (r < 0)
            return closed(why);
        if (mext_now_ms() >= end)
            return mext_fail(why, "the guest's agent does not answer");
        if (r == 0 && wait_event(a, end, why))
            return -1;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

static int send_msg(struct mext_agent *a, const struct mext_agentmsg *m,
                    uint64_t end, struct mext_why *why)
{
    uint8_t out[MEXT_FRAME_HDR_LEN + 64]; /* more than any request */
    struct mext_buf b;

    mext_buf_init(&b, out + MEXT_FRAME_HDR_LEN,
                  sizeof(out) - MEXT_FRAME_HDR_LEN);
    if (mext_agentmsg_encode(m, &b))
        return mext_fail(why, "a request against the agent's limits");
    mext_store32(out, (uint32_t)b.pos);
    return send_all(a, out, MEXT_FRAME_HDR_LEN + b.pos, end, why);
}

static int recv_msg(struct mext_agent *a, struct mext_agentmsg *m_r,
                    uint64_t end, struct mext_why *why)
{
    uint32_t len;

    if (recv_all(a, a->in, MEXT_FRAME_HDR_LEN, end, why))
        return -1;
    len = mext_load32(a->in);
    if (len > MEXT_AGENT_BODY_MAX)
        return mext_fail(why, "the guest's agent sent a frame of %u octets",
                         len);
    if (recv_all(a, a->in + MEXT_FRAME_HDR_LEN, len, end, why))
        return -1;
    if (mext_agentmsg_decode(a->in + MEXT_FRAME_HDR_LEN, len, m_r))
        return mext_fail(why, "the guest's agent sent a malformed message");
    if (m_r->id != a->id)
        return mext_fail(why, "the guest's agent answered something else");
    return 0;
}

/* ---- requests ---- */

/* The next answer to the request, of one of two types; its ERROR is -1. */
static int answer(struct mext_agent *a, unsigned type, unsigned other,
                  struct mext_agentmsg *m_r, uint64_t end, struct mext_why *why)
{
    if (recv_msg(a, m_r, end, why))
        goto broken;
    if (m_r->type == type || m_r->type == other)
        return 0;
    if (m_r->type == MEXT_AGENT_ERROR)
        return mext_fail(why, "the guest's agent: %s%s%.*s",
                         mext_agent_reason(m_r->u.error.code),
                         m_r->u.error.len ? ": " : "", m_r->u.error.len,
                         m_r->u.error.text);
    mext_fail(why, "the guest's agent answered out of order");
broken:
    a->broken = true;
    return -1;
}

static int request(struct mext_agent *a, struct mext_agentmsg *m, uint64_t end,
                   struct mext_why *why)
{
    if (a->broken)
        return mext_fail(why, "the talk with the guest's agent is over");
    m->id = ++a->id;
    if (!send_msg(a, m, end, why))
        return 0;
    a->broken = true;
    return -1;
}

static int ask(struct mext_agent *a, struct mext_agentmsg *m, unsigned type,
               struct mext_agentmsg *m_r, unsigned timeout_ms,
               struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms + GRACE_MS;

    if (request(a, m, end, why))
        return -1;
    return answer(a, type, type, m_r, end, why);
}

static unsigned deadline(unsigned timeout_ms)
{
    return timeout_ms > MEXT_AGENT_DEADLINE_MAX ? MEXT_AGENT_DEADLINE_MAX
           : timeout_ms                         ? timeout_ms
                                                : 1;
}

/* Sets a chunk's bits; ones from ngfns on are ignored. */
static uint64_t take_bits(uint64_t *bitmap, uint64_t ngfns,
                          const struct mext_agentmsg *m)
{
    uint64_t pages = 0;

    for (uint32_t i = 0; i < m->u.bitmap.count; i++) {
        uint64_t gfn = m->u.bitmap.first + i;

        if (gfn >= ngfns)
            break;
        if (m->u.bitmap.bits[i / 8] >> i % 8 & 1) {
            bitmap[gfn / 64] |= 1ULL << gfn % 64;
            pages++;
        }
    }
    return pages;
}

/* Chunks come in order, each once: so they end. */
static int take_chunks(struct mext_agent *a, uint64_t *bitmap, uint64_t ngfns,
                       uint64_t end, unsigned *flags_r, uint64_t *pages_r,
                       struct mext_why *why)
{
    uint64_t next = 0, pages = 0;
    struct mext_agentmsg m;

    for (;;) {
        if (answer(a, MEXT_AGENT_BITMAP, MEXT_AGENT_FREE_END, &m, end, why))
            return -1;
        if (m.type == MEXT_AGENT_FREE_END)
            break;
        if (m.u.bitmap.first < next) {
            a->broken = true;
            return mext_fail(why, "the guest's agent repeats itself");
        }
        next = m.u.bitmap.first + MEXT_AGENT_CHUNK_GFNS;
        pages += take_bits(bitmap, ngfns, &m);
    }
    *flags_r = m.u.free_end.flags;
    *pages_r = pages;
    return 0;
}

int mext_agent_free(struct mext_agent *a, uint64_t *bitmap, uint64_t ngfns,
                    unsigned timeout_ms, unsigned *flags_r, uint64_t *pages_r,
                    struct mext_why *why)
{
    struct mext_agentmsg m = { .type = MEXT_AGENT_FREE };
    uint64_t end = mext_now_ms() + timeout_ms + GRACE_MS;
    size_t size = (ngfns + 63) / 64 * 8;
    int rc;

    memset(bitmap, 0, size);
    m.u.free.deadline_ms = deadline(timeout_ms);
    m.u.free.ngfns = ngfns;
    rc = request(a, &m, end, why);
    if (!rc)
        rc = take_chunks(a, bitmap, ngfns, end, flags_r, pages_r, why);
    if (rc)
        memset(bitmap, 0, size);
    return rc;
}

int mext_agent_trim(struct mext_agent *a, unsigned level, unsigned timeout_ms,
                    uint64_t *before_r, uint64_t *after_r, struct mext_why *why)
{
    struct mext_agentmsg m = { .type = MEXT_AGENT_TRIM };

    m.u.trim.deadline_ms = deadline(timeout_ms);
    m.u.trim.level = (uint8_t)level;
    if (ask(a, &m, MEXT_AGENT_TRIMMED, &m, timeout_ms, why))
        return -1;
    *before_r = m.u.trimmed.before_kib;
    *after_r = m.u.trimmed.after_kib;
    return 0;
}

int mext_agent_quiesce(struct mext_agent *a, unsigned timeout_ms,
                       unsigned hold_ms, struct mext_agentmsg *m_r,
                       struct mext_why *why)
{
    struct mext_agentmsg m = { .type = MEXT_AGENT_QUIESCE };

    m.u.quiesce.deadline_ms = deadline(timeout_ms);
    m.u.quiesce.hold_ms = hold_ms;
    return ask(a, &m, MEXT_AGENT_QUIESCED, m_r, timeout_ms, why);
}

int mext_agent_resume(struct mext_agent *a, unsigned flags, unsigned timeout_ms,
                      struct mext_agentmsg *m_r, struct mext_why *why)
{
    struct mext_agentmsg m = { .type = MEXT_AGENT_RESUME };
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    m.u.resume.deadline_ms = deadline(timeout_ms);
    m.u.resume.flags = (uint8_t)flags;
    m.u.resume.real_ms = (uint64_t)now.tv_sec * 1000 +
                         (uint64_t)now.tv_nsec / 1000000;
    return ask(a, &m, MEXT_AGENT_RESUMED, m_r, timeout_ms, why);
}

int mext_agent_calm(struct mext_agent *a, unsigned percent, unsigned hold_ms,
                    unsigned timeout_ms, unsigned *cgroups_r,
                    struct mext_why *why)
{
    struct mext_agentmsg m = { .type = MEXT_AGENT_CALM };

    m.u.calm.hold_ms = hold_ms;
    m.u.calm.percent = (uint8_t)percent;
    if (ask(a, &m, MEXT_AGENT_CALMED, &m, timeout_ms, why))
        return -1;
    *cgroups_r = m.u.calmed.cgroups;
    return 0;
}

/* ---- a talk ---- */

unsigned mext_agent_abilities(const struct mext_agent *a)
{
    return a->abilities;
}

const char *mext_agent_name(const struct mext_agent *a)
{
    return a->name;
}

static int check_version(struct mext_agent *a, struct mext_why *why)
{
    char text[8], *end;
    unsigned long v;

    if (mext_store_read(a->store, a->domid, MEXT_AGENT_DIR "/version", text,
                        sizeof(text)) < 0)
        return mext_fail(why, "the guest runs no agent");
    v = strtoul(text, &end, 10);
    if (*end || end == text || text[0] < '0' || text[0] > '9' ||
        v < MEXT_AGENT_VERSION || v > 65535)
        return mext_fail(why, "the guest's agent has a version that is not "
                              "understood");
    return 0;
}

static int choose_session(struct mext_agent *a, struct mext_why *why)
{
    uint64_t r;

    if (getrandom(&r, sizeof(r), 0) != sizeof(r))
        return mext_fail(why, "no random numbers: %s", strerror(errno));
    snprintf(a->session, sizeof(a->session), "%016llx", (unsigned long long)r);
    return 0;
}

static bool serving(struct mext_agent *a)
{
    char text[SESSION_LEN + 1];

    return mext_store_read(a->store, a->domid, MEXT_AGENT_DIR "/serving", text,
                           sizeof(text)) >= 0 &&
           !strcmp(text, a->session);
}

/* Until xenstore says that it serves us, resp. no more: 1, 0 late, -1. */
static int wait_serving(struct mext_agent *a, bool wanted, uint64_t end,
                        struct mext_why *why)
{
    for (;;) {
        uint64_t now = mext_now_ms();

        if (serving(a) == wanted)
            return 1;
        if (now >= end)
            return 0;
        if (mext_store_wait(a->store, -1, (unsigned)(end - now), why) < 0)
            return -1;
    }
}

static int call(struct mext_agent *a, uint64_t end, struct mext_why *why)
{
    char path[64];
    int r;

    snprintf(path, sizeof(path), "/local/domain/%u/%s/serving", a->domid,
             MEXT_AGENT_DIR);
    if (choose_session(a, why) || mext_store_watch(a->store, path, why) ||
        mext_store_write(a->store, a->domid, MEXT_AGENT_DIR "/session",
                         a->session, why))
        return -1;
    r = wait_serving(a, true, end, why);
    if (r == 0)
        mext_fail(why, "the guest's agent does not answer");
    return r == 1 ? 0 : -1;
}

static int connect_chan(struct mext_agent *a, struct mext_why *why)
{
    char path[48]; /* libxenvchan cuts longer ones */
    int fd, flags;

    snprintf(path, sizeof(path), "/local/domain/%u/%s/vchan", a->domid,
             MEXT_AGENT_DIR);
    a->chan = libxenvchan_client_init(NULL, (int)a->domid, path);
    if (!a->chan)
        return mext_fail(why, "the guest's agent offers no usable vchan");
    a->chan->blocking = 0;
    fd = libxenvchan_fd_for_select(a->chan);
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
        return mext_fail(why, "event channel: %s", strerror(errno));
    return 0;
}

static int greet(struct mext_agent *a, uint64_t end, struct mext_why *why)
{
    struct mext_agentmsg m = { .type = MEXT_AGENT_HELLO };

    m.u.hello.version = MEXT_AGENT_VERSION;
    if (request(a, &m, end, why) ||
        answer(a, MEXT_AGENT_WELCOME, MEXT_AGENT_WELCOME, &m, end, why))
        return -1;
    if (m.u.welcome.version != MEXT_AGENT_VERSION)
        return mext_fail(why,
                         "the guest's agent speaks version %u, "
                         "which is not understood",
                         m.u.welcome.version);
    a->abilities = m.u.welcome.abilities;
    memcpy(a->name, m.u.welcome.text, m.u.welcome.len);
    return 0;
}

int mext_agent_open(uint32_t domid, unsigned timeout_ms,
                    struct mext_agent **a_r, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms;
    struct mext_agent *a = calloc(1, sizeof(*a));

    if (!a)
        return mext_fail(why, "out of memory");
    a->domid = domid;
    if (mext_store_open(&a->store, why) || check_version(a, why) ||
        call(a, end, why) || connect_chan(a, why) || greet(a, end, why)) {
        mext_agent_close(a, 0);
        return -1;
    }
    *a_r = a;
    return 0;
}

bool mext_agent_close(struct mext_agent *a, unsigned wait_ms)
{
    struct mext_why quiet;
    bool gone = true;

    if (!a)
        return true;
    libxenvchan_close(a->chan);
    if (a->store && a->session[0]) {
        mext_store_remove(a->store, a->domid, MEXT_AGENT_DIR "/session");
        gone = wait_serving(a, false, mext_now_ms() + wait_ms, &quiet) == 1;
    }
    mext_store_close(a->store);
    free(a);
    return gone;
}
