/* SPDX-License-Identifier: GPL-2.0-only */
/* packetd's words for keys, as typed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keycmd.h"
#include "keydir.h"

START_TEST(word_genkey)
{
    char first[4096];
    uint8_t pk[MEXT_KEY_LEN];

    ck_assert_int_eq(run_words("pubkey", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd genkey"));
    ck_assert_int_eq(run_words("genkey", ""), 0);
    ck_assert_int_eq(mext_key_parse(out, pk), 0);
    ck_assert_uint_eq(strlen(out), MEXT_KEY_TEXT_LEN);
    strcpy(first, out);
    ck_assert_int_eq(run_words("pubkey", ""), 0);
    ck_assert_str_eq(out, first);
    ck_assert_int_eq(run_words("genkey", ""), 1);
    ck_assert_str_eq(out, "");
    ck_assert_ptr_nonnull(strstr(err, "not overwritten"));
    ck_assert_int_eq(run_words("pubkey", ""), 0);
    ck_assert_str_eq(out, first);
}
END_TEST

START_TEST(word_dir)
{
    char line[256], first[4096];

    snprintf(line, sizeof(line), "genkey --dir %s", path("other"));
    ck_assert_int_eq(run_words(line, ""), 0);
    strcpy(first, out);
    ck_assert_int_eq(run_words("pubkey", ""), 1);
    snprintf(line, sizeof(line), "pubkey --dir=%s", path("other"));
    ck_assert_int_eq(run_words(line, ""), 0);
    ck_assert_str_eq(out, first);
}
END_TEST

START_TEST(word_trust)
{
    char text[MEXT_KEY_TEXT_LEN], line[256], want[256];
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_STRANGER, pk, text);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, "");
    snprintf(line, sizeof(line), "trust add beta %s", text);
    ck_assert_int_eq(run_words(line, ""), 0);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(run_words("trust add alpha -", text), 0);
    snprintf(want, sizeof(want), "alpha\t%s\nbeta\t%s\n", text, text);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, want);
    ck_assert_int_eq(run_words("trust remove alpha", ""), 0);
    ck_assert_int_eq(run_words("trust remove alpha", ""), 1);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, strchr(want, '\n') + 1);
}
END_TEST

START_TEST(word_trust_refused)
{
    char text[MEXT_KEY_TEXT_LEN], line[256], longer[4000];
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_STRANGER, pk, text);
    snprintf(line, sizeof(line), "trust add bad/name %s", text);
    ck_assert_int_eq(run_words(line, ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "name"));
    ck_assert_int_eq(run_words("trust add beta hello", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd pubkey"));
    ck_assert_int_eq(run_words("trust add beta -", ""), 1);
    snprintf(longer, sizeof(longer), "%s%3000s", text, "");
    ck_assert_int_eq(run_words("trust add beta -", longer), 1);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(word_fingerprint)
{
    char line[256], own[4096];

    ck_assert_int_eq(run_words("fingerprint", ""), 1);
    ck_assert_int_eq(run_words("genkey", ""), 0);
    snprintf(line, sizeof(line), "trust add self %.44s", out);
    ck_assert_int_eq(run_words("fingerprint", ""), 0);
    ck_assert_uint_eq(strlen(out), 8 * 5);
    strcpy(own, out);
    ck_assert_int_eq(run_words(line, ""), 0);
    ck_assert_int_eq(run_words("fingerprint self", ""), 0);
    ck_assert_str_eq(out, own);
    ck_assert_int_eq(run_words("fingerprint nobody", ""), 1);
}
END_TEST

START_TEST(word_rotate)
{
    char first[4096], next[4096], print[4096];
    uint8_t pk[MEXT_KEY_LEN];

    ck_assert_int_eq(run_words("genkey --next", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd genkey"));
    ck_assert_int_eq(run_words("genkey", ""), 0);
    strcpy(first, out);
    ck_assert_int_eq(run_words("pubkey --next", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd genkey --next"));
    ck_assert_int_eq(run_words("rotate", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd genkey --next"));
    ck_assert_int_eq(run_words("genkey --next", ""), 0);
    strcpy(next, out);
    ck_assert_int_eq(mext_key_parse(next, pk), 0);
    ck_assert_str_ne(next, first);
    ck_assert_int_eq(run_words("pubkey --next", ""), 0);
    ck_assert_str_eq(out, next);
    ck_assert_int_eq(run_words("fingerprint --next", ""), 0);
    strcpy(print, out);
    ck_assert_int_eq(run_words("pubkey", ""), 0);
    ck_assert_str_eq(out, first);
    ck_assert_int_eq(run_words("rotate", ""), 0);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(run_words("pubkey", ""), 0);
    ck_assert_str_eq(out, next);
    ck_assert_int_eq(run_words("fingerprint", ""), 0);
    ck_assert_str_eq(out, print);
    ck_assert_int_eq(run_words("pubkey --next", ""), 1);
    ck_assert_int_eq(run_words("rotate --finish", ""), 0);
    ck_assert_int_eq(run_words("rotate --finish", ""), 1);
    ck_assert_int_eq(run_words("pubkey", ""), 0);
    ck_assert_str_eq(out, next);
}
END_TEST

START_TEST(word_trust_several)
{
    char a[MEXT_KEY_TEXT_LEN], b[MEXT_KEY_TEXT_LEN], line[256], want[256];
    char print[2][MEXT_FINGERPRINT_LEN];
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_SOURCE, pk, a);
    mext_fingerprint(pk, print[0]);
    public_of(FIX_DEST, pk, b);
    mext_fingerprint(pk, print[1]);
    snprintf(line, sizeof(line), "trust add beta %s", a);
    ck_assert_int_eq(run_words(line, ""), 0);
    ck_assert_int_eq(run_words("trust add beta -", b), 1);
    ck_assert_int_eq(run_words("trust add beta - --also", b), 0);
    snprintf(want, sizeof(want), "beta\t%s\nbeta\t%s\n", a, b);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, want);
    snprintf(want, sizeof(want), "%s\n%s\n", print[0], print[1]);
    ck_assert_int_eq(run_words("fingerprint beta", ""), 0);
    ck_assert_str_eq(out, want);
    snprintf(line, sizeof(line), "trust remove beta %s", a);
    ck_assert_int_eq(run_words(line, ""), 0);
    ck_assert_int_eq(run_words(line, ""), 1);
    snprintf(want, sizeof(want), "beta\t%s\n", b);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, want);
    ck_assert_int_eq(run_words("trust remove beta hello", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd pubkey"));
    ck_assert_int_eq(run_words("trust remove beta -", b), 0);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

/* What could be read is listed; that something could not, is said. */
START_TEST(word_trust_list_unsafe)
{
    char text[MEXT_KEY_TEXT_LEN], want[256];
    uint8_t pk[MEXT_KEY_LEN];

    public_of(FIX_STRANGER, pk, text);
    ck_assert_int_eq(run_words("trust add alpha -", text), 0);
    ck_assert_int_eq(run_words("trust add beta -", text), 0);
    ck_assert_int_eq(chmod(path("k/trust.d/alpha.pub"), 0666), 0);
    ck_assert_int_eq(run_words("trust list", ""), 1);
    snprintf(want, sizeof(want), "beta\t%s\n", text);
    ck_assert_str_eq(out, want);
    ck_assert_ptr_nonnull(strstr(err, "chmod go-w"));
    ck_assert_ptr_nonnull(strstr(err, "alpha.pub"));
}
END_TEST

