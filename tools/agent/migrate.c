/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * migrate(8): asks dom0, from inside, to move this guest; see
 * docs/specs/guest-migrate.md.  Lives through the move.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#include "config.h"
#include "mext_move.h"
#include "watch.h"

#define REQUEST MEXT_MOVE_DIR "/request"
#define STATUS  MEXT_MOVE_DIR "/status"

/* Locked by who asks: one at a time. */
#define LOCK "/run/mext-migrate.lock"

/* How long a request that nobody took is waited for, once withdrawn, ms. */
#define LINGER_MS 2000
/* xl needs time to undo what it began. */
#define CANCEL_MS 120000

/* While it is being moved, time is looked at so often. */
#define TICK_MS 20
#define CLOCKS  3

enum { MOVED = 0, STAYED = 1, USAGE = 2 };

struct wish {
    struct xs_handle *xs;
    int watchfd; /* of MEXT_MOVE_DIR */
    struct mext_move_request rq;
    uint32_t seq;            /* of the last status shown, 0: none came */
    char domid[16];          /* before */
    uint64_t clocks[CLOCKS]; /* ms, at the last tick; 0: none yet */
    uint64_t gap;            /* ms, the longest that this program did not run */
    uint64_t limit;          /* ms, for all of it; 0: none */
    uint64_t end;            /* ms, for what is waited for now; 0: for ever */
    const char *silence;     /* what to say if it never was answered */
    bool withdrawn, open;    /* open: a moving line is on screen */
};

static void usage(FILE *f)
{
    fputs("Usage: migrate [OPTION]... HOST[:PORT]\n"
          "\n"
          "Asks this guest's host to move it, while it runs, to HOST.  The\n"
          "host's packetd.conf says whether it may.  Ctrl-C: stays after "
          "all.\n"
          "\n"
          "  --timeout S   stay if it has not happened after so many seconds\n"
          "  --version\n"
          "  --help        this text\n"
          "\n"
          "Exit status: 0 moved, 1 not moved, 2 usage.  See migrate(8).\n",
          f);
}

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/*
 * Of the three clocks, since which of them stand still in a suspend depends on
 * the kernel; real time compares two hosts' clocks.
 */
static void measure_gap(struct wish *w)
{
    static const clockid_t ids[CLOCKS] = { CLOCK_REALTIME, CLOCK_BOOTTIME,
                                           CLOCK_MONOTONIC };

    for (unsigned i = 0; i < CLOCKS; i++) {
        uint64_t now = clock_ms(ids[i]), before = w->clocks[i];

        if (before && now > before + TICK_MS && now - before - TICK_MS > w->gap)
            w->gap = now - before - TICK_MS;
        w->clocks[i] = now;
    }
}

/* One line; a figure that moves is written over by the next on a terminal. */
static void show(struct wish *w, const char *text)
{
    bool terminal = isatty(STDOUT_FILENO);

    if (w->open)
        fputs("\r\033[K", stdout);
    w->open = terminal && strstr(text, " pages/s");
    printf("migrate: %s%s", text, w->open ? "" : "\n");
    fflush(stdout);
}

static int complain(struct wish *w, const char *text)
{
    if (w->open)
        putchar('\n');
    fflush(stdout);
    w->open = false;
    fprintf(stderr, "migrate: %s\n", text);
    return STAYED;
}

/* ---- nodes ---- */

enum found { ABSENT, WRONG, FOUND };

static enum found read_status(struct wish *w, struct mext_move_status *s_r)
{
    unsigned len;
    char *v = xs_read(w->xs, XBT_NULL, STATUS, &len);
    bool absent = !v && errno == ENOENT;
    bool good = v && !mext_move_status_parse(v, len, s_r);

    free(v);
    return absent ? ABSENT : good ? FOUND : WRONG;
}

static enum found read_request(struct wish *w, struct mext_move_request *r_r)
{
    unsigned len;
    char *v = xs_read(w->xs, XBT_NULL, REQUEST, &len);
    bool absent = !v && errno == ENOENT;
    bool good = v && !mext_move_request_parse(v, len, r_r);

