/* SPDX-License-Identifier: GPL-2.0-only */
/* packetd's door: tokens that it lets in, and each that it refuses. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "door_case.h"

static struct mext_why why;
static uint8_t token[MEXT_TOKEN_LEN];

/* ---- tokens that are good ---- */

START_TEST(hello_first)
{
    int fd;

    open_door_as(PART_PROGRAM, NULL, -1);
    fd = call("127.0.0.1");
    fresh_token(token, FIX_SOURCE, 1);
    send_frame(fd, token, sizeof(token));
    /* it knows nobody before it was told */
    take_message();
    ck_assert_uint_eq(got.type, GATE_HELLO);
    await_token();
    ck_assert_mem_eq(got.u.token.bytes, token, sizeof(token));
    close(got.fd);
    close(fd);
    close_door();
}
END_TEST

START_TEST(tcp_refused_by_monitor)
{
    static char longest[MEXT_TEXT_MAX + 1];
    int fd = call("127.0.0.1");

    fresh_token(token, FIX_SOURCE, 1);
    send_frame(fd, token, sizeof(token));
    await_token();
    ck_assert_uint_eq(got.u.token.from.len, 0);
    ck_assert_mem_eq(got.u.token.bytes, token, sizeof(token));
    close(got.fd);
    send_verdict(MEXT_E_REPLAY, "a hint");
    expect_refuse(fd, MEXT_E_REPLAY, "a hint");
    await_counted(1);
    ck_assert_uint_eq(counted[MEXT_E_REPLAY], 1);

    /* the longest text is cut: no more goes out than came in */
    memset(longest, 'x', MEXT_TEXT_MAX);
    fd = call("127.0.0.1");
    send_frame(fd, token, sizeof(token));
    await_token();
    close(got.fd);
    send_verdict(MEXT_E_IMAGE, longest);
    expect_refuse(fd, MEXT_E_IMAGE, NULL);
}
END_TEST

/* What is written into the descriptor is read by the caller. */
static void is_same_connection(int passed, int fd)
{
    char c = 0;

    ck_assert_int_eq(write(passed, "y", 1), 1);
    ck_assert_msg(!mext_net_recv(fd, &c, 1, 60000, &why), "%s", why.text);
    ck_assert_int_eq(c, 'y');
}

START_TEST(tcp_taken)
{
    int fd = call("127.0.0.1"), other = call("127.0.0.1"), passed;

    fresh_token(token, FIX_SOURCE, 1);
    send_frame(fd, token, sizeof(token));
    await_token();
    passed = got.fd;
    send_verdict(0, "");
    /* another one through the door: the first is done with there */
    send_frame(other, "", 1);
    expect_refuse(other, MEXT_E_MALFORMED, "");
    is_same_connection(passed, fd);
    close(passed);
    expect_end(fd);
    await_counted(1);
}
END_TEST

/* In as many pieces as there are octets. */
START_TEST(tcp_in_pieces)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_TOKEN_LEN];
    int fd = call("127.0.0.1");

    mext_store32(frame, MEXT_TOKEN_LEN);
    fresh_token(frame + MEXT_FRAME_HDR_LEN, FIX_SOURCE, 1);
    for (size_t i = 0; i < sizeof(frame); i++)
        ck_assert_int_eq(write(fd, frame + i, 1), 1);
    await_token();
    ck_assert_mem_eq(got.u.token.bytes, frame + MEXT_FRAME_HDR_LEN,
                     MEXT_TOKEN_LEN);
    close(got.fd);
    close(fd);
}
END_TEST

static void answer(const struct gate_peer *to, const void *p, uint16_t n)
{
    struct gate_msg m = { .type = GATE_ANSWER, .fd = -1 };

    m.u.answer.to = *to;
    m.u.answer.n = n;
    memcpy(m.u.answer.bytes, p, n);
    ck_assert_msg(!gate_send(door.gate, &m, &why), "%s", why.text);
}

