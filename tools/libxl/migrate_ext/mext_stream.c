/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_chunk.h"
#include "mext_fault.h"
#include "mext_steady.h"
#include "mext_store.h"
#include "mext_stream.h"
#include "mext_suspend.h"

#ifndef MEXT_XL_WRITE /* tests/image has one of its own */
#define MEXT_XL_WRITE MEXT_PKGLIBEXECDIR "/xl-write"
#endif

/* Deadlines, ms. */
#define WRITE_MS 120000 /* libxl may wait a minute for the guest's suspend */
#define SEND_MS  60000
#define STOP_MS  90000
#define TERM_MS  5000 /* libxc's process takes its log-dirty mode back */
#define PACE_MS  5000 /* at most, before wishes are looked at again */

/* ---- libxl's process ---- */

#define LOCK_FD 3

/* Across the exec. */
static bool hold(int lock)
{
    return (lock == LOCK_FD ? fcntl(lock, F_SETFD, 0) : dup2(lock, LOCK_FD)) >=
           0;
}

/*
 * A group of its own: Ctrl-C is for us, who ends it in order.  Whoever ends us, nobody
 * goes on with the guest before it has let it run: it has the journal's lock.
 */
static void become_saver(const struct mext_stream *s, int out_fd)
{
    char domid[12], detail[12], id[2 * MEXT_ID_LEN + 1];

    setpgid(0, 0);
    snprintf(domid, sizeof(domid), "%u", mext_dom_id(s->dom));
    sodium_bin2hex(id, sizeof(id), s->id, MEXT_ID_LEN);
    snprintf(detail, sizeof(detail), "%u", s->verbosity);
    if (dup2(out_fd, STDOUT_FILENO) >= 0 && hold(s->lock)) {
        close_range(LOCK_FD + 1, ~0U, 0);
        execl(MEXT_XL_WRITE, "xl-write", domid, s->live ? "live" : "still",
              detail, id, NULL);
    }
    _exit(127);
}

static int start(struct mext_stream *s, struct mext_why *why)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        return mext_fail(why, "pipe: %s", strerror(errno));
    s->pid = fork();
    if (s->pid == 0)
        become_saver(s, ends[1]);
    close(ends[1]);
    s->in = ends[0];
    if (s->pid > 0)
        return 0;
    s->pid = 0;
    close(s->in);
    return mext_fail(why, "fork: %s", strerror(errno));
}

/* libxl will ask the guest to suspend, some time: for who comes after a crash. */
static int mark(struct mext_stream *s, struct mext_why *why)
{
    struct mext_store *store;
    int rc;

    if (mext_store_open(&store, why))
        return -1;
    rc = mext_suspend_mark(store, mext_dom_id(s->dom), why);
    mext_store_close(store);
    return rc;
}

/* Killed, so nobody looks after a guest that it may have asked to suspend. */
static void after_kill(struct mext_stream *s)
{
    struct mext_store *store;
    struct mext_why quiet;

    if (mext_store_open(&store, &quiet))
        return;
    mext_suspend_withdraw(s->dom, store, &quiet);
    mext_store_close(store);
}

/* Its exit status, once it has ended. */
static int reap(struct mext_stream *s)
{
    int status;

    while (waitpid(s->pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    s->pid = 0;
    if (s->in >= 0)
        close(s->in);
    s->in = -1;
    if (WIFSIGNALED(status))
        after_kill(s);
    if (status) /* libxc's process may not have got so far */
        mext_dom_dirty_off(s->dom);
    return status;
}

/* ---- the pace, and who looks on ---- */

static uint64_t sent(const struct mext_stream *s)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < s->nconns; i++)
        n += mext_count(&s->conn[i]->sent);
    return n;
}

/* The last of a guest that ran until then is sent as fast as can be. */
static void keep_pace(struct mext_stream *s)
{
    uint64_t us = mext_pace_wait(&s->copy->pace, mext_now_us(), sent(s));
    int alarm = mext_workers_alarm(s->workers);
    struct mext_why quiet;

    if (us && (!s->t_suspended || !s->live))
        mext_net_wait(&alarm, 1,
                      us > PACE_MS * 1000 ? PACE_MS : (unsigned)(us / 1000),
                      &quiet);
}

