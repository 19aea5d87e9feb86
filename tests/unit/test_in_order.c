/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream that comes over several connections, through a real line: whatever comes
 * first, it goes on in order; what cannot be ends it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "joined_case.h"
#include "mext_chunk.h"
#include "mext_stream.h"
#include "unit.h"

static struct mext_why why;

static void open_all(void)
{
    open_ready(N, N);
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
    Suite *s = unit_suite_in("in order", with_line, open_all, close_all);

    unit_need_root();
    unit_case(s, "by itself", alone);
    return unit_main(s);
}
