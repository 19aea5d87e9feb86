/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The one file that knows sockets: IPv4/IPv6 TCP streams with deadlines.
 *
 * Every call that can wait has a deadline in ms and ends at once when the
 * cancel descriptor given to mext_net_cancel_fd becomes readable.  All return
 * 0 or -1 with *why filled.
 */
#ifndef MEXT_NET_H
#define MEXT_NET_H

#include <netinet/in.h>
#include <sys/uio.h>

#include "mext_keys.h"
#include "mext_seal.h"

/* Milliseconds of CLOCK_MONOTONIC; microseconds. */
uint64_t mext_now_ms(void);
uint64_t mext_now_us(void);

/* A descriptor whose readability cancels every wait; -1: none. */
void mext_net_cancel_fd(int fd);
/* The same, for waits of the calling thread only. */
void mext_net_stop_fd(int fd);
/*
 * All waits of the process listen to fd as well, -1: to none: when there is something to
 * read, fn takes it, and what it returns is 0, or -1 and why, which ends the wait.  Any
 * thread may call it, several at once.
 */
typedef int mext_heed_fn(void *arg, struct mext_why *why);
void mext_net_heed(int fd, mext_heed_fn *fn, void *arg);
/* -1 and why if a wait would be cancelled, or ended by what it heeds, now. */
int mext_net_cancelled(struct mext_why *why);

/* Text "HOST", "HOST:PORT", "[V6]:PORT" -> host[256], port; -1 and why. */
int mext_net_split(const char *text, uint16_t port_default, char host[256],
                   uint16_t *port_r, struct mext_why *why);

/*
 * Connected, non-blocking, close-on-exec TCP socket in *fd_r.  All addresses of host
 * are tried, each for its share of the time.
 */
int mext_net_connect(const char *host, uint16_t port, unsigned timeout_ms,
                     int *fd_r, struct mext_why *why);
int mext_net_connect_ip4(uint32_t ip, uint16_t port, unsigned timeout_ms,
                         int *fd_r, struct mext_why *why);

/* To the address and port that fd, a connected stream, is connected to. */
int mext_net_connect_again(int fd, unsigned timeout_ms, int *fd_r,
                           struct mext_why *why);

/* A connected stream's reader finds its end from now on, and so does who waits. */
void mext_net_end_reading(int fd);

/* What each stream has: no delay, never blocks, a dead peer is noticed. */
void mext_net_options(int fd);

/* Bound sockets on every address; port 0 chooses one, given in *port_r. */
int mext_net_listen(const char *address, uint16_t port, int *tcp_r, int *udp_r,
                    uint16_t *port_r, struct mext_why *why);

/*
 * A socket of this host's at path: bound, mode 0600, in place of what was
 * there; or connected, non-blocking; both close-on-exec.
 */
int mext_net_listen_unix(const char *path, int *fd_r, struct mext_why *why);
int mext_net_connect_unix(const char *path, int *fd_r, struct mext_why *why);

/*
 * A card of this host becomes a port of a bridge, unless it is one already, and is
 * switched on: with the bridge's MTU, and the address that no bridge takes for its own,
 * as Xen's scripts do it.
 */
int mext_net_port(const char *card, const char *bridge, struct mext_why *why);

/*
 * One datagram to host, one answer of at most max bytes back: its length, or
 * -1.  Its addresses are tried as by mext_net_connect.
 */
int mext_net_ask(const char *host, uint16_t port, const void *out, size_t n,
                 void *in, size_t max, unsigned timeout_ms,
                 struct mext_why *why);

/* Peer's address as text, for logs. */
void mext_net_peer(int fd, char out[64]);

/*
 * As mext_net_send; *waited_us grows by the time in which the socket would take
 * no more.
 */
int mext_net_send_timed(int fd, struct iovec *iov, int iovcnt,
                        unsigned timeout_ms, uint64_t *waited_us,
                        struct mext_why *why);
/* All bytes, or -1. iov is consumed (changed) by the call. */
int mext_net_send(int fd, struct iovec *iov, int iovcnt, unsigned timeout_ms,
                  struct mext_why *why);
int mext_net_recv(int fd, void *buf, size_t n, unsigned timeout_ms,
                  struct mext_why *why);

/* Without waiting, at most n bytes: how many, 0: none yet; -1. */
int mext_net_take(int fd, void *buf, size_t n, struct mext_why *why);

/*
 * Waits until one of n descriptors is readable: its index, or -1.
 * fds may hold -1 (ignored).
 */
int mext_net_wait(const int *fds, unsigned n, unsigned timeout_ms,
                  struct mext_why *why);

/* Plain frame: u32 length + bytes (token, hello, refusal). */
int mext_net_send_plain(int fd, const void *p, size_t n, unsigned timeout_ms,
                        struct mext_why *why);
/* Reads one of at most max bytes into buf; its length, or -1. */
int mext_net_recv_plain(int fd, void *buf, size_t max, unsigned timeout_ms,
                        struct mext_why *why);

/* A counter that other threads than the one that counts read. */
static inline uint64_t mext_count(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* By the one thread that counts. */
static inline void mext_count_add(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* say(arg, printf), cut to MEXT_TEXT_MAX. */
void mext_sayf(mext_say_fn *say, void *arg, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* why->text = printf, cut to its size; returns -1. */
int mext_fail(struct mext_why *why, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
