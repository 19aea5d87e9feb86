/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's line: a real one, with the test as the source on one side of it
 * and as the session on the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line_case.h"
#include "mext_chunk.h"
#include "unit.h"

#define MANY 100 /* messages that fit into the sockets */

static struct mext_why why;
static uint8_t before[MEXT_CONTROL_BODY_MAX];

/* ---- messages that pass ---- */

static size_t body_of(const struct mext_ctl *m, uint8_t *out)
{
    struct mext_buf b;

    mext_buf_init(&b, out, MEXT_CONTROL_BODY_MAX - MEXT_TAG_LEN);
    ck_assert_int_eq(mext_ctl_encode(m, &b), 0);
    return b.pos;
}

/*
 * The session compares what it gets with a digest in the token: what comes out
 * must be what went in.  A child sends, since the largest fill any buffer.
 */
static void passes(struct mext_conn *from, struct mext_conn *to,
                   const struct mext_ctl *m)
{
    size_t n = body_of(m, before);
    struct mext_ctl got;
    pid_t child = fork();

    if (child == 0)
        _exit(mext_conn_send(from, m, WAIT_MS, &why) != 0);
    ck_assert_msg(!mext_conn_recv(to, &got, WAIT_MS, NULL, &why), "%s",
                  why.text);
    ck_assert_int_eq(part_wait(child), 0);
    from->tx.counter++; /* the child's was its own */
    ck_assert_uint_eq(to->body_len, n);
    ck_assert_mem_eq(mext_conn_body(to), before, n);
}

START_TEST(each_message)
{
    for (size_t i = 0; i < fix_nctl; i++) {
        struct mext_ctl m = { 0 };

        fix_ctl[i].fill(&m);
        if (m.type == MEXT_CTL_ABORT)
            continue;
        if (m.type != MEXT_CTL_PACKED && m.type != MEXT_CTL_PIECE)
            passes(&source, &session, &m);
        passes(&session, &source, &m);
    }
}
END_TEST

/* Octets that are no text, and counts that fit nothing else. */
START_TEST(config_octets)
{
    static uint8_t octets[65536];
    struct mext_ctl m = { .type = MEXT_CTL_CONFIG };

    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)(i * 7 + (i >> 8));
    for (uint32_t n = 0; n < 40; n++) {
        m.u.config.memory_kib = n * 0x0102030405060708;
        m.u.config.xen = n * 0x01020304;
        m.u.config.json = octets;
        m.u.config.json_len = n * n * 37;
        m.u.config.nleaves = n;
        m.u.config.leaves = octets + n;
        m.u.config.nmsrs = 39 - n;
        m.u.config.msrs = octets + 3 * n;
        passes(&source, &session, &m);
    }
}
END_TEST

/* What is sent in one go comes out in order. */
START_TEST(many_at_once)
{
    struct mext_ctl m = { .type = MEXT_CTL_RUNNING }, got;

    for (uint32_t i = 0; i < MANY; i++) {
        m.u.running.domid = i;
        ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
        ck_assert_int_eq(mext_conn_send(&session, &m, WAIT_MS, &why), 0);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        ck_assert_int_eq(mext_conn_recv(&session, &got, WAIT_MS, NULL, &why),
                         0);
        ck_assert_uint_eq(got.u.running.domid, i);
        ck_assert_int_eq(mext_conn_recv(&source, &got, WAIT_MS, NULL, &why), 0);
        ck_assert_uint_eq(got.u.running.domid, i);
    }
}
END_TEST

/* A piece of a stream that came packed goes on as it was. */
START_TEST(unpacked)
{
    static uint8_t raw[MEXT_STREAM_MAX], packed[MEXT_STREAM_MAX];
    struct mext_ctl m = { .type = MEXT_CTL_PACKED }, got;

    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)(i / 100);
    m.u.packed.bytes = packed;
    m.u.packed.len = sizeof(raw);
    m.u.packed.n = mext_chunk_pack(raw, sizeof(raw), packed);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
        ck_assert_int_eq(mext_conn_recv(&session, &got, WAIT_MS, NULL, &why),
                         0);
        ck_assert_uint_eq(got.type, MEXT_CTL_STREAM);
        ck_assert_uint_eq(got.u.stream.len, sizeof(raw));
        ck_assert_mem_eq(got.u.stream.bytes, raw, sizeof(raw));
    }
}
END_TEST

/* ---- the end of it ---- */

/* An ABORT's reason is told once, by whoever reads it last. */
START_TEST(abort_from_source)
{
    char want[MEXT_TEXT_MAX];

    open_line();
    snprintf(want, sizeof(want), "%s: no wish left",
             mext_reason(MEXT_E_CANCELLED));
    mext_conn_abort(&source, MEXT_E_CANCELLED, "no wish left");
    expect_abort(&session, MEXT_E_CANCELLED, want);
    expect_end(&source);
    expect_gone(1);
}
END_TEST

