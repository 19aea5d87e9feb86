/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that ask to be moved: what they and packetd write. */
#include <string.h>

#include "mext_move.h"
#include "mext_text.h"
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

    mext_show("a\tb\x1b[1m\x7f\xc3\xa9 c", 12, out, sizeof(out));
    ck_assert_str_eq(out, "a?b?[1m??? c");
    mext_show(T200 T200, 400, out, sizeof(out));
    ck_assert_str_eq(out, T200);
    mext_show("ab", 2, out, 1);
    ck_assert_str_eq(out, "");
    strcpy(out, "\r in place");
    mext_show(out, strlen(out), out, sizeof(out));
    ck_assert_str_eq(out, "? in place");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        request, request_with_a_nul, status, status_refused, printable, NULL,
    };

    return unit_main(unit_suite("move", tests));
}
