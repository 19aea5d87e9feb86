/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of witness: each starts its threads and keeps its counters. */
#ifndef WITNESS_H
#define WITNESS_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define MEM_HALF_OF_TOTAL (-2)
#define MEM_32_MIB        (-3)

struct witness_options {
    int mem;          /* percent of free memory, or MEM_… */
    int rate;         /* pages per second, all threads together */
    int calm;         /* wake up so many times less often */
    const char *peer; /* IPv4 address, "": none */
    const char *disk; /* device, NULL: none */
};
extern struct witness_options options;

/* witness.c */
int64_t clock_ns(clockid_t clock);
void sleep_until(int64_t mono_ns);
/* A line on the console. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void start_thread(void *(*function)(void *), void *arg);

/* pages.c: stamped memory */
struct pages_state {
    uint64_t pages, checked, bad;
};
void pages_start(void);
void pages_check_all(void);
void pages_poke(void);
struct pages_state pages_state(void);

/* disk.c: stamped blocks */
struct disk_state {
    uint64_t ok, bad;
};
void disk_start(void);
void disk_check_all(void);
void disk_poke(void);
struct disk_state disk_state(void);

/* tcp.c: one connection that must live */
struct tcp_state {
    uint64_t sent, echoed, bad;
};
void tcp_start(void);
struct tcp_state tcp_state(void);

/* ticks.c: gaps in time */
void ticks_start(void);
void ticks_reset(void);
int64_t ticks_largest_ms(void);

/* commands.c: lines on stdin and /run/witness; does not return */
void commands_run(void) __attribute__((noreturn));

#endif
