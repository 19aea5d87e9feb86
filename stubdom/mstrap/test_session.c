/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The receiving side of the data channels on the host, with a fake guest:
 * what a source says is written there, what it must not say is refused.
 */
#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "mext_cache.h"
#include "mext_pack.h"
#include "session.h"

#define GUEST_PAGES   64u
#define FORBIDDEN_GFN 60u
#define STREAM_MAX    400000u

static uint8_t guest[GUEST_PAGES][MEXT_PAGE_SIZE];
static uint64_t absent_pages;
static struct ms_session session;
static struct ms_invitation invitation;
static struct mext_root source_root;

/* One connection: what the source has sent, and mstrap's end of it. */
struct peer {
    struct ms_channel channel;
    struct mext_seal seal, answers;
    uint8_t stream[STREAM_MAX];
    size_t length, taken;
};

static struct peer peers[MEXT_CHANNELS_MAX];

static int fake_page(uint64_t gfn, uint8_t **page_r)
{
    if (gfn >= GUEST_PAGES || gfn == FORBIDDEN_GFN)
        return MEXT_E_GFN;
    *page_r = guest[gfn];
    return 0;
}

static int fake_absent(uint64_t gfn, uint32_t count)
{
    absent_pages += count;
    return 0;
}

static const struct ms_sink sink = { .page = fake_page, .absent = fake_absent };

static void fill(uint8_t page[MEXT_PAGE_SIZE], uint64_t gfn, unsigned version)
{
    uint8_t seed[32] = { (uint8_t)gfn, (uint8_t)(gfn >> 8), (uint8_t)version };

    randombytes_buf_deterministic(page, MEXT_PAGE_SIZE, seed);
}

/* Every other half of 64 bytes is zero: it packs. */
static void fill_packable(uint8_t page[MEXT_PAGE_SIZE], uint64_t gfn,
                          unsigned version)
{
    fill(page, gfn, version);
    for (unsigned i = 0; i < MEXT_PAGE_SIZE; i += 64)
        memset(page + i, 0, 32);
}

static bool is_change(char what)
{
    return what == 'c' || what == 'C';
}

/* Words in which a page of version + 100 differs. */
static void change(uint8_t page[MEXT_PAGE_SIZE])
{
    page[0] ^= 1;
    page[2000] ^= 1;
    memset(page + 3000, 0x33, 100);
    page[MEXT_PAGE_SIZE - 1] ^= 1;
}

/* What changes the packable page of this version; 'C': of another. */
static uint16_t change_of(char what, uint64_t gfn, unsigned version,
                          uint8_t page[MEXT_PAGE_SIZE], uint8_t *out)
{
    _Alignas(8) uint8_t old[MEXT_PAGE_SIZE], new[MEXT_PAGE_SIZE];
    unsigned n;

    memcpy(old, page, MEXT_PAGE_SIZE);
    memcpy(new, page, MEXT_PAGE_SIZE);
    change(new);
    n = mext_delta(old, new, out);
    ck_assert_uint_gt(n, 8);
    if (what == 'C')
        out[n - 1] ^= 1;
    return (uint16_t)n;
}

/* What follows the frame for a gfn marked so; how many bytes. */
static uint16_t page_of(char what, uint64_t gfn, unsigned version,
                        uint8_t out[MEXT_PAGE_SIZE])
{
    uint8_t page[MEXT_PAGE_SIZE];
    unsigned n;

    if (what == 'd') {
        fill(out, gfn, version);
        return MEXT_PAGE_SIZE;
    }
    fill_packable(page, gfn, version);
    if (is_change(what))
        return change_of(what, gfn, version, page, out);
    n = mext_pack(page, out);
    ck_assert_uint_gt(n, 0);
    return (uint16_t)(what == 'x' ? n - 1 : n);
}

