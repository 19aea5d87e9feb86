/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bed-client [-w SECONDS] SOCKET-PREFIX COUNT CMD [ARG]...
 *
 * Executes CMD in an emulated host over one of its COUNT command ports
 * (SOCKET-PREFIX0, SOCKET-PREFIX1, …), with this program's standard streams
 * and, as its own, the command's exit status.  See bed-frame.h.
 *
 * A port is this program's while it holds the lock on SOCKET-PREFIXn.lock.
 * -w: how long the host may take to answer at first (default 60).
 */
#include "bed-frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define EXIT_CHANNEL 125 /* our own failure, not the command's */

static uint8_t tx[FRAME_HEADER + FRAME_MAX];
static uint8_t rx[FRAME_HEADER + FRAME_MAX];

static void die(const char *what)
{
    fprintf(stderr, "bed: %s\n", what);
    exit(EXIT_CHANNEL);
}

static void die_errno(const char *what)
{
    fprintf(stderr, "bed: %s: %s\n", what, strerror(errno));
    exit(EXIT_CHANNEL);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- choosing a port ---------------------------------------------------- */

static bool lock_port(const char *prefix, unsigned n, int operation)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s%u.lock", prefix, n);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        die("the host is not running (bed up; bed status)");
    if (flock(fd, operation) == 0)
        return true; /* held until this process ends */
    close(fd);
    return false;
}

static unsigned take_port(const char *prefix, unsigned count)
{
    unsigned n;

    for (n = 0; n < count; n++)
        if (lock_port(prefix, n, LOCK_EX | LOCK_NB))
            return n;
    n = (unsigned)getpid() % count;
    if (!lock_port(prefix, n, LOCK_EX))
        die_errno("flock");
    return n;
}

static int connect_port(const char *prefix, unsigned n)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die_errno("socket");
    snprintf(to.sun_path, sizeof(to.sun_path), "%s%u", prefix, n);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
        die("the host is not running (bed up; bed status)");
    return fd;
}

/* --- frames ------------------------------------------------------------- */

static void write_all(int fd, const void *data, size_t size)
{
    const uint8_t *at = data;

    while (size) {
        ssize_t n = write(fd, at, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = { .fd = fd, .events = POLLOUT };

            poll(&p, 1, -1);
            continue;
        }
        if (n < 0)
            die_errno("write");
        at += n;
        size -= (size_t)n;
    }
}

static void send_frame(int port, uint8_t type, const void *data, size_t size)
{
    frame_header_put(tx, type, size);
    if (size)
        memcpy(tx + FRAME_HEADER, data, size);
    write_all(port, tx, FRAME_HEADER + size);
}

static void read_port(int port, uint8_t *data, size_t size)
{
    while (size) {
        ssize_t n = read(port, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            die("the host's emulator has ended (bed log HOST)");
        data += n;
        size -= (size_t)n;
    }
}

static void read_frame(int port)
{
    read_port(port, rx, FRAME_HEADER);
    if (!frame_type_known(rx[0]) || frame_length(rx) > FRAME_MAX)
        die("the host sent something that is no frame");
    read_port(port, rx + FRAME_HEADER, frame_length(rx));
}

/* --- a session ---------------------------------------------------------- */

/* Drops what is left of an earlier session until our FRAME_HELLO is back. */
static void wait_hello(int port, const uint8_t *hello, size_t size,
                       int64_t deadline)
{
    size_t seen = 0;
    uint8_t byte;

    while (seen < size) {
        struct pollfd p = { .fd = port, .events = POLLIN };
        int64_t left = deadline - now_ms();

        if (left <= 0 || poll(&p, 1, (int)left) == 0)
            die("the host does not answer (bed log HOST)");
        read_port(port, &byte, 1);
        if (byte == hello[seen])
            seen++;
        else
            seen = byte == hello[0];
    }
}

static void open_session(int port, int wait_s)
{
    static const uint8_t zeros[BED_PREAMBLE];
    uint8_t hello[FRAME_HEADER + BED_NONCE_SIZE];

    frame_header_put(hello, FRAME_HELLO, BED_NONCE_SIZE);
    if (getrandom(hello + FRAME_HEADER, BED_NONCE_SIZE, 0) < 0)
        die_errno("getrandom");
    write_all(port, zeros, sizeof(zeros));
    write_all(port, BED_MAGIC, BED_MAGIC_SIZE);
    write_all(port, hello, sizeof(hello));
    wait_hello(port, hello, sizeof(hello), now_ms() + wait_s * 1000);
}

static void send_command(int port, char **argv)
{
    uint8_t words[FRAME_MAX];
    size_t size = 0;

    for (; *argv; argv++) {
        size_t length = strlen(*argv) + 1;

        if (size + length > sizeof(words))
            die("the command is too long");
        memcpy(words + size, *argv, length);
        size += length;
    }
    send_frame(port, FRAME_EXEC, words, size);
}

static void handle_frame(uint32_t *window)
{
    const uint8_t *data = rx + FRAME_HEADER;
    size_t size = frame_length(rx);

    switch (rx[0]) {
    case FRAME_STDOUT:
        write_all(STDOUT_FILENO, data, size);
        break;
    case FRAME_STDERR:
        write_all(STDERR_FILENO, data, size);
        break;
    case FRAME_WINDOW:
        *window += (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
                   (uint32_t)data[2] << 8 | data[3];
        break;
    case FRAME_EXIT:
        exit(data[0]);
    default:
        die("the host sent an unknown frame");
    }
}

/* Returns what is left of the window; 0 bytes read end stdin for good. */
static bool pass_stdin(int port, uint32_t *window)
{
    uint8_t data[FRAME_MAX];
    size_t size = *window < FRAME_MAX ? *window : FRAME_MAX;
    ssize_t n = read(STDIN_FILENO, data, size);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n < 0)
        n = 0; /* stdin was closed: as good as its end */
    send_frame(port, FRAME_STDIN, data, (size_t)n);
    *window -= (uint32_t)n;
    return n > 0;
}

static void run(int port)
{
    uint32_t window = STDIN_WINDOW;
    bool more = true;

    for (;;) {
        struct pollfd p[] = {
            { .fd = port, .events = POLLIN },
            { .fd = more && window ? STDIN_FILENO : -1, .events = POLLIN },
        };

        if (poll(p, 2, -1) < 0 && errno != EINTR)
            die_errno("poll");
        if (p[0].revents) {
            read_frame(port);
            handle_frame(&window);
        }
        if (p[1].revents)
            more = pass_stdin(port, &window);
    }
}

int main(int argc, char **argv)
{
    int opt, wait_s = 60, port;
    unsigned count;

    while ((opt = getopt(argc, argv, "+w:")) == 'w')
        wait_s = atoi(optarg);
    if (opt != -1 || argc - optind < 3) {
        fprintf(stderr, "usage: bed-client [-w SECONDS] PREFIX COUNT CMD…\n");
        return 2;
    }
    argv += optind;
    count = (unsigned)atoi(argv[1]);
    port = connect_port(argv[0], take_port(argv[0], count));
    open_session(port, wait_s);
    send_command(port, argv + 2);
    run(port);
}
