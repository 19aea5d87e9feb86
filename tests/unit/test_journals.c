/* SPDX-License-Identifier: GPL-2.0-only */
/* Journals: who holds one, all of them, and which are removed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "journal_case.h"
#include "mext_minds.h"

static unsigned minded; /* number of the one whose guest is, 0: none */

bool mext_minds_wanted(const uint8_t id[MEXT_ID_LEN])
{
    return minded && mext_load32(id) == minded;
}

/* ---- who holds it ---- */

/* A process that takes the journal, says so, and sits there. */
static pid_t holder(bool creates)
{
    int p[2];
    pid_t pid;
    char c;

    ck_assert_int_eq(pipe(p), 0);
    pid = fork();
    if (!pid) {
        if (creates)
            create(SRC);
        else
            take(SRC);
        if (write(p[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(p[0], &c, 1), 1);
    close(p[0]);
    close(p[1]);
    return pid;
}

static void end(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(held)
{
    for (unsigned i = 0; i < 2; i++) {
        struct mext_journal *j;
        pid_t pid = holder(!i);

        ck_assert_int_eq(
            mext_journal_take(journal_dir, journal_id, SRC, &j, &why), 1);
        ck_assert_uint_eq(all(0).alive, 1);
        ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);
        end(pid);
        ck_assert_uint_eq(all(0).alive, 0);
    }
    mext_journal_close(take(SRC));
}
END_TEST

/* Within one process too; and who only looks is in nobody's way. */
START_TEST(held_here)
{
    struct mext_journal *j = create(SRC), *k;

    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &k, &why),
                     1);
    ck_assert_uint_eq(all(0).alive, 1);
    ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &k, &why),
                     1);
    note(j, MEXT_NOTED_KEPT, NULL);
    mext_journal_close(j);
    k = take(SRC);
    mext_journal_close(k);
}
END_TEST