static void start(unsigned channels)
{
    uint8_t source_secret[32], secret[32], public[32];

    memset(guest, 0xa5, sizeof(guest));
    memset(peers, 0, sizeof(peers));
    absent_pages = 0;
    randombytes_buf(source_secret, sizeof(source_secret));
    randombytes_buf(secret, sizeof(secret));
    randombytes_buf(invitation.token_digest, MEXT_DIGEST_LEN);
    crypto_scalarmult_base(invitation.source_key, source_secret);
    crypto_scalarmult_base(public, secret);
    invitation.channels = channels;
    ms_session_init(&session);
    mext_rcv_event(&session.state, MEXT_RCV_EV_LISTENING);
    ck_assert(ms_session_invite(&session, &invitation, secret, public));
    ck_assert_int_eq(mext_root_derive(&source_root, MEXT_KDF_DATA,
                                      source_secret, public,
                                      invitation.token_digest,
                                      invitation.source_key, public),
                     0);
}

static void put_open(struct peer *p, uint16_t index, uint16_t count)
{
    struct mext_open open = { .index = index, .count = count };

    ms_channel_init(&p->channel);
    p->length = p->taken = 0;
    mext_seal_init(&p->seal, &source_root, MEXT_DIR_TO_DEST, index);
    mext_seal_init(&p->answers, &source_root, MEXT_DIR_TO_SOURCE, index);
    ck_assert_int_eq(mext_open_encode(&open, p->stream), 0);
    p->length = MEXT_OPEN_LEN;
}

static void put_message(struct peer *p, const struct mext_data *m)
{
    uint8_t *frame = p->stream + p->length;
    struct mext_buf body;
    size_t length;

    mext_buf_init(&body, frame + MEXT_FRAME_HDR_LEN, MEXT_DATA_BODY_MAX);
    ck_assert_int_eq(mext_data_encode(m, &body), 0);
    ck_assert_int_eq(
        mext_frame_seal(&p->seal, frame, body.pos, MEXT_DATA_BODY_MAX, &length),
        0);
    p->length += length;
}

static bool in_batch(char what)
{
    return what == 'b' || what == 'B';
}

/*
 * The pages marked 'b' or 'B', packed: out[MEXT_BATCH_MAX]; the length.  'B': it
 * is one page short.
 */
static uint32_t batch_of(uint64_t base, const char *what, unsigned version,
                         uint8_t *out)
{
    static uint8_t pages[MEXT_BATCH_PAGES][MEXT_PAGE_SIZE];
    void *context = NULL;
    unsigned n = 0;
    uint32_t bytes;

    for (unsigned i = 0; what[i]; i++)
        if (in_batch(what[i]))
            fill_packable(pages[n++], base + i, version);
    if (!n)
        return 0;
    bytes = mext_pack_batch(&context, 1, pages[0], n - !!strchr(what, 'B'),
                            out);
    ck_assert_uint_gt(bytes, 0);
    mext_pack_batch_end(context);
    return bytes;
}

/* What the frame says of its pages. */
static void describe(struct mext_data *m, uint64_t base, const char *what,
                     unsigned version, uint8_t *batch)
{
    uint8_t page[MEXT_PAGE_SIZE];
    unsigned n = 0, piece = 0;

    m->u.pages.base = base;
    m->u.pages.span = (uint16_t)strlen(what);
    m->u.pages.batch = batch_of(base, what, version, batch);
    for (unsigned i = 0; what[i]; i++) {
        mext_map_set(m->u.pages.map, i,
                     what[i] == 'z'   ? MEXT_MAP_ZERO
                     : what[i] == 'd' ? MEXT_MAP_DATA
                     : what[i] == '-' ? MEXT_MAP_NONE
                                      : MEXT_MAP_PACKED);
        if (what[i] == '-' || what[i] == 'z')
            continue;
        m->u.pages.coding[n] = what[i] == 'd'       ? 0
                               : in_batch(what[i])  ? MEXT_CODING_ZSTD
                               : is_change(what[i]) ? MEXT_CODING_DELTA
                                                    : MEXT_CODING_LZ4;
        m->u.pages.len[n++] = in_batch(what[i])
                                  ? mext_batch_piece(m->u.pages.batch, piece++)
                                  : page_of(what[i], base + i, version, page);
    }
}

/*
 * gfns from base on: 'z' zero, 'd' data, 'p' packed, 'x' badly, 'b' in a batch,
 * 'B' in one that is too short, 'c' what changed, 'C' badly, '-' none.
 */
