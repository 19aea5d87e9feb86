/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One data channel: bytes in, pages written. Pure (what touches memory is a
 * hook), also compiled on the host. docs/specs/transport.md, "Data channel".
 */
#ifndef MS_CHANNEL_H
#define MS_CHANNEL_H

#include "mext_seal.h"
#include "mstrap.h"

/* Where pages go. Both return 0 or a reason, MEXT_E_*. */
struct ms_sink {
    /* The page behind a gfn, writable, 4096 bytes; populated if need be. */
    int (*page)(uint64_t gfn, uint8_t **page_r);
    /* The source has no pages there. */
    int (*absent)(uint64_t gfn, uint32_t count);
};

struct ms_counts {
    uint64_t data, zero, absent;
};

enum ms_channel_state {
    MS_CHANNEL_OPENING = 1, /* plaintext opening */
    MS_CHANNEL_HEADER,      /* length of a frame */
    MS_CHANNEL_BODY,        /* sealed body */
    MS_CHANNEL_PAGE,        /* sealed page, straight into its place */
    MS_CHANNEL_TAG,         /* tag of that page */
    MS_CHANNEL_BARRIER,     /* nothing may come before the ack */
    MS_CHANNEL_ENDED,       /* nothing may come any more */
};

/* What a call of ms_channel_feed ended with. */
enum ms_step {
    MS_STEP_MORE = 1, /* all bytes used */
    MS_STEP_OPENED,   /* opening read: call ms_channel_key */
    MS_STEP_PROVEN,   /* first frame has opened: it is the source */
    MS_STEP_BARRIER,  /* waits for ms_channel_resume */
    MS_STEP_END,      /* END, and the counts agree */
};

struct ms_channel {
    enum ms_channel_state state;
    bool proven;
    struct mext_open open;
    struct mext_seal in, out;
    uint32_t iteration; /* of the last barrier */
    uint32_t gone;      /* gfns called absent since then */
    struct ms_counts counts;
    /* Bytes that are being collected: where, how many, of how many. */
    uint8_t *at;
    uint32_t have, need;
    uint8_t buffer[MEXT_DATA_BODY_MAX];
    /* PAGES frame whose pages are being received. */
    uint64_t base;
    uint16_t span, next;
    uint16_t page_index; /* of the page, among those that follow */
    uint8_t *page;
    uint8_t map[MEXT_PAGES_SPAN_MAX / 4];
    uint16_t len[MEXT_PAGES_DATA_MAX];
    uint8_t coding[MEXT_PAGES_DATA_MAX];
    uint32_t batch;   /* its packed bytes, 0: none, or unpacked */
    uint16_t members; /* of its pages so far */
    uint8_t *member[MEXT_BATCH_PAGES]; /* where they are */
};

void ms_channel_init(struct ms_channel *channel);

/** Gives the keys for the channel's index, after MS_STEP_OPENED. */
void ms_channel_key(struct ms_channel *channel, const struct mext_root *root);

/** Wipes the keys: the channel neither sends nor receives any more. */
void ms_channel_forget(struct ms_channel *channel);

/**
 * Takes up to n bytes; *used_r of them were used. Returns a step, or minus a
 * reason (MEXT_E_*): then the channel is of no use any more. After any step
 * but MS_STEP_MORE call again, even with no bytes left: what the proving frame
 * says is looked at only then.
 */
int ms_channel_feed(struct ms_channel *channel, const struct ms_sink *sink,
                    const uint8_t *in, size_t n, size_t *used_r);

/** All channels have reached the barrier. */
void ms_channel_resume(struct ms_channel *channel);

/* Room for any frame to the source. */
#define MS_FRAME_MAX (MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX)

/** Seals a message to the source; its length, 0 if it cannot be encoded. */
size_t ms_channel_seal(struct ms_channel *channel, const struct mext_data *m,
                       uint8_t frame[MS_FRAME_MAX]);

#endif
