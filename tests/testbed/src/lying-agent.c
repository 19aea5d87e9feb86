/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lying-agent MODE: takes mext-agent's place in a test guest and does what
 * no agent should.  dom0 must get a clear error in time, or an answer that
 * harms this guest only.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxenvchan.h>
#include <xenstore.h>

#define DIR   "data/mext-agent"
#define CHUNK 262144

static struct xs_handle *xs;
static struct libxenvchan *chan;
static unsigned abilities = 3; /* free pages, page cache */
static uint8_t frame[4 + 17 + CHUNK / 8];

static void node(const char *name, const char *value)
{
    char path[64];

    snprintf(path, sizeof(path), DIR "/%s", name);
    xs_write(xs, XBT_NULL, path, value, (unsigned)strlen(value));
}

static void pause_ms(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&t, NULL);
}

static void put(uint8_t *p, uint64_t v, int n)
{
    while (n--) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* Body of n octets behind the length, as an answer to request id. */
static int answer(uint8_t type, uint32_t id, uint32_t n)
{
    put(frame, n, 4);
    frame[4] = type;
    put(frame + 5, id, 4);
    return libxenvchan_write(chan, frame, 4 + n) == (int)(4 + n);
}

static int welcome(uint32_t id)
{
    put(frame + 9, 1, 2);
    put(frame + 11, abilities, 4);
    put(frame + 15, 0, 2);
    return answer(0x81, id, 13);
}

static int bitmap(uint32_t id, uint64_t first)
{
    put(frame + 9, first, 8);
    put(frame + 17, CHUNK, 4);
    memset(frame + 21, 0xff, CHUNK / 8);
    return answer(0x82, id, 17 + CHUNK / 8);
}

static void end_bitmap(uint32_t id)
{
    put(frame + 9, 0, 1);
    put(frame + 10, UINT64_MAX, 8);
    answer(0x83, id, 14);
}

/* ---- answers to a request other than HELLO ---- */

/* Everything is free, and far more than there is. */
static void all_free(uint32_t id)
{
    for (uint64_t gfn = 0; gfn < 16 * CHUNK; gfn += CHUNK)
        bitmap(id, gfn);
    end_bitmap(id);
}

static void repeat(uint32_t id)
{
    while (bitmap(id, 0))
        ;
}

static void oversize(uint32_t id)
{
    memset(frame, 0xff, 64);
    libxenvchan_write(chan, frame, 64);
}

static void other_id(uint32_t id)
{
    end_bitmap(id + 1);
}

static void trickle(uint32_t id)
{
    put(frame, 17 + CHUNK / 8, 4);
    for (int i = 0; i < 100; i++) {
        libxenvchan_write(chan, frame + i, 1);
        pause_ms(100);
    }
}

/* Indices that cannot be, changing all the time. */
static void rings(uint32_t id)
{
    for (uint32_t i = 0; i < 20000; i++) {
        chan->ring->right.prod = i * 2654435761u;
        chan->ring->right.cons = ~i;
        chan->ring->left.cons = i * 40503u;
        chan->ring->left.prod = i;
        chan->ring->right_order = chan->ring->left_order = (uint16_t)i;
        xenevtchn_notify(chan->event, chan->event_port);
    }
}

static void garbage(uint32_t id)
{
    uint8_t bytes[4096];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rand();
    put(bytes, 4000, 4);
    libxenvchan_write(chan, bytes, sizeof(bytes));
}

static void silent(uint32_t id)
{
}

static void hang_up(uint32_t id)
{
    chan->ring->srv_live = 0;
    xenevtchn_notify(chan->event, chan->event_port);
}

static const struct mode {
    const char *name;
    void (*answer)(uint32_t id);
    int rude; /* even HELLO is answered so */
} modes[] = {
    { "all-free", all_free, 0 }, { "repeat", repeat, 0 },
    { "oversize", oversize, 0 }, { "other-id", other_id, 0 },
    { "trickle", trickle, 0 },   { "rings", rings, 0 },
    { "garbage", garbage, 0 },   { "hang-up", hang_up, 0 },
    { "silent", silent, 1 },     { "rude", garbage, 1 },
    { "mute", silent, 0 },       { "unable", silent, 0 },
};

/* ---- ones that have no vchan ---- */

static void bogus_rings(const char *session)
{
    node("vchan/ring-ref", "4294967295");
    node("vchan/event-channel", "99999999999999999999");
    node("serving", session);
}

/* Watches of dom0 fire all the time. */
static void flood(const char *session)
{
    for (int i = 0; i < 3000; i++)
        node("serving", i % 2 ? "0" : "1");
}

static const struct {
    const char *name, *version;
    void (*call)(const char *session);
} others[] = {
    { "absent", "1", NULL },      { "version", "99999", NULL },
    { "words", "1 or so", NULL }, { "bogus", "1", bogus_rings },
    { "flood", "1", flood },
};

/* ---- */

static void talk(const struct mode *m)
{
    uint8_t in[256];

    while (libxenvchan_is_open(chan)) {
        struct pollfd p = { libxenvchan_fd_for_select(chan), POLLIN, 0 };
        uint32_t n;

        if (poll(&p, 1, 1000) > 0)
            libxenvchan_wait(chan);
        if (libxenvchan_data_ready(chan) < 4)
            continue;
        libxenvchan_read(chan, in, 4);
        n = (uint32_t)in[2] << 8 | in[3];
        libxenvchan_read(chan, in, n < sizeof(in) ? n : sizeof(in));
        n = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 |
            (uint32_t)in[3] << 8 | in[4];
        if (in[0] == 1 && !m->rude)
            welcome(n);
        else
            m->answer(n);
    }
}

static void serve(const struct mode *m, const char *session)
{
    chan = libxenvchan_server_init(NULL, 0, DIR "/vchan", 4096, 65536);
    if (!chan) {
        fputs("lying-agent: no vchan\n", stderr);
        exit(1);
    }
    chan->blocking = 1;
    node("serving", session);
    talk(m);
    libxenvchan_close(chan);
    xs_rm(xs, XBT_NULL, DIR "/serving");
}

/* Waits for dom0's call: the session. */
static char *next_call(const char *before)
{
    for (;;) {
        char **w = xs_read_watch(xs, &(unsigned){ 0 });
        char *s = xs_read(xs, XBT_NULL, DIR "/session", NULL);

        free(w);
        if (s && strcmp(s, before))
            return s;
        free(s);
    }
}

int main(int argc, char **argv)
{
    char *session = strdup("");
    const char *name = argc > 1 ? argv[1] : "";

    /* A handle that met an error is of no use any more. */
    while (!(xs = xs_open(0)) || !xs_watch(xs, DIR "/session", "x") ||
           !xs_write(xs, XBT_NULL, DIR, "", 0)) {
        xs_close(xs);
        usleep(100000);
    }
    if (!strcmp(name, "unable"))
        abilities = 0;
    for (;;) {
        const struct mode *mode = NULL;
        void (*call)(const char *) = NULL;
        const char *version = "1";

        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
            if (!strcmp(modes[i].name, name))
                mode = &modes[i];
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
            if (!strcmp(others[i].name, name)) {
                call = others[i].call;
                version = others[i].version;
            }
        node("version", version);
        session = next_call(session);
        if (mode)
            serve(mode, session);
        else if (call)
            call(session);
    }
}
