/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration's monitor socket (docs/specs/monitor.md): the server is in this
 * process, and so is who looks and steers.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mext_monitor.h"
#include "mext_net.h"
#include "unit.h"

#define WAIT_MS 10000
#define MANY    100000

static char base[64], dir[80], path[MEXT_STEER_PATH_LEN];
static struct mext_why why;
static struct mext_steer *s;
static struct mext_entry e = {
    .id = { 0x1a, 0x2b, [15] = 0xff },
    .side = MEXT_SIDE_SOURCE,
    .host = "b.example:7010",
    .name = "we\"b",
};

static void setup(void)
{
    strcpy(base, "/tmp/test_steer.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(dir, sizeof(dir), "%s/run", base);
    e.side = MEXT_SIDE_SOURCE;
    ck_assert_int_eq(mext_steer_path(dir, e.id, e.side, path, &why), 0);
}

static void teardown(void)
{
    mext_steer_close(s, "kept", "the test is over");
    s = NULL;
    unlink(path);
    rmdir(dir);
    rmdir(base);
}

static void open_side(enum mext_side side)
{
    e.side = side;
    mext_steer_path(dir, e.id, side, path, &why);
    ck_assert_msg(!mext_steer_open(dir, &e, &s, &why), "%s", why.text);
}

/* ---- who looks ---- */

struct looker {
    int fd;
    size_t n;
    char buf[MEXT_MONITOR_LINE_MAX];
    struct mext_monitor_line line;
};

/* The next line; false: the server closed. */
static bool next(struct looker *k)
{
    char *end;
    size_t n;

    while (!(end = memchr(k->buf, '\n', k->n))) {
        /* by poll: who looks is not cancelled with the migration */
        struct pollfd p = { k->fd, POLLIN, 0 };
        ssize_t r;

        ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
        r = recv(k->fd, k->buf + k->n, sizeof(k->buf) - k->n, 0);
        if (r <= 0)
            return false;
        k->n += (size_t)r;
    }
    n = (size_t)(end - k->buf);
    ck_assert_msg(!mext_monitor_parse(k->buf, n, &k->line, &why), "%.*s: %s",
                  (int)n, k->buf, why.text);
    k->n -= n + 1;
    memmove(k->buf, end + 1, k->n);
    return true;
}

/* Connects only. */
static void reach(struct looker *k)
{
    memset(k, 0, sizeof(*k));
    ck_assert_msg(!mext_net_connect_unix(path, &k->fd, &why), "%s", why.text);
}

/* Connects and reads the greeting. */
static void enter(struct looker *k)
{
    reach(k);
    ck_assert(next(k));
    ck_assert(!k->line.answer && !k->line.last);
}

static void say(struct looker *k, const char *text)
{
    ck_assert_int_eq(send(k->fd, text, strlen(text), MSG_NOSIGNAL),
                     (ssize_t)strlen(text));
}

/* The answer to a command, status lines before it passed over. */
static bool answer(struct looker *k, const char *command)
{
    say(k, command);
    say(k, "\n");
    do
        ck_assert_msg(next(k), "%s", command);
    while (!k->line.answer);
    return k->line.ok;
}

static void accepted(struct looker *k, const char *command)
{
    ck_assert_msg(answer(k, command), "%s: %s", command, k->line.text);
}

/* Refused, with a reason that has the word in it. */
static void refused(struct looker *k, const char *command, const char *word)
{
    ck_assert_msg(!answer(k, command), "%s", command);
    ck_assert_msg(strstr(k->line.text, word) != NULL, "%s: %s", command,
                  k->line.text);
}

static bool cancelled(void)
{
    return mext_net_cancelled(&why) != 0;
}

/* The thread has to see a signal first. */
static void wait_cancelled(void)
{
    int none = -1;

    ck_assert_int_eq(mext_net_wait(&none, 1, WAIT_MS, &why), -1);
    ck_assert_str_eq(why.text, "cancelled");
}

/* ---- looking ---- */

START_TEST(greeting)
{
    struct mext_monitor_line *l;
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    l = &k.line;
    ck_assert_str_eq(l->id, "1a2b00000000000000000000000000ff");
    ck_assert_str_eq(l->side, "out");
    ck_assert_str_eq(l->guest, "we\"b");
    ck_assert_str_eq(l->peer, "b.example:7010");
    ck_assert_str_eq(l->state, "new");
    ck_assert_str_eq(l->step, "");
    close(k.fd);
}
END_TEST

START_TEST(modes)
{
    struct stat st;

    open_side(MEXT_SIDE_SOURCE);
    ck_assert_int_eq(stat(dir, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0600);
    mext_steer_close(s, "kept", NULL);
    s = NULL;
    ck_assert_int_eq(stat(path, &st), -1);
}
END_TEST

START_TEST(stale_socket)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct looker k;

    ck_assert_int_eq(mkdir(dir, 0755), 0);
    strcpy(sa.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    close(fd);
    ck_assert_int_eq(mext_net_connect_unix(path, &fd, &why), -1);
    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    close(k.fd);
}
END_TEST

START_TEST(places_refused)
{
    static char deep[200];

    ck_assert_int_eq(symlink("/tmp", dir), 0);
    ck_assert_int_eq(mext_steer_open(dir, &e, &s, &why), -1);
    ck_assert_int_eq(unlink(dir), 0);
    memset(deep, 'x', sizeof(deep) - 1);
    ck_assert_int_eq(mext_steer_open(deep, &e, &s, &why), -1);
    ck_assert_int_eq(mext_steer_open("/nowhere/run", &e, &s, &why), -1);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(one_a_process)
{
    struct mext_steer *other = NULL;

    open_side(MEXT_SIDE_SOURCE);
    ck_assert_int_eq(mext_steer_open(dir, &e, &other, &why), -1);
    ck_assert_ptr_null(other);
}
END_TEST

START_TEST(told)
{
    struct mext_standing st = { "copying", "copies \xff\n", 3, 7,
                                9,         UINT64_MAX,      11 };
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    mext_steer_tell(s, &st);
    ck_assert(next(&k));
    ck_assert_str_eq(k.line.state, "copying");
    ck_assert_str_eq(k.line.step, "copies ??");
    ck_assert_uint_eq(k.line.iteration, 3);
    ck_assert_uint_eq(k.line.sent, 7);
    ck_assert_uint_eq(k.line.of, 9);
    ck_assert_uint_eq(k.line.wire_bytes, UINT64_MAX);
    ck_assert_uint_eq(k.line.pages_per_s, 11);
    close(k.fd);
}
END_TEST

/* Many changes at once are few lines, and the last change is among them. */
START_TEST(told_seldom)
{
    struct mext_standing st = { .state = "copying", .step = "" };
    uint64_t begun;
    unsigned lines = 0, most;
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    begun = mext_now_ms();
    for (st.sent = 1; st.sent < MANY; st.sent++)
        mext_steer_tell(s, &st);
    mext_steer_tell(s, &st);
    do {
        ck_assert(next(&k));
        lines++;
    } while (k.line.sent < MANY);
    most = (unsigned)((mext_now_ms() - begun) / MEXT_MONITOR_EVERY_MS) + 2;
    ck_assert_uint_le(lines, most);
    close(k.fd);
}
END_TEST

START_TEST(last_line)
{
    struct looker k[2], late;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k[0]);
    enter(&k[1]);
    mext_steer_close(s, "done", "it runs there");
    s = NULL;
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(next(&k[i]));
        ck_assert(k[i].line.last);
        ck_assert_str_eq(k[i].line.state, "done");
        ck_assert_str_eq(k[i].line.text, "it runs there");
        ck_assert(!next(&k[i]));
        close(k[i].fd);
    }
    ck_assert_int_eq(mext_net_connect_unix(path, &late.fd, &why), -1);
}
END_TEST

START_TEST(ninth)
{
    struct looker k[MEXT_MONITOR_CLIENTS_MAX], more;

    open_side(MEXT_SIDE_SOURCE);
    for (unsigned i = 0; i < MEXT_MONITOR_CLIENTS_MAX; i++)
        enter(&k[i]);
    reach(&more);
    ck_assert(next(&more));
    ck_assert(more.line.answer && !more.line.ok);
    ck_assert(!next(&more));
    close(more.fd);
    /* one leaves, another may come */
    close(k[3].fd);
    accepted(&k[0], "{\"do\":\"status\"}");
    do {
        reach(&more);
        ck_assert(next(&more));
        close(more.fd);
    } while (more.line.answer);
    for (unsigned i = 0; i < MEXT_MONITOR_CLIENTS_MAX; i++)
        if (i != 3)
            close(k[i].fd);
}
END_TEST

/* Asks without end and reads no answer: put out, and the others stay. */
START_TEST(does_not_read)
{
    static const char ask[] = "{\"do\":\"status\"}\n";
    struct looker slow, k;
    unsigned i;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    enter(&slow);
    for (i = 0; i < MANY; i++) {
        struct pollfd p = { slow.fd, POLLOUT, 0 };

        ck_assert_int_eq(poll(&p, 1, WAIT_MS), 1);
        if (send(slow.fd, ask, strlen(ask), MSG_NOSIGNAL) < 0 &&
            errno != EAGAIN)
            break;
    }
    ck_assert_uint_lt(i, MANY);
    accepted(&k, "{\"do\":\"status\"}");
    close(slow.fd);
    close(k.fd);
}
END_TEST

/* ---- steering ---- */

START_TEST(status)
{
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    accepted(&k, " { \"do\" : \"status\" } ");
    ck_assert(next(&k));
    ck_assert_str_eq(k.line.state, "new");
    /* two in one, one in two */
    say(&k, "{\"do\":\"status\"}\n{\"do\":\"status\"}\n{\"do\":");
    for (unsigned i = 0; i < 4; i++) {
        ck_assert(next(&k));
        ck_assert_int_eq(k.line.answer, i % 2 == 0);
    }
    accepted(&k, "\"status\"}");
    close(k.fd);
}
END_TEST

START_TEST(wishes)
{
    struct mext_wishes w = { .iterations = 77 };
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    ck_assert(!mext_steer_wishes(s, &w));
    ck_assert_uint_eq(w.iterations, 77);
    enter(&k);
    accepted(&k, "{\"do\":\"limits\",\"downtime_ms\":50}");
    accepted(&k, "{\"do\":\"limits\",\"downtime_ms\":60,\"iterations\":4}");
    ck_assert(mext_steer_wishes(s, &w));
    ck_assert_uint_eq(w.downtime_ms, 60);
    ck_assert_uint_eq(w.iterations, 4);
    ck_assert_uint_eq(w.bytes_per_s, 0);
    ck_assert(!w.switch_over);
    ck_assert(!mext_steer_wishes(s, &w));
    accepted(&k, "{\"do\":\"limits\",\"bytes_per_s\":5000000}");
    accepted(&k, "{\"do\":\"switch-over\"}");
    ck_assert(mext_steer_wishes(s, &w));
    ck_assert_uint_eq(w.bytes_per_s, 5000000);
    ck_assert_uint_eq(w.downtime_ms, 0);
    ck_assert(w.switch_over);
    accepted(&k, "{\"bytes_per_s\":0,\"do\":\"limits\"}");
    ck_assert(mext_steer_wishes(s, &w));
    ck_assert_uint_eq(w.bytes_per_s, UINT64_MAX);
    ck_assert(!w.switch_over);
    close(k.fd);
}
END_TEST

/* What it is cancelled for. */
static const char *reason(void)
{
    strcpy(why.text, "not cancelled");
    mext_steer_why(s, &why);
    return why.text;
}

START_TEST(time_limit)
{
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    mext_steer_limit(s, 0);
    ck_assert_str_eq(reason(), "not cancelled");
    mext_steer_limit(s, 1);
    wait_cancelled();
    ck_assert_str_eq(reason(), "its time limit of 0 s is over");
    ck_assert_int_eq(mext_steer_commit(s, &why), -1);
    teardown();
    setup();
    /* changed from outside, and taken away again */
    open_side(MEXT_SIDE_SOURCE);
    mext_steer_limit(s, 3600000);
    enter(&k);
    accepted(&k, "{\"do\":\"limits\",\"timeout_ms\":0}");
    accepted(&k, "{\"do\":\"limits\",\"timeout_ms\":1000}");
    wait_cancelled();
    ck_assert_str_eq(reason(), "its time limit of 1 s is over");
    refused(&k, "{\"do\":\"limits\",\"timeout_ms\":0}", "cancelled");
    close(k.fd);
}
END_TEST

START_TEST(no_time_limit_after_commit)
{
    open_side(MEXT_SIDE_SOURCE);
    ck_assert_int_eq(mext_steer_commit(s, &why), 0);
    mext_steer_limit(s, 1);
    ck_assert_int_eq(mext_steer_commit(s, &why), 0);
    ck_assert_str_eq(reason(), "not cancelled");
}
END_TEST

static const char *const bad[] = {
    "",
    " ",
    "x",
    "cancel",
    "\"cancel\"",
    "1",
    "null",
    "true",
    "[]",
    "{}",
    "{",
    "}",
    "{\"do\"}",
    "{\"do\":}",
    "{\"do\":\"cancel\"",
    "{\"do\":\"cancel\"}}",
    "{\"do\":\"cancel\"}{\"do\":\"cancel\"}",
    "{\"do\":\"cancel\",}",
    "{\"do\":\"Cancel\"}",
    "{\"do\":\"cancel \"}",
    "{\"do\":\"\"}",
    "{\"do\":\"a word that is much too long for any\"}",
    "{\"do\":1}",
    "{\"do\":null}",
    "{\"do\":true}",
    "{\"do\":[\"cancel\"]}",
    "{\"do\":{\"do\":\"cancel\"}}",
    "[{\"do\":\"cancel\"}]",
    "{\"do\":\"cancel\",\"do\":\"cancel\"}",
    "{\"do\":\"cancel\",\"now\":1}",
    "{\"do\":\"cancel\",\"iterations\":1}",
    "{\"do\":\"switch-over\",\"downtime_ms\":1}",
    "{\"do\":\"can\\u0063el\"}",
    "{\"do\":\"\\ud800\"}",
    "{\"do\":\"\xff\"}",
    "{\"do\":\"cancel\"} // now",
    "{\"do\":\"limits\"}",
    "{\"do\":\"limits\",\"downtime_ms\":0}",
    "{\"do\":\"limits\",\"downtime_ms\":3600001}",
    "{\"do\":\"limits\",\"downtime_ms\":-1}",
    "{\"do\":\"limits\",\"downtime_ms\":1.5}",
    "{\"do\":\"limits\",\"downtime_ms\":1e3}",
    "{\"do\":\"limits\",\"downtime_ms\":\"100\"}",
    "{\"do\":\"limits\",\"downtime_ms\":18446744073709551617}",
    "{\"do\":\"limits\",\"iterations\":0}",
    "{\"do\":\"limits\",\"iterations\":1001}",
    "{\"do\":\"limits\",\"bytes_per_s\":999999}",
    "{\"do\":\"limits\",\"bytes_per_s\":1000000000000001}",
    "{\"do\":\"limits\",\"bytes\":1000000}",
    "{\"do\":\"limits\",\"timeout_ms\":999}",
    "{\"do\":\"limits\",\"timeout_ms\":604800001}",
};

START_TEST(bad_ones)
{
    struct mext_wishes w;
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(&k, bad[i], "");
    ck_assert(!cancelled());
    ck_assert(!mext_steer_wishes(s, &w));
    accepted(&k, "{\"do\":\"status\"}");
    close(k.fd);
}
END_TEST

START_TEST(octets)
{
    static const char nul[] = "{\"do\":\0\"cancel\"}\n";
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    ck_assert_int_eq(send(k.fd, nul, sizeof(nul) - 1, 0), sizeof(nul) - 1);
    ck_assert(next(&k));
    ck_assert(k.line.answer && !k.line.ok);
    for (unsigned c = 0; c < 256; c++) {
        char two[2] = { (char)c, '\n' };

        ck_assert_int_eq(send(k.fd, two, 2, 0), 2);
        for (unsigned i = 0; i < (c == '\n' ? 2 : 1); i++) {
            ck_assert(next(&k));
            ck_assert(k.line.answer && !k.line.ok);
        }
    }
    ck_assert(!cancelled());
    close(k.fd);
}
END_TEST

START_TEST(long_lines)
{
    char text[MEXT_MONITOR_LINE_MAX + 1];
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    /* the longest that there may be: it is read, and means something */
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"do\":\"status\"}", 15);
    text[MEXT_MONITOR_LINE_MAX - 1] = 0;
    accepted(&k, text);
    ck_assert(next(&k));
    text[MEXT_MONITOR_LINE_MAX - 1] = ' ';
    text[MEXT_MONITOR_LINE_MAX] = 0;
    say(&k, text);
    ck_assert(next(&k));
    ck_assert(k.line.answer && !k.line.ok);
    ck_assert(!next(&k));
    close(k.fd);
}
END_TEST

