/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_journal.h"
#include "mext_text.h"

#define MAGIC_LEN (sizeof(MEXT_JOURNAL_MAGIC) - 1)
#define SUM_AT    (MEXT_JOURNAL_LEN - MEXT_DIGEST_LEN)

/* ---- what is noted ---- */

bool mext_noted_final(enum mext_noted n)
{
    return n == MEXT_NOTED_DONE || n == MEXT_NOTED_KEPT ||
           n == MEXT_NOTED_RUNNING || n == MEXT_NOTED_ABORTED ||
           n == MEXT_NOTED_LOST;
}

const char *mext_noted_name(enum mext_noted n)
{
    static const char *const names[] = {
        [MEXT_NOTED_BEGUN] = "begun",
        [MEXT_NOTED_COMMITTING] = "committing",
        [MEXT_NOTED_STRANDED] = "stranded",
        [MEXT_NOTED_DONE] = "done",
        [MEXT_NOTED_KEPT] = "kept",
        [MEXT_NOTED_INCOMING] = "incoming",
        [MEXT_NOTED_COMMITTED] = "committed",
        [MEXT_NOTED_RUNNING] = "running",
        [MEXT_NOTED_ABORTED] = "aborted",
        [MEXT_NOTED_LOST] = "lost",
    };
    unsigned i = (unsigned)n;

    return i < sizeof(names) / sizeof(names[0]) && names[i] ? names[i] : "?";
}

const char *mext_side_name(enum mext_side side)
{
    return side == MEXT_SIDE_SOURCE ? "out" : "in";
}

/* Each side has its own. */
static bool noted_of(unsigned side, unsigned n)
{
    if (side == MEXT_SIDE_SOURCE)
        return n >= MEXT_NOTED_BEGUN && n <= MEXT_NOTED_KEPT;
    return side == MEXT_SIDE_DEST && n >= MEXT_NOTED_INCOMING &&
           n <= MEXT_NOTED_LOST;
}

/* ---- texts: printable, then zeros to the end of the field ---- */

static void put_text(struct mext_buf *b, const char *s, size_t field)
{
    size_t n = strnlen(s, field);

    if (n == field || !mext_printable(s, n)) {
        b->bad = true;
        return;
    }
    mext_put(b, s, n);
    for (; n < field; n++)
        mext_put8(b, 0);
}

static bool zeros(const uint8_t *p, size_t n)
{
    while (n && !p[n - 1])
        n--;
    return !n;
}

static void get_text(struct mext_buf *b, char *out, size_t field)
{
    size_t n;

    mext_get(b, out, field);
    n = strnlen(out, field);
    if (n == field || !mext_printable(out, n) ||
        !zeros((const uint8_t *)out + n, field - n))
        b->bad = true;
}

static void get_zeros(struct mext_buf *b, size_t n)
{
    const uint8_t *p = mext_view(b, n);

    if (p && !zeros(p, n))
        b->bad = true;
}

/* ---- the record ---- */

static bool within_limits(const struct mext_entry *e, uint32_t seq)
{
    return seq && seq <= MEXT_JOURNAL_RECORDS_MAX &&
           noted_of(e->side, e->noted) && e->domid <= MEXT_DOMID_MAX;
}

int mext_entry_encode(const struct mext_entry *e, uint32_t seq,
                      uint8_t out[MEXT_JOURNAL_LEN])
{
    uint8_t bytes[MEXT_JOURNAL_LEN] = { 0 };
    struct mext_buf b;

    if (!within_limits(e, seq))
        return MEXT_ERR_LIMIT;
    mext_buf_init(&b, bytes, SUM_AT);
    mext_put(&b, MEXT_JOURNAL_MAGIC, MAGIC_LEN);
    mext_put32(&b, seq);
    mext_put16(&b, (uint16_t)e->side);
    mext_put16(&b, (uint16_t)e->noted);
    mext_put(&b, e->id, sizeof(e->id));
    mext_put64(&b, e->begun);
    mext_put64(&b, e->changed);
    mext_put(&b, e->boot, sizeof(e->boot));
    mext_put(&b, e->uuid, sizeof(e->uuid));
    mext_put(&b, e->ours, sizeof(e->ours));
    mext_put(&b, e->theirs, sizeof(e->theirs));
    mext_put32(&b, e->domid);
    put_text(&b, e->host, sizeof(e->host));
    put_text(&b, e->name, sizeof(e->name));
    put_text(&b, e->text, sizeof(e->text));
    if (b.bad)
        return MEXT_ERR_FORMAT;
    mext_digest(bytes, SUM_AT, bytes + SUM_AT);
    memcpy(out, bytes, sizeof(bytes));
    return 0;
}

static void get_entry(struct mext_buf *b, struct mext_entry *e)
{
    e->side = mext_get16(b);
    e->noted = mext_get16(b);
    mext_get(b, e->id, sizeof(e->id));
    e->begun = mext_get64(b);
    e->changed = mext_get64(b);
    mext_get(b, e->boot, sizeof(e->boot));
    mext_get(b, e->uuid, sizeof(e->uuid));
    mext_get(b, e->ours, sizeof(e->ours));
    mext_get(b, e->theirs, sizeof(e->theirs));
    e->domid = mext_get32(b);
    get_text(b, e->host, sizeof(e->host));
    get_text(b, e->name, sizeof(e->name));
    get_text(b, e->text, sizeof(e->text));
}

int mext_entry_decode(const uint8_t in[MEXT_JOURNAL_LEN], uint32_t *seq_r,
                      struct mext_entry *e_r)
{
    uint8_t sum[MEXT_DIGEST_LEN];
    struct mext_entry e;
    struct mext_buf b;
    uint32_t seq;

    if (memcmp(in, MEXT_JOURNAL_MAGIC, MAGIC_LEN))
        return MEXT_ERR_FORMAT;
    mext_digest(in, SUM_AT, sum);
    if (memcmp(in + SUM_AT, sum, sizeof(sum)))
        return MEXT_ERR_AUTH;
    mext_buf_init(&b, (uint8_t *)in + MAGIC_LEN, SUM_AT - MAGIC_LEN);
    seq = mext_get32(&b);
    get_entry(&b, &e);
    get_zeros(&b, b.len - b.pos);
    if (mext_buf_end(&b))
        return MEXT_ERR_FORMAT;
    if (!within_limits(&e, seq))
        return MEXT_ERR_LIMIT;
    *seq_r = seq;
    *e_r = e;
    return 0;
}
