/* SPDX-License-Identifier: LGPL-2.1-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mext_net.h"

#define WAIT_MAX_FDS 64

/* A peer that stays silent on the wire this long is taken for dead, ms. */
#define DEAD_PEER_MS 15000

static int cancel_fd = -1;
static _Thread_local int stop_fd = -1;
static struct {
    int fd;
    mext_heed_fn *fn;
    void *arg;
} heed = { .fd = -1 };

int mext_fail(struct mext_why *why, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why->text, sizeof(why->text), fmt, ap);
    va_end(ap);
    return -1;
}

void mext_sayf(mext_say_fn *say, void *arg, const char *fmt, ...)
{
    char text[MEXT_TEXT_MAX + 1];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    say(arg, text);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t mext_now_ms(void)
{
    return now_ns() / 1000000;
}

uint64_t mext_now_us(void)
{
    return now_ns() / 1000;
}

void mext_net_cancel_fd(int fd)
{
    cancel_fd = fd;
}

void mext_net_stop_fd(int fd)
{
    stop_fd = fd;
}

void mext_net_heed(int fd, mext_heed_fn *fn, void *arg)
{
    heed.fd = fd;
    heed.fn = fn;
    heed.arg = arg;
}

int mext_net_cancelled(struct mext_why *why)
{
    struct pollfd p[] = { { .fd = cancel_fd, .events = POLLIN },
                          { .fd = heed.fd, .events = POLLIN } };

    if (poll(p, 2, 0) <= 0)
        return 0;
    if (p[0].revents)
        return mext_fail(why, "cancelled");
    return heed.fn(heed.arg, why);
}

/* ms left until `end`, for poll. */
static int left(uint64_t end)
{
    uint64_t now = mext_now_ms();

    return now >= end ? 0 : (int)(end - now);
}

/* Waits for events on one of n descriptors; index or -1. */
static int wait_events(const int *fds, unsigned n, short events, uint64_t end,
                       struct mext_why *why)
{
    struct pollfd p[WAIT_MAX_FDS + 3];

    if (n > WAIT_MAX_FDS)
        return mext_fail(why, "too many descriptors (%u)", n);
    for (;;) {
        int r;

        for (unsigned i = 0; i < n; i++)
            p[i] = (struct pollfd){ .fd = fds[i], .events = events };
        p[n] = (struct pollfd){ .fd = cancel_fd, .events = POLLIN };
        p[n + 1] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
        p[n + 2] = (struct pollfd){ .fd = heed.fd, .events = POLLIN };
        r = poll(p, n + 3, left(end));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return mext_fail(why, "poll: %s", strerror(errno));
        if (p[n].revents)
            return mext_fail(why, "cancelled");
        if (p[n + 1].revents)
            return mext_fail(why, "broken off");
        if (p[n + 2].revents && heed.fn(heed.arg, why))
            return -1;
        for (unsigned i = 0; i < n; i++)
            if (p[i].revents)
                return (int)i;
        if (r == 0 && mext_now_ms() >= end)
            return mext_fail(why, "no answer from the peer in time");
    }
}

int mext_net_wait(const int *fds, unsigned n, unsigned timeout_ms,
                  struct mext_why *why)
{
    return wait_events(fds, n, POLLIN, mext_now_ms() + timeout_ms, why);
}

/* ---- addresses ---- */

int mext_net_split(const char *text, uint16_t port_default, char host[256],
                   uint16_t *port_r, struct mext_why *why)
{
    const char *end, *colon;
    unsigned long port = port_default;
    size_t n;

    if (text[0] == '[') {
        end = strchr(++text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return mext_fail(why, "\"%s\" is not [ADDRESS]:PORT", text - 1);
        colon = end[1] ? end + 1 : NULL;
    } else {
        colon = strchr(text, ':');
        if (colon && strchr(colon + 1, ':'))
            colon = NULL; /* a bare IPv6 address */
        end = colon ? colon : text + strlen(text);
    }
    n = (size_t)(end - text);
    if (!n || n > 255)
        return mext_fail(why, "no host name in \"%s\"", text);
    if (colon) {
        char *stop;

        port = strtoul(colon + 1, &stop, 10);
        if (!colon[1] || *stop || !port || port > 65535)
            return mext_fail(why, "\"%s\" is not a port", colon + 1);
    }
    memcpy(host, text, n);
    host[n] = 0;
    *port_r = (uint16_t)port;
    return 0;
}

void mext_net_peer(int fd, char out[64])
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    char host[48], port[8];

    if (getpeername(fd, (struct sockaddr *)&ss, &len) ||
        getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(out, 64, "unknown");
    else
        snprintf(out, 64, "%s port %s", host, port);
}

/* ---- streams ---- */

void mext_net_end_reading(int fd)
{
    shutdown(fd, SHUT_RD);
}

void mext_net_options(int fd)
{
    int on = 1, idle = 5, every = 2, tries = 5;
    unsigned user = DEAD_PEER_MS;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user, sizeof(user));
}

static int connect_addr(const struct sockaddr *sa, socklen_t len, uint64_t end,
                        int *fd_r, struct mext_why *why)
{
    int err = 0, fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof(err);

    if (fd < 0)
        return mext_fail(why, "socket: %s", strerror(errno));
    mext_net_options(fd);
    if (connect(fd, sa, len) && errno != EINPROGRESS)
        err = errno;
    else if (wait_events(&fd, 1, POLLOUT, end, why) < 0)
        goto fail;
    else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n);
    if (err) {
        mext_fail(why, "%s", strerror(err));
        goto fail;
    }
    *fd_r = fd;
    return 0;
fail:
    close(fd);
    return -1;
}

