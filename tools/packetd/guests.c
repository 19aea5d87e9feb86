/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches for guests that ask to be moved, and judges what they ask.  Nothing
 * here waits for a guest: a process of its own moves it, move.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests.h"
#include "mext_net.h"
#include "mext_text.h"
#include "policy.h"

#define GUESTS_MAX 256
#define MOVES_MAX  4     /* xl running at once */
#define LOG_MS     60000 /* between two logged refusals of a guest */
#define IDLE_MS    60000

#define REQUEST     MEXT_MOVE_DIR "/request"
#define STATUS      MEXT_MOVE_DIR "/status"
#define NO_ID       "0000000000000000" /* of a malformed request */
#define ALL_DOMAINS "domains"          /* token of the watches for them */

struct guest {
    uint32_t domid;
    pid_t mover;                   /* 0: it is not being moved */
    bool fired;                    /* its request is to be looked at ... */
    uint64_t look_at;              /* ... but not before, ms */
    uint64_t log_at;               /* a refusal may be logged again, ms */
    unsigned unlogged;             /* refusals since the last one that was */
    char id[MEXT_MOVE_ID_LEN + 1]; /* last request taken */
};

/* By name: the domid of a guest changes when it reboots. */
struct attempt {
    char name[GUEST_NAME_MAX + 1];
    uint64_t ms;
};

struct watcher {
    const struct packetd *p;
    struct mext_store *store;
    int sigfd;
    bool stop, domains_changed, crowded;
    struct guest guests[GUESTS_MAX];
    unsigned n, movers;
    struct attempt attempts[GUESTS_MAX];
    unsigned nattempts;
};

void guest_tell(struct mext_store *store, uint32_t domid, const char *id,
                uint32_t seq, enum mext_move_state state, const char *text)
{
    struct mext_move_status s = { .seq = seq, .state = state };
    char value[MEXT_MOVE_STATUS_MAX + 1];
    struct mext_why unused;

    strcpy(s.id, id);
    mext_show(text, strlen(text), s.text, sizeof(s.text));
    mext_move_status_text(&s, value);
    mext_store_tell(store, domid, STATUS, value, &unused);
}

/* ---- who is there ---- */

static void watch_of(uint32_t domid, char path[80], char token[16])
{
    snprintf(path, 80, "/local/domain/%u/%s", domid, REQUEST);
    snprintf(token, 16, "%u", domid);
}

static struct guest *find_guest(struct watcher *w, uint32_t domid)
{
    for (unsigned i = 0; i < w->n; i++)
        if (w->guests[i].domid == domid)
            return &w->guests[i];
    return NULL;
}

/* The watch fires at once, so a request that is there already is seen. */
static void add_guest(struct watcher *w, uint32_t domid)
{
    char path[80], token[16];
    struct mext_why why;

    if (w->n == GUESTS_MAX) {
        if (!w->crowded)
            packetd_log("more than %u domains: the rest cannot ask to be "
                        "moved",
                        GUESTS_MAX);
        w->crowded = true;
        return;
    }
    watch_of(domid, path, token);
    if (mext_store_watch_as(w->store, path, token, &why))
        packetd_log("%s", why.text);
    else
        w->guests[w->n++] = (struct guest){ .domid = domid };
}

static bool among(uint32_t domid, const uint32_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (list[i] == domid)
            return true;
    return false;
}

/* A guest that is being moved is kept until that has ended. */
static void update_domains(struct watcher *w)
{
    static uint32_t now[4 * GUESTS_MAX];
    int listed = mext_store_domains(w->store, now, 4 * GUESTS_MAX);
    unsigned n = listed > 0 ? (unsigned)listed : 0;
    char path[80], token[16];

    if (listed < 0)
        return; /* asked again with the next change */
    w->domains_changed = false;
    for (unsigned i = w->n; i--;) {
        struct guest *g = &w->guests[i];

        if (g->mover || among(g->domid, now, n))
            continue;
        watch_of(g->domid, path, token);
        mext_store_unwatch(w->store, path, token);
        *g = w->guests[--w->n];
    }
    for (unsigned i = 0; i < n; i++)
        if (!find_guest(w, now[i]))
            add_guest(w, now[i]);
}

