/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that gets less CPU time, and what it had again: over a domain and a
 * xenstore of this file.
 */
#include <stdio.h>
#include <string.h>

#include "mext_throttle.h"
#include "mext_net.h"
#include "unit.h"

static unsigned cap;  /* the domain's */
static bool cannot;   /* the scheduler knows no cap */
static char node[16]; /* "": not there */
static bool stays;    /* xenstore takes nothing */
static struct mext_why why;

int mext_lxl_cap(struct mext_lxl *l, uint32_t domid, unsigned *cap_r,
                 struct mext_why *w)
{
    *cap_r = cap;
    return cannot ? mext_fail(w, "no cap here") : 0;
}

int mext_lxl_set_cap(struct mext_lxl *l, uint32_t domid, unsigned c,
                     struct mext_why *w)
{
    cap = c;
    return 0;
}

int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max)
{
    if (!node[0])
        return -1;
    snprintf(out, max, "%s", node);
    return (int)strlen(out);
}

int mext_store_write(struct mext_store *s, uint32_t domid, const char *path,
                     const char *value, struct mext_why *w)
{
    if (stays)
        return mext_fail(w, "xenstore is full");
    snprintf(node, sizeof(node), "%s", value);
    return 0;
}

void mext_store_remove(struct mext_store *s, uint32_t domid, const char *path)
{
    node[0] = 0;
}

static void setup(void)
{
    cap = 0;
    cannot = stays = false;
    node[0] = 0;
}

/* One step, to so many per cent and this cap. */
static void slower(struct mext_throttle *t, unsigned percent, unsigned want)
{
    unsigned got;

    ck_assert_int_eq(mext_throttle_more(t, &got, &why), 1);
    ck_assert_uint_eq(got, percent);
    ck_assert_uint_eq(cap, want);
}

START_TEST(steps)
{
    struct mext_throttle t = { .domid = 3, .vcpus = 2 };
    unsigned percent;

    slower(&t, 50, 100);
    slower(&t, 25, 50);
    slower(&t, 10, 20);
    ck_assert_int_eq(mext_throttle_more(&t, &percent, &why), 0);
    ck_assert_uint_eq(cap, 20);
    mext_throttle_end(NULL, NULL, 3);
    ck_assert_uint_eq(cap, 0);
    ck_assert_str_eq(node, "");
}
END_TEST

START_TEST(had_a_cap)
{
    struct mext_throttle t = { .domid = 3, .vcpus = 4 };

    cap = 40;
    slower(&t, 50, 20);
    ck_assert_str_eq(node, "40");
    mext_throttle_end(NULL, NULL, 3);
    ck_assert_uint_eq(cap, 40);
}
END_TEST

/* A program that died noted what was, not what it had made of it. */
START_TEST(after_a_crash)
{
    struct mext_throttle first = { .vcpus = 1 }, second = { .vcpus = 1 };

    slower(&first, 50, 50);
    slower(&second, 50, 50);
    ck_assert_str_eq(node, "0");
    mext_throttle_end(NULL, NULL, 3);
    ck_assert_uint_eq(cap, 0);
}
END_TEST

START_TEST(cannot_be)
{
    struct mext_throttle t = { .vcpus = 1 };
    unsigned percent;

    cap = 7;
    cannot = true;
    ck_assert_int_eq(mext_throttle_more(&t, &percent, &why), -1);
    cannot = false;
    stays = true;
    ck_assert_int_eq(mext_throttle_more(&t, &percent, &why), -1);
    ck_assert_uint_eq(cap, 7);
    mext_throttle_end(NULL, NULL, 3);
    ck_assert_uint_eq(cap, 7);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { steps, had_a_cap, after_a_crash, cannot_be,
                                   NULL };

    return unit_main(unit_suite_in("throttle", tests, setup, NULL));
}
