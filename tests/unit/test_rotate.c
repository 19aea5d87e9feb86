/* SPDX-License-Identifier: GPL-2.0-only */
/* One host key replaced by another: in order, out of order, cut off. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keydir.h"

static struct mext_identities ids;

static void load(void)
{
    ck_assert_msg(!mext_identities_load(dir, &ids, &why), "%s", why.text);
}

/* Files of the folder, in alphabetical order, with a blank behind each. */
static void files(const char *want)
{
    struct dirent **list;
    char got[512] = "";
    int n = scandir(dir, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (strcmp(list[i]->d_name, ".") && strcmp(list[i]->d_name, ".."))
            strcat(strcat(got, list[i]->d_name), " ");
        free(list[i]);
    }
    free(list);
    ck_assert_str_eq(got, want);
}

/* Key i of `ids` is the one with that public key, and not another's secret. */
static void is_key(unsigned i, const uint8_t pk[MEXT_KEY_LEN])
{
    ck_assert_uint_lt(i, ids.n);
    ck_assert(!memcmp(ids.id[i].pk, pk, MEXT_KEY_LEN));
    ck_assert(!memcmp(ids.id[i].sk + 32, pk, MEXT_KEY_LEN));
    ck_assert_ptr_eq(mext_identities_find(&ids, pk), &ids.id[i]);
}

/* host.key and next.key, whose public halves are these. */
static void two_keys(uint8_t host[MEXT_KEY_LEN], uint8_t next[MEXT_KEY_LEN])
{
    ck_assert_int_eq(mext_identity_create(dir, false, &why), 0);
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    load();
    ck_assert_uint_eq(ids.n, 2);
    ck_assert_uint_eq(ids.ntold, 2);
    memcpy(host, ids.id[0].pk, MEXT_KEY_LEN);
    memcpy(next, ids.id[1].pk, MEXT_KEY_LEN);
    ck_assert(memcmp(host, next, MEXT_KEY_LEN));
}

START_TEST(in_order)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];
    struct mext_identity source;
    struct stat st;

    two_keys(host, next);
    ck_assert_ptr_null(mext_identities_find(&ids, (const uint8_t[32]){ 1 }));
    ck_assert_int_eq(mext_identity_load(dir, &source, &why), 0);
    ck_assert(!memcmp(source.pk, host, sizeof(host)));
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    files("host.key old.key ");
    load();
    ck_assert_uint_eq(ids.n, 2);
    ck_assert_uint_eq(ids.ntold, 1);
    is_key(0, next);
    is_key(1, host);
    ck_assert_int_eq(mext_identity_load(dir, &source, &why), 0);
    ck_assert(!memcmp(source.pk, next, sizeof(next)));
    ck_assert_int_eq(stat(path("old.key"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(st.st_nlink, 1);
    /* all three at once */
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    load();
    ck_assert_uint_eq(ids.n, 3);
    ck_assert_uint_eq(ids.ntold, 2);
    is_key(0, next);
    is_key(2, host);
    ck_assert_int_eq(mext_identity_finish(dir, &why), 0);
    files("host.key next.key ");
    load();
    ck_assert_uint_eq(ids.n, 2);
    is_key(0, next);
}
END_TEST

START_TEST(out_of_order)
{
    ck_assert_int_eq(mext_identity_create(dir, true, &why), -1);
    says("packetd genkey first");
    ck_assert_int_eq(mext_identity_rotate(dir, &why), -1);
    says("packetd genkey --next");
    ck_assert_int_eq(mext_identity_finish(dir, &why), -1);
    says("no rotation");
    ck_assert_int_eq(mext_identities_load(dir, &ids, &why), -1);
    says("packetd genkey");
    ck_assert_int_eq(mext_identity_create(path("none"), true, &why), -1);
    files("");
    ck_assert_int_eq(mext_identity_create(dir, false, &why), 0);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), -1);
    says("packetd genkey --next");
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    ck_assert_int_eq(mext_identity_create(dir, true, &why), -1);
    says("packetd pubkey --next");
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), -1);
    says("packetd rotate --finish");
    files("host.key next.key old.key ");
}
END_TEST

/* Each of them is as secret as host.key. */
START_TEST(unsafe)
{
    static const char *const names[] = { "host.key", "next.key", "old.key" };
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];

    two_keys(host, next);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_int_eq(chmod(path(names[i]), 0640), 0);
        ck_assert_int_eq(mext_identities_load(dir, &ids, &why), -1);
        says("chmod 600");
        says(names[i]);
        ck_assert_int_eq(chmod(path(names[i]), 0600), 0);
    }
    ck_assert_int_eq(mext_identity_finish(dir, &why), 0);
    ck_assert_int_eq(chmod(path("next.key"), 0604), 0);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), -1);
    says("chmod 600");
    put_file("next.key", "hello\n", 0600);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), -1);
    says("base64");
    files("host.key next.key ");
}
END_TEST

/* After the first of its two steps: host.key and old.key are one. */
START_TEST(cut_off_linked)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];

    two_keys(host, next);
    ck_assert_int_eq(link(path("host.key"), path("old.key")), 0);
    load();
    ck_assert_uint_eq(ids.n, 2);
    ck_assert_uint_eq(ids.ntold, 2);
    is_key(0, host);
    ck_assert_int_eq(mext_identity_finish(dir, &why), -1);
    says("packetd rotate");
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    load();
    ck_assert_uint_eq(ids.n, 2);
    is_key(0, next);
    is_key(1, host);
}
END_TEST

