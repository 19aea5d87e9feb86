/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What packetd's door (no privilege, reads from the network) and its monitor
 * (root) say to each other, and the monitor to a line: docs/specs/privsep.md.  One
 * message is one packet of a SOCK_SEQPACKET pair.  Each side takes what the other
 * says for hostile.
 */
#ifndef PACKETD_GATE_H
#define PACKETD_GATE_H

#include <sys/socket.h>

#include "mext_net.h"
#include "mext_token.h"

#define GATE_TRUST_MAX 1024 /* keys the door knows */
#define GATE_SELF_MAX  3    /* keys of this host */
#define GATE_PEER_MAX  32   /* bytes of an IPv4 or IPv6 socket address */
#define GATE_REASONS   32   /* MEXT_E_* that are counted, 0: rate limit */
#define GATE_SEND_MS   2000 /* a side that takes nothing for so long is gone */
#define GATE_MSG_MAX   (16 + (GATE_TRUST_MAX + GATE_SELF_MAX) * MEXT_KEY_LEN)

/* Descriptors of a process that was started for the network. */
#define GATE_FD       3 /* door and line: to the one with privilege */
#define GATE_TCP_FD   4 /* door: listens; line: the connection */
#define GATE_UDP_FD   5 /* door */
#define GATE_JOINS_FD 5 /* line, of several connections: from the monitor */

enum gate_type {
    /* monitor -> door */
    GATE_TRUST = 0x01,   /* whose tokens count, and who we are */
    GATE_VERDICT = 0x02, /* on the one TOKEN that is open */
    GATE_ANSWER = 0x03,  /* a datagram to be sent */
    /* door -> monitor */
    GATE_HELLO = 0x81, /* in its jail: TRUST, please; also for a new one */
    GATE_TOKEN = 0x82, /* its signature is good; over TCP, with a descriptor */
    GATE_REFUSED = 0x83, /* how many were refused since the last time */
    GATE_WHOIS = 0x84,   /* a datagram that asks who we are */
    GATE_QUERY = 0x85,   /* one that asks what became of a migration */
    /* door -> monitor -> line */
    GATE_JOIN = 0x86, /* a further connection, with its descriptor */
};

struct gate_peer {
    uint8_t len; /* 0: over TCP */
    uint8_t addr[GATE_PEER_MAX];
};

struct gate_msg {
    uint8_t type;
    int fd; /* TOKEN over TCP, JOIN; -1: none; owned by the receiver */
    union {
        struct {
            uint16_t nself, n;
            uint32_t rate; /* tokens a second from one address; 0: any */
            uint8_t self[GATE_SELF_MAX][MEXT_KEY_LEN];
            uint8_t keys[GATE_TRUST_MAX][MEXT_KEY_LEN];
        } trust;
        struct {
            uint16_t code; /* MEXT_E_*, 0: it is taken */
            struct mext_why why;
        } verdict;
        struct {
            struct gate_peer to;
            uint16_t n;
            uint8_t bytes[MEXT_TOKEN_LEN];
        } answer;
        struct {
            struct gate_peer from;
            uint8_t bytes[MEXT_TOKEN_LEN];
        } token;
        struct {
            struct gate_peer from;
            uint8_t bytes[MEXT_WHOIS_LEN];
        } whois;
        struct {
            struct gate_peer from;
            uint8_t bytes[MEXT_QUERY_LEN];
        } query;
        struct {
            uint64_t n[GATE_REASONS];
        } refused;
        struct mext_open join;
    } u;
};

/* 0, or a negative enum mext_rc; b holds GATE_MSG_MAX bytes at most. */
int gate_encode(const struct gate_msg *m, struct mext_buf *b);
int gate_decode(const uint8_t *in, size_t len, struct gate_msg *m_r);

/*
 * Sends m, and m->fd with it if there is one (which stays open); -1 and why,
 * also if the other side takes nothing for GATE_SEND_MS.
 */
int gate_send(int fd, const struct gate_msg *m, struct mext_why *why);

/* The same without waiting: -1 if the other side has no room now. */
int gate_offer(int fd, const struct gate_msg *m, struct mext_why *why);

/*
 * Next message, waits for it: 0; -1 and why if the other side is gone or does
 * not keep to the specification.  Descriptors that do not belong to
 * the message are closed.
 */
int gate_recv(int fd, struct gate_msg *m_r, struct mext_why *why);

#endif
