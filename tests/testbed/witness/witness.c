/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * witness: a guest's workload which knows what it must see, and says so when
 * it sees anything else.  See --help, and README.md for the output.
 */
#include "witness.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct witness_options options = {
    .mem = -1, .rate = -1, .calm = 1, .peer = ""
};

/* The defaults of each workload. */
static const struct workload {
    const char *name;
    int mem;  /* percent of free memory; WHOLE_32M: 32 MiB */
    int rate; /* pages rewritten a second */
} workloads[] = {
    { "idle", 0, 0 },
    { "cached", 0, 0 },
    { "halfused", MEM_HALF_OF_TOTAL, 0 },
    { "writer", MEM_32_MIB, 200 },
    { "witness", 70, 500 },
};

static const char help[] =
    "witness [KEY=VALUE]...\n"
    "  workload=   idle, cached, halfused, writer, witness (default idle)\n"
    "  mem=        percent of the free memory to fill with stamped pages\n"
    "  rate=       pages verified and rewritten a second, all CPUs together\n"
    "  calm=       wake up so many times less often, 1 to 100 (default 1)\n"
    "  peer=       IPv4 address of a witness-peer to talk to\n"
    "  disk=       block device whose first 2 MiB are written and verified\n"
    "Commands, as lines on stdin or on /run/witness:\n"
    "  check       verify every page and block now; prints CHECKED\n"
    "  reset       forget the largest gap\n"
    "  poke        corrupt a page      pokedisk    corrupt a block\n";

int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void sleep_until(int64_t mono_ns)
{
    struct timespec t = { mono_ns / 1000000000, mono_ns % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

void say(const char *format, ...)
{
    char line[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    line[n++] = '\n';
    /* One write: lines of several threads do not mix. */
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        exit(1);
}

void start_thread(void *(*function)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, function, arg)) {
        say("WITNESS BAD no thread");
        exit(1);
    }
}

/* --- heartbeat ---------------------------------------------------------- */

static void beat(uint64_t n)
{
    struct pages_state m = pages_state();
    struct disk_state d = disk_state();
    struct tcp_state t = tcp_state();

    say("hb n=%llu mono_ms=%lld real_ms=%lld maxgap_ms=%lld mem_pages=%llu "
        "mem_checked=%llu mem_bad=%llu blk_ok=%llu blk_bad=%llu tcp_sent=%llu "
        "tcp_echo=%llu tcp_bad=%llu vcpus=%ld",
        (unsigned long long)n, (long long)clock_ns(CLOCK_MONOTONIC) / 1000000,
        (long long)clock_ns(CLOCK_REALTIME) / 1000000,
        (long long)ticks_largest_ms(), (unsigned long long)m.pages,
        (unsigned long long)m.checked, (unsigned long long)m.bad,
        (unsigned long long)d.ok, (unsigned long long)d.bad,
        (unsigned long long)t.sent, (unsigned long long)t.echoed,
        (unsigned long long)t.bad, sysconf(_SC_NPROCESSORS_ONLN));
}

static void *heartbeat(void *unused)
{
    int64_t due = clock_ns(CLOCK_MONOTONIC);

    (void)unused;
    for (uint64_t n = 1;; n++) {
        beat(n);
        due += 1000000000;
        /* Do not make up for the beats of a gap. */
        if (due < clock_ns(CLOCK_MONOTONIC))
            due = clock_ns(CLOCK_MONOTONIC);
        sleep_until(due);
    }
    return NULL;
}

/* --- options ------------------------------------------------------------ */

static void usage(const char *what)
{
    fprintf(stderr, "witness: not understood: %s\n%s", what, help);
    exit(2);
}

static void set_workload(const char *name)
{
    for (size_t i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
        if (strcmp(workloads[i].name, name) != 0)
            continue;
        if (options.mem == -1)
            options.mem = workloads[i].mem;
        if (options.rate == -1)
            options.rate = workloads[i].rate;
        return;
    }
    usage(name);
}

static void parse(int argc, char **argv)
{
    const char *workload = "idle";

    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        if (!value)
            usage(argv[i]);
        *value++ = '\0';
        if (!strcmp(argv[i], "workload"))
            workload = value;
        else if (!strcmp(argv[i], "mem"))
            options.mem = atoi(value);
        else if (!strcmp(argv[i], "rate"))
            options.rate = atoi(value);
        else if (!strcmp(argv[i], "calm"))
            options.calm = atoi(value);
        else if (!strcmp(argv[i], "peer"))
            options.peer = value;
        else if (!strcmp(argv[i], "disk"))
            options.disk = value;
        else
            usage(argv[i]);
    }
    if (options.calm < 1 || options.calm > 100)
        usage("calm");
    set_workload(workload);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        fputs(help, stdout);
        return 0;
    }
    parse(argc, argv);
    pages_start();
    if (options.disk)
        disk_start();
    if (*options.peer)
        tcp_start();
    ticks_start();
    say("GUEST READY mono_ms=%lld",
        (long long)clock_ns(CLOCK_MONOTONIC) / 1000000);
    start_thread(heartbeat, NULL);
    commands_run();
}
