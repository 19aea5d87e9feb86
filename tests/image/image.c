/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "image.h"

#define INTERFACE "eth0"
#define BITS_LEN  (IMAGE_GFNS / 8)
#define PAGES_LEN ((size_t)IMAGE_GFNS * 4096)

/* ---- calling ---- */

struct event {
    struct event *next;
    char token[];
};

struct image_conn {
    int fd;
    struct event *first; /* came while an answer was waited for */
};

struct image_conn *image_open(const char *socket_path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct image_conn *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    snprintf(a.sun_path, sizeof(a.sun_path), "%s",
             socket_path ? socket_path : IMAGE_SOCKET);
    c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a))) {
        image_close(c);
        return NULL;
    }
    return c;
}

void image_close(struct image_conn *c)
{
    struct event *e;

    if (!c)
        return;
    while ((e = c->first)) {
        c->first = e->next;
        free(e);
    }
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

int image_fd(const struct image_conn *c)
{
    return c->fd;
}

static int receive(struct image_conn *c, struct image_msg *m, int flags)
{
    ssize_t n;

    do
        n = recv(c->fd, m, sizeof(*m), flags);
    while (n < 0 && errno == EINTR);
    return n >= (ssize_t)offsetof(struct image_msg, data) &&
                   image_msg_size(m) == (size_t)n
               ? 0
               : -1;
}

static void keep(struct image_conn *c, const struct image_msg *m)
{
    struct event **end = &c->first, *e = malloc(sizeof(*e) + m->len + 1);

    if (!e)
        return;
    memcpy(e->token, m->data, m->len);
    e->token[m->len] = 0;
    e->next = NULL;
    while (*end)
        end = &(*end)->next;
    *end = e;
}

int image_call(struct image_conn *c, struct image_msg *m)
{
    if (send(c->fd, m, image_msg_size(m), MSG_NOSIGNAL) < 0)
        return -1;
    for (;;) {
        if (receive(c, m, 0))
            return -1;
        if (m->op != IMAGE_EVENT)
            return m->rc;
        keep(c, m);
    }
}

int image_do(struct image_conn *c, enum image_op op, uint32_t domid)
{
    struct image_msg m = { .op = op, .domid = domid };

    return image_call(c, &m);
}

static int domain(struct image_conn *c, enum image_op op, uint32_t domid,
                  struct image_domain *d_r)
{
    struct image_msg m = { .op = op, .domid = domid };

    if (image_call(c, &m) || m.len != sizeof(*d_r))
        return -1;
    memcpy(d_r, m.data, sizeof(*d_r));
    return 0;
}

int image_info(struct image_conn *c, uint32_t domid, struct image_domain *d_r)
{
    return domain(c, IMAGE_INFO, domid, d_r);
}

bool image_next(struct image_conn *c, uint32_t domid, struct image_domain *d_r)
{
    return !domain(c, IMAGE_NEXT, domid, d_r);
}

static void path_of(struct image_msg *m, const char *path)
{
    snprintf(m->path, sizeof(m->path), "/local/domain/%u/%s", m->domid, path);
}

int image_write(struct image_conn *c, uint32_t domid, const char *path,
                const char *value)
{
    struct image_msg m = { .op = IMAGE_TELL, .domid = domid };
    size_t n = strlen(value);

    if (n > sizeof(m.data))
        return -1;
    path_of(&m, path);
    m.len = (uint32_t)n;
    memcpy(m.data, value, n);
    return image_call(c, &m);
}

int image_read(struct image_conn *c, uint32_t domid, const char *path,
               char *out, size_t max)
{
    struct image_msg m = { .op = IMAGE_READ, .domid = domid };

    path_of(&m, path);
    if (image_call(c, &m) || m.len >= max)
        return -1;
    memcpy(out, m.data, m.len);
    out[m.len] = 0;
    return (int)m.len;
}

int image_watch(struct image_conn *c, const char *path, const char *token)
{
    struct image_msg m = { .op = IMAGE_WATCH, .len = (uint32_t)strlen(token) };

    snprintf(m.path, sizeof(m.path), "%s", path);
    memcpy(m.data, token, m.len);
    return image_call(c, &m);
}

bool image_event(struct image_conn *c, char *token, size_t max)
{
    struct event *e = c->first;
    struct image_msg m;

    if (!e && !receive(c, &m, MSG_DONTWAIT)) {
        keep(c, &m);
        e = c->first;
    }
    if (!e)
        return false;
    snprintf(token, max, "%s", e->token);
    c->first = e->next;
    free(e);
    return true;
}

/* ---- memory ---- */

static void *map_file(uint32_t domid, const char *what, size_t len, bool make)
{
    char path[64];
    void *p = MAP_FAILED;
    int fd;

    snprintf(path, sizeof(path), IMAGE_DIR "/%u.%s", domid, what);
    fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT | O_TRUNC : 0), 0600);
    if (fd >= 0 && (!make || !ftruncate(fd, (off_t)len)))
        p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                 fd, 0);
    if (fd >= 0)
        close(fd);
    return p == MAP_FAILED ? NULL : p;
}

