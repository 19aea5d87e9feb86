/* SPDX-License-Identifier: GPL-2.0-only */
/* Which guests came in by whose key, with domains that come, go and come back. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "received.h"
#include "unit.h"

#define FIRST  "11111111-2222-3333-4444-555555555555"
#define SECOND "66666666-2222-3333-4444-555555555555"

static char dir[] = "/tmp/received.XXXXXX";
static struct mext_why why;

/* ---- xenstore, and one rule: whoever comes by the key "friend" ---- */

static struct {
    const char *vm, *name; /* NULL: it is not there */
} domains[4];              /* of domain 1 and so on */
static bool store_broken;
static char asked[64]; /* the last name that a rule was looked for with */
static const struct policy_accept rule, other_rule;

int mext_store_domains(struct mext_store *s, uint32_t *out, unsigned max)
{
    int n = 0;

    for (uint32_t i = 0; i < 4; i++)
        if (domains[i].vm || domains[i].name)
            out[n++] = i + 1;
    return store_broken ? -1 : n;
}

int mext_store_read(struct mext_store *s, uint32_t domid, const char *path,
                    char *out, size_t max)
{
    const char *value = !strcmp(path, "vm") ? domains[domid - 1].vm
                                            : domains[domid - 1].name;

    if (!value || strlen(value) >= max)
        return -1;
    strcpy(out, value);
    return (int)strlen(value);
}

const struct policy_accept *policy_accept_find(const struct policy *p,
                                               const char *key,
                                               const char *name)
{
    snprintf(asked, sizeof(asked), "%s", name);
    return strcmp(key, "friend") ? &other_rule : &rule;
}

/* ---- helpers ---- */

static void setup(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    memset(domains, 0, sizeof(domains));
    store_broken = false;
}

static void teardown(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static int lock(void)
{
    int fd = received_lock(dir, &why);

    ck_assert_msg(fd >= 0, "%s", why.text);
    return fd;
}

static void note(uint32_t domid, const char *key)
{
    int fd = lock();

    ck_assert_msg(!received_note(fd, NULL, domid, key, &why), "%s", why.text);
    close(fd);
}

static int count(const struct policy_accept *r)
{
    int fd = lock(), n = received_count(fd, NULL, NULL, r, &why);

    close(fd);
    return n;
}

static bool kept(const char *uuid)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/received/%s", dir, uuid);
    return !access(path, F_OK);
}

/* Its file says that it was missed so many seconds ago. */
static void missed_since(const char *uuid, time_t s)
{
    struct timespec t[2] = { { time(NULL) - s, 0 }, { time(NULL) - s, 0 } };
    char path[128];

    snprintf(path, sizeof(path), "%s/received/%s", dir, uuid);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* ---- tests ---- */

START_TEST(counted_by_rule)
{
    domains[0].vm = "/vm/" FIRST;
    domains[0].name = "web--incoming";
    domains[1].vm = "/vm/" SECOND;
    domains[1].name = "db";
    domains[2].vm = "/vm/" FIRST "/more"; /* no uuid */
    domains[2].name = "odd";
    domains[3].name = "none";
    ck_assert_int_eq(count(&rule), 0);
    note(1, "friend");
    ck_assert_int_eq(count(&rule), 1);
    ck_assert_str_eq(asked, "web");
    note(2, "stranger");
    ck_assert_int_eq(count(&rule), 1);
    ck_assert_int_eq(count(&other_rule), 1);
    /* It moves in again by another key. */
    note(2, "friend");
    ck_assert_int_eq(count(&rule), 2);
    ck_assert_int_eq(count(&other_rule), 0);
}
END_TEST

START_TEST(away_for_a_moment)
{
    domains[0].vm = "/vm/" FIRST;
    domains[0].name = "web";
    note(1, "friend");
    missed_since(FIRST, 10000); /* written long ago, and here all the time */
    ck_assert_int_eq(count(&rule), 1);
    domains[0].vm = NULL;
    ck_assert_int_eq(count(&rule), 0);
    ck_assert(kept(FIRST));
    missed_since(FIRST, 290);
    ck_assert_int_eq(count(&rule), 0);
    ck_assert(kept(FIRST));
    /* Started again as another domain. */
    domains[1].vm = "/vm/" FIRST;
    domains[1].name = "web";
    ck_assert_int_eq(count(&rule), 1);
    /* Away again: it is missed from now on. */
    missed_since(FIRST, 10000);
    domains[1].vm = NULL;
    ck_assert_int_eq(count(&rule), 0);
    ck_assert(kept(FIRST));
}
END_TEST

START_TEST(away_for_good)
{
    domains[0].vm = "/vm/" FIRST;
    domains[0].name = "web";
    note(1, "friend");
    domains[0].vm = NULL;
    ck_assert_int_eq(count(&rule), 0);
    missed_since(FIRST, 302);
    ck_assert_int_eq(count(&rule), 0);
    ck_assert(!kept(FIRST));
    domains[0].vm = "/vm/" FIRST;
    ck_assert_int_eq(count(&rule), 0);
}
END_TEST

START_TEST(without_a_uuid)
{
    int fd = lock();

    domains[0].name = "web";
    ck_assert_int_eq(received_note(fd, NULL, 1, "friend", &why), -1);
    ck_assert_str_eq(why.text, "domain 1 has no uuid in xenstore");
    close(fd);
}
END_TEST

START_TEST(xenstore_is_silent)
{
    domains[0].vm = "/vm/" FIRST;
    domains[0].name = "web";
    note(1, "friend");
    store_broken = true;
    ck_assert_int_eq(count(&rule), -1);
    ck_assert(kept(FIRST));
}
END_TEST

START_TEST(one_at_a_time)
{
    char path[64];
    int fd = lock(), second;

    snprintf(path, sizeof(path), "%s/received", dir);
    second = open(path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(flock(second, LOCK_EX | LOCK_NB), -1);
    close(fd);
    ck_assert_int_eq(flock(second, LOCK_EX | LOCK_NB), 0);
    close(second);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        counted_by_rule,    away_for_a_moment, away_for_good, without_a_uuid,
        xenstore_is_silent, one_at_a_time,     NULL,
    };

    return unit_main(unit_suite_in("received", tests, setup, teardown));
}
