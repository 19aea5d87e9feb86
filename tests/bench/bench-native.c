/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bench-native TOOL CHANNELS FILE: moves the memory in FILE to another process
 * over loopback TCP, and prints the wall time, the CPU time of both processes
 * and the bytes on the wire: seconds, seconds, bytes.
 *
 *   ours      the product's sender (mext_memory.c and what is below it) and
 *             mstrap's session and channels, on one thread as in mstrap
 *   ours-lz4  the same with pages packed
 *   ours-zstd the same by Zstandard, level 1 as QEMU's by default
 *   unsealed  as ours, with a copy in the place of the source's cipher and nothing in
 *             that of the receiver's: what all but sealing takes
 *   mstrap    as ours, and opened by the code that mstrap takes on hardware,
 *             libsodium's for SSSE3 and SSE2
 *   emulated  and by the one that it takes where vectors are emulated, libsodium's
 *             portable one
 *   sealed    nothing but AEAD of each page, TCP, AEAD again, on a pair of
 *             threads for each channel
 *   tcp       nothing but TCP, on such pairs
 *   memcpy    within one thread; CHANNELS means nothing
 *
 * What is read is mapped window by window, with the page tables that takes, as
 * the product does; what is written has its pages already, as a domain has.  The
 * copy is compared with FILE afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_crypto.h"
#include "mext_memory.h"
#include "session.h"

#define PATIENCE_MS 60000
#define HOLE_START  0xfc000ULL /* as in mext_absent.c */
#define HOLE_END    0x100000ULL
#define CHUNK_PAGES 64 /* of what goes with one call, as in a frame */
#define SEALED_PAGE (MEXT_PAGE_SIZE + MEXT_TAG_LEN)

static int file;
static uint64_t npages;
static uint8_t *source, *dest; /* npages */
static unsigned channels;
static struct mext_root root;
static int listener;
static uint16_t port;

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "bench-native: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* libsodium asks before it picks its code; this one it finds first. */
static bool no_avx2;

int sodium_runtime_has_avx2(void)
{
    return !no_avx2 && __builtin_cpu_supports("avx2");
}

/* ---- the guest: mext_xen.h and mext_map.h over the file ---- */

/* Which page of the file is at a gfn; npages: none. */
static uint64_t page_of(uint64_t gfn)
{
    uint64_t i = gfn < HOLE_END ? gfn : gfn - (HOLE_END - HOLE_START);

    return (gfn >= HOLE_START && gfn < HOLE_END) || i >= npages ? npages : i;
}

uint32_t mext_dom_id(const struct mext_dom *d)
{
    return 1;
}

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *why)
{
    memset(s_r, 0, sizeof(*s_r));
    s_r->pages = npages;
    return 0;
}

int mext_dom_max_gfn(struct mext_dom *d, uint64_t *gfn_r, struct mext_why *why)
{
    *gfn_r = npages - 1;
    return 0;
}

int mext_dom_present(struct mext_dom *d, const uint64_t *gfn, unsigned n,
                     uint8_t *present_r, struct mext_why *why)
{
    for (unsigned i = 0; i < n; i++)
        present_r[i] = page_of(gfn[i]) < npages;
    return 0;
}

int mext_dom_specials(struct mext_dom *d, uint64_t gfn_r[MEXT_SPECIALS],
                      struct mext_why *why)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        gfn_r[i] = UINT64_MAX;
    return 0;
}

int mext_dom_dirty_start(struct mext_dom *d, uint64_t n, struct mext_why *why)
{
    return 0;
}

/* Nothing is written meanwhile. */
int mext_dom_dirty_fetch(struct mext_dom *d, bool final,
                         const uint64_t **bits_r, struct mext_why *why)
{
    static uint64_t *none;

    if (!none)
        none = calloc(1, npages / 8 + HOLE_END / 8);
    *bits_r = none;
    return none ? 0 : -1;
}

int mext_dom_dirty_peek(struct mext_dom *d, const uint64_t **bits_r,
                        struct mext_why *why)
{
    return mext_dom_dirty_fetch(d, false, bits_r, why);
}

struct mext_map {
    uint8_t *window;
};

