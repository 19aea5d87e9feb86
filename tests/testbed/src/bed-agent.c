/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bed-agent PORT...: runs in an emulated dom0 and executes the commands which
 * come in over virtio-serial ports, see bed-frame.h.  One process a port.
 *
 * The command runs in a session of its own; when the client goes away before
 * it ends, its process group is killed.
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
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGV_MAX 512

enum { STREAM_OUT, STREAM_ERR, STREAMS };

struct session {
    int port;     /* the virtio-serial port, never blocks */
    int child_fd; /* signalfd for SIGCHLD */
    pid_t child;  /* 0: none was started */
    int status;   /* wait status, valid when reaped */
    bool reaped;
    int in;           /* write end of the command's stdin, or -1 */
    int out[STREAMS]; /* read ends of its stdout and stderr, or -1 */
    bool in_ends;     /* the client sent the end of stdin */

    uint8_t rx[FRAME_HEADER + FRAME_MAX]; /* a frame being received */
    size_t rx_size;
    uint8_t tx[FRAME_HEADER + FRAME_MAX]; /* frames being sent */
    size_t tx_size, tx_done;
    uint8_t stdin_data[STDIN_WINDOW + FRAME_MAX]; /* for the command */
    size_t stdin_size;
    uint32_t consumed; /* of stdin, not yet told to the client */
};

