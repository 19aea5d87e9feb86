/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/xenbus.h>

#include "../text.h"
#include "../xen/clock.h"
#include "../xen/xenstore.h"
#include "vif.h"

#define VIF_NODE           "mstrap/vif"
#define VIF_INDEX_MAX      65535
#define CONNECT_TIMEOUT_MS 30000

/* The highest number among the names of a directory. */
static bool highest_index(uint64_t *index_r)
{
    char names[512];
    int length = ms_xs_list("device/vif", names, sizeof(names));
    bool found = false;

    for (int at = 0; at < length;) {
        size_t n = strlen(names + at);
        uint64_t index;

        if (ms_parse_decimal(names + at, n, VIF_INDEX_MAX, &index) &&
            (!found || index > *index_r)) {
            *index_r = index;
            found = true;
        }
        at += (int)n + 1;
    }
    return found;
}

static bool chosen_index(uint64_t *index_r)
{
    char text[8];
    int length = ms_xs_read(VIF_NODE, text, sizeof(text));

    return length > 0 &&
           ms_parse_decimal(text, (size_t)length, VIF_INDEX_MAX, index_r);
}

static bool parse_mac(const char *text, size_t length, uint8_t mac[6])
{
    if (length != 17)
        return false;
    for (unsigned i = 0; i < 6; i++)
        if (!ms_hex_decode(&mac[i], text + 3 * i, 2, 1) ||
            (i < 5 && text[3 * i + 2] != ':'))
            return false;
    return true;
}

/* FRONTEND/NAME or BACKEND/NAME. */
static void join(char *path, size_t size, const char *folder, const char *name)
{
    ms_format(path, size, "%s/%s", folder, name);
}

void ms_vif_find(struct ms_vif *vif)
{
    char path[128], text[32];
    uint64_t index;
    int length;

    if (!chosen_index(&index) && !highest_index(&index))
        ms_fail("no vif");
    ms_format(vif->frontend, sizeof(vif->frontend), "device/vif/%lu", index);
    join(path, sizeof(path), vif->frontend, "backend");
    if (ms_xs_read(path, vif->backend, sizeof(vif->backend)) <= 0)
        ms_fail("vif %lu has no backend", index);
    join(path, sizeof(path), vif->frontend, "mac");
    length = ms_xs_read(path, text, sizeof(text));
    if (length < 0 || !parse_mac(text, (size_t)length, vif->mac))
        ms_fail("vif %lu has no MAC address", index);
}

static int backend_state(const struct ms_vif *vif)
{
    char path[128], text[4];

    join(path, sizeof(path), vif->backend, "state");
    if (ms_xs_read(path, text, sizeof(text)) != 1)
        return XenbusStateUnknown;
    return text[0] - '0';
}

/* Waits, by a watch, until the backend is in a state; false if it never is. */
static bool backend_wait(const struct ms_vif *vif, int state,
                         unsigned timeout_ms)
{
    uint64_t end = ms_now_ms() + timeout_ms;

    while (backend_state(vif) != state) {
        if (ms_now_ms() >= end)
            return false;
        ms_xs_wait(20);
    }
    return true;
}

static void put(const struct ms_vif *vif, const char *name, uint64_t value)
{
    char path[128];

    join(path, sizeof(path), vif->frontend, name);
    if (!ms_xs_write_number(path, value))
        ms_fail("cannot write %s", path);
}

void ms_vif_connect(struct ms_vif *vif, unsigned tx_ref, unsigned rx_ref)
{
    char path[128];

    join(path, sizeof(path), vif->backend, "state");
    ms_xs_watch(path);
    if (!backend_wait(vif, XenbusStateInitWait, CONNECT_TIMEOUT_MS))
        ms_fail("vif backend is in state %u", (unsigned)backend_state(vif));
    put(vif, "tx-ring-ref", tx_ref);
    put(vif, "rx-ring-ref", rx_ref);
    put(vif, "event-channel", vif->port);
    put(vif, "request-rx-copy", 1);
    put(vif, "feature-rx-notify", 1);
    put(vif, "feature-sg", 1);
    put(vif, "feature-gso-tcpv4", 1);
    put(vif, "state", XenbusStateConnected);
    if (!backend_wait(vif, XenbusStateConnected, CONNECT_TIMEOUT_MS))
        ms_fail("vif backend does not connect");
}

void ms_vif_close_begin(struct ms_vif *vif)
{
    put(vif, "state", XenbusStateClosed);
}

bool ms_vif_close_end(struct ms_vif *vif, unsigned timeout_ms)
{
    return backend_wait(vif, XenbusStateClosed, timeout_ms);
}
