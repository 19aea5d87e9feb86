/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The turns of pieces that come over several connections: whatever the order in
 * which connections are read, what goes on is the stream, once and whole; and what
 * cannot be is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "mext_pieces.h"
#include "unit.h"

#define PIECES 200

/* The connections, each with what its source has put on it, in its order. */
struct model {
    unsigned n;
    unsigned queued[MEXT_CHANNELS_MAX], taken[MEXT_CHANNELS_MAX];
    unsigned queue[MEXT_CHANNELS_MAX][PIECES + 1]; /* PIECES: the end */
};

static uint32_t len_of(unsigned number)
{
    return 1 + number * 7 % 100;
}

static unsigned pick(unsigned n)
{
    return (unsigned)rand() % n;
}

/* As a source with a thread for each connection may send them. */
static void fill(struct model *m, unsigned n)
{
    memset(m, 0, sizeof(*m));
    m->n = n;
    for (unsigned number = 0; number < PIECES; number++) {
        unsigned i = pick(n);

        m->queue[i][m->queued[i]++] = number;
    }
    m->queue[0][m->queued[0]++] = PIECES;
}

static uint64_t all_bytes(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < PIECES; i++)
        bytes += len_of(i);
    return bytes;
}

/* Reads the next of connection i, if nothing is kept of it; false: it cannot. */
static bool read_one(struct mext_pieces *p, struct model *m, unsigned i,
                     unsigned *kept)
{
    if (mext_pieces_kept(p, i) || m->taken[i] == m->queued[i])
        return false;
    kept[i] = m->queue[i][m->taken[i]++];
    ck_assert_int_eq(kept[i] == PIECES
                         ? mext_pieces_end(p, i, all_bytes())
                         : mext_pieces_put(p, i, kept[i], len_of(kept[i])),
                     0);
    return true;
}

/* Reads as connections happen to be readable, until all has gone on. */
static void run(unsigned n)
{
    struct mext_pieces p = { .n = n };
    unsigned kept[MEXT_CHANNELS_MAX] = { 0 }, next = 0;
    static struct model m;
    int i;

    fill(&m, n);
    while (next <= PIECES) {
        bool readable = false;

        for (unsigned k = 0; k < n; k++)
            readable |= !mext_pieces_kept(&p, k) && m.taken[k] < m.queued[k];
        ck_assert_msg(readable, "nothing can be read, and %u is missing", next);
        while (!read_one(&p, &m, pick(n), kept))
            ;
        while ((i = mext_pieces_turn(&p)) >= 0)
            ck_assert_uint_eq(kept[i], next++);
        ck_assert(!mext_pieces_stuck(&p));
    }
    ck_assert(p.ended);
}

START_TEST(any_order)
{
    srand(1);
    for (unsigned round = 0; round < 300; round++)
        run(1 + round % MEXT_CHANNELS_MAX);
}
END_TEST

static void put(struct mext_pieces *p, unsigned i, uint64_t number, int rc)
{
    ck_assert_int_eq(mext_pieces_put(p, i, number, 10), rc);
}

START_TEST(twice)
{
    struct mext_pieces p = { .n = 3 };

    put(&p, 0, 0, 0);
    put(&p, 1, 0, MEXT_ERR_FORMAT); /* kept from another */
    ck_assert(!mext_pieces_kept(&p, 1));
    ck_assert_int_eq(mext_pieces_turn(&p), 0);
    put(&p, 1, 0, MEXT_ERR_FORMAT); /* gone on before */
    put(&p, 2, 7, 0);
    put(&p, 1, 7, MEXT_ERR_FORMAT);
    put(&p, 1, 1, 0);
    ck_assert_int_eq(mext_pieces_turn(&p), 1);
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    put(&p, 1, 1, MEXT_ERR_FORMAT);
    ck_assert_uint_eq(p.next, 2);
    ck_assert_uint_eq(p.bytes, 20);
}
END_TEST

/* However far ahead: as long as another connection is free it may be filled. */
START_TEST(never_comes)
{
    struct mext_pieces p = { .n = 3 };

    put(&p, 0, 1, 0);
    put(&p, 1, UINT64_MAX, 0);
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    ck_assert(!mext_pieces_stuck(&p));
    put(&p, 2, 2, 0);
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    ck_assert(mext_pieces_stuck(&p));
}
END_TEST

START_TEST(end_held_back)
{
    struct mext_pieces p = { .n = 2 };

    ck_assert_int_eq(mext_pieces_end(&p, 0, 20), 0);
    ck_assert(mext_pieces_kept(&p, 0));
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    put(&p, 1, 0, 0);
    ck_assert(!mext_pieces_stuck(&p) || mext_pieces_turn(&p) == 1);
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    put(&p, 1, 1, 0);
    ck_assert_int_eq(mext_pieces_turn(&p), 1);
    ck_assert(!p.ended);
    ck_assert_int_eq(mext_pieces_turn(&p), 0);
    ck_assert(p.ended);
}
END_TEST

/* An end that nothing reaches, and all wait. */
START_TEST(end_never_comes)
{
    struct mext_pieces p = { .n = 2 };

    ck_assert_int_eq(mext_pieces_end(&p, 0, 1), 0);
    put(&p, 1, 5, 0);
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    ck_assert(mext_pieces_stuck(&p));
}
END_TEST

/* What is left of a stream that ends early has no turn any more. */
START_TEST(nothing_after_the_end)
{
    struct mext_pieces p = { .n = 3 };

    put(&p, 2, 0, 0);
    put(&p, 1, 1, 0);
    ck_assert_int_eq(mext_pieces_end(&p, 0, 0), 0);
    ck_assert_int_eq(mext_pieces_turn(&p), 0);
    ck_assert(p.ended);
    ck_assert_int_eq(mext_pieces_turn(&p), -1);
    ck_assert(!mext_pieces_stuck(&p));
    put(&p, 0, 2, MEXT_ERR_FORMAT);
    ck_assert_int_eq(mext_pieces_end(&p, 0, 0), MEXT_ERR_FORMAT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        any_order,     twice,           never_comes,
        end_held_back, end_never_comes, nothing_after_the_end,
        NULL
    };

    return unit_main(unit_suite("pieces", tests));
}