START_TEST(word_usage)
{
    static const struct {
        const char *line;
        int rc;
    } cases[] = {
        { "", 77 },
        { "run", 77 },
        { "--help", 77 },
        { "genkey more", 2 },
        { "pubkey --nonsense", 2 },
        { "pubkey --dir", 2 },
        { "trust", 2 },
        { "trust nonsense", 2 },
        { "trust add", 2 },
        { "trust add a", 2 },
        { "trust add a b c", 2 },
        { "trust remove", 2 },
        { "trust list a", 2 },
        { "fingerprint a b", 2 },
        { "pubkey -x", 2 },
        { "pubkey --also", 2 },
        { "pubkey --finish", 2 },
        { "genkey --name a", 2 },
        { "fingerprint a --next", 2 },
        { "rotate now", 2 },
        { "rotate --next", 2 },
        { "trust list --yes", 2 },
        { "trust add a b --yes", 2 },
        { "trust remove a b c", 2 },
        { "trust fetch", 2 },
        { "trust fetch a b", 2 },
        { "trust fetch a --also", 2 },
        { "trust fetch a --name", 2 },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(run_words(cases[i].line, "") == cases[i].rc, "%s",
                      cases[i].line);
        ck_assert_str_eq(out, "");
        if (cases[i].rc == 2)
            ck_assert_ptr_nonnull(strstr(err, "Usage: packetd "));
    }
}
END_TEST

START_TEST(word_help)
{
    static const char *const lines[] = {
        "genkey --help",      "pubkey -h",         "trust -h",
        "trust add --help",   "trust list -h",     "trust remove -h",
        "fingerprint --help", "trust --help list", "rotate --help",
        "trust fetch -h",
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        ck_assert_msg(run_words(lines[i], "") == 0, "%s", lines[i]);
        ck_assert_ptr_nonnull(strstr(out, "Usage: packetd "));
        ck_assert_ptr_nonnull(strstr(out, "--dir DIR"));
        ck_assert_str_eq(err, "");
    }
    ck_assert_int_ne(access(path("k"), F_OK), 0);
}
END_TEST

/* The secret never reaches a terminal. */
START_TEST(word_secret_stays)
{
    char secret[4096];

    ck_assert_int_eq(run_words("genkey", ""), 0);
    slurp("k/host.key", secret);
    secret[MEXT_KEY_TEXT_LEN - 1] = 0;
    ck_assert_ptr_null(strstr(out, secret));
    run_words("pubkey", "");
    ck_assert_ptr_null(strstr(out, secret));
    run_words("fingerprint", "");
    ck_assert_ptr_null(strstr(out, secret));
}
END_TEST

START_TEST(word_full_disk)
{
    int status;
    pid_t pid;

    ck_assert_int_eq(run_words("genkey", ""), 0);
    pid = fork();
    if (!pid) {
        char word[] = "pubkey", *argv[] = { word, NULL };

        setenv("MEXT_KEYS_DIR", path("k"), 1);
        if (!freopen("/dev/full", "w", stdout) ||
            !freopen("/dev/null", "w", stderr))
            _exit(99);
        _exit(packetd_keycmd(1, argv));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        word_genkey,
        word_dir,
        word_trust,
        word_trust_refused,
        word_fingerprint,
        word_rotate,
        word_trust_several,
        word_trust_list_unsafe,
        word_usage,
        word_help,
        word_secret_stays,
        word_full_disk,
        NULL,
    };

    return unit_main(
        unit_suite_in("keycmd", tests, keydir_setup, keydir_teardown));
}
