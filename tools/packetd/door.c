/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listens, and lets nothing in but tokens and questions that verify, and
 * connections that say which migration they are for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "door.h"
#include "mext_fate.h"
#include "packetd.h"

#define GUESTS_MAX 64  /* connections whose token has not come whole */
#define EACH_MAX   8   /* of them from one address */
#define REFRESH_MS 200 /* between two looks for new keys */
#define WHOIS_MS   20  /* between two questions who we are */
#define LOG_MS     1000
#define LOG_LINES  10 /* of refusals in LOG_MS, the rest is counted */
#define BUCKETS    1024
#define FRAME_LEN  (MEXT_FRAME_HDR_LEN + MEXT_TOKEN_LEN)
#ifndef TOKEN_MS /* a test is in more of a hurry */
#define TOKEN_MS 10000
#endif

struct caller {
    int fd;       /* -1: free */
    uint64_t nth; /* the smaller, the older */
    uint64_t until;
    struct gate_peer from;
    size_t n;
    uint8_t in[FRAME_LEN];
};

/* Tokens that addresses of one hash may still show, in thousandths. */
struct bucket {
    uint64_t ms;
    uint64_t level;
};

static struct door {
    struct gate_msg trust;
    struct caller callers[GUESTS_MAX];
    struct bucket buckets[2][BUCKETS]; /* of datagrams, of connections */
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint64_t accepted; /* callers so far */
    uint64_t refreshed, reported, whois_at;
    uint64_t log_at;
    unsigned lines, unlogged;
    bool changed; /* counts are to be told */
    struct gate_msg refused;
} door;

/* ---- addresses ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static union address address_of(const struct gate_peer *p)
{
    union address a;

    memcpy(&a, p->addr, sizeof(a));
    return a;
}

/* The bytes that tell one sender from another: a whole IPv6 /64 is one. */
static void sender_of(const struct gate_peer *p, uint8_t sender_r[8])
{
    union address a = address_of(p);

    memset(sender_r, 0, 8);
    if (a.any.sa_family == AF_INET6)
        memcpy(sender_r, &a.six.sin6_addr, 8);
    else
        memcpy(sender_r, &a.four.sin_addr, sizeof(a.four.sin_addr));
}

static bool same_sender(const struct gate_peer *a, const struct gate_peer *b)
{
    uint8_t x[8], y[8];

    sender_of(a, x);
    sender_of(b, y);
    return !memcmp(x, y, sizeof(x));
}

/* By inet_ntop alone: resolvers open files. */
static void address_text(const struct gate_peer *p, char out[64])
{
    union address a = address_of(p);
    bool six = a.any.sa_family == AF_INET6;
    char host[INET6_ADDRSTRLEN] = "?";

    if (six)
        inet_ntop(AF_INET6, &a.six.sin6_addr, host, sizeof(host));
    else
        inet_ntop(AF_INET, &a.four.sin_addr, host, sizeof(host));
    snprintf(out, 64, "%s port %u", host,
             ntohs(six ? a.six.sin6_port : a.four.sin_port));
}

/* Whether one more from there may be looked at now; if not, it is counted. */
static bool within_rate(const struct gate_peer *p, bool connected)
{
    uint64_t now = mext_now_ms(), rate = door.trust.u.trust.rate, most, h;
    struct bucket *b;
    uint8_t sender[8];

    if (!rate)
        return true;
    sender_of(p, sender);
    crypto_shorthash((uint8_t *)&h, sender, sizeof(sender), door.hash_key);
    b = &door.buckets[connected][h % BUCKETS];
    most = 2000 * rate;
    b->level += b->ms ? (now - b->ms) * rate : most;
    if (b->level > most)
        b->level = most;
    b->ms = now;
    if (b->level < 1000) {
        door.refused.u.refused.n[0]++;
        door.changed = true;
        return false;
    }
    b->level -= 1000;
    return true;
}

/* ---- refusing ---- */

static void log_refusal(const struct gate_peer *p, unsigned code,
                        const char *hint)
{
    uint64_t now = mext_now_ms();
    char from[64];

    if (now >= door.log_at) {
        if (door.unlogged)
            packetd_log("%u more were refused", door.unlogged);
        door.log_at = now + LOG_MS;
        door.lines = door.unlogged = 0;
    }
    if (door.lines++ >= LOG_LINES) {
        door.unlogged++;
        return;
    }
    address_text(p, from);
    packetd_log("%s: refused: %s%s%s", from, mext_reason(code),
                *hint ? ": " : "", hint);
}

