/* SPDX-License-Identifier: LGPL-2.1-only */
/* JSON as it comes: each value with its path, as in "disks[0].vdev". */
#include <stdio.h>
#include <stdlib.h>

#include <yajl/yajl_parse.h>

#include "stream_priv.h"

#define DEPTH_MAX 32

struct level {
    bool array;
    unsigned long next; /* number of an array's next element */
    size_t len;         /* of the path here */
};

struct stream_json {
    stream_json_fn *value;
    void *arg;
    yajl_handle yajl;
    unsigned depth;
    bool object; /* the outermost is one */
    struct level level[DEPTH_MAX];
    char path[STREAM_PATH_MAX + 1];
};

static struct level *inner(struct stream_json *j)
{
    return &j->level[j->depth - 1];
}

/* What follows path[len]; too long a path is cut. */
static void extend(struct stream_json *j, size_t len, const char *text)
{
    snprintf(j->path + len, sizeof(j->path) - len, "%s", text);
}

/* A value begins: an element of an array gets its number. */
static void at_value(struct stream_json *j)
{
    struct level *l = j->depth ? inner(j) : NULL;
    char number[32];

    if (!l || !l->array)
        return;
    snprintf(number, sizeof(number), "[%lu]", l->next++);
    extend(j, l->len, number);
}

static int tell(struct stream_json *j, const char *value, size_t n)
{
    if (!j->depth)
        return 0;
    at_value(j);
    if (j->value)
        j->value(j->arg, j->path, value, n);
    return 1;
}

static int on_null(void *arg)
{
    return tell(arg, "null", 4);
}

static int on_boolean(void *arg, int v)
{
    return v ? tell(arg, "true", 4) : tell(arg, "false", 5);
}

static int on_number(void *arg, const char *text, size_t n)
{
    return tell(arg, text, n);
}

static int on_string(void *arg, const unsigned char *text, size_t n)
{
    return tell(arg, (const char *)text, n);
}

static int enter(struct stream_json *j, bool array)
{
    if (j->depth == DEPTH_MAX || (!j->depth && array))
        return 0;
    at_value(j);
    j->object = true;
    j->level[j->depth++] = (struct level){ .array = array,
                                           .len = strlen(j->path) };
    return 1;
}

static int leave(void *arg)
{
    struct stream_json *j = arg;

    j->depth--;
    return 1;
}

static int on_map(void *arg)
{
    return enter(arg, false);
}

static int on_array(void *arg)
{
    return enter(arg, true);
}

static int on_key(void *arg, const unsigned char *key, size_t n)
{
    struct stream_json *j = arg;
    size_t len = inner(j)->len;
    char text[STREAM_PATH_MAX + 1];

    stream_printable(text, sizeof(text), key, n);
    if (len) {
        extend(j, len, ".");
        len = strlen(j->path);
    }
    extend(j, len, text);
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = leave,
    .yajl_start_array = on_array,
    .yajl_end_array = leave,
};

struct stream_json *stream_json_open(stream_json_fn *value, void *arg)
{
    struct stream_json *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->value = value;
    j->arg = arg;
    j->yajl = yajl_alloc(&callbacks, NULL, j);
    if (j->yajl)
        return j;
    free(j);
    return NULL;
}

int stream_json_feed(struct stream_json *j, const void *p, size_t n)
{
    return yajl_parse(j->yajl, p, n) == yajl_status_ok ? 0 : -1;
}

int stream_json_close(struct stream_json *j)
{
    int rc = yajl_complete_parse(j->yajl) == yajl_status_ok && j->object;

    yajl_free(j->yajl);
    free(j);
    return rc ? 0 : -1;
}
