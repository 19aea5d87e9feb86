/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "devices.h"
#include "mext_net.h"

/* More than one domain can have of a kind is not looked at. */
#define DEVICES_MAX 64

/* What Xen's io/xenbus.h calls XenbusStateConnected; those behind it close. */
#define CONNECTED '4'

static const char *const kinds[] = { "vif", "vbd" };

/* Below /local/domain/0, where no guest writes. */
static void path_of(const char *kind, uint32_t domid, char out[64])
{
    snprintf(out, 64, "backend/%s/%u", kind, domid);
}

/* Watches the states of all; nothing else that is written there wakes us up. */
static int watch(struct mext_store *s, const char *kind, uint32_t domid)
{
    uint32_t device[DEVICES_MAX];
    char folder[64], path[128];
    struct mext_why quiet;
    unsigned n;

    path_of(kind, domid, folder);
    n = mext_store_numbers(s, 0, folder, device, DEVICES_MAX);
    for (unsigned i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "/local/domain/0/%s/%u/state", folder,
                 device[i]);
        if (mext_store_watch(s, path, &quiet))
            return -1;
    }
    return 0;
}

static bool all_connected(struct mext_store *s, const char *kind,
                          uint32_t domid)
{
    uint32_t device[DEVICES_MAX];
    char folder[64], path[96], state[4];
    unsigned n;

    path_of(kind, domid, folder);
    n = mext_store_numbers(s, 0, folder, device, DEVICES_MAX);
    for (unsigned i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%u/state", folder, device[i]);
        if (mext_store_read(s, 0, path, state, sizeof(state)) == 1 &&
            state[0] < CONNECTED)
            return false;
    }
    return true;
}

void devices_wait(struct mext_store *s, uint32_t domid, unsigned timeout_ms)
{
    uint64_t end = mext_now_ms() + timeout_ms, now;
    struct mext_why quiet;

    if (watch(s, kinds[0], domid) || watch(s, kinds[1], domid))
        return;
    while (!all_connected(s, kinds[0], domid) ||
           !all_connected(s, kinds[1], domid)) {
        now = mext_now_ms();
        if (now >= end ||
            mext_store_wait(s, -1, (unsigned)(end - now), &quiet) < 0)
            return;
    }
}