START_TEST(destination)
{
    struct looker k;

    open_side(MEXT_SIDE_DEST);
    enter(&k);
    ck_assert_str_eq(k.line.side, "in");
    accepted(&k, "{\"do\":\"status\"}");
    refused(&k, "{\"do\":\"limits\",\"iterations\":3}", "source");
    refused(&k, "{\"do\":\"switch-over\"}", "source");
    accepted(&k, "{\"do\":\"cancel\"}");
    ck_assert(cancelled());
    close(k.fd);
}
END_TEST

/* ---- cancel or commit ---- */

START_TEST(cancel)
{
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    ck_assert(!cancelled());
    accepted(&k, "{\"do\":\"cancel\"}");
    ck_assert(cancelled());
    accepted(&k, "{\"do\":\"cancel\"}"); /* again is no error */
    refused(&k, "{\"do\":\"switch-over\"}", "cancelled");
    ck_assert_int_eq(mext_steer_commit(s, &why), -1);
    ck_assert_int_eq(mext_steer_commit(s, &why), -1);
    mext_steer_close(s, "kept", "cancelled");
    s = NULL;
    ck_assert(!cancelled());
    close(k.fd);
}
END_TEST

START_TEST(commit)
{
    struct mext_wishes w;
    struct looker k;

    open_side(MEXT_SIDE_SOURCE);
    enter(&k);
    ck_assert_int_eq(mext_steer_commit(s, &why), 0);
    ck_assert_int_eq(mext_steer_commit(s, &why), 0);
    refused(&k, "{\"do\":\"cancel\"}", "too late");
    refused(&k, "{\"do\":\"switch-over\"}", "too late");
    refused(&k, "{\"do\":\"limits\",\"iterations\":3}", "too late");
    ck_assert(!cancelled());
    ck_assert(!mext_steer_wishes(s, &w));
    for (int i = 0; i < 3; i++)
        raise((const int[]){ SIGTERM, SIGINT, SIGHUP }[i]);
    accepted(&k, "{\"do\":\"status\"}"); /* the thread has seen them */
    ck_assert(!cancelled());
    close(k.fd);
}
END_TEST

