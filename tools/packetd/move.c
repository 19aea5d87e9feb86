/* SPDX-License-Identifier: GPL-2.0-only */
/* Moves one guest that asked for it: runs xl, and tells the guest its lines. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests.h"
#include "mext_net.h"
#include "mext_text.h"

#define XL          MEXT_SBINDIR "/xl"
#define REQUEST     MEXT_MOVE_DIR "/request"
#define QUEUE_MAX   8
#define TICK_MS     1000 /* xl's end is seen so late at worst */
#define CHECK_MS    100  /* between two looks at a request that changes */
#define LAST_WORDS  "was not migrated: "
#define XL_SPEAKING "source: "

struct move {
    const struct packetd *p;
    struct mext_store *store;
    uint32_t domid;
    const char *name;
    const struct mext_move_request *rq;
    pid_t xl;
    int out;    /* xl's, to be read */
    bool ended; /* xl, with this status: */
    int status;
    bool cancelled, touched; /* touched: the request changed */
    uint64_t check_at;
    char line[512]; /* as far as it has come */
    size_t n;
    char queue[QUEUE_MAX][MEXT_MOVE_TEXT_MAX + 1]; /* not told yet */
    unsigned queued;
    char last[MEXT_MOVE_TEXT_MAX + 1];
    uint32_t seq;
    uint64_t write_at;
};

static void tell(struct move *m, enum mext_move_state state, const char *text)
{
    guest_tell(m->store, m->domid, m->rq->id, ++m->seq, state, text);
    m->write_at = mext_now_ms() + MEXT_MOVE_WRITE_MS;
}

/* ---- xl ---- */

/*
 * By number: a name may look like one, and libxl prefers numbers.  A process
 * group of its own keeps a Ctrl-C for packetd away.
 */
static void become_xl(const struct move *m, int out)
{
    char domid[16];
    const char *argv[] = { XL,   "migrate", "--cooperative", "--keys", NULL,
                           "--", domid,     m->rq->dest,     NULL };
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;

    argv[4] = m->p->keys_dir;
    snprintf(domid, sizeof(domid), "%u", m->domid);
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, 0);
    dup2(out, 1);
    dup2(out, 2);
    close_range(3, ~0U, 0);
    execv(XL, (char *const *)argv);
    fprintf(stderr, "cannot run " XL ": %s\n", strerror(errno));
    _exit(127);
}

static int start_xl(struct move *m)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    m->out = ends[0];
    m->xl = fork();
    if (m->xl == 0)
        become_xl(m, ends[1]);
    close(ends[1]);
    return m->xl < 0 ? -1 : 0;
}

/* ---- its lines ---- */

/* With no room the oldest goes. */
static void take_line(struct move *m)
{
    const char *text = m->line, *reason;

    m->line[m->n] = 0;
    m->n = 0;
    if (!strncmp(text, XL_SPEAKING, strlen(XL_SPEAKING)))
        text += strlen(XL_SPEAKING);
    if (!*text)
        return;
    reason = strstr(text, LAST_WORDS);
    if (reason)
        text = reason + strlen(LAST_WORDS);
    mext_show(text, strlen(text), m->last, sizeof(m->last));
    if (reason) /* told when xl has ended */
        return;
    if (m->queued == QUEUE_MAX)
        memmove(m->queue[0], m->queue[1], sizeof(m->queue[0]) * --m->queued);
    strcpy(m->queue[m->queued++], m->last);
}

static void take_byte(struct move *m, char c)
{
    if (c == '\n' || c == '\r')
        take_line(m);
    else if (m->n < sizeof(m->line) - 1)
        m->line[m->n++] = c;
}

/* All that is there. */
static void read_lines(struct move *m)
{
    char buf[1024];
    ssize_t n;

    while ((n = read(m->out, buf, sizeof(buf))) > 0)
        for (ssize_t i = 0; i < n; i++)
            take_byte(m, buf[i]);
    if (n == 0 && m->out >= 0) { /* it has closed it, to end soon */
        close(m->out);
        m->out = -1;
    }
}