int image_ram_open(uint32_t domid, bool make, struct image_ram *r_r)
{
    r_r->pages = map_file(domid, "ram", PAGES_LEN, make);
    r_r->present = map_file(domid, "present", BITS_LEN, make);
    r_r->dirty = map_file(domid, "dirty", BITS_LEN, make);
    r_r->fresh = map_file(domid, "fresh", BITS_LEN, make);
    r_r->free = map_file(domid, "free", BITS_LEN, make);
    if (r_r->pages && r_r->present && r_r->dirty && r_r->fresh && r_r->free)
        return 0;
    image_ram_close(r_r);
    return -1;
}

void image_ram_close(struct image_ram *r)
{
    if (r->pages)
        munmap(r->pages, PAGES_LEN);
    if (r->present)
        munmap(r->present, BITS_LEN);
    if (r->dirty)
        munmap(r->dirty, BITS_LEN);
    if (r->fresh)
        munmap(r->fresh, BITS_LEN);
    if (r->free)
        munmap(r->free, BITS_LEN);
    memset(r, 0, sizeof(*r));
}

void image_ram_remove(uint32_t domid)
{
    static const char *const what[] = { "ram", "present", "dirty", "fresh",
                                        "free" };
    char path[64];

    for (unsigned i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), IMAGE_DIR "/%u.%s", domid, what[i]);
        unlink(path);
    }
}

void image_ram_junk(const struct image_ram *r)
{
    for (uint64_t gfn = 0; gfn < IMAGE_SPECIAL_GFN; gfn++)
        if (image_bit(r->present, gfn))
            memset(image_page(r, gfn), 0xa5, 4096);
}

bool image_bit(const uint64_t *map, uint64_t i)
{
    return __atomic_load_n(&map[i / 64], __ATOMIC_SEQ_CST) >> (i % 64) & 1;
}

void image_bits_put(uint64_t *map, uint64_t first, uint64_t n, bool v)
{
    for (uint64_t i = first; i < first + n; i++) {
        uint64_t bit = 1ull << (i % 64);

        if (v)
            __atomic_fetch_or(&map[i / 64], bit, __ATOMIC_SEQ_CST);
        else
            __atomic_fetch_and(&map[i / 64], ~bit, __ATOMIC_SEQ_CST);
    }
}

/* ---- addresses ---- */

int image_address(uint32_t domid, uint32_t ip, bool up)
{
    struct ifreq r = { 0 };
    struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

    snprintf(r.ifr_name, sizeof(r.ifr_name), INTERFACE ":%u", domid);
    a->sin_family = AF_INET;
    a->sin_addr.s_addr = htonl(ip);
    if (up) {
        rc = ioctl(fd, SIOCSIFADDR, &r);
    } else {
        /* Down means gone, for one of several. */
        rc = ioctl(fd, SIOCGIFFLAGS, &r);
        r.ifr_flags = (short)(r.ifr_flags & ~IFF_UP);
        rc = rc ? rc : ioctl(fd, SIOCSIFFLAGS, &r);
    }
    if (fd >= 0)
        close(fd);
    return rc;
}
