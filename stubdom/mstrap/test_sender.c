/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for a source, in dom0 of the host where an mstrap waits: makes up
 * a guest's memory, sends it, waits until mstrap is tidy and compares what it
 * finds in the domain. See usage().
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xenforeignmemory.h>
#include <xenstore.h>

#include "mext_crypto.h"
#include "mext_seal.h"

#define BATCH          MEXT_PAGES_DATA_MAX
#define ITERATIONS_MAX 20

enum fault { FAULT_NONE, FAULT_TAG, FAULT_GFN, FAULT_CUT, FAULT_COUNT };
static const char *const fault_names[] = { "", "tag", "gfn", "cut", "count" };

static struct {
    unsigned domid;
    struct sockaddr_in address;
    unsigned channels;
    uint64_t pages;      /* of the made-up guest */
    unsigned iterations; /* before the last */
    uint64_t extra_gfn;  /* a page outside RAM, 0: none */
    uint64_t absent_gfn, absent_count;
    enum fault fault;
} options = { .channels = 2, .pages = 200 << 8, .iterations = 2 };

struct channel {
    unsigned index;
    int fd;
    pthread_t thread;
    struct mext_seal out, in;
    uint64_t data, zero;
};

static struct xs_handle *xs;
static struct mext_root root;

static void usage(void)
{
    fputs("Usage: test_sender [OPTION]... DOMID ADDRESS[:PORT]\n"
          "  -c N      channels (2)\n"
          "  -m MIB    size of the guest (200)\n"
          "  -i N      iterations before the last (2)\n"
          "  -x GFN    also send this gfn outside RAM (hex)\n"
          "  -a GFN:N  say that N gfns are absent (hex:decimal)\n"
          "  -b WHAT   break the rules: tag, gfn, cut, count\n",
          stderr);
    exit(2);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *node(const char *name, char path[128])
{
    snprintf(path, 128, "/local/domain/%u/%s", options.domid, name);
    return path;
}

static char *read_node(const char *name)
{
    unsigned length;
    char path[128];

    return xs_read(xs, XBT_NULL, node(name, path), &length);
}

/* The version of a page's content that iteration brings, 0: not sent. */
static unsigned version_in(uint64_t gfn, unsigned iteration)
{
    if (iteration == 0)
        return 1;
    return gfn / BATCH % 16 == iteration % 16 ? iteration + 1 : 0;
}

static unsigned last_version(uint64_t gfn)
{
    unsigned version = 0;

    for (unsigned i = 0; i <= options.iterations; i++)
        if (version_in(gfn, i))
            version = version_in(gfn, i);
    return version;
}

static bool absent(uint64_t gfn)
{
    return gfn >= options.absent_gfn &&
           gfn - options.absent_gfn < options.absent_count;
}

static bool zero(uint64_t gfn, unsigned version)
{
    return (gfn + version) % 8 == 0;
}

static void fill(uint64_t *page, uint64_t gfn, unsigned version)
{
    uint64_t x = gfn * 0x9e3779b97f4a7c15u + version;

    if (zero(gfn, version)) {
        memset(page, 0, MEXT_PAGE_SIZE);
        return;
    }
    for (unsigned i = 0; i < MEXT_PAGE_SIZE / 8; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        page[i] = x;
    }
}

static void send_all(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n) {
        ssize_t r = send(fd, at, n, MSG_NOSIGNAL);

        if (r <= 0)
            err(1, "send");
        at += r;
        n -= (size_t)r;
    }
}

static void send_message(struct channel *c, const struct mext_data *m)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX];
    struct mext_buf body;
    size_t length;

    mext_buf_init(&body, frame + MEXT_FRAME_HDR_LEN, MEXT_DATA_BODY_MAX);
    if (mext_data_encode(m, &body) ||
        mext_frame_seal(&c->out, frame, body.pos, MEXT_DATA_BODY_MAX, &length))
        errx(1, "message does not encode");
    send_all(c->fd, frame, length);
}

static void receive_all(int fd, void *data, size_t n)
{
    ssize_t r = recv(fd, data, n, MSG_WAITALL);

    if (r != (ssize_t)n)
        errx(1, "mstrap closed the connection");
}

static void receive_message(struct channel *c, struct mext_data *m)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX];
    int length;

    receive_all(c->fd, frame, MEXT_FRAME_HDR_LEN);
    length = mext_frame_len(frame, MEXT_DATA_BODY_MAX);
    if (length < 0)
        errx(1, "bad frame from mstrap");
    receive_all(c->fd, frame + MEXT_FRAME_HDR_LEN, (size_t)length);
    if (mext_frame_open(&c->in, frame + MEXT_FRAME_HDR_LEN, (size_t)length) ||
        mext_data_decode(frame + MEXT_FRAME_HDR_LEN,
                         (size_t)length - MEXT_TAG_LEN, m))
        errx(1, "bad message from mstrap");
    if (m->type == MEXT_DATA_ERROR)
        errx(1, "mstrap says: error %u, %s", m->u.error.code, m->u.error.text);
}

