/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <unistd.h>

#include "line_conns.h"

#ifndef HERE_MS /* a test is in more of a hurry */
#define HERE_MS 10000
#endif

int line_conns_init(struct line_conns *c, unsigned n, int fd,
                    const struct mext_root *root)
{
    memset(c, 0, sizeof(*c));
    c->n = n;
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        c->stranger[i].fd = -1;
    for (unsigned i = 0; i < n; i++)
        if (mext_conn_init(&c->conn[i], i ? -1 : fd, root, false, (uint16_t)i))
            return -1;
    return 0;
}

static void send_away(struct line_stranger *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void line_conns_close(struct line_conns *c)
{
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        send_away(&c->stranger[i]);
    for (unsigned i = 0; i < c->n; i++)
        mext_conn_close(&c->conn[i]);
}

/* A free place, or that of whoever has waited longest. */
static struct line_stranger *place(struct line_conns *c)
{
    struct line_stranger *oldest = c->stranger;

    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++) {
        struct line_stranger *s = &c->stranger[i];

        if (s->fd < 0)
            return s;
        if (s->nth < oldest->nth)
            oldest = s;
    }
    send_away(oldest);
    return oldest;
}

void line_conns_add(struct line_conns *c, const struct gate_msg *m)
{
    const struct mext_open *o = &m->u.join;
    struct line_stranger *s;

    if (!c->open || o->count != c->n || c->conn[o->index].fd >= 0) {
        close(m->fd);
        return;
    }
    s = place(c);
    *s = (struct line_stranger){ .fd = m->fd,
                                 .nth = c->seen++,
                                 .until = mext_now_ms() + HERE_MS,
                                 .index = o->index };
}

/* HERE, by the source's key of that connection?  Then that key has opened it. */
static bool is_source(struct mext_conn *to, struct line_stranger *s)
{
    struct mext_seal key = to->rx;
    uint8_t *body = s->in + MEXT_FRAME_HDR_LEN;
    bool good = !mext_frame_open(&key, body,
                                 LINE_HERE_LEN - MEXT_FRAME_HDR_LEN) &&
                *body == MEXT_CTL_HERE;

    if (good)
        to->rx = key;
    mext_wipe(&key, sizeof(key));
    return good;
}

/* Its first frame is whole. */
static void judge(struct line_conns *c, struct line_stranger *s)
{
    struct mext_ctl joined = { .type = MEXT_CTL_JOINED };
    struct mext_conn *to = &c->conn[s->index];
    struct mext_why quiet;

    if (to->fd >= 0 || !is_source(to, s)) {
        send_away(s);
        return;
    }
    to->fd = s->fd;
    s->fd = -1;
    /* One that takes nothing is found to be lost when it is read. */
    mext_conn_send(to, &joined, 0, &quiet);
}

void line_conns_hear(struct line_conns *c, unsigned i)
{
    struct line_stranger *s = &c->stranger[i];
    struct mext_why quiet;
    int n;

    if (s->fd < 0)
        return;
    n = mext_net_take(s->fd, s->in + s->have, LINE_HERE_LEN - s->have, &quiet);
    if (n > 0)
        s->have += (size_t)n;
    if (n < 0 || (s->have >= MEXT_FRAME_HDR_LEN &&
                  mext_load32(s->in) != LINE_HERE_LEN - MEXT_FRAME_HDR_LEN))
        send_away(s);
    else if (s->have == LINE_HERE_LEN)
        judge(c, s);
}

int line_conns_wait(struct line_conns *c)
{
    uint64_t now = mext_now_ms(), next = UINT64_MAX;

    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++) {
        struct line_stranger *s = &c->stranger[i];

        if (s->fd < 0)
            continue;
        if (s->until <= now)
            send_away(s);
        else if (s->until < next)
            next = s->until;
    }
    return next == UINT64_MAX ? -1 : (int)(next - now);
}

void line_conns_settle(struct line_conns *c)
{
    c->open = false;
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        send_away(&c->stranger[i]);
    for (unsigned i = 1; i < c->n; i++)
        mext_conn_close(&c->conn[i]);
}
