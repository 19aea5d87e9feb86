/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <string.h>

#include "mext_codec.h"
#include "mext_move.h"
#include "mext_text.h"

#define HEX    "0123456789abcdef"
#define DIGITS "0123456789"
#define ALNUM  DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const words[] = {
    [MEXT_MOVE_ACCEPTED] = "accepted",
    [MEXT_MOVE_RUNNING] = "running",
    [MEXT_MOVE_REFUSED] = "refused",
    [MEXT_MOVE_FAILED] = "failed",
};

static void take_id(struct mext_text *t, char out[MEXT_MOVE_ID_LEN + 1])
{
    if (mext_text_span(t, HEX) < MEXT_MOVE_ID_LEN)
        t->bad = true;
    mext_text_take(t, MEXT_MOVE_ID_LEN, out, MEXT_MOVE_ID_LEN + 1);
}

static void take_dest(struct mext_text *t, char out[MEXT_MOVE_DEST_MAX + 1])
{
    size_t n = mext_text_span(t, ALNUM "._-");
    uint32_t port;

    if (!mext_text_span(t, ALNUM))
        t->bad = true;
    mext_text_take(t, n, out, MEXT_MOVE_HOST_MAX + 1);
    if (t->bad || t->at == t->end)
        return;
    mext_text_expect(t, ":");
    port = (uint32_t)mext_text_number(t, 1, 65535);
    if (!t->bad && port != MEXT_CONTROL_PORT)
        snprintf(out + n, MEXT_MOVE_DEST_MAX + 1 - n, ":%u", port);
}

int mext_move_dest(const char *text, size_t n,
                   char dest_r[MEXT_MOVE_DEST_MAX + 1])
{
    struct mext_text t = { text, text + n, false };
    char dest[MEXT_MOVE_DEST_MAX + 1];

    take_dest(&t, dest);
    if (!mext_text_done(&t))
        return MEXT_ERR_FORMAT;
    strcpy(dest_r, dest);
    return 0;
}

int mext_move_request_parse(const char *text, size_t n,
                            struct mext_move_request *r_r)
{
    struct mext_text t = { text, text + n, n > MEXT_MOVE_REQUEST_MAX };
    struct mext_move_request r;

    mext_text_expect(&t, "v1 ");
    take_id(&t, r.id);
    mext_text_expect(&t, " ");
    take_dest(&t, r.dest);
    if (!mext_text_done(&t))
        return MEXT_ERR_FORMAT;
    *r_r = r;
    return 0;
}

static enum mext_move_state take_state(struct mext_text *t)
{
    for (unsigned i = MEXT_MOVE_ACCEPTED; i <= MEXT_MOVE_FAILED; i++) {
        struct mext_text try = *t;

        mext_text_expect(&try, words[i]);
        mext_text_expect(&try, " ");
        if (!try.bad) {
            *t = try;
            return i;
        }
    }
    t->bad = true;
    return MEXT_MOVE_FAILED;
}

int mext_move_status_parse(const char *text, size_t n,
                           struct mext_move_status *s_r)
{
    struct mext_text t = { text, text + n, n > MEXT_MOVE_STATUS_MAX };
    struct mext_move_status s;

    mext_text_expect(&t, "v1 ");
    take_id(&t, s.id);
    mext_text_expect(&t, " ");
    s.seq = (uint32_t)mext_text_number(&t, 1, UINT32_MAX);
    mext_text_expect(&t, " ");
    s.state = take_state(&t);
    mext_text_take(&t, (size_t)(t.end - t.at), s.text, sizeof(s.text));
    if (t.bad || memchr(text, 0, n) || !mext_printable(s.text, strlen(s.text)))
        return MEXT_ERR_FORMAT;
    *s_r = s;
    return 0;
}

void mext_move_request_text(const struct mext_move_request *r,
                            char out[MEXT_MOVE_REQUEST_MAX + 1])
{
    snprintf(out, MEXT_MOVE_REQUEST_MAX + 1, "v1 %s %s", r->id, r->dest);
}

void mext_move_status_text(const struct mext_move_status *s,
                           char out[MEXT_MOVE_STATUS_MAX + 1])
{
    snprintf(out, MEXT_MOVE_STATUS_MAX + 1, "v1 %s %u %s %s", s->id, s->seq,
             words[s->state], s->text);
}

bool mext_move_final(enum mext_move_state state)
{
    return state == MEXT_MOVE_REFUSED || state == MEXT_MOVE_FAILED;
}
