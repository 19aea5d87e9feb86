/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests that ask to be moved: what they and packetd write, and the policy by
 * which packetd judges.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mext_move.h"
#include "policy.h"
#include "unit.h"

#define ID   "0123456789abcdef"
#define R    "v1 " ID " "
#define H8   "hhhhhhhh"
#define H64  H8 H8 H8 H8 H8 H8 H8 H8
#define T50  "ttttttttttttttttttttttttttttttttttttttttttttttttt "
#define T200 T50 T50 T50 T50

/* Requests with their destination, NULL: refused. */
static const struct {
    const char *text, *dest;
} requests[] = {
    { R "host2", "host2" },
    { R "h", "h" },
    { R "192.0.2.2:7010", "192.0.2.2" },
    { R "192.0.2.2:7011", "192.0.2.2:7011" },
    { R "a_b-c.d:65535", "a_b-c.d:65535" },
    { R H64 ":65535", H64 ":65535" },
    { R H64 "h", NULL },
    { R "-oProxyCommand", NULL },
    { R "--help", NULL },
    { R ".host", NULL },
    { R "_host", NULL },
    { R ":7010", NULL },
    { R "host:", NULL },
    { R "host:0", NULL },
    { R "host:010", NULL },
    { R "host:65536", NULL },
    { R "host:4294967297", NULL },
    { R "host:99999999999", NULL },
    { R "host:1x", NULL },
    { R "host:1:2", NULL },
    { R "host:-1", NULL },
    { R "[::1]", NULL },
    { R "host ", NULL },
    { R " host", NULL },
    { R "host\n", NULL },
    { R "host;reboot", NULL },
    { R "$(reboot)", NULL },
    { R "ho\xc3\xb6st", NULL },
    { R "../host", NULL },
    { R "", NULL },
    { "", NULL },
    { "v1", NULL },
    { "v1 " ID, NULL },
    { "v2 " ID " host", NULL },
    { "V1 " ID " host", NULL },
    { "v1 0123456789ABCDEF host", NULL },
    { "v1 0123456789abcde host", NULL },
    { "v1 " ID "0 host", NULL },
    { "v1  " ID " host", NULL },
};

START_TEST(request)
{
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct mext_move_request r;
        char again[MEXT_MOVE_REQUEST_MAX + 1];
        const char *text = requests[i].text, *dest = requests[i].dest;
        int rc = mext_move_request_parse(text, strlen(text), &r);

        ck_assert_msg(!rc == !!dest, "case %zu: %s", i, text);
        if (!dest)
            continue;
        ck_assert_str_eq(r.id, ID);
        ck_assert_str_eq(r.dest, dest);
        mext_move_request_text(&r, again);
        ck_assert_int_eq(mext_move_request_parse(again, strlen(again), &r), 0);
        ck_assert_str_eq(r.dest, dest);
    }
}
END_TEST

START_TEST(request_with_a_nul)
{
    static const char text[] = R "host\0host";
    struct mext_move_request r;

    ck_assert_int_lt(mext_move_request_parse(text, sizeof(text) - 1, &r), 0);
    ck_assert_int_lt(mext_move_request_parse(text, sizeof(R "host"), &r), 0);
    ck_assert_int_eq(mext_move_request_parse(text, sizeof(R "host") - 1, &r),
                     0);
}
END_TEST

START_TEST(status)
{
    static const struct mext_move_status good[] = {
        { ID, 1, MEXT_MOVE_ACCEPTED, "" },
        { ID, 2, MEXT_MOVE_RUNNING, "iteration 1: 5 pages" },
        { ID, UINT32_MAX, MEXT_MOVE_REFUSED, T200 },
        { "0000000000000000", 3, MEXT_MOVE_FAILED, "~ !" },
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        char text[MEXT_MOVE_STATUS_MAX + 1];
        struct mext_move_status s;

        mext_move_status_text(&good[i], text);
        ck_assert_int_eq(mext_move_status_parse(text, strlen(text), &s), 0);
        ck_assert_str_eq(s.id, good[i].id);
        ck_assert_uint_eq(s.seq, good[i].seq);
        ck_assert_int_eq(s.state, good[i].state);
        ck_assert_str_eq(s.text, good[i].text);
        ck_assert_int_eq(mext_move_final(s.state), i >= 2);
    }
}
END_TEST

START_TEST(status_refused)
{
    static const char *const bad[] = {
        "",
        R,
        R "1",
        R "1 ",
        R "1 failed", /* the space belongs there */
        R "0 failed x",
        R "01 failed x",
        R "4294967296 failed x",
        R "-1 failed x",
        R "1 done x",
        R "1 failedx",
        R "1 failed x\n",
        R "1 failed \x1b[2J",
        R "1 failed \xe9",
        R "1 failed " T200 "t",
        "v1 0123456789abcdeg 1 failed x",
    };
    struct mext_move_status s;

    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(mext_move_status_parse(bad[i], strlen(bad[i]), &s) < 0,
                      "case %zu: %s", i, bad[i]);
    ck_assert_int_lt(mext_move_status_parse(R "1 failed a\0b",
                                            sizeof(R "1 failed a\0b") - 1, &s),
                     0);
}
END_TEST