/* The same, put back from a backup that knows no links. */
START_TEST(cut_off_copied)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];
    char text[4096];

    two_keys(host, next);
    slurp("host.key", text);
    put_file("old.key", text, 0600);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    load();
    is_key(0, next);
    is_key(1, host);
    ck_assert_int_eq(mext_identity_finish(dir, &why), 0);
    files("host.key ");
}
END_TEST

/* By hand, or by a file system that forgot: no host.key. */
START_TEST(host_missing)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];
    struct mext_identity id;

    two_keys(host, next);
    ck_assert_int_eq(rename(path("host.key"), path("old.key")), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("packetd rotate");
    ck_assert_int_eq(mext_identities_load(dir, &ids, &why), -1);
    says("packetd rotate");
    ck_assert_int_eq(mext_identity_create(dir, false, &why), -1);
    says("packetd rotate");
    ck_assert_int_eq(mext_identity_finish(dir, &why), -1);
    says("packetd rotate");
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    load();
    ck_assert_uint_eq(ids.n, 2);
    is_key(0, next);
    is_key(1, host);
}
END_TEST

START_TEST(host_and_old_missing)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];

    two_keys(host, next);
    ck_assert_int_eq(unlink(path("host.key")), 0);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    load();
    ck_assert_uint_eq(ids.n, 1);
    is_key(0, next);
}
END_TEST

/* old.key is never all there is; and it can go though next.key has gone. */
START_TEST(next_missing)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];

    two_keys(host, next);
    ck_assert_int_eq(unlink(path("next.key")), 0);
    ck_assert_int_eq(link(path("host.key"), path("old.key")), 0);
    ck_assert_int_eq(mext_identity_finish(dir, &why), 0);
    load();
    is_key(0, host);
    ck_assert_int_eq(rename(path("host.key"), path("old.key")), 0);
    ck_assert_int_eq(mext_identity_finish(dir, &why), -1);
    files("old.key ");
}
END_TEST

/* ---- cut off before each single system call ---- */

static int make_host(void)
{
    return mext_identity_create(dir, false, &why);
}

static int make_next(void)
{
    return mext_identity_create(dir, true, &why);
}

static int rotate(void)
{
    return mext_identity_rotate(dir, &why);
}

static int finish(void)
{
    return mext_identity_finish(dir, &why);
}

/*
 * Kills `step` at each stop in turn.  Whatever was done, the host has its
 * keys; then the step is done again, if it was not, and all is as it should.
 */
static void each_cut(int (*const before[])(void), int (*step)(void),
                     const char *want, unsigned keys)
{
    bool cut = true;
    unsigned n = 0;

    for (; cut; n++) {
        uint8_t host[MEXT_KEY_LEN];

        for (unsigned i = 0; before[i]; i++)
            ck_assert_msg(!before[i](), "%s", why.text);
        if (before[0]) {
            load();
            memcpy(host, ids.id[0].pk, sizeof(host));
        }
        cut = cut_off(step, n);
        if (before[0]) {
            load();
            ck_assert_msg(step == finish || mext_identities_find(&ids, host),
                          "stop %u", n);
        }
        /* one that had done its work has nothing left to do */
        step();
        load();
        files(want);
        ck_assert_uint_eq(ids.n, keys);
        keydir_teardown();
        keydir_setup();
    }
    ck_assert_uint_gt(n, 10);
}

START_TEST(killed_genkey)
{
    each_cut((int (*const[])(void)){ NULL }, make_host, "host.key ", 1);
}
END_TEST

START_TEST(killed_genkey_next)
{
    each_cut((int (*const[])(void)){ make_host, NULL }, make_next,
             "host.key next.key ", 2);
}
END_TEST

START_TEST(killed_rotate)
{
    each_cut((int (*const[])(void)){ make_host, make_next, NULL }, rotate,
             "host.key old.key ", 2);
}
END_TEST

START_TEST(killed_finish)
{
    each_cut((int (*const[])(void)){ make_host, make_next, rotate, NULL },
             finish, "host.key ", 1);
}
END_TEST

/* What a write left that was cut off may be a key: it goes with the old one. */
START_TEST(leftover)
{
    uint8_t host[MEXT_KEY_LEN], next[MEXT_KEY_LEN];

    two_keys(host, next);
    ck_assert_int_eq(mext_identity_rotate(dir, &why), 0);
    ck_assert_int_eq(link(path("old.key"), path(".new")), 0);
    ck_assert_int_eq(mext_identity_finish(dir, &why), 0);
    files("host.key ");
    put_file(".new", "hello\n", 0644);
    ck_assert_int_eq(mext_identity_create(dir, true, &why), 0);
    files("host.key next.key ");
    load();
    ck_assert_uint_eq(ids.n, 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        in_order,
        out_of_order,
        unsafe,
        cut_off_linked,
        cut_off_copied,
        host_missing,
        host_and_old_missing,
        next_missing,
        killed_genkey,
        killed_genkey_next,
        killed_rotate,
        killed_finish,
        leftover,
        NULL,
    };

    return unit_main(
        unit_suite_in("rotate", tests, keydir_setup, keydir_teardown));
}
