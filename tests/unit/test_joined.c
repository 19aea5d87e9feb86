/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may join a line whose stream comes over several connections: a real one,
 * with strangers, doors that lie and sources that are late among those who want to.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "joined_case.h"
#include "line_conns.h"
#include "unit.h"

static struct mext_why why;

static void open_all(void)
{
    open_ready(N, N);
}

static void expect_closed(int fd)
{
    char octet;

    ck_assert_int_eq(mext_net_wait(&fd, 1, WAIT_MS, &why), 0);
    ck_assert_int_le(recv(fd, &octet, 1, 0), 0);
    close(fd);
}

/* The first frame, by these keys, of this type. */
static size_t here(uint8_t frame[LINE_HERE_LEN], const struct mext_root *r,
                   uint8_t dir, uint16_t index, uint64_t counter, uint8_t type)
{
    struct mext_seal s;
    size_t n;

    mext_seal_init(&s, r, dir, index);
    s.counter = counter;
    frame[MEXT_FRAME_HDR_LEN] = type;
    ck_assert_int_eq(mext_frame_seal(&s, frame, 1, MEXT_JOINED_BODY_MAX, &n),
                     0);
    ck_assert_uint_eq(n, LINE_HERE_LEN);
    return n;
}

/* Even with the right first frame it is not taken, and hears nothing. */
static void expect_refused(uint16_t index, uint16_t count)
{
    int fd = knock(index, count);
    uint8_t frame[LINE_HERE_LEN];

    here(frame, &root, MEXT_DIR_TO_DEST, index, 0, MEXT_CTL_HERE);
    send(fd, frame, sizeof(frame), MSG_NOSIGNAL);
    expect_closed(fd);
}

/* ---- who may join ---- */

/* The stream can still come over both others. */
static void is_whole(void)
{
    for (uint16_t i = 1; i < N; i++)
        if (!joined[i].in)
            join(i, N);
    for (unsigned k = 0; k < 2 * N; k++)
        send_piece(N - 1 - k % N, k);
    for (unsigned k = 0; k < 2 * N; k++)
        expect_piece(k);
    close_all();
}

START_TEST(before_ready)
{
    open_line_for(PART_PROGRAM, N);
    expect_refused(1, N);
    ready();
    is_whole();
}
END_TEST

START_TEST(after_the_end)
{
    open_all();
    send_ended(0);
    expect(&session, MEXT_CTL_ENDED);
    expect_refused(1, N);
    close_all();
}
END_TEST

START_TEST(another_count)
{
    open_ready(N, 1);
    expect_refused(1, N + 1);
    expect_refused(N, N + 1);
    expect_refused(1, 2);
    is_whole();
}
END_TEST

START_TEST(second_taker)
{
    uint8_t frame[LINE_HERE_LEN];
    int early;

    open_ready(N, 1);
    early = knock(1, N);
    join(1, N);
    expect_refused(1, N);
    /* It was there before, and has what the key opens next. */
    here(frame, &root, MEXT_DIR_TO_DEST, 1, 1, MEXT_CTL_HERE);
    ck_assert_int_eq(write(early, frame, sizeof(frame)), sizeof(frame));
    expect_closed(early);
    is_whole();
}
END_TEST

static void expect_not_taken(const uint8_t *frame, size_t n, bool more)
{
    int fd = knock(1, N);

    ck_assert_int_eq(write(fd, frame, n), (ssize_t)n);
    if (!more)
        shutdown(fd, SHUT_WR);
    expect_closed(fd);
}

START_TEST(wrong_keys)
{
    const struct mext_root other = { { 1 } };
    const uint8_t to = MEXT_DIR_TO_DEST, from = MEXT_DIR_TO_SOURCE;
    const struct {
        const struct mext_root *root;
        uint8_t dir;
        uint16_t index;
        uint64_t counter;
        uint8_t type;
    } rows[] = {
        { &other, to, 1, 0, MEXT_CTL_HERE },
        { &root, from, 1, 0, MEXT_CTL_HERE },
        { &root, to, 0, 0, MEXT_CTL_HERE }, /* the control connection's */
        { &root, to, 2, 0, MEXT_CTL_HERE },
        { &root, to, 1, 1, MEXT_CTL_HERE },
        { &root, to, 1, 0, MEXT_CTL_JOINED },
        { &root, to, 1, 0, MEXT_CTL_COMMIT },
    };
    uint8_t frame[LINE_HERE_LEN];

    open_ready(N, 1);
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_not_taken(frame,
                         here(frame, rows[i].root, rows[i].dir, rows[i].index,
                              rows[i].counter, rows[i].type),
                         true);
    is_whole();
}
END_TEST