START_TEST(abort_from_session)
{
    char want[MEXT_TEXT_MAX];

    open_line();
    snprintf(want, sizeof(want), "%s: no room", mext_reason(MEXT_E_MEMORY));
    mext_conn_abort(&session, MEXT_E_MEMORY, "no room");
    expect_abort(&source, MEXT_E_MEMORY, want);
    expect_end(&session);
    expect_gone(0);
}
END_TEST

/* The longest and the shortest ABORT. */
START_TEST(abort_limits)
{
    for (size_t i = 0; i < fix_nctl; i++) {
        struct mext_ctl m = { 0 };

        fix_ctl[i].fill(&m);
        if (m.type != MEXT_CTL_ABORT)
            continue;
        open_line();
        ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
        expect_abort(&session, m.u.abort.code, NULL);
        expect_gone(1);
        open_line();
        ck_assert_int_eq(mext_conn_send(&session, &m, WAIT_MS, &why), 0);
        expect_abort(&source, m.u.abort.code, NULL);
        expect_gone(0);
    }
}
END_TEST

/* A session that takes no more of what comes can still say why. */
START_TEST(last_word)
{
    static uint8_t piece[MEXT_STREAM_MAX];
    struct mext_ctl m = { .type = MEXT_CTL_STREAM };
    char want[MEXT_TEXT_MAX];

    open_line();
    shutdown(session.fd, SHUT_RD);
    m.u.stream.bytes = piece;
    m.u.stream.len = sizeof(piece);
    ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
    snprintf(want, sizeof(want), "%s: enough", mext_reason(MEXT_E_CREATE));
    mext_conn_abort(&session, MEXT_E_CREATE, "enough");
    expect_abort(&source, MEXT_E_CREATE, want);
    mext_conn_close(&source);
    mext_conn_close(&session);
    part_wait(line); /* by either of the two ways out */
}
END_TEST

START_TEST(session_gone)
{
    open_line();
    shutdown(session.fd, SHUT_WR);
    expect_end(&source);
    expect_gone(0);
}
END_TEST

START_TEST(source_gone)
{
    open_line();
    shutdown(source.fd, SHUT_WR);
    expect_abort(&session, MEXT_E_LINK, NULL);
    expect_gone(1);
}
END_TEST

/* Gone before it was greeted: the hello may still go, the session is told. */
START_TEST(source_gone_at_once)
{
    start_line(PART_PROGRAM, 1, sizeof(struct line_setup));
    close(source.fd);
    source.fd = -1;
    expect_abort(&session, MEXT_E_LINK, NULL);
    expect_gone(1);
}
END_TEST

/* Without all of its keys a line says nothing to anybody. */
START_TEST(half_a_setup)
{
    for (size_t n = 0; n < sizeof(struct line_setup); n += 61) {
        start_line(PART_PROGRAM, 1, n);
        shutdown(session.fd, SHUT_WR);
        expect_end(&source);
        expect_end(&session);
        expect_gone(1);
    }
}
END_TEST

/* ---- a source, or somebody on the way, that means ill ---- */

struct frame {
    uint8_t bytes[64];
    size_t n;
};

/* RUNNING as the source's nth sealed frame. */
static void seal(struct frame *f, uint64_t nth)
{
    struct mext_ctl m = { .type = MEXT_CTL_RUNNING };
    struct mext_seal s;
    size_t n;

    n = body_of(&m, before);
    memcpy(f->bytes + MEXT_FRAME_HDR_LEN, before, n);
    mext_seal_init(&s, &root, MEXT_DIR_TO_DEST, 0);
    s.counter = nth;
    ck_assert_int_eq(
        mext_frame_seal(&s, f->bytes, n, MEXT_CONTROL_BODY_MAX, &f->n), 0);
}

static void send_octets(struct mext_conn *c, const void *p, size_t n)
{
    ck_assert_int_eq(write(c->fd, p, n), (ssize_t)n);
}

START_TEST(each_octet_changed)
{
    struct frame f;

    seal(&f, 0);
    for (size_t i = 0; i < f.n; i++) {
        open_line();
        f.bytes[i] ^= 0x80;
        send_octets(&source, f.bytes, f.n);
        f.bytes[i] ^= 0x80;
        /* a longer frame is waited for, until the source has gone */
        shutdown(source.fd, SHUT_WR);
        expect_broken(MEXT_E_LINK);
    }
}
END_TEST

START_TEST(each_length_cut)
{
    struct frame f;

    seal(&f, 0);
    for (size_t n = 0; n < f.n; n++) {
        open_line();
        send_octets(&source, f.bytes, n);
        shutdown(source.fd, SHUT_WR);
        expect_broken(MEXT_E_LINK);
    }
}
END_TEST

