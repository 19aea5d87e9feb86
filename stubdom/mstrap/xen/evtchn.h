/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event channels without interrupts: bits in shared_info, and SCHEDOP_poll.
 */
#ifndef MS_EVTCHN_H
#define MS_EVTCHN_H

#include <stdint.h>

#include <xen/xen.h>
#include <xen/event_channel.h>

#include "../mstrap.h"

extern shared_info_t *ms_shared_info; /* NULL until it is mapped */

void ms_evtchn_send(evtchn_port_t port);

/** An unbound port for dom0; 0 if Xen refuses. */
evtchn_port_t ms_evtchn_alloc(void);

void ms_evtchn_close(evtchn_port_t port);

/** True if the port had an event, which is taken. */
bool ms_evtchn_take(evtchn_port_t port);

/**
 * Sleeps until one of the ports has an event or timeout_us microseconds are
 * over. Before shared_info is mapped it only yields.
 */
void ms_poll(evtchn_port_t *ports, unsigned count, uint64_t timeout_us);

/** Leaves shared_info as a fresh domain has it (no event is pending). */
void ms_evtchn_reset(void);

#endif