static void send_batch(struct channel *c, uint64_t base, unsigned span,
                       unsigned version)
{
    static __thread uint8_t sealed[BATCH * (MEXT_PAGE_SIZE + MEXT_TAG_LEN)];
    struct mext_data m = { .type = MEXT_DATA_PAGES };
    size_t length = 0;

    m.u.pages.base = base;
    m.u.pages.span = (uint16_t)span;
    for (unsigned i = 0; i < span; i++) {
        uint64_t page[MEXT_PAGE_SIZE / 8];

        if (absent(base + i))
            continue;
        if (zero(base + i, version)) {
            mext_map_set(m.u.pages.map, i, MEXT_MAP_ZERO);
            c->zero++;
            continue;
        }
        mext_map_set(m.u.pages.map, i, MEXT_MAP_DATA);
        c->data++;
        m.u.pages.ndata++;
        fill(page, base + i, version);
        if (!length)
            c->out.counter++; /* the frame's own, which is sealed below */
        if (mext_page_seal(&c->out, sealed + length, (uint8_t *)page,
                           MEXT_PAGE_SIZE))
            errx(1, "the key is used up");
        length += MEXT_PAGE_SIZE + MEXT_TAG_LEN;
    }
    if (length) {
        uint64_t after = c->out.counter;

        c->out.counter = after - m.u.pages.ndata - 1;
        send_message(c, &m);
        c->out.counter = after;
    } else {
        send_message(c, &m);
    }
    if (options.fault == FAULT_TAG && base > options.pages / 2)
        sealed[length - 1] ^= 1;
    send_all(c->fd, sealed, length);
}

static void send_iteration(struct channel *c, unsigned iteration)
{
    for (uint64_t base = BATCH * c->index; base < options.pages;
         base += BATCH * options.channels) {
        unsigned version = version_in(base, iteration);

        if (options.fault == FAULT_CUT && base > options.pages / 2 &&
            c->index == 0)
            shutdown(c->fd, SHUT_RDWR);
        if (version)
            send_batch(c, base,
                       options.pages - base < BATCH
                           ? (unsigned)(options.pages - base)
                           : BATCH,
                       version);
    }
}

static void send_rest(struct channel *c)
{
    struct mext_data end = { .type = MEXT_DATA_END };
    struct mext_data gone = { .type = MEXT_DATA_ABSENT };

    if (c->index == 0 && options.extra_gfn)
        send_batch(c, options.extra_gfn, 1, 1);
    if (c->index == 0 && options.absent_count) {
        gone.u.absent.n = 1;
        gone.u.absent.e[0].gfn = options.absent_gfn;
        gone.u.absent.e[0].count = (uint32_t)options.absent_count;
        send_message(c, &gone);
    }
    if (options.fault == FAULT_GFN)
        send_batch(c, 0xfd010, 1, 7);
    end.u.end.data = c->data + (options.fault == FAULT_COUNT);
    end.u.end.zero = c->zero;
    send_message(c, &end);
}

static void *run_channel(void *arg)
{
    struct channel *c = arg;

    for (unsigned i = 0; i < options.iterations; i++) {
        struct mext_data m = { .type = MEXT_DATA_BARRIER };

        send_iteration(c, i);
        m.u.barrier.iteration = i + 1;
        send_message(c, &m);
        receive_message(c, &m);
        if (m.type != MEXT_DATA_BARRIER_ACK || m.u.barrier.iteration != i + 1)
            errx(1, "not the barrier's acknowledgement");
    }
    send_iteration(c, options.iterations);
    send_rest(c);
    return NULL;
}

static void open_channel(struct channel *c, unsigned index)
{
    struct mext_open open = { .index = (uint16_t)index,
                              .count = (uint16_t)options.channels };
    uint8_t bytes[MEXT_OPEN_LEN];
    int one = 1;

    c->index = index;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&options.address,
                             sizeof(options.address)))
        err(1, "connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    mext_seal_init(&c->out, &root, MEXT_DIR_TO_DEST, (uint16_t)index);
    mext_seal_init(&c->in, &root, MEXT_DIR_TO_SOURCE, (uint16_t)index);
    if (mext_open_encode(&open, bytes))
        errx(1, "opening does not encode");
    send_all(c->fd, bytes, sizeof(bytes));
}

/* Keys, and the session node that tells mstrap about them. */
static void invite(void)
{
    uint8_t secret[32], public[32], digest[32], peer[32];
    char hex_digest[65], hex_public[65], line[160], path[128];
    char *key = read_node("data/mstrap/key");

    if (!key || strlen(key) != 64 ||
        sodium_hex2bin(peer, 32, key, 64, NULL, NULL, NULL))
        errx(1, "no key of mstrap's in xenstore");
    randombytes_buf(secret, sizeof(secret));
    randombytes_buf(digest, sizeof(digest));
    crypto_scalarmult_base(public, secret);
    if (mext_root_derive(&root, MEXT_KDF_DATA, secret, peer, digest, public,
                         peer))
        errx(1, "no session key");
    sodium_bin2hex(hex_digest, 65, digest, 32);
    sodium_bin2hex(hex_public, 65, public, 32);
    snprintf(line, sizeof(line), "v1 %s %s %u", hex_digest, hex_public,
             options.channels);
    if (!xs_write(xs, XBT_NULL, node("mstrap/session", path), line,
                  (unsigned)strlen(line)))
        err(1, "mstrap/session");
    free(key);
}

