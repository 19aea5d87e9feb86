/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * witness-peer          echo the messages of witnesses; runs in a dom0
 * witness-peer --ask    print, for each connection so far, a line
 *                         peer from=ADDRESS alive=0|1 messages=N bad=N
 *                         maxgap_ms=N now_ms=N
 *                       maxgap_ms: longest time between two arrivals since the
 *                       last --ask; now_ms: time since the last arrival
 */
#include "message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 64
#define LOG_MS    200 /* gaps from here on are logged */

struct peer {
    int fd; /* -1: it has ended */
    char from[INET_ADDRSTRLEN];
    uint64_t messages, bad;
    int64_t last_ns, largest_ns;
    uint8_t partial[sizeof(struct message)];
    size_t partial_size;
};

static struct peer peers[PEERS_MAX];
static int peer_count;

static void die(const char *what)
{
    fprintf(stderr, "witness-peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int listen_on(uint32_t address, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(address) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
        die("listen");
    return fd;
}

static void accept_peer(int listener)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    int one = 1,
        fd = accept4(listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC);
    struct peer *p = &peers[peer_count];

    if (fd < 0)
        return;
    if (peer_count == PEERS_MAX) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    p->fd = fd;
    p->last_ns = now_ns();
    inet_ntop(AF_INET, &from.sin_addr, p->from, sizeof(p->from));
    peer_count++;
    printf("connected %s\n", p->from);
}

static void end_peer(struct peer *p, const char *why)
{
    close(p->fd);
    p->fd = -1;
    printf("ended %s messages=%llu: %s\n", p->from,
           (unsigned long long)p->messages, why);
}

static void check_message(struct peer *p, const uint8_t *data)
{
    struct message m;

    memcpy(&m, data, sizeof(m));
    if (m.sequence != p->messages || m.check != message_check(m.sequence)) {
        p->bad++;
        printf("BAD %s sequence=%llu want=%llu\n", p->from,
               (unsigned long long)m.sequence, (unsigned long long)p->messages);
    }
    p->messages++;
}

static void check_messages(struct peer *p, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        p->partial[p->partial_size++] = data[i];
        if (p->partial_size == sizeof(p->partial)) {
            check_message(p, p->partial);
            p->partial_size = 0;
        }
    }
}

static void note_arrival(struct peer *p)
{
    int64_t now = now_ns(), gap = now - p->last_ns;

    p->last_ns = now;
    if (gap > p->largest_ns)
        p->largest_ns = gap;
    if (gap > LOG_MS * 1000000ll)
        printf("GAP %s ms=%lld\n", p->from, (long long)gap / 1000000);
}

static void read_peer(struct peer *p)
{
    uint8_t data[4096];
    ssize_t n = read(p->fd, data, sizeof(data));

    if (n <= 0) {
        end_peer(p, n < 0 ? strerror(errno) : "closed");
        return;
    }
    note_arrival(p);
    check_messages(p, data, (size_t)n);
    if (send(p->fd, data, (size_t)n, MSG_NOSIGNAL) != n)
        end_peer(p, strerror(errno));
}

static void serve_ask(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    for (struct peer *p = peers; p < peers + peer_count; p++) {
        dprintf(fd,
                "peer from=%s alive=%d messages=%llu bad=%llu "
                "maxgap_ms=%lld now_ms=%lld\n",
                p->from, p->fd >= 0, (unsigned long long)p->messages,
                (unsigned long long)p->bad, (long long)p->largest_ns / 1000000,
                (long long)(now_ns() - p->last_ns) / 1000000);
        p->largest_ns = 0;
    }
    close(fd);
}

static int ask(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(ASK_PORT),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char data[4096];
    ssize_t n;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
        die("no witness-peer runs here");
    while ((n = read(fd, data, sizeof(data))) > 0)
        fwrite(data, 1, (size_t)n, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    int messages, asks;

    if (argc == 2 && !strcmp(argv[1], "--ask"))
        return ask();
    if (argc != 1) {
        fprintf(stderr, "usage: witness-peer [--ask]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    messages = listen_on(INADDR_ANY, MESSAGE_PORT);
    asks = listen_on(INADDR_LOOPBACK, ASK_PORT);
    for (;;) {
        struct pollfd p[2 + PEERS_MAX] = { { .fd = messages, .events = POLLIN },
                                           { .fd = asks, .events = POLLIN } };
        int count = peer_count;

        for (int i = 0; i < count; i++)
            p[2 + i] = (struct pollfd){ .fd = peers[i].fd, .events = POLLIN };
        poll(p, 2 + (nfds_t)count, -1);
        for (int i = 0; i < count; i++)
            if (p[2 + i].revents)
                read_peer(&peers[i]);
        if (p[0].revents)
            accept_peer(messages);
        if (p[1].revents)
            serve_ask(asks);
    }
}
