/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_keys: keys as text, host.key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keydir.h"

/* ---- base64 ---- */

START_TEST(key_text_round_trip)
{
    uint8_t key[MEXT_KEY_LEN], back[MEXT_KEY_LEN];
    char text[MEXT_KEY_TEXT_LEN], padded[64];

    for (unsigned i = 0; i < 256; i++) {
        memset(key, (int)i, sizeof(key));
        mext_key_text(key, text);
        ck_assert_uint_eq(strlen(text), MEXT_KEY_TEXT_LEN - 1);
        snprintf(padded, sizeof(padded), " \t\r\n%s\r\n ", text);
        ck_assert_int_eq(mext_key_parse(padded, back), 0);
        ck_assert(!memcmp(key, back, sizeof(key)));
    }
}
END_TEST

START_TEST(key_text_refused)
{
    static const char *const bad[] = {
        "",
        " ",
        "=",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",  /* no padding */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", /* 31 octets */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 33 octets */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", /* unused bits */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=A",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= A",
        "AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAAA=",
        "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", /* URL alphabet */
        "\x80"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    uint8_t key[MEXT_KEY_LEN] = { 1 };

    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(mext_key_parse(bad[i], key) == MEXT_ERR_FORMAT, "%s",
                      bad[i]);
    ck_assert_uint_eq(key[0], 1);
}
END_TEST

/* BLAKE2b-256, worked out by another program. */
START_TEST(fingerprint)
{
    char text[MEXT_FINGERPRINT_LEN];
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_DEST, pk, NULL);
    mext_fingerprint(pk, text);
    ck_assert_str_eq(text, "c11a-e409-2c56-1014-21f7-4561-2bdc-6b51");
}
END_TEST

/* ---- host.key ---- */

START_TEST(identity_created_once)
{
    struct mext_identity first, second;
    struct stat st;

    ck_assert_int_eq(mext_identity_create(path("a/b/c"), false, &why), 0);
    ck_assert_int_eq(mext_identity_load(path("a/b/c"), &first, &why), 0);
    ck_assert_int_eq(mext_identity_create(path("a/b/c"), false, &why), -1);
    says("not overwritten");
    ck_assert_int_eq(mext_identity_load(path("a/b/c"), &second, &why), 0);
    ck_assert(!memcmp(&first, &second, sizeof(first)));
    ck_assert_int_eq(stat(path("a/b/c/host.key"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(st.st_size, MEXT_KEY_TEXT_LEN);
    ck_assert_int_eq(stat(path("a/b/c"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    /* nothing but the key was left behind: rmdir works once it is gone */
    ck_assert_int_eq(unlink(path("a/b/c/host.key")), 0);
    ck_assert_int_eq(rmdir(path("a/b/c")), 0);
}
END_TEST

START_TEST(identity_differs)
{
    struct mext_identity a, b;

    ck_assert_int_eq(mext_identity_create(path("a"), false, &why), 0);
    ck_assert_int_eq(mext_identity_create(path("b"), false, &why), 0);
    ck_assert_int_eq(mext_identity_load(path("a"), &a, &why), 0);
    ck_assert_int_eq(mext_identity_load(path("b"), &b, &why), 0);
    ck_assert(memcmp(a.pk, b.pk, sizeof(a.pk)));
}
END_TEST

/* The seed of 32 ones, and the public key that belongs to it. */
static const char seed_text[] =
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

START_TEST(identity_from_seed)
{
    struct mext_identity id, want;

    put_file("host.key", seed_text, 0600);
    fix_identity(&want, FIX_SOURCE);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), 0);
    ck_assert(!memcmp(&id, &want, sizeof(id)));
    ck_assert_int_eq(chmod(path("host.key"), 0400), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), 0);
}
END_TEST

START_TEST(identity_modes)
{
    struct mext_identity id, before;

    memset(&id, 0xa5, sizeof(id));
    before = id;
    put_file("host.key", seed_text, 0600);
    for (mode_t bits = 1; bits <= 077; bits++) {
        ck_assert_int_eq(chmod(path("host.key"), 0600 | bits), 0);
        ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
        says("chmod 600");
    }
    ck_assert(!memcmp(&id, &before, sizeof(id)));
}
END_TEST

START_TEST(identity_other_owner)
{
    struct mext_identity id;

    if (geteuid())
        return; /* only root can give a file away */
    put_file("host.key", seed_text, 0600);
    ck_assert_int_eq(chown(path("host.key"), 1, 1), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("another user");
}
END_TEST

/* Whoever can change the folder can put another key there. */
START_TEST(identity_folder)
{
    static const mode_t bad[] = { 0720, 0702, 0770, 0777, 01777, 02770 };
    struct mext_identity id;

    put_file("host.key", seed_text, 0600);
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_int_eq(chmod(dir, bad[i]), 0);
        ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
        says("chmod go-w");
        ck_assert_int_eq(mext_identity_create(dir, true, &why), -1);
        says("chmod go-w");
    }
    ck_assert_int_eq(chmod(dir, 0755), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), 0);
    if (geteuid())
        return; /* only root can give a folder away */
    ck_assert_int_eq(chown(dir, 1, 1), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("another user");
}
END_TEST

START_TEST(identity_odd_files)
{
    struct mext_identity id;

    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("packetd genkey");
    ck_assert_int_eq(mext_identity_load(path("none"), &id, &why), -1);
    says("packetd genkey");
    put_file("real", seed_text, 0600);
    ck_assert_int_eq(symlink("real", path("host.key")), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("symbolic link");
    unlink(path("host.key"));
    ck_assert_int_eq(mkfifo(path("host.key"), 0600), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("regular");
    unlink(path("host.key"));
    ck_assert_int_eq(mkdir(path("host.key"), 0700), 0);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("regular");
}
END_TEST

START_TEST(identity_bad_text)
{
    static const char *const bad[] = { "", "\n", "hello\n", "AAAA\n" };
    struct mext_identity id;
    char text[4096];

    for (size_t i = 0; i < COUNT(bad); i++) {
        put_file("host.key", bad[i], 0600);
        ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
        says("base64");
    }
    /* a good key, but more than a key file can be */
    snprintf(text, sizeof(text), "%s%2000s", seed_text, "");
    put_file("host.key", text, 0600);
    ck_assert_int_eq(mext_identity_load(dir, &id, &why), -1);
    says("longer");
}
END_TEST

START_TEST(identity_not_a_folder)
{
    put_file("file", "", 0600);
    ck_assert_int_eq(mext_identity_create(path("file"), false, &why), -1);
    ck_assert_int_eq(mext_identity_create(path("file/below"), false, &why), -1);
    ck_assert_int_eq(mext_identity_create("", false, &why), -1);
}
END_TEST

START_TEST(default_folder)
{
    unsetenv("MEXT_KEYS_DIR");
    ck_assert_str_eq(mext_keys_dir(), MEXT_SYSCONFDIR "/xen/packetd");
    setenv("MEXT_KEYS_DIR", "", 1);
    ck_assert_str_eq(mext_keys_dir(), MEXT_SYSCONFDIR "/xen/packetd");
    setenv("MEXT_KEYS_DIR", "/somewhere", 1);
    ck_assert_str_eq(mext_keys_dir(), "/somewhere");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        key_text_round_trip, key_text_refused,
        fingerprint,         identity_created_once,
        identity_differs,    identity_from_seed,
        identity_modes,      identity_other_owner,
        identity_folder,     identity_odd_files,
        identity_bad_text,   identity_not_a_folder,
        default_folder,      NULL,
    };

    return unit_main(
        unit_suite_in("keys", tests, keydir_setup, keydir_teardown));
}