static void expect_datagram(int fd, const void *p, ssize_t n)
{
    uint8_t in[MEXT_TOKEN_LEN + 1];

    ck_assert_int_eq(recv(fd, in, sizeof(in), 0), n);
    ck_assert_mem_eq(in, p, (size_t)n);
}

static void expect_silence(int fd)
{
    uint8_t in[1];

    ck_assert_int_eq(recv(fd, in, sizeof(in), MSG_DONTWAIT), -1);
}

START_TEST(udp)
{
    uint8_t receipt[MEXT_RECEIPT_LEN], full[MEXT_TOKEN_LEN];
    int fd = udp_from("127.0.0.1"), other = udp_from("127.0.0.1");
    struct gate_peer from;

    fresh_token(token, FIX_SOURCE, 1);
    fix_receipt_bytes(receipt);
    memset(full, 0x5a, sizeof(full));
    ck_assert_int_eq(send(fd, token, sizeof(token), 0), sizeof(token));
    await_token();
    ck_assert_int_eq(got.fd, -1);
    ck_assert_uint_ne(got.u.token.from.len, 0);
    ck_assert_mem_eq(got.u.token.bytes, token, sizeof(token));
    from = got.u.token.from;
    /* also while it waits, and long after */
    answer(&from, receipt, sizeof(receipt));
    expect_datagram(fd, receipt, sizeof(receipt));
    send_verdict(MEXT_E_REPLAY, "a hint");
    await_counted(1);
    ck_assert_uint_eq(counted[MEXT_E_REPLAY], 1);
    expect_silence(fd);
    answer(&from, full, sizeof(full));
    expect_datagram(fd, full, sizeof(full));
    expect_silence(other);
}
END_TEST

/* Asks in the stranger's name until the door has looked for new keys. */
static void await_query_of_stranger(int fd)
{
    uint8_t question[MEXT_QUERY_LEN];
    struct mext_identity id;
    struct mext_query q;

    fix_query(&q);
    fix_identity(&id, FIX_STRANGER);
    memcpy(q.source, id.pk, sizeof(q.source));
    ck_assert_int_eq(mext_query_sign(&q, &id, question), 0);
    do {
        uint64_t refused = counted[MEXT_E_UNTRUSTED];

        ck_assert_int_eq(send(fd, question, sizeof(question), 0),
                         sizeof(question));
        do
            take_message();
        while (got.type != GATE_QUERY && counted[MEXT_E_UNTRUSTED] == refused);
    } while (got.type != GATE_QUERY);
    ck_assert_mem_eq(got.u.query.bytes, question, sizeof(question));
}

/* Who we are is the monitor's to say, and not to be asked too often. */
START_TEST(who_are_you)
{
    uint8_t question[MEXT_WHOIS_LEN], iam[MEXT_IAM_LEN];
    uint64_t started = mext_now_ms(), asked = 1;
    int fd = udp_from("127.0.0.1");

    fix_whois_bytes(question);
    fix_iam_bytes(true, iam);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(send(fd, question, sizeof(question), 0),
                         sizeof(question));
    ck_assert_msg(!gate_recv(door.gate, &got, &why), "%s", why.text);
    ck_assert_uint_eq(got.type, GATE_WHOIS);
    ck_assert_mem_eq(got.u.whois.bytes, question, sizeof(question));
    answer(&got.u.whois.from, iam, sizeof(iam));
    expect_datagram(fd, iam, sizeof(iam));
    /* A datagram of that length that is something else is a bad token. */
    question[0] ^= 1;
    ck_assert_int_eq(send(fd, question, sizeof(question), 0), sizeof(question));
    for (; !counted[MEXT_E_MALFORMED]; take_message())
        asked += got.type == GATE_WHOIS;
    ck_assert_uint_le(asked, 2 + (mext_now_ms() - started) / 20);
}
END_TEST