/* All addresses of host, to be freed by freeaddrinfo. */
static int resolve(const char *host, uint16_t port, int type,
                   struct addrinfo **list_r, struct mext_why *why)
{
    struct addrinfo hints = { .ai_socktype = type };
    char service[8];
    int r;

    snprintf(service, sizeof(service), "%u", port);
    r = getaddrinfo(host, service, &hints, list_r);
    return r ? mext_fail(why, "cannot resolve %s: %s", host, gai_strerror(r))
             : 0;
}

/* When to go on to the next address: what is left until end, shared evenly. */
static uint64_t share_of(const struct addrinfo *a, uint64_t end)
{
    uint64_t now = mext_now_ms(), n = 0;

    for (; a; a = a->ai_next)
        n++;
    return now >= end ? end : now + (end - now) / n;
}

int mext_net_connect(const char *host, uint16_t port, unsigned timeout_ms,
                     int *fd_r, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms;
    struct mext_why last = { "no address" };
    struct addrinfo *list;
    int r = -1;

    if (resolve(host, port, SOCK_STREAM, &list, why))
        return -1;
    for (const struct addrinfo *a = list; a && r; a = a->ai_next)
        r = connect_addr(a->ai_addr, a->ai_addrlen, share_of(a, end), fd_r,
                         &last);
    freeaddrinfo(list);
    if (r)
        return mext_fail(why, "cannot connect to %s port %u: %.200s", host,
                         port, last.text);
    return 0;
}

int mext_net_connect_ip4(uint32_t ip, uint16_t port, unsigned timeout_ms,
                         int *fd_r, struct mext_why *why)
{
    struct sockaddr_in sa = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(ip),
    };
    struct mext_why last;

    if (connect_addr((struct sockaddr *)&sa, sizeof(sa),
                     mext_now_ms() + timeout_ms, fd_r, &last))
        return mext_fail(why, "cannot connect to %s port %u: %.200s",
                         inet_ntoa(sa.sin_addr), port, last.text);
    return 0;
}

int mext_net_connect_again(int fd, unsigned timeout_ms, int *fd_r,
                           struct mext_why *why)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getpeername(fd, (struct sockaddr *)&ss, &len))
        return mext_fail(why, "connection lost: %s", strerror(errno));
    return connect_addr((struct sockaddr *)&ss, len, mext_now_ms() + timeout_ms,
                        fd_r, why);
}

/* One bound socket of a type; *port is read and set. */
static int bind_one(const char *address, uint16_t *port, int type, int *fd_r,
                    struct mext_why *why)
{
    struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_PASSIVE };
    struct addrinfo *a;
    struct sockaddr_in6 got;
    socklen_t len = sizeof(got);
    char service[8];
    int on = 1, r, fd = -1;

    snprintf(service, sizeof(service), "%u", *port);
    r = getaddrinfo(address ? address : "0.0.0.0", service, &hints, &a);
    if (r)
        return mext_fail(why, "cannot resolve %s: %s", address,
                         gai_strerror(r));
    fd = socket(a->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, a->ai_addr, a->ai_addrlen)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(a);
    if (fd < 0)
        return mext_fail(why, "cannot listen on port %u: %s", *port,
                         strerror(errno));
    getsockname(fd, (struct sockaddr *)&got, &len);
    *port = ntohs(got.sin6_port); /* same place in sockaddr_in */
    *fd_r = fd;
    return 0;
}

