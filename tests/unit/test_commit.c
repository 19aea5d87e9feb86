/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_machine_event: every state and event, and every effect that can fail. */
#include <stdbool.h>
#include <string.h>

#include "mext_commit.h"
#include "unit.h"

#define LOG_MAX (2 * MEXT_EFFECTS_MAX)

static const struct machine {
    const struct mext_transition *table;
    const size_t *rows;
    unsigned states;
    const char *(*name)(unsigned);
} machines[] = {
    { mext_src_table, &mext_src_rows, MEXT_SRC_STATES, mext_src_name },
    { mext_dst_table, &mext_dst_rows, MEXT_DST_STATES, mext_dst_name },
};

/* What was done; the fail-th of it, from 1, fails. */
struct record {
    uint8_t effects[LOG_MAX];
    unsigned n, fail;
};

static int effect(void *arg, enum mext_effect e)
{
    struct record *r = arg;

    ck_assert_uint_lt(r->n, LOG_MAX);
    r->effects[r->n++] = e;
    return r->n == r->fail ? -1 : 0;
}

static const struct mext_transition *row(const struct machine *m,
                                         unsigned state, unsigned ev)
{
    for (size_t i = 0; i < *m->rows; i++)
        if (m->table[i].state == state && m->table[i].event == ev)
            return &m->table[i];
    return NULL;
}

static unsigned length(const struct mext_transition *t)
{
    unsigned n = 0;

    while (n < MEXT_EFFECTS_MAX && t->effects[n])
        n++;
    return n;
}

/* "Effects that fail" in docs/specs/commit.md. */
static bool goes_on(unsigned e)
{
    static const uint8_t those[] = {
        MEXT_DO_SEND_COMMIT,  MEXT_DO_ASK,       MEXT_DO_SEND_RUNNING,
        MEXT_DO_NOTE_RUNNING, MEXT_DO_NOTE_LOST, MEXT_DO_NOTE_ABORTED,
        MEXT_DO_SEND_ABORT,   MEXT_DO_NOTE_DONE, MEXT_DO_NOTE_KEPT,
    };

    return memchr(those, e, sizeof(those)) != NULL;
}

/* Runs the event with the fail-th effect failing. */
static int run(const struct machine *m, unsigned *state, unsigned ev,
               unsigned fail, struct record *r_r)
{
    struct mext_machine machine = { m->table, *m->rows, *state, effect, r_r };
    int rc;

    memset(r_r, 0, sizeof(*r_r));
    r_r->fail = fail;
    rc = mext_machine_event(&machine, (enum mext_event)ev);
    *state = machine.state;
    return rc;
}

/* The first n effects of a, then those of b (may be NULL), and no more. */
static void check_done(const struct record *r, const struct mext_transition *a,
                       unsigned n, const struct mext_transition *b)
{
    unsigned more = b ? length(b) : 0;

    ck_assert_uint_eq(r->n, n + more);
    for (unsigned i = 0; i < n; i++)
        ck_assert_uint_eq(r->effects[i], a->effects[i]);
    for (unsigned i = 0; i < more; i++)
        ck_assert_uint_eq(r->effects[n + i], b->effects[i]);
}

static void check_failures(const struct machine *m,
                           const struct mext_transition *t)
{
    for (unsigned i = 1; i <= length(t); i++) {
        const struct mext_transition *f = NULL;
        unsigned state = t->state;
        struct record r;
        int rc = run(m, &state, t->event, i, &r);

        if (goes_on(t->effects[i - 1])) {
            ck_assert_int_eq(rc, 0);
            ck_assert_uint_eq(state, t->next);
            check_done(&r, t, length(t), NULL);
            continue;
        }
        if (t->event != MEXT_EV_FAILED)
            f = row(m, t->state, MEXT_EV_FAILED);
        ck_assert_int_eq(rc, -1);
        ck_assert_uint_eq(state, f ? f->next : t->state);
        check_done(&r, t, i, f);
    }
}

static void check_pair(const struct machine *m, unsigned from, unsigned ev)
{
    const struct mext_transition *t = row(m, from, ev), *instead = NULL;
    unsigned state = from;
    struct record r;
    int rc = run(m, &state, ev, 0, &r);

    if (t) {
        ck_assert_int_eq(rc, 0);
        ck_assert_uint_eq(state, t->next);
        check_done(&r, t, length(t), NULL);
        check_failures(m, t);
        return;
    }
    instead = row(m, from, MEXT_EV_FAILED);
    if (!instead)
        instead = row(m, from, MEXT_EV_SILENT);
    ck_assert_msg(rc == -1, "%s, %s", m->name(from), mext_event_name(ev));
    ck_assert_uint_eq(state, instead ? instead->next : from);
    check_done(&r, NULL, 0, instead);
}

START_TEST(every_pair)
{
    const struct machine *m = &machines[_i];

    for (unsigned state = 0; state < m->states; state++)
        for (unsigned ev = MEXT_EV_NONE + 1; ev < MEXT_EVENTS; ev++)
            check_pair(m, state, ev);
}
END_TEST

START_TEST(one_row_a_pair)
{
    const struct machine *m = &machines[_i];

    for (size_t i = 0; i < *m->rows; i++) {
        const struct mext_transition *t = &m->table[i];

        ck_assert_ptr_eq(row(m, t->state, t->event), t);
        ck_assert_uint_lt(t->state, m->states);
        ck_assert_uint_lt(t->next, m->states);
        ck_assert_uint_gt(length(t), 0);
    }
}
END_TEST

/* FAILED that cannot be carried out leaves the state to the next program. */
START_TEST(failed_fails)
{
    const struct machine *m = &machines[1];
    unsigned state = MEXT_DST_PREPARED;
    struct record r;

    ck_assert_int_eq(run(m, &state, MEXT_EV_FAILED, 1, &r), -1);
    ck_assert_uint_eq(state, MEXT_DST_PREPARED);
    ck_assert_uint_eq(r.n, 1);
    state = MEXT_DST_PREPARED;
    ck_assert_int_eq(run(m, &state, MEXT_EV_CONFIG, 1, &r), -1);
    ck_assert_uint_eq(state, MEXT_DST_PREPARED);
}
END_TEST

START_TEST(names)
{
    for (unsigned i = 0; i < MEXT_SRC_STATES; i++)
        ck_assert_str_ne(mext_src_name(i), "?");
    for (unsigned i = 0; i < MEXT_DST_STATES; i++)
        ck_assert_str_ne(mext_dst_name(i), "?");
    for (unsigned i = MEXT_EV_NONE + 1; i < MEXT_EVENTS; i++)
        ck_assert_str_ne(mext_event_name(i), "?");
    for (unsigned i = MEXT_DO_NOTHING + 1; i < MEXT_EFFECTS; i++)
        ck_assert_str_ne(mext_effect_name(i), "?");
    ck_assert_str_eq(mext_src_name(MEXT_SRC_STATES), "?");
    ck_assert_str_eq(mext_dst_name(MEXT_DST_STATES), "?");
    ck_assert_str_eq(mext_event_name(MEXT_EVENTS), "?");
    ck_assert_str_eq(mext_effect_name(MEXT_EFFECTS), "?");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("commit");
    TCase *t = tcase_create("machine");

    tcase_add_loop_test(t, every_pair, 0, 2);
    tcase_add_loop_test(t, one_row_a_pair, 0, 2);
    tcase_add_test(t, failed_fails);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    return unit_main(s);
}
