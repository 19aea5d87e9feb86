/* SPDX-License-Identifier: GPL-2.0-only */
/* mext-agent's pure parts: which pages are free, and its configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "unit.h"

#define CONFIG_OFF "x\n# CONFIG_INIT_ON_FREE_DEFAULT_ON is not set\n"
#define ZERO       MEXT_AGENT_FREE_ZERO

START_TEST(judge)
{
    static const struct {
        const char *cmdline, *config;
        int want;
    } cases[] = {
        /* unknown is taken for the worst that can be worked with */
        { "quiet\n", NULL, ZERO },
        { "quiet\n", "x\nCONFIG_INIT_ON_FREE_DEFAULT_ON=y\n", ZERO },
        { "quiet\n", CONFIG_OFF, 0 },
        { "init_on_free=0\n", NULL, 0 },
        { "init_on_free=off quiet\n", NULL, 0 },
        { "init_on_free=1\n", CONFIG_OFF, ZERO },
        { "init-on-free=1\n", CONFIG_OFF, ZERO },
        { "init-on_free=0\n", NULL, 0 },
        { "init_on_free\n", CONFIG_OFF, ZERO },
        { "init_on_free=0 init_on_free=1\n", CONFIG_OFF, ZERO },
        { "init_on_free=1 init_on_free=0\n", NULL, 0 },
        { "init_on_free=what\n", CONFIG_OFF, ZERO },
        { "xinit_on_free=0\n", NULL, ZERO },
        { "init_on_freedom=0\n", NULL, ZERO },
        { "init_on_alloc=1\n", CONFIG_OFF, 0 },
        { "page_poison=1\n", CONFIG_OFF, -1 },
        { "quiet page_poison=on x\n", CONFIG_OFF, -1 },
        { "page_poison\n", CONFIG_OFF, -1 },
        { "page_poison=0\n", CONFIG_OFF, 0 },
        { "page_poison=1 page_poison=0\n", CONFIG_OFF, 0 },
        { "debug_pagealloc=on\n", CONFIG_OFF, -1 },
        { "debug_pagealloc=off\n", CONFIG_OFF, 0 },
        { "", CONFIG_OFF "CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT=y\n", -1 },
        { "init_on_free=", CONFIG_OFF, ZERO },
        { "", NULL, ZERO },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct agent_why why = { 0, "" };

        ck_assert_msg(pages_judge(cases[i].cmdline, cases[i].config, &why) ==
                          cases[i].want,
                      "case %zu: %s", i, cases[i].cmdline);
        ck_assert_uint_eq(why.code,
                          cases[i].want < 0 ? MEXT_AGENT_E_UNSURE : 0);
    }
}
END_TEST

START_TEST(bits_of_both_reads)
{
    enum { FREE = 1 << 10 };
    uint64_t once[11] = {
        FREE,       FREE,           0,    FREE | 1, FREE | 1ull << 20,
        1ull << 20, FREE | 1 << 16, FREE, FREE,     FREE,
        FREE
    };
    uint64_t twice[11] = { FREE,
                           0,
                           FREE,
                           FREE,
                           FREE,
                           FREE,
                           FREE,
                           FREE,
                           FREE,
                           FREE,
                           FREE | 1ull << 19 };
    uint8_t bits[3] = { 0xff, 0xff, 0xee };

    ck_assert_uint_eq(pages_bits(once, twice, 11, bits), 4);
    ck_assert_uint_eq(bits[0], 0x81);
    ck_assert_uint_eq(bits[1], 0x03);
    ck_assert_uint_eq(bits[2], 0xee);
}
END_TEST

/* What agent_config_read says of a file with this text. */
static int config(const char *text, struct agent_config *c)
{
    char path[] = "/tmp/mext-unit-XXXXXX";
    int fd = mkstemp(path), rc;

    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    rc = agent_config_read(path, c);
    unlink(path);
    return rc;
}

START_TEST(configuration)
{
    struct agent_config c;

    ck_assert_int_eq(agent_config_read("/nonexistent/x", &c), 0);
    ck_assert(c.free && c.calm && c.clock && c.announce && c.quiesce);
    ck_assert_uint_eq(c.trim, MEXT_AGENT_TRIM_DEEP);
    ck_assert_uint_eq(c.ncgroups, 0);
    ck_assert_int_eq(config("# c\n\n cgroups = /a.slice//  b/c # d\n"
                            "trim=cache\nfree = no\nhooks = /opt/x\n"
                            "hook-timeout-ms = 60000\n",
                            &c),
                     0);
    ck_assert_uint_eq(c.ncgroups, 2);
    ck_assert_str_eq(c.cgroups[0], "a.slice");
    ck_assert_str_eq(c.cgroups[1], "b/c");
    ck_assert_uint_eq(c.trim, MEXT_AGENT_TRIM_CACHE);
    ck_assert(!c.free && c.quiesce);
    ck_assert_str_eq(c.hooks, "/opt/x");
    ck_assert_uint_eq(c.hook_ms, 60000);
}
END_TEST

START_TEST(configuration_refused)
{
    static const char *const texts[] = {
        "free\n",
        "free = maybe\n",
        "fre = yes\n",
        "trim = all\n",
        "hooks = relative\n",
        "hook-timeout-ms = 0\n",
        "hook-timeout-ms = 60001\n",
        "cgroups = a/./b\n",
        "cgroups = a//b\n",
        "hook-timeout-ms = 1x\n",
        "cgroups = ../x\n",
        "cgroups = a b c d e f g h i j k l m n o p q\n",
    };
    struct agent_config c;

    for (size_t i = 0; i < COUNT(texts); i++)
        ck_assert_msg(config(texts[i], &c) == -1, "%s", texts[i]);
}
END_TEST

/* Its end, which falls behind the reader's 1023 bytes, is no line. */
START_TEST(configuration_long_line)
{
    struct agent_config c;
    char text[1100];

    memset(text, ' ', sizeof(text));
    text[0] = '#';
    strcpy(text + 1023, "trim = none");
    ck_assert_int_eq(config(text, &c), -1);
    strcpy(text + 1000, "trim = none"); /* a comment without a newline */
    ck_assert_int_eq(config(text, &c), 0);
    ck_assert_uint_eq(c.trim, MEXT_AGENT_TRIM_DEEP);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        judge,
        bits_of_both_reads,
        configuration,
        configuration_refused,
        configuration_long_line,
        NULL,
    };

    return unit_main(unit_suite("guest", tests));
}
