/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image-guest DOMID WORLD: a guest whose memory witnesses its own migrations.
 *
 * Page 0 says how far it has come, the pages after it hold for each page the
 * sequence number of its last write, and each other page says which one it is,
 * that number and a sum of its content.  A page that is old, of elsewhere or torn
 * shows at once.  It runs while it holds the lock of its uuid in WORLD.
 *
 * It has given up its last pages, and takes them back while it is being moved, to
 * write to them at once; not if there is a file "steady" in WORLD.
 *
 * With a file "free" in WORLD it has an agent (image_agent.c), and a page that was never
 * written, or that it does not need any more, is free: it holds junk, or with "zero" in
 * that file nothing but zeros, as init_on_free has it, which has to be so anywhere.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "image_config.h"
#include "mext_xen.h"

#define TICK_MS  4
#define PER_TICK 4 /* pages written, and as many looked at */

#define BALLOON   32 /* pages */
#define NEW_TICKS 64 /* in which it writes to those that are new */
#define LATE      40 /* ticks at most until it takes them */

#define JUNK 0x5a

#define MAGIC 0x7373656e746977ull

struct head {
    uint64_t magic, npages, seq, stops;
    uint64_t out; /* pages at the end that it does not have */
    uint8_t uuid[16];
};

struct stamp {
    uint64_t gfn, seq, sum;
};

static struct image_conn *conn;
static struct image_ram ram;
static struct image_domain self;
static struct head *head;
static const char *world;
static int lock = -1;
static uint64_t first;     /* gfn that is stamped, those before are the table */
static unsigned new_ticks; /* left */
static enum { NO_AGENT, ANY_CONTENT, ALL_ZERO } free_pages;

/* ---- words for the test ---- */

static void violation(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static void violation(const char *fmt, ...)
{
    char path[4096], text[256];
    va_list ap;
    int fd;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(path, sizeof(path), "%s/violations", world);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%s: %s\n", self.name, text) < 0)
        abort();
    close(fd);
}

static void tell(const char *what)
{
    image_write(conn, self.domid, "data/guest", what);
}

/* Nobody else may run with this uuid, anywhere in the world. */
static void begin_to_run(void)
{
    char path[4096], uuid[37];

    image_uuid_text(self.uuid, uuid);
    snprintf(path, sizeof(path), "%s/guests/%s", world, uuid);
    if (lock < 0)
        lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB)) {
        violation("DOUBLE: it runs elsewhere as well");
        exit(1);
    }
}

/* ---- memory ---- */

static uint64_t *last_of(uint64_t gfn)
{
    return (uint64_t *)image_page(&ram, 1) + gfn;
}

/* After the write, so that a reader who missed it reads again. */
static void dirty(const void *p)
{
    uint64_t gfn = (uint64_t)((const uint8_t *)p - ram.pages) / 4096;

    if (!image_bit(ram.fresh, gfn))
        image_bits_put(ram.dirty, gfn, 1, true);
}

static uint64_t sum_of(const uint64_t *words)
{
    uint64_t sum = 0;

    for (unsigned i = sizeof(struct stamp) / 8; i < 512; i++)
        sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15ull + i;
    return sum;
}

static void write_page(uint64_t gfn)
{
    uint64_t *p = (uint64_t *)image_page(&ram, gfn),
             x = ++head->seq ^ gfn << 32;
    struct stamp s = { gfn, head->seq, 0 };

    image_bits_put(ram.free, gfn, 1, false);
    /* Half of a page is the same, so that it packs. */
    for (unsigned i = sizeof(s) / 8; i < 512; i++)
        p[i] = i < 256 ? (x = x * 6364136223846793005ull + 1) : head->seq;
    s.sum = sum_of(p);
    memcpy(p, &s, sizeof(s));
    *last_of(gfn) = head->seq;
    dirty(p);
    dirty(last_of(gfn));
    dirty(head);
}

