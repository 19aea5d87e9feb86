/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for the devices of a guest that came, over a xenstore of this file, in
 * which the next thing happens each time somebody waits.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "devices.h"
#include "mext_net.h"
#include "unit.h"

#define DEVICES 3

/* States of vif 0, vif 7 and vbd 51712 by turns of waiting; ' ': not there. */
static const char *const *script;
static unsigned turn, watched;
static bool no_watch, cancelled;

static char state_of(unsigned device)
{
    return script[turn][device];
}

/* Of the devices as above which one that is; DEVICES: none. */
static unsigned device_of(const char *path)
{
    static const char *const paths[DEVICES] = { "backend/vif/5/0/state",
                                                "backend/vif/5/7/state",
                                                "backend/vbd/5/51712/state" };
    unsigned i = 0;

    while (i < DEVICES && strcmp(path, paths[i]))
        i++;
    return i;
}

unsigned mext_store_numbers(struct mext_store *s, uint32_t domid,
                            const char *path, uint32_t *out, unsigned max)
{
    static const uint32_t number[DEVICES] = { 0, 7, 51712 };
    bool vif = !strcmp(path, "backend/vif/5");
    unsigned n = 0;

    ck_assert_uint_eq(domid, 0);
    ck_assert(vif || !strcmp(path, "backend/vbd/5"));
    for (unsigned i = 0; i < DEVICES; i++)
        if ((i < 2) == vif && state_of(i) != ' ')
            out[n++] = number[i];
    ck_assert_uint_le(n, max);
    return n;
}

int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max)
{
    unsigned i = device_of(path);

    ck_assert_uint_lt(i, DEVICES);
    if (state_of(i) == ' ')
        return -1;
    snprintf(out, max, "%c", state_of(i));
    return 1;
}

int mext_store_watch(struct mext_store *s, const char *path,
                     struct mext_why *why)
{
    ck_assert_str_eq(strncmp(path, "/local/domain/0/", 16) ? path : "", "");
    ck_assert_uint_lt(device_of(path + 16), DEVICES);
    watched++;
    return no_watch ? mext_fail(why, "too many watches") : 0;
}

int mext_store_wait(struct mext_store *s, int also, unsigned timeout_ms,
                    struct mext_why *why)
{
    struct timespec ms = { .tv_nsec = 1000000 };

    ck_assert_uint_eq(watched, DEVICES);
    if (cancelled)
        return mext_fail(why, "cancelled");
    if (script[turn + 1])
        turn++;
    else
        nanosleep(&ms, NULL);
    return 1;
}

static void setup(void)
{
    turn = watched = 0;
    no_watch = cancelled = false;
}

/* How many waits it took. */
static unsigned waits(const char *const *states, unsigned timeout_ms)
{
    script = states;
    devices_wait(NULL, 5, timeout_ms);
    return turn;
}

START_TEST(until_all_are_connected)
{
    static const char *const states[] = { "212", "242", "444", "444", NULL };

    ck_assert_uint_eq(waits(states, 60000), 2);
}
END_TEST

/* What a migration leaves is closed, and a guest may do without a device. */
START_TEST(closed_ones_do_not_count)
{
    static const char *const states[] = { "626", "4 5", "444", NULL };

    ck_assert_uint_eq(waits(states, 60000), 1);
}
END_TEST

START_TEST(none_at_all)
{
    static const char *const states[] = { "   ", "444", NULL };

    ck_assert_uint_eq(waits(states, 60000), 0);
}
END_TEST

START_TEST(not_for_ever)
{
    static const char *const states[] = { "224", NULL };
    uint64_t before = mext_now_ms();

    ck_assert_uint_eq(waits(states, 30), 0);
    ck_assert_uint_ge(mext_now_ms() - before, 30);
}
END_TEST

START_TEST(no_watch_no_wait)
{
    static const char *const states[] = { "222", "444", NULL };

    no_watch = true;
    ck_assert_uint_eq(waits(states, 60000), 0);
    setup();
    cancelled = true;
    ck_assert_uint_eq(waits(states, 60000), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { until_all_are_connected,
                                   closed_ones_do_not_count,
                                   none_at_all,
                                   not_for_ever,
                                   no_watch_no_wait,
                                   NULL };

    return unit_main(unit_suite_in("devices", tests, setup, NULL));
}
