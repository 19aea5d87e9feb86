/* SPDX-License-Identifier: LGPL-2.1-only */
/* The file that strip and convert write: NEW.part, until it is whole and checked. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xl_stream_run.h"

static char *part; /* NULL: there is none */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))
static struct sigaction before[SIGNALS];

static void on_signal(int n)
{
    unlink(part);
    raise(n); /* as if it had not been caught: SA_RESETHAND */
}

/* But for those that are ignored: nohup. */
static void catch_signals(void)
{
    struct sigaction act = { .sa_handler = on_signal,
                             .sa_flags = SA_RESETHAND };

    for (size_t i = 0; i < SIGNALS; i++)
        if (!sigaction(signals[i], NULL, &before[i]) &&
            before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &act, NULL);
}

static int failed(const struct xl_stream *x, const char *name)
{
    fprintf(x->err, "xl: %s: %s\n", name, strerror(errno));
    return -1;
}

static void forget(void)
{
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    free(part);
    part = NULL;
}

static void not_made(const struct xl_stream *x)
{
    if (errno == EEXIST)
        fprintf(x->err,
                "xl: %s is there: remove it, unless another xl writes to it\n",
                part);
    else
        failed(x, part);
    free(part);
    part = NULL;
}

FILE *xl_new_open(const struct xl_stream *x)
{
    const char *name = x->name[1];
    FILE *f = NULL;
    int fd;

    if (!access(name, F_OK)) {
        errno = EEXIST;
        failed(x, name);
        return NULL;
    }
    if (asprintf(&part, "%s.part", name) < 0) {
        part = NULL;
        failed(x, name);
        return NULL;
    }
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        not_made(x);
        return NULL;
    }
    catch_signals(); /* now that it is ours */
    f = fdopen(fd, "w");
    if (f)
        return f;
    failed(x, part);
    close(fd);
    unlink(part);
    forget();
    return NULL;
}

static bool broken_new(void *arg, const struct stream_broken *b)
{
    const struct xl_stream *x = arg;

    xl_stream_say(x->err, x->name[1], b);
    return false;
}

/* -1, and it was said, unless the new file keeps every rule. */
static int check(const struct xl_stream *x)
{
    static const struct stream_events events = { .broken = broken_new };
    struct xl_file f;
    int rc;

    if (xl_file_open(x, part, &f))
        return -1;
    rc = xl_file_walk(x, &f, &events, (void *)x, NULL);
    xl_file_close(&f);
    return rc ? -1 : 0;
}

/*
 * Not over one that has come meanwhile; not all file systems know both ways.  -1 and
 * errno: it has the old name.
 */
static int give_name(const char *from, const char *to)
{
    if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
        return 0;
    if (errno != EINVAL || link(from, to))
        return -1;
    unlink(from);
    return 0;
}

int xl_new_close(const struct xl_stream *x, FILE *f, int rc)
{
    const char *name = x->name[1];

    if (fclose(f) && !rc)
        rc = failed(x, part);
    if (!rc)
        rc = check(x);
    if (!rc && give_name(part, name))
        rc = failed(x, name);
    if (rc)
        unlink(part);
    forget();
    return rc;
}
