/* SPDX-License-Identifier: GPL-2.0-only */
/* Token ids: once only, over restarts, until long after they expired. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packetd.h"
#include "unit.h"

#define DAY 86400

static char dir[] = "/tmp/replay.XXXXXX";
static struct mext_why why;

static void make_dir(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* Number of ids kept; removes them and the folders if asked. */
static int kept(bool clear)
{
    char ids[64], path[512];
    struct dirent *e;
    int n = 0;
    DIR *d;

    snprintf(ids, sizeof(ids), "%s/ids", dir);
    d = opendir(ids);
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.') {
            n++;
            snprintf(path, sizeof(path), "%s/%s", ids, e->d_name);
            if (clear)
                unlink(path);
        }
    if (d)
        closedir(d);
    if (clear) {
        rmdir(ids);
        rmdir(dir);
    }
    return n;
}

static void clear_dir(void)
{
    kept(true);
}

START_TEST(once)
{
    uint8_t a[MEXT_ID_LEN] = { 1 }, b[MEXT_ID_LEN] = { 2 };

    ck_assert_uint_eq(packetd_replay_new(dir, a, 1300, 1000, &why), 0);
    ck_assert_uint_eq(packetd_replay_new(dir, b, 1300, 1000, &why), 0);
    ck_assert_uint_eq(packetd_replay_new(dir, a, 1300, 1001, &why),
                      MEXT_E_REPLAY);
    /* the same id with another expiry is the same id */
    ck_assert_uint_eq(packetd_replay_new(dir, a, 1400, 1001, &why),
                      MEXT_E_REPLAY);
    ck_assert_int_eq(kept(false), 2);
}
END_TEST

START_TEST(forgotten_late)
{
    uint8_t a[MEXT_ID_LEN] = { 1 }, b[MEXT_ID_LEN] = { 2 };

    ck_assert_uint_eq(packetd_replay_new(dir, a, 1300, 1000, &why), 0);
    /* long expired but within a day: kept, should the clock step back */
    ck_assert_uint_eq(packetd_replay_new(dir, b, 9000, 1300 + DAY, &why), 0);
    ck_assert_int_eq(kept(false), 2);
    ck_assert_uint_eq(packetd_replay_new(dir, b, 9000, 1302 + DAY, &why),
                      MEXT_E_REPLAY);
    ck_assert_int_eq(kept(false), 1);
}
END_TEST

START_TEST(cannot_be_kept)
{
    uint8_t a[MEXT_ID_LEN] = { 1 };

    ck_assert_uint_eq(packetd_replay_new("/dev/null", a, 1300, 1000, &why),
                      MEXT_E_INTERNAL);
    ck_assert_ptr_nonnull(strstr(why.text, "/dev/null"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { once, forgotten_late, cannot_be_kept, NULL };

    return unit_main(unit_suite_in("replay", tests, make_dir, clear_dir));
}