/* ---- judging ---- */

static struct attempt *find_attempt(struct watcher *w, const char *name)
{
    for (unsigned i = 0; i < w->nattempts; i++)
        if (!strcmp(w->attempts[i].name, name))
            return &w->attempts[i];
    return NULL;
}

/* With no room left the oldest is forgotten. */
static void note_attempt(struct watcher *w, const char *name)
{
    struct attempt *a = find_attempt(w, name);

    if (!a && w->nattempts < GUESTS_MAX)
        a = &w->attempts[w->nattempts++];
    if (!a) {
        a = w->attempts;
        for (unsigned i = 1; i < w->nattempts; i++)
            if (w->attempts[i].ms < a->ms)
                a = &w->attempts[i];
    }
    strcpy(a->name, name);
    a->ms = mext_now_ms();
}

/* 0, or -1 and why, with what the rule that counts says. */
static int judge_rule(struct watcher *w, const char *name, const char *dest,
                      const struct policy_rule *r, struct mext_why *why)
{
    struct attempt *a = find_attempt(w, name);
    uint64_t now = mext_now_ms(), next = a ? a->ms : 0;
    char line[MEXT_MOVE_TEXT_MAX];

    if (!r) {
        policy_line(name, dest, line, sizeof(line));
        return mext_fail(why, "no line of %s allows it; this one would: %s",
                         w->p->conf, line);
    }
    if (r->never)
        return mext_fail(why, "%s says never", w->p->conf);
    next += r->seconds * 1000ULL;
    if (a && now < next)
        return mext_fail(why, "too soon after the last time, again in %u s",
                         (unsigned)((next - now + 999) / 1000));
    if (w->movers == MOVES_MAX)
        return mext_fail(why, "%u other guests are being moved, try later",
                         MOVES_MAX);
    return 0;
}

static int judge(struct watcher *w, const char *name, const char *dest,
                 struct mext_why *why)
{
    const struct policy *policy;

    if (!*name || policy_on_its_way(name))
        return mext_fail(why, "this domain cannot be moved now");
    policy = packetd_policy(w->p, why);
    if (!policy)
        return -1;
    return judge_rule(w, name, dest, policy_find(policy, name, dest), why);
}

static void refuse(struct watcher *w, struct guest *g, const char *name,
                   const struct mext_move_request *rq, const char *text)
{
    uint64_t now = mext_now_ms();

    guest_tell(w->store, g->domid, rq->id, 1, MEXT_MOVE_REFUSED, text);
    if (now < g->log_at) {
        g->unlogged++;
        return;
    }
    if (g->unlogged)
        packetd_log("domain %u asked %u times more in vain", g->domid,
                    g->unlogged);
    packetd_log("domain %u, %s, asks to be moved to %s: refused: %s", g->domid,
                *name ? name : "?", *rq->dest ? rq->dest : "?", text);
    g->log_at = now + LOG_MS;
    g->unlogged = 0;
}

static void start_mover(struct watcher *w, struct guest *g, const char *name,
                        const struct mext_move_request *rq)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(guest_move(w->p, g->domid, name, rq));
    if (pid < 0) {
        refuse(w, g, name, rq, "no process could be made for it");
        return;
    }
    packetd_log("domain %u, %s, asks to be moved to %s: it is", g->domid, name,
                rq->dest);
    g->mover = pid;
    w->movers++;
    note_attempt(w, name);
}

/* By us, or by a packetd before us: what a guest forges here is its loss. */
static bool answered(struct watcher *w, const struct guest *g, const char *id)
{
    char text[MEXT_MOVE_STATUS_MAX + 1];
    struct mext_move_status s;
    int n;

    if (!strcmp(g->id, id))
        return true;
    n = mext_store_read(w->store, g->domid, STATUS, text, sizeof(text));
    return n >= 0 && !mext_move_status_parse(text, (size_t)n, &s) &&
           !strcmp(s.id, id);
}

