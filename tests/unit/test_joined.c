/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line whose stream comes over several connections: a real one, with the test
 * as source, session and monitor, and strangers among those who want to join.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "line_case.h"
#include "line_conns.h"
#include "mext_chunk.h"
#include "mext_stream.h"
#include "unit.h"

#define N 3 /* connections, but where a test says so */

static struct mext_why why;
static struct mext_conn joined[MEXT_CHANNELS_MAX]; /* our ends; 0: not used */

/* ---- who joins ---- */

static struct mext_conn *conn(unsigned i)
{
    return i ? &joined[i] : &source;
}

/* To the line, as the monitor passes a connection on; fd stays ours. */
static void hand_in(int fd, uint16_t index, uint16_t count)
{
    struct gate_msg m = { .type = GATE_JOIN, .fd = fd };

    m.u.join.index = index;
    m.u.join.count = count;
    ck_assert_msg(!gate_send(joins, &m, &why), "%s", why.text);
}

/* Our end of a connection that wants to join. */
static int knock(uint16_t index, uint16_t count)
{
    int ends[2];

    connect_tcp(ends);
    hand_in(ends[1], index, count);
    close(ends[1]);
    return ends[0];
}

static void expect_closed(int fd)
{
    char octet;

    ck_assert_int_eq(mext_net_wait(&fd, 1, WAIT_MS, &why), 0);
    ck_assert_int_le(recv(fd, &octet, 1, 0), 0);
    close(fd);
}

static void say(struct mext_conn *c, uint8_t type)
{
    struct mext_ctl m = { .type = type };

    ck_assert_int_eq(mext_conn_send(c, &m, WAIT_MS, &why), 0);
}

static void expect(struct mext_conn *c, uint8_t type)
{
    struct mext_ctl m;

    ck_assert_msg(!mext_conn_recv(c, &m, WAIT_MS, NULL, &why), "%s", why.text);
    ck_assert_uint_eq(m.type, type);
}

static void join(uint16_t i, uint16_t count)
{
    ck_assert_int_eq(
        mext_conn_init(&joined[i], knock(i, count), &root, true, i), 0);
    say(&joined[i], MEXT_CTL_HERE);
    expect(&joined[i], MEXT_CTL_JOINED);
}

static void leave_all(void)
{
    for (unsigned i = 1; i < MEXT_CHANNELS_MAX; i++)
        mext_conn_close(&joined[i]);
}

static void ready(void)
{
    say(&session, MEXT_CTL_READY);
    expect(&source, MEXT_CTL_READY);
}

/* A line that others may join, and of `there` connections all have. */
static void open_ready(uint16_t channels, uint16_t there)
{
    open_line_for(PART_PROGRAM, channels);
    ready();
    for (uint16_t i = 1; i < there; i++)
        join(i, channels);
}

static void open_all(void)
{
    open_ready(N, N);
}

/* The session first: the loss of one would be a fault of the source's. */
static void close_all(void)
{
    close_line();
    leave_all();
}

/* ---- pieces ---- */

static void send_piece_as(struct mext_conn *c, uint64_t number,
                          const char *text, uint32_t len)
{
    struct mext_ctl m = { .type = MEXT_CTL_PIECE };

    m.u.piece.number = number;
    m.u.piece.bytes = (const uint8_t *)text;
    m.u.piece.n = (uint32_t)strlen(text);
    m.u.piece.len = len;
    ck_assert_int_eq(mext_conn_send(c, &m, WAIT_MS, &why), 0);
}

/* Each of them says its number: 8 octets. */
static void send_piece(unsigned i, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%08u", (unsigned)number);
    send_piece_as(conn(i), number, text, 8);
}

static void send_ended(uint64_t bytes)
{
    struct mext_ctl m = { .type = MEXT_CTL_ENDED };

    m.u.ended.bytes = bytes;
    ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
}

static void expect_piece(unsigned number)
{
    struct mext_ctl m;
    char want[24];

    snprintf(want, sizeof(want), "%08u", number);
    ck_assert_msg(!mext_conn_recv(&session, &m, WAIT_MS, NULL, &why), "%s",
                  why.text);
    ck_assert_uint_eq(m.type, MEXT_CTL_STREAM);
    ck_assert_uint_eq(m.u.stream.len, 8);
    ck_assert_mem_eq(m.u.stream.bytes, want, 8);
}

/*
 * All that was sent to it is read: what it looks at for the first word it has read
 * when it passes on the second.
 */
static void let_it_read(void)
{
    struct mext_ctl m = { .type = MEXT_CTL_STEP }, got;

    m.u.step.text = "";
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(mext_conn_send(&session, &m, WAIT_MS, &why), 0);
        ck_assert_int_eq(mext_conn_recv(&source, &got, WAIT_MS, NULL, &why), 0);
    }
}

