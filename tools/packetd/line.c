/* SPDX-License-Identifier: GPL-2.0-only */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "door.h"
#include "line_conns.h"
#include "mext_chunk.h"
#include "mext_pieces.h"
#include "packetd.h"

#define SEND_MS 30000

/* What is waited for: the session, who joins, connections, strangers. */
#define FIRST_CONN     2
#define FIRST_STRANGER (FIRST_CONN + MEXT_CHANNELS_MAX)
#define WAITS          (FIRST_STRANGER + LINE_STRANGERS_MAX)

enum { GO_ON, DONE, BROKEN };

static struct line {
    struct line_conns source;
    struct mext_conn session;
    struct mext_pieces pieces;
    struct mext_ctl
        kept[MEXT_CHANNELS_MAX]; /* until its turn, in that one's buffer */
    int joins;                   /* of the monitor's, -1: none */
} line;

/* Tells the session why there is nothing more to come. */
static int broken(unsigned code, const char *text)
{
    mext_conn_abort(&line.session, code, text);
    return BROKEN;
}

/* One of the session's; it is done when it hangs up. */
static int outward(void)
{
    struct mext_ctl m;
    struct mext_why why;
    unsigned code;
    bool aborts = mext_conn_recv(&line.session, &m, SEND_MS, &code, &why);

    if (aborts && !code)
        return DONE;
    /* Nobody joins before: it may answer this at once. */
    line.source.open |= m.type == MEXT_CTL_RECEIPT;
    if (mext_conn_send(&line.source.conn[0], &m, SEND_MS, &why))
        return broken(MEXT_E_LINK, why.text);
    return aborts ? DONE : GO_ON;
}

/* One of the source's.  A session that takes none has a last word. */
static int inward(const struct mext_ctl *m)
{
    struct mext_why why;

    if (!mext_conn_send(&line.session, m, SEND_MS, &why))
        return GO_ON;
    outward();
    return BROKEN;
}

/* ---- the stream ---- */

/* A piece of it, unpacked here, where that does least harm: as STREAM. */
static int pass(const uint8_t *bytes, uint32_t n, uint32_t len)
{
    static uint8_t room[MEXT_STREAM_MAX];
    struct mext_ctl m = { .type = MEXT_CTL_STREAM };

    if (n < len && mext_chunk_unpack(bytes, n, room, len))
        return broken(MEXT_E_LINK, "a piece of the stream does not unpack");
    m.u.stream.bytes = n < len ? room : bytes;
    m.u.stream.len = len;
    return inward(&m);
}

/* What was kept of connection i has its turn. */
static int go_on(unsigned i)
{
    const struct mext_ctl *m = &line.kept[i];

    if (m->type == MEXT_CTL_PIECE)
        return pass(m->u.piece.bytes, m->u.piece.n, m->u.piece.len);
    line_conns_settle(&line.source);
    return inward(m);
}

/* All that has its turn now. */
static int go_on_all(void)
{
    int rc = GO_ON, i;

    while (rc == GO_ON && (i = mext_pieces_turn(&line.pieces)) >= 0)
        rc = go_on((unsigned)i);
    if (rc == GO_ON && mext_pieces_stuck(&line.pieces))
        rc = broken(MEXT_E_MALFORMED, "a piece of the stream never came");
    return rc;
}

/* One of several connections' that is of the stream; m is kept until its turn. */
static int in_order(unsigned i, const struct mext_ctl *m)
{
    struct mext_pieces *p = &line.pieces;

    line.kept[i] = *m;
    if (m->type == MEXT_CTL_ENDED
            ? mext_pieces_end(p, i, m->u.ended.bytes)
            : mext_pieces_put(p, i, m->u.piece.number, m->u.piece.len))
        return broken(MEXT_E_MALFORMED, "a piece of the stream came twice, or "
                                        "after its end");
    return go_on_all();
}

/* ---- messages ---- */

