/* SPDX-License-Identifier: GPL-2.0-only */
/* The journal: what is noted is found again, whatever was cut off or spoilt. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_case.h"

/* By their octets on disk; in memory there are gaps. */
static void check_same(const struct mext_entry *a, const struct mext_entry *b)
{
    uint8_t bytes[2][LEN];

    ck_assert_int_eq(mext_entry_encode(a, 1, bytes[0]), 0);
    ck_assert_int_eq(mext_entry_encode(b, 1, bytes[1]), 0);
    ck_assert_mem_eq(bytes[0], bytes[1], LEN);
}

START_TEST(round_trip)
{
    uint8_t boot[MEXT_BOOT_LEN], uuid[MEXT_UUID_LEN] = { 7 };
    struct mext_entry e, r;
    struct mext_journal *j;
    struct stat st;

    fill(&e, DST);
    strcpy(e.name, "caf\xc3\xa9\n");
    memset(e.text, 'x', sizeof(e.text));
    ck_assert_int_eq(mext_journal_create(journal_dir, &e, &j, &why), 0);
    ck_assert_int_eq(mext_boot_id(boot, &why), 0);
    ck_assert_mem_eq(e.boot, boot, sizeof(boot));
    ck_assert_uint_gt(e.begun, FIX_NOW);
    ck_assert_str_eq(e.name, "caf???");
    ck_assert_uint_eq(strlen(e.text), MEXT_ENTRY_TEXT_MAX);
    ck_assert_int_eq(mext_journal_read(journal_dir, journal_id, DST, &r, &why),
                     0);
    check_same(&e, &r);
    ck_assert_int_eq(stat(path_of(journal_id, DST), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(journal_dir, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(files(), 1);

    mext_journal_domain(j, 9, uuid);
    ck_assert_uint_eq(mext_journal_entry(j)->domid, 0);
    note(j, MEXT_NOTED_COMMITTED, "all\tthere");
    ck_assert_int_eq(mext_journal_read(journal_dir, journal_id, DST, &r, &why),
                     0);
    check_same(&r, mext_journal_entry(j));
    ck_assert_uint_eq(r.domid, 9);
    ck_assert_mem_eq(r.uuid, uuid, sizeof(uuid));
    ck_assert_str_eq(r.text, "all?there");
    ck_assert_str_eq(r.host, e.host);
    mext_journal_close(j);

    j = take(DST);
    note(j, MEXT_NOTED_RUNNING, NULL);
    ck_assert_uint_eq(mext_journal_entry(j)->domid, 9);
    ck_assert_str_eq(mext_journal_entry(j)->text, "");
    mext_journal_close(j);
    mext_journal_close(NULL);
    ck_assert_int_eq(size_of(path_of(journal_id, DST)), 3 * LEN);
}
END_TEST

/* The committed files say what they always said. */
START_TEST(committed_files)
{
    for (size_t i = 0; i < fix_njournals; i++) {
        const struct fix_journal *f = &fix_journals[i];
        static uint8_t bytes[8 * LEN];
        struct mext_entry e, r;
        char name[64];
        uint32_t seq;
        size_t n;

        snprintf(name, sizeof(name), "journal-%s", f->name);
        n = unit_vector(name, bytes, sizeof(bytes));
        for (unsigned k = 0; f->noted[k]; k++, n -= LEN) {
            fix_entry(f, k, &e);
            ck_assert_int_eq(mext_entry_decode(bytes + k * LEN, &seq, &r), 0);
            check_same(&e, &r);
            ck_assert_uint_eq(seq, k + 1);
        }
        ck_assert_uint_eq(n, 0);
    }
}
END_TEST

START_TEST(words)
{
    unsigned final = 0, named = 0;

    for (unsigned n = 0; n < 64; n++) {
        final += mext_noted_final(n);
        named += strcmp(mext_noted_name(n), "?") != 0;
    }
    ck_assert_uint_eq(final, 5);
    ck_assert_uint_eq(named, 10);
    ck_assert(!mext_noted_final(MEXT_NOTED_STRANDED));
    ck_assert(!mext_noted_final(MEXT_NOTED_COMMITTED));
    ck_assert_str_eq(mext_noted_name(MEXT_NOTED_COMMITTING), "committing");
}
END_TEST

/* What no writer of ours makes is not written, and not read. */
START_TEST(limits)
{
    static const struct {
        size_t offset, n;
        uint64_t value;
        int rc;
    } bad[] = {
        { 7, 1, '2', MEXT_ERR_FORMAT },      { 8, 4, 0, MEXT_ERR_LIMIT },
        { 8, 4, 65, MEXT_ERR_LIMIT },        { 12, 2, 0, MEXT_ERR_LIMIT },
        { 12, 2, 2, MEXT_ERR_LIMIT },        { 12, 2, 3, MEXT_ERR_LIMIT },
        { 14, 2, 0, MEXT_ERR_LIMIT },        { 14, 2, 6, MEXT_ERR_LIMIT },
        { 14, 2, 17, MEXT_ERR_LIMIT },       { 14, 2, 257, MEXT_ERR_LIMIT },
        { 144, 4, 32752, MEXT_ERR_LIMIT },   { 148, 1, 0, MEXT_ERR_FORMAT },
        { 148, 1, 0x7f, MEXT_ERR_FORMAT },   { 419, 1, 'x', MEXT_ERR_FORMAT },
        { 424, 1, '\n', MEXT_ERR_FORMAT },   { 676, 1, 0x80, MEXT_ERR_FORMAT },
        { 931, 1, 'x', MEXT_ERR_FORMAT },    { 932, 1, 1, MEXT_ERR_FORMAT },
        { LEN - 33, 1, 1, MEXT_ERR_FORMAT }, { LEN - 1, 0, 0, MEXT_ERR_AUTH },
    };
    struct mext_entry e, r;
    uint8_t good[LEN], bytes[LEN];
    uint32_t seq;

    fill(&e, SRC);
    ck_assert_int_eq(mext_entry_encode(&e, 1, good), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t v = bad[i].value;

        memcpy(bytes, good, LEN);
        for (size_t k = bad[i].n; k--; v >>= 8)
            bytes[bad[i].offset + k] = (uint8_t)v;
        if (bad[i].n)
            mext_digest(bytes, LEN - 32, bytes + LEN - 32);
        else
            bytes[bad[i].offset] ^= 1;
        ck_assert_msg(mext_entry_decode(bytes, &seq, &r) == bad[i].rc, "%zu",
                      i);
    }
    ck_assert_int_eq(mext_entry_encode(&e, 0, bytes), MEXT_ERR_LIMIT);
    ck_assert_int_eq(mext_entry_encode(&e, 65, bytes), MEXT_ERR_LIMIT);
    e.noted = MEXT_NOTED_RUNNING;
    ck_assert_int_eq(mext_entry_encode(&e, 1, bytes), MEXT_ERR_LIMIT);
    e.noted = MEXT_NOTED_BEGUN;
    memset(e.text, 'x', sizeof(e.text));
    ck_assert_int_eq(mext_entry_encode(&e, 1, bytes), MEXT_ERR_FORMAT);
}
END_TEST

/* However much of the last record is there, the one before counts. */
START_TEST(torn)
{
    two_records();
    ck_assert_uint_eq(noted(), MEXT_NOTED_COMMITTING);
    for (off_t n = 2 * LEN - 1; n >= LEN; n--) {
        if (n % 64 && n < 2 * LEN - 200 && n > LEN + 200)
            continue;
        ck_assert_int_eq(truncate(path_of(journal_id, SRC), n), 0);
        ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);
        /* as long as it should be, with zeros */
        ck_assert_int_eq(truncate(path_of(journal_id, SRC), 2 * LEN), 0);
        ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);
    }
}
END_TEST

START_TEST(bit_flipped)
{
    static uint8_t bytes[2 * LEN];
    FILE *f;

    two_records();
    f = fopen(path_of(journal_id, SRC), "r");
    ck_assert_uint_eq(fread(bytes, 1, sizeof(bytes), f), sizeof(bytes));
    fclose(f);
    for (size_t bit = 0; bit < 8 * LEN; bit++) {
        size_t at = LEN + bit / 8;
        uint8_t v = (uint8_t)(bytes[at] ^ 1 << bit % 8);

        poke((off_t)at, &v, 1);
        ck_assert_msg(noted() == MEXT_NOTED_BEGUN, "bit %zu", bit);
        poke((off_t)at, &bytes[at], 1);
    }
    ck_assert_uint_eq(noted(), MEXT_NOTED_COMMITTING);
}
END_TEST

/* What is behind it is gone once something else is noted. */
START_TEST(written_over)
{
    struct mext_journal *j = create(SRC);

    note(j, MEXT_NOTED_COMMITTING, NULL);
    note(j, MEXT_NOTED_STRANDED, NULL);
    mext_journal_close(j);
    poke(LEN + 100, "spoilt", 6);
    ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);
    j = take(SRC);
    ck_assert_uint_eq(mext_journal_entry(j)->noted, MEXT_NOTED_BEGUN);
    /* record 3 was whole, and would come next */
    note(j, MEXT_NOTED_COMMITTING, "again");
    mext_journal_close(j);
    ck_assert_uint_eq(noted(), MEXT_NOTED_COMMITTING);
    ck_assert_int_eq(size_of(path_of(journal_id, SRC)), 2 * LEN);
}
END_TEST

