/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "joined_case.h"
#include "unit.h"

struct mext_conn joined[MEXT_CHANNELS_MAX];

static struct mext_why why;

/* ---- who joins ---- */

struct mext_conn *conn(unsigned i)
{
    return i ? &joined[i] : &source;
}

void hand_in(int fd, uint16_t index, uint16_t count)
{
    struct gate_msg m = { .type = GATE_JOIN, .fd = fd };

    m.u.join.index = index;
    m.u.join.count = count;
    ck_assert_msg(!gate_send(joins, &m, &why), "%s", why.text);
}

int knock(uint16_t index, uint16_t count)
{
    int ends[2];

    connect_tcp(ends);
    hand_in(ends[1], index, count);
    close(ends[1]);
    return ends[0];
}

void say(struct mext_conn *c, uint8_t type)
{
    struct mext_ctl m = { .type = type };

    ck_assert_int_eq(mext_conn_send(c, &m, WAIT_MS, &why), 0);
}

void expect(struct mext_conn *c, uint8_t type)
{
    struct mext_ctl m;

    ck_assert_msg(!mext_conn_recv(c, &m, WAIT_MS, NULL, &why), "%s", why.text);
    ck_assert_uint_eq(m.type, type);
}

void join(uint16_t i, uint16_t count)
{
    ck_assert_int_eq(
        mext_conn_init(&joined[i], knock(i, count), &root, true, i), 0);
    say(&joined[i], MEXT_CTL_HERE);
    expect(&joined[i], MEXT_CTL_JOINED);
}

void leave_all(void)
{
    for (unsigned i = 1; i < MEXT_CHANNELS_MAX; i++)
        mext_conn_close(&joined[i]);
}

void ready(void)
{
    uint8_t receipt[MEXT_RECEIPT_LEN] = { 0 };
    struct mext_ctl m = { .type = MEXT_CTL_RECEIPT };

    m.u.receipt.bytes = receipt;
    ck_assert_int_eq(mext_conn_send(&session, &m, WAIT_MS, &why), 0);
    expect(&source, MEXT_CTL_RECEIPT);
}

void open_ready(uint16_t channels, uint16_t there)
{
    open_line_for(PART_PROGRAM, channels);
    ready();
    for (uint16_t i = 1; i < there; i++)
        join(i, channels);
}

void close_all(void)
{
    close_line();
    leave_all();
}

/* ---- pieces ---- */

void send_piece_as(struct mext_conn *c, uint64_t number, const char *text,
                   uint32_t len)
{
    struct mext_ctl m = { .type = MEXT_CTL_PIECE };

    m.u.piece.number = number;
    m.u.piece.bytes = (const uint8_t *)text;
    m.u.piece.n = (uint32_t)strlen(text);
    m.u.piece.len = len;
    ck_assert_int_eq(mext_conn_send(c, &m, WAIT_MS, &why), 0);
}

void send_piece(unsigned i, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%08u", (unsigned)number);
    send_piece_as(conn(i), number, text, 8);
}

void send_ended(uint64_t bytes)
{
    struct mext_ctl m = { .type = MEXT_CTL_ENDED };

    m.u.ended.bytes = bytes;
    ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
}

void expect_piece(unsigned number)
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

/* What it finds beside the first word, it has read when it passes on the second. */
void let_it_read(void)
{
    struct mext_ctl m = { .type = MEXT_CTL_STEP }, got;

    m.u.step.text = "";
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(mext_conn_send(&session, &m, WAIT_MS, &why), 0);
        ck_assert_int_eq(mext_conn_recv(&source, &got, WAIT_MS, NULL, &why), 0);
    }
}

void expect_silence(void)
{
    struct mext_why quiet;

    let_it_read();
    ck_assert_int_eq(mext_net_wait(&session.fd, 1, 0, &quiet), -1);
}
