/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lwIP for mstrap: IPv4, TCP and ping; one thread, raw API.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_STATS           0

#define LWIP_IPV4         1
#define LWIP_IPV6         0
#define LWIP_ARP          1
#define LWIP_ICMP         0 /* answers would take the room of the source's */
#define LWIP_UDP          0
#define LWIP_RAW          0
#define LWIP_DHCP         0
#define LWIP_DNS          0
#define IP_REASSEMBLY     0
#define IP_FRAG           0
#define LWIP_SINGLE_NETIF 1

/* Received pbufs are our own; only what is sent comes from here. */
#define MEM_ALIGNMENT            8
#define MEM_SIZE                 (16 * 1024) /* 1 KiB a channel: an ERROR fits */
#define MEMP_NUM_PBUF            16
#define PBUF_POOL_SIZE           1
#define PBUF_POOL_BUFSIZE        256
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/* Pages go straight to their place: the window needs no memory behind it. */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1
#define TCP_MSS                        1460
#define LWIP_WND_SCALE                 1
#define TCP_RCV_SCALE                  4
#define TCP_WND                        (384 * 1024) /* of all channels: net/connection.c */
#define TCP_SND_BUF                    (4 * TCP_MSS)
#define TCP_QUEUE_OOSEQ                0
/* In ms: lwIP's own 250 is too coarse to find a lost segment of ours soon. */
#define TCP_TMR_INTERVAL        25
#define TCP_LISTEN_BACKLOG      1
#define MEMP_NUM_TCP_PCB        28 /* MS_CONNECTIONS, and some that begin or end */
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG        64
#define LWIP_TCP_KEEPALIVE      1

/* Every byte that matters is sealed, and dom0 leaves TCP sums blank. */
#define CHECKSUM_CHECK_TCP 0

#endif