static void note_refusal(const struct gate_peer *p, unsigned code,
                         const char *hint)
{
    door.refused.u.refused.n[code < GATE_REASONS ? code : 0]++;
    door.changed = true;
    log_refusal(p, code, hint);
}

/* No longer than a token, whoever asks: docs/specs/token.md. */
static void say_refused(int fd, unsigned code, const char *hint)
{
    uint8_t out[MEXT_TOKEN_LEN];
    struct mext_ctl m = { .type = MEXT_CTL_ABORT };
    struct mext_why unused;
    struct mext_buf b;
    size_t n = strlen(hint);

    m.u.abort.code = (uint16_t)code;
    m.u.abort.text = hint;
    m.u.abort.len = (uint16_t)(n < sizeof(out) - 8 ? n : sizeof(out) - 8);
    mext_buf_init(&b, out, sizeof(out));
    if (!mext_ctl_encode(&m, &b))
        mext_net_send_plain(fd, out, b.pos, 0, &unused);
}

/* ---- the monitor ---- */

/* Takes what may come at any time; false for anything else. */
static bool take(const struct gate_msg *m)
{
    if (m->type == GATE_TRUST)
        door.trust = *m;
    else if (m->type == GATE_ANSWER)
        sendto(GATE_UDP_FD, m->u.answer.bytes, m->u.answer.n, 0,
               (const void *)m->u.answer.to.addr, m->u.answer.to.len);
    else
        return false;
    return true;
}

/*
 * What may come at any time, or is due (0: nothing): there is no door without
 * a monitor that keeps to the specification.
 */
static void next_message(uint8_t due, struct gate_msg *m)
{
    struct mext_why why;

    if (gate_recv(GATE_FD, m, &why) || (!take(m) && m->type != due))
        _exit(0);
}

static void wait_for(uint8_t due, struct gate_msg *m)
{
    do
        next_message(due, m);
    while (m->type != due);
}

static void tell(const struct gate_msg *m)
{
    struct mext_why why;

    if (gate_send(GATE_FD, m, &why))
        _exit(0);
}

static void refresh(void)
{
    struct gate_msg hello = { .type = GATE_HELLO, .fd = -1 };
    static struct gate_msg m;

    tell(&hello);
    wait_for(GATE_TRUST, &m);
    door.refreshed = mext_now_ms();
}

static void report(void)
{
    uint64_t now = mext_now_ms();

    if (!door.changed || now < door.reported + LOG_MS)
        return;
    door.refused.type = GATE_REFUSED;
    door.refused.fd = -1;
    tell(&door.refused);
    memset(&door.refused, 0, sizeof(door.refused));
    door.reported = now;
    door.changed = false;
}

/* ---- judging ---- */

static bool trusts(void *unused, const uint8_t pk[MEXT_KEY_LEN])
{
    for (unsigned i = 0; i < door.trust.u.trust.n; i++)
        if (!memcmp(door.trust.u.trust.keys[i], pk, MEXT_KEY_LEN))
            return true;
    return false;
}

/* 0, or the reason against it. */
typedef unsigned verify_fn(const uint8_t *in, size_t n);

static unsigned verify_token(const uint8_t *in, size_t n)
{
    unsigned code = MEXT_E_AUDIENCE;
    struct mext_token t;

    for (unsigned i = 0;
         i < door.trust.u.trust.nself && code == MEXT_E_AUDIENCE; i++)
        code = (unsigned)mext_token_verify(in, n, door.trust.u.trust.self[i],
                                           (uint64_t)time(NULL), trusts, NULL,
                                           &t);
    return code;
}

static unsigned verify_query(const uint8_t *in, size_t n)
{
    unsigned code = MEXT_E_AUDIENCE;
    struct mext_query q;

    for (unsigned i = 0;
         i < door.trust.u.trust.nself && code == MEXT_E_AUDIENCE; i++)
        code = (unsigned)mext_query_judge(in, n, door.trust.u.trust.self[i],
                                          trusts, NULL, &q);
    return code;
}

