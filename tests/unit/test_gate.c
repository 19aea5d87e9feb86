/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What packetd's door and its monitor say to each other: each message by its
 * octets, at its limits and beyond them; descriptors.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fix_gate.h"
#include "unit.h"

static struct mext_why why;
static struct gate_msg sent, got;
static uint8_t bytes[GATE_MSG_MAX + 1], again[GATE_MSG_MAX];

static size_t encode(const struct gate_msg *m, uint8_t *out)
{
    struct mext_buf b;

    mext_buf_init(&b, out, GATE_MSG_MAX);
    ck_assert_int_eq(gate_encode(m, &b), 0);
    return b.pos;
}

/* From a block of its own size, so that a look beyond it is seen. */
static int decode(const uint8_t *in, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    int rc;

    memcpy(copy, in, n);
    memset(&got, 0xa5, sizeof(got));
    rc = gate_decode(copy, n, &got);
    free(copy);
    return rc;
}

static size_t fill(size_t i)
{
    memset(&sent, 0, sizeof(sent));
    sent.fd = -1;
    fix_gate[i].fill(&sent);
    return encode(&sent, bytes);
}

/* ---- codec ---- */

START_TEST(round_trip)
{
    for (size_t i = 0; i < fix_ngate; i++) {
        size_t n = fill(i);

        ck_assert_msg(!decode(bytes, n), "%s", fix_gate[i].name);
        ck_assert_uint_eq(got.type, sent.type);
        ck_assert_uint_eq(encode(&got, again), n);
        ck_assert_mem_eq(bytes, again, n);
    }
}
END_TEST

/* Nothing but a whole message is one. */
START_TEST(each_length)
{
    for (size_t i = 0; i < fix_ngate; i++) {
        size_t n = fill(i);

        bytes[n] = 0;
        ck_assert_msg(decode(bytes, n + 1), "%s", fix_gate[i].name);
        while (n--)
            ck_assert_msg(decode(bytes, n), "%s, %zu", fix_gate[i].name, n);
    }
}
END_TEST

START_TEST(no_room)
{
    for (size_t i = 0; i < fix_ngate; i++) {
        size_t n = fill(i);
        struct mext_buf b;

        mext_buf_init(&b, again, n - 1);
        ck_assert_int_eq(gate_encode(&sent, &b), MEXT_ERR_FULL);
    }
}
END_TEST

