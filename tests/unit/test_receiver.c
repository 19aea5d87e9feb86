/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mstrap's states: every event in each of them, what packetd may see after
 * what, and how it reads that in xenstore, of which one node is made up here.
 */
#include <stdio.h>
#include <string.h>

#include "ms_host.h"
#include "unit.h"

/* ---- the table ---- */

/* By the sketch in docs/specs/commit.md: the next state, STATES for none. */
static unsigned next_of(unsigned state, unsigned ev)
{
    static const uint8_t on[] = {
        [MEXT_RCV_EV_LISTENING] = MEXT_RCV_STARTING,
        [MEXT_RCV_EV_INVITED] = MEXT_RCV_WAITING,
        [MEXT_RCV_EV_OPENED] = MEXT_RCV_INVITED,
        [MEXT_RCV_EV_ALL_ENDED] = MEXT_RCV_RECEIVING,
        [MEXT_RCV_EV_TIDIED] = MEXT_RCV_COMPLETE,
    };

    if (ev == MEXT_RCV_EV_FAILED)
        return state < MEXT_RCV_TIDY ? MEXT_RCV_FAILED : MEXT_RCV_STATES;
    if (ev == MEXT_RCV_EV_OPENED && state == MEXT_RCV_RECEIVING)
        return state;
    return ev && on[ev] == state ? state + 1 : MEXT_RCV_STATES;
}

START_TEST(every_event_in_each_state)
{
    for (unsigned ev = 0; ev < MEXT_RCV_EVENTS; ev++) {
        unsigned next = next_of((unsigned)_i, ev);
        enum mext_rcv state = (enum mext_rcv)_i;
        int rc = mext_rcv_event(&state, (enum mext_rcv_event)ev);

        ck_assert_int_eq(rc, next == MEXT_RCV_STATES ? -1 : 0);
        ck_assert_uint_eq(state, rc ? (unsigned)_i : next);
    }
}
END_TEST

/* What packetd, in the state of a column, may see next: w r c t f. */
static const char *const sees[] = {
    [MEXT_RCV_STARTING] = "-w...f", [MEXT_RCV_WAITING] = ".w...f",
    [MEXT_RCV_INVITED] = ".wrctf",  [MEXT_RCV_RECEIVING] = "..rctf",
    [MEXT_RCV_COMPLETE] = "...ctf", [MEXT_RCV_TIDY] = "....t.",
    [MEXT_RCV_FAILED] = ".....f",
};

static const enum mext_rcv states[] = { MEXT_RCV_STARTING,  MEXT_RCV_WAITING,
                                        MEXT_RCV_RECEIVING, MEXT_RCV_COMPLETE,
                                        MEXT_RCV_TIDY,      MEXT_RCV_FAILED };

START_TEST(what_may_be_seen_next)
{
    for (unsigned i = 0; i < COUNT(states); i++) {
        enum mext_rcv seen = (enum mext_rcv)_i, said = states[i];
        bool legal = sees[_i][i] != '.';

        ck_assert_msg(mext_rcv_follow(&seen, said) == legal, "%s after %s",
                      mext_rcv_name(said), mext_rcv_name((unsigned)_i));
        if (legal && said == MEXT_RCV_WAITING && _i == MEXT_RCV_INVITED)
            said = MEXT_RCV_INVITED; /* it may not know yet */
        ck_assert_uint_eq(seen, legal ? said : (unsigned)_i);
    }
}
END_TEST

START_TEST(names)
{
    for (unsigned i = 0; i < MEXT_RCV_STATES; i++)
        ck_assert_str_ne(mext_rcv_name(i), "?");
    for (unsigned i = MEXT_RCV_EV_NONE + 1; i < MEXT_RCV_EVENTS; i++)
        ck_assert_str_ne(mext_rcv_event_name(i), "?");
    ck_assert_str_eq(mext_rcv_name(MEXT_RCV_STATES), "?");
    ck_assert_str_eq(mext_rcv_event_name(MEXT_RCV_EVENTS), "?");
    ck_assert_str_eq(mext_rcv_word(MEXT_RCV_STARTING), "");
    ck_assert_str_eq(mext_rcv_word(MEXT_RCV_INVITED), "waiting");
}
END_TEST

/* ---- as packetd reads it ---- */

#define COUNTS "data=1 zero=20 absent=0 populated=18446744073709551615 ms=3"

static const char *node; /* data/mstrap/state; NULL: not there */
static char written[200], happened[80];

bool mext_store_has(struct mext_store *s, uint32_t domid, const char *path)
{
    ck_assert_uint_eq(domid, 7);
    ck_assert_str_eq(path, "data/mstrap/state");
    return node != NULL;
}

int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max)
{
    if (!node || strlen(node) >= max)
        return -1;
    strcpy(out, node);
    return (int)strlen(node);
}