static void put_pages(struct peer *p, uint64_t base, const char *what,
                      unsigned version)
{
    static uint8_t batch[MEXT_BATCH_MAX];
    struct mext_data m = { .type = MEXT_DATA_PAGES };
    uint8_t page[MEXT_PAGE_SIZE];
    unsigned n = 0, piece = 0;

    describe(&m, base, what, version, batch);
    put_message(p, &m);
    for (unsigned i = 0; what[i]; i++) {
        const uint8_t *from = page;
        unsigned len;

        if (what[i] == '-' || what[i] == 'z')
            continue;
        len = m.u.pages.len[n++];
        if (in_batch(what[i]))
            from = batch + piece++ * MEXT_PAGE_SIZE;
        else
            page_of(what[i], base + i, version, page);
        if (!len)
            continue;
        ck_assert_int_eq(
            mext_page_seal(&p->seal, p->stream + p->length, from, len), 0);
        p->length += len + MEXT_TAG_LEN;
    }
}

static void put_barrier(struct peer *p, uint32_t iteration)
{
    struct mext_data m = { .type = MEXT_DATA_BARRIER,
                           .u.barrier.iteration = iteration };

    put_message(p, &m);
}

static void put_end(struct peer *p, uint64_t data, uint64_t zero)
{
    struct mext_data m = { .type = MEXT_DATA_END,
                           .u.end = { .data = data, .zero = zero } };

    put_message(p, &m);
}

/*
 * Feeds what the peer has sent, in pieces of at most piece bytes, until an
 * action other than NONE; that, or minus a reason.
 */
static int run(struct peer *p, size_t piece)
{
    int step = MS_STEP_MORE;

    while (p->taken < p->length || step == MS_STEP_PROVEN) {
        size_t n = p->length - p->taken, used;
        int action;

        step = ms_channel_feed(&p->channel, &sink, p->stream + p->taken,
                               n < piece ? n : piece, &used);
        if (step < 0)
            return step;
        p->taken += used;
        action = ms_session_step(&session, &p->channel, (enum ms_step)step);
        if (action != MS_ACT_NONE)
            return action;
    }
    return MS_ACT_NONE;
}

static void check_page(uint64_t gfn, unsigned version)
{
    uint8_t page[MEXT_PAGE_SIZE];

    fill(page, gfn, version);
    ck_assert_mem_eq(guest[gfn], page, MEXT_PAGE_SIZE);
}

static const size_t pieces[] = { 1, 7, 1460, 4096, STREAM_MAX };

static void check_packable(uint64_t gfn, unsigned version)
{
    uint8_t page[MEXT_PAGE_SIZE];

    fill_packable(page, gfn, version);
    ck_assert_mem_eq(guest[gfn], page, MEXT_PAGE_SIZE);
}

START_TEST(packed_pages_arrive_whatever_the_pieces)
{
    struct peer *p = &peers[0];

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "pdzp-d", 1);
    put_pages(p, 4, "p", 2);
    put_end(p, 5, 1);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    check_packable(3, 1);
    check_packable(4, 2);
    check_packable(6, 1);
    check_page(8, 1);
    ck_assert_uint_eq(ms_session_counts(&session).data, 5);
}
END_TEST

/* In a row, with others in between, one alone, and as many as may be. */
START_TEST(batches_arrive_whatever_the_pieces)
{
    static const char full[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    struct peer *p = &peers[0];

    ck_assert_uint_eq(strlen(full), MEXT_BATCH_PAGES);
    start(1);
    put_open(p, 0, 1);
    put_pages(p, 0, "bbbbbb", 1);
    put_pages(p, 6, "pb-dbzb", 1);
    put_pages(p, 13, "b", 1);
    put_pages(p, 20, full, 1);
    put_pages(p, 2, "bb", 2);
    put_end(p, 46, 1);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    for (unsigned gfn = 0; gfn < 6; gfn++)
        check_packable(gfn, gfn == 2 || gfn == 3 ? 2 : 1);
    check_packable(6, 1);
    check_packable(7, 1);
    ck_assert_uint_eq(guest[8][0], 0xa5);
    check_page(9, 1);
    check_packable(10, 1);
    ck_assert(sodium_is_zero(guest[11], MEXT_PAGE_SIZE));
    check_packable(12, 1);
    check_packable(13, 1);
    for (unsigned gfn = 20; gfn < 20 + MEXT_BATCH_PAGES; gfn++)
        check_packable(gfn, 1);
}
END_TEST

static void check_changed(uint64_t gfn, unsigned version)
{
    uint8_t page[MEXT_PAGE_SIZE];

    fill_packable(page, gfn, version);
    change(page);
    ck_assert_mem_eq(guest[gfn], page, MEXT_PAGE_SIZE);
}

START_TEST(changes_arrive_whatever_the_pieces)
{
    struct peer *p = &peers[0];

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "bbp", 1);
    put_pages(p, 2, "pc-cbd", 1);
    put_end(p, 8, 0);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    check_packable(2, 1);
    check_changed(3, 1);
    check_packable(4, 1);
    check_changed(5, 1);
    check_packable(6, 1);
    check_page(7, 1);
}
END_TEST