static bool all_zero(uint64_t gfn)
{
    const uint64_t *p = (const uint64_t *)image_page(&ram, gfn);

    for (unsigned i = 0; i < 512; i++)
        if (p[i]) {
            violation("DAMAGED: free page %llu is not zero",
                      (unsigned long long)gfn);
            return false;
        }
    return true;
}

static bool page_right(uint64_t gfn)
{
    const uint64_t *p = (const uint64_t *)image_page(&ram, gfn);
    struct stamp s;

    memcpy(&s, p, sizeof(s));
    if (!*last_of(gfn)) /* never written */
        return free_pages == ANY_CONTENT || all_zero(gfn);
    if (s.gfn == gfn && s.seq == *last_of(gfn) && s.sum == sum_of(p))
        return true;
    violation("DAMAGED: page %llu is of page %llu, write %llu; %llu is due",
              (unsigned long long)gfn, (unsigned long long)s.gfn,
              (unsigned long long)s.seq, (unsigned long long)*last_of(gfn));
    return false;
}

static bool all_right(void)
{
    bool ok = head->magic == MAGIC && head->npages == self.max_kib / 4;

    if (!ok)
        violation("DAMAGED: page 0");
    for (uint64_t gfn = first; ok && gfn < head->npages - head->out; gfn++)
        ok = page_right(gfn);
    return ok;
}