/* However often somebody tries, the key is the source's. */
START_TEST(each_bit_of_here)
{
    uint8_t frame[LINE_HERE_LEN];

    open_ready(N, 1);
    for (unsigned bit = 0; bit < 8 * LINE_HERE_LEN; bit++) {
        here(frame, &root, MEXT_DIR_TO_DEST, 1, 0, MEXT_CTL_HERE);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_not_taken(frame, LINE_HERE_LEN, true);
    }
    is_whole();
}
END_TEST

START_TEST(half_of_here)
{
    uint8_t frame[LINE_HERE_LEN];

    open_ready(N, 1);
    here(frame, &root, MEXT_DIR_TO_DEST, 1, 0, MEXT_CTL_HERE);
    for (size_t n = 0; n < LINE_HERE_LEN; n++)
        expect_not_taken(frame, n, false);
    is_whole();
}
END_TEST

/* One more than there is room for: the oldest goes, the others may still come. */
START_TEST(too_many_strangers)
{
    int fd[LINE_STRANGERS_MAX + 1];
    uint8_t frame[LINE_HERE_LEN];

    open_ready(N, 1);
    for (unsigned i = 0; i <= LINE_STRANGERS_MAX; i++)
        fd[i] = knock(2, N);
    expect_closed(fd[0]);
    here(frame, &root, MEXT_DIR_TO_DEST, 2, 0, MEXT_CTL_HERE);
    ck_assert_int_eq(write(fd[1], frame, sizeof(frame)), sizeof(frame));
    ck_assert_int_eq(mext_conn_init(&joined[2], fd[1], &root, true, 2), 0);
    joined[2].tx.counter = 1;
    expect(&joined[2], MEXT_CTL_JOINED);
    is_whole();
    for (unsigned i = 2; i <= LINE_STRANGERS_MAX; i++)
        expect_closed(fd[i]);
}
END_TEST

/* This program's are sent away after 100 ms. */
START_TEST(silent_strangers)
{
    int fd[LINE_STRANGERS_MAX];

    open_line_for(PART_HOOKED, N);
    ready();
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        fd[i] = knock(1, N);
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        expect_closed(fd[i]);
    is_whole();
}
END_TEST

/* A door that lies passes on what it likes: some block, some are no sockets. */
START_TEST(no_connections)
{
    int p[2], blocks[2], files[2];

    open_ready(N, 1);
    ck_assert_int_eq(pipe(p), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, blocks), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, files), 0);
    hand_in(p[0], 1, N);
    hand_in(p[1], 1, N);
    hand_in(blocks[1], 1, N);
    hand_in(files[1], 2, N);
    ck_assert_int_eq(write(p[1], "sixteen octets, ", 16), 16);
    ck_assert_int_eq(write(blocks[0], "\0\0", 2), 2);
    ck_assert_int_eq(write(files[0], "\0", 1), 1);
    is_whole();
    for (unsigned i = 0; i < 2; i++) {
        close(p[i]);
        close(blocks[i]);
        close(files[i]);
    }
}
END_TEST

/* One that blocks, and that the source's frames come through: never waited for. */
START_TEST(blocks)
{
    int ends[2];

    open_ready(N, 1);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    hand_in(ends[1], 1, N);
    ck_assert_int_eq(mext_conn_init(&joined[1], ends[0], &root, true, 1), 0);
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
    say(&joined[1], MEXT_CTL_HERE);
    expect(&joined[1], MEXT_CTL_JOINED);
    ck_assert_int_eq(write(joined[1].fd, "\0\0\0\40half", 8), 8);
    let_it_read();
    close_all();
    close(ends[1]);
}
END_TEST

/* What else comes from there is no matter, nor that nothing more comes. */
START_TEST(monitor_gone)
{
    struct gate_msg m = { .type = GATE_HELLO, .fd = -1 };

    open_all();
    ck_assert_int_eq(gate_send(joins, &m, &why), 0);
    m.type = GATE_TOKEN;
    m.fd = STDERR_FILENO;
    ck_assert_int_eq(gate_send(joins, &m, &why), 0);
    shutdown(joins, SHUT_RDWR);
    is_whole();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        before_ready,
        after_the_end,
        another_count,
        second_taker,
        wrong_keys,
        each_bit_of_here,
        half_of_here,
        too_many_strangers,
        silent_strangers,
        no_connections,
        blocks,
        monitor_gone,
        NULL,
    };

    unit_need_root();
    return unit_main(unit_suite("joined", tests));
}
