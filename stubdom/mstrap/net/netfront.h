/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frontend of the migration vif (xen/io/netif.h): received data stays in the
 * granted buffers until lwIP is done with it, large TCP packets arrive whole
 * (scatter-gather and GSO), sent packets are copied into granted half pages.
 */
#ifndef MS_NETFRONT_H
#define MS_NETFRONT_H

#include "lwip/netif.h"

#include "../mstrap.h"

/** Finds the vif, connects it and waits for the backend; fails by ms_fail. */
void ms_netfront_connect(void);

/** The MAC address (valid after connecting). */
const uint8_t *ms_netfront_mac(void);

/** lwIP's linkoutput. */
err_t ms_netfront_send(struct netif *netif, struct pbuf *packet);

/** Hands what has arrived to netif->input; true if there was anything. */
bool ms_netfront_receive(struct netif *netif);

/** The event channel. */
uint32_t ms_netfront_port(void);

/** Tells the backend to close; the second waits until it has. */
void ms_netfront_close_begin(void);
bool ms_netfront_close_end(unsigned timeout_ms);

#endif
