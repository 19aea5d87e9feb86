/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <string.h>

#include "mext_codec.h"
#include "mext_move.h"

#define HEX    "0123456789abcdef"
#define DIGITS "0123456789"
#define ALNUM  DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const words[] = {
    [MEXT_MOVE_ACCEPTED] = "accepted",
    [MEXT_MOVE_RUNNING] = "running",
    [MEXT_MOVE_REFUSED] = "refused",
    [MEXT_MOVE_FAILED] = "failed",
};

struct text {
    const char *at, *end;
    bool bad;
};

/* How many of the next bytes are among set. */
static size_t span(const struct text *t, const char *set)
{
    size_t n = 0;

    while (t->at + n < t->end && t->at[n] && strchr(set, t->at[n]))
        n++;
    return n;
}

static void expect(struct text *t, const char *s)
{
    size_t n = strlen(s);

    if (t->bad || (size_t)(t->end - t->at) < n || memcmp(t->at, s, n))
        t->bad = true;
    else
        t->at += n;
}

/* The next n bytes, ended by a NUL; n < max. */
static void take(struct text *t, size_t n, char *out, size_t max)
{
    if (t->bad || n >= max || (size_t)(t->end - t->at) < n) {
        t->bad = true;
        return;
    }
    memcpy(out, t->at, n);
    out[n] = 0;
    t->at += n;
}

static void take_id(struct text *t, char out[MEXT_MOVE_ID_LEN + 1])
{
    if (span(t, HEX) < MEXT_MOVE_ID_LEN)
        t->bad = true;
    take(t, MEXT_MOVE_ID_LEN, out, MEXT_MOVE_ID_LEN + 1);
}

/* Decimal, 1 to max, without a zero in front. */
static uint32_t take_number(struct text *t, uint32_t max)
{
    size_t n = span(t, DIGITS);
    uint64_t v = 0;

    if (!n || n > 10 || *t->at == '0') {
        t->bad = true;
        return 0;
    }
    while (n--)
        v = v * 10 + (uint64_t)(*t->at++ - '0');
    if (v > max)
        t->bad = true;
    return (uint32_t)v;
}

static void take_dest(struct text *t, char out[MEXT_MOVE_DEST_MAX + 1])
{
    size_t n = span(t, ALNUM "._-");
    uint32_t port;

    if (!span(t, ALNUM))
        t->bad = true;
    take(t, n, out, MEXT_MOVE_HOST_MAX + 1);
    if (t->bad || t->at == t->end)
        return;
    expect(t, ":");
    port = take_number(t, 65535);
    if (!t->bad && port != MEXT_CONTROL_PORT)
        snprintf(out + n, MEXT_MOVE_DEST_MAX + 1 - n, ":%u", port);
}

int mext_move_dest(const char *text, size_t n,
                   char dest_r[MEXT_MOVE_DEST_MAX + 1])
{
    struct text t = { text, text + n, false };
    char dest[MEXT_MOVE_DEST_MAX + 1];

    take_dest(&t, dest);
    if (t.bad || t.at != t.end)
        return MEXT_ERR_FORMAT;
    strcpy(dest_r, dest);
    return 0;
}

int mext_move_request_parse(const char *text, size_t n,
                            struct mext_move_request *r_r)
{
    struct text t = { text, text + n, n > MEXT_MOVE_REQUEST_MAX };
    struct mext_move_request r;

    expect(&t, "v1 ");
    take_id(&t, r.id);
    expect(&t, " ");
    take_dest(&t, r.dest);
    if (t.bad || t.at != t.end)
        return MEXT_ERR_FORMAT;
    *r_r = r;
    return 0;
}

static enum mext_move_state take_state(struct text *t)
{
    for (unsigned i = MEXT_MOVE_ACCEPTED; i <= MEXT_MOVE_FAILED; i++) {
        struct text try = *t;

        expect(&try, words[i]);
        expect(&try, " ");
        if (!try.bad) {
            *t = try;
            return i;
        }
    }
    t->bad = true;
    return MEXT_MOVE_FAILED;
}

static bool printable(const char *s)
{
    for (; *s; s++)
        if (*s < 0x20 || *s > 0x7e)
            return false;
    return true;
}

int mext_move_status_parse(const char *text, size_t n,
                           struct mext_move_status *s_r)
{
    struct text t = { text, text + n, n > MEXT_MOVE_STATUS_MAX };
    struct mext_move_status s;

    expect(&t, "v1 ");
    take_id(&t, s.id);
    expect(&t, " ");
    s.seq = take_number(&t, UINT32_MAX);
    expect(&t, " ");
    s.state = take_state(&t);
    take(&t, (size_t)(t.end - t.at), s.text, sizeof(s.text));
    if (t.bad || memchr(text, 0, n) || !printable(s.text))
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

void mext_move_printable(const char *text, char out[MEXT_MOVE_TEXT_MAX + 1])
{
    size_t n = 0;

    for (; text[n] && n < MEXT_MOVE_TEXT_MAX; n++)
        out[n] = text[n] >= 0x20 && text[n] <= 0x7e ? text[n] : '?';
    out[n] = 0;
}

bool mext_move_final(enum mext_move_state state)
{
    return state == MEXT_MOVE_REFUSED || state == MEXT_MOVE_FAILED;
}
