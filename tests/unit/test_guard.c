/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What packetd's door does against floods, callers that dawdle and a monitor
 * that does not keep to the specification.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door_case.h"

#define WAIT_MS 60000

static struct mext_why why;

/* ---- rate ---- */

/* Malformed tokens: those that are looked at are counted as such. */
static void flood(const char *from, unsigned n)
{
    int fd = udp_from(from);

    while (n--)
        ck_assert_int_eq(send(fd, "?", 1, 0), 1);
    close(fd);
}

START_TEST(rate_any)
{
    flood("127.0.0.1", 100);
    await_counted(100);
    ck_assert_uint_eq(counted[MEXT_E_MALFORMED], 100);
}
END_TEST

/* At most two seconds' worth at once, then one a second. */
START_TEST(rate_one)
{
    uint64_t began = mext_now_ms(), looked;
    unsigned told = 0;

    rate = 1;
    send_trust();
    flood("127.0.0.1", 100);
    await_counted(100);
    looked = counted[MEXT_E_MALFORMED];
    ck_assert_uint_eq(counted[0], 100 - looked);
    ck_assert_uint_ge(looked, 2);
    ck_assert_uint_le(looked, 3 + (mext_now_ms() - began) / 1000);
    /* over TCP it is not even told */
    for (unsigned i = 0; i < 10; i++) {
        int fd = call("127.0.0.1");
        char c;

        send_frame(fd, "?", 1);
        told += recv(fd, &c, 1, 0) > 0;
        close(fd);
    }
    await_counted(110);
    ck_assert_uint_eq(counted[MEXT_E_MALFORMED], looked + told);
    looked += told;
    ck_assert_uint_eq(counted[0], 110 - looked);
    ck_assert_uint_le(looked, 3 + (mext_now_ms() - began) / 1000);
}
END_TEST

/* Each address has its own; two may have one by chance, but not most. */
START_TEST(rate_of_others)
{
    static const char *const others[] = {
        "127.0.0.2", "127.0.0.3", "127.0.0.4",
        "127.0.0.5", "127.0.0.6", "127.0.0.7"
    };
    uint64_t looked;

    rate = 1;
    send_trust();
    flood("127.0.0.1", 100);
    await_counted(100);
    looked = counted[MEXT_E_MALFORMED];
    for (size_t i = 0; i < COUNT(others); i++)
        flood(others[i], 1);
    await_counted(100 + COUNT(others));
    ck_assert_uint_ge(counted[MEXT_E_MALFORMED], looked + COUNT(others) / 2);
}
END_TEST

/* Whoever sends datagrams in another's name does not keep that one out. */
START_TEST(rate_of_connections)
{
    uint8_t token[MEXT_TOKEN_LEN];
    int fd;

    rate = 1;
    send_trust();
    flood("127.0.0.1", 100);
    await_counted(100);
    fd = call("127.0.0.1");
    fresh_token(token, FIX_SOURCE, 1);
    send_frame(fd, token, sizeof(token));
    await_token();
    ck_assert_mem_eq(got.u.token.bytes, token, sizeof(token));
    close(got.fd);
    send_verdict(0, "");
    close(fd);
}
END_TEST

/* Whether one that joins is passed on; if not it is hung up on without a word. */
static bool is_passed_on(const uint8_t join[MEXT_JOIN_LEN])
{
    int fd = call("127.0.0.1"), fds[] = { door.gate, fd }, ready;
    char c;

    send_frame(fd, join, MEXT_JOIN_LEN);
    got.type = 0;
    while (got.type != GATE_JOIN &&
           (ready = mext_net_wait(fds, 2, WAIT_MS, &why)) == 0)
        take_message();
    if (got.type == GATE_JOIN) {
        close(got.fd);
    } else {
        ck_assert_int_eq(ready, 1);
        ck_assert_int_le(recv(fd, &c, 1, 0), 0);
    }
    close(fd);
    return got.type == GATE_JOIN;
}

/* Who joins is one connection more. */
START_TEST(rate_of_joins)
{
    struct mext_open o = { .index = 1, .count = 2 };
    uint64_t began = mext_now_ms();
    uint8_t join[MEXT_JOIN_LEN];
    unsigned passed = 0;

    ck_assert_int_eq(mext_join_encode(&o, join), 0);
    rate = 1;
    send_trust();
    for (unsigned i = 0; i < 12; i++)
        passed += is_passed_on(join);
    ck_assert_uint_ge(passed, 2);
    ck_assert_uint_le(passed, 3 + (mext_now_ms() - began) / 1000);
}
END_TEST

/* ---- callers that dawdle ---- */

START_TEST(ninth_caller)
{
    int fd[9];

    for (unsigned i = 0; i < COUNT(fd); i++)
        fd[i] = call("127.0.0.1");
    expect_end(fd[0]);
    /* the others are still there, in whatever order */
    for (unsigned i = 1; i < COUNT(fd); i++) {
        send_frame(fd[i], "?", 1);
        expect_refuse(fd[i], MEXT_E_MALFORMED, "");
    }
}
END_TEST

/* One from elsewhere pushes out nobody until all places are taken. */
START_TEST(all_places)
{
    char from[16];
    int fd[65], n = 0;

    for (unsigned host = 1; host <= 9; host++)
        for (unsigned i = 0; i < 8 && n < 65; i++) {
            snprintf(from, sizeof(from), "127.0.0.%u", host);
            fd[n++] = call(from);
        }
    expect_end(fd[0]);
    for (int i = 1; i < n; i++) {
        send_frame(fd[i], "?", 1);
        expect_refuse(fd[i], MEXT_E_MALFORMED, "");
    }
}
END_TEST

