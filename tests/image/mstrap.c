/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * image-mstrap DOMID WORLD: mstrap as a process, with its own channels and
 * session over this host's sockets.  What it does and in which order is that of
 * stubdom/mstrap: main.c, net/connection.c, receiver.c, tidy.c.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "image.h"
#include "mext_net.h"
#include "mext_unpack.h"
#include "session.h"

#define CONNECTIONS_MAX (MEXT_CHANNELS_MAX + 4)
#define FLUSH_MS        10000

struct connection {
    int fd; /* -1: this place is free */
    struct ms_channel channel;
};

static struct image_conn *conn;
static struct image_domain self;
static struct image_ram ram;
static struct ms_config config;
static struct ms_session session;
static struct connection connections[CONNECTIONS_MAX];
static uint8_t secret[MEXT_KEY_LEN], public[MEXT_KEY_LEN];
static uint64_t populated;
static bool told; /* that it receives */

static void node(const char *name, const char *value)
{
    char path[64];

    snprintf(path, sizeof(path), "data/mstrap/%s", name);
    image_write(conn, self.domid, path, value);
}

_Noreturn static void spin(void)
{
    for (;;)
        pause();
}

/* ---- connections ---- */

static void drop(struct connection *c)
{
    const struct linger reset = { 1, 0 };

    if (c->fd < 0)
        return;
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(c->fd);
    c->fd = -1;
    ms_channel_forget(&c->channel);
}

static void answer(struct connection *c, const struct mext_data *m)
{
    uint8_t frame[MS_FRAME_MAX];
    size_t n = ms_channel_seal(&c->channel, m, frame);

    if (n && c->fd >= 0)
        send(c->fd, frame, n, MSG_NOSIGNAL);
}

static struct connection *of_channel(const struct ms_channel *channel)
{
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        if (&connections[i].channel == channel)
            return &connections[i];
    abort();
}

_Noreturn static void fail(unsigned reason, const char *text)
{
    struct mext_data m = { .type = MEXT_DATA_ERROR };
    char state[200];

    m.u.error.code = (uint16_t)reason;
    m.u.error.len = (uint16_t)strlen(text);
    memcpy(m.u.error.text, text, m.u.error.len);
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        if (connections[i].channel.proven)
            answer(&connections[i], &m);
        drop(&connections[i]);
    }
    snprintf(state, sizeof(state), "failed %s", text);
    node("state", state);
    spin();
}

/* A stranger goes, a channel of the session is the end of it. */
static void broken(struct connection *c, unsigned reason)
{
    char text[80];

    if (!ms_session_needs(&session, &c->channel)) {
        drop(c);
        return;
    }
    snprintf(text, sizeof(text), "channel %u: %s", c->channel.open.index,
             mext_reason(reason));
    fail(reason, text);
}

static void acknowledge(void)
{
    struct mext_data m = { .type = MEXT_DATA_BARRIER_ACK };

    for (unsigned i = 0; i < session.channels; i++) {
        m.u.barrier.iteration = session.channel[i]->iteration;
        answer(of_channel(session.channel[i]), &m);
    }
}

/* ---- memory ---- */

static bool within(uint64_t gfn, uint64_t from, uint64_t n)
{
    return gfn >= from && gfn < from + n;
}

static int page(uint64_t gfn, uint8_t **page_r)
{
    if (gfn >= IMAGE_GFNS || within(gfn, MS_OWN_GFN, IMAGE_OWN_PAGES) ||
        within(gfn, IMAGE_SPECIAL_GFN, IMAGE_SPECIALS))
        return MEXT_E_GFN;
    if (!image_bit(ram.present, gfn)) {
        image_bits_put(ram.present, gfn, 1, true);
        populated++;
    }
    *page_r = image_page(&ram, gfn);
    return 0;
}

/* What lies outside the built RAM was never more than the source had. */
static int absent(uint64_t gfn, uint32_t count)
{
    uint64_t end = gfn + count, ram_end = self.max_kib / 4;

    end = end < ram_end ? end : ram_end;
    if (gfn < end)
        image_bits_put(ram.present, gfn, end - gfn, false);
    return 0;
}

static const struct ms_sink sink = { .page = page, .absent = absent };

/* ---- the end ---- */

static void flush(void)
{
    uint64_t end = mext_now_ms() + FLUSH_MS;

    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        int left = 1;

        while (connections[i].fd >= 0 && mext_now_ms() < end &&
               !ioctl(connections[i].fd, SIOCOUTQ, &left) && left)
            usleep(500);
        drop(&connections[i]);
    }
}

_Noreturn static void tidy(void)
{
    struct ms_counts n = ms_session_counts(&session);
    struct mext_data done = { .type = MEXT_DATA_DONE };
    uint64_t start = mext_now_ms();
    char state[160];

    done.u.done.data = n.data;
    done.u.done.zero = n.zero;
    done.u.done.absent = n.absent;
    done.u.done.populated = populated;
    answer(of_channel(session.channel[0]), &done);
    node("state", mext_rcv_word(MEXT_RCV_COMPLETE));
    flush();
    image_address(self.domid, config.address, false);
    snprintf(state, sizeof(state),
             "tidy data=%llu zero=%llu absent=%llu populated=%llu ms=%llu",
             (unsigned long long)n.data, (unsigned long long)n.zero,
             (unsigned long long)n.absent, (unsigned long long)populated,
             (unsigned long long)(mext_now_ms() - start));
    node("state", state);
    spin();
}

