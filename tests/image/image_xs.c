/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libxenstore's functions over the image back-end, as many as mext_store.c calls:
 * that file is the product's, whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "image.h"

#define TOKEN_MAX 256

struct xs_handle {
    struct image_conn *conn;
};

struct xs_handle *xs_open(unsigned long flags)
{
    struct xs_handle *h = calloc(1, sizeof(*h));

    if (h)
        h->conn = image_open(NULL);
    if (!h || !h->conn) {
        free(h);
        return NULL;
    }
    return h;
}

void xs_close(struct xs_handle *h)
{
    image_close(h->conn);
    free(h);
}

int xs_fileno(struct xs_handle *h)
{
    return image_fd(h->conn);
}

/* m->op about a path, with len octets; false and errno. */
static bool call(struct xs_handle *h, struct image_msg *m, const char *path,
                 const void *data, size_t len)
{
    if (strlen(path) >= sizeof(m->path) || len > sizeof(m->data)) {
        errno = E2BIG;
        return false;
    }
    strcpy(m->path, path);
    memcpy(m->data, data, len);
    m->len = (uint32_t)len;
    errno = ENOENT; /* what there is to fail */
    return !image_call(h->conn, m);
}

/*
 * A transaction is one write, which comes to nothing if its domain is gone
 * (mext_store_tell); nor is anything between it and a read before it
 * (mext_store_replace) kept out.
 */
xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    return XBT_NULL + 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    return true;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
              unsigned *len)
{
    struct image_msg m = { .op = IMAGE_READ };
    char *value = NULL;

    if (call(h, &m, path, "", 0))
        value = malloc(m.len + 1);
    if (!value)
        return NULL;
    memcpy(value, m.data, m.len);
    value[m.len] = 0;
    *len = m.len;
    return value;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
              const void *data, unsigned len)
{
    struct image_msg m = { .op = IMAGE_WRITE };

    if (t != XBT_NULL && sscanf(path, "/local/domain/%u/", &m.domid) == 1)
        m.op = IMAGE_TELL;
    return call(h, &m, path, data, len);
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    struct image_msg m = { .op = IMAGE_REMOVE };

    return call(h, &m, path, "", 0);
}

/* The names right below path: a list and its texts in one piece. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
                    unsigned *num)
{
    struct image_msg m = { .op = IMAGE_DIRECTORY };
    char *texts;
    char **list;

    if (!call(h, &m, path, "", 0))
        return NULL;
    *num = (unsigned)m.a;
    list = malloc(*num * sizeof(*list) + m.len);
    if (!list)
        return NULL;
    texts = (char *)(list + *num);
    memcpy(texts, m.data, m.len);
    for (unsigned i = 0; i < *num; i++, texts += strlen(texts) + 1)
        list[i] = texts;
    return list;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
    return !image_watch(h->conn, path, token);
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
    struct image_msg m = { .op = IMAGE_UNWATCH };

    return call(h, &m, path, token, strlen(token));
}

/* Who asks looks at the token only. */
char **xs_check_watch(struct xs_handle *h)
{
    char token[TOKEN_MAX];
    char **w;

    if (!image_event(h->conn, token, sizeof(token)))
        return NULL;
    w = malloc(2 * sizeof(*w) + sizeof(token));
    if (!w)
        abort();
    w[XS_WATCH_TOKEN] = strcpy((char *)(w + 2), token);
    w[XS_WATCH_PATH] = w[XS_WATCH_TOKEN] + strlen(token);
    return w;
}
