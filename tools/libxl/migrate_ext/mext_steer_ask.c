/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_monitor.h"
#include "mext_net.h"

int mext_steer_path(const char *dir, const uint8_t id[MEXT_ID_LEN],
                    enum mext_side side, char out[MEXT_STEER_PATH_LEN],
                    struct mext_why *why)
{
    char hex[2 * MEXT_ID_LEN + 1];
    int n;

    sodium_bin2hex(hex, sizeof(hex), id, MEXT_ID_LEN);
    n = snprintf(out, MEXT_STEER_PATH_LEN, "%s/%s.%s", dir, hex,
                 mext_side_name(side));
    return n < MEXT_STEER_PATH_LEN
               ? 0
               : mext_fail(why, "%s is too long a name", dir);
}

/* Calls fn with each whole line of buf; true as soon as it does not want more. */
static bool each_line(char *buf, size_t *n, mext_line_fn *fn, void *arg)
{
    char *at = buf, *end;

    while ((end = memchr(at, '\n', *n))) {
        *n -= (size_t)(end + 1 - at);
        if (fn(arg, at, (size_t)(end - at)))
            return true;
        at = end + 1;
    }
    memmove(buf, at, *n);
    return false;
}

static int listen_to(int fd, unsigned timeout_ms, mext_line_fn *fn, void *arg,
                     struct mext_why *why)
{
    char buf[MEXT_MONITOR_LINE_MAX];
    size_t n = 0;

    for (;;) {
        ssize_t k = recv(fd, buf + n, sizeof(buf) - n, MSG_DONTWAIT);

        if (k == 0 || (k < 0 && errno == ECONNRESET))
            return 0;
        if (k > 0) {
            n += (size_t)k;
            if (each_line(buf, &n, fn, arg))
                return 0;
            if (n == sizeof(buf))
                return mext_fail(why, "the migration's line is too long");
        } else if (errno != EAGAIN && errno != EINTR)
            return mext_fail(why, "connection lost: %s", strerror(errno));
        else if (mext_net_wait(&fd, 1, timeout_ms, why) < 0)
            return -1;
    }
}

int mext_steer_ask(const char *dir, const uint8_t id[MEXT_ID_LEN],
                   enum mext_side side, const char *command,
                   unsigned timeout_ms, mext_line_fn *fn, void *arg,
                   struct mext_why *why)
{
    struct iovec v[2] = { { NULL, 0 }, { "\n", 1 } };
    char path[MEXT_STEER_PATH_LEN];
    struct mext_why lost;
    int fd, rc;

    if (mext_steer_path(dir, id, side, path, why) ||
        mext_net_connect_unix(path, &fd, why))
        return -1;
    /* one that cannot be sent: whoever closed has said why */
    if (command) {
        v[0] = (struct iovec){ (char *)command, strlen(command) };
        mext_net_send(fd, v, 2, timeout_ms, &lost);
    }
    rc = listen_to(fd, timeout_ms, fn, arg, why);
    close(fd);
    return rc;
}
