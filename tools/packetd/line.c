/* SPDX-License-Identifier: GPL-2.0-only */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "door.h"
#include "mext_chunk.h"
#include "packetd.h"

#define SEND_MS 30000

enum { GO_ON, DONE, BROKEN };

/* Tells the session why there is nothing more to come. */
static int broken(struct mext_conn *session, const struct mext_why *why)
{
    mext_conn_abort(session, MEXT_E_LINK, why->text);
    return BROKEN;
}

/* One of the session's; it is done when it hangs up. */
static int outward(struct mext_conn *source, struct mext_conn *session)
{
    struct mext_ctl m;
    struct mext_why why;
    unsigned code;
    bool aborts = mext_conn_recv(session, &m, SEND_MS, &code, &why);

    if (aborts && !code)
        return DONE;
    if (mext_conn_send(source, &m, SEND_MS, &why))
        return broken(session, &why);
    return aborts ? DONE : GO_ON;
}

/* A piece of a stream is unpacked here, where it does least harm. */
static bool unpack(struct mext_ctl *m)
{
    static uint8_t room[MEXT_STREAM_MAX];
    uint32_t len = m->u.packed.len;

    if (mext_chunk_unpack(m->u.packed.bytes, m->u.packed.n, room, len))
        return false;
    m->type = MEXT_CTL_STREAM;
    m->u.stream.bytes = room;
    m->u.stream.len = len;
    return true;
}

/* One message of the source's.  A session that takes none has a last word. */
static int inward(struct mext_conn *source, struct mext_conn *session)
{
    struct mext_ctl m;
    struct mext_why why;
    unsigned code;
    bool aborts = mext_conn_recv(source, &m, SEND_MS, &code, &why);

    if (aborts && !code)
        return broken(session, &why);
    if (m.type == MEXT_CTL_PACKED && !unpack(&m)) {
        mext_fail(&why, "a piece of the stream does not unpack");
        return broken(session, &why);
    }
    if (mext_conn_send(session, &m, SEND_MS, &why)) {
        outward(source, session);
        return BROKEN;
    }
    return aborts ? BROKEN : GO_ON;
}

static int relay(struct mext_conn *source, struct mext_conn *session)
{
    struct pollfd pf[2] = { { .fd = session->fd, .events = POLLIN },
                            { .fd = source->fd, .events = POLLIN } };
    int rc = GO_ON;

    while (rc == GO_ON) {
        if (poll(pf, 2, -1) < 0)
            continue;
        if (pf[0].revents)
            rc = outward(source, session);
        if (rc == GO_ON && pf[1].revents)
            rc = inward(source, session);
    }
    return rc == DONE ? 0 : 1;
}

/* Keys and buffers are made before the jail; nothing is read before it. */
int packetd_line(const struct jail_user *u)
{
    struct mext_conn source = { .fd = -1 }, session = { .fd = -1 };
    struct line_setup setup;
    struct mext_why why = { "out of memory" };
    int rc = 1;

    if (read(GATE_FD, &setup, sizeof(setup)) != sizeof(setup))
        return 1;
    if (mext_conn_init(&source, GATE_TCP_FD, &setup.root, false) ||
        mext_conn_init(&session, GATE_FD, NULL, false) ||
        jail_enter(u, false, &why))
        packetd_log("a connection is not served: %s", why.text);
    else if (!mext_net_send_plain(GATE_TCP_FD, setup.hello, sizeof(setup.hello),
                                  SEND_MS, &why))
        rc = relay(&source, &session);
    else
        broken(&session, &why);
    mext_wipe(&setup, sizeof(setup));
    mext_conn_close(&source);
    mext_conn_close(&session);
    return rc;
}
