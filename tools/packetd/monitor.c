/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of packetd that has privilege: judges what the door hands in, and
 * starts a process for each migration.  It reads nothing from the network.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "door.h"
#include "mext_text.h"
#include "mext_whois.h"
#include "guests.h"
#include "metrics.h"
#include "packetd.h"
#include "service.h"

#define SESSIONS_MAX PACKETD_POOL_MAX /* at once */
#define AGAIN_MS     10000 /* a process that ended is not replaced at once */
#define LATER_MS     60000 /* a migration that could not be ended is tried again */
#define LOOK_MS      2000 /* for one whose process has died */

/* A process there is always one of. */
struct keeper {
    pid_t pid;
    uint64_t at; /* ms; not to be started before */
};

static struct session {
    pid_t pid;
    bool migrates; /* otherwise it launches a waiting mstrap */
    int joins;     /* to its line, for further connections; -1: it has one */
    uint8_t id[MEXT_ID_LEN];
} sessions[SESSIONS_MAX];
static struct metrics counts, written;
static struct keeper watcher, door, recovery;
static const int *listeners;
static volatile sig_atomic_t stop, renew;

static void on_stop(int sig)
{
    stop = 1;
}

static void on_renew(int sig)
{
    renew = 1;
}

static void on_child(int sig)
{
}

/* ---- processes ---- */

static void close_end(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void session_ended(struct session *s, int status)
{
    int ended = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    bool good = !ended;

    if (s->migrates && ended != SESSION_LOOKED) {
        counts.received += good;
        counts.failed += !good;
    }
    if (ended && ended != SESSION_LOOKED)
        recovery.at = 0;
    close_end(s->joins);
    *s = (struct session){ 0 };
}

/* What recovery could not end takes longer than what it died of. */
static unsigned recover_again(int status)
{
    if (!status)
        return LOOK_MS;
    return WIFSIGNALED(status) ? AGAIN_MS : LATER_MS;
}

/* Frees the places of those that have ended. */
static void reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == watcher.pid)
            watcher.pid = 0;
        if (pid == recovery.pid) {
            recovery.pid = 0;
            recovery.at = mext_now_ms() + recover_again(status);
        }
        if (pid == door.pid) {
            door.pid = 0;
            packetd_log("the door has ended, another one is made");
        }
        for (unsigned i = 0; i < SESSIONS_MAX; i++)
            if (sessions[i].pid == pid)
                session_ended(&sessions[i], status);
    }
}

/* If so it is not due again for so long. */
static bool due(struct keeper *k, unsigned again_ms)
{
    uint64_t now = mext_now_ms();

    if (k->pid || now < k->at)
        return false;
    k->at = now + again_ms;
    return true;
}

/* A free place, or -1. */
static int free_slot(const struct packetd *p)
{
    unsigned limit = p->pool_count ? p->pool_count : SESSIONS_MAX;

    for (unsigned i = 0; i < limit; i++)
        if (!sessions[i].pid)
            return (int)i;
    packetd_log("%u migrations at once: no room for another", limit);
    return -1;
}