/* libxl decides when it is time to suspend; only the bandwidth is ours. */
static void take_wishes(struct mext_copy *c)
{
    struct mext_wishes w;

    if (mext_steer_wishes(c->steer, &w) && w.bytes_per_s)
        mext_pace_set(&c->pace,
                      w.bytes_per_s == UINT64_MAX ? 0 : w.bytes_per_s);
}

static void tell(struct mext_stream *s)
{
    struct mext_copy *c = s->copy;
    uint64_t us = mext_now_us() - s->since;
    uint64_t pages = s->thin.odd ? s->bytes / 4096 : s->thin.kept;
    struct mext_progress p = {
        .iteration = s->thin.iterations ? s->thin.iterations : 1,
        .sent = pages,
        .of = c->ram_pages > pages ? c->ram_pages : pages,
        .wire_bytes = sent(s),
        .rate = us ? pages * 1000000 / us : 0,
    };

    c->iterations = p.iteration;
    c->progress(c->arg, &p);
    mext_steer_tell(c->steer, &(struct mext_standing){
                                  .state = mext_src_name(c->machine->state),
                                  .iteration = p.iteration,
                                  .sent = p.sent,
                                  .of = p.of,
                                  .wire_bytes = p.wire_bytes,
                                  .pages_per_s = p.rate,
                              });
}

/* ---- bytes ---- */

static void message(const struct mext_stream_lane *l,
                    const struct mext_piece *p, struct mext_ctl *m)
{
    uint32_t n = l->pack ? mext_chunk_pack(p->bytes, p->len, l->packed) : 0;
    const uint8_t *bytes = n ? l->packed : p->bytes;

    if (l->numbered) {
        m->type = MEXT_CTL_PIECE;
        m->u.piece.number = p->number;
        m->u.piece.bytes = bytes;
        m->u.piece.n = n ? n : p->len;
        m->u.piece.len = p->len;
    } else if (n) {
        m->type = MEXT_CTL_PACKED;
        m->u.packed.bytes = bytes;
        m->u.packed.n = n;
        m->u.packed.len = p->len;
    } else {
        m->type = MEXT_CTL_STREAM;
        m->u.stream.bytes = bytes;
        m->u.stream.len = p->len;
    }
}

int mext_stream_send(void *own, void *job, struct mext_why *why)
{
    struct mext_stream_lane *l = own;
    struct mext_ctl m;

    message(l, job, &m);
    return mext_fault("source.piece", why) ||
                   mext_conn_send(l->conn, &m, SEND_MS, why)
               ? -1
               : 0;
}

/* What is not taken any more: the destination may say why. */
static int broken(struct mext_stream *s, struct mext_why *why)
{
    mext_hear_last_word(s->copy->hear, why);
    return -1;
}

static int flush(struct mext_stream *s)
{
    struct mext_piece *p = mext_workers_room(s->workers);

    if (!s->have)
        return 0;
    p->number = s->pieces++;
    p->len = s->have;
    if (mext_workers_put(s->workers, s->why))
        return broken(s, s->why);
    s->bytes += s->have;
    s->have = 0;
    tell(s);
    take_wishes(s->copy);
    keep_pace(s);
    return 0;
}

static int out(void *arg, const void *p, size_t n)
{
    struct mext_stream *s = arg;
    const uint8_t *at = p;

    while (n) {
        size_t room = MEXT_STREAM_MAX - s->have, k = n < room ? n : room;
        struct mext_piece *piece = mext_workers_room(s->workers);

        memcpy(piece->bytes + s->have, at, k);
        s->have += (uint32_t)k;
        at += k;
        n -= k;
        if (s->have == MEXT_STREAM_MAX && flush(s))
            return -1;
    }
    return 0;
}

static void ask(void *arg, uint64_t *bitmap, uint64_t ngfns)
{
    struct mext_stream *s = arg;

    mext_help_bitmap(s->copy->help, bitmap, ngfns);
}

/* libxl suspends the guest without a word to us: it is looked for. */
static int look(struct mext_stream *s, struct mext_why *why)
{
    struct mext_dom_state st;

    if (s->t_suspended)
        return 0;
    if (mext_dom_state(s->dom, &st, why))
        return -1;
    if (s->live && mext_steady(&st, &s->size, why))
        return -1;
    if (st.shutdown && st.reason == MEXT_SHUTDOWN_SUSPEND)
        s->t_suspended = mext_now_us();
    return 0;
}

