/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "devices.h"
#include "mext_net.h"

/* So many of a kind are looked at. */
#define KIND_MAX 64
#define PATH_LEN 64

/* What Xen's io/xenbus.h calls XenbusStateConnected; those behind it close. */
#define CONNECTED '4'

static const char *const kinds[] = { "vif", "vbd" };

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The states of a domain's devices, below /local/domain/0, where no guest writes. */
struct devices {
    char state[KINDS * KIND_MAX][PATH_LEN];
    unsigned n;
};

static void find(struct mext_store *s, uint32_t domid, struct devices *d)
{
    uint32_t number[KIND_MAX];
    char folder[PATH_LEN];

    d->n = 0;
    for (unsigned k = 0; k < KINDS; k++) {
        unsigned n;

        snprintf(folder, sizeof(folder), "backend/%s/%u", kinds[k], domid);
        n = mext_store_numbers(s, 0, folder, number, KIND_MAX);
        for (unsigned i = 0; i < n; i++)
            snprintf(d->state[d->n++], PATH_LEN, "backend/%s/%u/%u/state",
                     kinds[k], domid, number[i]);
    }
}

/* Nothing else that is written there wakes us up. */
static int watch(struct mext_store *s, const struct devices *d)
{
    char path[PATH_LEN + 16];
    struct mext_why quiet;

    for (unsigned i = 0; i < d->n; i++) {
        snprintf(path, sizeof(path), "/local/domain/0/%s", d->state[i]);
        if (mext_store_watch(s, path, &quiet))
            return -1;
    }
    return 0;
}

/* One that has gone is not waited for. */
static bool all_connected(struct mext_store *s, const struct devices *d)
{
    char state[4];

    for (unsigned i = 0; i < d->n; i++)
        if (mext_store_read(s, 0, d->state[i], state, sizeof(state)) == 1 &&
            state[0] < CONNECTED)
            return false;
    return true;
}

void devices_wait(struct mext_store *s, uint32_t domid, unsigned timeout_ms)
{
    uint64_t end = mext_now_ms() + timeout_ms, now;
    struct mext_why quiet;
    struct devices d;

    find(s, domid, &d);
    if (watch(s, &d))
        return;
    while (!all_connected(s, &d)) {
        now = mext_now_ms();
        if (now >= end ||
            mext_store_wait(s, -1, (unsigned)(end - now), &quiet) < 0)
            return;
    }
}