static void default_signals(void)
{
    signal(SIGCHLD, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
}

/* 0 in the child, which has none of our signals and listeners. */
static pid_t start_process(void)
{
    pid_t pid = fork();

    if (pid < 0)
        packetd_log("fork: %s", strerror(errno));
    if (pid == 0) {
        default_signals();
        setpgid(0, 0); /* out of reach of a terminal's end */
        close(listeners[0]);
        close(listeners[1]);
        for (unsigned i = 0; i < SESSIONS_MAX; i++)
            if (sessions[i].pid)
                close_end(sessions[i].joins);
    }
    return pid;
}

/*
 * A new image of the program: it shares neither memory nor the places things
 * have in it with us.
 */
static void become_part(const struct packetd *p, const char *word, char **env,
                        const int *fds, unsigned n)
{
    char uid[16], gid[16];
    char *argv[] = { "packetd", (char *)word, uid, gid, NULL };
    int high[4];

    snprintf(uid, sizeof(uid), "%u", (unsigned)p->user.uid);
    snprintf(gid, sizeof(gid), "%u", (unsigned)p->user.gid);
    for (unsigned i = 0; i < n; i++)
        high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
    for (unsigned i = 0; i < n; i++)
        dup2(high[i], GATE_FD + (int)i);
    close_range(GATE_FD + n, ~0U, 0);
    execve("/proc/self/exe", argv, env);
    _exit(127);
}

pid_t packetd_part(const struct packetd *p, const char *word, char **env,
                   const int *fds, unsigned n, struct mext_why *why)
{
    pid_t pid = fork();

    if (pid < 0)
        return mext_fail(why, "fork: %s", strerror(errno));
    if (pid == 0) {
        default_signals();
        setpgid(0, 0);
        become_part(p, word, env, fds, n);
    }
    return pid;
}

pid_t packetd_jailed(const struct packetd *p, const char *word, const int *fds,
                     unsigned n, struct mext_why *why)
{
    char *none[] = { NULL };

    return packetd_part(p, word, none, fds, n, why);
}

static void keep_watcher(const struct packetd *p)
{
    pid_t pid;

    if (!due(&watcher, AGAIN_MS))
        return;
    pid = start_process();
    if (pid == 0) {
        close(p->gate);
        _exit(guests_watch(p));
    }
    if (pid > 0)
        watcher.pid = pid;
}

/* Also for what other processes of this host leave behind: xl's. */
static void keep_recovery(const struct packetd *p)
{
    static uint64_t look;
    uint64_t now = mext_now_ms();
    bool minds;
    pid_t pid;

    if (recovery.pid || (recovery.at && now < look))
        return;
    look = now + LOOK_MS;
    if (!recovery.at)
        recovery.at = now;
    /* What waits for a destination does not let a guest wait that nobody minds. */
    if (!packetd_unfinished(p, &minds) || (!minds && now < recovery.at))
        return;
    recovery.at = look;
    pid = start_process();
    if (pid == 0) {
        close(p->gate);
        _exit(packetd_recover(p));
    }
    if (pid > 0)
        recovery.pid = pid;
}

/*
 * Its source has given the connection up: what is not committed is given up,
 * by who minds it or by who takes it over.
 */
void packetd_pursue(const struct packetd *p, const struct mext_entry *e)
{
    for (unsigned i = 0; i < SESSIONS_MAX; i++)
        if (sessions[i].pid && !memcmp(sessions[i].id, e->id, MEXT_ID_LEN)) {
            if (e->noted == MEXT_NOTED_INCOMING)
                kill(sessions[i].pid, SIGTERM);
            return;
        }
    recovery.at = 0;
}

static void keep_door(struct packetd *p)
{
    struct mext_why why;
    int ends[2];
    pid_t pid;

    if (!due(&door, AGAIN_MS))
        return;
    if (p->gate >= 0)
        close(p->gate);
    p->gate = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
        packetd_log("socketpair: %s", strerror(errno));
        return;
    }
    pid = packetd_jailed(
        p, DOOR_WORD, (int[]){ ends[1], listeners[0], listeners[1] }, 3, &why);
    close(ends[1]);
    p->gate = ends[0];
    if (pid < 0) {
        packetd_log("%s", why.text);
        return;
    }
    door.pid = pid;
    counts.doors++;
}

/* ---- what comes through the gate ---- */

static void add_key(void *arg, const char *name, const uint8_t pk[MEXT_KEY_LEN])
{
    static bool crowded;
    struct gate_msg *m = arg;

    if (m->u.trust.n < GATE_TRUST_MAX) {
        memcpy(m->u.trust.keys[m->u.trust.n++], pk, MEXT_KEY_LEN);
    } else if (!crowded) {
        packetd_log("more than %u trusted keys: those of %s and what comes "
                    "after it may not send",
                    GATE_TRUST_MAX, name);
        crowded = true;
    }
}

static int send_trust(const struct packetd *p, struct mext_why *why)
{
    static struct gate_msg m;

    m.type = GATE_TRUST;
    m.fd = -1;
    m.u.trust.rate = p->rate;
    m.u.trust.nself = (uint16_t)p->ids.n;
    for (unsigned i = 0; i < p->ids.n; i++)
        memcpy(m.u.trust.self[i], p->ids.id[i].pk, MEXT_KEY_LEN);
    m.u.trust.n = 0;
    mext_trust_each(p->keys_dir, add_key, &m);
    return gate_send(p->gate, &m, why);
}

struct trusted {
    const struct packetd *p;
    char *name; /* of the key, [65] */
};

static bool trusts(void *arg, const uint8_t pk[MEXT_KEY_LEN])
{
    struct trusted *t = arg;

    return mext_trust_has(t->p->keys_dir, pk, t->name);
}

/*
 * The first reason against a token (MEXT_E_*), 0 if there is none; why may
 * hold a hint, or is empty.  Marks the token as used.  The door has looked at
 * it before, but counts for nothing here.
 */
static unsigned judge(const struct packetd *p, const struct gate_msg *m,
                      struct mext_token *t_r, char key_r[65],
                      struct mext_why *why)
{
    struct trusted by = { p, key_r };
    uint64_t now = (uint64_t)time(NULL);
    unsigned code = MEXT_E_AUDIENCE;

