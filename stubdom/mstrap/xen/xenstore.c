/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <stdint.h>

#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

#include "../text.h"
#include "clock.h"
#include "evtchn.h"
#include "hypercall.h"
#include "xenstore.h"

#define POLL_US 50000
/* Rounds of waiting without a byte after which xenstore counts as dead. */
#define PATIENCE 200
/* Before events work, a wait is only a yield. */
#define EARLY_PATIENCE 1000000

static struct xenstore_domain_interface *ring;
static evtchn_port_t port;
static uint32_t request_id;
static bool changed;

void ms_xs_init(void)
{
    ring = ms_page(ms_domain_param(HVM_PARAM_STORE_PFN));
    port = (evtchn_port_t)ms_domain_param(HVM_PARAM_STORE_EVTCHN);
}

uint32_t ms_xs_port(void)
{
    return port;
}

static bool wait_event(unsigned *rounds)
{
    if (++*rounds > (ms_shared_info ? PATIENCE : EARLY_PATIENCE))
        return false;
    if (!ms_evtchn_take(port) || !ms_shared_info)
        ms_poll(&port, 1, POLL_US);
    return true;
}

static bool send_bytes(const void *data, size_t size)
{
    const char *bytes = data;
    unsigned rounds = 0;

    while (size) {
        uint32_t prod = ring->req_prod;
        uint32_t used = prod - ring->req_cons;

        if (used >= XENSTORE_RING_SIZE) {
            ms_evtchn_send(port);
            if (!wait_event(&rounds))
                return false;
            continue;
        }
        ring->req[MASK_XENSTORE_IDX(prod)] = *bytes++;
        ms_barrier();
        ring->req_prod = prod + 1;
        size--;
    }
    return true;
}

/* The next size bytes; the part that exceeds room is read and dropped. */
static bool receive_bytes(void *data, size_t size, size_t room)
{
    char *bytes = data;
    unsigned rounds = 0;

    for (size_t i = 0; i < size;) {
        uint32_t cons = ring->rsp_cons;
        uint32_t ready = *(volatile uint32_t *)&ring->rsp_prod - cons;

        if (!ready || ready > XENSTORE_RING_SIZE) {
            if (!wait_event(&rounds))
                return false;
            continue;
        }
        ms_barrier();
        if (i < room)
            bytes[i] = ring->rsp[MASK_XENSTORE_IDX(cons)];
        /* The ring stays the guest's; it has no business with the seed. */
        ring->rsp[MASK_XENSTORE_IDX(cons)] = 0;
        i++;
        ms_barrier();
        *(volatile uint32_t *)&ring->rsp_cons = cons + 1;
    }
    return true;
}

/* One message of any kind; its body into out as far as it fits. */
static bool receive_message(struct xsd_sockmsg *header, char *out, size_t size)
{
    if (!receive_bytes(header, sizeof(*header), sizeof(*header)) ||
        header->len > XENSTORE_PAYLOAD_MAX ||
        !receive_bytes(out, header->len, size))
        return false;
    ms_evtchn_send(port);
    if (header->type == XS_WATCH_EVENT)
        changed = true;
    return true;
}

/*
 * A request whose body is text[0] with its NUL and then text[1] without.
 * Returns the reply's length, -1 for an error or if it exceeds size.
 */
static int request(uint32_t type, const char *const text[2], size_t tail,
                   char *out, size_t size)
{
    struct xsd_sockmsg header = {
        .type = type,
        .req_id = ++request_id,
        .len = (uint32_t)(strlen(text[0]) + 1 + tail),
    };

    if (!send_bytes(&header, sizeof(header)) ||
        !send_bytes(text[0], strlen(text[0]) + 1) || !send_bytes(text[1], tail))
        return -1;
    ms_evtchn_send(port);
    do {
        if (!receive_message(&header, out, size))
            return -1;
    } while (header.type == XS_WATCH_EVENT || header.req_id != request_id);
    return header.type == XS_ERROR || header.len > size ? -1 : (int)header.len;
}

static int request_path(uint32_t type, const char *path, char *out, size_t size)
{
    const char *const text[2] = { path, "" };

    return request(type, text, 0, out, size);
}

int ms_xs_read(const char *path, char *out, size_t size)
{
    int length = request_path(XS_READ, path, out, size - 1);

    if (length < 0)
        return -1;
    out[length] = '\0';
    return strlen(out) == (size_t)length ? length : -1;
}

int ms_xs_list(const char *path, char *out, size_t size)
{
    int length = request_path(XS_DIRECTORY, path, out, size);

    return length > 0 && out[length - 1] ? -1 : length;
}

bool ms_xs_write(const char *path, const char *value)
{
    const char *const text[2] = { path, value };
    char reply[16];

    return request(XS_WRITE, text, strlen(value), reply, sizeof(reply)) >= 0;
}

bool ms_xs_write_number(const char *path, uint64_t value)
{
    char text[24];

    ms_format(text, sizeof(text), "%lu", value);
    return ms_xs_write(path, text);
}

bool ms_xs_watch(const char *path)
{
    static const char token[] = "mstrap";
    const char *const text[2] = { path, token };
    char reply[16];

    return request(XS_WATCH, text, sizeof(token), reply, sizeof(reply)) >= 0;
}

bool ms_xs_reset_watches(void)
{
    char reply[16];

    return request_path(XS_RESET_WATCHES, "", reply, sizeof(reply)) >= 0;
}

bool ms_xs_changed(void)
{
    bool was;

    ms_evtchn_take(port);
    while (*(volatile uint32_t *)&ring->rsp_prod != ring->rsp_cons) {
        struct xsd_sockmsg header;
        char dropped[1];

        if (!receive_message(&header, dropped, 0))
            break;
    }
    was = changed;
    changed = false;
    return was;
}

void ms_xs_wait(unsigned timeout_ms)
{
    uint64_t end = ms_now_ms() + timeout_ms;

    while (!ms_xs_changed()) {
        uint64_t now = ms_now_ms();

        if (now >= end)
            return;
        ms_poll(&port, 1, (end - now) * 1000);
    }
}