static void look(struct watcher *w, struct guest *g)
{
    char text[MEXT_MOVE_REQUEST_MAX + 1], name[GUEST_NAME_MAX + 1];
    struct mext_move_request rq = { .id = NO_ID };
    struct mext_why why;
    int n;

    g->fired = false;
    if (!mext_store_has(w->store, g->domid, REQUEST))
        return;
    g->look_at = mext_now_ms() + MEXT_MOVE_LOOK_MS;
    if (mext_store_read(w->store, g->domid, "name", name, sizeof(name)) < 0)
        name[0] = 0;
    n = mext_store_read(w->store, g->domid, REQUEST, text, sizeof(text));
    if (n < 0 && !mext_store_has(w->store, g->domid, REQUEST))
        return; /* withdrawn just now */
    if (n < 0 || mext_move_request_parse(text, (size_t)n, &rq)) {
        refuse(w, g, name, &rq, "the request is malformed");
        return;
    }
    if (answered(w, g, rq.id))
        return;
    strcpy(g->id, rq.id);
    if (judge(w, name, rq.dest, &why))
        refuse(w, g, name, &rq, why.text);
    else
        start_mover(w, g, name, &rq);
}

/* ---- loop ---- */

static void on_fired(void *arg, const char *token)
{
    struct watcher *w = arg;
    struct guest *g;

    if (!strcmp(token, ALL_DOMAINS)) {
        w->domains_changed = true;
        return;
    }
    g = find_guest(w, (uint32_t)strtoul(token, NULL, 10));
    if (g)
        g->fired = true;
}

/* Migrations that ended; their guests may have asked for more meanwhile. */
static void reap(struct watcher *w)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (unsigned i = 0; i < w->n; i++)
            if (w->guests[i].mover == pid) {
                w->guests[i].mover = 0;
                w->guests[i].fired = true;
                w->movers--;
                w->domains_changed = true;
            }
}

static void take_signals(struct watcher *w)
{
    struct signalfd_siginfo si;

    while (read(w->sigfd, &si, sizeof(si)) == sizeof(si))
        if (si.ssi_signo != SIGCHLD)
            w->stop = true;
    reap(w);
}

/* Looks where it is time to; ms until it is for the next one. */
static unsigned look_around(struct watcher *w)
{
    uint64_t now = mext_now_ms(), next = now + IDLE_MS;

    for (unsigned i = 0; i < w->n && !w->stop; i++) {
        struct guest *g = &w->guests[i];

        if (!g->fired || g->mover)
            continue;
        if (now >= g->look_at)
            look(w, g);
        else if (g->look_at < next)
            next = g->look_at;
    }
    return (unsigned)(next - now);
}

static int serve_guests(struct watcher *w)
{
    unsigned timeout = 0;
    struct mext_why why;

    while (!w->stop || w->movers) {
        int r = mext_store_wait_each(w->store, w->sigfd, timeout, on_fired, w,
                                     &why);

        if (r < 0) {
            packetd_log("guests cannot ask to be moved: %s", why.text);
            return 1;
        }
        take_signals(w);
        if (w->domains_changed)
            update_domains(w);
        timeout = look_around(w);
    }
    return 0;
}

/* Signals become readable, so that none is lost between looking and waiting. */
static int signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int guests_watch(const struct packetd *p)
{
    static struct watcher w;
    struct mext_why why;

    /* Should packetd be killed, another one's watcher is to be alone. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    w.p = p;
    w.sigfd = signals();
    if (mext_store_open(&w.store, &why) ||
        mext_store_watch_as(w.store, "@introduceDomain", ALL_DOMAINS, &why) ||
        mext_store_watch_as(w.store, "@releaseDomain", ALL_DOMAINS, &why)) {
        packetd_log("guests cannot ask to be moved: %s", why.text);
        return 1;
    }
    return serve_guests(&w);
}
