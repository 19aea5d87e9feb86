/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdint.h>

#include <xen/hvm/params.h>
#include <xen/io/console.h>

#include "../text.h"
#include "console.h"
#include "evtchn.h"
#include "hypercall.h"

/* A console that nobody reads must not stop a migration. */
#define FULL_RETRIES 200

static struct xencons_interface *ring;
static evtchn_port_t port;

void ms_console_init(void)
{
    ring = ms_page(ms_domain_param(HVM_PARAM_CONSOLE_PFN));
    port = (evtchn_port_t)ms_domain_param(HVM_PARAM_CONSOLE_EVTCHN);
}

static bool ring_full(void)
{
    return ring->out_prod - ring->out_cons >= sizeof(ring->out);
}

static void put(char c)
{
    for (unsigned i = 0; ring_full() && i < FULL_RETRIES; i++) {
        ms_evtchn_send(port);
        ms_yield();
    }
    if (ring_full())
        return;
    ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = c;
    ms_barrier();
    ring->out_prod++;
}

void ms_console_line(const char *format, va_list args)
{
    char line[200];

    if (!ring)
        return;
    for (const char *p = "mstrap: "; *p; p++)
        put(*p);
    ms_vformat(line, sizeof(line), format, args);
    for (const char *p = line; *p; p++)
        put(*p);
    put('\r');
    put('\n');
    ms_evtchn_send(port);
}

void ms_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ms_console_line(format, args);
    va_end(args);
}