/* Which of them a connection may bring: docs/specs/transport.md. */
static bool is_due(unsigned i, uint8_t type)
{
    switch (type) {
    case MEXT_CTL_PIECE:
        return line.source.n > 1;
    case MEXT_CTL_STREAM:
    case MEXT_CTL_PACKED:
        return line.source.n == 1;
    default:
        return i == 0;
    }
}

/* What connection i has of a message. */
static int hear(unsigned i)
{
    struct mext_ctl m;
    struct mext_why why;
    unsigned code;
    int r = mext_conn_take(&line.source.conn[i], &m, &code, &why);

    if (r == 0)
        return GO_ON;
    if (r < 0 && !code)
        return broken(MEXT_E_LINK, why.text);
    if (!is_due(i, m.type))
        return broken(MEXT_E_MALFORMED, "a message over the wrong connection");
    if (r < 0) {
        inward(&m);
        return BROKEN;
    }
    if (m.type == MEXT_CTL_PIECE ||
        (m.type == MEXT_CTL_ENDED && line.source.n > 1))
        return in_order(i, &m);
    return m.type == MEXT_CTL_PACKED
               ? pass(m.u.packed.bytes, m.u.packed.n, m.u.packed.len)
               : inward(&m);
}

/* Somebody joins, or the monitor has gone, and nobody will. */
static void hear_monitor(void)
{
    static struct gate_msg m;
    struct mext_why quiet;

    if (gate_recv(line.joins, &m, &quiet)) {
        line.joins = -1;
    } else if (m.type == GATE_JOIN) {
        line_conns_add(&line.source, &m);
    } else if (m.fd >= 0) {
        close(m.fd);
    }
}

/* Of a connection of which something is kept nothing is read. */
static void wait_for(struct pollfd *pf)
{
    for (unsigned i = 0; i < WAITS; i++)
        pf[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
    pf[0].fd = line.session.fd;
    pf[1].fd = line.joins;
    for (unsigned i = 0; i < line.source.n; i++)
        if (!mext_pieces_kept(&line.pieces, i))
            pf[FIRST_CONN + i].fd = line.source.conn[i].fd;
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        pf[FIRST_STRANGER + i].fd = line.source.stranger[i].fd;
}

static int relay(void)
{
    struct pollfd pf[WAITS];
    int rc = GO_ON;

    while (rc == GO_ON) {
        int wait_ms = line_conns_wait(&line.source);

        wait_for(pf);
        if (poll(pf, WAITS, wait_ms) < 0)
            continue;
        if (pf[0].revents)
            rc = outward();
        for (unsigned i = 0; i < line.source.n && rc == GO_ON; i++)
            if (pf[FIRST_CONN + i].revents && line.source.conn[i].fd >= 0)
                rc = hear(i);
        for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
            if (pf[FIRST_STRANGER + i].revents)
                line_conns_hear(&line.source, i);
        if (pf[1].revents)
            hear_monitor();
    }
    return rc == DONE ? 0 : 1;
}

/* Keys and buffers are made before the jail; nothing is read before it. */
int packetd_line(const struct jail_user *u)
{
    struct line_setup setup;
    struct mext_why why = { "out of memory" };
    int rc;

    if (read(GATE_FD, &setup, sizeof(setup)) != sizeof(setup) ||
        !setup.channels || setup.channels > MEXT_CHANNELS_MAX)
        return 1;
    line.pieces.n = setup.channels;
    line.joins = setup.channels > 1 ? GATE_JOINS_FD : -1;
    rc = line_conns_init(&line.source, setup.channels, GATE_TCP_FD,
                         &setup.root) ||
         mext_conn_init(&line.session, GATE_FD, NULL, false, 0) ||
         jail_enter(u, false, &why);
    mext_wipe(&setup.root, sizeof(setup.root)); /* all keys are made */
    if (rc)
        packetd_log("a connection is not served: %s", why.text);
    else if (!mext_net_send_plain(GATE_TCP_FD, setup.hello, sizeof(setup.hello),
                                  SEND_MS, &why))
        rc = relay();
    else
        rc = broken(MEXT_E_LINK, why.text);
    line_conns_close(&line.source);
    mext_conn_close(&line.session);
    return rc;
}
