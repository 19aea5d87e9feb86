/* SPDX-License-Identifier: GPL-2.0-only */
/* A saved guest's file: written, read, damaged (docs/specs/saved.md). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_saved.h"
#include "unit.h"

#define LEN (3u << 20)

static char dir[64], path[96], part[112];
static uint8_t *stream, *back;
static struct mext_why why;

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/saved-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/guest", dir);
    snprintf(part, sizeof(part), "%s.part", path);
    stream = malloc(LEN);
    back = malloc(LEN + 1);
    ck_assert(stream && back);
    /* A third of noise, a third of text, a third of nothing. */
    randombytes_buf_deterministic(stream, LEN / 3,
                                  (uint8_t[randombytes_SEEDBYTES]){ 1 });
    for (size_t i = LEN / 3; i < LEN; i++)
        stream[i] = i < LEN / 3 * 2 ? (uint8_t)("guest "[i % 6]) : 0;
}

static void teardown(void)
{
    unlink(path);
    unlink(part);
    rmdir(dir);
    free(stream);
    free(back);
}

/* In pieces of any size. */
static void write_file(int level)
{
    struct mext_saved_out *o;
    size_t at = 0, n = 1;

    ck_assert_msg(!mext_saved_create(path, level, &o, &why), "%s", why.text);
    for (; at < LEN; at += n, n = n * 3 % 100003) {
        if (n > LEN - at)
            n = LEN - at;
        ck_assert(!mext_saved_write(o, stream + at, n, &why));
    }
    ck_assert(!access(part, F_OK));
    ck_assert_msg(!mext_saved_flush(o, &why) && !mext_saved_name(o, &why), "%s",
                  why.text);
    ck_assert(!access(path, F_OK) && access(part, F_OK));
    mext_saved_close(o);
}

/* Bytes of the stream, -1: errno. */
static ptrdiff_t read_all(struct mext_saved_in *in)
{
    ptrdiff_t at = 0, n;

    while ((n = mext_saved_read(in, back + at, (size_t)(LEN + 1 - at))) > 0)
        at += n;
    return n < 0 ? -1 : at;
}

static struct mext_saved_in *open_file(int *fd_r)
{
    struct mext_saved_in *in = NULL;

    *fd_r = open(path, O_RDONLY);
    ck_assert_int_ge(*fd_r, 0);
    return mext_saved_open(*fd_r, &in, &why) ? NULL : in;
}

static void there_and_back(int level, enum mext_saved_kind kind)
{
    struct mext_saved_in *in;
    struct stat st;
    int fd;

    write_file(level);
    ck_assert(!stat(path, &st) && (st.st_mode & 0777) == 0600);
    ck_assert(level ? st.st_size < LEN / 2
                    : st.st_size == LEN + MEXT_SAVED_TRAILER);
    in = open_file(&fd);
    ck_assert_ptr_nonnull(in);
    ck_assert_int_eq(mext_saved_kind(in), kind);
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(!mext_saved_check(in, NULL, NULL, &why), "%s", why.text);
        ck_assert_int_eq(read_all(in), LEN);
        ck_assert(!memcmp(back, stream, LEN));
    }
    mext_saved_close_in(in);
    close(fd);
}

START_TEST(plain_there_and_back)
{
    there_and_back(0, MEXT_SAVED_PLAIN);
}
END_TEST

START_TEST(packed_there_and_back)
{
    there_and_back(3, MEXT_SAVED_ZSTD);
}
END_TEST

/* What everybody else's decoder makes of it. */
START_TEST(zstd_unpacks_it)
{
    char command[400];

    write_file(1);
    snprintf(command, sizeof(command), "zstd -dqc '%s'", path);
    FILE *f = popen(command, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(back, 1, LEN + 1, f), LEN);
    ck_assert(!memcmp(back, stream, LEN));
    ck_assert_int_eq(pclose(f), 0);
}
END_TEST

static void flip(off_t at)
{
    int fd = open(path, O_RDWR);
    uint8_t b;

    ck_assert(fd >= 0 && pread(fd, &b, 1, at) == 1);
    b ^= 0x40;
    ck_assert(pwrite(fd, &b, 1, at) == 1);
    close(fd);
}

/* An octet of the stream, of the sum. */
static void damage_is_seen(int level)
{
    struct stat st;

    write_file(level);
    ck_assert(!stat(path, &st));
    for (int i = 0; i < 4; i++) {
        off_t at[] = { 4, st.st_size / 2, st.st_size - 49, st.st_size - 1 };
        struct mext_saved_in *in;
        int fd;

        flip(at[i]);
        in = open_file(&fd);
        ck_assert_ptr_nonnull(in);
        ck_assert(mext_saved_check(in, NULL, NULL, &why));
        ck_assert_ptr_nonnull(strstr(why.text, "damaged"));
        mext_saved_close_in(in);
        close(fd);
        flip(at[i]);
    }
}

