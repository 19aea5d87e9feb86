/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen.h"

struct node {
    struct node *next;
    char path[IMAGE_PATH_MAX];
    uint32_t len;
    uint8_t *value;
};

static struct node *nodes;

static struct node *find(const char *path)
{
    for (struct node *n = nodes; n; n = n->next)
        if (!strcmp(n->path, path))
            return n;
    return NULL;
}

static bool below(const char *path, const char *top)
{
    size_t n = strlen(top);

    return !strncmp(path, top, n) && path[n] == '/';
}

static struct node *make(const char *path)
{
    struct node *n = calloc(1, sizeof(*n));

    if (!n)
        abort();
    snprintf(n->path, sizeof(n->path), "%s", path);
    n->next = nodes;
    nodes = n;
    return n;
}

static void put(struct node *n, const void *value, uint32_t len)
{
    free(n->value);
    n->value = malloc(len + 1);
    if (!n->value)
        abort();
    memcpy(n->value, value, len);
    n->len = len;
}

static void make_above(const char *path)
{
    char above[IMAGE_PATH_MAX], *slash;

    snprintf(above, sizeof(above), "%s", path);
    while ((slash = strrchr(above, '/')) && slash != above) {
        *slash = 0;
        if (!find(above))
            put(make(above), "", 0);
    }
}

void store_write(const char *path, const void *value, uint32_t len)
{
    struct node *n = find(path);

    make_above(path);
    put(n ? n : make(path), value, len);
    clients_fire(path);
}

void store_print(const char *path, const char *value)
{
    store_write(path, value, (uint32_t)strlen(value));
}

bool store_read(const char *path, struct image_msg *m_r)
{
    struct node *n = find(path);

    if (!n || n->len > sizeof(m_r->data))
        return false;
    m_r->len = n->len;
    memcpy(m_r->data, n->value, n->len);
    return true;
}

void store_remove(const char *path)
{
    char top[IMAGE_PATH_MAX];

    snprintf(top, sizeof(top), "%s", path);
    for (struct node **at = &nodes; *at;) {
        struct node *n = *at;

        if (strcmp(n->path, top) && !below(n->path, top)) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        free(n->value);
        free(n);
    }
    clients_fire(top);
}

bool store_directory(struct image_msg *m)
{
    size_t top = strlen(m->path);

    m->a = m->len = 0;
    for (struct node *n = nodes; n; n = n->next) {
        const char *name = n->path + top + 1;
        size_t len;

        if (!below(n->path, m->path) || strchr(name, '/'))
            continue;
        len = strlen(name) + 1;
        if (len > sizeof(m->data) - m->len)
            return false;
        memcpy(m->data + m->len, name, len);
        m->len += (uint32_t)len;
        m->a++;
    }
    return m->a || find(m->path);
}

bool store_nth(uint64_t i, struct image_msg *m_r)
{
    struct node *n = nodes;

    while (n && i--)
        n = n->next;
    if (!n)
        return false;
    memcpy(m_r->path, n->path, sizeof(m_r->path));
    m_r->len = n->len;
    memcpy(m_r->data, n->value, n->len);
    return true;
}
