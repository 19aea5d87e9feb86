/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a thread sends pages with: a data channel, a mapping of its own, room for
 * packed pages.  A batch stays with one lane from the look at the hypervisor to
 * its last sealed frame.
 *
 * Memory of a lane: 0.27 MiB to seal a frame in; to pack pages 0.55 MiB and
 * Zstandard's context, the same whatever the guest has; and 1 MiB of the guest's is mapped.
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_LANE_H
#define MEXT_LANE_H

#include "mext_data.h"
#include "mext_pack.h"
#include "mext_map.h"
#include "mext_workers.h"
#include "mext_xen.h"

/* What all lanes share; two batches under way have no word of bitmaps in common. */
struct mext_pages {
    struct mext_dom *dom; /* the caller's */
    uint64_t *gone;       /* bitmap: no page when last looked, owned */
    uint64_t *filled;     /* bitmap: the receiver has content there, owned */
    uint64_t *told;       /* bitmap: the receiver has no page there, owned */
    struct mext_cache *cache; /* of all lanes, owned; NULL: none */
};

/* Up to MEXT_WINDOW_MAX gfns, rising: what a thread does in one go; 2 KiB. */
struct mext_batch {
    bool zero;  /* they become zero, whatever they hold */
    bool again; /* they were sent before, or will be again */
    unsigned timeout_ms;
    unsigned n;
    uint64_t gfn[MEXT_WINDOW_MAX];
};

struct mext_lane {
    struct mext_channel channel;
    struct mext_pages *pages; /* the caller's */
    struct mext_map *map;
    struct mext_packer packer;
    uint64_t looked; /* pages; as the channel's counters */
};

/* The lane's channel is open already. */
int mext_lane_open(struct mext_lane *l, struct mext_pages *pages,
                   const struct mext_packing *packing, struct mext_why *why);
void mext_lane_close(struct mext_lane *l);

/*
 * Sends those that have a page: mext_work_fn; own is a lane, job a struct
 * mext_batch.
 */
int mext_lane_work(void *own, void *job, struct mext_why *why);

/* Sends list[0..n), rising, as zero. */
int mext_lane_zero(struct mext_lane *l, const uint64_t *list, unsigned n,
                   unsigned timeout_ms, struct mext_why *why);

/*
 * Keeps of list[0..n), n <= MEXT_PRESENT_MAX, the gfns that have a page now, and
 * remembers which have none; how many are left, or -1.
 */
int mext_pages_present(struct mext_pages *p, uint64_t *list, unsigned n,
                       struct mext_why *why);

#endif
