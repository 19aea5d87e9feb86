/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_text.h"

static size_t left(const struct mext_text *t)
{
    return (size_t)(t->end - t->at);
}

void mext_text_expect(struct mext_text *t, const char *s)
{
    size_t n = strlen(s);

    if (t->bad || left(t) < n || memcmp(t->at, s, n))
        t->bad = true;
    else
        t->at += n;
}

size_t mext_text_span(const struct mext_text *t, const char *set)
{
    size_t n = 0;

    while (n < left(t) && t->at[n] && strchr(set, t->at[n]))
        n++;
    return n;
}

void mext_text_take(struct mext_text *t, size_t n, char *out, size_t max)
{
    if (t->bad || n >= max || left(t) < n) {
        t->bad = true;
        return;
    }
    memcpy(out, t->at, n);
    out[n] = 0;
    t->at += n;
}

uint64_t mext_text_number(struct mext_text *t, uint64_t min, uint64_t max)
{
    size_t n = mext_text_span(t, "0123456789");
    uint64_t v = 0;

    if (t->bad || !n || (n > 1 && *t->at == '0')) {
        t->bad = true;
        return 0;
    }
    for (; n; n--, t->at++) {
        unsigned digit = (unsigned)(*t->at - '0');

        if (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - digit) {
            t->bad = true;
            return 0;
        }
        v = v * 10 + digit;
    }
    if (v < min || v > max)
        t->bad = true;
    return v;
}

bool mext_text_done(const struct mext_text *t)
{
    return !t->bad && t->at == t->end;
}

bool mext_printable(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < 0x20 || s[i] > 0x7e)
            return false;
    return true;
}

void mext_show(const char *text, size_t n, char *out, size_t max)
{
    size_t i = 0;

    for (; i < n && i + 1 < max; i++)
        out[i] = text[i] >= 0x20 && text[i] <= 0x7e ? text[i] : '?';
    out[i] = 0;
}