/* With a look for new keys, if it is due. */
static unsigned verify_by(verify_fn *verify, const uint8_t *in, size_t n,
                          struct mext_why *why)
{
    unsigned code = verify(in, n);

    why->text[0] = 0;
    if (code == MEXT_E_UNTRUSTED &&
        mext_now_ms() >= door.refreshed + REFRESH_MS) {
        refresh();
        code = verify(in, n);
    }
    if (code == MEXT_E_UNTRUSTED)
        mext_fail(why, "packetd trust add NAME KEY on the destination");
    if (code == MEXT_E_EXPIRED)
        mext_fail(why, "do the clocks of both hosts agree?");
    return code;
}

/* 0, or the reason against a token. */
static unsigned judge(const struct gate_peer *from, const uint8_t *in, size_t n,
                      int fd, struct mext_why *why)
{
    static struct gate_msg m;
    unsigned code = verify_by(verify_token, in, n, why);

    if (code)
        return code;
    m.type = GATE_TOKEN;
    m.fd = fd;
    m.u.token.from = *from;
    if (fd >= 0)
        m.u.token.from.len = 0;
    memcpy(m.u.token.bytes, in, sizeof(m.u.token.bytes));
    tell(&m);
    wait_for(GATE_VERDICT, &m);
    *why = m.u.verdict.why;
    return m.u.verdict.code;
}

/*
 * Asks who we are?  Anybody may, and each answer costs the monitor signatures:
 * it is asked a bounded number of times a second, whoever asks.
 */
static bool asks_who(const struct gate_peer *from, const uint8_t *in, size_t n)
{
    struct gate_msg m = { .type = GATE_WHOIS, .fd = -1 };
    uint64_t now = mext_now_ms();

    if (n != MEXT_WHOIS_LEN ||
        memcmp(in, MEXT_WHOIS_PURPOSE, sizeof(MEXT_WHOIS_PURPOSE)))
        return false;
    if (now < door.whois_at)
        return true;
    door.whois_at = now + WHOIS_MS;
    m.u.whois.from = *from;
    memcpy(m.u.whois.bytes, in, n);
    tell(&m);
    return true;
}

/*
 * A further connection of a migration: which one, and whether it is its source's,
 * is found out by who has its keys.  0, or the reason against it.
 */
static unsigned pass_join(const uint8_t *in, int fd)
{
    struct gate_msg m = { .type = GATE_JOIN, .fd = fd };

    if (mext_join_decode(in, &m.u.join))
        return MEXT_E_MALFORMED;
    tell(&m);
    return 0;
}

/* 0, or the reason against the question what became of a migration. */
static unsigned judge_query(const struct gate_peer *from, const uint8_t *in,
                            size_t n, struct mext_why *why)
{
    struct gate_msg m = { .type = GATE_QUERY, .fd = -1 };
    unsigned code = verify_by(verify_query, in, n, why);

    if (code)
        return code;
    m.u.query.from = *from;
    memcpy(m.u.query.bytes, in, sizeof(m.u.query.bytes));
    tell(&m);
    return 0;
}

static void on_datagram(void)
{
    struct gate_peer from = { .len = 0 };
    socklen_t len = sizeof(from.addr);
    uint8_t in[MEXT_TOKEN_LEN + 1];
    struct mext_why why;
    unsigned code;
    ssize_t n = recvfrom(GATE_UDP_FD, in, sizeof(in), 0,
                         (struct sockaddr *)from.addr, &len);

    if (n < 0 || len > sizeof(from.addr))
        return;
    from.len = (uint8_t)len;
    if (!within_rate(&from, false) || asks_who(&from, in, (size_t)n))
        return;
    code = n == MEXT_QUERY_LEN ? judge_query(&from, in, (size_t)n, &why)
                               : judge(&from, in, (size_t)n, -1, &why);
    if (code)
        note_refusal(&from, code, why.text);
}

/* ---- connections ---- */

static void hang_up(struct caller *c)
{
    close(c->fd);
    c->fd = -1;
}

/* A place for a new one: free, or that of whoever has waited longest. */
static struct caller *place_for(const struct gate_peer *from)
{
    struct caller *oldest = door.callers, *mine = NULL, *free_one = NULL;
    unsigned n = 0;