START_TEST(printable)
{
    char out[MEXT_MOVE_TEXT_MAX + 1];

    mext_move_printable("a\tb\x1b[1m\x7f\xc3\xa9 c", out);
    ck_assert_str_eq(out, "a?b?[1m??? c");
    mext_move_printable(T200 T200, out);
    ck_assert_str_eq(out, T200);
}
END_TEST

/* ---- policy ---- */

static char path[] = "/tmp/policy.XXXXXX";
static struct policy policy;
static char errors[1024];

static void note_error(void *arg, unsigned line, const char *text)
{
    size_t n = strlen(errors);

    snprintf(errors + n, sizeof(errors) - n, "%u: %s; ", line, text);
}

static unsigned read_text(const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    errors[0] = 0;
    return policy_read(path, &policy, note_error, NULL);
}

static void make_file(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    close(mkstemp(path));
}

static void remove_file(void)
{
    unlink(path);
}

START_TEST(rules)
{
    ck_assert_uint_eq(read_text("# who may go where\n"
                                "\n"
                                "guest-migrate  web-* host2\t60 # nightly\n"
                                "guest-migrate db ha?.example* never\r\n"
                                "guest-migrate db * 0"),
                      0);
    ck_assert_uint_eq(policy.n, 3);
    ck_assert_uint_eq(policy_find(&policy, "web-1", "host2")->seconds, 60);
    ck_assert_ptr_null(policy_find(&policy, "web-1", "host3"));
    ck_assert_ptr_null(policy_find(&policy, "web-1", "host2:7011"));
    ck_assert_ptr_null(policy_find(&policy, "xweb-1", "host2"));
    /* the first that matches */
    ck_assert(policy_find(&policy, "db", "hat.example:1")->never);
    ck_assert(!policy_find(&policy, "db", "host2:7011")->never);
    ck_assert_ptr_null(policy_find(&policy, "dbx", "host2"));
}
END_TEST

START_TEST(no_file)
{
    unlink(path);
    ck_assert_uint_eq(policy_read(path, &policy, note_error, NULL), 0);
    ck_assert_uint_eq(policy.n, 0);
    ck_assert_ptr_null(policy_find(&policy, "a", "b"));
}
END_TEST

START_TEST(bad_lines)
{
    static const char *const bad[] = {
        "guest-migrate\n",
        "guest-migrate a b\n",
        "guest-migrate a b 1 2\n",
        "guest-migrate a b -1\n",
        "guest-migrate a b +1\n",
        "guest-migrate a b 1s\n",
        "guest-migrate a b 31536001\n",
        "guest-migrate a b 99999999999999999999\n",
        "guest-migrate a b Never\n",
        "guest-migrate a \xe9 1\n",
        "guest-migrate " H64 H64 "h b 1\n",
        "migrate a b 1\n",
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(read_text(bad[i]) == 1, "case %zu: %s", i, bad[i]);
    ck_assert_uint_eq(read_text("guest-migrate a b 1\nx\n\nguest-migrate c\n"),
                      2);
    ck_assert_ptr_nonnull(strstr(errors, "2: unknown"));
    ck_assert_ptr_nonnull(strstr(errors, "4: guest-migrate needs"));
}
END_TEST

START_TEST(limits)
{
    static char text[POLICY_RULES_MAX * 32 + 64];
    size_t n = 0;

    for (unsigned i = 0; i < POLICY_RULES_MAX; i++)
        n += (size_t)sprintf(text + n, "guest-migrate g%u h 1\n", i);
    ck_assert_uint_eq(read_text(text), 0);
    strcpy(text + n, "guest-migrate x y 1\n");
    ck_assert_uint_eq(read_text(text), 1);
    ck_assert_ptr_nonnull(strstr(errors, "257: more than 256"));
    /* the rest of a long line is not another line */
    memset(text, ' ', 600);
    strcpy(text + 600, "guest-migrate a b 1\n");
    ck_assert_uint_eq(read_text(text), 1);
    ck_assert_str_eq(errors, "1: longer than 510 bytes; ");
}
END_TEST

START_TEST(writable_by_others)
{
    read_text("guest-migrate a b 1\n");
    chmod(path, 0620);
    ck_assert_uint_eq(policy_read(path, &policy, note_error, NULL), 1);
    ck_assert_ptr_nonnull(strstr(errors, "others may write"));
}
END_TEST

/* What a refusal proposes allows just that. */
START_TEST(proposed_line)
{
    char line[300];

    policy_line("a*[b]?\\c", "host2:7011", line, sizeof(line));
    ck_assert_uint_eq(read_text(line), 0);
    ck_assert_ptr_nonnull(policy_find(&policy, "a*[b]?\\c", "host2:7011"));
    ck_assert_ptr_null(policy_find(&policy, "axxbx\\c", "host2:7011"));
    ck_assert_ptr_null(policy_find(&policy, "a*[b]?\\c", "host2"));
    policy_line("my #1", "host2", line, sizeof(line));
    ck_assert_str_eq(line, "guest-migrate my??1 host2 600");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        request,       request_with_a_nul,
        status,        status_refused,
        printable,     rules,
        no_file,       bad_lines,
        limits,        writable_by_others,
        proposed_line, NULL,
    };

    return unit_main(unit_suite_in("move", tests, make_file, remove_file));
}