    free(v);
    return absent ? ABSENT : good ? FOUND : WRONG;
}

static void read_domid(struct wish *w, char out[16])
{
    unsigned len;
    char *v = xs_read(w->xs, XBT_NULL, "domid", &len);

    snprintf(out, 16, "%.15s", v ? v : "?");
    free(v);
}

/* Somebody else's request that is being answered. */
static bool under_way(struct wish *w)
{
    struct mext_move_request rq;
    struct mext_move_status s;

    return read_request(w, &rq) == FOUND && read_status(w, &s) == FOUND &&
           !strcmp(rq.id, s.id) && !mext_move_final(s.state);
}

/* False if another migrate of this guest asks; until this one ends. */
static bool only_one(void)
{
    int fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    return fd < 0 || !flock(fd, LOCK_EX | LOCK_NB);
}

static int new_id(char out[MEXT_MOVE_ID_LEN + 1])
{
    uint64_t r;

    if (getrandom(&r, sizeof(r), 0) != sizeof(r))
        return -1;
    snprintf(out, MEXT_MOVE_ID_LEN + 1, "%016llx", (unsigned long long)r);
    return 0;
}

static int ask(struct wish *w)
{
    char text[MEXT_MOVE_REQUEST_MAX + 1];

    if (!only_one() || under_way(w))
        return complain(w, "this guest is being moved already");
    read_domid(w, w->domid);
    if (new_id(w->rq.id))
        return complain(w, "no random numbers");
    mext_move_request_text(&w->rq, text);
    if (!xs_write(w->xs, XBT_NULL, REQUEST, text, (unsigned)strlen(text)))
        return complain(w, "xenstore does not take the request");
    w->watchfd = watch_open(MEXT_MOVE_DIR);
    if (w->watchfd < 0) {
        xs_rm(w->xs, XBT_NULL, REQUEST);
        return complain(w, "xenstore cannot be watched");
    }
    return 0;
}

static void withdraw(struct wish *w)
{
    if (w->withdrawn)
        return;
    w->withdrawn = true;
    xs_rm(w->xs, XBT_NULL, REQUEST);
    w->end = clock_ms(CLOCK_MONOTONIC) + (w->seq ? CANCEL_MS : LINGER_MS);
}

/* ---- waiting ---- */

static int moved(struct wish *w)
{
    char domid[16], text[160];

    read_domid(w, domid);
    snprintf(text, sizeof(text),
             "this guest now runs on another host (was domain %s, is domain "
             "%s), it stood still for %llu ms",
             w->domid, domid, (unsigned long long)w->gap);
    show(w, text);
    return MOVED;
}

/* -1: not over yet. */
static int take_status(struct wish *w, const struct mext_move_status *s)
{
    char text[MEXT_MOVE_TEXT_MAX + 32];

    if (strcmp(s->id, w->rq.id) || s->seq <= w->seq)
        return -1;
    if (!w->withdrawn)
        w->end = w->limit;
    w->seq = s->seq;
    if (!mext_move_final(s->state)) {
        show(w, s->text);
        return -1;
    }
    snprintf(text, sizeof(text), "%s: %s",
             s->state == MEXT_MOVE_REFUSED ? "refused" : "not moved", s->text);
    return complain(w, text);
}

/* After anything changed below our folder, or in another domain. */
static int look(struct wish *w)
{
    struct mext_move_request rq;
    struct mext_move_status s;
    enum found request = read_request(w, &rq), status = read_status(w, &s);

    if (status == FOUND) {
        int rc = take_status(w, &s);

        if (rc >= 0)
            return rc;
    }
    /* Answered once, and now nothing of it is there: another domain's. */
    if (w->seq && request == ABSENT && status == ABSENT)
        return moved(w);
    if (w->withdrawn || (request == FOUND && !strcmp(rq.id, w->rq.id)))
        return -1;
    if (request == ABSENT && !w->seq)
        return complain(w, "the request is gone: moved or restored by others?");
    if (request != ABSENT)
        return complain(w, "another request took this one's place");
    withdraw(w); /* removed by somebody: wait for what comes of it */
    return -1;
}

