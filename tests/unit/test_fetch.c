/* SPDX-License-Identifier: GPL-2.0-only */
/* `packetd trust fetch` against a host that answers over loopback. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keydir.h"

/* What the host does with the n-th question, from 0 on; 0: silence. */
typedef size_t answer_fn(unsigned n, const uint8_t *in, size_t len,
                         uint8_t reply[MEXT_IAM_LEN]);

static unsigned port;
static int udp;
static pid_t host;

static void setup(void)
{
    keydir_setup();
    udp = unit_listen(SOCK_DGRAM, &port);
    host = 0;
}

static void stop(void)
{
    if (host > 0) {
        kill(host, SIGKILL);
        waitpid(host, NULL, 0);
    }
    host = 0;
}

static void teardown(void)
{
    stop();
    close(udp);
    keydir_teardown();
}

static void serve(answer_fn *answer)
{
    for (unsigned n = 0;; n++) {
        uint8_t in[512], reply[MEXT_IAM_LEN];
        struct sockaddr_in from;
        socklen_t flen = sizeof(from);
        ssize_t k = recvfrom(udp, in, sizeof(in), 0, (struct sockaddr *)&from,
                             &flen);
        size_t len = k < 0 ? 0 : answer(n, in, (size_t)k, reply);

        if (len)
            sendto(udp, reply, len, 0, (struct sockaddr *)&from, flen);
    }
}

/* The host behaves so from now on. */
static void start(answer_fn *answer)
{
    stop();
    host = fork();
    ck_assert_int_ge(host, 0);
    if (!host)
        serve(answer);
}

static size_t say(enum fix_who first, unsigned nids, const uint8_t *in,
                  size_t len, uint8_t *out_r)
{
    struct mext_identity ids[MEXT_IAM_KEYS];
    size_t n;

    fix_identity(&ids[0], first);
    fix_identity(&ids[1], FIX_NEXT);
    return mext_whois_answer(in, len, ids, nids, out_r, &n) ? 0 : n;
}

static size_t one_key(unsigned n, const uint8_t *in, size_t len, uint8_t *o)
{
    return say(FIX_DEST, 1, in, len, o);
}

static size_t two_keys(unsigned n, const uint8_t *in, size_t len, uint8_t *o)
{
    return say(FIX_DEST, 2, in, len, o);
}

/* After a rotation. */
static size_t next_key(unsigned n, const uint8_t *in, size_t len, uint8_t *o)
{
    return say(FIX_NEXT, 1, in, len, o);
}

static size_t somebody_else(unsigned n, const uint8_t *in, size_t len,
                            uint8_t *o)
{
    return say(FIX_STRANGER, 1, in, len, o);
}

static size_t deaf_at_first(unsigned n, const uint8_t *in, size_t len,
                            uint8_t *o)
{
    return n ? say(FIX_DEST, 1, in, len, o) : 0;
}

static size_t garbage(unsigned n, const uint8_t *in, size_t len, uint8_t *o)
{
    memset(o, (int)n, MEXT_IAM_LEN);
    return MEXT_IAM_LEN - n;
}

/* What the true host once answered to somebody. */
static size_t replay(unsigned n, const uint8_t *in, size_t len, uint8_t *o)
{
    fix_iam_bytes(true, o);
    return MEXT_IAM_LEN;
}

/* "packetd trust fetch" with these options; stdin is empty. */
static int fetch(const char *options)
{
    char line[256];

    snprintf(line, sizeof(line), "trust fetch 127.0.0.1:%u %s", port, options);
    return run_words(line, "");
}

/* The same on a terminal, where somebody has typed that. */
static int fetch_typing(const char *options, const char *typed)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), saved = dup(0), slave, rc;
    char line[256];

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    ck_assert_int_eq(write(master, typed, strlen(typed)),
                     (ssize_t)strlen(typed));
    ck_assert_int_eq(dup2(slave, 0), 0);
    snprintf(line, sizeof(line), "trust fetch 127.0.0.1:%u %s", port, options);
    rc = run_words(line, NULL);
    if (saved >= 0)
        ck_assert_int_eq(dup2(saved, 0), 0);
    close(saved);
    close(slave);
    close(master);
    return rc;
}

