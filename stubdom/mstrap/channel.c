/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "channel.h"
#include "mext_unpack.h"

_Static_assert(MEXT_DELTA_MAX + MEXT_TAG_LEN <= MEXT_DATA_BODY_MAX, "");

static void expect(struct ms_channel *c, enum ms_channel_state state,
                   uint8_t *at, uint32_t need)
{
    c->state = state;
    c->at = at;
    c->have = 0;
    c->need = need;
}

static void expect_frame(struct ms_channel *c)
{
    expect(c, MS_CHANNEL_HEADER, c->buffer, MEXT_FRAME_HDR_LEN);
}

void ms_channel_init(struct ms_channel *c)
{
    memset(c, 0, sizeof(*c));
    expect(c, MS_CHANNEL_OPENING, c->buffer, MEXT_OPEN_LEN);
}

void ms_channel_key(struct ms_channel *c, const struct mext_root *root)
{
    mext_seal_init(&c->in, root, MEXT_DIR_TO_DEST, c->open.index);
    mext_seal_init(&c->out, root, MEXT_DIR_TO_SOURCE, c->open.index);
}

void ms_channel_forget(struct ms_channel *c)
{
    mext_wipe(&c->in, sizeof(c->in));
    mext_wipe(&c->out, sizeof(c->out));
    mext_wipe(c->buffer, sizeof(c->buffer)); /* of the guest's, opened */
}

void ms_channel_resume(struct ms_channel *c)
{
    c->gone = 0;
    expect_frame(c);
}

/* All pages of the frame have come. */
static int end_pages(struct ms_channel *c)
{
    if (c->batch && mext_unpack_batch(c->member, c->members, c->batch))
        return -MEXT_E_MALFORMED;
    c->batch = 0;
    expect_frame(c);
    return 0;
}

/* The page is complete, but for a batch's, which wait for the others. */
static void page_done(struct ms_channel *c)
{
    c->counts.data++;
    c->page_index++;
}

static bool is_delta(const struct ms_channel *c)
{
    return c->coding[c->page_index] == MEXT_CODING_DELTA;
}

/* A delta needs its page as it is. */
static uint8_t *arrives_at(struct ms_channel *c)
{
    return is_delta(c) ? c->buffer : c->page;
}

/* Of the page, behind a delta. */
static uint8_t *tag_at(struct ms_channel *c)
{
    return c->buffer + (is_delta(c) ? c->len[c->page_index] : 0);
}

/*
 * Goes on in the map: clears zero pages, stops at the next page of which bytes
 * are to come.
 */
static int next_page(struct ms_channel *c, const struct ms_sink *sink)
{
    for (; c->next < c->span; c->next++) {
        unsigned what = mext_map_get(c->map, c->next);
        int reason;

        if (what == MEXT_MAP_NONE)
            continue;
        reason = sink->page(c->base + c->next, &c->page);
        if (reason)
            return -reason;
        if (what == MEXT_MAP_ZERO) {
            memset(c->page, 0, MEXT_PAGE_SIZE);
            c->counts.zero++;
            continue;
        }
        if (c->coding[c->page_index] == MEXT_CODING_ZSTD)
            c->member[c->members++] = c->page;
        if (c->len[c->page_index]) {
            expect(c, MS_CHANNEL_PAGE, arrives_at(c), c->len[c->page_index]);
            return 0;
        }
        page_done(c);
    }
    return end_pages(c);
}

static int on_pages(struct ms_channel *c, const struct ms_sink *sink,
                    const struct mext_data *m)
{
    c->base = m->u.pages.base;
    c->span = m->u.pages.span;
    c->next = c->page_index = c->members = 0;
    c->batch = m->u.pages.batch;
    memcpy(c->map, m->u.pages.map, sizeof(c->map));
    memcpy(c->len, m->u.pages.len, sizeof(c->len));
    memcpy(c->coding, m->u.pages.coding, sizeof(c->coding));
    return next_page(c, sink);
}

static int on_barrier(struct ms_channel *c, const struct ms_sink *sink,
                      const struct mext_data *m)
{
    if (m->u.barrier.iteration != c->iteration + 1)
        return -MEXT_E_MALFORMED;
    c->iteration = m->u.barrier.iteration;
    c->state = MS_CHANNEL_BARRIER;
    return MS_STEP_BARRIER;
}

static int on_absent(struct ms_channel *c, const struct ms_sink *sink,
                     const struct mext_data *m)
{
    for (unsigned i = 0; i < m->u.absent.n; i++) {
        const struct mext_extent *e = &m->u.absent.e[i];
        int reason;

        if (e->count > MEXT_ABSENT_PAGES - c->gone)
            return -MEXT_E_MALFORMED;
        reason = sink->absent(e->gfn, e->count);
        if (reason)
            return -reason;
        c->gone += e->count;
        c->counts.absent += e->count;
    }
    expect_frame(c);
    return 0;
}