int mext_store_write(struct mext_store *s, uint32_t domid, const char *path,
                     const char *value, struct mext_why *why)
{
    snprintf(written, sizeof(written), "%s=%s", path, value);
    return 0;
}

void mext_store_remove(struct mext_store *s, uint32_t domid, const char *path)
{
}

bool mext_store_empty(struct mext_store *s, uint32_t domid, const char *path)
{
    return false;
}

uint32_t mext_lxl_each(struct mext_lxl *l, mext_domain_fn *fn, void *arg)
{
    return 0;
}

char *mext_lxl_kernel(struct mext_lxl *l, uint32_t domid)
{
    return NULL;
}

int mext_dom_pause(struct mext_dom *d, struct mext_why *why)
{
    strcat(happened, "pause ");
    return 0;
}

int mext_dom_release(struct mext_dom *d, uint64_t gfn, uint32_t n,
                     struct mext_why *why)
{
    strcat(happened, "release ");
    return 0;
}

int mext_dom_tsc_set(struct mext_dom *d, const struct mext_tsc *t,
                     struct mext_why *why)
{
    return 0;
}

int mext_dom_context_set(struct mext_dom *d, const uint8_t *p, uint32_t len,
                         unsigned vcpus, struct mext_why *why)
{
    strcat(happened, "context ");
    return 0;
}

/* What is written in turn ("invite": packetd invites), and the last answer. */
static const struct {
    const char *values[8];
    enum mext_rcv state;
    const char *detail;
} runs[] = {
    { { NULL }, MEXT_RCV_STARTING, "" },
    { { "waiting" }, MEXT_RCV_WAITING, "" },
    { { "waiting", "invite", "waiting" }, MEXT_RCV_INVITED, "" },
    { { "waiting", "invite", "receiving", "complete", "tidy " COUNTS },
      MEXT_RCV_TIDY,
      COUNTS },
    /* only the last of several is seen */
    { { "waiting", "invite", "complete" }, MEXT_RCV_COMPLETE, "" },
    { { "waiting", "invite", "tidy " COUNTS }, MEXT_RCV_TIDY, COUNTS },
    { { "waiting", "invite", "receiving", "receiving", "tidy " COUNTS,
        "tidy " COUNTS },
      MEXT_RCV_TIDY,
      COUNTS },
    /* it may fail at any time */
    { { "failed no vif" }, MEXT_RCV_FAILED, "no vif" },
    { { "waiting", "failed no\nvif\x7f" }, MEXT_RCV_FAILED, "no?vif?" },
    { { "waiting", "invite", "complete", "failed" }, MEXT_RCV_FAILED, "" },
    /* skips */
    { { "receiving" },
      MEXT_RCV_FAILED,
      "data/mstrap/state says receiving after starting" },
    { { "waiting", "receiving" },
      MEXT_RCV_FAILED,
      "data/mstrap/state says receiving after waiting" },
    { { "waiting", "tidy " COUNTS },
      MEXT_RCV_FAILED,
      "data/mstrap/state says tidy after waiting" },
    /* goes backwards */
    { { "waiting", "invite", "receiving", "waiting" },
      MEXT_RCV_FAILED,
      "data/mstrap/state says waiting after receiving" },
    { { "waiting", "invite", "complete", "receiving" },
      MEXT_RCV_FAILED,
      "data/mstrap/state says receiving after complete" },
    { { "waiting", "gone" }, MEXT_RCV_FAILED, "data/mstrap/state is gone" },
    /* goes on after the end */
    { { "waiting", "invite", "tidy " COUNTS, "failed late" },
      MEXT_RCV_FAILED,
      "data/mstrap/state says failed after tidy" },
    { { "waiting", "invite", "tidy " COUNTS, "gone" },
      MEXT_RCV_FAILED,
      "data/mstrap/state is gone" },
    { { "failed", "waiting" },
      MEXT_RCV_FAILED,
      "data/mstrap/state says waiting after failed" },
    { { "receiving", "waiting" }, /* what was a lie stays one */
      MEXT_RCV_FAILED,
      "data/mstrap/state says waiting after failed" },
};

static struct ms_domain domain;

static void invite(void)
{
    uint8_t none[32] = { 0 };
    struct mext_why why;

    ck_assert_int_eq(ms_invite(&domain, none, none, 2, &why), 0);
    ck_assert(!strncmp(written, "mstrap/session=v1 0000", 22));
}

START_TEST(what_packetd_makes_of_it)
{
    enum mext_rcv state = MEXT_RCV_STATES;
    char detail[200];

    domain.domid = 7;
    for (unsigned i = 0; !i || runs[_i].values[i]; i++) {
        node = runs[_i].values[i];
        if (node && !strcmp(node, "invite")) {
            invite();
            continue;
        }
        if (node && !strcmp(node, "gone"))
            node = NULL;
        state = ms_state_read(&domain, detail, sizeof(detail));
    }
    ck_assert_msg(state == runs[_i].state, "%s", mext_rcv_name(state));
    ck_assert_str_eq(detail, runs[_i].detail);
}
END_TEST

