/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cable between the two emulated hosts.
 *
 *   bed-relay SOCKET1 SOCKET2 CONTROL     run in the background, print the
 *                                         process id once all is listening;
 *                                         QEMU's "-netdev stream" of each
 *                                         host connects to its socket
 *   bed-relay --ask CONTROL WORD [NUMBER] send a request to a running one
 *
 * Requests, one a connection, a line each:
 *   cut            drop every frame
 *   heal           deliver again
 *   delay MS       each frame arrives MS later (both directions)
 *   rate BYTES     bytes per second and direction; 0: no limit
 *   stats          frames and bytes delivered and dropped, per direction, and
 *                  how many told neighbours of an address nobody had asked for:
 *                  gratuitous ARP, unsolicited neighbour advertisements
 *
 * QEMU's framing: four bytes big-endian length, then the Ethernet frame.
 * A direction whose queue is full is not read: QEMU then holds the host's
 * transmit queue, nothing is lost unless the link is cut.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEADER    4u
#define FRAME_MAX (128u * 1024) /* more is no Ethernet frame: give up */
#define QUEUE_MAX (8u * 1024 * 1024)
#define READ_SIZE (256u * 1024)

struct frame {
    struct frame *next;
    int64_t due_ns; /* not delivered before */
    size_t size;    /* of data, header included */
    uint8_t data[];
};

/* One direction: what side [i] sends, on its way to side [1 - i]. */
struct direction {
    uint8_t rx[HEADER + FRAME_MAX + READ_SIZE];
    size_t rx_size;
    struct frame *head, *tail;
    size_t queued;   /* bytes */
    size_t done;     /* bytes of the head already written */
    int64_t line_ns; /* the line is busy until then */
    uint64_t frames, bytes, dropped, arp, na;
};

static struct direction directions[2];
static int sides[2] = { -1, -1 };
static bool is_cut;
static int64_t delay_ns;
static uint64_t rate;

static void die(const char *what)
{
    fprintf(stderr, "bed-relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(a.sun_path)) {
        fprintf(stderr, "bed-relay: path too long: %s\n", path);
        exit(1);
    }
    strcpy(a.sun_path, path);
    return a;
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4))
        die(path);
    return fd;
}

/* --- frames ------------------------------------------------------------- */

/* Ethernet: type at 12, then ARP (RFC 826) or IPv6 (RFC 8200, RFC 4861). */
static void count_announcement(struct direction *d, const uint8_t *p, size_t n)
{
    if (n >= 42 && p[12] == 0x08 && p[13] == 0x06)
        d->arp += !memcmp(p + 28, p + 38, 4);
    if (n >= 78 && p[12] == 0x86 && p[13] == 0xdd && p[20] == IPPROTO_ICMPV6)
        d->na += p[38] == 0xff && p[54] == 136;
}

static void enqueue(struct direction *d, const uint8_t *data, size_t size)
{
    struct frame *f;
    int64_t start = now_ns();

    if (is_cut || sides[1 - (d - directions)] < 0) {
        d->dropped++;
        return;
    }
    f = malloc(sizeof(*f) + size);
    if (!f)
        die("malloc");
    memcpy(f->data, data, size);
    f->size = size;
    f->next = NULL;
    if (start < d->line_ns)
        start = d->line_ns;
    if (rate)
        start += (int64_t)((size - HEADER) * 1000000000ull / rate);
    d->line_ns = start;
    f->due_ns = start + delay_ns;
    if (d->tail)
        d->tail->next = f;
    else
        d->head = f;
    d->tail = f;
    d->queued += size;
}

static size_t frame_size(const uint8_t *data)
{
    return HEADER + ((size_t)data[0] << 24 | (size_t)data[1] << 16 |
                     (size_t)data[2] << 8 | data[3]);
}

static void split_frames(struct direction *d)
{
    size_t at = 0, size;

    while (d->rx_size - at >= HEADER) {
        size = frame_size(d->rx + at);
        if (size > HEADER + FRAME_MAX) {
            fprintf(stderr, "bed-relay: bad frame length %zu\n", size);
            exit(1);
        }
        if (d->rx_size - at < size)
            break;
        enqueue(d, d->rx + at, size);
        at += size;
    }
    d->rx_size -= at;
    memmove(d->rx, d->rx + at, d->rx_size);
}

static void drop_queue(struct direction *d)
{
    /* The head may be half written: the rest of it must follow. */
    struct frame **from = d->done ? &d->head->next : &d->head;

    while (*from) {
        struct frame *f = *from;

        *from = f->next;
        d->queued -= f->size;
        d->dropped++;
        free(f);
    }
    d->tail = d->head;
}

static void lose_side(int i)
{
    close(sides[i]);
    sides[i] = -1;
    directions[i].rx_size = 0;
    directions[1 - i].done = 0;
    drop_queue(&directions[1 - i]);
}

static void read_side(int i)
{
    struct direction *d = &directions[i];
    ssize_t n = read(sides[i], d->rx + d->rx_size, sizeof(d->rx) - d->rx_size);

    if (n > 0) {
        d->rx_size += (size_t)n;
        split_frames(d);
    } else if (n == 0 || errno != EAGAIN) {
        lose_side(i);
    }
}

static bool due(const struct direction *d)
{
    return d->head && (d->done || d->head->due_ns <= now_ns());
}

/* Writes what is due to side 1 - i. */
static void deliver(int i)
{
    struct direction *d = &directions[i];

    while (sides[1 - i] >= 0 && due(d)) {
        struct frame *f = d->head;
        ssize_t n = write(sides[1 - i], f->data + d->done, f->size - d->done);

        if (n < 0) {
            if (errno != EAGAIN)
                lose_side(1 - i);
            return;
        }
        d->done += (size_t)n;
        if (d->done < f->size)
            return;
        d->done = 0;
        d->head = f->next;
        if (!d->head)
            d->tail = NULL;
        d->queued -= f->size;
        d->frames++;
        d->bytes += f->size - HEADER;
        count_announcement(d, f->data + HEADER, f->size - HEADER);
        free(f);
    }
}