/* With a word that is wrong, or for a page that is another. */
START_TEST(change_of_another_page_is_refused)
{
    static const char *const what[] = { "C", "c" };
    struct peer *p = &peers[0];

    for (unsigned i = 0; i < MS_COUNT(what); i++) {
        start(1);
        put_open(p, 0, 1);
        put_pages(p, 3, "p", 1 + i);
        put_pages(p, 3, what[i], 1);
        ck_assert_int_eq(run(p, STREAM_MAX), -MEXT_E_MALFORMED);
    }
}
END_TEST

/* Two channels in the middle of a batch each share one decoder. */
START_TEST(batches_of_channels_do_not_mix)
{
    size_t half;

    start(2);
    for (uint16_t i = 0; i < 2; i++) {
        put_open(&peers[i], i, 2);
        put_pages(&peers[i], 20u * i, "bbbb-bbb", i + 1u);
        put_end(&peers[i], 7, 0);
    }
    half = peers[0].length;
    peers[0].length = half / 2;
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_NONE);
    ck_assert_int_eq(run(&peers[1], 1460), MS_ACT_HOLD);
    peers[0].length = half;
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_COMPLETE);
    for (unsigned i = 0; i < 8; i++) {
        if (i == 4)
            continue;
        check_packable(i, 1);
        check_packable(20 + i, 2);
    }
}
END_TEST

START_TEST(batch_that_is_not_its_pages_is_refused)
{
    static const char *const bad[] = { "BBB", "bbB", "B-B" };
    struct peer *p = &peers[0];

    for (unsigned i = 0; i < MS_COUNT(bad); i++) {
        start(1);
        put_open(p, 0, 1);
        put_pages(p, 3, bad[i], 1);
        ck_assert_int_eq(run(p, STREAM_MAX), -MEXT_E_MALFORMED);
    }
}
END_TEST

/* Sealed by the source, but no page: the source's mistake is not run. */
START_TEST(block_that_is_no_page_is_refused)
{
    struct peer *p = &peers[0];

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "px", 1);
    ck_assert_int_eq(run(p, STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(pages_arrive_whatever_the_pieces)
{
    struct peer *p = &peers[0];
    struct ms_counts counts;

    start(1);
    put_open(p, 0, 1);
    put_pages(p, 3, "dz-d", 1);
    put_pages(p, 10, "z", 1);
    put_pages(p, 20, "---", 1);
    put_pages(p, 3, "d", 2);
    put_end(p, 3, 2);
    ck_assert_int_eq(run(p, pieces[_i]), MS_ACT_COMPLETE);
    ck_assert_int_eq(session.state, MEXT_RCV_COMPLETE);
    check_page(3, 2);
    check_page(6, 1);
    ck_assert(sodium_is_zero(guest[4], MEXT_PAGE_SIZE));
    ck_assert(sodium_is_zero(guest[10], MEXT_PAGE_SIZE));
    ck_assert_uint_eq(guest[5][0], 0xa5);
    counts = ms_session_counts(&session);
    ck_assert_uint_eq(counts.data, 3);
    ck_assert_uint_eq(counts.zero, 2);
}
END_TEST

START_TEST(barrier_waits_for_all_channels)
{
    start(3);
    for (uint16_t i = 0; i < 3; i++) {
        put_open(&peers[i], i, 3);
        put_pages(&peers[i], 10u * i, "dd", 1);
        put_barrier(&peers[i], 1);
    }
    ck_assert_int_eq(run(&peers[2], 1460), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[1], 1460), MS_ACT_RELEASE);
    for (uint16_t i = 0; i < 3; i++) {
        put_pages(&peers[i], 10u * i, "d", 2);
        put_end(&peers[i], 3, 0);
    }
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[1], 1460), MS_ACT_HOLD);
    ck_assert(ms_session_needs(&session, &peers[0].channel));
    ck_assert_int_eq(run(&peers[2], 1460), MS_ACT_COMPLETE);
    ck_assert(!ms_session_needs(&session, &peers[0].channel));
    check_page(20, 2);
    check_page(21, 1);
}
END_TEST

