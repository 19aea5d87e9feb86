/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The guest's memory on its way: which gfns, in what order.  The caller's thread
 * walks the order and puts batches; a thread for each data channel sends them
 * (mext_workers.h, mext_lane.h).
 *
 * Memory: half a MiB for each channel, however large the guest is (mext_lane.h,
 * and a batch under way and one in the queue, 2 KiB each); of the guest 2 MiB
 * for each channel are under way at most.  Besides six bitmaps and the order's,
 * some 6 bits for each gfn.
 * Functions return 0 or -1 with *why filled.
 */
#ifndef MEXT_MEMORY_H
#define MEXT_MEMORY_H

#include "mext_lane.h"
#include "mext_order.h"
#include "mext_pack.h"
#include "mext_precopy.h"

typedef void mext_memory_progress_fn(void *arg, uint64_t sent, uint64_t of);

struct mext_memory {
    struct mext_lane lane[MEXT_CHANNELS_MAX]; /* a channel each */
    unsigned nchannels;
    struct mext_workers *workers; /* owned; a thread for each channel */
    struct mext_pages pages;
    uint64_t ngfns; /* gfns are below this */
    uint64_t special[MEXT_SPECIALS];
    uint64_t *todo;           /* bitmap of gfns to send, owned */
    uint64_t ntodo;           /* bits set in it */
    uint64_t sent;            /* pages of the last iteration */
    struct mext_order order;  /* in which they are taken from there */
    const uint64_t *hot;      /* bitmap: written again; NULL: not known */
    uint64_t hot_at;          /* ms, when that was so */
    uint64_t *clear;          /* bitmap of gfns to send as zero unread, owned */
    uint64_t nfree;           /* taken out of todo by mext_memory_free */
    uint64_t ram_pages;       /* of RAM as built */
    uint64_t size;            /* pages the guest has, last counted ... */
    uint64_t size_looked;     /* ... before all gfns were last looked at */
    bool grew;                /* pages came since before the last fetch */
    bool shrank;              /* pages went since before the last fetch */
    unsigned barriers;        /* sent so far */
    bool final;               /* the guest is suspended */
    uint64_t iteration_start; /* us */
    bool hurry;  /* ends this iteration; what was not sent is left to do */
    bool again;  /* what is sent now may have been sent before */
    bool sparse; /* the receiver may not have all of RAM yet, but makes it */
    /* sent in all, once nothing is under way; the last three: of data.  What was
     * called absent, got a page and lost it counts again. */
    uint64_t data, zero, absent, packed, zstd, delta;
    mext_memory_progress_fn *progress;
    void *progress_arg;
};

int mext_memory_connect(struct mext_memory *m, uint32_t ip, uint16_t port,
                        const uint8_t id[MEXT_ID_LEN], uint16_t channels,
                        const struct mext_root *root, unsigned timeout_ms,
                        struct mext_why *why);

/*
 * Measures the guest, built with ram_pages of RAM, and looks which gfns above that
 * have a page; no channel is needed yet.
 */
int mext_memory_measure(struct mext_memory *m, struct mext_dom *dom,
                        uint64_t ram_pages, struct mext_why *why);

/*
 * Turns log-dirty on; every page of the guest that was measured is to be sent, made
 * smaller as `packing` says.
 */
int mext_memory_start(struct mext_memory *m, const struct mext_packing *packing,
                      mext_memory_progress_fn *progress, void *arg,
                      struct mext_why *why);

/*
 * One iteration: sends what is to do, closes it with a barrier on every
 * channel and waits for the acknowledgements, then fetches what was written
 * meanwhile, and tells what the guest does not have.  If the guest got memory, all
 * of it is to do again.
 */
int mext_memory_iterate(struct mext_memory *m, unsigned number,
                        unsigned timeout_ms, struct mext_iteration *it_r,
                        struct mext_why *why);

/*
 * How many pages were written since the last fetch; 0 of a guest that got memory, which
 * mext_memory_last sees to with less.
 */
int mext_memory_written(struct mext_memory *m, uint64_t *n_r,
                        struct mext_why *why);

/* They are to do as well: fetched, between two iterations. */
int mext_memory_catch_up(struct mext_memory *m, struct mext_why *why);

/*
 * The guest does not care what these pages hold: bitmap has a bit for each gfn
 * below ngfns, and was asked for after the last fetch of dirty pages
 * (mext_memory_start, mext_memory_iterate).  They are not sent; zero: they are
 * sent as zero, without a look at them, as are those that the receiver may have
 * no page for.  Once between two fetches.  -1 and why: nothing is left out.
 */
int mext_memory_free(struct mext_memory *m, const uint64_t *bitmap, bool zero,
                     struct mext_why *why);

/*
 * After the guest was suspended: the last pages, the gfns of RAM that the
 * guest does not have, and END on every channel.
 */
int mext_memory_last(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why);

/* Nothing that is sent later overtakes what was sent before. */
int mext_memory_barrier(struct mext_memory *m, unsigned timeout_ms,
                        struct mext_why *why);

/* mstrap's DONE, with its counts compared. */
int mext_memory_done(struct mext_memory *m, unsigned timeout_ms,
                     struct mext_why *why);

/*
 * Remembers which of the gfns set in map, below end, have no page now.  map may be
 * pages.gone itself.
 */
int mext_memory_look(struct mext_memory *m, const uint64_t *map, uint64_t end,
                     struct mext_why *why);

/* Bytes sent so far on all channels. */
uint64_t mext_memory_bytes(const struct mext_memory *m);
/* A descriptor that is readable once sending has failed; -1: none yet. */
int mext_memory_alarm(const struct mext_memory *m);
void mext_memory_close(struct mext_memory *m);

#endif
