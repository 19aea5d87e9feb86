/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmark needs inside an emulated host's dom0; see help below.
 * Times are the host's wall clock in microseconds unless said otherwise.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenguest.h>
#include <xenstore.h>

#define PAGE 4096u

static const char help[] =
    "bench-host clock              answer each line with the time; a line\n"
    "                              \"step US\" moves the clock by so much\n"
    "bench-host timed FILE CMD...  run CMD; FILE gets \"START END STATUS\"\n"
    "bench-host watch              a line for each change of a domain, until\n"
    "                              killed: TIME DOMID WHAT\n"
    "bench-host census DOMID FREE  pages that are present, and not zero, and\n"
    "                              not in FREE, a bitmap (words of 64 gfns)\n"
    "bench-host suspend DOMID      have the guest suspend itself, and go on at once\n"
    "bench-host connect FILE ADDRESS PORT\n"
    "                              stdin and stdout to a TCP connection; FILE\n"
    "                              gets the bytes sent and received\n";

static void die(const char *what)
{
    fprintf(stderr, "bench-host: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static FILE *create(const char *path)
{
    FILE *f = fopen(path, "w");

    if (!f)
        die(path);
    return f;
}

/* --- clock ---------------------------------------------------------------- */

/* Xen's wall clock, and so that of guests, follows dom0's. */
static void step_clock(int64_t by_us)
{
    int64_t to = now_us() + by_us;
    struct timeval t = { to / 1000000, to % 1000000 };

    if (settimeofday(&t, NULL))
        die("settimeofday");
}

static int clock_main(char **args)
{
    char line[64];

    (void)args;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof(line), stdin)) {
        if (!strncmp(line, "step ", 5))
            step_clock(strtoll(line + 5, NULL, 10));
        printf("%" PRId64 "\n", now_us());
    }
    return 0;
}

/* --- timed ---------------------------------------------------------------- */

static int timed_main(char **args)
{
    FILE *f = create(args[0]);
    int64_t start = now_us();
    pid_t pid = fork();
    int status;

    if (pid < 0)
        die("fork");
    if (!pid) {
        execvp(args[1], args + 1);
        die(args[1]);
    }
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(f, "%" PRId64 " %" PRId64 " %d\n", start, now_us(), status);
    fclose(f);
    return status;
}

/* --- watch ---------------------------------------------------------------- */

#define DOMAINS_MAX 16
#define POLL_US     2000

struct domain {
    uint32_t domid;
    bool here, paused, shutdown;
};

static struct xs_handle *store;

static void event(uint32_t domid, const char *what, const char *more)
{
    printf("%" PRId64 " %u %s%s\n", now_us(), domid, what, more);
}

/* An mstrap may come to live in it. */
static void watch_state(uint32_t domid)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/data/mstrap/state", domid);
    if (!xs_watch(store, path, "state"))
        die("xs_watch");
}

static void compare(struct domain *d, const xc_domaininfo_t *i)
{
    bool paused = i->flags & XEN_DOMINF_paused;
    bool down = i->flags & XEN_DOMINF_shutdown;

    if (!d->domid) {
        *d = (struct domain){ i->domain, true, paused, false };
        event(d->domid, "new", paused ? " paused" : "");
        watch_state(d->domid);
    }
    d->here = true;
    if (paused != d->paused)
        event(d->domid, paused ? "paused" : "unpaused", "");
    if (down && !d->shutdown)
        event(d->domid, "shutdown", "");
    d->paused = paused;
    d->shutdown = down;
}

static struct domain *slot_of(struct domain *all, uint32_t domid)
{
    struct domain *empty = NULL;

    for (struct domain *d = all; d < all + DOMAINS_MAX; d++) {
        if (d->domid == domid)
            return d;
        if (!d->domid && !empty)
            empty = d;
    }
    if (!empty) {
        errno = E2BIG;
        die("domains");
    }
    return empty;
}

static void look(xc_interface *xch, struct domain *all)
{
    xc_domaininfo_t info[DOMAINS_MAX];
    int n = xc_domain_getinfolist(xch, 1, DOMAINS_MAX, info);

    if (n < 0)
        die("xc_domain_getinfolist");
    for (struct domain *d = all; d < all + DOMAINS_MAX; d++)
        d->here = false;
    for (int i = 0; i < n; i++)
        compare(slot_of(all, info[i].domain), &info[i]);
    for (struct domain *d = all; d < all + DOMAINS_MAX; d++)
        if (d->domid && !d->here) {
            event(d->domid, "gone", "");
            *d = (struct domain){ 0 };
        }
}

/* The text of a node's brother, to be freed. */
static char *read_brother(const char *path, const char *name)
{
    char other[XENSTORE_ABS_PATH_MAX];

    snprintf(other, sizeof(other), "%.*s/%s", (int)(strrchr(path, '/') - path),
             path, name);
    return xs_read(store, XBT_NULL, other, NULL);
}

static void states(void)
{
    char **w;

    while ((w = xs_check_watch(store))) {
        const char *path = w[XS_WATCH_PATH];
        char *state = read_brother(path, "state");
        char *own = read_brother(path, "own"), more[128];

        snprintf(more, sizeof(more), " %.40s own %.40s", state ? state : "-",
                 own ? own : "-");
        if (state)
            event((uint32_t)atoi(path + strlen("/local/domain/")), "mstrap",
                  more);
        free(state);
        free(own);
        free(w);
    }
}

static _Noreturn void watch(xc_interface *xch)
{
    struct domain all[DOMAINS_MAX] = { { 0 } };

    for (;;) {
        look(xch, all);
        states();
        usleep(POLL_US);
    }
}

