/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of a migration's monitor socket, read and written. */
#include <string.h>

#include "mext_monitor.h"
#include "unit.h"

static struct mext_why why;

START_TEST(longest_status)
{
    struct mext_monitor_line l = { .last = true }, again;
    char text[MEXT_MONITOR_LINE_MAX];
    size_t n;

    memset(l.id, '0', sizeof(l.id) - 1);
    strcpy(l.side, "out");
    memset(l.guest, '"', sizeof(l.guest) - 1);
    memset(l.peer, '\\', sizeof(l.peer) - 1);
    memset(l.state, '"', sizeof(l.state) - 1);
    memset(l.step, '"', sizeof(l.step) - 1);
    memset(l.text, '"', sizeof(l.text) - 1);
    l.iteration = l.sent = l.of = l.wire_bytes = UINT64_MAX;
    l.pages_per_s = l.seconds = UINT64_MAX;
    n = mext_monitor_text(&l, text);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(text[n - 1], '\n');
    ck_assert_int_eq(mext_monitor_parse(text, n - 1, &again, &why), 0);
    ck_assert_mem_eq(&l, &again, sizeof(l));
}
END_TEST

START_TEST(server_lines)
{
    static const char *const rows[] = {
        "{\"ok\":true,\"why\":\"x\"}",
        "{\"ok\":false}",
        "{\"why\":\"x\"}",
        "{\"ok\":true,\"text\":\"\"}",
        "{\"id\":\"1\"}",
        "{\"ok\":1}",
        "[{\"ok\":true}]",
        "{\"ok\":true,\"a\":{}}",
    };
    struct mext_monitor_line l;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_msg(mext_monitor_parse(rows[i], strlen(rows[i]), &l, &why),
                      "%s", rows[i]);
    /* what a later server may say */
    ck_assert_int_eq(mext_monitor_parse("{\"ok\":true,\"a\":null,\"b\":[\"\"]}",
                                        30, &l, &why),
                     -1);
    ck_assert_int_eq(
        mext_monitor_parse("{\"ok\":true,\"a\":null,\"b\":-1.5}", 29, &l, &why),
        0);
}
END_TEST

START_TEST(commands_again)
{
    static const struct mext_command rows[] = {
        { MEXT_WORD_STATUS, { 0 } },
        { MEXT_WORD_CANCEL, { 0 } },
        { MEXT_WORD_SWITCH_OVER, { .switch_over = true } },
        { MEXT_WORD_LIMITS,
          { 3600000, 1000, MEXT_MONITOR_RATE_MAX, MEXT_MONITOR_TIMEOUT_MAX,
            false } },
        { MEXT_WORD_LIMITS, { .bytes_per_s = UINT64_MAX } },
        { MEXT_WORD_LIMITS, { .timeout_ms = UINT64_MAX } },
    };
    char text[MEXT_MONITOR_LINE_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct mext_command c;
        size_t n = mext_command_text(&rows[i], text);

        ck_assert_uint_eq(n, strlen(text));
        ck_assert_msg(!mext_command_parse(text, n, &c, &why), "%s: %s", text,
                      why.text);
        ck_assert_int_eq(c.word, rows[i].word);
        ck_assert_uint_eq(c.wishes.downtime_ms, rows[i].wishes.downtime_ms);
        ck_assert_uint_eq(c.wishes.iterations, rows[i].wishes.iterations);
        ck_assert_uint_eq(c.wishes.bytes_per_s, rows[i].wishes.bytes_per_s);
        ck_assert_uint_eq(c.wishes.timeout_ms, rows[i].wishes.timeout_ms);
        ck_assert_int_eq(c.wishes.switch_over, rows[i].wishes.switch_over);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { longest_status, server_lines, commands_again,
                                   NULL };

    return unit_main(unit_suite("monitor", tests));
}