    for (struct caller *c = door.callers; c < door.callers + GUESTS_MAX; c++) {
        if (c->fd < 0) {
            free_one = c;
            continue;
        }
        if (c->nth < oldest->nth)
            oldest = c;
        if (!same_sender(&c->from, from))
            continue;
        n++;
        if (!mine || c->nth < mine->nth)
            mine = c;
    }
    if (n >= EACH_MAX || !free_one) {
        free_one = n >= EACH_MAX ? mine : oldest;
        hang_up(free_one);
    }
    return free_one;
}

static void on_connection(void)
{
    struct gate_peer from = { .len = 0 };
    socklen_t len = sizeof(from.addr);
    struct caller *c;
    int fd = accept4(GATE_TCP_FD, (struct sockaddr *)from.addr, &len,
                     SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 || len > sizeof(from.addr)) {
        if (fd >= 0)
            close(fd);
        return;
    }
    from.len = (uint8_t)len;
    c = place_for(&from);
    c->fd = fd;
    c->from = from;
    c->n = 0;
    c->nth = door.accepted++;
    c->until = mext_now_ms() + TOKEN_MS;
}

static void judge_caller(struct caller *c)
{
    struct mext_why why = { "" };
    uint32_t n = mext_load32(c->in);
    unsigned code = MEXT_E_MALFORMED;

    if (!within_rate(&c->from, true))
        return;
    if (n == MEXT_TOKEN_LEN)
        code = judge(&c->from, c->in + MEXT_FRAME_HDR_LEN, n, c->fd, &why);
    else if (n == MEXT_JOIN_LEN)
        code = pass_join(c->in + MEXT_FRAME_HDR_LEN, c->fd);
    if (!code)
        return;
    note_refusal(&c->from, code, why.text);
    say_refused(c->fd, code, why.text);
}

/* The bytes that there will be, as far as is known: what follows is not ours. */
static size_t due(const struct caller *c)
{
    return MEXT_FRAME_HDR_LEN +
           (c->n < MEXT_FRAME_HDR_LEN ? 0 : mext_load32(c->in));
}

static bool is_frame(const struct caller *c)
{
    uint32_t n = mext_load32(c->in);

    return n == MEXT_TOKEN_LEN || n == MEXT_JOIN_LEN;
}

/*
 * More of a token, or of a JOIN, behind which the first frame may be there already;
 * whatever has another length ends it.
 */
static void on_bytes(struct caller *c)
{
    ssize_t n = recv(c->fd, c->in + c->n, due(c) - c->n, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        c->n += (size_t)n;
    if (c->n >= MEXT_FRAME_HDR_LEN && (!is_frame(c) || c->n == due(c))) {
        judge_caller(c);
        hang_up(c);
    } else if (n <= 0) {
        hang_up(c);
    }
}

/* ---- loop ---- */

static void serve(void)
{
    struct pollfd pf[3 + GUESTS_MAX] = {
        { .fd = GATE_FD, .events = POLLIN },
        { .fd = GATE_TCP_FD, .events = POLLIN },
        { .fd = GATE_UDP_FD, .events = POLLIN },
    };
    static struct gate_msg m;

    for (;;) {
        uint64_t now;

        for (unsigned i = 0; i < GUESTS_MAX; i++)
            pf[3 + i] = (struct pollfd){ .fd = door.callers[i].fd,
                                         .events = POLLIN };
        if (poll(pf, 3 + GUESTS_MAX, LOG_MS) < 0)
            continue;
        if (pf[0].revents)
            next_message(0, &m);
        if (pf[2].revents)
            on_datagram();
        now = mext_now_ms();
        for (unsigned i = 0; i < GUESTS_MAX; i++) {
            struct caller *c = &door.callers[i];

            if (pf[3 + i].revents)
                on_bytes(c);
            else if (c->fd >= 0 && now >= c->until)
                hang_up(c);
        }
        if (pf[1].revents)
            on_connection();
        report();
    }
}

int packetd_door(const struct jail_user *u)
{
    struct mext_why why;

    for (unsigned i = 0; i < GUESTS_MAX; i++)
        door.callers[i].fd = -1;
    randombytes_buf(door.hash_key, sizeof(door.hash_key));
    if (jail_enter(u, true, &why)) {
        packetd_log("the door stays shut: %s", why.text);
        return 1;
    }
    refresh();
    serve();
    return 0;
}
