/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mext_conn.h"
#include "mext_text.h"

int mext_conn_init(struct mext_conn *c, int fd, const struct mext_root *root,
                   bool is_source, uint16_t index)
{
    memset(c, 0, sizeof(*c));
    c->max = index ? MEXT_JOINED_BODY_MAX : MEXT_CONTROL_BODY_MAX;
    c->in = malloc(2 * (MEXT_FRAME_HDR_LEN + c->max));
    if (!c->in)
        return -1;
    c->out = c->in + MEXT_FRAME_HDR_LEN + c->max;
    mext_net_options(fd);
    c->fd = fd;
    c->plain = !root;
    if (c->plain)
        return 0;
    mext_seal_init(is_source ? &c->tx : &c->rx, root, MEXT_DIR_TO_DEST, index);
    mext_seal_init(is_source ? &c->rx : &c->tx, root, MEXT_DIR_TO_SOURCE,
                   index);
    return 0;
}

void mext_conn_close(struct mext_conn *c)
{
    if (c->in) {
        if (c->fd >= 0)
            close(c->fd);
        mext_wipe(c->in, 2 * (MEXT_FRAME_HDR_LEN + c->max));
    }
    free(c->in);
    mext_wipe(c, sizeof(*c));
    c->fd = -1;
}

/* The frame around n bytes of body at `out`; its length in *len_r. */
static int conn_seal(struct mext_conn *c, size_t n, size_t *len_r)
{
    if (!c->plain)
        return mext_frame_seal(&c->tx, c->out, n, c->max, len_r);
    mext_store32(c->out, (uint32_t)n);
    *len_r = MEXT_FRAME_HDR_LEN + n;
    return 0;
}

/* Without it what follows would be taken for the rest. */
static int send_rest(struct mext_conn *c, unsigned timeout_ms,
                     struct mext_why *why)
{
    if (c->rest.iov_len && mext_net_send(c->fd, &c->rest, 1, timeout_ms, why))
        return -1;
    c->rest.iov_len = 0;
    return 0;
}

int mext_conn_send(struct mext_conn *c, const struct mext_ctl *m,
                   unsigned timeout_ms, struct mext_why *why)
{
    struct mext_buf b;
    struct iovec v;
    size_t len;

    if (send_rest(c, timeout_ms, why))
        return -1;
    mext_buf_init(&b, c->out + MEXT_FRAME_HDR_LEN, c->max - MEXT_TAG_LEN);
    if (mext_ctl_encode(m, &b) || conn_seal(c, b.pos, &len))
        return mext_fail(why, "message of type 0x%02x cannot be sealed",
                         m->type);
    v = (struct iovec){ c->out, len };
    if (mext_net_send(c->fd, &v, 1, timeout_ms, why)) {
        if (v.iov_len < len)
            c->rest = v;
        return -1;
    }
    mext_count_add(&c->sent, len);
    return 0;
}

/* What follows the length; a negative enum mext_rc if that cannot be. */
static int conn_len(const struct mext_conn *c)
{
    uint32_t n = mext_load32(c->in);

    if (!c->plain)
        return mext_frame_len(c->in, c->max);
    return n && n <= c->max ? (int)n : MEXT_ERR_LIMIT;
}

/* Leaves the body, body_len bytes, behind the length. */
static int conn_open(struct mext_conn *c, size_t len)
{
    c->body_len = c->plain ? len : len - MEXT_TAG_LEN;
    return c->plain ? 0
                    : mext_frame_open(&c->rx, c->in + MEXT_FRAME_HDR_LEN, len);
}

/* More of the next frame: 1 if it is whole then, 0 if not, -1 and why. */
static int conn_fill(struct mext_conn *c, struct mext_why *why)
{
    size_t end = MEXT_FRAME_HDR_LEN;
    int n;

    for (;;) {
        if (c->have >= MEXT_FRAME_HDR_LEN) {
            n = conn_len(c);
            if (n < 0)
                return mext_fail(why, "frame length out of bounds");
            end = MEXT_FRAME_HDR_LEN + (size_t)n;
        }
        if (c->have == end)
            return 1;
        n = mext_net_take(c->fd, c->in + c->have, end - c->have, why);
        if (n <= 0)
            return n;
        c->have += (size_t)n;
    }
}

/* The message of a whole frame. */
static int conn_read(struct mext_conn *c, struct mext_ctl *m_r,
                     unsigned *abort_r, struct mext_why *why)
{
    c->received += c->have;
    if (conn_open(c, c->have - MEXT_FRAME_HDR_LEN))
        return mext_fail(why, "a frame does not open: changed on its way");
    c->have = 0;
    if (mext_ctl_decode(mext_conn_body(c), c->body_len, m_r))
        return mext_fail(why, "malformed control message");
    if (m_r->type != MEXT_CTL_ABORT)
        return 1;
    if (abort_r)
        *abort_r = m_r->u.abort.code;
    return mext_fail(why, "%s%s%.*s", mext_reason(m_r->u.abort.code),
                     m_r->u.abort.len ? ": " : "", m_r->u.abort.len,
                     m_r->u.abort.text);
}

int mext_conn_take(struct mext_conn *c, struct mext_ctl *m_r, unsigned *abort_r,
                   struct mext_why *why)
{
    int r;

    if (abort_r)
        *abort_r = 0;
    r = conn_fill(c, why);
    return r > 0 ? conn_read(c, m_r, abort_r, why) : r;
}

int mext_conn_recv(struct mext_conn *c, struct mext_ctl *m_r,
                   unsigned timeout_ms, unsigned *abort_r, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms, now;
    int r;

    while ((r = mext_conn_take(c, m_r, abort_r, why)) == 0) {
        now = mext_now_ms();
        if (mext_net_wait(&c->fd, 1, now < end ? (unsigned)(end - now) : 0,
                          why) < 0)
            return -1;
    }
    return r > 0 ? 0 : -1;
}

const uint8_t *mext_conn_body(const struct mext_conn *c)
{
    return c->in + MEXT_FRAME_HDR_LEN;
}

void mext_conn_abort(struct mext_conn *c, unsigned code, const char *text)
{
    struct mext_ctl m = { .type = MEXT_CTL_ABORT };
    char clean[MEXT_TEXT_MAX + 1];
    struct mext_why why;

    if (!c->in)
        return;
    mext_show(text, strlen(text), clean, sizeof(clean));
    m.u.abort.code = (uint16_t)code;
    m.u.abort.len = (uint16_t)strlen(clean);
    m.u.abort.text = clean;
    mext_conn_send(c, &m, 1000, &why);
}
