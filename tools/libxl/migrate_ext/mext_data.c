/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mext_data.h"

#define SEALED_PAGE (MEXT_PAGE_SIZE + MEXT_TAG_LEN)
#define OUT_LEN \
    (MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX + \
     MEXT_PAGES_DATA_MAX * SEALED_PAGE)

int mext_channel_open(struct mext_channel *c, uint32_t ip, uint16_t port,
                      const struct mext_open *open,
                      const struct mext_root *root, unsigned timeout_ms,
                      struct mext_why *why)
{
    uint8_t hello[MEXT_OPEN_LEN];
    struct iovec v = { hello, sizeof(hello) };

    memset(c, 0, sizeof(*c));
    c->fd = -1;
    c->out = malloc(OUT_LEN);
    if (!c->out)
        return mext_fail(why, "out of memory");
    if (mext_open_encode(open, hello) ||
        mext_net_connect_ip4(ip, port, timeout_ms, &c->fd, why) ||
        mext_net_send(c->fd, &v, 1, timeout_ms, why)) {
        mext_channel_close(c);
        return -1;
    }
    c->sent = sizeof(hello);
    mext_seal_init(&c->tx, root, MEXT_DIR_TO_DEST, open->index);
    mext_seal_init(&c->rx, root, MEXT_DIR_TO_SOURCE, open->index);
    return 0;
}

void mext_channel_close(struct mext_channel *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->out);
    mext_wipe(c, sizeof(*c));
    c->fd = -1;
}

/* A channel that broke may hold mstrap's reason: prefer that to "reset". */
static int send_out(struct mext_channel *c, size_t len, unsigned timeout_ms,
                    struct mext_why *why)
{
    struct iovec v = { c->out, len };
    struct mext_why reason;
    struct mext_data m;

    if (!mext_net_send_timed(c->fd, &v, 1, timeout_ms, &c->blocked_us, why)) {
        mext_count_add(&c->sent, len);
        return 0;
    }
    while (!mext_channel_recv(c, &m, 0, &reason))
        continue;
    if (strstr(reason.text, "mstrap: "))
        *why = reason;
    return -1;
}

static int seal_header(struct mext_channel *c, const struct mext_data *m,
                       size_t *len_r, struct mext_why *why)
{
    struct mext_buf b;

    mext_buf_init(&b, c->out + MEXT_FRAME_HDR_LEN,
                  MEXT_DATA_BODY_MAX - MEXT_TAG_LEN);
    if (mext_data_encode(m, &b) ||
        mext_frame_seal(&c->tx, c->out, b.pos, MEXT_DATA_BODY_MAX, len_r))
        return mext_fail(why, "data message 0x%02x cannot be sealed", m->type);
    return 0;
}

int mext_channel_send(struct mext_channel *c, const struct mext_data *m,
                      unsigned timeout_ms, struct mext_why *why)
{
    size_t len;

    if (seal_header(c, m, &len, why))
        return -1;
    return send_out(c, len, timeout_ms, why);
}

int mext_channel_pages(struct mext_channel *c, const struct mext_data *m,
                       const uint8_t *const *page, unsigned timeout_ms,
                       struct mext_why *why)
{
    unsigned zero = 0;
    size_t len;

    if (seal_header(c, m, &len, why))
        return -1;
    for (unsigned i = 0; i < m->u.pages.ndata; i++) {
        if (!m->u.pages.len[i]) /* of a batch, behind its last piece */
            continue;
        if (mext_page_seal(&c->tx, c->out + len, page[i], m->u.pages.len[i]))
            return mext_fail(why, "the channel's key is used up");
        len += m->u.pages.len[i] + MEXT_TAG_LEN;
    }
    for (unsigned i = 0; i < m->u.pages.span; i++)
        zero += mext_map_get(m->u.pages.map, i) == MEXT_MAP_ZERO;
    mext_count_add(&c->data, m->u.pages.ndata);
    mext_count_add(&c->zero, zero);
    return send_out(c, len, timeout_ms, why);
}

int mext_channel_recv(struct mext_channel *c, struct mext_data *m_r,
                      unsigned timeout_ms, struct mext_why *why)
{
    uint8_t buf[MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX];
    uint8_t *body = buf + MEXT_FRAME_HDR_LEN;
    int len;

    if (mext_net_recv(c->fd, buf, MEXT_FRAME_HDR_LEN, timeout_ms, why))
        return -1;
    len = mext_frame_len(buf, MEXT_DATA_BODY_MAX);
    if (len < 0)
        return mext_fail(why, "frame length out of bounds");
    if (mext_net_recv(c->fd, body, (size_t)len, timeout_ms, why))
        return -1;
    c->received += MEXT_FRAME_HDR_LEN + (uint64_t)len;
    if (mext_frame_open(&c->rx, body, (size_t)len))
        return mext_fail(why, "a frame from mstrap does not open");
    if (mext_data_decode(body, (size_t)len - MEXT_TAG_LEN, m_r))
        return mext_fail(why, "malformed data message");
    if (m_r->type == MEXT_DATA_ERROR)
        return mext_fail(why, "mstrap: %s: %s", mext_reason(m_r->u.error.code),
                         m_r->u.error.text);
    return 0;
}