static void die(const char *what)
{
    fprintf(stderr, "bed-agent: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- the port ----------------------------------------------------------- */

static bool host_connected(int port)
{
    struct pollfd p = { .fd = port };

    return poll(&p, 1, 0) == 0 || !(p.revents & POLLHUP);
}

/* The driver has no blocking wait for a connection, but sends SIGIO (which is
 * blocked here, so that it stays pending) on every change. */
static void wait_connected(int port)
{
    sigset_t io;
    int sig;

    sigemptyset(&io);
    sigaddset(&io, SIGIO);
    while (!host_connected(port))
        sigwait(&io, &sig);
}

static void wait_port(int port, short events)
{
    struct pollfd p = { .fd = port, .events = events };

    poll(&p, 1, -1);
}

/* Drops all up to and including BED_MAGIC; what came behind it, at most the
 * FRAME_HELLO the client then waits for, is the session's first input. */
static bool find_session(struct session *s)
{
    uint8_t data[4096];
    size_t seen = 0;

    for (;;) {
        ssize_t n = read(s->port, data, sizeof(data));

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n < 0)
            wait_port(s->port, POLLIN);
        for (ssize_t i = 0; i < n; i++) {
            if (data[i] == (uint8_t)BED_MAGIC[seen])
                seen++;
            else
                seen = data[i] == (uint8_t)BED_MAGIC[0];
            if (seen == BED_MAGIC_SIZE) {
                s->rx_size = (size_t)(n - i - 1);
                memcpy(s->rx, data + i + 1, s->rx_size);
                return true;
            }
        }
    }
}

static size_t tx_room(const struct session *s)
{
    return sizeof(s->tx) - s->tx_size;
}

/* The caller has seen that there is room. */
static void put_frame(struct session *s, uint8_t type, const void *data,
                      size_t size)
{
    frame_header_put(s->tx + s->tx_size, type, size);
    if (size)
        memcpy(s->tx + s->tx_size + FRAME_HEADER, data, size);
    s->tx_size += FRAME_HEADER + size;
}

static bool flush_port(struct session *s)
{
    while (s->tx_done < s->tx_size) {
        ssize_t n = write(s->port, s->tx + s->tx_done, s->tx_size - s->tx_done);

        if (n < 0)
            return errno == EAGAIN;
        s->tx_done += (size_t)n;
    }
    s->tx_size = s->tx_done = 0;
    return true;
}

/* --- the command -------------------------------------------------------- */

static void child_exec(char **argv, int in, int out, int err)
{
    sigset_t none;

    setsid();
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv);
    fprintf(stderr, "bed: %s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static void start_command(struct session *s, char **argv)
{
    int in[2], out[2], err[2];

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        die("pipe");
    s->child = fork();
    if (s->child < 0)
        die("fork");
    if (s->child == 0)
        child_exec(argv, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    s->in = in[1];
    s->out[STREAM_OUT] = out[0];
    s->out[STREAM_ERR] = err[0];
    fcntl(s->in, F_SETFL, O_NONBLOCK);
    fcntl(s->out[STREAM_OUT], F_SETFL, O_NONBLOCK);
    fcntl(s->out[STREAM_ERR], F_SETFL, O_NONBLOCK);
}

static bool exec_frame(struct session *s, char *words, size_t size)
{
    char *argv[ARGV_MAX + 1];
    size_t n = 0, at = 0;

    if (s->child || !size || words[size - 1] != '\0')
        return false;
    while (at < size && n < ARGV_MAX) {
        argv[n++] = words + at;
        at += strlen(words + at) + 1;
    }
    argv[n] = NULL;
    if (at < size)
        return false;
    start_command(s, argv);
    return true;
}

static bool stdin_frame(struct session *s, const uint8_t *data, size_t size)
{
    if (s->stdin_size + size > sizeof(s->stdin_data))
        return false;
    memcpy(s->stdin_data + s->stdin_size, data, size);
    s->stdin_size += size;
    if (!size)
        s->in_ends = true;
    return true;
}

/* False: not a frame of this protocol; the session is over. */
static bool handle_frame(struct session *s)
{
    size_t size = frame_length(s->rx);
    uint8_t *data = s->rx + FRAME_HEADER;

    switch (s->rx[0]) {
    case FRAME_HELLO:
        put_frame(s, FRAME_HELLO, data, size);
        return true;
    case FRAME_EXEC:
        return exec_frame(s, (char *)data, size);
    case FRAME_STDIN:
        return stdin_frame(s, data, size);
    default:
        return false;
    }
}

static bool frame_complete(const struct session *s)
{
    return s->rx_size >= FRAME_HEADER &&
           s->rx_size == FRAME_HEADER + frame_length(s->rx);
}

/* What is missing of the header, or of the frame it announces; 0: no frame of
 * this protocol. */
static size_t frame_missing(const struct session *s)
{
    if (s->rx_size < FRAME_HEADER)
        return FRAME_HEADER - s->rx_size;
    if (!frame_type_known(s->rx[0]) || frame_length(s->rx) > FRAME_MAX)
        return 0;
    return FRAME_HEADER + frame_length(s->rx) - s->rx_size;
}

/* Reads and handles at most one frame; the driver gives it in pieces of a
 * page.  False: the session is over. */
static bool receive(struct session *s)
{
    while (!frame_complete(s)) {
        size_t missing = frame_missing(s);
        ssize_t n;

        if (!missing)
            return false;
        n = read(s->port, s->rx + s->rx_size, missing);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        s->rx_size += (size_t)n;
    }
    s->rx_size = 0;
    return frame_type_known(s->rx[0]) && handle_frame(s);
}

/* Hands stdin to the command.  What it does not want any more is dropped, as
 * a pipe in a shell would. */
static void feed_command(struct session *s)
{
    ssize_t n = (ssize_t)s->stdin_size;

    if (s->in >= 0 && s->stdin_size) {
        n = write(s->in, s->stdin_data, s->stdin_size);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            close_fd(&s->in);
            n = (ssize_t)s->stdin_size;
        }
    }
    s->stdin_size -= (size_t)n;
    memmove(s->stdin_data, s->stdin_data + n, s->stdin_size);
    s->consumed += (uint32_t)n;
    if (s->in_ends && !s->stdin_size)
        close_fd(&s->in);
}

/* Passes output on; false: there was none (now, or no more at all). */
static bool pass_output(struct session *s, int stream)
{
    uint8_t data[FRAME_MAX];
    size_t room = tx_room(s);
    ssize_t n;

    if (s->out[stream] < 0 || room < FRAME_HEADER + 1)
        return false;
    room -= FRAME_HEADER;
    n = read(s->out[stream], data, room);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        close_fd(&s->out[stream]);
    if (n <= 0)
        return false;
    put_frame(s, stream == STREAM_OUT ? FRAME_STDOUT : FRAME_STDERR, data,
              (size_t)n);
    return true;
}

static void send_window(struct session *s)
{
    uint8_t bytes[4] = { (uint8_t)(s->consumed >> 24),
                         (uint8_t)(s->consumed >> 16),
                         (uint8_t)(s->consumed >> 8), (uint8_t)s->consumed };

    if (s->consumed < FRAME_MAX || tx_room(s) < FRAME_HEADER + sizeof(bytes))
        return;
    put_frame(s, FRAME_WINDOW, bytes, sizeof(bytes));
    s->consumed = 0;
}

static void reap(struct session *s)
{
    struct signalfd_siginfo info;

    while (read(s->child_fd, &info, sizeof(info)) > 0)
        ;
    if (s->child && !s->reaped && waitpid(s->child, &s->status, WNOHANG) > 0)
        s->reaped = true;
}

static bool send_exit(struct session *s)
{
    uint8_t code = WIFEXITED(s->status) ? (uint8_t)WEXITSTATUS(s->status)
                                        : (uint8_t)(128 + WTERMSIG(s->status));

    if (tx_room(s) < FRAME_HEADER + 1)
        return false;
    put_frame(s, FRAME_EXIT, &code, 1);
    return true;
}

/* --- a session ---------------------------------------------------------- */

static void wait_for_work(struct session *s)
{
    bool room = tx_room(s) > FRAME_HEADER;
    struct pollfd p[] = {
        { .fd = s->port, .events = POLLIN | (s->tx_size ? POLLOUT : 0) },
        { .fd = s->child_fd, .events = POLLIN },
        { .fd = s->stdin_size ? s->in : -1, .events = POLLOUT },
        { .fd = room ? s->out[STREAM_OUT] : -1, .events = POLLIN },
        { .fd = room ? s->out[STREAM_ERR] : -1, .events = POLLIN },
    };

    poll(p, sizeof(p) / sizeof(p[0]), -1);
}

/* One round; false when the session is over. */
static bool step(struct session *s, bool *exit_sent)
{
    bool output;

    if (!receive(s))
        return false;
    if (s->child) {
        reap(s);
        feed_command(s);
        output = pass_output(s, STREAM_OUT);
        output |= pass_output(s, STREAM_ERR);
        send_window(s);
        /* A program left in the background may keep the pipes open:
         * what is in them now is the command's output. */
        if (s->reaped && !output && !*exit_sent && !s->tx_size)
            *exit_sent = send_exit(s);
    }
    if (!flush_port(s))
        return false;
    if (!(s->reaped && !*exit_sent && !s->tx_size))
        wait_for_work(s);
    return host_connected(s->port);
}

static void end_session(struct session *s)
{
    close_fd(&s->in);
    close_fd(&s->out[STREAM_OUT]);
    close_fd(&s->out[STREAM_ERR]);
    if (s->child && !s->reaped) {
        kill(-s->child, SIGKILL);
        waitpid(s->child, NULL, 0);
    }
}

static void serve_session(int port, int child_fd)
{
    static struct session s;
    bool exit_sent = false;

    memset(&s, 0, sizeof(s));
    s.port = port;
    s.child_fd = child_fd;
    s.in = s.out[STREAM_OUT] = s.out[STREAM_ERR] = -1;
    if (!find_session(&s))
        return;
    while (step(&s, &exit_sent))
        ;
    end_session(&s);
}

static int open_port(const char *path)
{
    int port = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (port < 0)
        die(path);
    if (fcntl(port, F_SETOWN, getpid()) ||
        fcntl(port, F_SETFL, O_NONBLOCK | O_ASYNC))
        die("SIGIO");
    return port;
}

static void serve_port(const char *path)
{
    sigset_t chld, blocked;
    int port, child_fd;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    blocked = chld;
    sigaddset(&blocked, SIGIO);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    child_fd = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
    if (child_fd < 0)
        die("signalfd");
    port = open_port(path);
    for (;;) {
        wait_connected(port);
        serve_session(port, child_fd);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bed-agent PORT...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        if (fork() == 0)
            serve_port(argv[i]);
    /* An agent process ends only by a bug: init's log shows it. */
    while (wait(NULL) > 0)
        fprintf(stderr, "bed-agent: a port's process ended\n");
    return 1;
}