/* The specification's octets, by hand. */
START_TEST(octets)
{
    static const struct {
        const char *in;
        size_t n;
        int rc;
    } rows[] = {
        { "\x01\0\0\0\x14\0\0\0\0", 9, 0 },
        { "\x01\0\0\0\x14\0\4\0\0", 9, MEXT_ERR_LIMIT }, /* SELF_MAX */
        { "\x01\0\0\0\x14\0\0\4\1", 9, MEXT_ERR_LIMIT }, /* TRUST_MAX */
        { "\x01\0\0\0\x14\xff\xff\0\0", 9, MEXT_ERR_LIMIT },
        { "\x01\0\0\0\x14\0\0\xff\xff", 9, MEXT_ERR_LIMIT },
        { "\x01\0\0\0\x14\0\1\0\0", 9, MEXT_ERR_FORMAT }, /* no key */
        { "\x02\0\7\0\2ab", 7, 0 },
        { "\x02\0\7\0\2a\x1f", 7, MEXT_ERR_FORMAT },
        { "\x02\0\7\0\2a\x7f", 7, MEXT_ERR_FORMAT },
        { "\x02\0\7\0\2\xc3\xa9", 7, MEXT_ERR_FORMAT },
        { "\x02\0\7\0\2a\0", 7, MEXT_ERR_FORMAT },
        { "\x02\0\7\2\1", 5, MEXT_ERR_LIMIT }, /* TEXT_MAX */
        { "\x02\0\7\xff\xff", 5, MEXT_ERR_LIMIT },
        { "\x03\2\xaa\xbb\0\1!", 7, 0 },
        { "\x03\0\0\1!", 5, MEXT_ERR_LIMIT },          /* no address */
        { "\x03\2\xaa\xbb\1\x39", 6, MEXT_ERR_LIMIT }, /* 313 */
        { "\x03\x21", 2, MEXT_ERR_LIMIT },             /* PEER_MAX */
        { "\x03\xff", 2, MEXT_ERR_LIMIT },
        { "\x81", 1, 0 },
        { "\x82\x21", 2, MEXT_ERR_LIMIT },
        { "\x86MEXTJOI1idididididididid\0\1\0\2", 29, 0 },
        { "\x86MEXTJOI1idididididididid\0\0\0\2", 29, MEXT_ERR_LIMIT },
        { "\x86MEXTJOI1idididididididid\0\2\0\2", 29, MEXT_ERR_LIMIT },
        { "\x86MEXTDAT1idididididididid\0\1\0\2", 29, MEXT_ERR_FORMAT },
        { "", 0, MEXT_ERR_FORMAT },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(decode((const uint8_t *)rows[i].in, rows[i].n) ==
                          rows[i].rc,
                      "row %zu", i);
    ck_assert_int_eq(decode((const uint8_t *)"\x02\0\7\0\2ab", 7), 0);
    ck_assert_uint_eq(got.u.verdict.code, MEXT_E_REPLAY);
    ck_assert_str_eq(got.u.verdict.why.text, "ab");
    ck_assert_int_eq(decode((const uint8_t *)"\x03\2\xaa\xbb\0\1!", 7), 0);
    ck_assert_uint_eq(got.u.answer.to.len, 2);
    ck_assert_mem_eq(got.u.answer.to.addr, "\xaa\xbb", 2);
    ck_assert_uint_eq(got.u.answer.n, 1);
    ck_assert_mem_eq(got.u.answer.bytes, "!", 1);
}
END_TEST

/* Lengths that the codec cannot be asked about, since they are fixed. */
START_TEST(sizes)
{
    static const struct {
        uint8_t type;
        size_t n;
    } rows[] = { { GATE_HELLO, 1 },
                 { GATE_TOKEN, 1 + 1 + 312 },
                 { GATE_REFUSED, 1 + 32 * 8 } };

    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(bytes, 0, sizeof(bytes));
        bytes[0] = rows[i].type;
        ck_assert_int_eq(decode(bytes, rows[i].n), 0);
        ck_assert_int_ne(decode(bytes, rows[i].n + 1), 0);
        ck_assert_int_ne(decode(bytes, rows[i].n - 1), 0);
    }
    /* A question comes from somewhere. */
    bytes[0] = GATE_WHOIS;
    bytes[1] = 1;
    ck_assert_int_eq(decode(bytes, 1 + 1 + 1 + 248), 0);
    ck_assert_int_ne(decode(bytes, 1 + 1 + 248), 0);
    bytes[1] = 0;
    ck_assert_int_ne(decode(bytes, 1 + 1 + 248), 0);
    bytes[0] = GATE_QUERY;
    bytes[1] = 1;
    ck_assert_int_eq(decode(bytes, 1 + 1 + 1 + 200), 0);
    ck_assert_int_ne(decode(bytes, 1 + 1 + 200), 0);
    bytes[1] = 0;
    ck_assert_int_ne(decode(bytes, 1 + 1 + 200), 0);
    ck_assert_uint_eq(GATE_REASONS, 32);
    for (unsigned code = 0; code <= MEXT_E_LINK; code++)
        ck_assert_uint_lt(code, GATE_REASONS);
}
END_TEST

START_TEST(unknown_types)
{
    static const uint8_t known[] = { 0x01, 0x02, 0x03, 0x81, 0x82,
                                     0x83, 0x84, 0x85, 0x86 };

    memset(bytes, 0, sizeof(bytes));
    for (unsigned type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        if (memchr(known, (int)type, sizeof(known)))
            continue;
        for (size_t n = 1; n < 400; n++)
            ck_assert_int_eq(decode(bytes, n), MEXT_ERR_FORMAT);
    }
}
END_TEST

/* ---- packets and descriptors ---- */

static int ends[2];

static void open_gate(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
}

static void close_gate(void)
{
    close(ends[0]);
    close(ends[1]);
}

static unsigned open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* A packet with n descriptors, whatever its message says. */
static void send_raw(const void *p, size_t len, unsigned n)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } c = { .room = { 0 } };
    struct iovec v = { (void *)p, len };
    struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

    if (n) {
        h.msg_control = &c;
        h.msg_controllen = CMSG_SPACE(n * sizeof(int));
        c.header.cmsg_level = SOL_SOCKET;
        c.header.cmsg_type = SCM_RIGHTS;
        c.header.cmsg_len = CMSG_LEN(n * sizeof(int));
        for (unsigned i = 0; i < n; i++)
            memcpy(CMSG_DATA(&c.header) + i * sizeof(int), &ends[0],
                   sizeof(int));
    }
    ck_assert_int_eq(sendmsg(ends[0], &h, 0), (ssize_t)len);
}

