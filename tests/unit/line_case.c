/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line_case.h"
#include "unit.h"

pid_t line;
struct mext_root root;
struct mext_conn source, session;
int joins = -1;

static struct mext_why why;

void connect_tcp(int ends_r[2])
{
    int tcp, udp;
    uint16_t port;

    ck_assert_int_eq(mext_net_listen("127.0.0.1", 0, &tcp, &udp, &port, &why),
                     0);
    ck_assert_int_eq(
        mext_net_connect("127.0.0.1", port, WAIT_MS, &ends_r[0], &why), 0);
    ck_assert_int_eq(mext_net_wait(&tcp, 1, WAIT_MS, &why), 0);
    ends_r[1] = accept4(tcp, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_ge(ends_r[1], 0);
    close(tcp);
    close(udp);
}

void start_line(const char *program, uint16_t channels, size_t n)
{
    struct line_setup setup;
    int ends[2], conn[2], join[2];

    memset(&root, 0x77, sizeof(root));
    setup.root = root;
    setup.channels = channels;
    fix_hello_bytes(setup.hello);
    connect_tcp(conn);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    ck_assert_int_eq(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, join), 0);
    ck_assert_int_eq(write(ends[0], &setup, n), (ssize_t)n);
    line = part_start(program, LINE_WORD, (int[]){ ends[1], conn[1], join[1] },
                      channels > 1 ? 3 : 2, -1, NULL);
    ck_assert_int_gt(line, 0);
    close(ends[1]);
    close(conn[1]);
    close(join[1]);
    joins = join[0];
    ck_assert_int_eq(mext_conn_init(&source, conn[0], &root, true, 0), 0);
    ck_assert_int_eq(mext_conn_init(&session, ends[0], NULL, false, 0), 0);
}

void open_line_for(const char *program, uint16_t channels)
{
    uint8_t hello[MEXT_HELLO_LEN], want[MEXT_HELLO_LEN];

    start_line(program, channels, sizeof(struct line_setup));
    fix_hello_bytes(want);
    ck_assert_int_eq(
        mext_net_recv_plain(source.fd, hello, sizeof(hello), WAIT_MS, &why),
        sizeof(hello));
    ck_assert_mem_eq(hello, want, sizeof(want));
}

void open_line(void)
{
    open_line_for(PART_PROGRAM, 1);
}

void expect_gone(int code)
{
    int status = part_wait(line);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code, "status %x",
                  (unsigned)status);
    mext_conn_close(&source);
    mext_conn_close(&session);
    close(joins);
    joins = -1;
}

void close_line(void)
{
    close(session.fd);
    session.fd = -1;
    expect_gone(0);
}

void expect_end(const struct mext_conn *c)
{
    char octet;

    ck_assert_int_eq(mext_net_wait(&c->fd, 1, WAIT_MS, &why), 0);
    ck_assert_int_le(recv(c->fd, &octet, 1, 0), 0);
}

void expect_abort(struct mext_conn *c, unsigned want, const char *text)
{
    struct mext_ctl m;
    unsigned code;

    ck_assert_int_eq(mext_conn_recv(c, &m, WAIT_MS, &code, &why), -1);
    ck_assert_msg(code == want, "%u, %s", code, why.text);
    if (text)
        ck_assert_str_eq(why.text, text);
    expect_end(c);
}

void expect_broken(unsigned code)
{
    expect_abort(&session, code, NULL);
    expect_end(&source);
    expect_gone(1);
}
