/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <stdint.h>

#include <xen/sched.h>

#include "clock.h"
#include "evtchn.h"
#include "hypercall.h"

shared_info_t *ms_shared_info;

void ms_evtchn_send(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    ms_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

evtchn_port_t ms_evtchn_alloc(void)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };

    if (ms_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound,
                     &alloc))
        return 0;
    return alloc.port;
}

void ms_evtchn_close(evtchn_port_t port)
{
    struct evtchn_close close = { .port = port };

    ms_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &close);
}

bool ms_evtchn_take(evtchn_port_t port)
{
    unsigned long bit = 1ul << port % 64;

    if (!ms_shared_info)
        return true;
    return __atomic_fetch_and(&ms_shared_info->evtchn_pending[port / 64], ~bit,
                              __ATOMIC_SEQ_CST) &
           bit;
}

void ms_poll(evtchn_port_t *ports, unsigned count, uint64_t timeout_us)
{
    struct sched_poll poll = { .nr_ports = count };

    if (!ms_shared_info) {
        ms_yield();
        return;
    }
    poll.timeout = ms_now_ns() + timeout_us * 1000;
    set_xen_guest_handle(poll.ports, ports);
    ms_hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

void ms_evtchn_reset(void)
{
    for (unsigned i = 0; i < MS_COUNT(ms_shared_info->evtchn_pending); i++) {
        __atomic_store_n(&ms_shared_info->evtchn_pending[i], 0,
                         __ATOMIC_SEQ_CST);
        __atomic_store_n(&ms_shared_info->evtchn_mask[i], 0, __ATOMIC_SEQ_CST);
    }
    ms_shared_info->vcpu_info[0].evtchn_pending_sel = 0;
    ms_shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
}