static void tell_lines(struct move *m)
{
    if (!m->queued || mext_now_ms() < m->write_at)
        return;
    tell(m, MEXT_MOVE_RUNNING, m->queue[0]);
    memmove(m->queue[0], m->queue[1], sizeof(m->queue[0]) * --m->queued);
}

/* ---- cancelling ---- */

/*
 * The request is gone, or is another one.  A domain that is gone, or is called
 * something else because it is just being handed over, has not asked for that.
 */
static bool withdrawn(const struct move *m)
{
    char text[MEXT_MOVE_REQUEST_MAX + 1], name[GUEST_NAME_MAX + 1];
    struct mext_move_request rq;
    int n = mext_store_read(m->store, m->domid, REQUEST, text, sizeof(text));

    if (n >= 0 && !mext_move_request_parse(text, (size_t)n, &rq) &&
        !strcmp(rq.id, m->rq->id))
        return false;
    return mext_store_read(m->store, m->domid, "name", name, sizeof(name)) >=
               0 &&
           !strcmp(name, m->name);
}

static void check_request(struct move *m)
{
    if (m->cancelled || !m->touched || mext_now_ms() < m->check_at)
        return;
    m->check_at = mext_now_ms() + CHECK_MS;
    m->touched = false;
    if (!withdrawn(m))
        return;
    m->cancelled = true;
    packetd_log("%s: it wants to stay after all", m->name);
    kill(m->xl, SIGINT);
}

/* ---- the whole ---- */

static unsigned until_next(const struct move *m)
{
    uint64_t now = mext_now_ms(), next = now + TICK_MS;

    if (m->queued && m->write_at < next)
        next = m->write_at;
    if (m->touched && m->check_at < next)
        next = m->check_at;
    return next > now ? (unsigned)(next - now) : 0;
}

/* Until xl has ended: also if somebody else holds its output open. */
static void follow(struct move *m)
{
    struct mext_why why;

    while (!m->ended) {
        int r = mext_store_wait(m->store, m->out, until_next(m), &why);

        m->touched |= r == 1;
        m->ended = waitpid(m->xl, &m->status, m->out < 0 ? 0 : WNOHANG) != 0;
        if (m->out >= 0)
            read_lines(m);
        check_request(m);
        tell_lines(m);
    }
}

static int report(struct move *m)
{
    int code = WIFEXITED(m->status) ? WEXITSTATUS(m->status) : -1;

    if (code == 0) {
        packetd_log("%s: moved itself to %s", m->name, m->rq->dest);
        return 0;
    }
    if (!*m->last && m->cancelled)
        snprintf(m->last, sizeof(m->last), "cancelled");
    else if (!*m->last)
        snprintf(m->last, sizeof(m->last), "xl ended with status %d", code);
    packetd_log("%s: did not move to %s: %s", m->name, m->rq->dest, m->last);
    tell(m, MEXT_MOVE_FAILED, m->last);
    return 1;
}

int guest_move(const struct packetd *p, uint32_t domid, const char *name,
               const struct mext_move_request *rq)
{
    struct move m = {
        .p = p, .domid = domid, .name = name, .rq = rq, .out = -1
    };
    char path[80], text[MEXT_MOVE_TEXT_MAX + 1];
    struct mext_why why;

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, REQUEST);
    if (mext_store_open(&m.store, &why) ||
        mext_store_watch(m.store, path, &why)) {
        packetd_log("%s is not moved: %s", name, why.text);
        return 1;
    }
    snprintf(text, sizeof(text), "%.80s moves to %s", name, rq->dest);
    tell(&m, MEXT_MOVE_ACCEPTED, text);
    if (start_xl(&m)) {
        tell(&m, MEXT_MOVE_FAILED, "xl could not be started");
        return 1;
    }
    follow(&m);
    return report(&m);
}
