/* SPDX-License-Identifier: GPL-2.0-only */
/* Stamped blocks: the start of a disk, past the page cache. */
#include "witness.h"

#include "stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS  512u
#define SEED    0x5eed0002u
#define STEP_NS 50000000

static int disk;
static uint32_t generations[BLOCKS]; /* 0: never written */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t *buffer; /* aligned, as O_DIRECT wants it */
static atomic_uint_fast64_t ok, bad;

static void report(const char *what, unsigned block)
{
    atomic_fetch_add(&bad, 1);
    say("WITNESS BAD disk %s block=%u generation=%u", what, block,
        generations[block]);
}

static void verify(unsigned block)
{
    const char *wrong;
    ssize_t n = pread(disk, buffer, STAMP_SIZE, (off_t)block * STAMP_SIZE);

    if (n != (ssize_t)STAMP_SIZE) {
        report(n < 0 ? strerror(errno) : "short read", block);
        return;
    }
    wrong = stamp_check(buffer, SEED, block, generations[block]);
    if (wrong)
        report(wrong, block);
    else
        atomic_fetch_add(&ok, 1);
}

static void put(unsigned block)
{
    ssize_t n = pwrite(disk, buffer, STAMP_SIZE, (off_t)block * STAMP_SIZE);

    if (n != (ssize_t)STAMP_SIZE)
        report(n < 0 ? strerror(errno) : "short write", block);
}

static void rewrite(unsigned block)
{
    generations[block]++;
    stamp_write(buffer, SEED, block, generations[block]);
    put(block);
}

static void step(unsigned block)
{
    pthread_mutex_lock(&lock);
    if (generations[block])
        verify(block);
    rewrite(block);
    verify(block);
    pthread_mutex_unlock(&lock);
}

static void *writer(void *unused)
{
    (void)unused;
    for (unsigned block = 0;; block = (block + 1) % BLOCKS) {
        step(block);
        sleep_until(clock_ns(CLOCK_MONOTONIC) +
                    (int64_t)options.calm * STEP_NS);
    }
    return NULL;
}

void disk_start(void)
{
    disk = open(options.disk, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (disk < 0 || posix_memalign((void **)&buffer, STAMP_SIZE, STAMP_SIZE)) {
        say("WITNESS BAD disk %s: %s", options.disk, strerror(errno));
        exit(1);
    }
    start_thread(writer, NULL);
}

void disk_check_all(void)
{
    for (unsigned block = 0; block < BLOCKS; block++) {
        pthread_mutex_lock(&lock);
        if (generations[block])
            verify(block);
        pthread_mutex_unlock(&lock);
    }
}

void disk_poke(void)
{
    if (!options.disk)
        return;
    pthread_mutex_lock(&lock);
    stamp_write(buffer, SEED, 0, generations[0]);
    buffer[100] ^= 1;
    put(0);
    pthread_mutex_unlock(&lock);
}

struct disk_state disk_state(void)
{
    return (struct disk_state){ atomic_load(&ok), atomic_load(&bad) };
}
