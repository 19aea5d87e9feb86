/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"
#include "mext_text.h"

/* ---- codec ---- */

static void put_peer(struct mext_buf *b, const struct gate_peer *p)
{
    mext_put8(b, p->len);
    mext_put(b, p->addr, p->len <= GATE_PEER_MAX ? p->len : 0);
}

static int get_peer(struct mext_buf *b, struct gate_peer *p_r)
{
    p_r->len = mext_get8(b);
    if (p_r->len > GATE_PEER_MAX)
        return MEXT_ERR_LIMIT;
    mext_get(b, p_r->addr, p_r->len);
    return 0;
}

/* Of a datagram: there is one. */
static int get_sender(struct mext_buf *b, struct gate_peer *p_r)
{
    int rc = get_peer(b, p_r);

    return !rc && !p_r->len ? MEXT_ERR_LIMIT : rc;
}

static void put_text(struct mext_buf *b, const char *text)
{
    size_t n = strlen(text);

    mext_put16(b, (uint16_t)n);
    mext_put(b, text, n);
}

static int get_text(struct mext_buf *b, struct mext_why *why_r)
{
    size_t n = mext_get16(b);

    if (n > MEXT_TEXT_MAX)
        return MEXT_ERR_LIMIT;
    mext_get(b, why_r->text, n);
    why_r->text[n] = 0;
    return mext_printable(why_r->text, n) ? 0 : MEXT_ERR_FORMAT;
}

static int get_trust(struct mext_buf *b, struct gate_msg *m_r)
{
    m_r->u.trust.rate = mext_get32(b);
    m_r->u.trust.nself = mext_get16(b);
    m_r->u.trust.n = mext_get16(b);
    if (m_r->u.trust.nself > GATE_SELF_MAX || m_r->u.trust.n > GATE_TRUST_MAX)
        return MEXT_ERR_LIMIT;
    mext_get(b, m_r->u.trust.self,
             (size_t)m_r->u.trust.nself * sizeof(m_r->u.trust.self[0]));
    mext_get(b, m_r->u.trust.keys,
             (size_t)m_r->u.trust.n * sizeof(m_r->u.trust.keys[0]));
    return 0;
}

static int get_answer(struct mext_buf *b, struct gate_msg *m_r)
{
    int rc = get_peer(b, &m_r->u.answer.to);

    m_r->u.answer.n = mext_get16(b);
    if (rc || !m_r->u.answer.to.len ||
        m_r->u.answer.n > sizeof(m_r->u.answer.bytes))
        return MEXT_ERR_LIMIT;
    mext_get(b, m_r->u.answer.bytes, m_r->u.answer.n);
    return 0;
}

static int put_join(struct mext_buf *b, const struct mext_open *o)
{
    uint8_t bytes[MEXT_JOIN_LEN];
    int rc = mext_join_encode(o, bytes);

    mext_put(b, bytes, sizeof(bytes));
    return rc;
}

static int get_join(struct mext_buf *b, struct mext_open *o_r)
{
    const uint8_t *bytes = mext_view(b, MEXT_JOIN_LEN);

    return bytes ? mext_join_decode(bytes, o_r) : MEXT_ERR_SHORT;
}

int gate_encode(const struct gate_msg *m, struct mext_buf *b)
{
    mext_put8(b, m->type);
    switch (m->type) {
    case GATE_TRUST:
        mext_put32(b, m->u.trust.rate);
        mext_put16(b, m->u.trust.nself);
        mext_put16(b, m->u.trust.n);
        mext_put(b, m->u.trust.self,
                 (size_t)m->u.trust.nself * sizeof(m->u.trust.self[0]));
        mext_put(b, m->u.trust.keys,
                 (size_t)m->u.trust.n * sizeof(m->u.trust.keys[0]));
        break;
    case GATE_VERDICT:
        mext_put16(b, m->u.verdict.code);
        put_text(b, m->u.verdict.why.text);
        break;
    case GATE_ANSWER:
        put_peer(b, &m->u.answer.to);
        mext_put16(b, m->u.answer.n);
        mext_put(b, m->u.answer.bytes, m->u.answer.n);
        break;
    case GATE_TOKEN:
        put_peer(b, &m->u.token.from);
        mext_put(b, m->u.token.bytes, sizeof(m->u.token.bytes));
        break;
    case GATE_WHOIS:
        put_peer(b, &m->u.whois.from);
        mext_put(b, m->u.whois.bytes, sizeof(m->u.whois.bytes));
        break;
    case GATE_QUERY:
        put_peer(b, &m->u.query.from);
        mext_put(b, m->u.query.bytes, sizeof(m->u.query.bytes));
        break;
    case GATE_REFUSED:
        for (unsigned i = 0; i < GATE_REASONS; i++)
            mext_put64(b, m->u.refused.n[i]);
        break;
    case GATE_JOIN:
        if (put_join(b, &m->u.join))
            return MEXT_ERR_LIMIT;
        break;
    }
    return b->bad ? MEXT_ERR_FULL : 0;
}