START_TEST(signals)
{
    static const int sigs[] = { SIGTERM, SIGINT, SIGHUP };

    for (unsigned i = 0; i < 3; i++) {
        open_side(MEXT_SIDE_SOURCE);
        ck_assert(!cancelled());
        raise(sigs[i]);
        wait_cancelled();
        ck_assert_int_eq(mext_steer_commit(s, &why), -1);
        mext_steer_close(s, "kept", NULL);
        s = NULL;
    }
}
END_TEST

/* A signal that came before counts, whether the thread has seen it or not. */
START_TEST(signal_then_commit)
{
    for (unsigned i = 0; i < 100; i++) {
        open_side(MEXT_SIDE_SOURCE);
        raise(SIGTERM);
        ck_assert_int_eq(mext_steer_commit(s, &why), -1);
        ck_assert(cancelled());
        mext_steer_close(s, "kept", NULL);
        s = NULL;
    }
}
END_TEST

static void on_term(int sig)
{
}

START_TEST(signals_as_before)
{
    struct sigaction sa = { .sa_handler = on_term }, before, now;

    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, NULL, &before);
    open_side(MEXT_SIDE_SOURCE);
    mext_steer_close(s, "kept", NULL);
    s = NULL;
    sigaction(SIGTERM, NULL, &now);
    ck_assert(now.sa_handler == on_term);
    sigaction(SIGINT, NULL, &now);
    ck_assert(now.sa_handler == before.sa_handler);
}
END_TEST