/* Handed in as it came; another one's key, once it is known. */
START_TEST(what_became)
{
    uint8_t question[MEXT_QUERY_LEN], fate[MEXT_FATE_LEN];
    int fd = udp_from("127.0.0.1");

    fix_query_bytes(question);
    fix_fate_bytes(fate);
    ck_assert_int_eq(send(fd, question, sizeof(question), 0), sizeof(question));
    take_message();
    ck_assert_uint_eq(got.type, GATE_QUERY);
    ck_assert_mem_eq(got.u.query.bytes, question, sizeof(question));
    answer(&got.u.query.from, fate, sizeof(fate));
    expect_datagram(fd, fate, sizeof(fate));
    stranger_trusted = true;
    await_query_of_stranger(fd);
    ck_assert_uint_eq(hellos, 2);
    ck_assert_uint_eq(counted[MEXT_E_SIGNATURE], 0);
}
END_TEST

START_TEST(each_refused_query)
{
    const struct fix_object *o = &fix_objects[FIX_QUERY];
    uint64_t want[GATE_REASONS] = { 0 };
    uint8_t broken[FIX_OBJECT_MAX];
    int fd = udp_from("127.0.0.1");

    for (size_t i = 0; i < o->nbad; i++) {
        const struct fix_bad *bad = &o->bad[i];
        size_t len;

        fix_break(o, &bad, 1, broken, &len);
        ck_assert_int_eq(send(fd, broken, len, 0), (ssize_t)len);
        want[bad->reason]++;
    }
    await_counted(o->nbad);
    ck_assert_mem_eq(counted, want, sizeof(want));
    expect_silence(fd);
}
END_TEST

/* Over TCP it is no token. */
START_TEST(tcp_query)
{
    uint8_t question[MEXT_QUERY_LEN];
    int fd = call("127.0.0.1");

    fix_query_bytes(question);
    send_frame(fd, question, sizeof(question));
    expect_refuse(fd, MEXT_E_MALFORMED, "");
}
END_TEST

/* The same where addresses are longer. */
START_TEST(ip6)
{
    struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&to, sizeof(to))) {
        fputs("this machine has no IPv6: not tested\n", stderr);
        return;
    }
    open_door_as(PART_PROGRAM, "::1", -1);
    to.sin6_port = htons(door.port);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    ck_assert_int_eq(send(fd, "?", 1, 0), 1);
    await_counted(1);
    fresh_token(token, FIX_SOURCE, 1);
    ck_assert_int_eq(send(fd, token, sizeof(token), 0), sizeof(token));
    await_token();
    ck_assert_uint_eq(got.u.token.from.len, sizeof(to));
    answer(&got.u.token.from, "!", 1);
    expect_datagram(fd, "!", 1);
    close_door();
}
END_TEST

/* ---- tokens that are not ---- */

#define CLOCKS "do the clocks of both hosts agree?"

START_TEST(each_refusal_tcp)
{
    uint64_t want[GATE_REASONS] = { 0 };
    uint8_t broken[FIX_OBJECT_MAX];

    for (size_t i = 0; i < fix_objects[FIX_TOKEN].nbad; i++) {
        const struct fix_bad *bad = &fix_objects[FIX_TOKEN].bad[i];
        int fd = call("127.0.0.1");
        size_t len;

        fix_break(&fix_objects[FIX_TOKEN], &bad, 1, broken, &len);
        send_frame(fd, broken, len);
        expect_refuse(fd, (unsigned)bad->reason,
                      bad->reason == MEXT_E_UNTRUSTED
                          ? "packetd trust add NAME KEY on the destination"
                      : bad->reason == MEXT_E_EXPIRED ? CLOCKS
                                                      : "");
        want[bad->reason]++;
    }
    await_counted(fix_objects[FIX_TOKEN].nbad);
    ck_assert_mem_eq(counted, want, sizeof(want));
}
END_TEST

