/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
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

    tcase_add_checked_fixture(unit_case(s, name, tests), setup, teardown);
    return s;
}

TCase *unit_case(Suite *s, const char *name, const TTest *const *tests)
{
    TCase *c = tcase_create(name);

    while (*tests)
        tcase_add_test(c, *tests++);
    suite_add_tcase(s, c);
    return c;
}

int unit_listen(int type, unsigned *port_r)
{
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(sa);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert(type != SOCK_STREAM || !listen(fd, 8));
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port_r = ntohs(sa.sin_port);
    return fd;
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