static bool with_fd(size_t i)
{
    return !strcmp(fix_gate[i].name, "token-tcp") ||
           !strncmp(fix_gate[i].name, "join", 4);
}

START_TEST(packets)
{
    struct stat a, b;

    ck_assert_int_eq(fstat(STDERR_FILENO, &a), 0);
    for (size_t i = 0; i < fix_ngate; i++) {
        size_t n = fill(i);
        bool fd = with_fd(i);

        if (fd)
            sent.fd = STDERR_FILENO;
        ck_assert_msg(!gate_send(ends[0], &sent, &why), "%s", why.text);
        ck_assert_msg(!gate_recv(ends[1], &got, &why), "%s", why.text);
        ck_assert_uint_eq(encode(&got, again), n);
        ck_assert_mem_eq(bytes, again, n);
        ck_assert_int_eq(got.fd >= 0, fd);
        if (!fd)
            continue;
        ck_assert_int_eq(fstat(STDERR_FILENO, &a), 0);
        ck_assert_int_eq(fstat(got.fd, &b), 0);
        ck_assert_uint_eq(a.st_ino, b.st_ino);
        ck_assert_int_eq(fcntl(got.fd, F_GETFD), FD_CLOEXEC);
        close(got.fd);
    }
}
END_TEST

/* What is refused leaves no descriptor behind. */
START_TEST(descriptors)
{
    unsigned before = open_descriptors();

    for (size_t i = 0; i < fix_ngate; i++)
        for (unsigned n = 0; n <= 4; n++) {
            size_t len = fill(i);
            bool good = n == with_fd(i);

            send_raw(bytes, len, n);
            ck_assert_msg(gate_recv(ends[1], &got, &why) == (good ? 0 : -1),
                          "%s, %u", fix_gate[i].name, n);
            if (good && n)
                close(got.fd);
            ck_assert_uint_eq(open_descriptors(), before);
        }
    for (unsigned n = 0; n <= 4; n++) {
        send_raw("\x7f", 1, n); /* malformed */
        ck_assert_int_eq(gate_recv(ends[1], &got, &why), -1);
        send_raw("", 0, n);
        ck_assert_int_eq(gate_recv(ends[1], &got, &why), -1);
        ck_assert_uint_eq(open_descriptors(), before);
    }
}
END_TEST

/* A packet of a whole message and more is not that message. */
START_TEST(too_large)
{
    static uint8_t large[GATE_MSG_MAX + 1];

    large[0] = GATE_HELLO;
    send_raw(large, sizeof(large), 0);
    ck_assert_int_eq(gate_recv(ends[1], &got, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "malformed"));
}
END_TEST

START_TEST(gone)
{
    sent = (struct gate_msg){ .type = GATE_HELLO, .fd = -1 };
    close(ends[0]);
    ck_assert_int_eq(gate_recv(ends[1], &got, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "closed"));
    ck_assert_int_eq(gate_send(ends[1], &sent, &why), -1);
    ends[0] = -1;
}
END_TEST

/* One that reads nothing is given up, and does not hold up the other. */
START_TEST(takes_nothing)
{
    unsigned n = 0;

    sent = (struct gate_msg){ .type = GATE_REFUSED, .fd = -1 };
    while (!gate_send(ends[0], &sent, &why))
        n++;
    ck_assert_uint_gt(n, 1);
    ck_assert_ptr_nonnull(strstr(why.text, "nothing goes through"));
    while (n--)
        ck_assert_int_eq(gate_recv(ends[1], &got, &why), 0);
    ck_assert_int_eq(gate_send(ends[0], &sent, &why), 0);
}
END_TEST

/* The same, and nobody waits for it. */
START_TEST(offered)
{
    unsigned n = 0;

    sent = (struct gate_msg){ .type = GATE_REFUSED, .fd = -1 };
    while (!gate_offer(ends[0], &sent, &why))
        n++;
    ck_assert_uint_gt(n, 1);
    ck_assert_int_eq(gate_recv(ends[1], &got, &why), 0);
    ck_assert_int_eq(gate_offer(ends[0], &sent, &why), 0);
    while (n--)
        ck_assert_int_eq(gate_recv(ends[1], &got, &why), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        round_trip,    each_length, no_room,     octets,    sizes,
        unknown_types, packets,     descriptors, too_large, gone,
        takes_nothing, offered,     NULL,
    };

    return unit_main(unit_suite_in("gate", tests, open_gate, close_gate));
}