/* Opened, at the barrier and at the end in different orders. */
START_TEST(as_many_channels_as_there_may_be)
{
    const uint16_t n = MEXT_CHANNELS_MAX;

    start(n);
    for (uint16_t i = 0; i < n; i++) {
        struct peer *p = &peers[n - 1 - i];

        put_open(p, n - 1 - i, n);
        put_pages(p, 3u * i, "dz", 1);
        ck_assert_int_eq(run(p, 1460), MS_ACT_NONE);
        put_barrier(p, 1);
    }
    for (uint16_t i = 0; i < n; i++)
        ck_assert_int_eq(run(&peers[i * 5 % n], 1460),
                         i < n - 1 ? MS_ACT_HOLD : MS_ACT_RELEASE);
    for (uint16_t i = 0; i < n; i++) {
        put_pages(&peers[i], 3u * i, "d", 2);
        put_end(&peers[i], 2, 1);
        ck_assert_int_eq(run(&peers[i], 1460),
                         i < n - 1 ? MS_ACT_HOLD : MS_ACT_COMPLETE);
    }
    ck_assert_uint_eq(ms_session_counts(&session).data, 2u * n);
    for (uint64_t i = 0; i < n; i++)
        check_page(3 * i, 2);
}
END_TEST

START_TEST(nothing_may_follow_a_barrier_before_its_ack)
{
    start(2);
    put_open(&peers[0], 0, 2);
    put_barrier(&peers[0], 1);
    put_pages(&peers[0], 1, "z", 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(barriers_are_counted)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_barrier(&peers[0], 1);
    put_barrier(&peers[0], 3);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_RELEASE);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(end_and_barrier_do_not_mix)
{
    start(2);
    put_open(&peers[0], 0, 2);
    put_open(&peers[1], 1, 2);
    put_end(&peers[0], 0, 0);
    put_barrier(&peers[1], 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[1], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(nothing_may_follow_the_end)
{
    start(2);
    put_open(&peers[0], 0, 2);
    put_end(&peers[0], 0, 0);
    put_end(&peers[0], 0, 0);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_HOLD);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(wrong_counts_are_refused)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_pages(&peers[0], 1, "dz", 1);
    put_end(&peers[0], 1, 2);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_COUNT);
}
END_TEST

START_TEST(forbidden_gfns_are_refused)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_pages(&peers[0], FORBIDDEN_GFN - 1, "zz", 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_GFN);
    ck_assert_uint_eq(guest[FORBIDDEN_GFN][0], 0xa5);
}
END_TEST

START_TEST(absent_runs_are_passed_on)
{
    struct mext_data m = { .type = MEXT_DATA_ABSENT };

    start(1);
    put_open(&peers[0], 0, 1);
    m.u.absent.n = 2;
    m.u.absent.e[0].gfn = 3;
    m.u.absent.e[0].count = 5;
    m.u.absent.e[1].gfn = 30;
    m.u.absent.e[1].count = 2;
    put_message(&peers[0], &m);
    put_end(&peers[0], 0, 0);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_COMPLETE);
    ck_assert_uint_eq(absent_pages, 7);
    ck_assert_uint_eq(ms_session_counts(&session).absent, 7);
}
END_TEST

static void put_absent(struct peer *p, uint64_t gfn, uint32_t count)
{
    struct mext_data m = { .type = MEXT_DATA_ABSENT };

    m.u.absent.n = 1;
    m.u.absent.e[0] = (struct mext_extent){ gfn, count };
    put_message(p, &m);
}