static uint64_t some_number(void)
{
    static uint64_t x = 88172645463325252ull;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

static uint64_t some_page(void)
{
    uint64_t x = some_number(), n = head->npages - BALLOON - first;

    /* One in eight is never written, most writes go to one in eight. */
    return first + (x >> 8) % (x & 7 ? n / 8 : n / 8 * 7);
}

/* ---- free pages ---- */

/* Nobody needs it any more. */
static void free_page(uint64_t gfn)
{
    void *p = image_page(&ram, gfn);

    memset(p, free_pages == ALL_ZERO ? 0 : JUNK, 4096);
    dirty(p);
    *last_of(gfn) = 0;
    dirty(last_of(gfn));
    image_bits_put(ram.free, gfn, 1, true);
}

/* Of those that are written seldom. */
static void free_some_page(void)
{
    uint64_t n = head->npages - BALLOON - first;
    uint64_t gfn = first + n / 8 + some_number() % (n / 8 * 6);

    if (free_pages && *last_of(gfn))
        free_page(gfn);
}

static void begin_to_tell(void)
{
    char path[4096], how[8] = "";
    FILE *f;

    snprintf(path, sizeof(path), "%s/free", world);
    f = fopen(path, "r");
    if (!f)
        return;
    free_pages = fscanf(f, "%7s", how) == 1 && !strcmp(how, "zero")
                     ? ALL_ZERO
                     : ANY_CONTENT;
    fclose(f);
    image_write(conn, self.domid, "data/free", how);
    /* The agent's own knowledge does not move along. */
    for (uint64_t gfn = first; gfn < head->npages - BALLOON; gfn++)
        if (!*last_of(gfn))
            image_bits_put(ram.free, gfn, 1, true);
}

/* ---- a balloon ---- */

static void give_up(void)
{
    uint64_t end = head->npages;
    char path[4096];

    snprintf(path, sizeof(path), "%s/steady", world);
    if (!access(path, F_OK))
        return;
    head->out = BALLOON;
    dirty(head);
    new_ticks = 0;
    for (uint64_t gfn = end - BALLOON; gfn < end; gfn++) {
        *last_of(gfn) = 0;
        dirty(last_of(gfn));
    }
    image_bits_put(ram.present, end - BALLOON, BALLOON, false);
}

static void take_back(void)
{
    uint64_t from = head->npages - BALLOON;

    memset(image_page(&ram, from), 0, BALLOON * 4096);
    image_bits_put(ram.fresh, from, BALLOON, true);
    image_bits_put(ram.present, from, BALLOON, true);
    head->out = 0;
    dirty(head);
    new_ticks = NEW_TICKS;
}

/* Once somebody notes what it writes it gets its pages, at any time. */
static void balloon(void)
{
    static unsigned wait;
    struct image_domain now;

    if (new_ticks)
        write_page(head->npages - 1 - --new_ticks % BALLOON);
    if (!head->out || image_info(conn, self.domid, &now))
        return;
    if (!now.logging)
        wait = some_number() % LATE;
    else if (!wait--)
        take_back();
}

static void boot(void)
{
    head->npages = self.max_kib / 4;
    memcpy(head->uuid, self.uuid, sizeof(head->uuid));
    head->magic = MAGIC;
    for (uint64_t gfn = first; gfn < head->npages / 2; gfn++)
        write_page(gfn);
}

/* ---- life ---- */

/* What a vCPU knows: where the memory stands. */
static bool context_right(void)
{
    struct image_msg m = { .op = IMAGE_CONTEXT_GET, .domid = self.domid };

    if (image_call(conn, &m) || m.len != sizeof(*head))
        return false;
    return !memcmp(m.data, head, sizeof(*head));
}

/* Returns when it is resumed; otherwise it ends here. */
static void stop(unsigned reason)
{
    struct image_msg m = {
        .op = IMAGE_STOP, .domid = self.domid, .a = reason, .len = sizeof(*head)
    };

    tell("stopped");
    head->stops++;
    dirty(head);
    memcpy(m.data, head, sizeof(*head));
    flock(lock, LOCK_UN);
    if (image_call(conn, &m))
        exit(0);
    begin_to_run();
    if (!context_right())
        violation("DAMAGED: the memory is not as it was left");
    all_right();
    give_up();
    tell("running");
}

/* As PVH Linux takes it: the request is read and cleared, then acted on. */
static void look_for_request(void)
{
    char what[16];

    if (image_read(conn, self.domid, "control/shutdown", what, sizeof(what)) <=
        0)
        return;
    image_write(conn, self.domid, "control/shutdown", "");
    if (!strcmp(what, "suspend"))
        stop(MEXT_SHUTDOWN_SUSPEND);
    if (!strcmp(what, "poweroff"))
        stop(MEXT_SHUTDOWN_POWEROFF);
}

/* A test asks whether all is right, with a word that the answer begins with. */
static void look_for_question(void)
{
    char what[64], answer[128];

    if (image_read(conn, self.domid, "data/check", what, sizeof(what)) <= 0)
        return;
    image_write(conn, self.domid, "data/check", "");
    snprintf(answer, sizeof(answer), "%s %s %llu", what,
             all_right() ? "right" : "damaged", (unsigned long long)head->seq);
    image_write(conn, self.domid, "data/checked", answer);
}

static void live(void)
{
    char token[32], path[IMAGE_PATH_MAX];

    snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown",
             self.domid);
    image_watch(conn, path, "request");
    snprintf(path, sizeof(path), "/local/domain/%u/data/check", self.domid);
    image_watch(conn, path, "question");
    for (;;) {
        struct pollfd p = { .fd = image_fd(conn), .events = POLLIN };

        for (unsigned i = 0; i < PER_TICK; i++) {
            write_page(some_page());
            page_right(some_page());
            free_some_page();
        }
        balloon();
        if (poll(&p, 1, TICK_MS) > 0 && p.revents & POLLHUP)
            exit(0);
        while (image_event(conn, token, sizeof(token))) {
            if (!strcmp(token, "request"))
                look_for_request();
            else
                look_for_question();
        }
    }
}

int main(int argc, char **argv)
{
    uint32_t domid = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;

    conn = domid ? image_open(NULL) : NULL;
    if (!conn || image_info(conn, domid, &self) ||
        image_ram_open(domid, false, &ram))
        return 1;
    world = argv[2];
    head = (struct head *)image_page(&ram, 0);
    first = 1 + (self.max_kib / 4 * 8 + 4095) / 4096;
    begin_to_run();
    if (head->magic != MAGIC)
        boot();
    else if (!context_right())
        violation("DAMAGED: not the memory of this context");
    begin_to_tell();
    all_right();
    give_up();
    tell("running");
    live();
}
