/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_case.h"

char journal_top[32], journal_dir[64];
uint8_t journal_id[MEXT_ID_LEN];
struct mext_why why;
static char path[160];

static void make_dir(void)
{
    strcpy(journal_top, "/tmp/journal.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(journal_top));
    snprintf(journal_dir, sizeof(journal_dir), "%s/lib/migrations",
             journal_top);
    memset(journal_id, 0xa1, sizeof(journal_id));
}

static void clear_dir(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", journal_top);
    ck_assert_int_eq(system(command), 0);
}

/* ---- files as such ---- */

const char *path_of(const uint8_t *of, enum mext_side side)
{
    int n = snprintf(path, sizeof(path), "%s/", journal_dir);

    for (unsigned i = 0; i < MEXT_ID_LEN; i++)
        n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", of[i]);
    strcpy(path + n, side == SRC ? ".out" : ".in");
    return path;
}

off_t size_of(const char *file)
{
    struct stat st;

    return stat(file, &st) ? -1 : st.st_size;
}

void poke(off_t at, const void *p, size_t n)
{
    int fd = open(path_of(journal_id, SRC), O_WRONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, p, n, at), (ssize_t)n);
    close(fd);
}

void put_file(unsigned i, enum mext_noted n, uint64_t begun, uint64_t changed)
{
    enum mext_side side = n < MEXT_NOTED_INCOMING ? SRC : DST;
    struct mext_entry e = { .side = side, .noted = n };
    uint8_t bytes[LEN];
    FILE *f;

    mext_store32(e.id, i);
    e.begun = begun;
    e.changed = changed;
    ck_assert_int_eq(mext_entry_encode(&e, 1, bytes), 0);
    f = fopen(path_of(e.id, side), "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, LEN, f), LEN);
    fclose(f);
}

void make_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "mkdir -p -m 700 %s", journal_dir);
    ck_assert_int_eq(system(command), 0);
}

void put_empty(const char *file)
{
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    fclose(f);
}

int files(void)
{
    DIR *d = opendir(journal_dir);
    struct dirent *e;
    int n = 0;

    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d)))
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

/* ---- journals ---- */

void fill(struct mext_entry *e, enum mext_side side)
{
    fix_entry(&fix_journals[side == SRC ? 0 : 2], 0, e);
    memcpy(e->id, journal_id, sizeof(journal_id));
    memset(e->boot, 0, sizeof(e->boot));
    e->begun = e->changed = 0;
}

struct mext_journal *create(enum mext_side side)
{
    struct mext_journal *j;
    struct mext_entry e;

    fill(&e, side);
    ck_assert_msg(!mext_journal_create(journal_dir, &e, &j, &why), "%s",
                  why.text);
    return j;
}

void note(struct mext_journal *j, enum mext_noted n, const char *text)
{
    ck_assert_msg(!mext_journal_note(j, n, text, &why), "%s", why.text);
}

struct mext_journal *take(enum mext_side side)
{
    struct mext_journal *j;

    ck_assert_msg(!mext_journal_take(journal_dir, journal_id, side, &j, &why),
                  "%s", why.text);
    return j;
}

enum mext_noted noted(void)
{
    struct mext_entry e;

    return mext_journal_read(journal_dir, journal_id, SRC, &e, &why) ? 0
                                                                     : e.noted;
}

void two_records(void)
{
    struct mext_journal *j = create(SRC);

    note(j, MEXT_NOTED_COMMITTING, NULL);
    mext_journal_close(j);
    ck_assert_int_eq(size_of(path_of(journal_id, SRC)), 2 * LEN);
}

static bool see(void *arg, const struct mext_entry *e, bool alive)
{
    struct seen *s = arg;

    if (s->n < COUNT(s->begun))
        s->begun[s->n] = e->begun;
    s->alive += alive;
    return ++s->n == s->stop;
}

struct seen all(unsigned stop)
{
    struct seen s = { .stop = stop };

    ck_assert_msg(!mext_journal_each(journal_dir, see, &s, &why), "%s",
                  why.text);
    return s;
}

int journal_main(const char *name, const TTest *const *tests)
{
    return unit_main(unit_suite_in(name, tests, make_dir, clear_dir));
}
