/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mext_libxl.h"
#include "mext_net.h"
#include "restore.h"

#define ORDER_MS 10000
#define LOCK_FD  (GATE_TCP_FD + 1) /* the journal's: held as long as we live */
#define HELPER   "LIBXL_SAVE_HELPER=" MEXT_PKGLIBEXECDIR "/restore-helper"

/* ---- who starts it ---- */

static int give_order(int fd, const struct packetd *p, const char *json,
                      const uint8_t uuid[16], struct mext_why *why)
{
    struct restore_order o = { .verbosity = p->verbosity,
                               .json_len = (uint32_t)strlen(json) };
    struct iovec v[2] = { { &o, sizeof(o) }, { (void *)json, o.json_len } };

    memcpy(o.uuid, uuid, sizeof(o.uuid));
    return mext_net_send(fd, v, 2, ORDER_MS, why);
}

pid_t restore_start(const struct packetd *p, const char *json,
                    const uint8_t uuid[16], int lock, int *result_r,
                    int *stream_r, struct mext_why *why)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char helper[] = HELPER;
    char *env[] = { path, helper, NULL };
    int order[2], stream[2];
    pid_t pid = -1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, order))
        return mext_fail(why, "socketpair: %s", strerror(errno));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream)) {
        close(order[0]);
        close(order[1]);
        return mext_fail(why, "socketpair: %s", strerror(errno));
    }
    shutdown(stream[0], SHUT_RD);
    pid = packetd_part(p, RESTORE_WORD, env,
                       (int[]){ order[1], stream[1], lock }, 3, why);
    close(order[1]);
    close(stream[1]);
    if (pid > 0 && !give_order(order[0], p, json, uuid, why)) {
        *result_r = order[0];
        *stream_r = stream[0];
        return pid;
    }
    close(order[0]); /* it ends by itself then */
    close(stream[0]);
    return -1;
}

/* ---- the program ---- */

static char *take_order(struct restore_order *o_r, struct mext_why *why)
{
    char *json;

    if (mext_net_recv(GATE_FD, o_r, sizeof(*o_r), ORDER_MS, why))
        return NULL;
    if (o_r->json_len > MEXT_CONFIG_JSON_MAX * 2 ||
        !(json = calloc(1, o_r->json_len + 1))) {
        mext_fail(why, "no room for the configuration");
        return NULL;
    }
    if (!mext_net_recv(GATE_FD, json, o_r->json_len, ORDER_MS, why))
        return json;
    free(json);
    return NULL;
}

int packetd_restore(void)
{
    struct restore_result r = { .domid = 0 };
    struct restore_order o;
    struct mext_lxl *l;
    uint32_t domid;
    char *json;

    signal(SIGPIPE, SIG_IGN);
    /* Not for the device model, which outlives us; libxl's helper gets its own. */
    fcntl(GATE_FD, F_SETFD, FD_CLOEXEC);
    fcntl(GATE_TCP_FD, F_SETFD, FD_CLOEXEC);
    fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC);
    json = take_order(&o, &r.why);
    if (json && !mext_lxl_open(o.verbosity, &l, &r.why)) {
        if (!mext_lxl_restore(l, json, o.uuid, GATE_TCP_FD, &domid, &r.why))
            r.domid = domid;
        mext_lxl_close(l);
    }
    free(json);
    if (send(GATE_FD, &r, sizeof(r), MSG_NOSIGNAL) != sizeof(r))
        packetd_log("nobody waits for what was restored: %s",
                    r.domid ? "it stays paused" : r.why.text);
    return r.domid ? 0 : 1;
}