static const char *print_of(enum fix_who who)
{
    static char text[2][MEXT_FINGERPRINT_LEN];
    static unsigned i;
    uint8_t pk[MEXT_KEY_LEN];

    i ^= 1;
    public_of(who, pk, NULL);
    mext_fingerprint(pk, text[i]);
    return text[i];
}

/* trust.d holds these and nothing else; none: name is NULL. */
static void trusts(const char *name, unsigned n, const enum fix_who *who)
{
    char want[512] = "", text[MEXT_KEY_TEXT_LEN], said[4096], said_err[4096];
    uint8_t pk[MEXT_KEY_LEN];

    for (unsigned i = 0; i < n; i++) {
        public_of(who[i], pk, text);
        sprintf(want + strlen(want), "%s\t%s\n", name, text);
    }
    strcpy(said, out);
    strcpy(said_err, err);
    ck_assert_int_eq(run_words("trust list", ""), 0);
    ck_assert_str_eq(out, want);
    strcpy(out, said);
    strcpy(err, said_err);
}

static void trusts_nobody(void)
{
    trusts(NULL, 0, NULL);
}

static void trusts_dest(const char *name)
{
    trusts(name, 1, (enum fix_who[]){ FIX_DEST });
}

static void says_so(const char *text, const char *word)
{
    ck_assert_msg(strstr(text, word) != NULL, "\"%s\" without \"%s\"", text,
                  word);
}

START_TEST(yes)
{
    char key[MEXT_KEY_TEXT_LEN];
    uint8_t pk[MEXT_KEY_LEN];

    start(one_key);
    ck_assert_int_eq(fetch("--yes"), 0);
    ck_assert_str_eq(err, "");
    public_of(FIX_DEST, pk, key);
    says_so(out, print_of(FIX_DEST));
    says_so(out, key);
    trusts_dest("127.0.0.1");
    ck_assert_int_eq(fetch("--yes --name beta"), 0);
    ck_assert_int_eq(run_words("trust remove 127.0.0.1", ""), 0);
    trusts_dest("beta");
    ck_assert_int_eq(fetch("--name beta"), 0);
    says_so(out, "already");
}
END_TEST

/* Before anything is sent: nobody answers there. */
START_TEST(bad_names)
{
    ck_assert_int_eq(fetch("--yes --name a/b"), 1);
    says_so(err, "name");
    ck_assert_int_eq(run_words("trust fetch [::1]:1 --yes", ""), 1);
    says_so(err, "name");
    ck_assert_int_eq(run_words("trust fetch host:0 --yes", ""), 1);
    says_so(err, "port");
}
END_TEST

START_TEST(fingerprints)
{
    char options[128], upper[64] = "", *p = upper;

    start(one_key);
    snprintf(options, sizeof(options), "--fingerprint %s",
             print_of(FIX_STRANGER));
    ck_assert_int_eq(fetch(options), 1);
    says_so(err, print_of(FIX_DEST));
    says_so(err, "nothing was trusted");
    /* --yes does not overrule it */
    strcat(options, " --yes");
    ck_assert_int_eq(fetch(options), 1);
    /* a beginning is not enough, nor is an end too much */
    snprintf(options, sizeof(options), "--fingerprint %.38s",
             print_of(FIX_DEST));
    ck_assert_int_eq(fetch(options), 1);
    snprintf(options, sizeof(options), "--fingerprint %s0", print_of(FIX_DEST));
    ck_assert_int_eq(fetch(options), 1);
    trusts_nobody();
    for (const char *q = print_of(FIX_DEST); *q; q++)
        if (*q != '-')
            *p++ = *q >= 'a' ? (char)(*q - 32) : *q;
    snprintf(options, sizeof(options), "--fingerprint %s", upper);
    ck_assert_int_eq(fetch(options), 0);
    trusts_dest("127.0.0.1");
}
END_TEST

START_TEST(no_terminal)
{
    start(one_key);
    ck_assert_int_eq(fetch(""), 1);
    says_so(err, "--fingerprint");
    says_so(out, print_of(FIX_DEST));
    trusts_nobody();
}
END_TEST

