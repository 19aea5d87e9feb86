/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets, over loopback: addresses, deadlines, frames, a hostile peer. */
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mext_conn.h"
#include "unit.h"

static struct mext_why why;

START_TEST(split)
{
    static const struct {
        const char *text, *host;
        unsigned port; /* 0: refused */
    } rows[] = {
        { "host", "host", 7 },
        { "host:1", "host", 1 },
        { "192.0.2.1:65535", "192.0.2.1", 65535 },
        { "[::1]:9", "::1", 9 },
        { "[::1]", "::1", 7 },
        { "fe80::1", "fe80::1", 7 },
        { "host:", "", 0 },
        { "host:0", "", 0 },
        { "host:65536", "", 0 },
        { "host:1x", "", 0 },
        { ":1", "", 0 },
        { "", "", 0 },
        { "[::1", "", 0 },
        { "[::1]x", "", 0 },
        { "host:-1", "", 0 },
    };
    char host[256] = "";
    uint16_t port = 0;
    int rc;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rc = mext_net_split(rows[i].text, 7, host, &port, &why);
        ck_assert_msg(rc == (rows[i].port ? 0 : -1), "%s", rows[i].text);
        if (rows[i].port) {
            ck_assert_str_eq(host, rows[i].host);
            ck_assert_uint_eq(port, rows[i].port);
        }
    }
}
END_TEST

static int pair[2];

static void open_pair(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
}

static void close_pair(void)
{
    close(pair[0]);
    close(pair[1]);
}

START_TEST(plain_frames)
{
    char in[8];

    ck_assert_int_eq(mext_net_send_plain(pair[0], "token", 5, 100, &why), 0);
    ck_assert_int_eq(mext_net_recv_plain(pair[1], in, sizeof(in), 100, &why),
                     5);
    ck_assert_mem_eq(in, "token", 5);
    /* longer than the reader takes, and empty */
    ck_assert_int_eq(write(pair[0], "\0\0\0\11", 4), 4);
    ck_assert_int_eq(mext_net_recv_plain(pair[1], in, sizeof(in), 100, &why),
                     -1);
    ck_assert_int_eq(write(pair[0], "\0\0\0\0", 4), 4);
    ck_assert_int_eq(mext_net_recv_plain(pair[1], in, sizeof(in), 100, &why),
                     -1);
}
END_TEST

START_TEST(deadline_and_close)
{
    char in[4];

    ck_assert_int_eq(mext_net_recv(pair[1], in, 4, 10, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "in time"));
    ck_assert_int_eq(write(pair[0], "ab", 2), 2);
    close(pair[0]);
    ck_assert_int_eq(mext_net_recv(pair[1], in, 4, 1000, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "closed"));
    pair[0] = open("/dev/null", O_RDWR);
}
END_TEST

START_TEST(cancel)
{
    char in[4];
    int p[2];

    ck_assert_int_eq(pipe(p), 0);
    mext_net_cancel_fd(p[0]);
    ck_assert_int_eq(mext_net_cancelled(&why), 0);
    ck_assert_int_eq(write(p[1], "", 1), 1);
    ck_assert_int_eq(mext_net_cancelled(&why), -1);
    ck_assert_int_eq(mext_net_recv(pair[1], in, 4, 60000, &why), -1);
    ck_assert_str_eq(why.text, "cancelled");
    mext_net_cancel_fd(-1);
    close(p[0]);
    close(p[1]);
}
END_TEST

/* Both ends of a control connection with the same keys. */
static void connections(struct mext_conn *source, struct mext_conn *dest)
{
    struct mext_root root;

    memset(&root, 7, sizeof(root));
    ck_assert_int_eq(mext_conn_init(source, dup(pair[0]), &root, true, 0), 0);
    ck_assert_int_eq(mext_conn_init(dest, dup(pair[1]), &root, false, 0), 0);
}

START_TEST(control)
{
    struct mext_ctl m = { .type = MEXT_CTL_COMMIT }, got;
    struct mext_conn s, d;
    unsigned aborted;

    connections(&s, &d);
    ck_assert_int_eq(mext_conn_send(&s, &m, 100, &why), 0);
    ck_assert_int_eq(mext_conn_recv(&d, &got, 100, &aborted, &why), 0);
    ck_assert_uint_eq(got.type, MEXT_CTL_COMMIT);
    ck_assert_uint_eq(s.sent, d.received);
    /* an abort carries its reason, with what cannot be printed replaced */
    mext_conn_abort(&d, MEXT_E_NAME, "caf\xc3\xa9\n");
    ck_assert_int_eq(mext_conn_recv(&s, &got, 100, &aborted, &why), -1);
    ck_assert_uint_eq(aborted, MEXT_E_NAME);
    ck_assert_ptr_nonnull(strstr(why.text, "caf???"));
    mext_conn_close(&s);
    mext_conn_close(&d);
}
END_TEST