START_TEST(lengths)
{
    static const char *const headers[] = { "\0\0\0\0", "\0\0\0\x10",
                                           "\0\x10\0\1", "\xff\xff\xff\xff" };

    for (size_t i = 0; i < COUNT(headers); i++) {
        open_line();
        send_octets(&source, headers[i], 4);
        expect_broken(MEXT_E_LINK);
    }
}
END_TEST

static void expect_running(void)
{
    struct mext_ctl got;

    ck_assert_int_eq(mext_conn_recv(&session, &got, WAIT_MS, NULL, &why), 0);
    ck_assert_uint_eq(got.type, MEXT_CTL_RUNNING);
}

START_TEST(repeated)
{
    struct frame f;

    open_line();
    seal(&f, 0);
    send_octets(&source, f.bytes, f.n);
    expect_running();
    send_octets(&source, f.bytes, f.n);
    expect_broken(MEXT_E_LINK);
}
END_TEST

START_TEST(left_out)
{
    struct frame f;

    open_line();
    seal(&f, 0);
    send_octets(&source, f.bytes, f.n);
    expect_running();
    seal(&f, 2);
    send_octets(&source, f.bytes, f.n);
    expect_broken(MEXT_E_LINK);
}
END_TEST

/* The line's own frame, sent back to it. */
START_TEST(reflected)
{
    struct mext_ctl m = { .type = MEXT_CTL_RUNNING };
    uint8_t frame[64];
    ssize_t n;

    open_line();
    ck_assert_int_eq(mext_conn_send(&session, &m, WAIT_MS, &why), 0);
    ck_assert_int_eq(mext_net_wait(&source.fd, 1, WAIT_MS, &why), 0);
    n = recv(source.fd, frame, sizeof(frame), 0);
    ck_assert_int_gt(n, MEXT_FRAME_HDR_LEN);
    send_octets(&source, frame, (size_t)n);
    expect_broken(MEXT_E_LINK);
}
END_TEST

/* Sealed as it should be, but no message. */
START_TEST(malformed)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = { { "\x7f", 1 },       /* no such type */
                 { "\x03!", 2 },      /* COMMIT and more */
                 { "\x84\0\0", 3 },   /* RUNNING, cut */
                 { "\x81\0\1\n", 4 }, /* STEP with a line feed */
                 { "\xff\0\x12\0\1\x1b", 6 } /* ABORT with an escape */ };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct mext_seal s;
        struct frame f;

        open_line();
        mext_seal_init(&s, &root, MEXT_DIR_TO_DEST, 0);
        memcpy(f.bytes + MEXT_FRAME_HDR_LEN, rows[i].bytes, rows[i].n);
        ck_assert_int_eq(mext_frame_seal(&s, f.bytes, rows[i].n,
                                         MEXT_CONTROL_BODY_MAX, &f.n),
                         0);
        send_octets(&source, f.bytes, f.n);
        expect_broken(MEXT_E_LINK);
    }
}
END_TEST

/* A session that does not keep to it is our own bug: nobody gets more. */
START_TEST(bad_session)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = { { "\0\0\0\0", 4 },
                 { "\0\x10\0\1", 4 },
                 { "\xff\xff\xff\xff", 4 },
                 { "\0\0\0\1\x7f", 5 },
                 { "\0\0\0\2\x03!", 6 } };

    for (size_t i = 0; i < COUNT(rows); i++) {
        open_line();
        send_octets(&session, rows[i].bytes, rows[i].n);
        expect_end(&source);
        expect_gone(0);
    }
}
END_TEST

START_TEST(does_not_unpack)
{
    struct mext_ctl m = { .type = MEXT_CTL_PACKED };

    open_line();
    m.u.packed.bytes = (const uint8_t *)"block";
    m.u.packed.n = 5;
    m.u.packed.len = MEXT_STREAM_MAX;
    ck_assert_int_eq(mext_conn_send(&source, &m, WAIT_MS, &why), 0);
    expect_broken(MEXT_E_LINK);
}
END_TEST

int main(void)
{
    const TTest *const with_line[] = { each_message, config_octets,
                                       many_at_once, unpacked, NULL };
    const TTest *const alone[] = { abort_from_source, abort_from_session,
                                   abort_limits,      last_word,
                                   session_gone,      does_not_unpack,
                                   source_gone,       source_gone_at_once,
                                   half_a_setup,      each_octet_changed,
                                   each_length_cut,   lengths,
                                   repeated,          left_out,
                                   reflected,         malformed,
                                   bad_session,       NULL };
    Suite *s = unit_suite_in("line", with_line, open_line, close_line);

    unit_need_root();
    unit_case(s, "by itself", alone);
    return unit_main(s);
}
