/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "session.h"

void ms_session_init(struct ms_session *s)
{
    memset(s, 0, sizeof(*s));
}

bool ms_session_invite(struct ms_session *s,
                       const struct ms_invitation *invitation,
                       const uint8_t secret[MEXT_KEY_LEN],
                       const uint8_t public[MEXT_KEY_LEN])
{
    enum mext_rcv next = s->state;

    if (mext_rcv_event(&next, MEXT_RCV_EV_INVITED) ||
        mext_root_derive(&s->root, MEXT_KDF_DATA, secret,
                         invitation->source_key, invitation->token_digest,
                         invitation->source_key, public))
        return false;
    s->channels = invitation->channels;
    s->state = next;
    return true;
}

static int on_opened(struct ms_session *s, struct ms_channel *c)
{
    if (c->open.count != s->channels)
        return -MEXT_E_MALFORMED;
    if (s->channel[c->open.index])
        return -MEXT_E_REPLAY;
    ms_channel_key(c, &s->root);
    return MS_ACT_NONE;
}

/* The root is for openings; the last channel needs no other. */
static void forget_root(struct ms_session *s)
{
    for (unsigned i = 0; i < s->channels; i++)
        if (!s->channel[i])
            return;
    mext_wipe(&s->root, sizeof(s->root));
}

static int on_proven(struct ms_session *s, struct ms_channel *c)
{
    if (s->channel[c->open.index])
        return -MEXT_E_REPLAY;
    if (mext_rcv_event(&s->state, MEXT_RCV_EV_OPENED))
        return -MEXT_E_INTERNAL;
    s->channel[c->open.index] = c;
    forget_root(s);
    return MS_ACT_NONE;
}

/* True if every channel of the session is in this state. */
static bool all_are(const struct ms_session *s, enum ms_channel_state state)
{
    for (unsigned i = 0; i < s->channels; i++)
        if (!s->channel[i] || s->channel[i]->state != state)
            return false;
    return true;
}

static int on_barrier(struct ms_session *s, struct ms_channel *c)
{
    for (unsigned i = 0; i < s->channels; i++)
        if (s->channel[i] && s->channel[i]->state == MS_CHANNEL_ENDED)
            return -MEXT_E_MALFORMED;
    if (!all_are(s, MS_CHANNEL_BARRIER))
        return MS_ACT_HOLD;
    for (unsigned i = 0; i < s->channels; i++)
        ms_channel_resume(s->channel[i]);
    return MS_ACT_RELEASE;
}

static int on_end(struct ms_session *s, struct ms_channel *c)
{
    for (unsigned i = 0; i < s->channels; i++)
        if (s->channel[i] && s->channel[i]->state == MS_CHANNEL_BARRIER)
            return -MEXT_E_MALFORMED;
    if (!all_are(s, MS_CHANNEL_ENDED))
        return MS_ACT_HOLD;
    if (mext_rcv_event(&s->state, MEXT_RCV_EV_ALL_ENDED))
        return -MEXT_E_INTERNAL;
    return MS_ACT_COMPLETE;
}

int ms_session_step(struct ms_session *s, struct ms_channel *c,
                    enum ms_step step)
{
    switch (step) {
    case MS_STEP_MORE:
        return MS_ACT_NONE;
    case MS_STEP_OPENED:
        return on_opened(s, c);
    case MS_STEP_PROVEN:
        return on_proven(s, c);
    case MS_STEP_BARRIER:
        return on_barrier(s, c);
    case MS_STEP_END:
        return on_end(s, c);
    }
    return -MEXT_E_INTERNAL;
}

bool ms_session_needs(const struct ms_session *s, const struct ms_channel *c)
{
    return s->state == MEXT_RCV_RECEIVING && c->proven &&
           s->channel[c->open.index] == c;
}

struct ms_counts ms_session_counts(const struct ms_session *s)
{
    struct ms_counts sum = { 0, 0, 0 };

    for (unsigned i = 0; i < s->channels; i++) {
        if (!s->channel[i])
            continue;
        sum.data += s->channel[i]->counts.data;
        sum.zero += s->channel[i]->counts.zero;
        sum.absent += s->channel[i]->counts.absent;
    }
    return sum;
}