/* Giving back takes time, in which nobody is answered. */
START_TEST(so_many_are_absent_between_two_barriers)
{
    start(1);
    put_open(&peers[0], 0, 1);
    put_absent(&peers[0], 0, 3);
    put_absent(&peers[0], 3, MEXT_ABSENT_PAGES - 3);
    put_barrier(&peers[0], 1);
    put_absent(&peers[0], 0, MEXT_ABSENT_PAGES);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_RELEASE);
    ck_assert_uint_eq(absent_pages, MEXT_ABSENT_PAGES);
    ck_assert_int_eq(run(&peers[0], 1460), MS_ACT_NONE);
    ck_assert_uint_eq(absent_pages, 2 * MEXT_ABSENT_PAGES);
    put_absent(&peers[0], 0, 1);
    ck_assert_int_eq(run(&peers[0], 1460), -MEXT_E_MALFORMED);
    ck_assert_uint_eq(absent_pages, 2 * MEXT_ABSENT_PAGES);
}
END_TEST

/* What only mstrap says, or nobody. */
static const uint8_t foreign_types[] = { MEXT_DATA_BARRIER_ACK, MEXT_DATA_DONE,
                                         MEXT_DATA_ERROR };

START_TEST(messages_of_the_other_direction_are_refused)
{
    struct mext_data m = { .type = foreign_types[_i] };

    start(1);
    put_open(&peers[0], 0, 1);
    put_message(&peers[0], &m);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), -MEXT_E_MALFORMED);
}
END_TEST

/* Each octet behind the opening, one at a time. */
START_TEST(any_changed_octet_is_noticed)
{
    struct peer *p = &peers[0];

    for (size_t at = MEXT_OPEN_LEN;; at += at % 977 == 0 ? 1 : 61) {
        int result;

        start(1);
        put_open(p, 0, 1);
        put_pages(p, 3, "d-z", 1);
        put_end(p, 1, 1);
        if (at >= p->length)
            break;
        p->stream[at] ^= 0x10;
        result = run(p, 1460);
        /* A length that grew makes it wait for more. */
        ck_assert(result == -MEXT_E_MALFORMED || result == MS_ACT_NONE);
    }
}
END_TEST

START_TEST(a_stranger_cannot_take_a_channel)
{
    struct peer *source = &peers[0], *stranger = &peers[1];

    start(1);
    put_open(stranger, 0, 1);
    memset(stranger->stream + stranger->length, 0, 100);
    stranger->stream[stranger->length + 3] = 90;
    stranger->length += 100;
    ck_assert_int_eq(run(stranger, STREAM_MAX), -MEXT_E_MALFORMED);
    ck_assert(!ms_session_needs(&session, &stranger->channel));
    ck_assert_int_eq(session.state, MEXT_RCV_INVITED);

    put_open(source, 0, 1);
    put_pages(source, 1, "d", 1);
    ck_assert_int_eq(run(source, STREAM_MAX), MS_ACT_NONE);
    ck_assert(ms_session_needs(&session, &source->channel));

    /* Replayed on another connection, early or late, it changes nothing. */
    ms_channel_init(&stranger->channel);
    memcpy(stranger->stream, source->stream, source->length);
    stranger->length = source->length;
    stranger->taken = 0;
    memset(guest, 0xa5, sizeof(guest));
    ck_assert_int_eq(run(stranger, STREAM_MAX), -MEXT_E_REPLAY);
    ck_assert(!ms_session_needs(&session, &stranger->channel));
    ck_assert_uint_eq(guest[1][0], 0xa5);
}
END_TEST

