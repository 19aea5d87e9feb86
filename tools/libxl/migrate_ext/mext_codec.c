/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_codec.h"
#include "mext_text.h"

void mext_buf_init(struct mext_buf *b, void *p, size_t len)
{
    b->p = p;
    b->len = len;
    b->pos = 0;
    b->bad = false;
}

/* The next n bytes, moving on; NULL and bad when there are fewer. */
static uint8_t *take(struct mext_buf *b, size_t n)
{
    uint8_t *p;

    if (b->bad || n > b->len - b->pos) {
        b->bad = true;
        return NULL;
    }
    p = b->p + b->pos;
    b->pos += n;
    return p;
}

static void put_be(struct mext_buf *b, uint64_t v, unsigned n)
{
    uint8_t *p = take(b, n);

    while (p && n) {
        p[--n] = (uint8_t)v;
        v >>= 8;
    }
}

static uint64_t get_be(struct mext_buf *b, unsigned n)
{
    const uint8_t *p = take(b, n);
    uint64_t v = 0;

    for (unsigned i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

void mext_put8(struct mext_buf *b, uint8_t v)
{
    put_be(b, v, 1);
}

void mext_put16(struct mext_buf *b, uint16_t v)
{
    put_be(b, v, 2);
}

void mext_put32(struct mext_buf *b, uint32_t v)
{
    put_be(b, v, 4);
}

void mext_put64(struct mext_buf *b, uint64_t v)
{
    put_be(b, v, 8);
}

void mext_put(struct mext_buf *b, const void *src, size_t n)
{
    uint8_t *p = take(b, n);

    if (p && n)
        memcpy(p, src, n);
}

uint8_t mext_get8(struct mext_buf *b)
{
    return (uint8_t)get_be(b, 1);
}

uint16_t mext_get16(struct mext_buf *b)
{
    return (uint16_t)get_be(b, 2);
}

uint32_t mext_get32(struct mext_buf *b)
{
    return (uint32_t)get_be(b, 4);
}

uint64_t mext_get64(struct mext_buf *b)
{
    return get_be(b, 8);
}

void mext_get(struct mext_buf *b, void *dst, size_t n)
{
    const uint8_t *p = take(b, n);

    if (p && n)
        memcpy(dst, p, n);
    else
        memset(dst, 0, n);
}

const uint8_t *mext_view(struct mext_buf *b, size_t n)
{
    return take(b, n);
}

int mext_buf_end(const struct mext_buf *b)
{
    return b->bad || b->pos != b->len ? MEXT_ERR_FORMAT : 0;
}

void mext_store32(uint8_t *p, uint32_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

uint32_t mext_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

void mext_store64(uint8_t *p, uint64_t v)
{
    mext_store32(p, (uint32_t)(v >> 32));
    mext_store32(p + 4, (uint32_t)v);
}

const uint8_t *mext_get_text(struct mext_buf *b, uint16_t *len_r)
{
    const uint8_t *s;

    *len_r = mext_get16(b);
    if (*len_r > MEXT_TEXT_MAX)
        b->bad = true;
    s = mext_view(b, *len_r);
    if (s && !mext_printable((const char *)s, *len_r))
        b->bad = true;
    return s;
}

void mext_put_text(struct mext_buf *b, const void *text, uint16_t len)
{
    if (len > MEXT_TEXT_MAX || !mext_printable(text, len))
        b->bad = true;
    mext_put16(b, len);
    mext_put(b, text, len);
}

const char *mext_reason(unsigned code)
{
    static const char *const words[] = {
        [MEXT_E_INTERNAL] = "internal failure",
        [MEXT_E_MALFORMED] = "malformed message",
        [MEXT_E_SIGNATURE] = "signature does not verify",
        [MEXT_E_UNTRUSTED] = "source key is not trusted",
        [MEXT_E_AUDIENCE] = "token is for another host",
        [MEXT_E_EXPIRED] = "token expired or not yet valid",
        [MEXT_E_REPLAY] = "token was used before",
        [MEXT_E_IMAGE] = "mstrap image differs from the one asked for",
        [MEXT_E_CONFIG] = "configuration refused",
        [MEXT_E_NAME] = "domain name in use",
        [MEXT_E_MEMORY] = "not enough free memory",
        [MEXT_E_CREATE] = "domain could not be created",
        [MEXT_E_POLICY] = "CPU or Xen not acceptable",
        [MEXT_E_MSTRAP] = "mstrap failed",
        [MEXT_E_GFN] = "gfn may not be written",
        [MEXT_E_COUNT] = "page counts do not agree",
        [MEXT_E_HANDOVER] = "hand-over failed",
        [MEXT_E_CANCELLED] = "cancelled",
        [MEXT_E_LINK] = "connection lost",
        [MEXT_E_ANSWER] = "answer is not for this token",
        [MEXT_E_REFUSED] = "policy of the destination",
    };

    if (code >= sizeof(words) / sizeof(words[0]) || !words[code])
        return "unknown reason";
    return words[code];
}
