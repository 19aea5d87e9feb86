/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_trust: which keys are trusted, and whose files are believed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keydir.h"

/* ---- trust.d ---- */

START_TEST(trust_add_find_remove)
{
    struct mext_trusted got;
    uint8_t pk[MEXT_KEY_LEN];
    char name[65];

    public_of(FIX_STRANGER, pk, NULL);
    ck_assert_int_eq(mext_trust_find(dir, "beta", &got, &why), -1);
    says("packetd trust fetch beta");
    says("packetd trust add beta");
    ck_assert(!mext_trust_has(dir, pk, name));
    ck_assert_str_eq(name, "");
    ck_assert_int_eq(mext_trust_add(dir, "beta", pk, false, &why), 0);
    ck_assert_int_eq(mext_trust_find(dir, "beta", &got, &why), 0);
    ck_assert_uint_eq(got.n, 1);
    ck_assert(!memcmp(pk, got.key[0], sizeof(pk)));
    ck_assert(mext_trust_has(dir, pk, name));
    ck_assert_str_eq(name, "beta");
    ck_assert_int_eq(mext_trust_remove(dir, "beta", NULL, &why), 0);
    ck_assert(!mext_trust_has(dir, pk, name));
    ck_assert_int_eq(mext_trust_remove(dir, "beta", NULL, &why), -1);
    says("beta");
}
END_TEST

START_TEST(trust_no_replacement)
{
    struct mext_trusted got;
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_identity other;

    public_of(FIX_STRANGER, pk, NULL);
    fix_identity(&other, FIX_DEST);
    ck_assert_int_eq(mext_trust_add(dir, "beta", pk, false, &why), 0);
    ck_assert_int_eq(mext_trust_add(dir, "beta", pk, false, &why), 0);
    ck_assert_int_eq(mext_trust_add(dir, "beta", other.pk, false, &why), -1);
    says("trust remove beta");
    ck_assert_int_eq(mext_trust_find(dir, "beta", &got, &why), 0);
    ck_assert_uint_eq(got.n, 1);
    ck_assert(!memcmp(pk, got.key[0], sizeof(pk)));
}
END_TEST

START_TEST(trust_names)
{
    static const struct {
        const char *name;
        int rc;
    } cases[] = {
        { "a", 0 },
        { "A-Z_0.9", 0 },
        { "192.0.2.1", 0 },
        { "-x", 0 },
        { "0123456789012345678901234567890123456789012345678901234567890123",
          0 },
        { "01234567890123456789012345678901234567890123456789012345678901234",
          -1 },
        { "", -1 },
        { ".", -1 },
        { "..", -1 },
        { ".a", -1 },
        { "a/b", -1 },
        { "../host", -1 },
        { "a b", -1 },
        { "a\n", -1 },
        { "\xc3\xa9", -1 },
        { "a%s", -1 },
        { "fe80::1", -1 },
    };
    struct mext_trusted got;
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_STRANGER, pk, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].name;

        ck_assert_int_eq(mext_trust_add(dir, name, pk, false, &why),
                         cases[i].rc);
        ck_assert_int_eq(mext_trust_find(dir, name, &got, &why), cases[i].rc);
        ck_assert_int_eq(mext_trust_remove(dir, name, NULL, &why), cases[i].rc);
        if (cases[i].rc)
            says("name");
    }
}
END_TEST

/* A seed or an X25519 key is, mostly, no Ed25519 point. */
START_TEST(trust_not_a_key)
{
    uint8_t pk[MEXT_KEY_LEN] = { 0 };

    ck_assert_int_eq(mext_trust_add(dir, "zero", pk, false, &why), -1);
    says("not an Ed25519");
    pk[0] = 1;
    ck_assert_int_eq(mext_trust_add(dir, "one", pk, false, &why), -1);
    memset(pk, 0xff, sizeof(pk));
    ck_assert_int_eq(mext_trust_add(dir, "ones", pk, false, &why), -1);
}
END_TEST

static void note(void *arg, const char *name, const uint8_t pk[MEXT_KEY_LEN])
{
    strcat(strcat(arg, name), " ");
}