START_TEST(changed_on_its_way)
{
    struct mext_ctl m = { .type = MEXT_CTL_COMMIT }, got;
    struct mext_conn s, d;
    uint8_t frame[64];
    unsigned aborted = 1;
    ssize_t n;

    connections(&s, &d);
    ck_assert_int_eq(mext_conn_send(&s, &m, 100, &why), 0);
    n = read(pair[1], frame, sizeof(frame));
    ck_assert_int_gt(n, 5);
    frame[5] ^= 1;
    ck_assert_int_eq(write(pair[0], frame, (size_t)n), n);
    ck_assert_int_eq(mext_conn_recv(&d, &got, 100, &aborted, &why), -1);
    ck_assert_uint_eq(aborted, 0);
    /* a length no frame may have */
    ck_assert_int_eq(write(pair[0], "\377\377\377\377", 4), 4);
    ck_assert_int_eq(mext_conn_recv(&d, &got, 100, &aborted, &why), -1);
    mext_conn_close(&s);
    mext_conn_close(&d);
}
END_TEST

/* ---- a name with two addresses, of which packetd listens on the second ---- */

int __wrap_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **list_r);
int __real_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **list_r);

int __wrap_getaddrinfo(const char *host, const char *service,
                       const struct addrinfo *hints, struct addrinfo **list_r)
{
    int r = __real_getaddrinfo(strcmp(host, "both") ? host : "127.0.0.2",
                               service, hints, list_r);

    if (!r && !strcmp(host, "both"))
        r = __real_getaddrinfo("127.0.0.1", service, hints,
                               &(*list_r)->ai_next);
    return r;
}

START_TEST(second_address)
{
    int tcp, udp, fd;
    char in[8];
    uint16_t port;
    pid_t pid;

    ck_assert_int_eq(mext_net_listen("127.0.0.1", 0, &tcp, &udp, &port, &why),
                     0);
    ck_assert_int_eq(mext_net_connect("both", port, 10000, &fd, &why), 0);
    close(fd);
    pid = fork();
    if (!pid) {
        struct sockaddr_in from;
        socklen_t len = sizeof(from);

        fcntl(udp, F_SETFL, 0);
        if (recvfrom(udp, in, sizeof(in), 0, (struct sockaddr *)&from, &len) !=
            3)
            _exit(1);
        sendto(udp, "fine", 4, 0, (struct sockaddr *)&from, len);
        _exit(0);
    }
    ck_assert_int_eq(
        mext_net_ask("both", port, "how", 3, in, sizeof(in), 20000, &why), 4);
    ck_assert_mem_eq(in, "fine", 4);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    close(tcp);
    close(udp);
    ck_assert_int_eq(
        mext_net_ask("both", port, "how", 3, in, sizeof(in), 2000, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no packetd answers on both"));
    ck_assert_int_eq(mext_net_connect("both", port, 2000, &fd, &why), -1);
}
END_TEST

START_TEST(listen_and_connect)
{
    int tcp, udp, fd;
    uint16_t port;

    ck_assert_int_eq(mext_net_listen("127.0.0.1", 0, &tcp, &udp, &port, &why),
                     0);
    ck_assert_uint_ne(port, 0);
    ck_assert_int_eq(mext_net_connect("127.0.0.1", port, 1000, &fd, &why), 0);
    close(fd);
    close(tcp);
    close(udp);
    ck_assert_int_eq(mext_net_connect("127.0.0.1", port, 1000, &fd, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "refused"));
}
END_TEST

/* All these words are in what ip(8) says of a card. */
static void card_is(const char *card, const char *const *words)
{
    char command[64], said[1000];
    size_t n;
    FILE *f;

    snprintf(command, sizeof(command), "ip -o link show %s", card);
    f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    n = fread(said, 1, sizeof(said) - 1, f);
    said[n] = 0;
    ck_assert_int_eq(pclose(f), 0);
    for (; *words; words++)
        ck_assert_msg(strstr(said, *words), "no \"%s\" in %s", *words, said);
}

/* In a network of its own, for which it has to be root. */
START_TEST(port_of_a_bridge)
{
    static const char *const are[] = { " master xenbr0 ", " mtu 1400 ", ",UP",
                                       "fe:ff:ff:ff:ff:ff", NULL };

    if (geteuid() || unshare(CLONE_NEWNET) ||
        system("ip link add xenbr0 type bridge && "
               "ip link set xenbr0 mtu 1400 && "
               "ip link add vif7.0 type veth peer name other && "
               "ip link set vif7.0 up")) {
        fputs("test_net: no bridge of its own: not tested\n", stderr);
        return;
    }
    ck_assert_msg(!mext_net_port("vif7.0", "xenbr0", &why), "%s", why.text);
    card_is("vif7.0", are);
    ck_assert_int_eq(mext_net_port("vif8.0", "xenbr0", &why), -1);
    ck_assert_str_eq(why.text, "vif8.0 does not become a port of the bridge "
                               "xenbr0: No such device");
    ck_assert_int_eq(mext_net_port("other", "vif7.0", &why), -1);
    ck_assert_int_eq(mext_net_port("other", "a-name-of-16-oct", &why), -1);
    ck_assert_str_eq(why.text, "\"a-name-of-16-oct\" is too long for a "
                               "network card");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        split,
        plain_frames,
        deadline_and_close,
        cancel,
        control,
        changed_on_its_way,
        second_address,
        listen_and_connect,
        port_of_a_bridge,
        NULL,
    };

    return unit_main(unit_suite_in("net", tests, open_pair, close_pair));
}
