/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Pages made smaller on their way (docs/specs/transport.md, "PAGES"): each by
 * itself as an LZ4 block, a frame's together as a batch of Zstandard's, or what
 * changed since they were sent before.  The other end is mext_unpack.h.
 */
#ifndef MEXT_PACK_H
#define MEXT_PACK_H

#include "mext_cache.h"
#include "mext_codec.h"
#include "mext_coder.h"

#define MEXT_ZSTD_LEVEL_MAX 19

/* What was asked for. */
struct mext_packing {
    enum {
        MEXT_PACK_AUTO, /* as mext_coder.h chooses */
        MEXT_PACK_NONE,
        MEXT_PACK_LZ4,
        MEXT_PACK_ZSTD,
    } by;
    int level; /* of ZSTD, 1 to MEXT_ZSTD_LEVEL_MAX */
};

/*
 * Reads auto, none, lz4, zstd or zstd:LEVEL.  False, with *out_r as it was, if
 * it is none of these.
 */
bool mext_packing_parse(const char *word, struct mext_packing *out_r);

/* One for each channel: it has its own buffers and its own figures. */
struct mext_packer {
    uint64_t packed;          /* pages so far */
    uint64_t zstd;            /* of these in batches */
    uint64_t delta;           /* of these as what changed */
    struct mext_cache *cache; /* the caller's; NULL: no deltas */
    bool again; /* pages of the next frame were sent before, or will be again */
    /* private */
    struct mext_packing packing;
    struct mext_coder coder;
    enum mext_way way; /* of the next frame */
    uint8_t *out;      /* packed pages of a frame, owned */
    uint8_t *pages;  /* copies, so that the guest does not change them, owned */
    uint8_t *deltas; /* of the frame, owned */
    void *context;   /* ZSTD_CCtx, owned */
    uint64_t sent_at; /* us, the frame before; 0: none yet */
    uint64_t us;      /* it took to pack the last frame */
};

/* 0, or -1 if there is no memory; free it in either case. */
int mext_packer_init(struct mext_packer *p, const struct mext_packing *packing);
void mext_packer_free(struct mext_packer *p);

/* So many pages with content the next frame may have; to be asked for each. */
unsigned mext_packer_room(struct mext_packer *p);

/*
 * Packs what it can of a PAGES frame: all its pages with content are marked
 * MEXT_MAP_DATA, and page[0..ndata) are they, to which the guest may write all
 * the time.  Changes the frame's map, len, coding, batch and page[], which then
 * points to what is to be sent: the caller's pages, or p's memory until the next
 * call.
 */
void mext_packer_frame(struct mext_packer *p, struct mext_data *d,
                       const uint8_t **page);

/* That frame was sent: bytes on the wire, us for which the link took none. */
void mext_packer_sent(struct mext_packer *p, uint64_t bytes,
                      uint64_t blocked_us);

/* Something else comes in between: the time until the next frame is not that
 * frame's. */
void mext_packer_pause(struct mext_packer *p);

/*
 * Packs page[4096] into out[MEXT_PACKED_MAX] as an LZ4 block; the length, 1 to
 * MEXT_PACKED_MAX, or 0 if it does not get that small.
 */
unsigned mext_pack(const uint8_t *page, uint8_t *out);

/*
 * Packs pages side by side, at most MEXT_BATCH_PAGES, into out[MEXT_BATCH_MAX]
 * as a batch; the length, or 0 if it does not get small enough or there is no
 * memory.  *context_r: NULL at first, kept for the next call; freed by
 * mext_pack_batch_end, which takes NULL too.
 */
uint32_t mext_pack_batch(void **context_r, int level, const uint8_t *page,
                         unsigned pages, uint8_t *out);
void mext_pack_batch_end(void *context);

#endif