int gate_decode(const uint8_t *in, size_t len, struct gate_msg *m_r)
{
    struct mext_buf b;
    int rc = 0;

    mext_buf_init(&b, (uint8_t *)in, len);
    m_r->type = mext_get8(&b);
    switch (m_r->type) {
    case GATE_TRUST:
        rc = get_trust(&b, m_r);
        break;
    case GATE_VERDICT:
        m_r->u.verdict.code = mext_get16(&b);
        rc = get_text(&b, &m_r->u.verdict.why);
        break;
    case GATE_ANSWER:
        rc = get_answer(&b, m_r);
        break;
    case GATE_HELLO:
        break;
    case GATE_TOKEN:
        rc = get_peer(&b, &m_r->u.token.from);
        mext_get(&b, m_r->u.token.bytes, sizeof(m_r->u.token.bytes));
        break;
    case GATE_WHOIS:
        rc = get_sender(&b, &m_r->u.whois.from);
        mext_get(&b, m_r->u.whois.bytes, sizeof(m_r->u.whois.bytes));
        break;
    case GATE_QUERY:
        rc = get_sender(&b, &m_r->u.query.from);
        mext_get(&b, m_r->u.query.bytes, sizeof(m_r->u.query.bytes));
        break;
    case GATE_REFUSED:
        for (unsigned i = 0; i < GATE_REASONS; i++)
            m_r->u.refused.n[i] = mext_get64(&b);
        break;
    case GATE_JOIN:
        rc = get_join(&b, &m_r->u.join);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return rc ? rc : mext_buf_end(&b);
}

/* ---- packets ---- */

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

/* A side that takes nothing must not stop the other one. */
static bool has_room(int fd, int wait_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int n;

    do
        n = poll(&p, 1, wait_ms);
    while (n < 0 && errno == EINTR);
    errno = EAGAIN;
    return n > 0;
}

static int send_within(int fd, const struct gate_msg *m, int wait_ms,
                       struct mext_why *why)
{
    uint8_t out[GATE_MSG_MAX];
    union control c = { .room = { 0 } };
    struct mext_buf b;
    struct iovec v = { out, 0 };
    struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
    ssize_t n;

    mext_buf_init(&b, out, sizeof(out));
    if (gate_encode(m, &b))
        return mext_fail(why, "a message is too large for the gate");
    v.iov_len = b.pos;
    if (m->fd >= 0) {
        h.msg_control = &c;
        h.msg_controllen = sizeof(c);
        c.header.cmsg_level = SOL_SOCKET;
        c.header.cmsg_type = SCM_RIGHTS;
        c.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&c.header), &m->fd, sizeof(int));
    }
    do
        n = sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 &&
           (errno == EINTR || (errno == EAGAIN && has_room(fd, wait_ms))));
    if (n != (ssize_t)b.pos)
        return mext_fail(why, "nothing goes through the gate: %s",
                         strerror(errno));
    return 0;
}

int gate_send(int fd, const struct gate_msg *m, struct mext_why *why)
{
    return send_within(fd, m, GATE_SEND_MS, why);
}

int gate_offer(int fd, const struct gate_msg *m, struct mext_why *why)
{
    return send_within(fd, m, 0, why);
}

/* Takes all descriptors that came along: how many; the first is kept. */
static unsigned take_descriptors(struct msghdr *h, int *fd_r)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    unsigned n = 0;
    int fd;

    *fd_r = -1;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return 0;
    for (; CMSG_LEN((n + 1) * sizeof(int)) <= c->cmsg_len; n++) {
        memcpy(&fd, CMSG_DATA(c) + n * sizeof(int), sizeof(int));
        if (n)
            close(fd);
        else
            *fd_r = fd;
    }
    return n;
}

/* Only a connection is passed on. */
static unsigned descriptors_of(const struct gate_msg *m)
{
    return m->type == GATE_JOIN ||
           (m->type == GATE_TOKEN && !m->u.token.from.len);
}

int gate_recv(int fd, struct gate_msg *m_r, struct mext_why *why)
{
    uint8_t in[GATE_MSG_MAX];
    union control c;
    struct iovec v = { in, sizeof(in) };
    struct msghdr h = { .msg_iov = &v,
                        .msg_iovlen = 1,
                        .msg_control = &c,
                        .msg_controllen = sizeof(c) };
    unsigned nfds;
    ssize_t n;

    do
        n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return mext_fail(why, "the gate is closed: %s", strerror(errno));
    nfds = take_descriptors(&h, &m_r->fd);
    if (n == 0)
        mext_fail(why, "the gate is closed");
    else if ((h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
             gate_decode(in, (size_t)n, m_r))
        mext_fail(why, "a malformed message came through the gate");
    else if (nfds == descriptors_of(m_r))
        return 0;
    else
        mext_fail(why, "a descriptor too many or too few came through the "
                       "gate");
    if (m_r->fd >= 0)
        close(m_r->fd);
    return -1;
}
