/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The guest's memory on its way: which gfns, in what order, over which
 * channel.  Owns the data channels and the mapping window.
 * Functions return 0 or -1 with *why filled.
 */
#ifndef MEXT_MEMORY_H
#define MEXT_MEMORY_H

#include "mext_data.h"
#include "mext_map.h"
#include "mext_order.h"
#include "mext_pack.h"
#include "mext_precopy.h"
#include "mext_xen.h"

typedef void mext_memory_progress_fn(void *arg, uint64_t sent, uint64_t of);

struct mext_memory {
    struct mext_channel channel[MEXT_CHANNELS_MAX];
    unsigned nchannels, next; /* next: turn of the channels */
    struct mext_dom *dom;     /* the caller's */
    struct mext_map *map;
    uint64_t ngfns; /* gfns are below this */
    uint64_t special[MEXT_SPECIALS];
    uint64_t *todo;          /* bitmap of gfns to send, owned */
    struct mext_order order; /* in which they are taken from there */
    const uint64_t *hot; /* bitmap: written again already; NULL: not known */
    uint64_t hot_at;     /* ms, when that was so */
    uint64_t *clear;     /* bitmap of gfns to send as zero unread, owned */
    uint64_t nfree;      /* taken out of todo by mext_memory_free */
    uint64_t ntodo;      /* bits set in it */
    uint64_t *gone;      /* bitmap: no page when last looked */
    uint64_t *filled;    /* bitmap: the receiver has content there */
    uint64_t ram_pages;  /* of RAM as built */
    uint64_t pages_then; /* the guest had, before any look */
    uint64_t iteration_start; /* us */
    bool hurry; /* ends this iteration; what was not sent is left to do */
    uint64_t data, zero, absent; /* sent in all */
    struct mext_packer packer;
    struct mext_cache *cache; /* of all channels, owned; NULL: none */
    bool again;               /* what is sent now may have been sent before */
    mext_memory_progress_fn *progress;
    void *progress_arg;
};

int mext_memory_connect(struct mext_memory *m, uint32_t ip, uint16_t port,
                        const uint8_t id[MEXT_ID_LEN], uint16_t channels,
                        const struct mext_root *root, unsigned timeout_ms,
                        struct mext_why *why);

/*
 * Turns log-dirty on; every page of the guest, built with ram_pages of RAM, is
 * to be sent, made smaller as `packing` says.
 */
int mext_memory_start(struct mext_memory *m, struct mext_dom *dom,
                      uint64_t ram_pages, const struct mext_packing *packing,
                      mext_memory_progress_fn *progress, void *arg,
                      struct mext_why *why);

/*
 * One iteration: sends what is to do, closes it with a barrier on every
 * channel and waits for the acknowledgements, then fetches what was written
 * meanwhile.
 */
int mext_memory_iterate(struct mext_memory *m, unsigned number,
                        unsigned timeout_ms, struct mext_iteration *it_r,
                        struct mext_why *why);

/*
 * The guest does not care what these pages hold: bitmap has a bit for each gfn
 * below ngfns, and was asked for after the last fetch of dirty pages
 * (mext_memory_start, mext_memory_iterate).  They are not sent; zero: they are
 * sent as zero, without a look at them.  Once between two fetches.
 */
void mext_memory_free(struct mext_memory *m, const uint64_t *bitmap, bool zero);

/*
 * After the guest was suspended: the last pages, the gfns of RAM that the
 * guest does not have, and END on every channel.
 */
int mext_memory_last(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why);

/* mstrap's DONE, with its counts compared. */
int mext_memory_done(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why);

uint64_t mext_memory_bytes(const struct mext_memory *m);
void mext_memory_close(struct mext_memory *m);

#endif