/* --- requests ----------------------------------------------------------- */

static int print_direction(char *out, size_t size, const char *name,
                           const struct direction *d)
{
    return snprintf(
        out, size, "%s frames=%llu bytes=%llu dropped=%llu arp=%llu na=%llu\n",
        name, (unsigned long long)d->frames, (unsigned long long)d->bytes,
        (unsigned long long)d->dropped, (unsigned long long)d->arp,
        (unsigned long long)d->na);
}

static int print_stats(char *out, size_t size)
{
    int n = print_direction(out, size, "host1_to_host2", &directions[0]);

    n += print_direction(out + n, size - (size_t)n, "host2_to_host1",
                         &directions[1]);
    return n + snprintf(out + n, size - (size_t)n,
                        "link %s delay_ms=%lld rate=%llu\n",
                        is_cut ? "cut" : "up", (long long)(delay_ns / 1000000),
                        (unsigned long long)rate);
}

static int answer(const char *word, unsigned long long number, char *out,
                  size_t size)
{
    if (!strcmp(word, "cut")) {
        is_cut = true;
        drop_queue(&directions[0]);
        drop_queue(&directions[1]);
    } else if (!strcmp(word, "heal")) {
        is_cut = false;
    } else if (!strcmp(word, "delay")) {
        delay_ns = (int64_t)number * 1000000;
    } else if (!strcmp(word, "rate")) {
        rate = number;
        directions[0].line_ns = directions[1].line_ns = 0;
    } else if (!strcmp(word, "stats")) {
        return print_stats(out, size);
    } else {
        return snprintf(out, size, "error: unknown request '%s'\n", word);
    }
    return snprintf(out, size, "ok\n");
}

/* The one who asks is bed, which sends its line at once: blocking is fine. */
static void serve_request(int control)
{
    int fd = accept4(control, NULL, NULL, SOCK_CLOEXEC);
    char line[128] = "", word[32] = "", out[512];
    unsigned long long number = 0;
    ssize_t n;

    if (fd < 0)
        return;
    n = read(fd, line, sizeof(line) - 1);
    if (n > 0 && sscanf(line, "%31s %llu", word, &number) >= 1) {
        int size = answer(word, number, out, sizeof(out));

        if (write(fd, out, (size_t)size) != size)
            fprintf(stderr, "bed-relay: an answer was not taken\n");
    }
    close(fd);
}

/* --- the loop ----------------------------------------------------------- */

static void accept_side(int i, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (sides[i] >= 0)
        lose_side(i);
    sides[i] = fd;
}

/* Time until a frame becomes due; false: none is waiting for its time. */
static bool next_due(struct timespec *left)
{
    int64_t least = INT64_MAX, now = now_ns();

    for (int i = 0; i < 2; i++) {
        struct direction *d = &directions[i];

        if (d->head && !due(d) && d->head->due_ns - now < least)
            least = d->head->due_ns - now;
    }
    if (least == INT64_MAX)
        return false;
    if (least < 0)
        least = 0;
    left->tv_sec = least / 1000000000;
    left->tv_nsec = least % 1000000000;
    return true;
}

static short side_events(int i)
{
    bool read = directions[i].queued < QUEUE_MAX;
    bool write = due(&directions[1 - i]);

    return (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0));
}

static void relay(const int listeners[2], int control)
{
    for (;;) {
        struct pollfd p[5] = {
            { .fd = listeners[0], .events = POLLIN },
            { .fd = listeners[1], .events = POLLIN },
            { .fd = control, .events = POLLIN },
            { .fd = sides[0], .events = side_events(0) },
            { .fd = sides[1], .events = side_events(1) },
        };
        struct timespec left;
        bool timed = next_due(&left);

        if (ppoll(p, 5, timed ? &left : NULL, NULL) < 0 && errno != EINTR)
            die("ppoll");
        for (int i = 0; i < 2; i++) {
            if (p[3 + i].revents & (POLLIN | POLLHUP | POLLERR))
                read_side(i);
            if (p[i].revents)
                accept_side(i, listeners[i]);
        }
        if (p[2].revents)
            serve_request(control);
        deliver(0);
        deliver(1);
    }
}

/* The sockets listen already: QEMU may be started when the parent ends. */
static void go_background(void)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    if (pid > 0) {
        printf("%d\n", (int)pid);
        exit(0);
    }
    setsid();
    if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout))
        die("/dev/null");
}

static int ask(const char *path, const char *word, const char *number)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char line[512];
    ssize_t n;

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
        die(path);
    dprintf(fd, "%s %s\n", word, number);
    n = read(fd, line, sizeof(line) - 1);
    if (n <= 0)
        die("no answer");
    line[n] = '\0';
    if (!strncmp(line, "error", 5)) {
        fputs(line, stderr);
        return 1;
    }
    if (strcmp(line, "ok\n") != 0)
        fputs(line, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    int listeners[2], control;

    if (argc >= 4 && argc <= 5 && !strcmp(argv[1], "--ask"))
        return ask(argv[2], argv[3], argc == 5 ? argv[4] : "");
    if (argc != 4) {
        fprintf(stderr, "usage: bed-relay SOCKET1 SOCKET2 CONTROL\n"
                        "       bed-relay --ask CONTROL WORD [NUMBER]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    listeners[0] = listen_at(argv[1]);
    listeners[1] = listen_at(argv[2]);
    control = listen_at(argv[3]);
    go_background();
    relay(listeners, control);
}