int mext_map_open(uint32_t domid, struct mext_map **m_r, struct mext_why *why)
{
    *m_r = malloc(sizeof(**m_r));
    if (!*m_r)
        die("malloc");
    (*m_r)->window = mmap(NULL, MEXT_WINDOW_MAX * MEXT_PAGE_SIZE, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return (*m_r)->window == MAP_FAILED ? -1 : 0;
}

void mext_map_close(struct mext_map *m)
{
    if (m)
        munmap(m->window, MEXT_WINDOW_MAX * MEXT_PAGE_SIZE);
    free(m);
}

/* In place of the window before, which is unmapped by that. */
int mext_map_window(struct mext_map *m, const uint64_t *gfns, unsigned n,
                    int *err_r, const uint8_t **p_r, struct mext_why *why)
{
    for (unsigned i = 0, k; i < n; i += k) {
        uint64_t first = page_of(gfns[i]);

        for (k = 1; i + k < n && page_of(gfns[i + k]) == first + k; k++)
            continue;
        if (mmap(m->window + (size_t)i * MEXT_PAGE_SIZE,
                 (size_t)k * MEXT_PAGE_SIZE, PROT_READ,
                 MAP_SHARED | MAP_FIXED | MAP_POPULATE, file,
                 (off_t)(first * MEXT_PAGE_SIZE)) == MAP_FAILED)
            die("mmap");
    }
    memset(err_r, 0, n * sizeof(*err_r));
    *p_r = m->window;
    return 0;
}

/* ---- ours ---- */

static void progress(void *arg, uint64_t sent, uint64_t of)
{
}

static uint64_t ours_send(int by)
{
    const struct mext_packing packing = { .by = by, .level = 1 };
    struct mext_memory m = { .nchannels = 0 };
    const uint8_t id[MEXT_ID_LEN] = { 1 };
    struct mext_iteration it;
    struct mext_why why;
    uint64_t bytes;

    if (mext_memory_connect(&m, INADDR_LOOPBACK, port, id, (uint16_t)channels,
                            &root, PATIENCE_MS, &why) ||
        mext_memory_measure(&m, NULL, npages, &why) ||
        mext_memory_start(&m, &packing, progress, NULL, &why) ||
        mext_memory_iterate(&m, 1, PATIENCE_MS, &it, &why) ||
        mext_memory_last(&m, PATIENCE_MS, &why) ||
        mext_memory_done(&m, PATIENCE_MS, &why)) {
        fprintf(stderr, "bench-native: %s\n", why.text);
        exit(1);
    }
    bytes = mext_memory_bytes(&m);
    mext_memory_close(&m);
    return bytes;
}

static struct ms_session session;
static struct ms_channel channel[MEXT_CHANNELS_MAX];
static int fd_of[MEXT_CHANNELS_MAX];

static int sink_page(uint64_t gfn, uint8_t **page_r)
{
    uint64_t i = page_of(gfn);

    if (i >= npages)
        return MEXT_E_GFN;
    *page_r = dest + i * MEXT_PAGE_SIZE;
    return 0;
}

static int sink_absent(uint64_t gfn, uint32_t count)
{
    return 0;
}

static const struct ms_sink sink = { .page = sink_page, .absent = sink_absent };

static void answer(struct ms_channel *c, const struct mext_data *m)
{
    uint8_t frame[MS_FRAME_MAX];
    size_t n = ms_channel_seal(c, m, frame);

    if (send(fd_of[c - channel], frame, n, 0) != (ssize_t)n)
        die("send");
}

static void act(int action)
{
    struct ms_counts n = ms_session_counts(&session);
    struct mext_data ack = { .type = MEXT_DATA_BARRIER_ACK };
    struct mext_data done = { .type = MEXT_DATA_DONE,
                              .u.done = { n.data, n.zero, n.absent, 0 } };

    for (unsigned i = 0; i < channels && action == MS_ACT_RELEASE; i++) {
        ack.u.barrier.iteration = session.channel[i]->iteration;
        answer(session.channel[i], &ack);
    }
    if (action == MS_ACT_COMPLETE)
        answer(session.channel[0], &done);
}

/* As feed() in stubdom/mstrap/net/connection.c. */
static void feed(struct ms_channel *c, const uint8_t *in, size_t n)
{
    int step, action;

    do {
        size_t used;

        step = ms_channel_feed(c, &sink, in, n, &used);
        in += used;
        n -= used;
        action = step < 0 ? step
                          : ms_session_step(&session, c, (enum ms_step)step);
        if (action < 0) {
            fprintf(stderr, "bench-native: %s\n",
                    mext_reason((unsigned)-action));
            exit(1);
        }
        act(action);
    } while (n || step == MS_STEP_PROVEN);
}

static void ours_receive(void)
{
    static uint8_t in[65536];
    struct pollfd p[MEXT_CHANNELS_MAX];

    session.root = root;
    session.channels = channels;
    session.state = MEXT_RCV_INVITED;
    for (unsigned i = 0; i < channels; i++) {
        ms_channel_init(&channel[i]);
        fd_of[i] = accept(listener, NULL, NULL);
        p[i] = (struct pollfd){ fd_of[i], POLLIN, 0 };
    }
    while (session.state != MEXT_RCV_COMPLETE) {
        if (poll(p, channels, -1) < 0)
            die("poll");
        for (unsigned i = 0; i < channels; i++) {
            ssize_t n;

            if (!p[i].revents)
                continue;
            n = recv(fd_of[i], in, sizeof(in), MSG_DONTWAIT);
            if (n <= 0)
                die("recv");
            feed(&channel[i], in, (size_t)n);
        }
    }
}

/* ---- the floors: a share of the pages for each pair of threads ---- */

struct share {
    pthread_t thread;
    int fd;
    uint64_t first, n; /* pages */
    bool sealed;
    uint8_t buf[CHUNK_PAGES * SEALED_PAGE];
};

static struct share shares[MEXT_CHANNELS_MAX];

static void move(int fd, uint8_t *p, size_t n, bool out)
{
    while (n) {
        ssize_t k = out ? send(fd, p, n, 0) : recv(fd, p, n, MSG_WAITALL);

        if (k <= 0)
            die("connection");
        p += k;
        n -= (size_t)k;
    }
}

static void *send_share(void *arg)
{
    struct share *s = arg;
    struct mext_seal seal;

    mext_seal_init(&seal, &root, MEXT_DIR_TO_DEST, (uint16_t)(s - shares));
    for (uint64_t i = 0, k; i < s->n; i += k) {
        uint8_t *p = source + (s->first + i) * MEXT_PAGE_SIZE;

        k = s->n - i < CHUNK_PAGES ? s->n - i : CHUNK_PAGES;
        for (uint64_t j = 0; s->sealed && j < k; j++)
            mext_page_seal(&seal, s->buf + j * SEALED_PAGE,
                           p + j * MEXT_PAGE_SIZE, MEXT_PAGE_SIZE);
        move(s->fd, s->sealed ? s->buf : p,
             k * (s->sealed ? SEALED_PAGE : MEXT_PAGE_SIZE), true);
    }
    return NULL;
}

/* Pages right into their places, each with its tag, which is kept aside. */
static void receive_sealed(int fd, uint8_t *p, uint64_t k,
                           uint8_t tag[][MEXT_TAG_LEN])
{
    struct iovec v[2 * CHUNK_PAGES];
    struct msghdr h = { .msg_iov = v, .msg_iovlen = 2 * k };

    for (uint64_t j = 0; j < k; j++) {
        v[2 * j] = (struct iovec){ p + j * MEXT_PAGE_SIZE, MEXT_PAGE_SIZE };
        v[2 * j + 1] = (struct iovec){ tag[j], MEXT_TAG_LEN };
    }
    if (recvmsg(fd, &h, MSG_WAITALL) != (ssize_t)(k * SEALED_PAGE))
        die("connection");
}

static void open_chunk(struct share *s, struct mext_seal *key, uint8_t *p,
                       uint64_t k)
{
    uint8_t tag[CHUNK_PAGES][MEXT_TAG_LEN];

    receive_sealed(s->fd, p, k, tag);
    for (uint64_t j = 0; j < k; j++)
        if (mext_page_open(key, p + j * MEXT_PAGE_SIZE, MEXT_PAGE_SIZE, tag[j]))
            die("a page does not open");
}

static void *receive_share(void *arg)
{
    struct share *s = arg;
    struct mext_seal key;
    uint16_t index;

    move(s->fd, (uint8_t *)&index, sizeof(index), false);
    mext_seal_init(&key, &root, MEXT_DIR_TO_DEST, index);
    s->first = npages * index / channels;
    s->n = npages * (index + 1u) / channels - s->first;
    for (uint64_t i = 0, k; i < s->n; i += k) {
        uint8_t *p = dest + (s->first + i) * MEXT_PAGE_SIZE;

        k = s->n - i < CHUNK_PAGES ? s->n - i : CHUNK_PAGES;
        if (s->sealed)
            open_chunk(s, &key, p, k);
        else
            move(s->fd, p, k * MEXT_PAGE_SIZE, false);
    }
    move(s->fd, (uint8_t *)"", 1, true);
    return NULL;
}

static void start_shares(void *(*fn)(void *), bool sealed)
{
    for (unsigned i = 0; i < channels; i++) {
        shares[i].sealed = sealed;
        if (pthread_create(&shares[i].thread, NULL, fn, &shares[i]))
            die("pthread_create");
    }
    for (unsigned i = 0; i < channels; i++)
        pthread_join(shares[i].thread, NULL);
}

static uint64_t bare_send(bool sealed)
{
    struct mext_why why;
    uint8_t done;

    for (unsigned i = 0; i < channels; i++) {
        struct share *s = &shares[i];
        uint16_t index = (uint16_t)i;

        s->first = npages * i / channels;
        s->n = npages * (i + 1) / channels - s->first;
        if (mext_net_connect_ip4(INADDR_LOOPBACK, port, PATIENCE_MS, &s->fd,
                                 &why))
            die(why.text);
        fcntl(s->fd, F_SETFL, 0);
        move(s->fd, (uint8_t *)&index, sizeof(index), true);
    }
    start_shares(send_share, sealed);
    for (unsigned i = 0; i < channels; i++)
        move(shares[i].fd, &done, 1, false);
    return npages * (sealed ? SEALED_PAGE : MEXT_PAGE_SIZE);
}

static void bare_receive(bool sealed)
{
    for (unsigned i = 0; i < channels; i++)
        shares[i].fd = accept(listener, NULL, NULL);
    start_shares(receive_share, sealed);
}

/* ---- all of it ---- */

/* In the place of a cipher. */
static int copy_page(uint8_t *out, uint8_t tag[MEXT_TAG_LEN], const uint8_t *in,
                     size_t n, const uint8_t *ad, size_t nad,
                     const uint8_t nonce[MEXT_AEAD_NONCE],
                     const uint8_t key[MEXT_AEAD_KEY])
{
    memmove(out, in, n);
    memset(tag, 0, MEXT_TAG_LEN);
    return 0;
}

static int leave_page(uint8_t *p, size_t n, const uint8_t tag[MEXT_TAG_LEN],
                      const uint8_t *ad, size_t nad,
                      const uint8_t nonce[MEXT_AEAD_NONCE],
                      const uint8_t key[MEXT_AEAD_KEY])
{
    return 0;
}

static const struct mext_aead no_cipher = { "none", copy_page, leave_page };

enum tool {
    OURS,
    OURS_LZ4,
    OURS_ZSTD,
    UNSEALED,
    MSTRAP,
    EMULATED,
    SEALED,
    TCP,
    MEMCPY,
};
static const char *const tools[] = { "ours",     "ours-lz4", "ours-zstd",
                                     "unsealed", "mstrap",   "emulated",
                                     "sealed",   "tcp",      "memcpy" };

static uint64_t tool_send(enum tool t)
{
    switch (t) {
    case OURS:
    case UNSEALED:
    case MSTRAP:
    case EMULATED:
        return ours_send(MEXT_PACK_NONE);
    case OURS_LZ4:
        return ours_send(MEXT_PACK_LZ4);
    case OURS_ZSTD:
        return ours_send(MEXT_PACK_ZSTD);
    case MEMCPY:
        memcpy(dest, source, npages * MEXT_PAGE_SIZE);
        return 0;
    default:
        return bare_send(t == SEALED);
    }
}

static void populate(uint8_t *p, int how)
{
    if (madvise(p, npages * MEXT_PAGE_SIZE, how))
        die("madvise");
}

/* Neither OpenSSL's nor AVX is for mstrap. */
static void receiver_cipher(enum tool t)
{
    no_avx2 = t == MSTRAP;
    if (t != EMULATED && mext_crypto_init())
        die("libsodium");
    if (t == MSTRAP)
        mext_seal_by(&mext_aead_sodium);
    if (t == UNSEALED)
        mext_seal_by(&no_cipher);
}

/* The receiving process: says when it is ready, and then what it took. */
_Noreturn static void receiver(enum tool t, int to_parent)
{
    double cpu;

    populate(dest, MADV_POPULATE_WRITE);
    receiver_cipher(t);
    cpu = cpu_seconds();
    if (write(to_parent, &cpu, sizeof(cpu)) != sizeof(cpu))
        die("pipe");
    if (t <= EMULATED)
        ours_receive();
    else if (t != MEMCPY)
        bare_receive(t == SEALED);
    cpu = cpu_seconds() - cpu;
    if (write(to_parent, &cpu, sizeof(cpu)) != sizeof(cpu))
        die("pipe");
    /* Its end of the connections is open until the other one has read. */
    _exit(read(to_parent, &cpu, 1) < 0);
}

static void measure(enum tool t)
{
    double wall, cpu, theirs;
    uint64_t bytes;
    int p[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
        die("socketpair");
    pid = fork();
    if (pid == 0) {
        close(p[0]);
        receiver(t, p[1]);
    }
    close(p[1]);
    if (read(p[0], &theirs, sizeof(theirs)) != sizeof(theirs))
        die("the receiver has ended");
    if (mext_crypto_init())
        die("libsodium");
    if (t == UNSEALED)
        mext_seal_by(&no_cipher);
    populate(source, MADV_POPULATE_READ);
    if (t == MEMCPY)
        populate(dest, MADV_POPULATE_WRITE);
    cpu = cpu_seconds();
    wall = (double)mext_now_us();
    bytes = tool_send(t);
    wall = ((double)mext_now_us() - wall) / 1e6;
    cpu = cpu_seconds() - cpu;
    if (read(p[0], &theirs, sizeof(theirs)) != sizeof(theirs))
        die("the receiver has ended");
    close(p[0]);
    waitpid(pid, NULL, 0);
    if (memcmp(source, dest, npages * MEXT_PAGE_SIZE)) {
        fprintf(stderr, "bench-native: the copy is not the same\n");
        exit(1);
    }
    printf("%.4f\t%.4f\t%.4f\t%llu\n", wall, cpu, theirs,
           (unsigned long long)bytes);
}

static void open_memory(const char *name)
{
    struct stat st;
    size_t n;
    int to = memfd_create("dest", 0);

    file = open(name, O_RDONLY);
    if (file < 0 || fstat(file, &st) || to < 0)
        die(name);
    npages = (uint64_t)st.st_size / MEXT_PAGE_SIZE;
    n = npages * MEXT_PAGE_SIZE;
    if (!npages || ftruncate(to, (off_t)n))
        die(name);
    source = mmap(NULL, n, PROT_READ, MAP_SHARED, file, 0);
    dest = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    if (source == MAP_FAILED || dest == MAP_FAILED)
        die("mmap");
}

int main(int argc, char **argv)
{
    struct mext_why why;
    int udp, t = 0;

    channels = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
    while (argc == 4 && t <= MEMCPY && strcmp(tools[t], argv[1]))
        t++;
    if (!channels || channels > MEXT_CHANNELS_MAX || t > MEMCPY) {
        fprintf(stderr, "usage: bench-native TOOL CHANNELS FILE\n");
        return 2;
    }
    open_memory(argv[3]);
    if (mext_net_listen("127.0.0.1", 0, &listener, &udp, &port, &why))
        die("cannot begin");
    fcntl(listener, F_SETFL, 0);
    randombytes_buf(&root, sizeof(root));
    measure((enum tool)t);
    return 0;
}