/* A child that closes what it inherited, or just ends, unlocks nothing. */
START_TEST(inherited)
{
    struct mext_journal *j = create(SRC), *k;

    for (unsigned i = 0; i < 2; i++) {
        pid_t pid = fork();

        if (!pid) {
            if (i)
                mext_journal_close(j);
            _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(
            mext_journal_take(journal_dir, journal_id, SRC, &k, &why), 1);
    }
    mext_journal_close(j);
    mext_journal_close(take(SRC));
}
END_TEST

START_TEST(create_twice)
{
    struct mext_journal *j = create(SRC), *k;
    struct mext_entry e;

    mext_journal_close(create(DST));
    note(j, MEXT_NOTED_COMMITTING, NULL);
    for (unsigned i = 0; i < 2; i++) {
        fill(&e, SRC);
        ck_assert_int_eq(mext_journal_create(journal_dir, &e, &k, &why), -1);
        ck_assert_ptr_nonnull(strstr(why.text, "there already"));
        ck_assert_uint_eq(noted(), MEXT_NOTED_COMMITTING);
        ck_assert_int_eq(files(), 2);
        if (!i)
            mext_journal_close(j);
    }
}
END_TEST

static bool is_alive(void *arg, const struct mext_entry *e, bool alive)
{
    if (!alive)
        _exit(1);
    return false;
}

/* At no moment is a new one found that is not whole and held. */
START_TEST(never_found_free)
{
    struct mext_journal *j[100];
    pid_t pid = fork();
    int status;

    if (!pid) {
        for (;;) {
            int n = access(journal_dir, F_OK) ? 0 : files();

            mext_journal_each(journal_dir, is_alive, NULL, &why);
            mext_journal_expire(journal_dir, 0);
            if (n >= (int)COUNT(j))
                _exit(0);
        }
    }
    for (unsigned i = 0; i < COUNT(j); i++) {
        journal_id[0] = (uint8_t)i;
        j[i] = create(SRC);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
    ck_assert_int_eq(files(), COUNT(j));
    for (unsigned i = 0; i < COUNT(j); i++)
        mext_journal_close(j[i]);
}
END_TEST

/* Who takes one that is being removed has the one of that name, or none. */
START_TEST(taken_while_removed)
{
    unsigned taken = 0;
    pid_t pid;

    make_folder();
    pid = fork();
    if (!pid)
        for (;;)
            mext_journal_expire(journal_dir, 100 * 365 * DAY);
    for (unsigned i = 0; i < 2000; i++) {
        struct mext_journal *j;
        int r;

        put_file(1, MEXT_NOTED_DONE, 1, 1);
        memset(journal_id, 0, sizeof(journal_id));
        mext_store32(journal_id, 1);
        r = mext_journal_take(journal_dir, journal_id, SRC, &j, &why);
        if (r)
            continue;
        taken++;
        ck_assert_int_eq(access(path_of(journal_id, SRC), F_OK), 0);
        mext_journal_close(j);
    }
    end(pid);
    ck_assert_uint_gt(taken, 0);
}
END_TEST

/* ---- all of them ---- */

START_TEST(in_order)
{
    static const uint64_t begun[] = { 300, 100, 200, 100 };
    struct seen s;

    make_folder();
    for (unsigned i = 0; i < COUNT(begun); i++)
        put_file(i, i % 2 ? MEXT_NOTED_BEGUN : MEXT_NOTED_LOST, begun[i], 400);
    s = all(0);
    ck_assert_uint_eq(s.n, 4);
    ck_assert_uint_eq(s.alive, 0);
    ck_assert_uint_eq(s.begun[0], 100);
    ck_assert_uint_eq(s.begun[1], 100);
    ck_assert_uint_eq(s.begun[2], 200);
    ck_assert_uint_eq(s.begun[3], 300);
    s = all(2);
    ck_assert_uint_eq(s.n, 2);
}
END_TEST

static unsigned asked_of, of_final;

static bool settles(void *arg, const struct mext_entry *e, bool alive)
{
    asked_of++;
    of_final += mext_noted_final(e->noted);
    return mext_noted_final(e->noted);
}

static void look_again(struct mext_journal_known *k, unsigned asked,
                       unsigned final)
{
    asked_of = of_final = 0;
    ck_assert_int_eq(mext_journal_others(journal_dir, k, settles, NULL, &why),
                     0);
    ck_assert_uint_eq(asked_of, asked);
    ck_assert_uint_eq(of_final, final);
}

/* What is settled is asked about once; what is gone is forgotten. */
START_TEST(settled_ones)
{
    struct mext_journal_known k = { 0 };

    look_again(&k, 0, 0); /* no folder */
    make_folder();
    for (unsigned i = 0; i < 9; i++)
        put_file(i, i % 3 ? MEXT_NOTED_DONE : MEXT_NOTED_BEGUN, 1, 1);
    put_file(3, MEXT_NOTED_LOST, 1, 1); /* of the other side */
    look_again(&k, 10, 7);
    look_again(&k, 3, 0);
    put_file(0, MEXT_NOTED_KEPT, 1, 1);
    put_file(20, MEXT_NOTED_KEPT, 1, 1);
    look_again(&k, 4, 2);
    look_again(&k, 2, 0);
    memset(journal_id, 0, sizeof(journal_id));
    ck_assert_int_eq(unlink(path_of(journal_id, SRC)), 0);
    look_again(&k, 2, 0);
    put_file(0, MEXT_NOTED_KEPT, 1, 1);
    look_again(&k, 3, 1);
    free(k.v);
}
END_TEST

/* What is none of ours is neither read nor removed. */
START_TEST(other_files)
{
    static const char hex[] = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
    static const char *const forms[] = { "%s",     "%s.ou",  "%s.outx",
                                         "%s.OUT", "0%s.in", "%.31s.in",
                                         ".%s",    "x%s" };
    struct mext_journal *j;
    char file[128], name[64];

    make_folder();
    for (size_t i = 0; i < COUNT(forms); i++) {
        snprintf(name, sizeof(name), forms[i], hex);
        snprintf(file, sizeof(file), "%s/%s", journal_dir, name);
        put_empty(file);
    }
    ck_assert_int_eq(symlink(file, path_of(journal_id, SRC)), 0);
    ck_assert_int_eq(mkfifo(path_of(journal_id, DST), 0600), 0);
    ck_assert_uint_eq(all(0).n, 0);
    mext_journal_expire(journal_dir, UINT64_MAX);
    ck_assert_int_eq(files(), COUNT(forms) + 2);
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &j, &why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no regular file"));
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, DST, &j, &why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no regular file"));
}
END_TEST

START_TEST(no_folder)
{
    struct mext_journal *j;
    struct mext_entry e;

    ck_assert_uint_eq(all(0).n, 0);
    mext_journal_expire(journal_dir, UINT64_MAX);
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &j, &why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no such migration"));
    ck_assert_uint_eq(noted(), 0);
    ck_assert_ptr_nonnull(strstr(why.text, journal_dir));
    ck_assert_int_ne(access(journal_dir, F_OK), 0);
    strcpy(journal_dir, "/dev/null/x");
    fill(&e, SRC);
    ck_assert_int_eq(mext_journal_create(journal_dir, &e, &j, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, journal_dir));
    ck_assert_int_eq(mext_journal_each(journal_dir, is_alive, NULL, &why), -1);
}
END_TEST

START_TEST(expire_by_age)
{
    const uint64_t now = FIX_NOW, old = now - 30 * DAY - 1;
    struct mext_journal *j;

    make_folder();
    put_file(1, MEXT_NOTED_DONE, old, old);
    put_file(2, MEXT_NOTED_DONE, old - DAY, old + 1); /* ended later */
    put_file(3, MEXT_NOTED_STRANDED, old, old);
    put_file(4, MEXT_NOTED_COMMITTED, 1, 1);
    put_file(5, MEXT_NOTED_ABORTED, 1, 1);
    put_file(6, MEXT_NOTED_RUNNING, now + DAY, now + DAY); /* clock set back */
    memset(journal_id, 0, sizeof(journal_id));
    mext_store32(journal_id, 5);
    j = take(DST);
    minded = 1;
    mext_journal_expire(journal_dir, now);
    ck_assert_int_eq(files(), 6); /* its guest runs, and somebody minds it */
    minded = 0;
    mext_journal_expire(journal_dir, now);
    ck_assert_int_eq(files(), 5);
    ck_assert_int_ne(access(path_of((uint8_t[16]){ 0, 0, 0, 1 }, SRC), F_OK),
                     0);
    mext_journal_close(j);
    mext_journal_expire(journal_dir, now);
    ck_assert_int_eq(files(), 4);
    ck_assert_int_ne(access(path_of(journal_id, DST), F_OK), 0);
    mext_journal_expire(journal_dir, UINT64_MAX);
    ck_assert_int_eq(files(), 2);
}
END_TEST

START_TEST(expire_by_number)
{
    const unsigned max = MEXT_JOURNAL_KEEP_MAX;

    make_folder();
    for (unsigned i = 0; i < max + 3; i++)
        put_file(i, MEXT_NOTED_KEPT, FIX_NOW, FIX_NOW + max + 3 - i);
    for (unsigned i = 0; i < 5; i++)
        put_file(i, MEXT_NOTED_INCOMING, 1, 1);
    mext_journal_expire(journal_dir, FIX_NOW + DAY);
    ck_assert_int_eq(files(), (int)max + 5);
    /* the ones that ended first */
    for (unsigned i = max; i < max + 3; i++) {
        mext_store32(memset(journal_id, 0, sizeof(journal_id)), i);
        ck_assert_int_ne(access(path_of(journal_id, SRC), F_OK), 0);
    }
}
END_TEST

/* Cut off while it was made; or after it had its name. */
START_TEST(unfinished)
{
    const uint64_t now = (uint64_t)time(NULL);
    char file[160];

    make_folder();
    mext_journal_close(create(SRC));
    snprintf(file, sizeof(file), "%s/.%s", journal_dir,
             strrchr(path_of(journal_id, SRC), '/') + 1);
    ck_assert_int_eq(link(path_of(journal_id, SRC), file), 0);
    mext_journal_expire(journal_dir, now);
    ck_assert_int_eq(files(), 2);
    ck_assert_uint_eq(all(0).n, 1);
    mext_journal_expire(journal_dir, now + 7200);
    ck_assert_int_eq(files(), 1);
    ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);

    put_empty(file);
    ck_assert_uint_eq(all(0).n, 1);
    mext_journal_expire(journal_dir, now + 7200);
    ck_assert_int_eq(files(), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { held,
                                   held_here,
                                   inherited,
                                   create_twice,
                                   never_found_free,
                                   taken_while_removed,
                                   in_order,
                                   settled_ones,
                                   other_files,
                                   no_folder,
                                   expire_by_age,
                                   expire_by_number,
                                   unfinished,
                                   NULL };

    return journal_main("journals", tests);
}
