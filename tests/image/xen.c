/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image-xen WORLD: the hypervisor, xenstore and first process of a host of
 * images.  When it ends all processes of the host do.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xen.h"

#define CLIENTS_MAX 512
#define TOKEN_MAX   256

struct watch {
    struct watch *next;
    char path[IMAGE_PATH_MAX], token[TOKEN_MAX];
    bool owed; /* fired, and the client could not be told yet */
};

struct client {
    int fd; /* -1: this place is free */
    struct watch *watches;
};

const char *world_dir;
static struct client clients[CLIENTS_MAX];

static void drop(struct client *c)
{
    struct watch *w;

    domains_forget(c);
    while ((w = c->watches)) {
        c->watches = w->next;
        free(w);
    }
    close(c->fd);
    c->fd = -1;
}

/* False if there is no room now. */
static bool put(struct client *c, const struct image_msg *m, int flags)
{
    return send(c->fd, m, image_msg_size(m), MSG_NOSIGNAL | flags) >= 0 ||
           (errno != EAGAIN && errno != EWOULDBLOCK);
}

void client_answer(struct client *c, const struct image_msg *m)
{
    if (c->fd >= 0)
        put(c, m, 0);
}

/* ---- watches ---- */

static void tell(struct client *c, struct watch *w)
{
    struct image_msg m = { .op = IMAGE_EVENT,
                           .len = (uint32_t)strlen(w->token) };

    memcpy(m.data, w->token, m.len);
    w->owed = !put(c, &m, MSG_DONTWAIT);
}

static bool at_or_below(const char *path, const char *top)
{
    size_t n = strlen(top);

    return !strncmp(path, top, n) && (!path[n] || path[n] == '/');
}

void clients_fire(const char *path)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        for (struct watch *w = clients[i].watches; w; w = w->next)
            if (!w->owed &&
                (at_or_below(path, w->path) || at_or_below(w->path, path)))
                tell(&clients[i], w);
}

static bool owes(const struct client *c)
{
    for (const struct watch *w = c->watches; w; w = w->next)
        if (w->owed)
            return true;
    return false;
}

static void pay(struct client *c)
{
    for (struct watch *w = c->watches; w; w = w->next)
        if (w->owed)
            tell(c, w);
}

static struct watch *add_watch(struct client *c, const struct image_msg *m)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    memcpy(w->path, m->path, sizeof(w->path));
    snprintf(w->token, sizeof(w->token), "%.*s", (int)m->len, m->data);
    w->next = c->watches;
    c->watches = w;
    return w;
}

static void remove_watch(struct client *c, const struct image_msg *m)
{
    for (struct watch **at = &c->watches; *at; at = &(*at)->next) {
        struct watch *w = *at;

        if (strcmp(w->path, m->path) || strlen(w->token) != m->len ||
            memcmp(w->token, m->data, m->len))
            continue;
        *at = w->next;
        free(w);
        return;
    }
}

/* ---- calls ---- */

/* The peer is down before it ends: a host that lost power says nothing more. */
static void power_cut(void)
{
    struct ifreq r = { .ifr_name = "eth0" };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (!ioctl(fd, SIOCGIFFLAGS, &r)) {
        r.ifr_flags = (short)(r.ifr_flags & ~IFF_UP);
        ioctl(fd, SIOCSIFFLAGS, &r);
    }
    _exit(0);
}

static bool exists(uint32_t domid)
{
    char path[IMAGE_PATH_MAX];
    struct image_msg m;

    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    return store_read(path, &m);
}

/* -1 also for what is none of xenstore's. */
static int store_call(struct image_msg *m)
{
    uint32_t len = m->len;

    m->len = 0;
    switch (m->op) {
    case IMAGE_READ:
        return store_read(m->path, m) ? 0 : -1;
    case IMAGE_TELL:
        if (!exists(m->domid))
            return -1;
        /* fall through */
    case IMAGE_WRITE:
        store_write(m->path, m->data, len);
        return 0;
    case IMAGE_REMOVE:
        store_remove(m->path);
        return 0;
    case IMAGE_DIRECTORY:
        return store_directory(m) ? 0 : -1;
    case IMAGE_LIST:
        return store_nth(m->a, m) ? 0 : -1;
    default:
        return -1;
    }
}

static void on_call(struct client *c, struct image_msg *m)
{
    struct watch *w = NULL;

    if (m->op == IMAGE_POWER_CUT)
        power_cut();
    if (m->op == IMAGE_WATCH)
        w = add_watch(c, m);
    if (m->op == IMAGE_UNWATCH)
        remove_watch(c, m);
    if (m->op == IMAGE_WATCH || m->op == IMAGE_UNWATCH)
        m->rc = 0;
    else if (m->op >= IMAGE_READ)
        m->rc = store_call(m);
    else if (!domains_call(c, m))
        return;
    if (m->rc)
        m->len = 0;
    client_answer(c, m);
    if (w)
        tell(c, w);
}

static void on_client(struct client *c, short events)
{
    static struct image_msg m;
    ssize_t n;

    if (events & POLLOUT)
        pay(c);
    if (!(events & ~POLLOUT))
        return;
    n = recv(c->fd, &m, sizeof(m), MSG_DONTWAIT);
    if (n >= (ssize_t)offsetof(struct image_msg, data) &&
        image_msg_size(&m) == (size_t)n)
        on_call(c, &m);
    else if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        drop(c);
}

/* ---- loop ---- */

static void on_children(int fd)
{
    struct signalfd_siginfo unused;
    int status;
    pid_t pid;

    if (read(fd, &unused, sizeof(unused)) < 0)
        return;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        domains_reap(pid);
}

static void on_connection(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    for (unsigned i = 0; i < CLIENTS_MAX && fd >= 0; i++)
        if (clients[i].fd < 0) {
            clients[i].fd = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void turn(int listener, int children)
{
    struct pollfd p[CLIENTS_MAX + 2];

    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        p[i] = (struct pollfd){
            .fd = clients[i].fd,
            .events = (short)(POLLIN | (owes(&clients[i]) ? POLLOUT : 0)),
        };
    p[CLIENTS_MAX] = (struct pollfd){ .fd = listener, .events = POLLIN };
    p[CLIENTS_MAX + 1] = (struct pollfd){ .fd = children, .events = POLLIN };
    if (poll(p, CLIENTS_MAX + 2, -1) <= 0)
        return;
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (p[i].fd >= 0 && p[i].revents)
            on_client(&clients[i], p[i].revents);
    if (p[CLIENTS_MAX].revents)
        on_connection(listener);
    if (p[CLIENTS_MAX + 1].revents)
        on_children(children);
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
        listen(fd, 128)) {
        perror(path);
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    sigset_t set;
    int listener, children;

    if (argc != 2) {
        fputs("Usage: image-xen WORLD\n", stderr);
        return 2;
    }
    world_dir = argv[1];
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        clients[i].fd = -1;
    mkdir(IMAGE_DIR, 0700);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    listener = listen_at(IMAGE_SOCKET);
    for (;;)
        turn(listener, children);
}
