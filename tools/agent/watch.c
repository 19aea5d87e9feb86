/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One watch, asked of the kernel itself: xen/include/public/io/xs_wire.h.
 * Without its thread, as in a static program, libxenstore takes a watch's first
 * event for the answer to the request, and has no descriptor to poll.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#include "watch.h"

#define DEVICE "/dev/xen/xenbus"

static int ask(int fd, const char *path)
{
    char m[sizeof(struct xsd_sockmsg) + XENSTORE_REL_PATH_MAX + 2] = { 0 };
    struct xsd_sockmsg h = { .type = XS_WATCH };
    size_t n = strlen(path), size;

    if (n > XENSTORE_REL_PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    h.len = (uint32_t)(n + 2); /* its end, and an empty token's */
    size = sizeof(h) + h.len;
    memcpy(m, &h, sizeof(h));
    memcpy(m + sizeof(h), path, n);
    return write(fd, m, size) == (ssize_t)size ? 0 : -1;
}

static int read_all(int fd, void *p, size_t n)
{
    char *at = p;

    while (n) {
        ssize_t r = read(fd, at, n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return -1;
        at += r;
        n -= (size_t)r;
    }
    return 0;
}

/* The answer may come after the first event. */
static int wait_answer(int fd)
{
    char body[XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg h;

    do {
        if (read_all(fd, &h, sizeof(h)) || h.len > sizeof(body) ||
            read_all(fd, body, h.len))
            return -1;
    } while (h.type == XS_WATCH_EVENT);
    if (h.type == XS_WATCH)
        return 0;
    errno = EIO;
    return -1;
}

int watch_open(const char *path)
{
    int fd = open(DEVICE, O_RDWR | O_CLOEXEC), saved;

    if (fd < 0)
        return -1;
    if (!ask(fd, path) && !wait_answer(fd) && !fcntl(fd, F_SETFL, O_NONBLOCK))
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

bool watch_fired(int fd)
{
    char some[256];
    bool any = false;

    while (read(fd, some, sizeof(some)) > 0)
        any = true;
    return any;
}