static int on_end(struct ms_channel *c, const struct ms_sink *sink,
                  const struct mext_data *m)
{
    if (m->u.end.data != c->counts.data || m->u.end.zero != c->counts.zero)
        return -MEXT_E_COUNT;
    c->state = MS_CHANNEL_ENDED;
    return MS_STEP_END;
}

/* What a source may say; each returns 0 to go on, a step, or -reason. */
static int (*const handlers[])(struct ms_channel *c, const struct ms_sink *sink,
                               const struct mext_data *m) = {
    [MEXT_DATA_PAGES] = on_pages,
    [MEXT_DATA_BARRIER] = on_barrier,
    [MEXT_DATA_ABSENT] = on_absent,
    [MEXT_DATA_END] = on_end,
};

static int on_body(struct ms_channel *c, const struct ms_sink *sink)
{
    struct mext_data m;

    if (mext_data_decode(c->buffer, c->need - MEXT_TAG_LEN, &m) ||
        m.type >= MS_COUNT(handlers) || !handlers[m.type])
        return -MEXT_E_MALFORMED;
    return handlers[m.type](c, sink, &m);
}

static int on_opening(struct ms_channel *c)
{
    if (mext_open_decode(c->buffer, &c->open))
        return -MEXT_E_MALFORMED;
    expect_frame(c);
    return MS_STEP_OPENED;
}

static int on_header(struct ms_channel *c)
{
    int length = mext_frame_len(c->buffer, sizeof(c->buffer));

    if (length < 0)
        return -MEXT_E_MALFORMED;
    expect(c, MS_CHANNEL_BODY, c->buffer, (uint32_t)length);
    return 0;
}

/* The first frame that opens is answered before its content is looked at. */
static int on_sealed_body(struct ms_channel *c, const struct ms_sink *sink)
{
    if (mext_frame_open(&c->in, c->buffer, c->need))
        return -MEXT_E_MALFORMED;
    if (!c->proven) {
        c->proven = true;
        return MS_STEP_PROVEN;
    }
    return on_body(c, sink);
}

static int on_tag(struct ms_channel *c, const struct ms_sink *sink)
{
    unsigned n = c->len[c->page_index];

    if (mext_page_open(&c->in, arrives_at(c), n, tag_at(c)))
        return -MEXT_E_MALFORMED;
    if (c->coding[c->page_index] == MEXT_CODING_LZ4 && mext_unpack(c->page, n))
        return -MEXT_E_MALFORMED;
    if (is_delta(c) && mext_unpack_delta(c->page, c->buffer, n))
        return -MEXT_E_MALFORMED;
    page_done(c);
    c->next++;
    return next_page(c, sink);
}

/* Everything that was waited for has come. */
static int on_complete(struct ms_channel *c, const struct ms_sink *sink)
{
    switch (c->state) {
    case MS_CHANNEL_OPENING:
        return on_opening(c);
    case MS_CHANNEL_HEADER:
        return on_header(c);
    case MS_CHANNEL_BODY:
        return on_sealed_body(c, sink);
    case MS_CHANNEL_PAGE:
        expect(c, MS_CHANNEL_TAG, tag_at(c), MEXT_TAG_LEN);
        return 0;
    case MS_CHANNEL_TAG:
        return on_tag(c, sink);
    default:
        return -MEXT_E_MALFORMED;
    }
}

int ms_channel_feed(struct ms_channel *c, const struct ms_sink *sink,
                    const uint8_t *in, size_t n, size_t *used_r)
{
    size_t used = 0;
    int step = 0;

    /* The body whose seal was the proof is still in the buffer. */
    if (c->state == MS_CHANNEL_BODY && c->have == c->need)
        step = on_body(c, sink);
    while (!step && used < n) {
        size_t take = c->need - c->have;

        if (c->state >= MS_CHANNEL_BARRIER) {
            step = -MEXT_E_MALFORMED;
            break;
        }
        if (take > n - used)
            take = n - used;
        memcpy(c->at + c->have, in + used, take);
        c->have += (uint32_t)take;
        used += take;
        if (c->have == c->need)
            step = on_complete(c, sink);
    }
    *used_r = used;
    return step ? step : MS_STEP_MORE;
}

size_t ms_channel_seal(struct ms_channel *c, const struct mext_data *m,
                       uint8_t frame[MS_FRAME_MAX])
{
    struct mext_buf body;
    size_t length;

    mext_buf_init(&body, frame + MEXT_FRAME_HDR_LEN,
                  MEXT_DATA_BODY_MAX - MEXT_TAG_LEN);
    if (mext_data_encode(m, &body) ||
        mext_frame_seal(&c->out, frame, body.pos, MEXT_DATA_BODY_MAX, &length))
        return 0;
    return length;
}