START_TEST(each_refusal_udp)
{
    uint64_t want[GATE_REASONS] = { 0 };
    uint8_t broken[FIX_OBJECT_MAX];
    int fd = udp_from("127.0.0.1");

    for (size_t i = 0; i < fix_objects[FIX_TOKEN].nbad; i++) {
        const struct fix_bad *bad = &fix_objects[FIX_TOKEN].bad[i];
        size_t len;

        fix_break(&fix_objects[FIX_TOKEN], &bad, 1, broken, &len);
        ck_assert_int_eq(send(fd, broken, len, 0), (ssize_t)len);
        want[bad->reason]++;
    }
    await_counted(fix_objects[FIX_TOKEN].nbad);
    ck_assert_mem_eq(counted, want, sizeof(want));
    expect_silence(fd);
}
END_TEST

/* Not yet valid by the clock of today; the fixtures' clock is long ago. */
START_TEST(not_yet_valid)
{
    struct mext_identity id;
    struct mext_token t;
    int fd = call("127.0.0.1");

    fix_token(&t);
    fix_identity(&id, FIX_SOURCE);
    t.issued = (uint64_t)time(NULL) + 1000;
    t.expiry = t.issued + 300;
    ck_assert_int_eq(mext_token_sign(&t, &id, token), 0);
    send_frame(fd, token, sizeof(token));
    expect_refuse(fd, MEXT_E_EXPIRED, CLOCKS);
}
END_TEST

/* A datagram with a good token and more is no token. */
START_TEST(udp_too_long)
{
    uint8_t longer[MEXT_TOKEN_LEN + 1] = { 0 };
    int fd = udp_from("127.0.0.1");

    fresh_token(longer, FIX_SOURCE, 1);
    ck_assert_int_eq(send(fd, longer, sizeof(longer), 0), sizeof(longer));
    await_counted(1);
    ck_assert_uint_eq(counted[MEXT_E_MALFORMED], 1);
}
END_TEST

START_TEST(tcp_wrong_length)
{
    static const char *const headers[] = { "\0\0\0\0", "\0\0\1\x37",
                                           "\0\0\1\x39", "\xff\xff\xff\xff" };

    for (size_t i = 0; i < COUNT(headers); i++) {
        int fd = call("127.0.0.1");

        ck_assert_int_eq(write(fd, headers[i], 4), 4);
        expect_refuse(fd, MEXT_E_MALFORMED, "");
    }
    await_counted(COUNT(headers));
}
END_TEST

START_TEST(tcp_half)
{
    for (size_t n = 0; n < MEXT_FRAME_HDR_LEN + MEXT_TOKEN_LEN; n += 35) {
        uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_TOKEN_LEN];
        int fd = call("127.0.0.1");

        mext_store32(frame, MEXT_TOKEN_LEN);
        fresh_token(frame + MEXT_FRAME_HDR_LEN, FIX_SOURCE, 1);
        ck_assert_int_eq(write(fd, frame, n), (ssize_t)n);
        shutdown(fd, SHUT_WR);
        expect_end(fd);
    }
}
END_TEST

/* ---- further connections ---- */

static void join_frame(uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN])
{
    struct mext_open o = { { 7, 8, 9 }, 2, 3 };

    mext_store32(frame, MEXT_JOIN_LEN);
    ck_assert_int_eq(mext_join_encode(&o, frame + MEXT_FRAME_HDR_LEN), 0);
}

static void await_join(void)
{
    do
        take_message();
    while (got.type != GATE_JOIN);
    ck_assert_uint_eq(got.u.join.id[1], 8);
    ck_assert_uint_eq(got.u.join.index, 2);
    ck_assert_uint_eq(got.u.join.count, 3);
}

/* What is behind it is not the door's: whoever gets the connection reads it. */
START_TEST(join_taken)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN + 4];
    int fd = call("127.0.0.1"), passed;
    char rest[4];

    join_frame(frame);
    memcpy(frame + sizeof(frame) - 4, "more", 4);
    ck_assert_int_eq(write(fd, frame, sizeof(frame)), sizeof(frame));
    await_join();
    passed = got.fd;
    ck_assert_msg(!mext_net_recv(passed, rest, 4, 60000, &why), "%s", why.text);
    ck_assert_mem_eq(rest, "more", 4);
    is_same_connection(passed, fd);
    close(passed);
    expect_end(fd);
}
END_TEST