    why->text[0] = 0;
    for (unsigned i = 0; i < p->ids.n && code == MEXT_E_AUDIENCE; i++)
        code = (unsigned)mext_token_verify(m->u.token.bytes, MEXT_TOKEN_LEN,
                                           p->ids.id[i].pk, now, trusts, &by,
                                           t_r);
    if (!code)
        code = packetd_replay_new(p->state_dir, t_r->id, t_r->expiry, now, why);
    if (!code && !sodium_is_zero(t_r->image, MEXT_DIGEST_LEN) &&
        memcmp(t_r->image, p->measurement, MEXT_DIGEST_LEN))
        code = MEXT_E_IMAGE;
    if (!code && packetd_admit_token(p, key_r, t_r, m->fd < 0, why))
        code = MEXT_E_REFUSED;
    return code;
}

static void note_session(struct session *s, pid_t pid, bool migrates, int joins,
                         const uint8_t id[MEXT_ID_LEN])
{
    *s = (struct session){ .pid = pid, .migrates = migrates, .joins = joins };
    memcpy(s->id, id, MEXT_ID_LEN);
}

/* Ours and the line's end of what further connections go through; -1: none. */
static void make_joins(const struct mext_token *t, int ends_r[2])
{
    ends_r[0] = ends_r[1] = -1;
    if (t->receiver == MEXT_RECEIVER_DOM0 && t->channels > 1 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_r))
        packetd_log("socketpair: %s", strerror(errno));
}

/* A process for a token that was taken. */
static void start_session(const struct packetd *p, const struct gate_msg *m,
                          const struct mext_token *t, const char *key,
                          unsigned slot)
{
    int joins[2];
    pid_t pid;

    make_joins(t, joins);
    pid = start_process();
    if (pid == 0 && m->fd < 0)
        _exit(packetd_datagram(p, m->u.token.bytes, key, t, &m->u.token.from));
    if (pid == 0) {
        close(p->gate);
        close_end(joins[0]);
        _exit(packetd_session(p, m->u.token.bytes, t, key, m->fd, joins[1],
                              slot));
    }
    close_end(joins[1]);
    if (pid > 0)
        note_session(&sessions[slot], pid, m->fd >= 0, joins[0], t->id);
    else
        close_end(joins[0]);
}

/*
 * Whose connection it is the line finds out: it has the keys.  One that takes none
 * now does without, its source comes again.
 */
static void on_join(const struct gate_msg *m)
{
    struct mext_why quiet;

    mext_net_options(m->fd); /* the line may not do that */
    for (unsigned i = 0; i < SESSIONS_MAX; i++)
        if (sessions[i].pid && sessions[i].joins >= 0 &&
            !memcmp(sessions[i].id, m->u.join.id, MEXT_ID_LEN))
            gate_offer(sessions[i].joins, m, &quiet);
    close(m->fd);
}

static int on_token(const struct packetd *p, const struct gate_msg *m,
                    struct mext_why *why)
{
    struct gate_msg v = { .type = GATE_VERDICT, .fd = -1 };
    char *text = v.u.verdict.why.text, key[65];
    struct mext_token t;
    int slot = -1, rc;

    v.u.verdict.code = (uint16_t)judge(p, m, &t, key, &v.u.verdict.why);
    if (!v.u.verdict.code && (slot = free_slot(p)) < 0) {
        v.u.verdict.code = MEXT_E_INTERNAL;
        mext_fail(&v.u.verdict.why, "too many migrations at once: try later");
    }
    /* A hint may hold the name of a file. */
    mext_show(text, strlen(text), text, sizeof(v.u.verdict.why.text));
    counts.taken += !v.u.verdict.code; /* the door counts the others */
    rc = gate_send(p->gate, &v, why);
    if (slot >= 0)
        start_session(p, m, &t, key, (unsigned)slot);
    if (m->fd >= 0)
        close(m->fd);
    return rc;
}

/* Signed by each key that is to be trusted; not longer than the question. */
static int on_whois(const struct packetd *p, const struct gate_msg *m,
                    struct mext_why *why)
{
    struct gate_msg a = { .type = GATE_ANSWER, .fd = -1 };
    size_t n;

    if (mext_whois_answer(m->u.whois.bytes, sizeof(m->u.whois.bytes), p->ids.id,
                          p->ids.ntold, a.u.answer.bytes, &n))
        return 0;
    a.u.answer.to = m->u.whois.from;
    a.u.answer.n = (uint16_t)n;
    return gate_send(p->gate, &a, why);
}

/* The first reason against a question; the door's word counts for nothing. */
static unsigned judge_query(const struct packetd *p, const uint8_t *in,
                            struct mext_query *q_r)
{
    char name[65];
    struct trusted by = { p, name };
    unsigned code = MEXT_E_AUDIENCE;

