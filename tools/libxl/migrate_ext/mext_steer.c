/* SPDX-License-Identifier: LGPL-2.1-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_monitor.h"
#include "mext_net.h"
#include "mext_text.h"

#define CLIENTS MEXT_MONITOR_CLIENTS_MAX

struct client {
    int fd;   /* -1: none */
    size_t n; /* bytes at line */
    char line[MEXT_MONITOR_LINE_MAX];
};

struct mext_steer {
    pthread_mutex_t lock;
    /* by the lock */
    struct mext_monitor_line now;
    bool news; /* now has changed since all were told */
    struct mext_wishes wishes;
    bool wished, cancelled, committed, ending;
    uint64_t end_ms;     /* it is cancelled then; 0: never */
    struct mext_why why; /* why it was cancelled */
    /* the thread's own */
    struct client clients[CLIENTS];
    uint64_t told_ms; /* when all were told */
    /* as mext_steer_open left it */
    pthread_t thread;
    bool source;
    uint64_t begun_ms;
    int listener, wake[2], cancel[2];
    char path[MEXT_STEER_PATH_LEN];
    struct sigaction before[3];
};

/* ---- signals ---- */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/*
 * The handler only leaves word; whether it still can be cancelled is decided
 * by the thread, or by mext_steer_commit if that comes first.
 */
static atomic_bool signalled;
static atomic_int wake_fd = -1;

static void wake(int fd)
{
    ssize_t n = write(fd, "", 1);

    (void)n; /* full: it will wake up anyway */
}

static void on_signal(int sig)
{
    int e = errno;

    atomic_store(&signalled, true);
    wake(atomic_load(&wake_fd));
    errno = e;
}

static void catch_signals(struct mext_steer *s)
{
    struct sigaction sa = { .sa_handler = on_signal };

    atomic_store(&signalled, false);
    atomic_store(&wake_fd, s->wake[1]);
    for (unsigned i = 0; i < 3; i++)
        sigaction(signals[i], &sa, &s->before[i]);
}

static void leave_signals(struct mext_steer *s)
{
    for (unsigned i = 0; i < 3; i++)
        sigaction(signals[i], &s->before[i], NULL);
    atomic_store(&wake_fd, -1);
}

/* ---- decisions, all under the lock ---- */

static int too_late(const struct mext_steer *s, struct mext_why *why)
{
    if (s->ending)
        return mext_fail(why, "too late: it has ended");
    if (s->committed)
        return mext_fail(why, "too late: the guest is being handed over to "
                              "the destination, or it has failed and is being "
                              "undone");
    return 0;
}

static int cancel(struct mext_steer *s, const char *by, struct mext_why *why)
{
    if (too_late(s, why))
        return -1;
    if (!s->cancelled) {
        mext_fail(&s->why, "%s", by);
        wake(s->cancel[1]);
    }
    s->cancelled = true;
    return 0;
}

static void heed_signal(struct mext_steer *s)
{
    struct mext_why why;

    if (atomic_exchange(&signalled, false))
        cancel(s, "cancelled by a signal", &why);
}

/* Cancels it if its time is over; ms until then, -1: no limit. */
static int heed_limit(struct mext_steer *s)
{
    uint64_t now = mext_now_ms();
    struct mext_why why;
    char by[80];

    if (!s->end_ms || s->cancelled || s->committed || s->ending)
        return -1;
    if (now < s->end_ms)
        return s->end_ms - now < INT_MAX ? (int)(s->end_ms - now) : INT_MAX;
    snprintf(by, sizeof(by), "its time limit of %llu s is over",
             (unsigned long long)(s->end_ms - s->begun_ms) / 1000);
    cancel(s, by, &why);
    return -1;
}

static void set_limit(struct mext_steer *s, uint64_t timeout_ms)
{
    s->end_ms = timeout_ms ? s->begun_ms + timeout_ms : 0;
}