static const char *const malformed[] = {
    "",
    " ",
    "waitin",
    "waiting ",
    "waiting for you",
    "Waiting",
    "invited",
    "starting",
    "?",
    " waiting",
    "tidy",
    "tidy ",
    "tidy data=1 zero=2 absent=3 populated=4",
    "tidy data=1 zero=2 absent=3 populated=4 ms=",
    "tidy data=1 zero=2 absent=3 populated=4 ms=5 ",
    "tidy data=1  zero=2 absent=3 populated=4 ms=5",
    "tidy data=-1 zero=2 absent=3 populated=4 ms=5",
    "tidy data=01 zero=2 absent=3 populated=4 ms=5",
    "tidy data=18446744073709551616 zero=2 absent=3 populated=4 ms=5",
    "tidy zero=2 data=1 absent=3 populated=4 ms=5",
    "receiving\n",
};

START_TEST(what_is_malformed)
{
    char detail[200];

    domain.domid = 7;
    domain.seen = MEXT_RCV_INVITED;
    node = malformed[_i];
    ck_assert_int_eq(ms_state_read(&domain, detail, sizeof(detail)),
                     MEXT_RCV_FAILED);
    ck_assert_str_eq(detail, "data/mstrap/state is malformed");
}
END_TEST

/* Too long, as one with a NUL, is there and cannot be read. */
START_TEST(too_long_is_malformed)
{
    static char value[400];
    char detail[200];

    memset(value, 'x', sizeof(value) - 1);
    memcpy(value, "failed ", 7);
    domain.domid = 7;
    node = value;
    ck_assert_int_eq(ms_state_read(&domain, detail, sizeof(detail)),
                     MEXT_RCV_FAILED);
    ck_assert_str_eq(detail, "data/mstrap/state is malformed");
}
END_TEST

START_TEST(invited_when_waiting_only)
{
    uint8_t none[32] = { 0 };
    struct mext_why why;

    domain.domid = 7;
    domain.seen = (enum mext_rcv)_i;
    written[0] = '\0';
    ck_assert_int_eq(ms_invite(&domain, none, none, 2, &why),
                     _i == MEXT_RCV_WAITING ? 0 : -1);
    ck_assert_int_eq(written[0] != '\0', _i == MEXT_RCV_WAITING);
}
END_TEST

/* Whatever was seen before: at the hand-over it says so still. */
START_TEST(handed_over_when_tidy_only)
{
    static const char *const last[] = {
        NULL,       "waiting",       "receiving",
        "complete", "failed it did", "tidy " COUNTS
    };
    const struct mext_tsc tsc = { 0 };
    bool tidy = last[_i] && !strncmp(last[_i], "tidy", 4);
    struct mext_why why;

    domain.domid = 7;
    domain.vif = -1;
    domain.seen = MEXT_RCV_TIDY;
    node = last[_i];
    ck_assert_int_eq(ms_handover(&domain, &tsc, NULL, 0, 4096, &why),
                     tidy ? 0 : -1);
    ck_assert_str_eq(happened, tidy ? "pause release context " : "pause ");
    ck_assert_str_eq(written, tidy ? "memory/target=4096" : "");
    if (!tidy)
        ck_assert(strstr(why.text, "mstrap is not tidy: data/mstrap/state"));
}
END_TEST

START_TEST(not_handed_over_before)
{
    const struct mext_tsc tsc = { 0 };
    struct mext_why why;

    domain.domid = 7;
    domain.seen = MEXT_RCV_RECEIVING;
    node = "complete";
    ck_assert_int_eq(ms_handover(&domain, &tsc, NULL, 0, 4096, &why), -1);
    ck_assert_str_eq(why.text, "mstrap is not tidy: complete");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("receiver");
    TCase *table = tcase_create("table"), *host = tcase_create("packetd");

    tcase_add_loop_test(table, every_event_in_each_state, 0, MEXT_RCV_STATES);
    tcase_add_loop_test(table, what_may_be_seen_next, 0, MEXT_RCV_STATES);
    tcase_add_test(table, names);
    tcase_add_loop_test(host, what_packetd_makes_of_it, 0, COUNT(runs));
    tcase_add_loop_test(host, what_is_malformed, 0, COUNT(malformed));
    tcase_add_test(host, too_long_is_malformed);
    tcase_add_loop_test(host, invited_when_waiting_only, 0, MEXT_RCV_STATES);
    tcase_add_loop_test(host, handed_over_when_tidy_only, 0, 6);
    tcase_add_test(host, not_handed_over_before);
    suite_add_tcase(s, table);
    suite_add_tcase(s, host);
    return unit_main(s);
}
