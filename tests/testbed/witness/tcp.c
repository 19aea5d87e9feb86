/* SPDX-License-Identifier: GPL-2.0-only */
/* One TCP connection that must live as long as the guest does. */
#include "witness.h"

#include "message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int peer;
static atomic_uint_fast64_t sent, echoed, bad;

static void lost(const char *what)
{
    atomic_fetch_add(&bad, 1);
    say("WITNESS BAD tcp %s: %s (sent=%llu echoed=%llu)", what, strerror(errno),
        (unsigned long long)atomic_load(&sent),
        (unsigned long long)atomic_load(&echoed));
}

static bool send_one(uint64_t sequence)
{
    struct message m = { sequence, message_check(sequence) };

    if (send(peer, &m, sizeof(m), MSG_NOSIGNAL) == (ssize_t)sizeof(m))
        return true;
    lost("send");
    return false;
}

static void *sender(void *unused)
{
    (void)unused;
    for (uint64_t n = 0; send_one(n); n++) {
        atomic_store(&sent, n + 1);
        sleep_until(clock_ns(CLOCK_MONOTONIC) +
                    (int64_t)options.calm * MESSAGE_MS * 1000000);
    }
    return NULL;
}

static void *receiver(void *unused)
{
    struct message m;

    (void)unused;
    for (uint64_t n = 0;; n++) {
        errno = 0;
        if (recv(peer, &m, sizeof(m), MSG_WAITALL) != (ssize_t)sizeof(m)) {
            lost("the connection has ended");
            return NULL;
        }
        if (m.sequence != n || m.check != message_check(n))
            lost("wrong echo");
        atomic_store(&echoed, n + 1);
    }
}

void tcp_start(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(MESSAGE_PORT) };
    int one = 1;

    peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer < 0 || inet_pton(AF_INET, options.peer, &to.sin_addr) != 1 ||
        connect(peer, (struct sockaddr *)&to, sizeof(to))) {
        lost("connect");
        exit(1);
    }
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    start_thread(sender, NULL);
    start_thread(receiver, NULL);
}

struct tcp_state tcp_state(void)
{
    return (struct tcp_state){ atomic_load(&sent), atomic_load(&echoed),
                               atomic_load(&bad) };
}