static int wish(struct mext_steer *s, const struct mext_wishes *w,
                struct mext_why *why)
{
    if (!s->source)
        return mext_fail(why, "only the source takes that, on its host");
    if (too_late(s, why))
        return -1;
    if (s->cancelled)
        return mext_fail(why, "too late: it has been cancelled");
    if (w->downtime_ms)
        s->wishes.downtime_ms = w->downtime_ms;
    if (w->iterations)
        s->wishes.iterations = w->iterations;
    if (w->bytes_per_s)
        s->wishes.bytes_per_s = w->bytes_per_s;
    if (w->timeout_ms)
        set_limit(s, w->timeout_ms == UINT64_MAX ? 0 : w->timeout_ms);
    s->wishes.switch_over |= w->switch_over;
    s->wished = true;
    return 0;
}

static int obey(struct mext_steer *s, const struct mext_command *c,
                struct mext_why *why)
{
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    if (c->word == MEXT_WORD_CANCEL)
        rc = cancel(s, "cancelled by xl migrate-cancel", why);
    else if (c->word != MEXT_WORD_STATUS)
        rc = wish(s, &c->wishes, why);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* ---- the thread: who looks ---- */

static void drop(struct client *c)
{
    close(c->fd);
    c->fd = -1;
}

/* A line that does not fit into the socket: it is not read there. */
static void say(struct client *c, const struct mext_monitor_line *l)
{
    char out[MEXT_MONITOR_LINE_MAX];
    size_t n = mext_monitor_text(l, out);

    if (c->fd >= 0 &&
        (!n || send(c->fd, out, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n))
        drop(c);
}

/* A copy of where it is. */
static void look(struct mext_steer *s, struct mext_monitor_line *l_r)
{
    pthread_mutex_lock(&s->lock);
    s->now.seconds = (mext_now_ms() - s->begun_ms) / 1000;
    *l_r = s->now;
    pthread_mutex_unlock(&s->lock);
}

static void answer(struct client *c, const struct mext_why *why)
{
    struct mext_monitor_line l = { .answer = true, .ok = !why };

    if (why)
        mext_show(why->text, strlen(why->text), l.text, sizeof(l.text));
    say(c, &l);
}

static void on_line(struct mext_steer *s, struct client *c, const char *line,
                    size_t n)
{
    struct mext_monitor_line l;
    struct mext_command cmd;
    struct mext_why why;

    if (mext_command_parse(line, n, &cmd, &why) || obey(s, &cmd, &why)) {
        answer(c, &why);
        return;
    }
    answer(c, NULL);
    if (cmd.word == MEXT_WORD_STATUS) {
        look(s, &l);
        say(c, &l);
    }
}

/* What a client says: as much as has come, a buffer's worth at a time. */
static void hear(struct mext_steer *s, struct client *c)
{
    static const struct mext_why too_long = { "a line is too long" };
    ssize_t k = recv(c->fd, c->line + c->n, sizeof(c->line) - c->n,
                     MSG_DONTWAIT);
    char *at = c->line, *end;

    if (k < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (k <= 0) {
        drop(c);
        return;
    }
    c->n += (size_t)k;
    while (c->fd >= 0 && (end = memchr(at, '\n', c->n))) {
        on_line(s, c, at, (size_t)(end - at));
        c->n -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    memmove(c->line, at, c->n);
    if (c->fd >= 0 && c->n == sizeof(c->line)) {
        answer(c, &too_long);
        if (c->fd >= 0)
            drop(c);
    }
}

/* Takes one in who connected; false: nobody did. */
static bool greet(struct mext_steer *s)
{
    static const struct mext_why full = { "as many as may look do so" };
    struct client extra, *c = &extra;
    struct mext_monitor_line l;
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return false;
    for (unsigned i = 0; i < CLIENTS && c == &extra; i++)
        if (s->clients[i].fd < 0)
            c = &s->clients[i];
    c->fd = fd;
    c->n = 0;
    if (c != &extra) {
        look(s, &l);
        say(c, &l);
        return true;
    }
    answer(c, &full);
    if (c->fd >= 0)
        drop(c);
    return true;
}

static void tell_all(struct mext_steer *s)
{
    struct mext_monitor_line l;

    pthread_mutex_lock(&s->lock);
    s->news = false;
    pthread_mutex_unlock(&s->lock);
    look(s, &l);
    s->told_ms = mext_now_ms();
    for (unsigned i = 0; i < CLIENTS; i++)
        say(&s->clients[i], &l);
}

/* ---- the thread: its loop ---- */

/*
 * How long until a change may be told (then *tell_r) or its time is over, ms; -1:
 * neither is to come.
 */
static int due(struct mext_steer *s, bool *ending_r, bool *tell_r)
{
    uint64_t since = mext_now_ms() - s->told_ms;
    int ms, left = 0;

    pthread_mutex_lock(&s->lock);
    heed_signal(s);
    ms = heed_limit(s);
    *ending_r = s->ending;
    *tell_r = s->news && since >= MEXT_MONITOR_EVERY_MS;
    if (s->news && !*tell_r)
        left = (int)(MEXT_MONITOR_EVERY_MS - since);
    pthread_mutex_unlock(&s->lock);
    return left && (ms < 0 || left < ms) ? left : ms;
}

/* Waits for something to do, at most ms, and does what was asked. */
static void turn(struct mext_steer *s, int ms)
{
    struct pollfd p[CLIENTS + 2] = {
        { .fd = s->wake[0], .events = POLLIN },
        { .fd = s->listener, .events = POLLIN },
    };
    char bytes[64];

    for (unsigned i = 0; i < CLIENTS; i++)
        p[i + 2] = (struct pollfd){ s->clients[i].fd, POLLIN, 0 };
    if (poll(p, CLIENTS + 2, ms) <= 0)
        return;
    while (read(s->wake[0], bytes, sizeof(bytes)) > 0)
        ;
    for (unsigned i = 0; i < CLIENTS; i++)
        if (p[i + 2].revents)
            hear(s, &s->clients[i]);
    if (p[1].revents)
        greet(s);
}

/* The end: who asked or came just now gets an answer too. */
static void part(struct mext_steer *s)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        if (s->clients[i].fd >= 0)
            hear(s, &s->clients[i]);
    tell_all(s);
    while (greet(s))
        ;
    for (unsigned i = 0; i < CLIENTS; i++)
        if (s->clients[i].fd >= 0)
            drop(&s->clients[i]);
}

static void *serve(void *arg)
{
    struct mext_steer *s = arg;
    bool ending = false, tell = false;
    int ms;

    while (ms = due(s, &ending, &tell), !ending) {
        if (tell)
            tell_all(s);
        else
            turn(s, ms);
    }
    part(s);
    return NULL;
}

/* The process's signals are for the thread that migrates. */
static int start_thread(struct mext_steer *s)
{
    sigset_t all, before;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&s->thread, NULL, serve, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e;
}

/* ---- opening and closing ---- */

/* The folder, mode 0700 and our own. */
static int make_dir(const char *dir, struct mext_why *why)
{
    struct stat st;
    int fd;

    if (mkdir(dir, 0700) && errno != EEXIST)
        return mext_fail(why, "cannot make %s: %s", dir, strerror(errno));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return mext_fail(why, "cannot open %s: %s", dir, strerror(errno));
    if (fstat(fd, &st) || st.st_uid != geteuid() || fchmod(fd, 0700)) {
        close(fd);
        return mext_fail(why, "%s is not this user's own: remove it", dir);
    }
    close(fd);
    return 0;
}

static void show(const char *text, char *out, size_t max)
{
    mext_show(text, strlen(text), out, max);
}

static struct mext_steer *make_steer(const struct mext_entry *e)
{
    struct mext_steer *s = calloc(1, sizeof(*s));
    struct mext_monitor_line *l;

    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->source = e->side == MEXT_SIDE_SOURCE;
    s->begun_ms = mext_now_ms();
    s->listener = s->wake[0] = s->wake[1] = -1;
    s->cancel[0] = s->cancel[1] = -1;
    for (unsigned i = 0; i < CLIENTS; i++)
        s->clients[i].fd = -1;
    l = &s->now;
    sodium_bin2hex(l->id, sizeof(l->id), e->id, MEXT_ID_LEN);
    strcpy(l->side, mext_side_name(e->side));
    show(e->name, l->guest, sizeof(l->guest));
    show(e->host, l->peer, sizeof(l->peer));
    strcpy(l->state, "new");
    return s;
}

static void free_steer(struct mext_steer *s)
{
    const int fds[] = { s->listener, s->wake[0], s->wake[1], s->cancel[0],
                        s->cancel[1] };

    for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static int open_socket(const char *dir, const struct mext_entry *e,
                       struct mext_steer *s, struct mext_why *why)
{
    if (mext_steer_path(dir, e->id, e->side, s->path, why) ||
        make_dir(dir, why))
        return -1;
    if (pipe2(s->wake, O_CLOEXEC | O_NONBLOCK) ||
        pipe2(s->cancel, O_CLOEXEC | O_NONBLOCK))
        return mext_fail(why, "pipe: %s", strerror(errno));
    return mext_net_listen_unix(s->path, &s->listener, why);
}

int mext_steer_open(const char *dir, const struct mext_entry *e,
                    struct mext_steer **s_r, struct mext_why *why)
{
    struct mext_steer *s;
    int err;

    if (atomic_load(&wake_fd) >= 0)
        return mext_fail(why, "this process migrates already");
    s = make_steer(e);
    if (!s)
        return mext_fail(why, "out of memory");
    if (open_socket(dir, e, s, why)) {
        free_steer(s);
        return -1;
    }
    catch_signals(s);
    err = start_thread(s);
    if (err) {
        leave_signals(s);
        unlink(s->path);
        free_steer(s);
        return mext_fail(why, "cannot start a thread: %s", strerror(err));
    }
    mext_net_cancel_fd(s->cancel[0]);
    *s_r = s;
    return 0;
}

void mext_steer_close(struct mext_steer *s, const char *state, const char *text)
{
    if (!s)
        return;
    leave_signals(s);
    mext_net_cancel_fd(-1);
    pthread_mutex_lock(&s->lock);
    s->ending = s->now.last = true;
    show(state, s->now.state, sizeof(s->now.state));
    show(text ? text : "", s->now.text, sizeof(s->now.text));
    pthread_mutex_unlock(&s->lock);
    wake(s->wake[1]);
    pthread_join(s->thread, NULL);
    unlink(s->path);
    free_steer(s);
}

/* ---- what the migration says and asks ---- */

void mext_steer_forget(const char *dir, const struct mext_entry *e)
{
    char path[MEXT_STEER_PATH_LEN];
    struct mext_why quiet;

    if (!mext_steer_path(dir, e->id, e->side, path, &quiet))
        unlink(path);
}

void mext_steer_tell(struct mext_steer *s, const struct mext_standing *st)
{
    bool first;

    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    show(st->state, s->now.state, sizeof(s->now.state));
    if (st->step)
        show(st->step, s->now.step, sizeof(s->now.step));
    s->now.iteration = st->iteration;
    s->now.sent = st->sent;
    s->now.of = st->of;
    s->now.wire_bytes = st->wire_bytes;
    s->now.pages_per_s = st->pages_per_s;
    first = !s->news;
    s->news = true;
    pthread_mutex_unlock(&s->lock);
    if (first)
        wake(s->wake[1]);
}

bool mext_steer_wishes(struct mext_steer *s, struct mext_wishes *w_r)
{
    bool wished;

    if (!s)
        return false;
    pthread_mutex_lock(&s->lock);
    wished = s->wished;
    if (wished)
        *w_r = s->wishes;
    s->wishes = (struct mext_wishes){ 0 };
    s->wished = false;
    pthread_mutex_unlock(&s->lock);
    return wished;
}

void mext_steer_limit(struct mext_steer *s, uint64_t timeout_ms)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    set_limit(s, timeout_ms);
    pthread_mutex_unlock(&s->lock);
    wake(s->wake[1]);
}

void mext_steer_why(struct mext_steer *s, struct mext_why *why)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    if (s->cancelled)
        *why = s->why;
    pthread_mutex_unlock(&s->lock);
}

int mext_steer_commit(struct mext_steer *s, struct mext_why *why)
{
    bool cancelled;

    if (!s)
        return 0;
    pthread_mutex_lock(&s->lock);
    heed_signal(s);
    heed_limit(s);
    cancelled = s->cancelled;
    s->committed = !cancelled;
    pthread_mutex_unlock(&s->lock);
    return cancelled ? mext_fail(why, "cancelled") : 0;
}