START_TEST(join_in_pieces)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN];
    int fd = call("127.0.0.1");

    join_frame(frame);
    for (size_t i = 0; i < sizeof(frame); i++)
        ck_assert_int_eq(write(fd, frame + i, 1), 1);
    await_join();
    close(got.fd);
    close(fd);
}
END_TEST

START_TEST(join_half)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN];

    join_frame(frame);
    for (size_t n = 0; n < sizeof(frame); n++) {
        int fd = call("127.0.0.1");

        ck_assert_int_eq(write(fd, frame, n), (ssize_t)n);
        shutdown(fd, SHUT_WR);
        expect_end(fd);
    }
}
END_TEST

/* Of each octet but the id's a bit is changed. */
START_TEST(join_malformed)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN];
    unsigned n = 0;

    for (size_t i = MEXT_FRAME_HDR_LEN; i < sizeof(frame); i++) {
        int fd;

        if (i >= MEXT_FRAME_HDR_LEN + 8 && i < MEXT_FRAME_HDR_LEN + 24)
            continue;
        fd = call("127.0.0.1");
        join_frame(frame);
        frame[i] ^= 0x02;
        ck_assert_int_eq(write(fd, frame, sizeof(frame)), sizeof(frame));
        expect_refuse(fd, MEXT_E_MALFORMED, "");
        n++;
    }
    await_counted(n);
}
END_TEST

/* ---- keys that are not known ---- */

/* One caller; true once the token was let in. */
static bool try_stranger(void)
{
    int fd = call("127.0.0.1"), fds[2] = { door.gate, fd };

    send_frame(fd, token, sizeof(token));
    while (mext_net_wait(fds, 2, 60000, &why) == 0) {
        take_message();
        if (got.type != GATE_TOKEN)
            continue;
        close(got.fd);
        send_verdict(0, "");
        expect_end(fd);
        return true;
    }
    expect_refuse(fd, MEXT_E_UNTRUSTED, NULL);
    return false;
}

/* It looks for new keys not more often than each 200 ms. */
START_TEST(key_just_added)
{
    fresh_token(token, FIX_STRANGER, 1);
    stranger_trusted = true;
    while (!try_stranger())
        ck_assert_uint_eq(hellos, 1); /* that of the beginning */
    ck_assert_uint_eq(hellos, 2);
    ck_assert_mem_eq(got.u.token.bytes, token, sizeof(token));
    /* known now: no further look */
    ck_assert(try_stranger());
    ck_assert_uint_eq(hellos, 2);
}
END_TEST

START_TEST(many_unknown)
{
    int fd = udp_from("127.0.0.1");
    uint64_t began, before;

    fresh_token(token, FIX_STRANGER, 1);
    while (hellos < 2)
        ck_assert(!try_stranger());
    /* of 100 at once the first may be a look, and no other before its time */
    began = mext_now_ms();
    before = counted[MEXT_E_UNTRUSTED];
    hellos = 0;
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(send(fd, token, sizeof(token), 0), sizeof(token));
    while (counted[MEXT_E_UNTRUSTED] < before + 100)
        take_message();
    ck_assert_uint_le(hellos, 1 + (mext_now_ms() - began) / 200);
}
END_TEST

int main(void)
{
    const TTest *const with_door[] = {
        tcp_refused_by_monitor,
        tcp_taken,
        tcp_in_pieces,
        udp,
        who_are_you,
        what_became,
        each_refused_query,
        tcp_query,
        each_refusal_tcp,
        each_refusal_udp,
        not_yet_valid,
        udp_too_long,
        tcp_wrong_length,
        tcp_half,
        join_taken,
        join_in_pieces,
        join_half,
        join_malformed,
        key_just_added,
        many_unknown,
        NULL,
    };
    Suite *s = unit_suite_in("door", with_door, open_door, close_door);
    TCase *c = tcase_create("by itself");

    unit_need_root();
    tcase_add_test(c, hello_first);
    tcase_add_test(c, ip6);
    suite_add_tcase(s, c);
    return unit_main(s);
}
