/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench-tokens [ROUNDS]: forged tokens that packetd's door refuses in a second
 * of one core, beside the signatures that libsodium alone refuses there, in
 * turns; and the most memory the door had.  One figure a line: tool, name,
 * value.
 *
 * The tokens are whole and right but for their signature, which is a good one
 * of somebody else's: each costs a whole verification.  They come as
 * datagrams over the loopback device, more of them than can be looked at.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "fixture.h"
#include "part.h"

#define TOKENS   256
#define ROUND_MS 3000
#define BATCH    64 /* datagrams at once; they fit into the socket */

static uint8_t tokens[TOKENS][MEXT_TOKEN_LEN];
static struct part_door door;
static uint64_t refused;

static void die(const char *what)
{
    fprintf(stderr, "bench-tokens: %s\n", what);
    exit(1);
}

static void make_tokens(void)
{
    struct mext_identity id;
    struct mext_token t;

    fix_token(&t);
    fix_identity(&id, FIX_SOURCE);
    t.issued = (uint64_t)time(NULL);
    t.expiry = t.issued + MEXT_TOKEN_LIFETIME_MAX;
    for (unsigned i = 0; i < TOKENS; i++) {
        memset(t.id, (int)i, sizeof(t.id));
        if (mext_token_sign(&t, &id, tokens[i]))
            die("a token cannot be made");
        fix_resign(tokens[i], MEXT_TOKEN_LEN, FIX_STRANGER);
    }
}

/* Keeps a process on one core; with one core both share it. */
static void stay_on(pid_t pid, int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(pid, sizeof(set), &set);
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    if (clock_gettime(clock, &t))
        die("no clock of the door's");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- libsodium alone ---- */

static double verify_rate(void)
{
    const size_t n = MEXT_TOKEN_LEN - MEXT_SIG_LEN;
    uint64_t end = mext_now_ms() + ROUND_MS;
    struct mext_identity id;
    unsigned done = 0;
    double began;

    fix_identity(&id, FIX_SOURCE);
    stay_on(0, 0);
    began = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (; mext_now_ms() < end; done++)
        if (!crypto_sign_ed25519_verify_detached(
                tokens[done % TOKENS] + n, tokens[done % TOKENS], n, id.pk))
            die("a forged token verifies");
    return done / (seconds(CLOCK_PROCESS_CPUTIME_ID) - began);
}

/* ---- the door ---- */

static void send_trust(void)
{
    static struct gate_msg m = { .type = GATE_TRUST, .fd = -1 };
    struct mext_identity id;
    struct mext_why why;

    m.u.trust.nself = m.u.trust.n = 1;
    fix_identity(&id, FIX_DEST);
    memcpy(m.u.trust.self[0], id.pk, MEXT_KEY_LEN);
    fix_identity(&id, FIX_SOURCE);
    memcpy(m.u.trust.keys[0], id.pk, MEXT_KEY_LEN);
    if (gate_send(door.gate, &m, &why))
        die(why.text);
}

/* What the door says, if it says something in so many ms, 0: nothing. */
static uint8_t take_message(int ms)
{
    struct pollfd p = { .fd = door.gate, .events = POLLIN };
    static struct gate_msg m;
    struct mext_why why;

    if (poll(&p, 1, ms) <= 0)
        return 0;
    if (gate_recv(door.gate, &m, &why))
        die(why.text);
    if (m.type == GATE_HELLO)
        send_trust();
    for (unsigned i = 0; m.type == GATE_REFUSED && i < GATE_REASONS; i++) {
        if (m.u.refused.n[i] && i != MEXT_E_SIGNATURE)
            die("the door refuses for another reason");
        refused += m.u.refused.n[i];
    }
    return m.type;
}

static void start_door(void)
{
    FILE *log = fopen("/dev/null", "w");
    struct mext_why why;

    if (!log ||
        part_door_start(&door, PART_PROGRAM, NULL, fileno(log), NULL, &why))
        die("the door does not start");
    fclose(log);
    stay_on(door.pid, 0);
    take_message(-1);
}

static int open_socket(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(door.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
        die("no socket");
    return fd;
}

/* So many more datagrams that `rate` of them are sent a second. */
static void send_batch(int fd, double *next, double rate)
{
    static unsigned sent;

    if (seconds(CLOCK_MONOTONIC) < *next)
        return;
    *next += BATCH / rate;
    for (unsigned i = 0; i < BATCH; i++)
        send(fd, tokens[sent++ % TOKENS], MEXT_TOKEN_LEN, 0);
}

/*
 * From one report of the door's to another: it tells its count about once a
 * second, as soon as it has the time.
 */
static double door_rate(int fd, double rate)
{
    double next = seconds(CLOCK_MONOTONIC), from = 0, to = 0;
    uint64_t end = mext_now_ms() + ROUND_MS, first = 0;
    clockid_t clock;

    if (clock_getcpuclockid(door.pid, &clock))
        die("no clock of the door's");
    stay_on(0, (int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
    while (mext_now_ms() < end || to == from) {
        send_batch(fd, &next, rate);
        if (take_message(1) != GATE_REFUSED)
            continue;
        to = seconds(clock);
        if (from)
            continue;
        from = to;
        first = refused;
    }
    return (double)(refused - first) / (to - from);
}

static long memory_kib(void)
{
    char path[64], line[128];
    long kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)door.pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "VmHWM: %ld", &kib);
    if (f)
        fclose(f);
    return kib;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 5;
    int fd;

    if (sodium_init() < 0)
        die("libsodium cannot be initialised");
    if (geteuid())
        die("only root can start a door");
    make_tokens();
    start_door();
    fd = open_socket();
    while (rounds--) {
        double alone = verify_rate();

        printf("libsodium\ttoken_rate\t%.0f\n", alone);
        printf("ours\ttoken_rate\t%.0f\n", door_rate(fd, 1.3 * alone));
        fflush(stdout);
    }
    printf("ours\tdoor_memory\t%ld\n", memory_kib());
    close(door.gate);
    part_wait(door.pid);
    return 0;
}