/* ---- what comes ---- */

/* Octets of one channel; 0, or minus a reason. */
static int feed(struct connection *c, const uint8_t *in, size_t n)
{
    int step;

    do {
        size_t used;
        int action;

        step = ms_channel_feed(&c->channel, &sink, in, n, &used);
        if (step < 0)
            return step;
        in += used;
        n -= used;
        action = ms_session_step(&session, &c->channel, (enum ms_step)step);
        if (action < 0)
            return action;
        if (action == MS_ACT_RELEASE)
            acknowledge();
    } while (n || step == MS_STEP_PROVEN);
    return 0;
}

static void on_octets(struct connection *c)
{
    static uint8_t in[65536];
    ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);
    int reason;

    if (n <= 0) {
        broken(c, MEXT_E_LINK);
        return;
    }
    reason = feed(c, in, (size_t)n);
    if (reason)
        broken(c, (unsigned)-reason);
    if (session.state >= MEXT_RCV_RECEIVING && !told)
        node("state", mext_rcv_word(MEXT_RCV_RECEIVING));
    told |= session.state >= MEXT_RCV_RECEIVING;
    if (session.state == MEXT_RCV_COMPLETE)
        tidy();
}

static void on_connection(int listener)
{
    static const int one = 1, idle = 10, interval = 3, count = 5;
    int fd = accept(listener, NULL, NULL);

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        if (connections[i].fd < 0) {
            connections[i].fd = fd;
            ms_channel_init(&connections[i].channel);
            return;
        }
    close(fd);
}

static void look_for_invitation(void)
{
    struct ms_invitation v;
    char line[200];

    if (session.state != MEXT_RCV_WAITING ||
        image_read(conn, self.domid, "mstrap/session", line, sizeof(line)) <= 0)
        return;
    if (!ms_invitation_parse(line, &v) ||
        !ms_session_invite(&session, &v, secret, public))
        fail(MEXT_E_INTERNAL, "mstrap/session is malformed");
}

/* What strangers say waits in their sockets until there are keys. */
_Noreturn static void serve(int listener)
{
    struct pollfd p[CONNECTIONS_MAX + 2];
    char token[32];

    for (;;) {
        for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
            p[i] = (struct pollfd){ session.state > MEXT_RCV_WAITING
                                        ? connections[i].fd
                                        : -1,
                                    POLLIN, 0 };
        p[CONNECTIONS_MAX] = (struct pollfd){ listener, POLLIN, 0 };
        p[CONNECTIONS_MAX + 1] = (struct pollfd){ image_fd(conn), POLLIN, 0 };
        if (poll(p, CONNECTIONS_MAX + 2, -1) <= 0)
            continue;
        for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
            if (p[i].fd >= 0 && p[i].revents)
                on_octets(&connections[i]);
        if (p[CONNECTIONS_MAX].revents)
            on_connection(listener);
        while (image_event(conn, token, sizeof(token)))
            look_for_invitation();
    }
}

/* ---- the beginning ---- */

static int listen_on(uint32_t ip, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(ip) };
    static const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
        listen(fd, CONNECTIONS_MAX))
        fail(MEXT_E_INTERNAL, "cannot listen");
    return fd;
}

static void advertise(void)
{
    char text[2 * MEXT_KEY_LEN + 1], path[64];
    struct in_addr a = { htonl(config.address) };

    randombytes_buf(secret, sizeof(secret));
    crypto_scalarmult_base(public, secret);
    sodium_bin2hex(text, sizeof(text), public, sizeof(public));
    node("key", text);
    snprintf(text, sizeof(text), "%s %u", inet_ntoa(a), config.port);
    node("address", text);
    snprintf(text, sizeof(text), "%x %x", (unsigned)MS_OWN_GFN,
             IMAGE_OWN_PAGES);
    node("own", text);
    snprintf(path, sizeof(path), "/local/domain/%u/mstrap/session", self.domid);
    image_watch(conn, path, "session");
    mext_rcv_event(&session.state, MEXT_RCV_EV_LISTENING);
    node("state", mext_rcv_word(session.state));
}

int main(int argc, char **argv)
{
    uint32_t domid = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    const char *complaint;
    int listener;

    conn = domid ? image_open(NULL) : NULL;
    if (!conn || image_info(conn, domid, &self) || sodium_init() < 0 ||
        image_ram_open(domid, false, &ram))
        return 1;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        connections[i].fd = -1;
    image_ram_junk(&ram);
    complaint = ms_cmdline_parse(self.cmdline, &config);
    if (complaint)
        fail(MEXT_E_INTERNAL, complaint);
    if (image_address(domid, config.address, true))
        fail(MEXT_E_INTERNAL, "no address");
    ms_session_init(&session);
    listener = listen_on(config.address, config.port);
    advertise();
    serve(listener);
}