static int watch_main(char **args)
{
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);

    (void)args;
    store = xs_open(0);
    if (!xch || !store)
        die("no Xen here");
    setvbuf(stdout, NULL, _IOLBF, 0);
    setpriority(PRIO_PROCESS, 0, -10);
    watch(xch);
}

/* --- census --------------------------------------------------------------- */

#define WINDOW 1024

struct census {
    uint64_t present, used, kept;
    uint64_t free[1 << 16]; /* bitmap */
};

static bool is_zero(const uint64_t *page)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < PAGE / sizeof(*page); i++)
        bits |= page[i];
    return !bits;
}

static void count(xenforeignmemory_handle *fm, uint32_t domid, uint64_t first,
                  size_t n, struct census *c)
{
    xen_pfn_t gfns[WINDOW];
    int error[WINDOW];
    uint64_t *map;

    for (size_t i = 0; i < WINDOW; i++)
        gfns[i] = first + i;
    map = xenforeignmemory_map(fm, domid, PROT_READ, n, gfns, error);
    if (!map)
        return; /* none of them is present */
    for (size_t i = 0; i < n; i++) {
        if (error[i])
            continue;
        c->present++;
        if (is_zero(map + i * (PAGE / sizeof(*map))))
            continue;
        c->used++;
        c->kept += !(c->free[gfns[i] / 64] >> gfns[i] % 64 & 1);
    }
    xenforeignmemory_unmap(fm, map, n);
}

static int census_main(char **args)
{
    uint32_t domid = (uint32_t)atoi(args[0]);
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    xenforeignmemory_handle *fm = xenforeignmemory_open(NULL, 0);
    static struct census c;
    FILE *f = fopen(args[1], "rb");
    xen_pfn_t top;

    if (!xch || !fm || xc_domain_maximum_gpfn(xch, domid, &top) < 0)
        die("the domain");
    if (!f || (!fread(c.free, 1, sizeof(c.free), f) && ferror(f)))
        die(args[1]);
    if (top >= sizeof(c.free) * 8)
        die("so many pages");
    for (uint64_t gfn = 0; gfn <= top; gfn += WINDOW)
        count(fm, domid, gfn, top + 1 - gfn < WINDOW ? top + 1 - gfn : WINDOW,
              &c);
    printf("present=%" PRIu64 " used=%" PRIu64 " kept=%" PRIu64 "\n", c.present,
           c.used, c.kept);
    return 0;
}

/* --- suspend -------------------------------------------------------------- */

#define SUSPEND_TRIES 30000 /* of POLL_US each, so a minute */

static bool is_suspended(xc_interface *xch, uint32_t domid)
{
    xc_domaininfo_t info;

    if (xc_domain_getinfolist(xch, domid, 1, &info) != 1 ||
        info.domain != domid)
        die("the domain");
    return info.flags & XEN_DOMINF_shutdown;
}

static int suspend_main(char **args)
{
    uint32_t domid = (uint32_t)atoi(args[0]);
    xc_interface *xch = xc_interface_open(NULL, NULL, 0);
    unsigned tries = SUSPEND_TRIES;
    char path[64];

    store = xs_open(0);
    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", domid);
    if (!xch || !store || !xs_write(store, XBT_NULL, path, "suspend", 7))
        die("no Xen here");
    setpriority(PRIO_PROCESS, 0, -10);
    for (; !is_suspended(xch, domid); usleep(POLL_US))
        if (!tries--) {
            errno = ETIMEDOUT;
            die("the guest does not suspend");
        }
    if (xc_domain_resume(xch, domid, 1) || !xs_resume_domain(store, domid))
        die("resume");
    return 0;
}

/* --- connect -------------------------------------------------------------- */

static int connect_to(const char *address, const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)atoi(port)) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)))
        die("connect");
    return fd;
}

/* Moves what is there; false at the end. */
static bool move(int from, int to, uint64_t *bytes)
{
    static char data[256 * 1024];
    ssize_t n = read(from, data, sizeof(data)), done = 0, w;

    if (n <= 0)
        return false;
    while (done < n) {
        w = write(to, data + done, (size_t)(n - done));
        if (w < 0)
            return false;
        done += w;
    }
    *bytes += (uint64_t)n;
    return true;
}

static int connect_main(char **args)
{
    FILE *f = create(args[0]);
    int fd = connect_to(args[1], args[2]);
    struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                           { .fd = fd, .events = POLLIN } };
    uint64_t sent = 0, received = 0;

    signal(SIGPIPE, SIG_IGN);
    while (p[1].fd >= 0) {
        poll(p, 2, -1);
        if (p[0].revents && !move(STDIN_FILENO, fd, &sent)) {
            p[0].fd = -1;
            shutdown(fd, SHUT_WR);
        }
        if (p[1].revents && !move(fd, STDOUT_FILENO, &received))
            p[1].fd = -1;
    }
    fprintf(f, "%" PRIu64 " %" PRIu64 "\n", sent, received);
    fclose(f);
    return 0;
}

/* -------------------------------------------------------------------------- */

static const struct command {
    const char *name;
    int least; /* arguments */
    int (*run)(char **args);
} commands[] = {
    { "clock", 0, clock_main },     { "timed", 2, timed_main },
    { "watch", 0, watch_main },     { "census", 2, census_main },
    { "suspend", 1, suspend_main }, { "connect", 3, connect_main },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (argc >= 2 && !strcmp(argv[1], commands[i].name) &&
            argc - 2 >= commands[i].least)
            return commands[i].run(argv + 2);
    fputs(help, stderr);
    return 2;
}
