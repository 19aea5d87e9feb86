/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl-thin DOMID TRIM COMMAND...: what the stock xl writes, without the pages
 * that the guest's agent calls free, goes to COMMAND.  With "-" for TRIM the agent is
 * not asked.  A guest that gets memory meanwhile is given up.  xl migrate --cooperative
 * --receiver xl puts it before ssh, as the stock xl's -s.  Whatever fails here
 * before a byte was sent, COMMAND gets the stream as it is.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mext_help.h"
#include "mext_steady.h"
#include "mext_thin.h"

struct thin {
    struct mext_thin stream;
    struct mext_help help;
    struct mext_dom *dom; /* NULL: it cannot be looked at */
    uint64_t size;        /* mext_steady's */
    int out;
    uint64_t in, wire; /* bytes */
    bool told;
};

static void say(void *arg, const char *text)
{
    fprintf(stderr, "source: %s\n", text);
}

static int write_all(void *arg, const void *p, size_t n)
{
    struct thin *t = arg;
    const char *at = p;

    t->wire += n;
    while (n) {
        ssize_t done = write(t->out, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

static void ask(void *arg, uint64_t *bitmap, uint64_t ngfns)
{
    struct thin *t = arg;

    mext_help_bitmap(&t->help, bitmap, ngfns);
}

static void tell(struct thin *t)
{
    if (t->told || !t->help.wanted)
        return;
    t->told = true;
    if (t->stream.odd)
        fprintf(stderr, "source: the stream goes as it is: %s\n",
                t->stream.odd);
    fprintf(stderr,
            "source: %llu free pages stayed behind: %llu MB sent instead of "
            "%llu\n",
            (unsigned long long)t->stream.pages,
            (unsigned long long)t->wire / 1000000,
            (unsigned long long)t->in / 1000000);
}

/*
 * False once the guest got memory.  At the stream's end it stands still; what comes
 * then is between the two xl.
 */
static bool is_steady(struct thin *t)
{
    struct mext_dom_state st;
    struct mext_why why;

    if (!t->dom || t->stream.ended || mext_dom_state(t->dom, &st, &why) ||
        !mext_steady(&st, &t->size, &why))
        return true;
    say(NULL, why.text);
    return false;
}

/* Until the stock xl closes its end; -1: it is to give up. */
static int relay(struct thin *t)
{
    static char buf[1 << 16];
    ssize_t n;

    for (;;) {
        /* The stock xl does not wait for us when it is done. */
        if (t->stream.ended)
            tell(t);
        n = read(STDIN_FILENO, buf, sizeof(buf));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        t->in += (uint64_t)n;
        if (!is_steady(t))
            return -1;
        if (mext_thin_feed(&t->stream, buf, (size_t)n))
            return -1;
    }
}

static pid_t start(char **argv, int *out_r)
{
    int ends[2];
    pid_t pid;

    if (pipe(ends))
        return -1;
    pid = fork();
    if (pid == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        signal(SIGPIPE, SIG_DFL);
        execvp(argv[0], argv);
        fprintf(stderr, "xl-thin: cannot run %s: %s\n", argv[0],
                strerror(errno));
        _exit(127);
    }
    close(ends[0]);
    *out_r = ends[1];
    return pid;
}

/* What the guest has, so that its agent can be asked. */
static void prepare(struct thin *t, uint32_t domid)
{
    struct mext_why why;
    uint64_t top;

    t->stream.out = write_all;
    t->stream.ask = ask;
    t->stream.arg = t;
    if (mext_dom_open(domid, &t->dom, &why))
        t->dom = NULL;
    else if (!mext_dom_max_gfn(t->dom, &top, &why))
        t->stream.bitmap = calloc(top / 64 + 1, sizeof(uint64_t));
    if (t->stream.bitmap)
        t->stream.ngfns = (top / 64 + 1) * 64;
    if (!t->stream.bitmap) {
        say(NULL, "without the guest's help: its memory cannot be looked at");
        t->help.wanted = false;
    }
    is_steady(t);
    mext_help_begin(&t->help);
    mext_help_no_quiesce(&t->help);
    mext_help_close(&t->help); /* of a PV guest nothing is asked later */
}

/*
 * The stock xl finds out, and its save helper dies of SIGPIPE, which leaves the guest's
 * writes watched: no migration to mstrap could begin.  At once, and not when all has
 * ended: the next one may have begun then.
 */
static void give_up(struct thin *t)
{
    close(STDIN_FILENO);
    if (t->dom)
        mext_dom_dirty_off(t->dom);
}

int main(int argc, char **argv)
{
    static struct thin t = { .help = { .wanted = true, .say = say } };
    int status, failed;
    pid_t pid;

    if (argc < 4) {
        fprintf(stderr, "Usage: xl-thin DOMID TRIM|- COMMAND...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    t.help.domid = (uint32_t)strtoul(argv[1], NULL, 10);
    t.help.wanted = strcmp(argv[2], "-");
    t.help.trim = (unsigned)strtoul(argv[2], NULL, 10);
    prepare(&t, t.help.domid);
    pid = start(argv + 3, &t.out);
    if (pid < 0) {
        fprintf(stderr, "xl-thin: %s\n", strerror(errno));
        return 1;
    }
    failed = relay(&t);
    close(t.out);
    if (failed)
        give_up(&t);
    mext_dom_close(t.dom);
    tell(&t);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return failed || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}
