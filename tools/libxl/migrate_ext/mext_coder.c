/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_coder.h"

#define PAGE_BYTES 4096.0

/* One batch in so many is packed in the next way up or down. */
#define TRIAL_BATCHES 64

/* At most so many batches go without a look at them, which is one at a page or two, or
 * at all of a batch. */
#define SKIP_MAX       3
#define SKIP_MAX_WHOLE 15

/* A way that packs closer has to be faster by so much. */
#define WORTH_IT 0.97

/* Before a link is known, us for a byte: what is sent then fits into the socket's
 * buffer, so that a slow link does not show at once.  1 Gbit/s. */
#define LINK_FIRST 0.008

/* The link is looked at after so many bytes; it holds things up if so much of
 * the time went by waiting for it; if it does not it may be faster than was
 * seen, by so much. */
#define LINK_BYTES 524288.0
#define BLOCKED    0.1
#define FASTER     0.8

/* New figures count as much. */
#define WEIGHT 0.125

/* What docs/performance.md has measured; true in proportion elsewhere too. */
static const struct {
    int level;
    double us, left;
} known[MEXT_WAYS] = {
    [MEXT_WAY_NONE] = { 0, 0, 1 },
    [MEXT_WAY_LZ4] = { 0, 4.5, 0.43 },
    [MEXT_WAY_ZSTD_1] = { 1, 7, 0.26 },
    [MEXT_WAY_ZSTD_3] = { 3, 10.5, 0.245 },
    [MEXT_WAY_ZSTD_6] = { 6, 27, 0.232 },
    [MEXT_WAY_ZSTD_9] = { 9, 45, 0.229 },
};

int mext_way_level(enum mext_way w)
{
    return known[w].level;
}

void mext_coder_init(struct mext_coder *c)
{
    memset(c, 0, sizeof(*c));
    for (unsigned i = 0; i < MEXT_WAYS; i++) {
        c->way[i].us = known[i].us;
        c->way[i].left = known[i].left;
    }
    c->way[MEXT_WAY_NONE].measured = true;
    c->cpu_us = 0.001;
    c->link_us = LINK_FIRST;
}

/* Time of a page, us. */
static double time_of(const struct mext_coder *c, enum mext_way w)
{
    double bytes = c->way[w].left * PAGE_BYTES;
    double cpu = c->way[w].us + bytes * c->cpu_us, link = bytes * c->link_us;

    return cpu > link ? cpu : link;
}

static enum mext_way best(const struct mext_coder *c)
{
    enum mext_way out = MEXT_WAY_NONE;

    for (enum mext_way w = MEXT_WAY_LZ4; w < MEXT_WAYS; w++)
        if (time_of(c, w) < time_of(c, out) * WORTH_IT)
            out = w;
    return out;
}

enum mext_way mext_coder_choose(struct mext_coder *c)
{
    enum mext_way w = best(c);
    unsigned trial;

    if (++c->batches % TRIAL_BATCHES)
        return w;
    trial = c->batches / TRIAL_BATCHES;
    if (trial % 2 || w == MEXT_WAY_NONE)
        return w + 1 < MEXT_WAYS ? w + 1 : w;
    /* To pack nothing needs no trial. */
    return w > MEXT_WAY_LZ4 ? w - 1 : w;
}

bool mext_coder_look(struct mext_coder *c)
{
    if (!c->skip)
        return true;
    c->skip--;
    return false;
}

void mext_coder_looked(struct mext_coder *c, bool shrank, bool whole)
{
    unsigned max = whole ? SKIP_MAX_WHOLE : SKIP_MAX;

    c->plain = shrank ? 0 : c->plain + 1;
    c->skip = 0; /* then 0, 1, 3, 7 ... */
    for (unsigned i = 1; i < c->plain && c->skip < max; i++)
        c->skip = 2 * c->skip + 1;
}

static double moved(double was, double is)
{
    return was + (is - was) * WEIGHT;
}

/* What was never measured is as far off as the first that was. */
static void scale(struct mext_coder *c, double us, double left)
{
    for (unsigned i = 0; i < MEXT_WAYS; i++) {
        if (c->way[i].measured)
            continue;
        c->way[i].us *= us;
        c->way[i].left *= left;
        if (c->way[i].left > 1)
            c->way[i].left = 1;
    }
}

void mext_coder_packed(struct mext_coder *c, enum mext_way w, unsigned pages,
                       uint64_t bytes, uint64_t us)
{
    double page_us, left, us_was = c->way[w].us, left_was = c->way[w].left;

    if (!pages || w == MEXT_WAY_NONE)
        return;
    page_us = ((double)us + 0.5) / pages;
    left = (double)(bytes ? bytes : 1) / (pages * PAGE_BYTES);
    if (c->way[w].measured) {
        page_us = moved(us_was, page_us);
        left = moved(left_was, left);
    }
    c->way[w].measured = true;
    c->way[w].us = page_us;
    c->way[w].left = left;
    scale(c, page_us / us_was, left / left_was);
}

static void reckon_link(struct mext_coder *c)
{
    double us = c->us / c->bytes;

    if (c->blocked_us < c->us * BLOCKED)
        us = (c->link_us < us ? c->link_us : us) * FASTER;
    c->link_us = us;
    c->bytes = c->us = c->blocked_us = 0;
}

void mext_coder_sent(struct mext_coder *c, uint64_t bytes, uint64_t us,
                     uint64_t packing_us, uint64_t blocked_us)
{
    uint64_t not_ours = packing_us + blocked_us;

    if (!bytes)
        return;
    if (us > not_ours)
        c->cpu_us = moved(c->cpu_us, (double)(us - not_ours) / (double)bytes);
    c->bytes += (double)bytes;
    c->us += (double)us;
    c->blocked_us += (double)blocked_us;
    if (c->bytes >= LINK_BYTES)
        reckon_link(c);
}