static void expect_silence(void)
{
    struct mext_why quiet;

    let_it_read();
    ck_assert_int_eq(mext_net_wait(&session.fd, 1, 0, &quiet), -1);
}

/* ---- in order ---- */

/* A connection's all at once, from the last connection to the first. */
START_TEST(in_order)
{
    static const unsigned of[] = { 2, 0, 1, 1, 2, 0, 0, 2, 1, 2, 2, 1, 0 };

    for (unsigned i = N; i--;)
        for (unsigned k = 0; k < COUNT(of); k++)
            if (of[k] == i)
                send_piece(i, k);
    for (unsigned k = 0; k < COUNT(of); k++)
        expect_piece(k);
    send_ended(8 * COUNT(of));
    expect(&session, MEXT_CTL_ENDED);
}
END_TEST

/* What must wait keeps nobody else from being read. */
START_TEST(held_back)
{
    send_piece(0, 2);
    send_piece(1, 3);
    send_ended(8 * 6);
    expect_silence();
    send_piece(2, 0);
    expect_piece(0);
    expect_silence();
    send_piece(2, 1);
    for (unsigned k = 1; k <= 3; k++)
        expect_piece(k);
    expect_silence();
    send_piece(1, 5);
    send_piece(2, 4);
    expect_piece(4);
    expect_piece(5);
    expect(&session, MEXT_CTL_ENDED);
}
END_TEST

/* After the end it is a control connection as any other. */
START_TEST(goes_on_after_the_end)
{
    send_piece(1, 0);
    send_ended(8);
    expect_piece(0);
    expect(&session, MEXT_CTL_ENDED);
    expect_end(&joined[1]);
    expect_end(&joined[2]);
    leave_all();
    say(&session, MEXT_CTL_PREPARED);
    expect(&source, MEXT_CTL_PREPARED);
    say(&source, MEXT_CTL_COMMIT);
    expect(&session, MEXT_CTL_COMMIT);
    say(&session, MEXT_CTL_RUNNING);
    expect(&source, MEXT_CTL_RUNNING);
}
END_TEST

/* More is there than the end says: the session finds that out. */
START_TEST(ends_early)
{
    struct mext_ctl m;

    send_piece(2, 1);
    let_it_read();
    send_ended(0);
    ck_assert_int_eq(mext_conn_recv(&session, &m, WAIT_MS, NULL, &why), 0);
    ck_assert_uint_eq(m.type, MEXT_CTL_ENDED);
    expect_silence();
}
END_TEST

START_TEST(unpacked)
{
    static uint8_t raw[MEXT_STREAM_MAX], packed[MEXT_STREAM_MAX];
    struct mext_ctl m = { .type = MEXT_CTL_PIECE }, got;

    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)(i / 100);
    m.u.piece.bytes = packed;
    m.u.piece.len = sizeof(raw);
    m.u.piece.n = mext_chunk_pack(raw, sizeof(raw), packed);
    for (unsigned i = 0; i < N; i++, m.u.piece.number++) {
        ck_assert_int_eq(mext_conn_send(conn(i), &m, WAIT_MS, &why), 0);
        ck_assert_int_eq(mext_conn_recv(&session, &got, WAIT_MS, NULL, &why),
                         0);
        ck_assert_uint_eq(got.type, MEXT_CTL_STREAM);
        ck_assert_uint_eq(got.u.stream.len, sizeof(raw));
        ck_assert_mem_eq(got.u.stream.bytes, raw, sizeof(raw));
    }
}
END_TEST

/* ---- source and line ---- */

#define STREAM_LEN 6000000

static uint8_t stream[STREAM_LEN]; /* packs well, badly, not at all */

static void make_stream(void)
{
    srand(7);
    for (size_t i = 0; i < STREAM_LEN; i++)
        stream[i] = i % 300000 < 100000   ? 0
                    : i % 300000 < 200000 ? (uint8_t)(rand() % 3)
                                          : (uint8_t)rand();
}

/* Pieces of all lengths, by the source's own threads; NULL: all are sent. */
static void *put_all(void *arg)
{
    struct mext_workers *w = arg;
    uint64_t number = 0;
    static struct mext_why why2;

    for (size_t at = 0; at < STREAM_LEN;) {
        struct mext_piece *p = mext_workers_room(w);
        size_t n = number % 5 ? MEXT_STREAM_MAX : 1 + at % 5000;

        p->number = number++;
        p->len = (uint32_t)(n < STREAM_LEN - at ? n : STREAM_LEN - at);
        memcpy(p->bytes, stream + at, p->len);
        at += p->len;
        if (mext_workers_put(w, &why2))
            return why2.text;
    }
    return mext_workers_idle(w, &why2) ? why2.text : NULL;
}

