/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "unit.h"

#define SKIPPED 77 /* automake's word for it */

void unit_need_root(void)
{
    if (!geteuid())
        return;
    fputs("only root can give up privileges: run this as root\n", stderr);
    exit(SKIPPED);
}

Suite *unit_suite(const char *name, const TTest *const *tests)
{
    return unit_suite_in(name, tests, NULL, NULL);
}

Suite *unit_suite_in(const char *name, const TTest *const *tests, SFun setup,
                     SFun teardown)
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create(name);

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 120);
    while (*tests)
        tcase_add_test(c, *tests++);
    suite_add_tcase(s, c);
    return s;
}

int unit_main(Suite *s)
{
    SRunner *r = srunner_create(s);
    int bad;

    if (sodium_init() < 0)
        return 1;
    srunner_run_all(r, CK_ENV);
    bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad ? 1 : 0;
}

size_t unit_vector(const char *name, uint8_t *buf, size_t max)
{
    const char *top = getenv("srcdir");
    char path[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/tests/vectors/data/%s", top ? top : ".",
             name);
    f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    n = fread(buf, 1, max, f);
    fclose(f);
    return n;
}