int mext_net_listen(const char *address, uint16_t port, int *tcp_r, int *udp_r,
                    uint16_t *port_r, struct mext_why *why)
{
    int tcp, udp;

    if (bind_one(address, &port, SOCK_STREAM, &tcp, why))
        return -1;
    if (listen(tcp, 64) ? mext_fail(why, "cannot listen on port %u: %s", port,
                                    strerror(errno))
                        : bind_one(address, &port, SOCK_DGRAM, &udp, why)) {
        close(tcp);
        return -1;
    }
    *tcp_r = tcp;
    *udp_r = udp;
    *port_r = port;
    return 0;
}

static int unix_socket(const char *path, struct sockaddr_un *sa, int *fd_r,
                       struct mext_why *why)
{
    *sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(sa->sun_path))
        return mext_fail(why, "%s is too long for a socket", path);
    strcpy(sa->sun_path, path);
    *fd_r = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd_r < 0 ? mext_fail(why, "socket: %s", strerror(errno)) : 0;
}

int mext_net_listen_unix(const char *path, int *fd_r, struct mext_why *why)
{
    struct sockaddr_un sa;
    int fd;

    if (unix_socket(path, &sa, &fd, why))
        return -1;
    unlink(path);
    if (!bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && !chmod(path, 0600) &&
        !listen(fd, 16)) {
        *fd_r = fd;
        return 0;
    }
    mext_fail(why, "cannot listen on %s: %s", path, strerror(errno));
    close(fd);
    return -1;
}

int mext_net_connect_unix(const char *path, int *fd_r, struct mext_why *why)
{
    struct sockaddr_un sa;
    int fd;

    if (unix_socket(path, &sa, &fd, why))
        return -1;
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
        mext_fail(why, "cannot connect to %s: %s", path, strerror(errno));
        close(fd);
        return -1;
    }
    *fd_r = fd;
    return 0;
}

/* A request about the card of that name. */
static int card_request(struct ifreq *r, const char *card, struct mext_why *why)
{
    memset(r, 0, sizeof(*r));
    if (strlen(card) >= sizeof(r->ifr_name))
        return mext_fail(why, "\"%.64s\" is too long for a network card", card);
    strcpy(r->ifr_name, card);
    return 0;
}

/* Whether somebody else, a network manager for example, has made it one. */
static bool is_port(const char *card, const char *bridge)
{
    char path[2 * IFNAMSIZ + 32];

    snprintf(path, sizeof(path), "/sys/class/net/%s/brif/%s", bridge, card);
    return !access(path, F_OK);
}

static int switch_card(int fd, struct ifreq *r, bool on)
{
    if (ioctl(fd, SIOCGIFFLAGS, r))
        return -1;
    r->ifr_flags = (short)(on ? r->ifr_flags | IFF_UP : r->ifr_flags & ~IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, r);
}

/*
 * The steps of mext_net_port; errno tells what went wrong.  What is not needed for the
 * card to work may fail.
 */
static int make_port(int fd, struct ifreq *port, struct ifreq *bridge)
{
    static const unsigned char address[] = {
        0xfe, 0xff, 0xff, 0xff, 0xff, 0xff
    };

    if (switch_card(fd, port, false))
        return -1;
    port->ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(port->ifr_hwaddr.sa_data, address, sizeof(address));
    ioctl(fd, SIOCSIFHWADDR, port);
    if (!ioctl(fd, SIOCGIFMTU, bridge)) {
        port->ifr_mtu = bridge->ifr_mtu;
        ioctl(fd, SIOCSIFMTU, port);
    }
    bridge->ifr_ifindex = (int)if_nametoindex(port->ifr_name);
    if (!bridge->ifr_ifindex || (!is_port(port->ifr_name, bridge->ifr_name) &&
                                 ioctl(fd, SIOCBRADDIF, bridge)))
        return -1;
    return switch_card(fd, port, true);
}

int mext_net_port(const char *card, const char *bridge, struct mext_why *why)
{
    struct ifreq p, b;
    int fd, rc = 0;

    if (card_request(&p, card, why) || card_request(&b, bridge, why))
        return -1;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || make_port(fd, &p, &b))
        rc = mext_fail(why, "%s does not become a port of the bridge %s: %s",
                       card, bridge, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

struct question {
    const void *out;
    size_t n;
    void *in;
    size_t max;
};

/* The answer's length, or -1. */
static int ask_addr(const struct addrinfo *a, const struct question *q,
                    uint64_t end, struct mext_why *why)
{
    int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ssize_t k = -1;

    if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) ||
        send(fd, q->out, q->n, 0) != (ssize_t)q->n)
        mext_fail(why, "cannot send: %s", strerror(errno));
    else if (wait_events(&fd, 1, POLLIN, end, why) == 0 &&
             (k = recv(fd, q->in, q->max, 0)) < 0)
        mext_fail(why, "%s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return (int)k;
}