static void expect_stream(void)
{
    struct mext_ctl m;

    for (size_t at = 0; at < STREAM_LEN; at += m.u.stream.len) {
        ck_assert_msg(!mext_conn_recv(&session, &m, WAIT_MS, NULL, &why), "%s",
                      why.text);
        ck_assert_uint_eq(m.type, MEXT_CTL_STREAM);
        ck_assert_uint_le(m.u.stream.len, STREAM_LEN - at);
        ck_assert_msg(!memcmp(m.u.stream.bytes, stream + at, m.u.stream.len),
                      "another stream from octet %zu on", at);
    }
}

static void send_over(uint16_t n, bool pack)
{
    static struct mext_stream_lane lane[MEXT_CHANNELS_MAX];
    static uint8_t packed[MEXT_CHANNELS_MAX][MEXT_STREAM_MAX];
    void *own[MEXT_CHANNELS_MAX], *said;
    struct mext_workers *w;
    pthread_t thread;
    uint64_t octets = 0;

    open_ready(n, n);
    for (unsigned i = 0; i < n; i++) {
        lane[i] = (struct mext_stream_lane){ .conn = conn(i),
                                             .pack = pack,
                                             .numbered = n > 1,
                                             .packed = packed[i] };
        own[i] = &lane[i];
    }
    ck_assert_int_eq(mext_workers_start(&w, n, sizeof(struct mext_piece),
                                        mext_stream_send, own, &why),
                     0);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_all, w), 0);
    expect_stream();
    ck_assert_int_eq(pthread_join(thread, &said), 0);
    ck_assert_msg(!said, "%s", (char *)said);
    mext_workers_stop(w);
    send_ended(STREAM_LEN);
    expect(&session, MEXT_CTL_ENDED);
    for (unsigned i = 0; i < n; i++)
        octets += conn(i)->sent;
    ck_assert(pack ? octets < STREAM_LEN * 3 / 4 : octets > STREAM_LEN);
    close_all();
}

START_TEST(source_and_line)
{
    static const uint16_t ns[] = { 1, 2, 3, MEXT_CHANNELS_MAX };

    make_stream();
    for (unsigned i = 0; i < COUNT(ns); i++) {
        send_over(ns[i], true);
        send_over(ns[i], false);
    }
}
END_TEST

/* One is lost under way: all threads end, and it is told. */
START_TEST(one_lost_under_way)
{
    static struct mext_stream_lane lane[N];
    void *own[N], *said;
    struct mext_workers *w;
    pthread_t thread;
    struct mext_ctl m;
    int rc;

    open_all();
    for (unsigned i = 0; i < N; i++) {
        lane[i] = (struct mext_stream_lane){ .conn = conn(i),
                                             .numbered = true };
        own[i] = &lane[i];
    }
    ck_assert_int_eq(mext_workers_start(&w, N, sizeof(struct mext_piece),
                                        mext_stream_send, own, &why),
                     0);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_all, w), 0);
    expect(&session, MEXT_CTL_STREAM);
    shutdown(joined[1].fd, SHUT_RDWR);
    while (!(rc = mext_conn_recv(&session, &m, WAIT_MS, NULL, &why)))
        ck_assert_uint_eq(m.type, MEXT_CTL_STREAM);
    ck_assert_int_eq(m.u.abort.code, MEXT_E_LINK);
    ck_assert_int_eq(pthread_join(thread, &said), 0);
    ck_assert_ptr_nonnull(said);
    mext_workers_stop(w);
    leave_all();
    expect_gone(1);
}
END_TEST

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
    expect_closed(knock(1, N));
    ready();
    is_whole();
}
END_TEST

START_TEST(after_the_end)
{
    open_all();
    send_ended(0);
    expect(&session, MEXT_CTL_ENDED);
    expect_closed(knock(1, N));
    close_all();
}
END_TEST

START_TEST(another_count)
{
    open_ready(N, 1);
    expect_closed(knock(1, N + 1));
    expect_closed(knock(N, N + 1));
    expect_closed(knock(1, 2));
    is_whole();
}
END_TEST

START_TEST(second_taker)
{
    int early;

    open_ready(N, 1);
    early = knock(1, N);
    join(1, N);
    expect_closed(knock(1, N));
    /* It was there before, and its first frame comes after. */
    {
        struct mext_conn c;

        ck_assert_int_eq(mext_conn_init(&c, early, &root, true, 1), 0);
        say(&c, MEXT_CTL_HERE);
        expect_end(&c);
        mext_conn_close(&c);
    }
    is_whole();
}
END_TEST

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

/* ---- what ends it ---- */

static void expect_malformed(void)
{
    expect_broken(MEXT_E_MALFORMED);
    leave_all();
}