/* One of the two, never both, never neither. */
START_TEST(cancel_against_commit)
{
    for (unsigned i = 0; i < 200; i++) {
        struct looker k;
        bool ok;
        int rc;

        open_side(MEXT_SIDE_SOURCE);
        enter(&k);
        say(&k, "{\"do\":\"cancel\"}\n");
        if (i % 2)
            usleep(i);
        rc = mext_steer_commit(s, &why);
        do
            ck_assert(next(&k));
        while (!k.line.answer);
        ok = k.line.ok;
        ck_assert_int_eq(ok, rc != 0);
        ck_assert_int_eq(ok, cancelled());
        close(k.fd);
        mext_steer_close(s, "kept", NULL);
        s = NULL;
    }
}
END_TEST

START_TEST(without)
{
    struct mext_standing st = { .state = "copying", .step = "" };
    struct mext_wishes w;

    mext_steer_tell(NULL, &st);
    ck_assert(!mext_steer_wishes(NULL, &w));
    ck_assert_int_eq(mext_steer_commit(NULL, &why), 0);
    mext_steer_close(NULL, "kept", "");
}
END_TEST

/* ---- mext_steer_ask ---- */

struct heard {
    unsigned lines, stop_at;
    struct mext_monitor_line line;
};

static bool on_line(void *arg, const char *line, size_t n)
{
    struct heard *h = arg;

    ck_assert_int_eq(mext_monitor_parse(line, n, &h->line, &why), 0);
    return ++h->lines == h->stop_at;
}

