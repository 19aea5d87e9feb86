/* SPDX-License-Identifier: GPL-2.0-only */
#include "session_case.h"

#include "mext_cache.h"
#include "mext_pack.h"

uint8_t guest[GUEST_PAGES][MEXT_PAGE_SIZE];
uint64_t absent_pages;
struct ms_session session;
static struct ms_invitation invitation;
static struct mext_root source_root;

struct peer peers[MEXT_CHANNELS_MAX];

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

void start(unsigned channels)
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

void put_open(struct peer *p, uint16_t index, uint16_t count)
{
    struct mext_open open = { .index = index, .count = count };

    ms_channel_init(&p->channel);
    p->length = p->taken = 0;
    mext_seal_init(&p->seal, &source_root, MEXT_DIR_TO_DEST, index);
    mext_seal_init(&p->answers, &source_root, MEXT_DIR_TO_SOURCE, index);
    ck_assert_int_eq(mext_open_encode(&open, p->stream), 0);
    p->length = MEXT_OPEN_LEN;
}

void put_message(struct peer *p, const struct mext_data *m)
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

void put_pages(struct peer *p, uint64_t base, const char *what,
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

void put_barrier(struct peer *p, uint32_t iteration)
{
    struct mext_data m = { .type = MEXT_DATA_BARRIER,
                           .u.barrier.iteration = iteration };

    put_message(p, &m);
}

void put_end(struct peer *p, uint64_t data, uint64_t zero)
{
    struct mext_data m = { .type = MEXT_DATA_END,
                           .u.end = { .data = data, .zero = zero } };

    put_message(p, &m);
}

int run(struct peer *p, size_t piece)
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

void check_page(uint64_t gfn, unsigned version)
{
    uint8_t page[MEXT_PAGE_SIZE];

    fill(page, gfn, version);
    ck_assert_mem_eq(guest[gfn], page, MEXT_PAGE_SIZE);
}

void check_packable(uint64_t gfn, unsigned version)
{
    uint8_t page[MEXT_PAGE_SIZE];

    fill_packable(page, gfn, version);
    ck_assert_mem_eq(guest[gfn], page, MEXT_PAGE_SIZE);
}

void check_changed(uint64_t gfn, unsigned version)
{
    uint8_t page[MEXT_PAGE_SIZE];

    fill_packable(page, gfn, version);
    change(page);
    ck_assert_mem_eq(guest[gfn], page, MEXT_PAGE_SIZE);
}

int session_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    if (sodium_init() < 0)
        return EXIT_FAILURE;
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