/* Whole records that are of another migration or side, or out of sequence. */
START_TEST(stale_tail)
{
    for (unsigned i = 0; i < 4; i++) {
        struct mext_entry e;
        uint8_t bytes[LEN];

        journal_id[0] = (uint8_t)i;
        two_records();
        fill(&e, i == 1 ? DST : SRC);
        if (i != 1)
            e.noted = MEXT_NOTED_DONE;
        e.id[15] ^= i == 0;
        ck_assert_int_eq(mext_entry_encode(&e,
                                           i == 2   ? 2
                                           : i == 3 ? 4
                                                    : 3,
                                           bytes),
                         0);
        poke(2 * LEN, bytes, LEN);
        ck_assert_uint_eq(noted(), MEXT_NOTED_COMMITTING);
        if (i == 0) {
            e.id[15] ^= 1;
            ck_assert_int_eq(mext_entry_encode(&e, 3, bytes), 0);
            poke(2 * LEN, bytes, LEN);
            ck_assert_uint_eq(noted(), MEXT_NOTED_DONE);
        }
    }
}
END_TEST

/* Noted again and again: the file does not grow, and never says less. */
START_TEST(the_same_again)
{
    struct mext_journal *j = create(SRC);
    uint8_t uuid[MEXT_UUID_LEN] = { 1 };
    struct mext_entry e;
    char text[16];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "%u", i);
        note(j, MEXT_NOTED_STRANDED, text);
    }
    mext_journal_close(j);
    ck_assert_int_eq(size_of(path_of(journal_id, SRC)), 3 * LEN);
    ck_assert_int_eq(mext_journal_read(journal_dir, journal_id, SRC, &e, &why),
                     0);
    ck_assert_str_eq(e.text, "199");
    poke(2 * LEN, "torn", 4);
    ck_assert_int_eq(mext_journal_read(journal_dir, journal_id, SRC, &e, &why),
                     0);
    ck_assert_uint_eq(e.noted, MEXT_NOTED_STRANDED);
    ck_assert_str_eq(e.text, "0");
    j = take(SRC);
    note(j, MEXT_NOTED_STRANDED, "x");
    note(j, MEXT_NOTED_STRANDED, "y");
    /* another domain is not the same */
    mext_journal_domain(j, 77, uuid);
    note(j, MEXT_NOTED_STRANDED, "z");
    ck_assert_int_eq(size_of(path_of(journal_id, SRC)), 4 * LEN);
    /* but a file has an end */
    for (unsigned i = 0; i < MEXT_JOURNAL_RECORDS_MAX - 4; i++) {
        mext_journal_domain(j, 100 + i, uuid);
        note(j, MEXT_NOTED_STRANDED, NULL);
    }
    mext_journal_domain(j, 200, uuid);
    ck_assert_int_eq(mext_journal_note(j, MEXT_NOTED_KEPT, NULL, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, path_of(journal_id, SRC)));
    mext_journal_close(j);
    ck_assert_uint_eq(noted(), MEXT_NOTED_STRANDED);
}
END_TEST

