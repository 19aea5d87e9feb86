/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mext_receiver.h"

#define ROW(s, e, n) \
    { \
        MEXT_RCV_##s, MEXT_RCV_EV_##e, MEXT_RCV_##n \
    }

const struct mext_rcv_row mext_rcv_table[] = {
    ROW(STARTING, LISTENING, WAITING), ROW(STARTING, FAILED, FAILED),
    ROW(WAITING, INVITED, INVITED),    ROW(WAITING, FAILED, FAILED),
    ROW(INVITED, OPENED, RECEIVING),   ROW(INVITED, FAILED, FAILED),
    ROW(RECEIVING, OPENED, RECEIVING), ROW(RECEIVING, ALL_ENDED, COMPLETE),
    ROW(RECEIVING, FAILED, FAILED),    ROW(COMPLETE, TIDIED, TIDY),
    ROW(COMPLETE, FAILED, FAILED),
};
const size_t mext_rcv_rows = sizeof(mext_rcv_table) / sizeof(mext_rcv_table[0]);

int mext_rcv_event(enum mext_rcv *state, enum mext_rcv_event ev)
{
    for (size_t i = 0; i < mext_rcv_rows; i++) {
        const struct mext_rcv_row *r = &mext_rcv_table[i];

        if (r->state == *state && r->event == ev) {
            *state = (enum mext_rcv)r->next;
            return 0;
        }
    }
    return -1;
}

/* By mstrap's own events.  No state leads back to an earlier one. */
static bool reaches(unsigned from, unsigned to)
{
    if (from == to)
        return true;
    for (size_t i = 0; i < mext_rcv_rows; i++) {
        const struct mext_rcv_row *r = &mext_rcv_table[i];

        if (r->state == from && r->next != from &&
            r->event != MEXT_RCV_EV_INVITED && reaches(r->next, to))
            return true;
    }
    return false;
}

bool mext_rcv_follow(enum mext_rcv *seen, enum mext_rcv said)
{
    if (*seen == MEXT_RCV_INVITED && said == MEXT_RCV_WAITING)
        return true; /* the same word */
    if (!reaches(*seen, said))
        return false;
    *seen = said;
    return true;
}

static const char *const names[] = {
    [MEXT_RCV_STARTING] = "starting", [MEXT_RCV_WAITING] = "waiting",
    [MEXT_RCV_INVITED] = "invited",   [MEXT_RCV_RECEIVING] = "receiving",
    [MEXT_RCV_COMPLETE] = "complete", [MEXT_RCV_TIDY] = "tidy",
    [MEXT_RCV_FAILED] = "failed",
};

const char *mext_rcv_name(unsigned state)
{
    return state < MEXT_RCV_STATES ? names[state] : "?";
}

const char *mext_rcv_word(unsigned state)
{
    if (state == MEXT_RCV_STARTING)
        return "";
    return mext_rcv_name(state == MEXT_RCV_INVITED ? MEXT_RCV_WAITING : state);
}

const char *mext_rcv_event_name(unsigned ev)
{
    static const char *const events[] = {
        [MEXT_RCV_EV_NONE] = "?",
        [MEXT_RCV_EV_LISTENING] = "listening",
        [MEXT_RCV_EV_INVITED] = "invited",
        [MEXT_RCV_EV_OPENED] = "opened",
        [MEXT_RCV_EV_ALL_ENDED] = "all ended",
        [MEXT_RCV_EV_TIDIED] = "tidied",
        [MEXT_RCV_EV_FAILED] = "failed",
    };

    return ev < MEXT_RCV_EVENTS ? events[ev] : "?";
}
