/* SPDX-License-Identifier: GPL-2.0-only */
/* Token ids: once only, over restarts, whatever the clock does. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packetd.h"
#include "unit.h"

#define DAY  MEXT_REPLAY_KEEP
#define YEAR (366 * DAY)

static char dir[] = "/tmp/replay.XXXXXX";
static struct mext_why why;

static void make_dir(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* Number of ids, or of floors, kept; removes all and the folders if asked. */
static int count(bool floors, bool clear)
{
    char ids[64], path[512];
    struct dirent *e;
    int n = 0;
    DIR *d;

    snprintf(ids, sizeof(ids), "%s/ids", dir);
    d = opendir(ids);
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.') {
            n += floors == (strstr(e->d_name, "-floor") != NULL);
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

static int kept(void)
{
    return count(false, false);
}

static void clear_dir(void)
{
    count(false, true);
}

/* As packetd judges a token whose id is all octets i. */
static unsigned new (uint8_t i, uint64_t expiry, uint64_t now)
{
    uint8_t id[MEXT_ID_LEN];

    memset(id, i, sizeof(id));
    return packetd_replay_new(dir, id, expiry, now, &why);
}

START_TEST(once)
{
    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    ck_assert_uint_eq(new (2, 1300, 1000), 0);
    ck_assert_uint_eq(new (1, 1300, 1001), MEXT_E_REPLAY);
    /* the same id with another expiry is the same id */
    ck_assert_uint_eq(new (1, 1400, 1001), MEXT_E_REPLAY);
    ck_assert_int_eq(kept(), 2);
}
END_TEST

START_TEST(forgotten_late)
{
    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    /* long expired but within a day: kept, should the clock step back */
    ck_assert_uint_eq(new (2, DAY + 2000, 1300 + DAY), 0);
    ck_assert_int_eq(kept(), 2);
    ck_assert_int_eq(count(true, false), 0);
    ck_assert_uint_eq(new (2, DAY + 2000, 1302 + DAY), MEXT_E_REPLAY);
    ck_assert_int_eq(kept(), 1);
    ck_assert_int_eq(count(true, false), 1);
}
END_TEST

/* Back by less than a day: who was there is known, others come through. */
START_TEST(small_step_back)
{
    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    ck_assert_uint_eq(new (2, DAY + 1300, 1300 + DAY), 0);
    ck_assert_uint_eq(new (1, 1300, 1100), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (3, 1300, 1100), 0);
}
END_TEST

/* Back by more: nothing that was forgotten is valid again. */
START_TEST(large_step_back)
{
    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    ck_assert_uint_eq(new (2, 1400, 1000), 0);
    ck_assert_uint_eq(new (3, 3 * DAY, 3 * DAY - 300), 0);
    ck_assert_int_eq(kept(), 1);
    ck_assert_uint_eq(new (1, 1300, 1000), MEXT_E_REPLAY);
    ck_assert_ptr_nonnull(strstr(why.text, "clock"));
    ck_assert_ptr_nonnull(strstr(why.text, "/ids/0000000000000578-floor"));
    ck_assert_uint_eq(new (2, 1400, 1000), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (4, 1400, 1000), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (4, 1401, 1000), 0);
    ck_assert_uint_eq(new (3, 3 * DAY, 1000), MEXT_E_REPLAY);
}
END_TEST

/* A clock that is years ahead for a while costs nothing but that while. */
START_TEST(far_ahead_and_back)
{
    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    ck_assert_uint_eq(new (2, YEAR, YEAR - 300), 0);
    ck_assert_uint_eq(new (1, 1300, 1010), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (3, 1310, 1010), 0);
    ck_assert_uint_eq(new (2, YEAR, YEAR - 300), MEXT_E_REPLAY);
    /* not even twice */
    ck_assert_uint_eq(new (4, 2 * YEAR, 2 * YEAR - 300), 0);
    ck_assert_uint_eq(new (3, 1310, 1010), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (2, YEAR, YEAR - 300), MEXT_E_REPLAY);
    ck_assert_int_eq(count(true, false), 1);
}
END_TEST

/* The floor rises only, and the older ones go. */
START_TEST(floor_rises)
{
    ck_assert_uint_eq(new (1, 5000, 4900), 0);
    ck_assert_uint_eq(new (2, 1300, 1000), 0);
    ck_assert_uint_eq(new (3, YEAR, YEAR - 300), 0);
    ck_assert_uint_eq(new (4, 5000, 1000), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (4, 5001, 1000), 0);
    ck_assert_uint_eq(new (5, 2 * YEAR, 2 * YEAR - 300), 0);
    ck_assert_uint_eq(new (6, YEAR, YEAR - 300), MEXT_E_REPLAY);
    ck_assert_int_eq(count(true, false), 1);
}
END_TEST

/* A crash after the floor was written and before ids went. */
START_TEST(floor_before_ids)
{
    char path[64];
    FILE *f;

    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    snprintf(path, sizeof(path), "%s/ids/0000000000000514-floor", dir);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    ck_assert_uint_eq(new (2, 1300, 1000), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (1, 1300, 1000), MEXT_E_REPLAY);
    ck_assert_uint_eq(new (2, DAY + 2000, DAY + 1900), 0);
    ck_assert_int_eq(kept(), 1);
    ck_assert_int_eq(count(true, false), 1);
}
END_TEST

/* What is no id of ours is neither read nor removed. */
START_TEST(other_files)
{
    static const char *const names[] = { "x", "514-floor",
                                         "000000000000051g-floor",
                                         "00000000000005144-floor" };
    char path[128];

    ck_assert_uint_eq(new (1, 1300, 1000), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        FILE *f;

        snprintf(path, sizeof(path), "%s/ids/%s", dir, names[i]);
        f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        fclose(f);
    }
    ck_assert_uint_eq(new (2, 1300, 1000), 0);
    ck_assert_uint_eq(new (3, YEAR, YEAR - 300), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/ids/%s", dir, names[i]);
        ck_assert_int_eq(access(path, F_OK), 0);
    }
}
END_TEST

/* The committed token: good once. */
START_TEST(committed_token)
{
    struct mext_identity self;
    uint8_t bytes[1024];
    struct mext_token t;
    size_t n = unit_vector("token-good", bytes, sizeof(bytes));

    fix_identity(&self, FIX_DEST);
    ck_assert_int_eq(
        mext_token_verify(bytes, n, self.pk, FIX_NOW, fix_trusts, NULL, &t), 0);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_uint_eq(
            packetd_replay_new(dir, t.id, t.expiry, FIX_NOW, &why),
            i ? MEXT_E_REPLAY : 0);
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
    const TTest *const tests[] = { once,
                                   forgotten_late,
                                   small_step_back,
                                   large_step_back,
                                   far_ahead_and_back,
                                   floor_rises,
                                   floor_before_ids,
                                   other_files,
                                   committed_token,
                                   cannot_be_kept,
                                   NULL };

    return unit_main(unit_suite_in("replay", tests, make_dir, clear_dir));
}