/* The first record is none any more, whatever its sum was. */
static void spoil(void)
{
    FILE *f = fopen(path_of(journal_id, SRC), "r");
    uint8_t bytes[LEN];

    ck_assert_uint_eq(fread(bytes, 1, LEN, f), LEN);
    fclose(f);
    bytes[LEN - 1] ^= 0x55;
    poke(0, bytes, LEN);
}

START_TEST(not_whole)
{
    struct mext_journal *j;

    two_records();
    spoil();
    ck_assert_uint_eq(noted(), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "no whole record"));
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &j, &why),
                     -1);
    ck_assert_uint_eq(all(0).n, 0);
    mext_journal_expire(journal_dir, 0);
    ck_assert_int_eq(files(), 0);

    two_records();
    ck_assert_int_eq(truncate(path_of(journal_id, SRC), 0), 0);
    mext_journal_expire(journal_dir, 0);
    ck_assert_int_eq(files(), 0);
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &j, &why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no such migration"));
}
END_TEST

/* Held by its process: it stays, whatever is in it. */
START_TEST(not_whole_but_held)
{
    struct mext_journal *j = create(SRC);

    spoil();
    mext_journal_expire(journal_dir, 0);
    ck_assert_int_eq(files(), 1);
    mext_journal_close(j);
    mext_journal_expire(journal_dir, 0);
    ck_assert_int_eq(files(), 0);
}
END_TEST

