/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_TARGET [CORPUS [N]]: gives a target each file of a corpus, then N
 * mutations of them (if not said, as many as the target thinks right), the
 * same ones on every run.  An input that crashes it is kept in
 * fuzz_TARGET.crash; to replay it, put it into a folder of its own.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define INPUT_MAX 16384
#define FILES_MAX 256

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t n;
};

static struct input corpus[FILES_MAX];
static size_t ncorpus;
static uint64_t state = 0x9e3779b97f4a7c15;

/* xorshift64*: below n. */
static size_t pick(size_t n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return n ? (size_t)((state * 0x2545f4914f6cdd1d) >> 33) % n : 0;
}

/* In a block of its own size, so that the sanitizer sees each octet beyond. */
static void try(const struct input *in)
{
    uint8_t *copy = malloc(in->n ? in->n : 1);

    if (!copy)
        exit(1);
    memcpy(copy, in->bytes, in->n);
    LLVMFuzzerTestOneInput(copy, in->n);
    free(copy);
}

static void mutate_octet(struct input *in)
{
    static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x20, 0x7e };
    size_t at = pick(in->n);

    switch (pick(3)) {
    case 0:
        in->bytes[at] ^= (uint8_t)(1 << pick(8));
        break;
    case 1:
        in->bytes[at] = edges[pick(sizeof(edges))];
        break;
    default:
        in->bytes[at] = (uint8_t)pick(256);
    }
}

/* Removes, doubles or takes over a run of octets from another file. */
static void mutate_run(struct input *in)
{
    const struct input *other = &corpus[pick(ncorpus)];
    size_t at = pick(in->n), run = 1 + pick(in->n - at);

    switch (pick(3)) {
    case 0:
        memmove(in->bytes + at, in->bytes + at + run, in->n - at - run);
        in->n -= run;
        break;
    case 1:
        if (in->n + run > INPUT_MAX)
            return;
        memmove(in->bytes + at + run, in->bytes + at, in->n - at);
        in->n += run;
        break;
    default:
        if (other->n < run)
            return;
        memcpy(in->bytes + at, other->bytes + pick(other->n - run + 1), run);
    }
}

static void mutate(struct input *in)
{
    for (size_t i = 1 + pick(6); i--;) {
        if (!in->n)
            in->bytes[in->n++] = (uint8_t)pick(256);
        else if (pick(4))
            mutate_octet(in);
        else
            mutate_run(in);
    }
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void load(const char *dir, const char *name)
{
    struct input *in = &corpus[ncorpus];
    char path[PATH_MAX + NAME_MAX + 2];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = name[0] != '.' && ncorpus < FILES_MAX ? fopen(path, "rb") : NULL;
    if (!f)
        return;
    in->n = fread(in->bytes, 1, INPUT_MAX, f);
    fclose(f);
    ncorpus++;
}

static void load_corpus(const char *dir)
{
    struct dirent **list = NULL;
    int n = scandir(dir, &list, NULL, by_name);

    for (int i = 0; i < n; i++) {
        load(dir, list[i]->d_name);
        free(list[i]);
    }
    free(list);
}

static const struct input *current;
static char crash[PATH_MAX];

/* Keeps the input that was the end of us; only async-signal-safe calls. */
static void at_crash(int sig)
{
    int fd = open(crash, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    if (fd >= 0 && write(fd, current->bytes, current->n) >= 0)
        close(fd);
    signal(sig, SIG_DFL);
    raise(sig);
}

/* A sanitizer's report ends in SIGABRT, FUZZ_CHECK in SIGILL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
    return "abort_on_error=1:print_stacktrace=1";
}

int main(int argc, char **argv)
{
    const char *top = getenv("srcdir");
    static struct input in;
    char dir[PATH_MAX];
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 0) : fuzz_mutations;

    snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", top ? top : ".",
             fuzz_corpus);
    load_corpus(argc > 1 ? argv[1] : dir);
    if (!ncorpus) {
        fprintf(stderr, "%s: no corpus in %s\n", argv[0],
                argc > 1 ? argv[1] : dir);
        return 1;
    }
    snprintf(crash, sizeof(crash), "%s.crash", argv[0]);
    current = &in;
    signal(SIGABRT, at_crash);
    signal(SIGILL, at_crash);
    signal(SIGSEGV, at_crash);
    for (size_t i = 0; i < ncorpus + n; i++) {
        in = corpus[i < ncorpus ? i : pick(ncorpus)];
        if (i >= ncorpus)
            mutate(&in);
        try(&in);
    }
    printf("%s: %zu files, %zu mutations\n", argv[0], ncorpus, n);
    return 0;
}
