/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of a monitor socket, both ways: what is taken can be said again. */
#include <string.h>

#include "fuzz.h"
#include "mext_monitor.h"

const char fuzz_corpus[] = "steer";
const size_t fuzz_mutations = 1000000;

static void try_command(const char *text, size_t size)
{
    char again[MEXT_MONITOR_LINE_MAX];
    struct mext_command c, c2;
    struct mext_why why;
    size_t n;

    if (mext_command_parse(text, size, &c, &why))
        return;
    FUZZ_CHECK(c.wishes.downtime_ms <= MEXT_MONITOR_DOWNTIME_MAX);
    FUZZ_CHECK(c.wishes.iterations <= MEXT_MONITOR_ITERATIONS_MAX);
    n = mext_command_text(&c, again);
    FUZZ_CHECK(n < sizeof(again) && n == strlen(again));
    FUZZ_CHECK(!mext_command_parse(again, n, &c2, &why));
    FUZZ_CHECK(c.word == c2.word);
    FUZZ_CHECK(c.wishes.downtime_ms == c2.wishes.downtime_ms);
    FUZZ_CHECK(c.wishes.iterations == c2.wishes.iterations);
    FUZZ_CHECK(c.wishes.bytes_per_s == c2.wishes.bytes_per_s);
    FUZZ_CHECK(c.wishes.timeout_ms == c2.wishes.timeout_ms);
    FUZZ_CHECK(c.wishes.switch_over == c2.wishes.switch_over);
}

static void try_line(const char *text, size_t size)
{
    char again[MEXT_MONITOR_LINE_MAX];
    struct mext_monitor_line l, l2;
    struct mext_why why;
    size_t n;

    if (mext_monitor_parse(text, size, &l, &why))
        return;
    n = mext_monitor_text(&l, again);
    FUZZ_CHECK(n > 1 && n <= sizeof(again) && again[n - 1] == '\n');
    FUZZ_CHECK(!mext_monitor_parse(again, n - 1, &l2, &why));
    FUZZ_CHECK(l.answer == l2.answer && l.ok == l2.ok && l.last == l2.last);
    FUZZ_CHECK(!strcmp(l.text, l2.text));
    if (!l.answer)
        FUZZ_CHECK(!strcmp(l.guest, l2.guest) && l.of == l2.of);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_command((const char *)data, size);
    try_line((const char *)data, size);
    return 0;
}
