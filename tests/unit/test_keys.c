/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_keys and packetd's words for keys, on folders of their own. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keycmd.h"
#include "mext_keys.h"
#include "unit.h"

static char dir[64]; /* of the running test */
static struct mext_why why;

static void setup(void)
{
    strcpy(dir, "/tmp/test_keys.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    return remove(path);
}

static void teardown(void)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* <dir>/name, in one of two static buffers. */
static const char *path(const char *name)
{
    static char buf[2][512];
    static unsigned i;

    i ^= 1;
    snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);
    return buf[i];
}

static void put_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(path(name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    ck_assert_int_eq(chmod(path(name), mode), 0);
}

static void stranger(uint8_t pk[MEXT_KEY_LEN], char text[MEXT_KEY_TEXT_LEN])
{
    struct mext_identity id;

    fix_identity(&id, FIX_STRANGER);
    memcpy(pk, id.pk, MEXT_KEY_LEN);
    if (text)
        mext_key_text(pk, text);
}

/* The reason is one line of printable text that mentions the word. */
static void says(const char *word)
{
    ck_assert_msg(strstr(why.text, word) != NULL, "\"%s\" without \"%s\"",
                  why.text, word);
    ck_assert_ptr_null(strchr(why.text, '\n'));
}

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

/* ---- host.key ---- */

START_TEST(identity_created_once)
{
    struct mext_identity first, second;
    struct stat st;

    ck_assert_int_eq(mext_identity_create(path("a/b/c"), &why), 0);
    ck_assert_int_eq(mext_identity_load(path("a/b/c"), &first, &why), 0);
    ck_assert_int_eq(mext_identity_create(path("a/b/c"), &why), 0);
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

    ck_assert_int_eq(mext_identity_create(path("a"), &why), 0);
    ck_assert_int_eq(mext_identity_create(path("b"), &why), 0);
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
    says("base64");
}
END_TEST

START_TEST(identity_not_a_folder)
{
    put_file("file", "", 0600);
    ck_assert_int_eq(mext_identity_create(path("file"), &why), -1);
    ck_assert_int_eq(mext_identity_create(path("file/below"), &why), -1);
    ck_assert_int_eq(mext_identity_create("", &why), -1);
}
END_TEST

/* ---- trust.d ---- */

START_TEST(trust_add_find_remove)
{
    uint8_t pk[MEXT_KEY_LEN], got[MEXT_KEY_LEN];
    char name[65];

    stranger(pk, NULL);
    ck_assert_int_eq(mext_trust_find(dir, "beta", got, &why), -1);
    says("packetd trust add beta");
    ck_assert(!mext_trust_has(dir, pk, name));
    ck_assert_str_eq(name, "");
    ck_assert_int_eq(mext_trust_add(dir, "beta", pk, &why), 0);
    ck_assert_int_eq(mext_trust_find(dir, "beta", got, &why), 0);
    ck_assert(!memcmp(pk, got, sizeof(pk)));
    ck_assert(mext_trust_has(dir, pk, name));
    ck_assert_str_eq(name, "beta");
    ck_assert_int_eq(mext_trust_remove(dir, "beta", &why), 0);
    ck_assert(!mext_trust_has(dir, pk, name));
    ck_assert_int_eq(mext_trust_remove(dir, "beta", &why), -1);
    says("beta");
}
END_TEST

START_TEST(trust_no_replacement)
{
    uint8_t pk[MEXT_KEY_LEN], got[MEXT_KEY_LEN];
    struct mext_identity other;

    stranger(pk, NULL);
    fix_identity(&other, FIX_DEST);
    ck_assert_int_eq(mext_trust_add(dir, "beta", pk, &why), 0);
    ck_assert_int_eq(mext_trust_add(dir, "beta", pk, &why), 0);
    ck_assert_int_eq(mext_trust_add(dir, "beta", other.pk, &why), -1);
    says("trust remove beta");
    ck_assert_int_eq(mext_trust_find(dir, "beta", got, &why), 0);
    ck_assert(!memcmp(pk, got, sizeof(pk)));
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
    uint8_t pk[MEXT_KEY_LEN], got[MEXT_KEY_LEN];

    stranger(pk, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *name = cases[i].name;

        ck_assert_int_eq(mext_trust_add(dir, name, pk, &why), cases[i].rc);
        ck_assert_int_eq(mext_trust_find(dir, name, got, &why), cases[i].rc);
        ck_assert_int_eq(mext_trust_remove(dir, name, &why), cases[i].rc);
        if (cases[i].rc)
            says("name");
    }
}
END_TEST

/* A seed or an X25519 key is, mostly, no Ed25519 point. */
START_TEST(trust_not_a_key)
{
    uint8_t pk[MEXT_KEY_LEN] = { 0 };

    ck_assert_int_eq(mext_trust_add(dir, "zero", pk, &why), -1);
    says("not an Ed25519");
    pk[0] = 1;
    ck_assert_int_eq(mext_trust_add(dir, "one", pk, &why), -1);
    memset(pk, 0xff, sizeof(pk));
    ck_assert_int_eq(mext_trust_add(dir, "ones", pk, &why), -1);
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

    stranger(pk, text);
    ck_assert_int_eq(mext_trust_each(dir, note, list), 0);
    for (size_t i = 0; i < COUNT(names); i++)
        ck_assert_int_eq(mext_trust_add(dir, names[i], pk, &why), 0);
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
    uint8_t pk[MEXT_KEY_LEN], got[MEXT_KEY_LEN];

    stranger(pk, text);
    put_file("elsewhere", text, 0644);
    ck_assert_int_eq(mkdir(path("trust.d"), 0755), 0);
    ck_assert_int_eq(symlink("../elsewhere", path("trust.d/l.pub")), 0);
    ck_assert_int_eq(mext_trust_find(dir, "l", got, &why), -1);
    says("symbolic link");
    ck_assert_int_eq(mext_trust_add(dir, "l", pk, &why), -1);
    says("symbolic link");
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

/* ---- packetd's words ---- */

static char out[4096], err[4096];

static void slurp(const char *name, char buf[4096])
{
    FILE *f = fopen(path(name), "r");
    size_t n;

    ck_assert_ptr_nonnull(f);
    n = fread(buf, 1, 4095, f);
    buf[n] = 0;
    fclose(f);
}

/* Runs the words of `line` in a child, MEXT_KEYS_DIR being <dir>/k. */
static int run(const char *line, const char *input)
{
    char buf[512], *argv[16] = { NULL };
    int argc = 0, status;
    pid_t pid;

    snprintf(buf, sizeof(buf), "%s", line);
    for (char *w = strtok(buf, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    put_file("stdin", input, 0600);
    pid = fork();
    if (!pid) {
        if (!freopen(path("stdin"), "r", stdin) ||
            !freopen(path("stdout"), "w", stdout) ||
            !freopen(path("stderr"), "w", stderr))
            _exit(99);
        setenv("MEXT_KEYS_DIR", path("k"), 1);
        status = packetd_keycmd(argc, argv);
        fflush(NULL);
        _exit(status < 0 ? 77 : status);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    slurp("stdout", out);
    slurp("stderr", err);
    return WEXITSTATUS(status);
}

START_TEST(word_genkey)
{
    char first[4096];
    uint8_t pk[MEXT_KEY_LEN];

    ck_assert_int_eq(run("pubkey", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd genkey"));
    ck_assert_int_eq(run("genkey", ""), 0);
    ck_assert_int_eq(mext_key_parse(out, pk), 0);
    ck_assert_uint_eq(strlen(out), MEXT_KEY_TEXT_LEN);
    strcpy(first, out);
    ck_assert_int_eq(run("pubkey", ""), 0);
    ck_assert_str_eq(out, first);
    ck_assert_int_eq(run("genkey", ""), 1);
    ck_assert_str_eq(out, "");
    ck_assert_ptr_nonnull(strstr(err, "not overwritten"));
    ck_assert_int_eq(run("pubkey", ""), 0);
    ck_assert_str_eq(out, first);
}
END_TEST

START_TEST(word_dir)
{
    char line[256], first[4096];

    snprintf(line, sizeof(line), "genkey --dir %s", path("other"));
    ck_assert_int_eq(run(line, ""), 0);
    strcpy(first, out);
    ck_assert_int_eq(run("pubkey", ""), 1);
    snprintf(line, sizeof(line), "pubkey --dir=%s", path("other"));
    ck_assert_int_eq(run(line, ""), 0);
    ck_assert_str_eq(out, first);
}
END_TEST

START_TEST(word_trust)
{
    char text[MEXT_KEY_TEXT_LEN], line[256], want[256];
    uint8_t pk[MEXT_KEY_LEN];

    stranger(pk, text);
    ck_assert_int_eq(run("trust list", ""), 0);
    ck_assert_str_eq(out, "");
    snprintf(line, sizeof(line), "trust add beta %s", text);
    ck_assert_int_eq(run(line, ""), 0);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(run("trust add alpha -", text), 0);
    snprintf(want, sizeof(want), "alpha\t%s\nbeta\t%s\n", text, text);
    ck_assert_int_eq(run("trust list", ""), 0);
    ck_assert_str_eq(out, want);
    ck_assert_int_eq(run("trust remove alpha", ""), 0);
    ck_assert_int_eq(run("trust remove alpha", ""), 1);
    ck_assert_int_eq(run("trust list", ""), 0);
    ck_assert_str_eq(out, strchr(want, '\n') + 1);
}
END_TEST

START_TEST(word_trust_refused)
{
    char text[MEXT_KEY_TEXT_LEN], line[256], longer[4000];
    uint8_t pk[MEXT_KEY_LEN];

    stranger(pk, text);
    snprintf(line, sizeof(line), "trust add bad/name %s", text);
    ck_assert_int_eq(run(line, ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "name"));
    ck_assert_int_eq(run("trust add beta hello", ""), 1);
    ck_assert_ptr_nonnull(strstr(err, "packetd pubkey"));
    ck_assert_int_eq(run("trust add beta -", ""), 1);
    snprintf(longer, sizeof(longer), "%s%3000s", text, "");
    ck_assert_int_eq(run("trust add beta -", longer), 1);
    ck_assert_int_eq(run("trust list", ""), 0);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(word_fingerprint)
{
    char line[256], own[4096];

    ck_assert_int_eq(run("fingerprint", ""), 1);
    ck_assert_int_eq(run("genkey", ""), 0);
    snprintf(line, sizeof(line), "trust add self %.44s", out);
    ck_assert_int_eq(run("fingerprint", ""), 0);
    ck_assert_uint_eq(strlen(out), 8 * 5);
    strcpy(own, out);
    ck_assert_int_eq(run(line, ""), 0);
    ck_assert_int_eq(run("fingerprint self", ""), 0);
    ck_assert_str_eq(out, own);
    ck_assert_int_eq(run("fingerprint nobody", ""), 1);
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
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_msg(run(cases[i].line, "") == cases[i].rc, "%s",
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
        "fingerprint --help", "trust --help list",
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        ck_assert_msg(run(lines[i], "") == 0, "%s", lines[i]);
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

    ck_assert_int_eq(run("genkey", ""), 0);
    slurp("k/host.key", secret);
    secret[MEXT_KEY_TEXT_LEN - 1] = 0;
    ck_assert_ptr_null(strstr(out, secret));
    run("pubkey", "");
    ck_assert_ptr_null(strstr(out, secret));
    run("fingerprint", "");
    ck_assert_ptr_null(strstr(out, secret));
}
END_TEST

START_TEST(word_full_disk)
{
    int status;
    pid_t pid;

    ck_assert_int_eq(run("genkey", ""), 0);
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
    const TTest *const tests[] = { key_text_round_trip,
                                   key_text_refused,
                                   identity_created_once,
                                   identity_differs,
                                   identity_from_seed,
                                   identity_modes,
                                   identity_other_owner,
                                   identity_odd_files,
                                   identity_bad_text,
                                   identity_not_a_folder,
                                   trust_add_find_remove,
                                   trust_no_replacement,
                                   trust_names,
                                   trust_not_a_key,
                                   trust_each_in_order,
                                   trust_symlink_refused,
                                   default_folder,
                                   word_genkey,
                                   word_dir,
                                   word_trust,
                                   word_trust_refused,
                                   word_fingerprint,
                                   word_usage,
                                   word_help,
                                   word_secret_stays,
                                   word_full_disk,
                                   NULL };

    return unit_main(unit_suite_in("keys", tests, setup, teardown));
}