    for (unsigned i = 0; i < p->ids.n && code == MEXT_E_AUDIENCE; i++)
        code = (unsigned)mext_query_judge(in, MEXT_QUERY_LEN, p->ids.id[i].pk,
                                          trusts, &by, q_r);
    return code;
}

/* Signed by the key that was asked; not longer than the question. */
static int on_query(const struct packetd *p, const struct gate_msg *m,
                    struct mext_why *why)
{
    struct gate_msg a = { .type = GATE_ANSWER, .fd = -1 };
    const uint8_t *in = m->u.query.bytes;
    struct mext_why unread;
    struct mext_fate f;
    struct mext_query q;
    unsigned code = judge_query(p, in, &q);

    if (code) {
        counts.refused[code]++;
        return 0;
    }
    if (packetd_fate(p, &q, &f, &unread)) {
        packetd_log("a source is not answered: %s", unread.text);
        return 0;
    }
    if (mext_fate_sign(&f, in, mext_identities_find(&p->ids, q.audience),
                       a.u.answer.bytes))
        return 0;
    a.u.answer.to = m->u.query.from;
    a.u.answer.n = MEXT_FATE_LEN;
    return gate_send(p->gate, &a, why);
}

/* What the door may say: docs/specs/privsep.md. */
static int on_message(const struct packetd *p, struct mext_why *why)
{
    static struct gate_msg m;
    static bool ready;

    if (gate_recv(p->gate, &m, why))
        return -1;
    switch (m.type) {
    case GATE_HELLO:
        if (!ready)
            service_ready();
        ready = true;
        return send_trust(p, why);
    case GATE_TOKEN:
        return on_token(p, &m, why);
    case GATE_WHOIS:
        return on_whois(p, &m, why);
    case GATE_QUERY:
        return on_query(p, &m, why);
    case GATE_JOIN:
        on_join(&m);
        return 0;
    case GATE_REFUSED:
        for (unsigned i = 0; i < GATE_REASONS; i++)
            counts.refused[i] += m.u.refused.n[i];
        return 0;
    default:
        return mext_fail(why, "message 0x%02x is not the door's", m.type);
    }
}

/* A door that does not keep to what was agreed is not to be trusted. */
static void on_gate(struct packetd *p)
{
    struct mext_why why;

    if (!on_message(p, &why))
        return;
    packetd_log("%s", why.text);
    if (door.pid)
        kill(door.pid, SIGKILL);
    close(p->gate);
    p->gate = -1;
}

/* ---- loop ---- */

static void take_signals(void)
{
    struct sigaction sa = { .sa_handler = on_stop };

    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = on_renew;
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = on_child;
    sigaction(SIGCHLD, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Complains once, until it is possible again. */
static void write_metrics(const struct packetd *p)
{
    static bool complained;
    struct mext_why why;

    counts.running = 0;
    for (unsigned i = 0; i < SESSIONS_MAX; i++)
        counts.running += sessions[i].migrates;
    if (!p->metrics || !memcmp(&counts, &written, sizeof(counts)))
        return;
    written = counts;
    if (!metrics_write(p->metrics, &counts, &why)) {
        complained = false;
    } else if (!complained) {
        packetd_log("%s", why.text);
        complained = true;
    }
}

/* SIGHUP: our own keys are read anew, those of others always are. */
static void reload(struct packetd *p)
{
    static struct mext_identities ids;
    struct mext_why why;

    renew = 0;
    service_reloading();
    if (mext_identities_load(p->keys_dir, &ids, &why)) {
        packetd_log("nothing changes: %s", why.text);
    } else {
        p->ids = ids;
        packetd_log("this host's keys are read again, there are %u", ids.n);
        if (p->gate >= 0 && send_trust(p, &why))
            packetd_log("%s", why.text);
    }
    mext_wipe(&ids, sizeof(ids));
    service_ready();
}

int packetd_monitor(struct packetd *p, const int tcp_and_udp[2])
{
    struct pollfd pf = { .events = POLLIN };

    listeners = tcp_and_udp;
    p->gate = -1;
    take_signals();
    while (!stop) {
        reap();
        keep_door(p);
        keep_watcher(p);
        keep_recovery(p);
        if (renew)
            reload(p);
        pf.fd = p->gate;
        if (poll(&pf, 1, 1000) > 0)
            on_gate(p);
        write_metrics(p);
    }
    service_stopping();
    if (watcher.pid)
        kill(watcher.pid, SIGTERM);
    /* Whoever comes after us finds the port free. */
    if (door.pid && !kill(door.pid, SIGKILL))
        waitpid(door.pid, NULL, 0);
    packetd_log("stopped; migrations under way and guests go on");
    return 0;
}