START_TEST(other_versions)
{
    struct mext_journal *j;

    two_records();
    poke(7, "2", 1);
    ck_assert_uint_eq(noted(), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "another version"));
    ck_assert_int_eq(mext_journal_take(journal_dir, journal_id, SRC, &j, &why),
                     -1);
    ck_assert_ptr_nonnull(strstr(why.text, "another version"));
    mext_journal_expire(journal_dir, UINT64_MAX);
    ck_assert_int_eq(files(), 1);
    poke(0, "x", 1);
    ck_assert_uint_eq(noted(), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "no whole record"));
    mext_journal_expire(journal_dir, 0);
    ck_assert_int_eq(files(), 0);
}
END_TEST

/* ---- no room ---- */

static void limit(rlim_t max)
{
    struct rlimit l;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

START_TEST(no_room)
{
    struct mext_journal *j;
    struct mext_entry e;
    struct rlimit l;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
    j = create(SRC);
    for (unsigned i = 0; i < 2; i++) {
        limit(LEN + (i ? 100 : 0));
        ck_assert_int_eq(
            mext_journal_note(j, MEXT_NOTED_COMMITTING, NULL, &why), -1);
        ck_assert_ptr_nonnull(strstr(why.text, path_of(journal_id, SRC)));
        ck_assert_uint_eq(mext_journal_entry(j)->noted, MEXT_NOTED_BEGUN);
        ck_assert_uint_eq(noted(), MEXT_NOTED_BEGUN);
    }
    limit(l.rlim_cur);
    note(j, MEXT_NOTED_STRANDED, "1");
    note(j, MEXT_NOTED_STRANDED, "2");
    ck_assert_uint_eq(noted(), MEXT_NOTED_STRANDED);
    /* the second one is spoilt, and what comes next is found all the same */
    limit(2 * LEN + 100);
    ck_assert_int_eq(mext_journal_note(j, MEXT_NOTED_STRANDED, "3", &why), -1);
    ck_assert_uint_eq(noted(), MEXT_NOTED_STRANDED);
    limit(l.rlim_cur);
    note(j, MEXT_NOTED_KEPT, NULL);
    ck_assert_uint_eq(noted(), MEXT_NOTED_KEPT);
    ck_assert_int_eq(size_of(path_of(journal_id, SRC)), 3 * LEN);
    mext_journal_close(j);

    limit(100);
    journal_id[0]++;
    fill(&e, SRC);
    ck_assert_int_eq(mext_journal_create(journal_dir, &e, &j, &why), -1);
    limit(l.rlim_cur);
    ck_assert_int_eq(files(), 1);
}
END_TEST

/* A small file system of our own, where that is permitted. */
START_TEST(disk_full)
{
    struct mext_journal *j;
    struct mext_entry e;
    char fill_up[96];
    static char zeros[64 * LEN];
    FILE *f;

    if (unshare(CLONE_NEWNS) ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", journal_top, "tmpfs", 0, "size=64k,mode=700"))
        return;
    j = create(SRC);
    snprintf(fill_up, sizeof(fill_up), "%s/full", journal_top);
    f = fopen(fill_up, "w");
    ck_assert_ptr_nonnull(f);
    fwrite(zeros, 1, sizeof(zeros), f);
    fclose(f);
    /* its room was set aside */
    note(j, MEXT_NOTED_COMMITTING, NULL);
    note(j, MEXT_NOTED_STRANDED, NULL);
    mext_journal_close(j);
    journal_id[0]++;
    fill(&e, SRC);
    ck_assert_int_eq(mext_journal_create(journal_dir, &e, &j, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "make room"));
    ck_assert_int_eq(files(), 1);
    ck_assert_int_eq(umount2(journal_top, MNT_DETACH), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { round_trip,
                                   committed_files,
                                   words,
                                   limits,
                                   torn,
                                   bit_flipped,
                                   written_over,
                                   stale_tail,
                                   the_same_again,
                                   not_whole,
                                   not_whole_but_held,
                                   other_versions,
                                   no_room,
                                   disk_full,
                                   NULL };

    return journal_main("journal", tests);
}
