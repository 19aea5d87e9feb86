/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages an iteration sends, by what the dirty log says while it goes.  Lanes,
 * channels and the hypervisor are stubs; order, threads and bitmaps are the product's.
 */
#include <string.h>

#include "mext_absent.h"
#include "mext_gfns.h"
#include "unit.h"

#define BLOCKS 8
#define NGFNS  (BLOCKS * MEXT_BLOCK_GFNS)

static uint64_t written[NGFNS / 64]; /* by the guest since the last fetch */
static unsigned sent[NGFNS];         /* in this iteration */
static unsigned barrier;
static uint64_t size; /* pages that the guest has */
static struct mext_memory mem;
static struct mext_iteration it;
static struct mext_why why;

/* ---- mext_lane.h, mext_data.h ---- */

int mext_lane_open(struct mext_lane *l, struct mext_pages *pages,
                   const struct mext_packing *packing, struct mext_why *w)
{
    return 0;
}

void mext_lane_close(struct mext_lane *l)
{
}

int mext_lane_work(void *own, void *job, struct mext_why *w)
{
    struct mext_lane *l = own;
    const struct mext_batch *b = job;

    for (unsigned i = 0; i < b->n; i++)
        sent[b->gfn[i]]++;
    l->channel.data += b->n;
    __atomic_add_fetch(&l->looked, b->n, __ATOMIC_RELAXED);
    return 0;
}

int mext_lane_zero(struct mext_lane *l, const uint64_t *list, unsigned n,
                   unsigned timeout_ms, struct mext_why *w)
{
    return 0;
}

int mext_pages_present(struct mext_pages *p, uint64_t *list, unsigned n,
                       struct mext_why *w)
{
    return (int)n;
}

int mext_channel_open(struct mext_channel *c, uint32_t ip, uint16_t port,
                      const struct mext_open *open,
                      const struct mext_root *root, unsigned timeout_ms,
                      struct mext_why *w)
{
    return 0;
}

int mext_channel_send(struct mext_channel *c, const struct mext_data *m,
                      unsigned timeout_ms, struct mext_why *w)
{
    barrier = m->u.barrier.iteration;
    return 0;
}

int mext_channel_recv(struct mext_channel *c, struct mext_data *m_r,
                      unsigned timeout_ms, struct mext_why *w)
{
    m_r->type = MEXT_DATA_BARRIER_ACK;
    m_r->u.barrier.iteration = barrier;
    return 0;
}

/* ---- mext_xen.h ---- */

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *w)
{
    *s_r = (struct mext_dom_state){ .exists = true, .pages = size };
    return 0;
}

int mext_dom_max_gfn(struct mext_dom *d, uint64_t *gfn_r, struct mext_why *w)
{
    *gfn_r = NGFNS - 1;
    return 0;
}

int mext_dom_specials(struct mext_dom *d, uint64_t gfn_r[MEXT_SPECIALS],
                      struct mext_why *w)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        gfn_r[i] = NGFNS + i;
    return 0;
}

int mext_dom_dirty_start(struct mext_dom *d, uint64_t n, struct mext_why *w)
{
    return 0;
}

int mext_dom_dirty_fetch(struct mext_dom *d, bool final,
                         const uint64_t **bits_r, struct mext_why *w)
{
    static uint64_t fetched[NGFNS / 64];

    memcpy(fetched, written, sizeof(fetched));
    memset(written, 0, sizeof(written));
    *bits_r = fetched;
    return 0;
}

int mext_dom_dirty_peek(struct mext_dom *d, const uint64_t **bits_r,
                        struct mext_why *w)
{
    *bits_r = written;
    return 0;
}

/* ---- the tests ---- */

static void progress(void *arg, uint64_t n, uint64_t of)
{
}

static void setup(void)
{
    const struct mext_packing packing = { .by = MEXT_PACK_NONE };
    const uint8_t id[MEXT_ID_LEN] = { 0 };

    size = NGFNS - 1;
    memset(written, 0, sizeof(written));
    memset(&mem, 0, sizeof(mem));
    ck_assert_int_eq(mext_memory_connect(&mem, 0, 0, id, 1, NULL, 0, &why), 0);
    ck_assert_int_eq(mext_memory_measure(&mem, NULL, NGFNS, &why), 0);
    ck_assert_int_eq(mext_memory_start(&mem, &packing, progress, NULL, &why),
                     0);
}