START_TEST(came_twice)
{
    open_all();
    send_piece(1, 0);
    expect_piece(0);
    send_piece(2, 0);
    expect_malformed();
    open_all(); /* both are held */
    send_piece(1, 1);
    let_it_read();
    send_piece(2, 1);
    expect_malformed();
    open_all(); /* over one connection */
    send_piece(1, 0);
    send_piece(1, 0);
    expect_piece(0);
    expect_malformed();
}
END_TEST

START_TEST(never_came)
{
    open_all();
    for (unsigned i = 0; i < N; i++)
        send_piece(i, 1 + i);
    expect_malformed();
    open_all();
    send_ended(1);
    send_piece(1, 1);
    send_piece(2, 2);
    expect_malformed();
}
END_TEST

START_TEST(after_its_end)
{
    open_all();
    send_ended(0);
    send_piece(0, 0);
    expect(&session, MEXT_CTL_ENDED);
    expect_malformed();
    open_all();
    send_ended(0);
    send_ended(0);
    expect(&session, MEXT_CTL_ENDED);
    expect_malformed();
}
END_TEST

/* Each type is at home on the control connection, or is a PIECE, or HERE. */
START_TEST(over_the_wrong_connection)
{
    for (size_t i = 0; i < fix_nctl; i++) {
        struct mext_ctl m = { 0 };

        fix_ctl[i].fill(&m);
        if (m.type == MEXT_CTL_PIECE || strstr(fix_ctl[i].name, "-full"))
            continue;
        open_all();
        ck_assert_int_eq(mext_conn_send(&joined[2], &m, WAIT_MS, &why), 0);
        expect_malformed();
    }
}
END_TEST

START_TEST(numbers_or_not)
{
    struct mext_ctl m = { .type = MEXT_CTL_STREAM };

    m.u.stream.bytes = (const uint8_t *)"piece";
    m.u.stream.len = 5;
    open_all();
    ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
    expect_malformed();
    open_line();
    send_piece(0, 0);
    expect_malformed();
}
END_TEST

START_TEST(lost)
{
    for (unsigned i = 0; i < N; i++) {
        open_all();
        shutdown(conn(i)->fd, SHUT_WR);
        expect_abort(&session, MEXT_E_LINK, NULL);
        leave_all();
        expect_gone(1);
    }
}
END_TEST

START_TEST(does_not_unpack)
{
    open_all();
    send_piece_as(&joined[1], 0, "block", 60);
    expect_broken(MEXT_E_LINK);
    leave_all();
}
END_TEST

/* A piece as it is sealed, with an octet changed. */
START_TEST(each_octet_of_a_piece)
{
    uint8_t frame[64];

    for (size_t i = 0;; i++) {
        struct mext_ctl m = { .type = MEXT_CTL_PIECE };
        struct mext_buf b;
        size_t n;

        open_all();
        m.u.piece.bytes = (const uint8_t *)"piece";
        m.u.piece.n = m.u.piece.len = 5;
        mext_buf_init(&b, frame + MEXT_FRAME_HDR_LEN, 40);
        ck_assert_int_eq(mext_ctl_encode(&m, &b), 0);
        ck_assert_int_eq(mext_frame_seal(&joined[1].tx, frame, b.pos,
                                         MEXT_JOINED_BODY_MAX, &n),
                         0);
        if (i == n)
            break;
        frame[i] ^= 0x10;
        ck_assert_int_eq(write(joined[1].fd, frame, n), (ssize_t)n);
        shutdown(joined[1].fd, SHUT_WR);
        expect_broken(MEXT_E_LINK);
        leave_all();
    }
    close_all();
}
END_TEST

/* One octet longer than a piece can be is not waited for. */
START_TEST(too_long)
{
    uint8_t header[MEXT_FRAME_HDR_LEN];

    open_all();
    mext_store32(header, MEXT_JOINED_BODY_MAX + 1);
    ck_assert_int_eq(write(joined[1].fd, header, sizeof(header)),
                     sizeof(header));
    expect_broken(MEXT_E_LINK);
    leave_all();
}
END_TEST

int main(void)
{
    const TTest *const with_line[] = {
        in_order, held_back, goes_on_after_the_end, ends_early, unpacked, NULL
    };
    const TTest *const alone[] = {
        source_and_line,
        one_lost_under_way,
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
        monitor_gone,
        came_twice,
        never_came,
        after_its_end,
        numbers_or_not,
        over_the_wrong_connection,
        lost,
        does_not_unpack,
        each_octet_of_a_piece,
        too_long,
        NULL,
    };
    Suite *s = unit_suite_in("joined", with_line, open_all, close_all);

    unit_need_root();
    unit_case(s, "by itself", alone);
    return unit_main(s);
}