START_TEST(terminal)
{
    static const char *const refusals[] = { "no\n", "\n\nNo\n", "y\nno\n",
                                            "\004" };
    char typed[128];

    start(one_key);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        ck_assert_msg(fetch_typing("", refusals[i]) == 1, "%s", refusals[i]);
        says_so(err, "nothing was trusted");
        says_so(out, "yes, no, or the fingerprint");
        trusts_nobody();
    }
    snprintf(typed, sizeof(typed), "%s\nno\n", print_of(FIX_STRANGER));
    ck_assert_int_eq(fetch_typing("", typed), 1);
    trusts_nobody();
    snprintf(typed, sizeof(typed), "%s\n", print_of(FIX_DEST));
    ck_assert_int_eq(fetch_typing("--name alpha", typed), 0);
    trusts_dest("alpha");
    ck_assert_int_eq(run_words("trust remove alpha", ""), 0);
    ck_assert_int_eq(fetch_typing("", "perhaps\nyes\n"), 0);
    says_so(out, "Please type");
    trusts_dest("127.0.0.1");
}
END_TEST

/* A key that is to come: with the first one, or to one that is known. */
START_TEST(next)
{
    static const enum fix_who both[] = { FIX_DEST, FIX_NEXT };
    char options[128];

    start(two_keys);
    ck_assert_int_eq(fetch("--yes"), 0);
    trusts("127.0.0.1", 2, both);
    ck_assert_int_eq(run_words("trust remove 127.0.0.1", ""), 0);
    start(one_key);
    ck_assert_int_eq(fetch("--yes"), 0);
    trusts_dest("127.0.0.1");
    start(two_keys);
    ck_assert_int_eq(fetch(""), 1);
    says_so(out, print_of(FIX_NEXT));
    ck_assert_ptr_null(strstr(out, print_of(FIX_DEST)));
    trusts_dest("127.0.0.1");
    snprintf(options, sizeof(options), "--fingerprint %s", print_of(FIX_NEXT));
    ck_assert_int_eq(fetch(options), 0);
    trusts("127.0.0.1", 2, both);
    /* and after its rotation */
    start(next_key);
    ck_assert_int_eq(fetch(""), 0);
    says_so(out, "already");
    trusts("127.0.0.1", 2, both);
}
END_TEST

/* As when somebody is in between: no option makes us take it. */
START_TEST(changed)
{
    char options[128];

    start(one_key);
    ck_assert_int_eq(fetch("--yes"), 0);
    start(somebody_else);
    ck_assert_int_eq(fetch("--yes"), 1);
    says_so(err, print_of(FIX_DEST));
    says_so(err, print_of(FIX_STRANGER));
    says_so(err, "packetd trust remove 127.0.0.1");
    snprintf(options, sizeof(options), "--fingerprint %s",
             print_of(FIX_STRANGER));
    ck_assert_int_eq(fetch(options), 1);
    ck_assert_int_eq(fetch_typing("", "yes\n"), 1);
    trusts_dest("127.0.0.1");
}
END_TEST

START_TEST(bad_answers)
{
    start(garbage);
    ck_assert_int_eq(fetch("--yes"), 1);
    says_so(err, "does not prove");
    start(replay);
    ck_assert_int_eq(fetch("--yes"), 1);
    says_so(err, "does not prove");
    trusts_nobody();
}
END_TEST

START_TEST(lost_once)
{
    start(deaf_at_first);
    ck_assert_int_eq(fetch("--yes"), 0);
    trusts_dest("127.0.0.1");
}
END_TEST

START_TEST(nobody_there)
{
    close(udp);
    udp = -1;
    ck_assert_int_eq(fetch("--yes"), 1);
    says_so(err, "is packetd running there");
    trusts_nobody();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        yes,     bad_names,   fingerprints, no_terminal,  terminal, next,
        changed, bad_answers, lost_once,    nobody_there, NULL,
    };

    return unit_main(unit_suite_in("fetch", tests, setup, teardown));
}
