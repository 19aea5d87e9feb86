/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "mext_net.h"
#include "mext_store.h"

#define PATH_LEN 256
#define TRIES    20 /* of a transaction that another came between */

struct mext_store {
    struct xs_handle *xs;
};

int mext_store_open(struct mext_store **s_r, struct mext_why *why)
{
    struct mext_store *s = calloc(1, sizeof(*s));

    if (s)
        s->xs = xs_open(0);
    if (!s || !s->xs) {
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
    xs_close(s->xs);
    free(s);
}

static const char *full(char out[PATH_LEN], uint32_t domid, const char *path)
{
    snprintf(out, PATH_LEN, "/local/domain/%u/%s", domid, path);
    return out;
}

int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max)
{
    char p[PATH_LEN];
    unsigned len;
    char *v = xs_read(s->xs, XBT_NULL, full(p, domid, path), &len);
    int rc = -1;

    if (v && len < max && !memchr(v, 0, len)) {
        memcpy(out, v, len);
        out[len] = 0;
        rc = (int)len;
    }
    free(v);
    return rc;
}

int mext_store_write(struct mext_store *s, uint32_t domid, const char *path,
                     const char *value, struct mext_why *why)
{
    char p[PATH_LEN];

    if (!xs_write(s->xs, XBT_NULL, full(p, domid, path), value,
                  (unsigned)strlen(value)))
        return mext_fail(why, "cannot write %s: %s", p, strerror(errno));
    return 0;
}

void mext_store_remove(struct mext_store *s, uint32_t domid, const char *path)
{
    char p[PATH_LEN];

    xs_rm(s->xs, XBT_NULL, full(p, domid, path));
}

int mext_store_there(struct mext_store *s, uint32_t domid, const char *path,
                     struct mext_why *why)
{
    char p[PATH_LEN];
    unsigned len;
    char *v = xs_read(s->xs, XBT_NULL, full(p, domid, path), &len);

    if (!v && errno != ENOENT)
        return mext_fail(why, "cannot read %s: %s", p, strerror(errno));
    free(v);
    return v ? 1 : 0;
}

bool mext_store_has(struct mext_store *s, uint32_t domid, const char *path)
{
    struct mext_why quiet;

    return mext_store_there(s, domid, path, &quiet) > 0;
}

/* Ends t: 1 done, 0 to be tried again, -1 and why; path is for that. */
static int end_it(struct mext_store *s, xs_transaction_t t, const char *path,
                  struct mext_why *why)
{
    if (xs_transaction_end(s->xs, t, false))
        return 1;
    if (errno == EAGAIN)
        return 0;
    return mext_fail(why, "cannot write %s: %s", path, strerror(errno));
}

/* As end_it; *same_r: it was `from`, without which nothing is written. */
static int try_replace(struct mext_store *s, uint32_t domid, const char *path,
                       const char *from, const char *to, bool *same_r,
                       struct mext_why *why)
{
    xs_transaction_t t = xs_transaction_start(s->xs);
    char p[PATH_LEN], *now;
    unsigned len = 0;

    if (t == XBT_NULL)
        return mext_fail(why, "no transaction: %s", strerror(errno));
    now = xs_read(s->xs, t, full(p, domid, path), &len);
    *same_r = now && len == strlen(from) && !memcmp(now, from, len);
    free(now);
    if (*same_r && !xs_write(s->xs, t, p, to, (unsigned)strlen(to))) {
        mext_fail(why, "cannot write %s: %s", p, strerror(errno));
        xs_transaction_end(s->xs, t, true);
        return -1;
    }
    return end_it(s, t, p, why);
}

int mext_store_replace(struct mext_store *s, uint32_t domid, const char *path,
                       const char *from, const char *to, struct mext_why *why)
{
    bool same = false;
    int r, tries = TRIES;

    do
        r = try_replace(s, domid, path, from, to, &same, why);
    while (r == 0 && --tries);
    if (r == 0)
        mext_fail(why, "cannot write to domain %u: xenstore is busy", domid);
    return r == 1 ? same : -1;
}