static void teardown(void)
{
    mext_memory_close(&mem);
}

/* The guest writes the first n pages of a block. */
static void write_to(unsigned block, unsigned n)
{
    while (n--)
        mext_gfn_put(written, block * MEXT_BLOCK_GFNS + n, true);
}

/* How many pages of a block went in the last iteration, none twice. */
static unsigned sent_of(unsigned block)
{
    unsigned n = 0;

    for (unsigned i = 0; i < MEXT_BLOCK_GFNS; i++) {
        ck_assert_uint_le(sent[block * MEXT_BLOCK_GFNS + i], 1);
        n += sent[block * MEXT_BLOCK_GFNS + i];
    }
    return n;
}

static void iterate(unsigned number)
{
    memset(sent, 0, sizeof(sent));
    ck_assert_int_eq(mext_memory_iterate(&mem, number, 0, &it, &why), 0);
}

START_TEST(hot_pages_wait)
{
    write_to(1, 20);
    write_to(3, 20);
    iterate(1);
    ck_assert_uint_eq(it.pages, NGFNS - 40);
    ck_assert_uint_eq(it.dirty, 40);
    ck_assert_uint_eq(sent_of(1), MEXT_BLOCK_GFNS - 20);
    ck_assert_uint_eq(sent[MEXT_BLOCK_GFNS + 19], 0);
    iterate(2);
    ck_assert_uint_eq(it.pages, 40);
    ck_assert_uint_eq(sent_of(1), 20);
    ck_assert_uint_eq(it.dirty, 0);
}
END_TEST

/* What the guest writes while it prepares itself goes before it is suspended. */
START_TEST(catches_up)
{
    uint64_t n;

    write_to(1, 5);
    iterate(1);
    write_to(2, 10);
    ck_assert_int_eq(mext_memory_written(&mem, &n, &why), 0);
    ck_assert_uint_eq(n, 10);
    ck_assert_int_eq(mext_memory_catch_up(&mem, &why), 0);
    ck_assert_int_eq(mext_memory_written(&mem, &n, &why), 0);
    ck_assert_uint_eq(n, 0);
    iterate(2);
    ck_assert_uint_eq(sent_of(1), 5);
    ck_assert_uint_eq(sent_of(2), 10);
    ck_assert_uint_eq(it.pages, 15);
    ck_assert_uint_eq(it.dirty, 0);
}
END_TEST

/* All of it goes then, also what was free, and each page once. */
START_TEST(catches_up_with_one_that_grew)
{
    static uint64_t free_pages[NGFNS / 64];
    uint64_t n;

    write_to(1, 5);
    iterate(1);
    memset(free_pages, 0xff, sizeof(free_pages));
    ck_assert_int_eq(mext_memory_free(&mem, free_pages, true, &why), 0);
    ck_assert_uint_eq(mem.nfree, 5);
    size++;
    write_to(2, 5);
    ck_assert_int_eq(mext_memory_written(&mem, &n, &why), 0);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(mext_memory_catch_up(&mem, &why), 0);
    iterate(2);
    for (unsigned b = 0; b < BLOCKS; b++)
        ck_assert_uint_eq(sent_of(b), MEXT_BLOCK_GFNS);
}
END_TEST

/* The operator wishes to switch over. */
START_TEST(in_a_hurry_nothing_is_lost)
{
    mem.hurry = true;
    iterate(1);
    ck_assert_uint_eq(it.pages, 0);
    ck_assert_uint_eq(it.dirty, NGFNS);
    memset(sent, 0, sizeof(sent));
    ck_assert_int_eq(mext_memory_last(&mem, 0, &why), 0);
    for (unsigned b = 0; b < BLOCKS; b++)
        ck_assert_uint_eq(sent_of(b), MEXT_BLOCK_GFNS);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { hot_pages_wait, catches_up,
                                   catches_up_with_one_that_grew,
                                   in_a_hurry_nothing_is_lost, NULL };

    return unit_main(unit_suite_in("memory", tests, setup, teardown));
}