/* What is not a readable key of a valid name is passed over. */
START_TEST(trust_each_in_order)
{
    static const char *const names[] = { "b", "a-b", "a", "ab", "C" };
    char text[MEXT_KEY_TEXT_LEN], list[256] = "";
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_STRANGER, pk, text);
    ck_assert_int_eq(mext_trust_each(dir, note, list), 0);
    for (size_t i = 0; i < COUNT(names); i++)
        ck_assert_int_eq(mext_trust_add(dir, names[i], pk, false, &why), 0);
    put_file("trust.d/.hidden.pub", text, 0644);
    put_file("trust.d/not-a-key.pub", "hello\n", 0644);
    put_file("trust.d/other.txt", text, 0644);
    put_file("trust.d/spa ce.pub", text, 0644);
    put_file("trust.d/.pub", text, 0644);
    ck_assert_int_eq(symlink("a.pub", path("trust.d/link.pub")), 0);
    ck_assert_int_eq(mkfifo(path("trust.d/fifo.pub"), 0644), 0);
    ck_assert_int_eq(mkdir(path("trust.d/folder.pub"), 0755), 0);
    ck_assert_int_eq(mext_trust_each(dir, note, list), COUNT(names));
    ck_assert_str_eq(list, "C a a-b ab b ");
}
END_TEST

START_TEST(trust_symlink_refused)
{
    char text[MEXT_KEY_TEXT_LEN];
    struct mext_trusted got;
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_STRANGER, pk, text);
    put_file("elsewhere", text, 0644);
    ck_assert_int_eq(mkdir(path("trust.d"), 0755), 0);
    ck_assert_int_eq(symlink("../elsewhere", path("trust.d/l.pub")), 0);
    ck_assert_int_eq(mext_trust_find(dir, "l", &got, &why), -1);
    says("symbolic link");
    ck_assert_int_eq(mext_trust_add(dir, "l", pk, false, &why), -1);
    says("symbolic link");
}
END_TEST

/* ---- several keys of one name ---- */

/* Public key of the seed of 32 octets i. */
static void nth(unsigned i, uint8_t pk[MEXT_KEY_LEN])
{
    public_of((enum fix_who)i, pk, NULL);
}

/* The name's keys are those of the seeds in `digits`, in that order. */
static void holds(const char *name, const char *digits)
{
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_trusted t;

    ck_assert_int_eq(mext_trust_read(dir, name, &t, &why), 0);
    ck_assert_uint_eq(t.n, strlen(digits));
    for (unsigned i = 0; i < t.n; i++) {
        nth((unsigned)(digits[i] - '0'), pk);
        ck_assert(!memcmp(t.key[i], pk, sizeof(pk)));
        ck_assert(mext_trusted_has(&t, pk));
    }
}

static int add(const char *name, unsigned i, bool also)
{
    uint8_t pk[MEXT_KEY_LEN];

    nth(i, pk);
    return mext_trust_add(dir, name, pk, also, &why);
}

START_TEST(trust_several)
{
    char text[4096], name[65];
    uint8_t pk[MEXT_KEY_LEN];

    holds("beta", "");
    ck_assert_int_eq(add("beta", 1, true), -1);
    says("without --also");
    ck_assert_int_eq(add("beta", 1, false), 0);
    ck_assert_int_eq(add("beta", 2, false), -1);
    says("--also");
    for (unsigned i = 2; i <= 4; i++)
        ck_assert_int_eq(add("beta", i, true), 0);
    ck_assert_int_eq(add("beta", 3, true), 0); /* it is there */
    ck_assert_int_eq(add("beta", 3, false), 0);
    ck_assert_int_eq(add("beta", 5, true), -1);
    says("packetd trust remove beta KEY");
    holds("beta", "1234");
    for (unsigned i = 1; i <= 4; i++) {
        nth(i, pk);
        ck_assert(mext_trust_has(dir, pk, name));
        ck_assert_str_eq(name, "beta");
    }
    slurp("trust.d/beta.pub", text);
    ck_assert_uint_eq(strlen(text), 4 * MEXT_KEY_TEXT_LEN);
    nth(2, pk);
    ck_assert_int_eq(mext_trust_remove(dir, "beta", pk, &why), 0);
    ck_assert_int_eq(mext_trust_remove(dir, "beta", pk, &why), -1);
    says("not a key of beta");
    holds("beta", "134");
    ck_assert(!mext_trust_has(dir, pk, name));
    nth(1, pk);
    ck_assert_int_eq(mext_trust_remove(dir, "beta", pk, &why), 0);
    holds("beta", "34");
    ck_assert_int_eq(mext_trust_remove(dir, "beta", NULL, &why), 0);
    holds("beta", "");
}
END_TEST

