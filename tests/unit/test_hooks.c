/* SPDX-License-Identifier: GPL-2.0-only */
/* The folders of hooks: what is run, in what order, and what a failure means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "unit.h"

static char dir[] = "/tmp/hooks.XXXXXX";
static struct agent_why why;
static unsigned n;

static void setup(void)
{
    char path[64];

    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/pre.d", dir);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    memset(&why, 0, sizeof(why));
}

static void teardown(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* A script in pre.d that notes its name and what it is called with, then does so. */
static void hook(const char *name, unsigned mode, const char *does)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/pre.d/%s", dir, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "#!/bin/sh\nprintf '%s=%%s ' \"$1\" >>%s/ran\n%s\n", name, dir,
            does);
    fclose(f);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* Runs pre.d: the result, and which were run, so many of them begun. */
static void run(bool strict, uint64_t ms, int rc, unsigned begun,
                const char *ran)
{
    char path[64], text[256] = "";

    ck_assert_int_eq(
        hooks_run(dir, "pre.d", agent_now_ms() + ms, strict, &n, &why), rc);
    ck_assert_uint_eq(n, begun);
    snprintf(path, sizeof(path), "%s/ran", dir);
    agent_read_file(path, text, sizeof(text));
    ck_assert_str_eq(text, ran);
}

START_TEST(in_order)
{
    hook("20-b", 0755, "exit 0");
    hook("10-a", 0700, "exit 0");
    run(true, 60000, 0, 2, "10-a=pre.d 20-b=pre.d ");
}
END_TEST

START_TEST(what_is_none)
{
    hook("10-a.dpkg-old", 0755, "exit 0");
    hook("20-b~", 0755, "exit 0");
    hook("30-others-may-write", 0757, "exit 0");
    hook("40-group-may-write", 0775, "exit 0");
    hook("50-no-program", 0644, "exit 0");
    run(true, 60000, 0, 0, "");
}
END_TEST

START_TEST(folder_of_others)
{
    char path[64];

    hook("10-a", 0755, "exit 0");
    snprintf(path, sizeof(path), "%s/pre.d", dir);
    ck_assert_int_eq(chmod(path, 0777), 0);
    run(true, 60000, 0, 0, "");
    ck_assert_int_eq(chmod(path, 0755), 0);
    ck_assert_int_eq(chown(path, 12345, 0), 0);
    run(true, 60000, 0, 0, "");
}
END_TEST

START_TEST(no_folder)
{
    ck_assert_int_eq(
        hooks_run(dir, "post.d", agent_now_ms() + 60000, true, &n, &why), 0);
    ck_assert_uint_eq(n, 0);
}
END_TEST

/* Before the suspend one that fails is the end. */
START_TEST(strict)
{
    hook("10-a", 0755, "exit 3");
    hook("20-b", 0755, "exit 0");
    run(true, 60000, -1, 1, "10-a=pre.d ");
    ck_assert_uint_eq(why.code, MEXT_AGENT_E_FAILED);
    ck_assert_ptr_nonnull(strstr(why.text, "10-a: status 3"));
}
END_TEST

/* What undoes something is all run. */
START_TEST(lenient)
{
    hook("10-a", 0755, "exit 3");
    hook("20-b", 0755, "kill -9 $$");
    hook("30-c", 0755, "exit 0");
    run(false, 60000, 0, 3, "10-a=pre.d 20-b=pre.d 30-c=pre.d ");
}
END_TEST

START_TEST(deadline)
{
    hook("10-a", 0755, "sleep 1000");
    hook("20-b", 0755, "exit 0");
    run(true, 3000, -1, 1, "10-a=pre.d ");
    ck_assert_uint_eq(why.code, MEXT_AGENT_E_DEADLINE);
}
END_TEST

/* The time is over already: each has a little nevertheless. */
START_TEST(lenient_deadline)
{
    hook("10-a", 0755, "sleep 1000");
    hook("20-b", 0755, "exit 0");
    run(false, 0, 0, 2, "10-a=pre.d 20-b=pre.d ");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        in_order, what_is_none, folder_of_others, no_folder, strict,
        lenient,  deadline,     lenient_deadline, NULL,
    };

    unit_need_root();
    return unit_main(unit_suite_in("hooks", tests, setup, teardown));
}
