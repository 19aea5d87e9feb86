/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "../entropy.h"
#include "../xen/clock.h"
#include "../xen/evtchn.h"
#include "../xen/xenstore.h"
#include "connection.h"
#include "netfront.h"
#include "stack.h"

#define MTU 1500
/* Longest sleep; anything that matters wakes us up before. */
#define SLEEP_MS    100
#define ANNOUNCE_MS 1000

static struct netif netif;

/* Declared by lwIP only where it has threads. */
u32_t sys_now(void);
u32_t sys_now(void)
{
    return (u32_t)ms_now_ms();
}

uint32_t ms_lwip_random(void)
{
    uint32_t value;

    ms_random(&value, sizeof(value));
    return value;
}

_Noreturn void ms_lwip_assert(const char *message)
{
    ms_fail("lwIP: %s", message);
}

static err_t netif_up(struct netif *n)
{
    n->name[0] = 'x';
    n->name[1] = 'n';
    n->output = etharp_output;
    n->linkoutput = ms_netfront_send;
    n->mtu = MTU;
    n->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(n->hwaddr, ms_netfront_mac(), ETH_HWADDR_LEN);
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static ip4_addr_t network_order(uint32_t address)
{
    ip4_addr_t a = { .addr = lwip_htonl(address) };

    return a;
}

static void listen_on(uint16_t port)
{
    struct tcp_pcb *pcb = tcp_new();

    if (!pcb || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
        ms_fail("cannot bind port %u", port);
    pcb = tcp_listen_with_backlog(pcb, MS_CONNECTIONS);
    if (!pcb)
        ms_fail("cannot listen");
    tcp_accept(pcb, ms_connection_accept);
}

void ms_stack_start(const struct ms_config *config)
{
    ip4_addr_t address = network_order(config->address);
    ip4_addr_t netmask = network_order(config->netmask);
    ip4_addr_t gateway = network_order(config->gateway);

    ms_netfront_connect();
    lwip_init();
    if (!netif_add(&netif, &address, &netmask, &gateway, NULL, netif_up,
                   ethernet_input))
        ms_fail("cannot add the interface");
    netif_set_default(&netif);
    netif_set_up(&netif);
    listen_on(config->port);
}

bool ms_stack_work(void)
{
    bool any;

    ms_evtchn_take(ms_netfront_port());
    any = ms_netfront_receive(&netif);
    sys_check_timeouts();
    return any;
}

void ms_stack_announce(void)
{
    static uint64_t next;
    uint64_t now = ms_now_ms();

    if (now < next)
        return;
    etharp_gratuitous(&netif);
    next = now + ANNOUNCE_MS;
}

void ms_stack_sleep(void)
{
    evtchn_port_t ports[] = { ms_netfront_port(), ms_xs_port() };
    u32_t ms;

    ms_connections_acknowledge();
    ms = sys_timeouts_sleeptime();
    if (ms > SLEEP_MS)
        ms = SLEEP_MS;
    if (ms)
        ms_poll(ports, MS_COUNT(ports), ms * 1000ul);
}

void ms_stack_flush(unsigned timeout_ms)
{
    uint64_t end = ms_now_ms() + timeout_ms;

    while (!ms_connections_flushed() && ms_now_ms() < end)
        if (!ms_stack_work())
            ms_stack_sleep();
}
