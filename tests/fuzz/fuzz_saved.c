/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A saved guest's file: whatever it is, what is read of it is the same again after a
 * rewind, no more than what is in a plain one, and only with the right sum found right.
 * One input in two gets that sum, so that what is behind it is reached.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium.h>

#include "fuzz.h"
#include "mext_saved.h"

const char fuzz_corpus[] = "saved";
const size_t fuzz_mutations = 20000;

#define SUM_LEN  32
#define READ_MAX (1u << 20) /* a few octets unpack to more than is of use */

/* Of the octets before the trailer. */
static void make_sum(const uint8_t *data, size_t size, uint8_t sum[SUM_LEN])
{
    crypto_generichash(sum, SUM_LEN, data, size - MEXT_SAVED_TRAILER, NULL, 0);
}

static bool has_sum(const uint8_t *data, size_t size)
{
    uint8_t sum[SUM_LEN];

    make_sum(data, size, sum);
    return !memcmp(sum, data + size - SUM_LEN, SUM_LEN);
}

static void put_sum(int fd, const uint8_t *data, size_t size)
{
    uint8_t sum[SUM_LEN];

    make_sum(data, size, sum);
    FUZZ_CHECK(pwrite(fd, sum, sizeof(sum), (off_t)(size - SUM_LEN)) ==
               SUM_LEN);
}

/* How much is read, and the sum of it; -1: it is damaged. */
static ptrdiff_t read_all(struct mext_saved_in *i, size_t piece,
                          uint8_t sum[SUM_LEN])
{
    static uint8_t buf[70000];
    crypto_generichash_state st;
    ptrdiff_t n, all = 0;

    crypto_generichash_init(&st, NULL, 0, SUM_LEN);
    while (all < READ_MAX && (n = mext_saved_read(i, buf, piece)) != 0) {
        if (n < 0) {
            FUZZ_CHECK(errno == EBADMSG);
            return -1;
        }
        FUZZ_CHECK((size_t)n <= piece);
        crypto_generichash_update(&st, buf, (size_t)n);
        all += n;
    }
    crypto_generichash_final(&st, sum, SUM_LEN);
    return all;
}

static void look(struct mext_saved_in *i, const uint8_t *data, size_t size,
                 bool right)
{
    enum mext_saved_kind kind = mext_saved_kind(i);
    uint8_t one[SUM_LEN], other[SUM_LEN];
    ptrdiff_t n = read_all(i, 65536, one);
    struct mext_why why;

    if (kind != MEXT_SAVED_ZSTD)
        FUZZ_CHECK(n == (ptrdiff_t)(kind == MEXT_SAVED_PLAIN
                                        ? size - MEXT_SAVED_TRAILER
                                        : size));
    if (kind != MEXT_SAVED_STOCK && !right)
        right = has_sum(data, size);
    FUZZ_CHECK(!mext_saved_check(i, NULL, NULL, &why) ==
               (right || kind == MEXT_SAVED_STOCK));
    FUZZ_CHECK(!mext_saved_rewind(i));
    FUZZ_CHECK(read_all(i, 65536, other) == n);
    FUZZ_CHECK(n < 0 || !memcmp(one, other, sizeof(one)));
    FUZZ_CHECK(!mext_saved_rewind(i));
    FUZZ_CHECK((read_all(i, 13, other) < 0) == (n < 0));
    FUZZ_CHECK(kind == MEXT_SAVED_STOCK || mext_saved_seek(i, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool right = size > MEXT_SAVED_TRAILER && size % 2;
    struct mext_saved_in *i;
    struct mext_why why;
    int fd = memfd_create("saved", MFD_CLOEXEC);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (right)
        put_sum(fd, data, size);
    FUZZ_CHECK(!lseek(fd, 0, SEEK_SET));
    if (!mext_saved_open(fd, &i, &why)) {
        look(i, data, size, right);
        mext_saved_close_in(i);
    }
    close(fd);
    return 0;
}