/* The hooked program differs in nothing but its haste. */
START_TEST(deadline)
{
    int fd;

    open_door_as(PART_HOOKED, NULL, -1);
    take_message();
    fd = call("127.0.0.1");
    ck_assert_int_eq(write(fd, "\0\0\1\x38half", 8), 8);
    expect_end(fd);
    expect_end(call("127.0.0.1"));
    close_door();
}
END_TEST

/* ---- the log ---- */

static int log_fd[2];
static char logged[65536];
static size_t nlogged;

static void read_log(void)
{
    ssize_t n;

    while ((n = read(log_fd[0], logged + nlogged,
                     sizeof(logged) - 1 - nlogged)) > 0)
        nlogged += (size_t)n;
    ck_assert(n < 0 && errno == EAGAIN);
    logged[nlogged] = 0;
}

/* Refusals that the log tells, one by one or as a number. */
static void count_log(unsigned *lines_r, unsigned *more_r)
{
    *lines_r = *more_r = 0;
    for (char *p = logged, *end; (end = strchr(p, '\n')); p = end + 1) {
        int after = 0;
        unsigned n;

        ck_assert_int_lt(end - p, 1024);
        if (sscanf(p, "packetd: %u more were refused%n", &n, &after) == 1 &&
            after == end - p)
            *more_r += n;
        else
            ++*lines_r;
    }
}

START_TEST(log_is_bounded)
{
    uint64_t began = mext_now_ms(), sent = 200;
    unsigned lines, more = 0;

    ck_assert_int_eq(pipe2(log_fd, O_CLOEXEC | O_NONBLOCK), 0);
    open_door_as(PART_PROGRAM, NULL, log_fd[1]);
    take_message();
    flood("127.0.0.1", (unsigned)sent);
    await_counted(sent);
    /* what was left out is told with the next line */
    while (!more) {
        flood("127.0.0.1", 1);
        await_counted(++sent);
        read_log();
        count_log(&lines, &more);
    }
    ck_assert_uint_eq(lines + more, sent);
    ck_assert_uint_le(lines, 10 * (2 + (mext_now_ms() - began) / 1000));
    ck_assert_ptr_nonnull(strstr(logged, "127.0.0.1 port "));
    close_door();
}
END_TEST

/* ---- the monitor ---- */

static void expect_gone(void)
{
    int status = part_wait(door.pid);

    ck_assert_msg(WIFEXITED(status), "status %x", (unsigned)status);
    close(door.gate);
}

struct packet {
    const char *bytes;
    size_t n;
};

static const struct packet bad_packets[] = {
    { "\x02\0\0\0\0", 5 },            /* VERDICT, and nothing is open */
    { "\x7f", 1 },                    /* no such type */
    { "\x81", 1 },                    /* HELLO is the door's */
    { "\x01\0\0\0\0\0\0\0", 8 },      /* cut */
    { "\x01\0\0\0\0\0\0\0\0\0", 10 }, /* longer */
    { "\x01\0\0\0\0\0\4\0\0", 9 },    /* four keys of this host */
    { "\x03\0\0\0", 4 },              /* ANSWER to nobody */
};

static void send_bad(size_t i)
{
    ck_assert_int_eq(send(door.gate, bad_packets[i].bytes, bad_packets[i].n, 0),
                     (ssize_t)bad_packets[i].n);
}

START_TEST(bad_when_open)
{
    for (size_t i = 0; i < COUNT(bad_packets); i++) {
        open_door();
        send_bad(i);
        expect_gone();
    }
}
END_TEST

/* While a token is judged only its verdict may be, which is in the first. */
START_TEST(bad_when_judged)
{
    uint8_t token[MEXT_TOKEN_LEN];

    fresh_token(token, FIX_SOURCE, 1);
    for (size_t i = 1; i < COUNT(bad_packets); i++) {
        int fd;

        open_door();
        fd = call("127.0.0.1");
        send_frame(fd, token, sizeof(token));
        await_token();
        close(got.fd);
        send_bad(i);
        expect_gone();
        close(fd);
    }
}
END_TEST

/* Before TRUST there is nothing to judge by, and no verdict. */
START_TEST(bad_at_first)
{
    for (size_t i = 0; i < COUNT(bad_packets); i++) {
        open_door_as(PART_PROGRAM, NULL, -1);
        send_bad(i);
        expect_gone();
    }
}
END_TEST

START_TEST(descriptor_unasked)
{
    struct gate_msg m = { .type = GATE_TRUST, .fd = STDERR_FILENO };

    open_door();
    ck_assert_int_eq(gate_send(door.gate, &m, &why), 0);
    expect_gone();
}
END_TEST

START_TEST(monitor_gone)
{
    uint8_t token[MEXT_TOKEN_LEN];
    int fd;

    open_door_as(PART_PROGRAM, NULL, -1); /* waits for TRUST */
    close_door();
    open_door();
    close_door();
    open_door();
    fd = call("127.0.0.1");
    fresh_token(token, FIX_SOURCE, 1);
    send_frame(fd, token, sizeof(token));
    await_token();
    close(got.fd);
    close_door(); /* waits for VERDICT */
    close(fd);
}
END_TEST

int main(void)
{
    const TTest *const with_door[] = { rate_any,       rate_one,
                                       rate_of_others, rate_of_connections,
                                       rate_of_joins,  ninth_caller,
                                       all_places,     NULL };
    const TTest *const alone[] = { deadline,      log_is_bounded,
                                   bad_when_open, bad_when_judged,
                                   bad_at_first,  descriptor_unasked,
                                   monitor_gone,  NULL };
    Suite *s = unit_suite_in("guard", with_door, open_door, close_door);

    unit_need_root();
    unit_case(s, "by itself", alone);
    return unit_main(s);
}