/* 1: there is more; 0: that was the end; -1 and why. */
static int relay(struct mext_stream *s, struct mext_why *why)
{
    static uint8_t buf[1 << 16];
    int fds[] = { mext_workers_alarm(s->workers), s->copy->hear->control->fd,
                  s->in };
    int r = mext_net_wait(fds, 3, WRITE_MS, why);
    ssize_t n;

    if (r < 0)
        return -1;
    if (r == 0) {
        mext_workers_idle(s->workers, why);
        return broken(s, why);
    }
    if (r == 1)
        return mext_hear_now(s->copy->hear, why) ? -1 : 1;
    n = read(s->in, buf, sizeof(buf));
    if (n < 0 && errno == EINTR)
        return 1;
    if (n < 0)
        return mext_fail(why, "what libxl writes cannot be read: %s",
                         strerror(errno));
    if (n == 0)
        return 0;
    s->why = why;
    return mext_thin_feed(&s->thin, buf, (size_t)n) || look(s, why) ? -1 : 1;
}

/* ---- the whole ---- */

static int start_workers(struct mext_stream *s, struct mext_why *why)
{
    void *own[MEXT_CHANNELS_MAX];

    for (unsigned i = 0; i < s->nconns; i++) {
        struct mext_stream_lane *l = &s->lane[i];

        own[i] = l;
        *l = (struct mext_stream_lane){ .conn = s->conn[i],
                                        .pack = s->pack,
                                        .numbered = s->nconns > 1,
                                        .packed = malloc(MEXT_STREAM_MAX) };
        if (!l->packed)
            return mext_fail(why, "out of memory");
    }
    return mext_workers_start(&s->workers, s->nconns, sizeof(struct mext_piece),
                              mext_stream_send, own, why);
}

static int prepare(struct mext_stream *s, struct mext_why *why)
{
    uint64_t top;

    if (start_workers(s, why) || look(s, why))
        return -1;
    s->since = mext_now_us();
    s->thin.out = out;
    s->thin.ask = ask;
    s->thin.arg = s;
    s->thin.bare = true;
    if (mext_dom_max_gfn(s->dom, &top, why))
        return -1;
    s->thin.bitmap = calloc(top / 64 + 1, sizeof(uint64_t));
    if (!s->thin.bitmap)
        return mext_fail(why, "out of memory");
    s->thin.ngfns = (top / 64 + 1) * 64;
    return 0;
}

/* The stream is whole only if libxl says so, and has suspended the guest. */
static int finish(struct mext_stream *s, struct mext_why *why)
{
    int status = reap(s);

    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return mext_fail(why, "libxl could not save the guest (what it said "
                              "is above)");
    if (look(s, why))
        return -1;
    if (!s->t_suspended)
        return mext_fail(why, "libxl saved the guest and did not suspend it");
    s->why = why;
    if (flush(s))
        return -1;
    return mext_workers_idle(s->workers, why) ? broken(s, why) : 0;
}

int mext_stream_run(struct mext_stream *s, struct mext_why *why)
{
    int more;

    if (mext_fault("source.save", why) || prepare(s, why) || mark(s, why) ||
        start(s, why))
        return -1;
    while ((more = relay(s, why)) > 0)
        ;
    return more < 0 || mext_fault("source.saved", why) ? -1 : finish(s, why);
}

/*
 * SIGTERM is for libxl's save helper, which then fails to write and ends in
 * order; whoever else writes finds nobody reading.
 */
static void end_saver(struct mext_stream *s)
{
    int fd = pidfd_open(s->pid, 0);
    struct mext_why quiet;

    kill(-s->pid, SIGTERM);
    mext_net_wait(&fd, 1, TERM_MS, &quiet);
    close(s->in);
    s->in = -1;
    if (mext_net_wait(&fd, 1, STOP_MS, &quiet) < 0)
        kill(-s->pid, SIGKILL);
    reap(s);
    close(fd);
}

void mext_stream_stop(struct mext_stream *s)
{
    mext_workers_stop(s->workers);
    s->workers = NULL;
    if (s->pid)
        end_saver(s);
    for (unsigned i = 0; i < s->nconns; i++) {
        free(s->lane[i].packed);
        s->lane[i].packed = NULL;
    }
    free(s->thin.bitmap);
    s->thin.bitmap = NULL;
}
