/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_store.h over the image back-end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "mext_net.h"
#include "mext_store.h"

#define FIRED_MAX 1024
#define TOKEN_MAX 256

struct mext_store {
    struct image_conn *conn;
};

int mext_store_open(struct mext_store **s_r, struct mext_why *why)
{
    struct mext_store *s = calloc(1, sizeof(*s));

    if (s)
        s->conn = image_open(NULL);
    if (!s || !s->conn) {
        free(s);
        return mext_fail(why, "cannot reach xenstore: %s", strerror(errno));
    }
    *s_r = s;
    return 0;
}

void mext_store_close(struct mext_store *s)
{
    if (!s)
        return;
    image_close(s->conn);
    free(s);
}

/* A call about one node. */
static int call(struct mext_store *s, struct image_msg *m, enum image_op op,
                uint32_t domid, const char *path, const char *value)
{
    m->op = op;
    m->domid = domid;
    m->len = (uint32_t)strlen(value);
    if (m->len > sizeof(m->data))
        return -1;
    snprintf(m->path, sizeof(m->path), "/local/domain/%u/%s", domid, path);
    memcpy(m->data, value, m->len);
    return image_call(s->conn, m);
}

int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max)
{
    struct image_msg m;

    if (call(s, &m, IMAGE_READ, domid, path, "") || m.len >= max ||
        memchr(m.data, 0, m.len))
        return -1;
    memcpy(out, m.data, m.len);
    out[m.len] = 0;
    return (int)m.len;
}

int mext_store_write(struct mext_store *s, uint32_t domid, const char *path,
                     const char *value, struct mext_why *why)
{
    struct image_msg m;

    if (call(s, &m, IMAGE_WRITE, domid, path, value))
        return mext_fail(why, "cannot write %s", path);
    return 0;
}

void mext_store_remove(struct mext_store *s, uint32_t domid, const char *path)
{
    struct image_msg m;

    call(s, &m, IMAGE_REMOVE, domid, path, "");
}

bool mext_store_has(struct mext_store *s, uint32_t domid, const char *path)
{
    struct image_msg m;

    return !call(s, &m, IMAGE_READ, domid, path, "");
}

int mext_store_tell(struct mext_store *s, uint32_t domid, const char *path,
                    const char *value, struct mext_why *why)
{
    struct image_msg m;

    if (call(s, &m, IMAGE_TELL, domid, path, value))
        return mext_fail(why, "cannot write %s: domain %u is gone", path,
                         domid);
    return 0;
}

unsigned mext_store_domains(struct mext_store *s, uint32_t *out, unsigned max)
{
    struct image_msg m = { .op = IMAGE_DOMAINS };
    unsigned n;

    if (image_call(s->conn, &m))
        return 0;
    n = m.len / sizeof(*out);
    n = n < max ? n : max;
    memcpy(out, m.data, n * sizeof(*out));
    return n;
}

bool mext_store_empty(struct mext_store *s, uint32_t domid, const char *path)
{
    struct image_msg m;

    return call(s, &m, IMAGE_UNDER, domid, path, "") || !m.a;
}

int mext_store_watch_as(struct mext_store *s, const char *path,
                        const char *token, struct mext_why *why)
{
    if (image_watch(s->conn, path, token))
        return mext_fail(why, "cannot watch %s", path);
    return 0;
}

int mext_store_watch(struct mext_store *s, const char *path,
                     struct mext_why *why)
{
    return mext_store_watch_as(s, path, "mext", why);
}

void mext_store_unwatch(struct mext_store *s, const char *path,
                        const char *token)
{
    struct image_msg m = { .op = IMAGE_UNWATCH,
                           .len = (uint32_t)strlen(token) };

    snprintf(m.path, sizeof(m.path), "%s", path);
    memcpy(m.data, token, m.len);
    image_call(s->conn, &m);
}

/* True if one has fired; tells of all that have. */
static bool take_fired(struct mext_store *s, mext_fired_fn *fired, void *arg)
{
    char token[TOKEN_MAX];
    unsigned n = 0;

    while (n < FIRED_MAX && image_event(s->conn, token, sizeof(token))) {
        n++;
        if (fired)
            fired(arg, token);
    }
    return n;
}

int mext_store_wait_each(struct mext_store *s, int also, unsigned timeout_ms,
                         mext_fired_fn *fired, void *arg, struct mext_why *why)
{
    int fds[2] = { image_fd(s->conn), also };
    uint64_t end = mext_now_ms() + timeout_ms;

    while (!take_fired(s, fired, arg)) {
        uint64_t now = mext_now_ms();
        struct mext_why quiet;
        int i;

        if (now >= end)
            return 0;
        i = mext_net_wait(fds, 2, (unsigned)(end - now), &quiet);
        if (i < 0 && mext_now_ms() >= end)
            return 0;
        if (i < 0) {
            *why = quiet;
            return -1;
        }
        if (i == 1)
            return 2;
    }
    return 1;
}

int mext_store_wait(struct mext_store *s, int also, unsigned timeout_ms,
                    struct mext_why *why)
{
    return mext_store_wait_each(s, also, timeout_ms, NULL, NULL, why);
}