static uint64_t compare(void)
{
    xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
    uint64_t bad = 0, page[MEXT_PAGE_SIZE / 8];

    for (uint64_t base = 0; base < options.pages; base += BATCH) {
        xen_pfn_t gfns[BATCH];
        int errors[BATCH];
        size_t n = options.pages - base < BATCH ? options.pages - base : BATCH;
        char *map;

        for (size_t i = 0; i < n; i++)
            gfns[i] = base + i;
        map = xenforeignmemory_map(memory, options.domid, PROT_READ, n, gfns,
                                   errors);
        if (!map)
            err(1, "map gfn %lx", base);
        for (size_t i = 0; i < n; i++) {
            bool differs;

            if (absent(base + i)) {
                differs = !errors[i];
            } else {
                fill(page, base + i, last_version(base + i));
                differs = errors[i] ||
                          memcmp(map + i * MEXT_PAGE_SIZE, page, sizeof(page));
            }
            if (differs && bad++ < 8)
                warnx("gfn %lx is not what was sent", base + i);
        }
        xenforeignmemory_unmap(memory, map, n);
    }
    return bad;
}

/* Waits for the end; returns the state. */
static char *wait_for_end(void)
{
    double end = now() + 10;

    while (now() < end) {
        char *state = read_node("data/mstrap/state");

        if (state &&
            (!strncmp(state, "tidy", 4) || !strncmp(state, "failed", 6)))
            return state;
        free(state);
        usleep(500);
    }
    errx(1, "mstrap does not become tidy");
}

static void parse_address(const char *text)
{
    char host[64];
    unsigned port = MEXT_DATA_PORT;

    options.address.sin_family = AF_INET;
    if (sscanf(text, "%63[^:]:%u", host, &port) < 1 ||
        inet_pton(AF_INET, host, &options.address.sin_addr) != 1)
        usage();
    options.address.sin_port = htons((uint16_t)port);
}

static enum fault parse_fault(const char *text)
{
    for (unsigned i = 1; i < sizeof(fault_names) / sizeof(*fault_names); i++)
        if (!strcmp(text, fault_names[i]))
            return (enum fault)i;
    usage();
    return FAULT_NONE;
}

static void parse(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "c:m:i:x:a:b:")) != -1) {
        switch (option) {
        case 'c':
            options.channels = (unsigned)atoi(optarg);
            break;
        case 'm':
            options.pages = strtoull(optarg, NULL, 10) << 8;
            break;
        case 'i':
            options.iterations = (unsigned)atoi(optarg);
            break;
        case 'x':
            options.extra_gfn = strtoull(optarg, NULL, 16);
            break;
        case 'a':
            if (sscanf(optarg, "%lx:%lu", &options.absent_gfn,
                       &options.absent_count) != 2)
                usage();
            break;
        case 'b':
            options.fault = parse_fault(optarg);
            break;
        default:
            usage();
        }
    }
    if (argc - optind != 2 || !options.channels ||
        options.channels > MEXT_CHANNELS_MAX ||
        options.iterations > ITERATIONS_MAX)
        usage();
    options.domid = (unsigned)atoi(argv[optind]);
    parse_address(argv[optind + 1]);
}

int main(int argc, char **argv)
{
    struct channel channels[MEXT_CHANNELS_MAX] = { 0 };
    struct mext_data m;
    double start, sent, done, tidy;
    uint64_t data = 0, bad;
    char *state;

    parse(argc, argv);
    if (mext_crypto_init() || !(xs = xs_open(0)))
        err(1, "start");
    invite();
    start = now();
    for (unsigned i = 0; i < options.channels; i++)
        open_channel(&channels[i], i);
    for (unsigned i = 0; i < options.channels; i++)
        if (pthread_create(&channels[i].thread, NULL, run_channel,
                           &channels[i]))
            errx(1, "thread");
    for (unsigned i = 0; i < options.channels; i++) {
        pthread_join(channels[i].thread, NULL);
        data += channels[i].data;
    }
    sent = now();
    receive_message(&channels[0], &m);
    if (m.type != MEXT_DATA_DONE)
        errx(1, "not DONE");
    done = now();
    state = wait_for_end();
    tidy = now();
    printf("%lu data pages in %.2f s: %.1f MiB/s; DONE %.1f ms after the last "
           "byte, tidy %.1f ms after that\n",
           data, done - start, (double)data / 256 / (done - start),
           (done - sent) * 1e3, (tidy - done) * 1e3);
    printf("DONE data=%lu zero=%lu absent=%lu populated=%lu\nstate: %s\n",
           m.u.done.data, m.u.done.zero, m.u.done.absent, m.u.done.populated,
           state);
    bad = compare();
    printf("%lu of %lu pages differ\n", bad, options.pages);
    return bad || strncmp(state, "tidy", 4) ? 1 : 0;
}
