/* SPDX-License-Identifier: GPL-2.0-only */
/* packetd as a service of systemd; without it nothing here does anything. */
#ifndef PACKETD_SERVICE_H
#define PACKETD_SERVICE_H

#include "mext_net.h"

/*
 * The listening sockets of packetd.socket, TCP and UDP on one port: 1, 0 if
 * packetd was not started with any, -1 and why if they are others.
 */
int service_sockets(int listeners_r[2], uint16_t *port_r, struct mext_why *why);

/* What the service manager is told. */
void service_ready(void);
void service_reloading(void);
void service_stopping(void);

#endif