START_TEST(trust_last_one_removed)
{
    uint8_t pk[MEXT_KEY_LEN];

    ck_assert_int_eq(add("beta", 1, false), 0);
    nth(1, pk);
    ck_assert_int_eq(mext_trust_remove(dir, "beta", pk, &why), 0);
    ck_assert_int_ne(access(path("trust.d/beta.pub"), F_OK), 0);
    /* nothing but the file was there: rmdir works once it is gone */
    ck_assert_int_eq(rmdir(path("trust.d")), 0);
}
END_TEST

/* Lines as an editor may leave them; and what is refused as a whole. */
START_TEST(trust_lines)
{
    char a[MEXT_KEY_TEXT_LEN], b[MEXT_KEY_TEXT_LEN], text[1024];
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_trusted t;

    public_of(1, pk, a);
    public_of(2, pk, b);
    ck_assert_int_eq(mkdir(path("trust.d"), 0755), 0);
    snprintf(text, sizeof(text), "\n %s\t\r\n\r\n%s", a, b);
    put_file("trust.d/beta.pub", text, 0644);
    holds("beta", "12");
    snprintf(text, sizeof(text), "%s %s\n", a, b);
    put_file("trust.d/beta.pub", text, 0644);
    ck_assert_int_eq(mext_trust_find(dir, "beta", &t, &why), -1);
    says("one a line");
    snprintf(text, sizeof(text), "%s\nhello\n", a);
    put_file("trust.d/beta.pub", text, 0644);
    ck_assert_int_eq(mext_trust_find(dir, "beta", &t, &why), -1);
    snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n%s\n", a, b, a, b, a);
    put_file("trust.d/beta.pub", text, 0644);
    ck_assert_int_eq(mext_trust_find(dir, "beta", &t, &why), -1);
    says("1 to 4 keys");
    put_file("trust.d/beta.pub", "\n\n", 0644);
    ck_assert_int_eq(mext_trust_find(dir, "beta", &t, &why), -1);
    ck_assert_int_eq(add("beta", 1, true), -1);
    ck_assert_int_eq(mext_trust_remove(dir, "beta", NULL, &why), 0);
}
END_TEST

static int add_second(void)
{
    return add("beta", 2, true);
}

static int remove_first(void)
{
    uint8_t pk[MEXT_KEY_LEN];

    nth(1, pk);
    return mext_trust_remove(dir, "beta", pk, &why);
}

/* `step` killed at each stop in turn: the keys are those before or after. */
static void each_cut(int (*step)(void), const char *before, const char *after)
{
    bool cut = true;
    unsigned n = 0;

    for (; cut; n++) {
        struct mext_trusted t;

        for (const char *p = before; *p; p++)
            ck_assert_int_eq(add("beta", (unsigned)(*p - '0'), p > before), 0);
        cut = cut_off(step, n);
        ck_assert_int_eq(mext_trust_find(dir, "beta", &t, &why), 0);
        holds("beta", t.n == strlen(before) ? before : after);
        ck_assert_int_eq(mext_trust_check(dir, &why), 0);
        step();
        holds("beta", after);
        ck_assert_int_eq(mext_trust_remove(dir, "beta", NULL, &why), 0);
        ck_assert_int_eq(rmdir(path("trust.d")), 0);
    }
    ck_assert_uint_gt(n, 10);
}

