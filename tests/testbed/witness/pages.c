/* SPDX-License-Identifier: GPL-2.0-only */
/* Stamped memory: a thread for each vCPU verifies and rewrites its share. */
#include "witness.h"

#include "stamp.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS_MAX 64
#define SEED        0x5eed0001u
#define BATCH_NS    10000000 /* a thread works once in 10 ms, if not calm */

/* Thread t's pages are those whose number modulo the threads is t. */
struct share {
    pthread_mutex_t lock; /* of its pages and their generations */
    size_t number, next;
};

static uint64_t *memory;
static uint32_t *generations;
static size_t pages, threads;
static struct share shares[THREADS_MAX];
static atomic_uint_fast64_t checked, bad;

static size_t meminfo_kib(const char *name)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128], format[32];
    unsigned long long kib = 0;

    if (!f)
        return 0;
    snprintf(format, sizeof(format), "%s: %%llu", name);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, format, &kib) == 1)
            break;
    fclose(f);
    return kib;
}

static size_t wanted_pages(void)
{
    size_t free_pages = meminfo_kib("MemFree") / 4, wanted;

    if (options.mem == MEM_32_MIB)
        wanted = 32 * 256;
    else if (options.mem == MEM_HALF_OF_TOTAL)
        wanted = meminfo_kib("MemTotal") / 8;
    else
        wanted = free_pages / 100 * (size_t)options.mem;
    /* The kernel needs some for itself. */
    if (wanted > free_pages / 100 * 90)
        wanted = free_pages / 100 * 90;
    return wanted;
}

static uint64_t *page(size_t number)
{
    return memory + number * STAMP_WORDS;
}

/* The caller holds the share's lock. */
static void verify(size_t number)
{
    const char *wrong = stamp_check(page(number), SEED, number,
                                    generations[number]);

    atomic_fetch_add(&checked, 1);
    if (!wrong)
        return;
    atomic_fetch_add(&bad, 1);
    say("WITNESS BAD mem %s page=%zu has=%llu.%llu want=%zu.%u", wrong, number,
        (unsigned long long)page(number)[0],
        (unsigned long long)page(number)[1], number, generations[number]);
    /* Reported once: put it right. */
    stamp_write(page(number), SEED, number, generations[number]);
}

static void rewrite(size_t number)
{
    generations[number]++;
    stamp_write(page(number), SEED, number, generations[number]);
}

static void work(struct share *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&s->lock);
        verify(s->next);
        rewrite(s->next);
        pthread_mutex_unlock(&s->lock);
        s->next += threads;
        if (s->next >= pages)
            s->next = s->number;
    }
}

static void *verifier(void *arg)
{
    struct share *s = arg;
    int64_t due = clock_ns(CLOCK_MONOTONIC);
    int64_t step = (int64_t)options.calm * BATCH_NS;
    double batch = options.rate * ((double)step / 1e9) / (double)threads;
    double owed = 0;
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(s->number, &cpus);
    sched_setaffinity(0, sizeof(cpus), &cpus);
    for (;;) {
        owed += batch;
        work(s, (size_t)owed);
        owed -= (double)(size_t)owed;
        due += step;
        /* Behind: that rate is not to be had, or there was a gap. */
        if (due < clock_ns(CLOCK_MONOTONIC))
            due = clock_ns(CLOCK_MONOTONIC);
        sleep_until(due);
    }
    return NULL;
}

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        say("WITNESS BAD mem mmap failed");
        exit(1);
    }
    return p;
}

void pages_start(void)
{
    pages = wanted_pages();
    threads = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    if (pages < threads) {
        pages = 0;
        return;
    }
    memory = map(pages * STAMP_SIZE);
    generations = map(pages * sizeof(*generations));
    for (size_t n = 0; n < pages; n++)
        rewrite(n);
    for (size_t t = 0; t < threads; t++) {
        shares[t].number = shares[t].next = t;
        pthread_mutex_init(&shares[t].lock, NULL);
        if (options.rate > 0)
            start_thread(verifier, &shares[t]);
    }
}

void pages_check_all(void)
{
    for (size_t n = 0; n < pages; n++) {
        pthread_mutex_lock(&shares[n % threads].lock);
        verify(n);
        pthread_mutex_unlock(&shares[n % threads].lock);
    }
}

void pages_poke(void)
{
    size_t n = pages / 2;

    if (!pages)
        return;
    pthread_mutex_lock(&shares[n % threads].lock);
    page(n)[100] ^= 1;
    pthread_mutex_unlock(&shares[n % threads].lock);
}

struct pages_state pages_state(void)
{
    return (struct pages_state){ pages, atomic_load(&checked),
                                 atomic_load(&bad) };
}
