/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The session over all channels: who is in, barriers, the end. Pure, also
 * compiled on the host.
 */
#ifndef MS_SESSION_H
#define MS_SESSION_H

#include "channel.h"
#include "cmdline.h"
#include "mext_receiver.h"

/* What is to be done after a step. */
enum ms_action {
    MS_ACT_NONE = 0, /* go on reading */
    MS_ACT_HOLD,     /* read no more from this channel for now */
    MS_ACT_RELEASE,  /* acknowledge the barrier on all channels */
    MS_ACT_COMPLETE, /* END on all channels: memory is complete */
};

struct ms_session {
    enum mext_rcv state;
    unsigned channels;     /* of the invitation; 0: not invited yet */
    struct mext_root root; /* wiped when all channels are there */
    struct ms_channel *channel[MEXT_CHANNELS_MAX]; /* the proven ones */
};

void ms_session_init(struct ms_session *session);

/**
 * The event "invited": derives the session's keys; secret and public are
 * mstrap's. False if the source's key is not acceptable, or it is not the time.
 */
bool ms_session_invite(struct ms_session *session,
                       const struct ms_invitation *invitation,
                       const uint8_t secret[MEXT_KEY_LEN],
                       const uint8_t public[MEXT_KEY_LEN]);

/** Judges a step of ms_channel_feed: an action, or minus a reason. */
int ms_session_step(struct ms_session *session, struct ms_channel *channel,
                    enum ms_step step);

/** True if losing this channel loses the session. */
bool ms_session_needs(const struct ms_session *session,
                      const struct ms_channel *channel);

/** Sum over all channels. */
struct ms_counts ms_session_counts(const struct ms_session *session);

#endif