START_TEST(keys_are_wiped_when_they_have_served)
{
    struct ms_channel *last = &peers[1].channel;

    start(2);
    for (uint16_t i = 0; i < 2; i++) {
        put_open(&peers[i], i, 2);
        put_pages(&peers[i], 10u * i, "d", 1);
        ck_assert(
            !sodium_is_zero((uint8_t *)&session.root, sizeof(session.root)));
        ck_assert_int_eq(run(&peers[i], 1460), MS_ACT_NONE);
    }
    ck_assert(sodium_is_zero((uint8_t *)&session.root, sizeof(session.root)));
    check_page(10, 1);
    ck_assert(!sodium_is_zero(last->in.key, sizeof(last->in.key)));
    ck_assert(!sodium_is_zero(last->out.key, sizeof(last->out.key)));
    ms_channel_forget(last);
    ck_assert(sodium_is_zero(last->in.key, sizeof(last->in.key)));
    ck_assert(sodium_is_zero(last->out.key, sizeof(last->out.key)));
    ck_assert_uint_eq(ms_session_counts(&session).data, 2);
}
END_TEST

START_TEST(bad_openings_are_refused)
{
    start(2);
    put_open(&peers[0], 0, 1);
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
    put_open(&peers[0], 0, 2);
    peers[0].stream[0] ^= 1;
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
    put_open(&peers[0], 0, 2);
    peers[0].stream[25] = 2;
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
    session.channels = 0; /* as before the invitation */
    put_open(&peers[0], 0, 2);
    ck_assert_int_eq(run(&peers[0], 1), -MEXT_E_MALFORMED);
}
END_TEST

START_TEST(answers_open_at_the_source)
{
    struct mext_data m = { .type = MEXT_DATA_DONE, .u.done = { 1, 2, 3, 4 } },
                     got;
    uint8_t frame[MS_FRAME_MAX];
    size_t length;
    int body;

    start(1);
    put_open(&peers[0], 0, 1);
    ck_assert_int_eq(run(&peers[0], STREAM_MAX), MS_ACT_NONE);
    length = ms_channel_seal(&peers[0].channel, &m, frame);
    body = mext_frame_len(frame, MEXT_DATA_BODY_MAX);
    ck_assert_int_eq((int)length, MEXT_FRAME_HDR_LEN + body);
    ck_assert_int_eq(mext_frame_open(&peers[0].answers,
                                     frame + MEXT_FRAME_HDR_LEN, (size_t)body),
                     0);
    ck_assert_int_eq(mext_data_decode(frame + MEXT_FRAME_HDR_LEN,
                                      (size_t)body - MEXT_TAG_LEN, &got),
                     0);
    ck_assert_uint_eq(got.u.done.populated, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mstrap session");
    TCase *good = tcase_create("good"), *bad = tcase_create("refused");
    SRunner *runner = srunner_create(suite);
    int failed;

    if (sodium_init() < 0)
        return EXIT_FAILURE;
    suite_add_tcase(suite, good);
    suite_add_tcase(suite, bad);
    tcase_add_loop_test(good, pages_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_loop_test(good, packed_pages_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_loop_test(good, batches_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_loop_test(good, changes_arrive_whatever_the_pieces, 0,
                        (int)MS_COUNT(pieces));
    tcase_add_test(bad, change_of_another_page_is_refused);
    tcase_add_test(good, batches_of_channels_do_not_mix);
    tcase_add_test(bad, batch_that_is_not_its_pages_is_refused);
    tcase_add_test(bad, block_that_is_no_page_is_refused);
    tcase_add_test(good, barrier_waits_for_all_channels);
    tcase_add_test(good, as_many_channels_as_there_may_be);
    tcase_add_test(good, absent_runs_are_passed_on);
    tcase_add_test(good, so_many_are_absent_between_two_barriers);
    tcase_add_test(good, answers_open_at_the_source);
    tcase_add_test(bad, nothing_may_follow_a_barrier_before_its_ack);
    tcase_add_test(bad, barriers_are_counted);
    tcase_add_test(bad, end_and_barrier_do_not_mix);
    tcase_add_test(bad, nothing_may_follow_the_end);
    tcase_add_test(bad, wrong_counts_are_refused);
    tcase_add_test(bad, forbidden_gfns_are_refused);
    tcase_add_loop_test(bad, messages_of_the_other_direction_are_refused, 0,
                        (int)MS_COUNT(foreign_types));
    tcase_add_test(bad, any_changed_octet_is_noticed);
    tcase_add_test(bad, a_stranger_cannot_take_a_channel);
    tcase_add_test(bad, bad_openings_are_refused);
    tcase_add_test(good, keys_are_wiped_when_they_have_served);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