START_TEST(trust_killed)
{
    each_cut(add_second, "1", "12");
    each_cut(remove_first, "123", "23");
}
END_TEST

/* ---- whose files are believed ---- */

/* Nobody is trusted, and the reason says what to do. */
static void distrusted(const char *words)
{
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_trusted t;
    char name[65];

    nth(1, pk);
    ck_assert(!mext_trust_has(dir, pk, name));
    ck_assert_int_eq(mext_trust_find(dir, "beta", &t, &why), -1);
    says(words);
    ck_assert_int_eq(mext_trust_check(dir, &why), -1);
    says(words);
    ck_assert_int_eq(add("beta", 2, true), -1);
    says(words);
}

static void trusted(void)
{
    uint8_t pk[MEXT_KEY_LEN];
    char name[65];

    nth(1, pk);
    ck_assert(mext_trust_has(dir, pk, name));
    ck_assert_int_eq(mext_trust_check(dir, &why), 0);
    holds("beta", "1");
}

START_TEST(trust_modes)
{
    static const char *const names[] = { "", "trust.d", "trust.d/beta.pub" };

    ck_assert_int_eq(mext_trust_check(dir, &why), 0);
    ck_assert_int_eq(add("beta", 1, false), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        mode_t good = i < 2 ? 0755 : 0644;

        for (mode_t bits = 0; bits <= 022; bits++) {
            ck_assert_int_eq(chmod(path(names[i]), good | bits), 0);
            if (bits & 022)
                distrusted("chmod go-w");
            else
                trusted();
        }
        ck_assert_int_eq(chmod(path(names[i]), good), 0);
    }
    trusted();
}
END_TEST

START_TEST(trust_owners)
{
    static const char *const names[] = { "", "trust.d", "trust.d/beta.pub" };
    int status;
    pid_t pid;

    if (geteuid())
        return; /* only root can give files away */
    ck_assert_int_eq(add("beta", 1, false), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_int_eq(chown(path(names[i]), 1, 1), 0);
        distrusted("another user");
        ck_assert_int_eq(chown(path(names[i]), 0, 0), 0);
    }
    trusted();
    /* to anybody else root's files are as good as their own */
    ck_assert_int_eq(chmod(dir, 0755), 0);
    ck_assert_int_eq(chmod(path("trust.d"), 0755), 0);
    pid = fork();
    if (!pid) {
        if (seteuid(65534))
            _exit(99);
        trusted();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* A folder may be elsewhere: what counts is who may change that one. */
START_TEST(trust_folder_elsewhere)
{
    ck_assert_int_eq(add("beta", 1, false), 0);
    ck_assert_int_eq(rename(path("trust.d"), path("elsewhere")), 0);
    ck_assert_int_eq(symlink("elsewhere", path("trust.d")), 0);
    trusted();
    ck_assert_int_eq(chmod(path("elsewhere"), 0777), 0);
    distrusted("chmod go-w");
}
END_TEST

/* What is passed over does not stay unsaid. */
START_TEST(trust_check_odd_files)
{
    ck_assert_int_eq(add("beta", 1, false), 0);
    put_file("trust.d/other.txt", "hello\n", 0644);
    trusted();
    put_file("trust.d/alpha.pub", "hello\n", 0644);
    ck_assert_int_eq(mext_trust_check(dir, &why), -1);
    says("alpha.pub");
    ck_assert_int_eq(unlink(path("trust.d/alpha.pub")), 0);
    ck_assert_int_eq(symlink("beta.pub", path("trust.d/gamma.pub")), 0);
    ck_assert_int_eq(mext_trust_check(dir, &why), -1);
    says("gamma.pub is a symbolic link");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        trust_add_find_remove,
        trust_no_replacement,
        trust_names,
        trust_not_a_key,
        trust_each_in_order,
        trust_symlink_refused,
        trust_several,
        trust_last_one_removed,
        trust_lines,
        trust_killed,
        trust_modes,
        trust_owners,
        trust_folder_elsewhere,
        trust_check_odd_files,
        NULL,
    };

    return unit_main(
        unit_suite_in("trust", tests, keydir_setup, keydir_teardown));
}