int mext_net_ask(const char *host, uint16_t port, const void *out, size_t n,
                 void *in, size_t max, unsigned timeout_ms,
                 struct mext_why *why)
{
    const struct question q = { out, n, in, max };
    uint64_t end = mext_now_ms() + timeout_ms;
    struct mext_why last = { "no address" };
    struct addrinfo *list;
    int k = -1;

    if (resolve(host, port, SOCK_DGRAM, &list, why))
        return -1;
    /* TCP found the one that packetd listens on, which need not be the first. */
    for (const struct addrinfo *a = list; a && k < 0; a = a->ai_next)
        k = ask_addr(a, &q, share_of(a, end), &last);
    freeaddrinfo(list);
    return k < 0 ? mext_fail(why, "no packetd answers on %s port %u: %.200s",
                             host, port, last.text)
                 : k;
}

int mext_net_send(int fd, struct iovec *iov, int iovcnt, unsigned timeout_ms,
                  struct mext_why *why)
{
    uint64_t waited_us = 0;

    return mext_net_send_timed(fd, iov, iovcnt, timeout_ms, &waited_us, why);
}

/* Waits until the socket takes more; 0 or -1. */
static int wait_for_room(int fd, uint64_t end, uint64_t *waited_us,
                         struct mext_why *why)
{
    uint64_t start = mext_now_us();
    int r = wait_events(&fd, 1, POLLOUT, end, why);

    *waited_us += mext_now_us() - start;
    return r < 0 ? -1 : 0;
}

int mext_net_send_timed(int fd, struct iovec *iov, int iovcnt,
                        unsigned timeout_ms, uint64_t *waited_us,
                        struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms;

    while (iovcnt) {
        struct msghdr m = { .msg_iov = iov, .msg_iovlen = (size_t)iovcnt };
        ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return mext_fail(why, "connection lost: %s", strerror(errno));
        if (n < 0) {
            if (wait_for_room(fd, end, waited_us, why))
                return -1;
            continue;
        }
        for (; iovcnt && (size_t)n >= iov->iov_len; iov++, iovcnt--)
            n -= (ssize_t)iov->iov_len;
        if (iovcnt) {
            iov->iov_base = (char *)iov->iov_base + n;
            iov->iov_len -= (size_t)n;
        }
    }
    return 0;
}

int mext_net_recv(int fd, void *buf, size_t n, unsigned timeout_ms,
                  struct mext_why *why)
{
    uint64_t end = mext_now_ms() + timeout_ms;
    char *p = buf;

    while (n) {
        int k = mext_net_take(fd, p, n, why);

        if (k < 0 || (!k && wait_events(&fd, 1, POLLIN, end, why) < 0))
            return -1;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

int mext_net_take(int fd, void *buf, size_t n, struct mext_why *why)
{
    ssize_t k = recv(fd, buf, n, MSG_DONTWAIT);

    if (k == 0)
        return mext_fail(why, "the peer closed the connection");
    if (k < 0 && errno != EAGAIN && errno != EINTR)
        return mext_fail(why, "connection lost: %s", strerror(errno));
    return k < 0 ? 0 : (int)k;
}

int mext_net_send_plain(int fd, const void *p, size_t n, unsigned timeout_ms,
                        struct mext_why *why)
{
    uint8_t hdr[MEXT_FRAME_HDR_LEN];
    struct iovec v[2] = { { hdr, sizeof(hdr) }, { (void *)p, n } };

    mext_store32(hdr, (uint32_t)n);
    return mext_net_send(fd, v, 2, timeout_ms, why);
}

int mext_net_recv_plain(int fd, void *buf, size_t max, unsigned timeout_ms,
                        struct mext_why *why)
{
    uint8_t hdr[MEXT_FRAME_HDR_LEN];
    uint32_t n;

    if (mext_net_recv(fd, hdr, sizeof(hdr), timeout_ms, why))
        return -1;
    n = mext_load32(hdr);
    if (!n || n > max)
        return mext_fail(why, "the peer does not speak this protocol");
    if (mext_net_recv(fd, buf, n, timeout_ms, why))
        return -1;
    return (int)n;
}
