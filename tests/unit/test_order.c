/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order of an iteration: cold blocks, then the least written ones; what is
 * hot stays; each page once; all of it where nothing is left out.
 */
#include <string.h>

#include "mext_order.h"
#include "unit.h"

#define BLOCKS 4
#define SHORT  64 /* gfns of a last block that is not whole */
#define NGFNS  (BLOCKS * MEXT_BLOCK_GFNS + SHORT)
#define MAX    256

static uint64_t todo[NGFNS / 64], hot[NGFNS / 64];
static struct mext_order order;
static unsigned taken[NGFNS]; /* at which turn a gfn came, from 1 on */

static void set(uint64_t *map, uint64_t gfn)
{
    map[gfn / 64] |= 1ull << gfn % 64;
}

static void setup(void)
{
    memset(todo, 0xff, sizeof(todo));
    memset(hot, 0, sizeof(hot));
    memset(taken, 0, sizeof(taken));
    ck_assert_int_eq(mext_order_init(&order, todo, NGFNS), 0);
    mext_order_begin(&order);
}

static void teardown(void)
{
    mext_order_free(&order);
}

/* Up to n more lists; how many gfns came. */
static unsigned run(const uint64_t *written, unsigned n)
{
    static unsigned turn;
    uint64_t list[MAX];
    unsigned got, all = 0;

    while (n-- && (got = mext_order_next(&order, written, list, MAX))) {
        ck_assert_uint_le(got, MAX);
        for (unsigned i = 0; i < got; i++) {
            ck_assert_uint_lt(list[i], NGFNS);
            ck_assert(!i || list[i] > list[i - 1]);
            ck_assert_msg(!taken[list[i]], "gfn %u again", (unsigned)list[i]);
            taken[list[i]] = ++turn;
        }
        all += got;
    }
    return all;
}

/* Every gfn of the block came before any of the other. */
static bool precedes(unsigned block, unsigned other)
{
    unsigned last = 0;

    for (unsigned i = 0; i < MEXT_BLOCK_GFNS; i++)
        if (taken[block * MEXT_BLOCK_GFNS + i] > last)
            last = taken[block * MEXT_BLOCK_GFNS + i];
    for (unsigned i = 0; i < MEXT_BLOCK_GFNS; i++)
        if (taken[other * MEXT_BLOCK_GFNS + i] &&
            taken[other * MEXT_BLOCK_GFNS + i] < last)
            return false;
    return last;
}

START_TEST(all_in_order)
{
    memset(hot, 0xff, sizeof(hot));
    ck_assert_uint_eq(run(NULL, 1000), NGFNS);
    for (unsigned i = 1; i < NGFNS; i++)
        ck_assert_uint_eq(taken[i], taken[i - 1] + 1);
    ck_assert_uint_eq(todo[0], 0);
}
END_TEST

START_TEST(cold_ones_first)
{
    set(hot, 0); /* of block 0 two pages, of block 1 three, of block 3 one */
    set(hot, 1);
    set(hot, 512);
    set(hot, 600);
    set(hot, 700);
    set(hot, 3 * 512 + 7);
    ck_assert_uint_eq(run(hot, 1000), NGFNS - 6);
    ck_assert(precedes(2, 3));
    ck_assert(precedes(3, 0));
    ck_assert(precedes(0, 1));
    ck_assert_uint_lt(taken[NGFNS - 1], taken[3 * 512]); /* the short one */
    ck_assert_uint_eq(taken[600], 0);
    ck_assert_uint_eq(todo[512 / 64], 1);
}
END_TEST

/* What is written while the block is being sent: the rest of it waits. */
START_TEST(grows_hot)
{
    ck_assert_uint_eq(run(hot, 1), MAX);
    set(hot, 3);   /* gone already: the next iteration's */
    set(hot, 300); /* before its turn */
    ck_assert_uint_eq(run(hot, 1000), NGFNS - MAX - 1);
    ck_assert_uint_ne(taken[3], 0);
    ck_assert_uint_eq(taken[300], 0);
    ck_assert_uint_gt(taken[301], taken[NGFNS - 1]);
}
END_TEST

START_TEST(only_what_is_to_do)
{
    memset(todo, 0, sizeof(todo));
    set(todo, 5);
    set(todo, 1000);
    set(todo, NGFNS - 1);
    set(hot, 6);
    ck_assert_uint_eq(run(hot, 1000), 3);
    ck_assert(taken[1000] < taken[5] && taken[NGFNS - 1] < taken[5]);
    ck_assert_uint_eq(run(hot, 1000), 0);
}
END_TEST

/* Whatever becomes hot meanwhile, no two lists have gfns of one word. */
START_TEST(a_word_in_one_list)
{
    static unsigned list_of[NGFNS / 64]; /* 0: none */
    uint64_t list[MAX];
    unsigned got, turn = 0, x = 1;

    while ((got = mext_order_next(&order, hot, list, 64 + turn % 3 * 64))) {
        turn++;
        for (unsigned i = 0; i < got; i++) {
            unsigned *l = &list_of[list[i] / 64];

            ck_assert(!*l || *l == turn);
            *l = turn;
        }
        for (unsigned i = 0; i < 8; i++)
            set(hot, (x = x * 1103515245 + 12345) >> 8 & 2047);
    }
    ck_assert_uint_gt(turn, BLOCKS);
    for (unsigned i = 0; i < NGFNS / 64; i++)
        ck_assert_uint_eq(todo[i] & ~hot[i], 0);
}
END_TEST

START_TEST(nothing)
{
    memset(todo, 0, sizeof(todo));
    ck_assert_uint_eq(run(hot, 1000), 0);
    memset(todo, 0xff, sizeof(todo));
    memset(hot, 0xff, sizeof(hot));
    mext_order_begin(&order);
    ck_assert_uint_eq(run(hot, 1000), 0);
    ck_assert_uint_eq(todo[0], ~0ull);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        all_in_order,       cold_ones_first, grows_hot, only_what_is_to_do,
        a_word_in_one_list, nothing,         NULL
    };

    return unit_main(unit_suite_in("order", tests, setup, teardown));
}
