/* SPDX-License-Identifier: GPL-2.0-only */
/* Gratuitous ARP (RFC 5227) and unsolicited advertisements (RFC 4861, 7.2.6). */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

struct card {
    int index;
    uint8_t mac[ETH_ALEN];
};

/* An Ethernet card that is up; its flags in *flags_r. */
static bool find_card(const char *name, struct card *c, short *flags_r)
{
    struct ifreq r = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    strncpy(r.ifr_name, name, IFNAMSIZ - 1);
    c->index = (int)if_nametoindex(name);
    ok = c->index && !ioctl(fd, SIOCGIFHWADDR, &r) &&
         r.ifr_hwaddr.sa_family == ARPHRD_ETHER;
    memcpy(c->mac, r.ifr_hwaddr.sa_data, ETH_ALEN);
    ok = ok && !ioctl(fd, SIOCGIFFLAGS, &r);
    *flags_r = r.ifr_flags;
    close(fd);
    return ok && (r.ifr_flags & IFF_UP) && !(r.ifr_flags & IFF_LOOPBACK);
}

static bool tell_arp(const struct card *c, struct in_addr ip)
{
    struct sockaddr_ll to = { .sll_family = AF_PACKET,
                              .sll_protocol = htons(ETH_P_ARP),
                              .sll_ifindex = c->index,
                              .sll_halen = ETH_ALEN };
    struct ether_arp a = { .ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
                                       .ar_pro = htons(ETH_P_IP),
                                       .ar_hln = ETH_ALEN,
                                       .ar_pln = 4,
                                       .ar_op = htons(ARPOP_REQUEST) } };
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));
    ssize_t n;

    memset(to.sll_addr, 0xff, ETH_ALEN);
    memcpy(a.arp_sha, c->mac, ETH_ALEN);
    memcpy(a.arp_spa, &ip, 4);
    memcpy(a.arp_tpa, &ip, 4);
    n = sendto(fd, &a, sizeof(a), MSG_DONTWAIT, (struct sockaddr *)&to,
               sizeof(to));
    if (fd >= 0)
        close(fd);
    return n == sizeof(a);
}

/* The kernel fills in the checksum. */
static bool tell_neighbours(const struct card *c, const struct in6_addr *ip)
{
    struct {
        struct nd_neighbor_advert na;
        uint8_t option, units, mac[ETH_ALEN];
    } m = { .option = ND_OPT_TARGET_LINKADDR, .units = 1 };
    struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                               .sin6_scope_id = (uint32_t)c->index };
    struct sockaddr_in6 from = { .sin6_family = AF_INET6,
                                 .sin6_addr = *ip,
                                 .sin6_scope_id = (uint32_t)c->index };
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    int hops = 255, index = c->index;
    ssize_t n = -1;

    m.na.nd_na_type = ND_NEIGHBOR_ADVERT;
    m.na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
    m.na.nd_na_target = *ip;
    memcpy(m.mac, c->mac, ETH_ALEN);
    inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
    if (!bind(fd, (struct sockaddr *)&from, sizeof(from)))
        n = sendto(fd, &m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)&to,
                   sizeof(to));
    if (fd >= 0)
        close(fd);
    return n == sizeof(m);
}

/*
 * Those of the list that have a carrier, after a resume when their backends have
 * answered, are told, and taken out of it: how many.
 */
static unsigned tell(struct ifaddrs *list, bool *left_r)
{
    unsigned n = 0;
    struct card c;
    short flags;

    *left_r = false;
    for (struct ifaddrs *a = list; a; a = a->ifa_next) {
        int family = a->ifa_addr ? a->ifa_addr->sa_family : AF_UNSPEC;

        if ((family != AF_INET && family != AF_INET6) ||
            !find_card(a->ifa_name, &c, &flags))
            continue;
        if (!(flags & IFF_RUNNING)) {
            *left_r = true;
            continue;
        }
        if (family == AF_INET)
            n += tell_arp(&c, ((struct sockaddr_in *)a->ifa_addr)->sin_addr);
        else
            n += tell_neighbours(
                &c, &((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr);
        a->ifa_addr = NULL;
    }
    return n;
}

/* A card that stays without a carrier keeps none of the others waiting. */
unsigned announce(uint64_t end_ms)
{
    struct ifaddrs *list;
    unsigned n;
    bool left;

    if (getifaddrs(&list))
        return 0;
    n = tell(list, &left);
    while (left && agent_now_ms() < end_ms) {
        agent_sleep_ms(10);
        n += tell(list, &left);
    }
    freeifaddrs(list);
    return n;
}