static bool is_late(const struct wish *w)
{
    return w->end && w->end <= clock_ms(CLOCK_MONOTONIC);
}

/* For poll. */
static int next_time(const struct wish *w)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC);

    if (w->seq)
        return TICK_MS;
    return w->end <= now ? 0 : (int)(w->end - now);
}

static int late(struct wish *w)
{
    if (w->withdrawn)
        return complain(w, w->seq ? "withdrawn, but nobody says what became "
                                    "of it"
                                  : w->silence);
    if (w->seq)
        show(w, "it takes too long: asking to stay");
    withdraw(w);
    return -1;
}

/* A second signal gives up waiting for the answer to the first. */
static int interrupted(struct wish *w, int sigfd)
{
    struct signalfd_siginfo si;

    if (read(sigfd, &si, sizeof(si)) != sizeof(si))
        return -1;
    if (w->withdrawn)
        return complain(w, "not waiting any longer");
    show(w, "asking to stay");
    w->silence = "the request is withdrawn";
    withdraw(w);
    return -1;
}

static int wait_for_it(struct wish *w, int sigfd)
{
    struct pollfd p[2] = { { .fd = sigfd, .events = POLLIN },
                           { .fd = w->watchfd, .events = POLLIN } };
    int rc = look(w);

    while (rc < 0) {
        int r = poll(p, 2, next_time(w));

        if (r < 0 && errno != EINTR)
            return complain(w, strerror(errno));
        if (w->seq)
            measure_gap(w);
        if (r > 0 && p[0].revents)
            rc = interrupted(w, sigfd);
        if (r > 0 && rc < 0 && p[1].revents && watch_fired(w->watchfd))
            rc = look(w);
        if (rc < 0 && is_late(w))
            rc = late(w);
    }
    return rc;
}

/* ---- the whole ---- */

static int signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int run(struct wish *w, unsigned timeout_s)
{
    int sigfd = signals(), rc;

    w->xs = xs_open(0);
    if (!w->xs)
        return complain(w, "cannot reach xenstore: is this a Xen guest, and "
                           "am I root?");
    rc = ask(w);
    if (rc)
        return rc;
    w->silence = "nobody answers: does packetd run on this guest's host?";
    w->end = clock_ms(CLOCK_MONOTONIC) + MEXT_MOVE_ANSWER_MS;
    if (timeout_s)
        w->limit = clock_ms(CLOCK_MONOTONIC) + timeout_s * 1000ULL;
    if (w->limit && w->limit < w->end)
        w->end = w->limit;
    rc = wait_for_it(w, sigfd);
    xs_rm(w->xs, XBT_NULL, MEXT_MOVE_DIR);
    return rc;
}

enum { O_TIMEOUT = 256, O_VERSION };

static const struct option options[] = {
    { "timeout", required_argument, NULL, O_TIMEOUT },
    { "version", no_argument, NULL, O_VERSION },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static bool take_timeout(const char *text, unsigned *s_r)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    *s_r = (unsigned)v;
    return text[0] >= '0' && text[0] <= '9' && !*end && v >= 1 && v <= 1000000;
}

int main(int argc, char **argv)
{
    static struct wish wish;
    unsigned timeout_s = 0;
    const char *dest;
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return 0;
        }
        if (c == O_VERSION) {
            puts(PACKAGE_VERSION);
            return 0;
        }
        if (c == O_TIMEOUT && take_timeout(optarg, &timeout_s))
            continue;
        usage(stderr);
        return USAGE;
    }
    if (argc - optind != 1) {
        usage(stderr);
        return USAGE;
    }
    dest = argv[optind];
    if (mext_move_dest(dest, strlen(dest), wish.rq.dest)) {
        complain(
            &wish,
            "not HOST[:PORT]: letters, digits, dots, hyphens and underscores");
        return USAGE;
    }
    return run(&wish, timeout_s);
}