START_TEST(ask)
{
    struct heard h = { .stop_at = 2 };

    open_side(MEXT_SIDE_SOURCE);
    ck_assert_int_eq(mext_steer_ask(dir, e.id, e.side,
                                    "{\"do\":\"switch-over\"}", WAIT_MS,
                                    on_line, &h, &why),
                     0);
    ck_assert(h.line.answer && h.line.ok);
    h = (struct heard){ .stop_at = 1 };
    ck_assert_int_eq(
        mext_steer_ask(dir, e.id, e.side, NULL, WAIT_MS, on_line, &h, &why), 0);
    ck_assert_str_eq(h.line.state, "new");
    /* nothing more comes */
    h = (struct heard){ .stop_at = 2 };
    ck_assert_int_eq(
        mext_steer_ask(dir, e.id, e.side, NULL, 50, on_line, &h, &why), -1);
    ck_assert_uint_eq(h.lines, 1);
    ck_assert_int_eq(mext_steer_ask(dir, e.id, MEXT_SIDE_DEST, NULL, WAIT_MS,
                                    on_line, &h, &why),
                     -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        greeting,
        modes,
        stale_socket,
        places_refused,
        one_a_process,
        told,
        told_seldom,
        last_line,
        ninth,
        does_not_read,
        status,
        wishes,
        time_limit,
        no_time_limit_after_commit,
        bad_ones,
        octets,
        long_lines,
        destination,
        cancel,
        commit,
        signals,
        signal_then_commit,
        signals_as_before,
        cancel_against_commit,
        without,
        ask,
        NULL,
    };

    return unit_main(unit_suite_in("steer", tests, setup, teardown));
}