/* As end_it. */
static int try_tell(struct mext_store *s, uint32_t domid, const char *path,
                    const char *value, struct mext_why *why)
{
    xs_transaction_t t = xs_transaction_start(s->xs);
    char p[PATH_LEN];
    unsigned len;
    char *name;
    bool ok;

    if (t == XBT_NULL)
        return mext_fail(why, "no transaction: %s", strerror(errno));
    name = xs_read(s->xs, t, full(p, domid, "name"), &len);
    ok = name && xs_write(s->xs, t, full(p, domid, path), value,
                          (unsigned)strlen(value));
    free(name);
    if (!ok) {
        mext_fail(why, "cannot write %s: %s", p, strerror(errno));
        xs_transaction_end(s->xs, t, true);
        return -1;
    }
    return end_it(s, t, p, why);
}

int mext_store_tell(struct mext_store *s, uint32_t domid, const char *path,
                    const char *value, struct mext_why *why)
{
    int r, tries = TRIES;

    do
        r = try_tell(s, domid, path, value, why);
    while (r == 0 && --tries);
    if (r == 0)
        mext_fail(why, "cannot write to domain %u: xenstore is busy", domid);
    return r == 1 ? 0 : -1;
}

/* Names below path that are numbers, `least` or more: how many; -1. */
static int numbers(struct mext_store *s, const char *path, uint32_t least,
                   uint32_t *out, unsigned max)
{
    unsigned n = 0, found = 0;
    char **list = xs_directory(s->xs, XBT_NULL, path, &n);

    if (!list)
        return errno == ENOENT ? 0 : -1;
    for (unsigned i = 0; i < n && found < max; i++) {
        char *end;
        unsigned long number = strtoul(list[i], &end, 10);

        if (!*end && number >= least && number <= UINT32_MAX)
            out[found++] = (uint32_t)number;
    }
    free(list);
    return (int)found;
}

int mext_store_domains(struct mext_store *s, uint32_t *out, unsigned max)
{
    return numbers(s, "/local/domain", 1, out, max);
}

unsigned mext_store_numbers(struct mext_store *s, uint32_t domid,
                            const char *path, uint32_t *out, unsigned max)
{
    char p[PATH_LEN];
    int n = numbers(s, full(p, domid, path), 0, out, max);

    return n > 0 ? (unsigned)n : 0;
}

bool mext_store_empty(struct mext_store *s, uint32_t domid, const char *path)
{
    char p[PATH_LEN];
    unsigned n = 0;
    char **list = xs_directory(s->xs, XBT_NULL, full(p, domid, path), &n);

    free(list);
    return n == 0;
}

int mext_store_watch_as(struct mext_store *s, const char *path,
                        const char *token, struct mext_why *why)
{
    if (!xs_watch(s->xs, path, token))
        return mext_fail(why, "cannot watch %s: %s", path, strerror(errno));
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
    xs_unwatch(s->xs, path, token);
}

/* More than can have come at once; a guest that goes on writing must wait. */
#define FIRED_MAX 1024

static void tell_fired(struct mext_store *s, char **w, mext_fired_fn *fired,
                       void *arg)
{
    for (unsigned n = 0; w;
         w = ++n < FIRED_MAX ? xs_check_watch(s->xs) : NULL) {
        if (fired)
            fired(arg, w[XS_WATCH_TOKEN]);
        free(w);
    }
}

int mext_store_wait_each(struct mext_store *s, int also, unsigned timeout_ms,
                         mext_fired_fn *fired, void *arg, struct mext_why *why)
{
    int fds[2] = { xs_fileno(s->xs), also };
    uint64_t end = mext_now_ms() + timeout_ms;
    struct mext_why quiet;
    char **w;

    /* Before what fired: a guest may write without a pause. */
    if (mext_net_cancelled(why))
        return -1;
    if (also >= 0 && !mext_net_wait(&also, 1, 0, &quiet))
        return 2;
    w = xs_check_watch(s->xs);
    while (!w) {
        uint64_t now = mext_now_ms();
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
        w = xs_check_watch(s->xs);
    }
    tell_fired(s, w, fired, arg);
    return 1;
}

int mext_store_wait(struct mext_store *s, int also, unsigned timeout_ms,
                    struct mext_why *why)
{
    return mext_store_wait_each(s, also, timeout_ms, NULL, NULL, why);
}