START_TEST(damage_of_plain)
{
    damage_is_seen(0);
}
END_TEST

START_TEST(damage_of_packed)
{
    damage_is_seen(2);
}
END_TEST

/* Of a packed one it is known, a plain one is as the stock xl's. */
START_TEST(cut_short)
{
    struct mext_saved_in *in;
    int fd;

    write_file(2);
    ck_assert(!truncate(path, 5000));
    ck_assert_ptr_null(open_file(&fd));
    ck_assert_ptr_nonnull(strstr(why.text, "cut short"));
    close(fd);
    write_file(0);
    ck_assert(!truncate(path, 5000));
    in = open_file(&fd);
    ck_assert_int_eq(mext_saved_kind(in), MEXT_SAVED_STOCK);
    ck_assert_int_eq(read_all(in), 5000);
    mext_saved_close_in(in);
    close(fd);
}
END_TEST

/* A sum that is right over what no encoder makes: no crash, no end in silence. */
START_TEST(packed_nonsense)
{
    struct mext_saved_in *in;
    uint8_t trailer[MEXT_SAVED_TRAILER] = { 0x50, 0x2a, 0x4d, 0x18, 0x28 };
    struct stat st;
    int fd;

    write_file(2);
    ck_assert(!stat(path, &st));
    for (off_t cut = 5; cut < st.st_size - 48; cut += 9973) {
        int w = open(path, O_RDWR);

        ck_assert(w >= 0);
        ck_assert(pread(w, trailer, sizeof(trailer), st.st_size - 48) == 48);
        ck_assert(!ftruncate(w, cut));
        ck_assert(pwrite(w, trailer, sizeof(trailer), cut) == 48);
        close(w);
        in = open_file(&fd);
        ck_assert_ptr_nonnull(in);
        ck_assert_int_eq(read_all(in), -1);
        ck_assert_int_eq(errno, EBADMSG);
        mext_saved_close_in(in);
        close(fd);
        write_file(2);
    }
}
END_TEST

START_TEST(nothing_is_left_of_one_that_was_not_finished)
{
    struct mext_saved_out *o;

    ck_assert(!mext_saved_create(path, 0, &o, &why));
    ck_assert(!mext_saved_write(o, stream, 100, &why));
    ck_assert(access(path, F_OK) && !access(part, F_OK));
    mext_saved_close(o);
    ck_assert(access(path, F_OK) && access(part, F_OK));
}
END_TEST

START_TEST(refused_places)
{
    struct mext_saved_out *o;

    ck_assert(mext_saved_create("/dev/null", 0, &o, &why));
    ck_assert_ptr_nonnull(strstr(why.text, "not a file"));
    ck_assert(mext_saved_create("/nowhere/at/all", 0, &o, &why));
    ck_assert_ptr_nonnull(strstr(why.text, "No such file"));
}
END_TEST

/* A limit on files' size stands for a disk that is full. */
START_TEST(disk_full)
{
    const struct rlimit limit = { LEN / 2, LEN / 2 };
    struct mext_saved_out *o;
    int rc = 0;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert(!setrlimit(RLIMIT_FSIZE, &limit));
    ck_assert(!mext_saved_create(path, 0, &o, &why));
    for (size_t at = 0; at < LEN && !rc; at += 4096)
        rc = mext_saved_write(o, stream + at, 4096, &why);
    ck_assert(rc || mext_saved_flush(o, &why) || mext_saved_name(o, &why));
    ck_assert_ptr_nonnull(strstr(why.text, "too large"));
    mext_saved_close(o);
    ck_assert(access(path, F_OK) && access(part, F_OK));
}
END_TEST

/* Where a link of that name leads nothing is written. */
START_TEST(link_in_the_way)
{
    char other[112];

    snprintf(other, sizeof(other), "%s.other", path);
    ck_assert(!symlink(other, part));
    write_file(0);
    ck_assert(access(other, F_OK));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        plain_there_and_back, packed_there_and_back,
        zstd_unpacks_it,      damage_of_plain,
        damage_of_packed,     cut_short,
        packed_nonsense,      nothing_is_left_of_one_that_was_not_finished,
        refused_places,       disk_full,
        link_in_the_way,      NULL,
    };

    return unit_main(unit_suite_in("saved", tests, setup, teardown));
}
