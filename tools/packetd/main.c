/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "guests.h"
#include "keycmd.h"
#include "ms_host.h"
#include "packetd.h"

/* Sessions before their token was seen, and in all, at once. */
#define SESSIONS_MAX PACKETD_POOL_MAX

/* A watcher of the guests that ended is not replaced at once. */
#define WATCHER_MS 10000

static pid_t sessions[SESSIONS_MAX];
static pid_t watcher;
static uint64_t watcher_at; /* ms; not to be started before */

void packetd_log(const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    fprintf(stderr, "packetd: %s\n", line);
}

static void usage(FILE *f)
{
    fputs("Usage: packetd run [OPTION]...   receive guests\n"
          "       packetd request ...           ask a host for an mstrap\n"
          "       packetd genkey|pubkey|fingerprint|trust ...   keys\n"
          "       packetd check-config [FILE]   the policy's errors\n"
          "\n"
          "  --dir DIR           keys (default " MEXT_SYSCONFDIR
          "/xen/packetd)\n"
          "  --state DIR         ids already seen (default " MEXT_STATEDIR
          "/lib/packetd)\n"
          "  --conf FILE         policy for guests that ask to be moved\n"
          "                      (default " PACKETD_CONF ")\n"
          "  --listen ADDRESS    default: all\n"
          "  --port N            TCP and UDP, default 7010; 0 chooses one\n"
          "  --image FILE        mstrap (default " MEXT_PKGLIBEXECDIR
          "/mstrap.elf)\n"
          "  --bridge NAME       for migration vifs (default xenbr0)\n"
          "  --pool A[-B]/BITS   addresses for mstraps, needed unless sources\n"
          "                      bring one\n"
          "  --gateway A         for mstraps\n"
          "  -v, --verbose       more detail; twice: libxl's too\n"
          "  -h, --help          this text\n"
          "\n"
          "packetd stays in the foreground and logs to standard error.\n"
          "See packetd(8).\n",
          f);
}

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "packetd: %s: \"%s\" (packetd --help)\n", what, value);
    return 2;
}

static bool parse_ip(const char *text, uint32_t *ip_r)
{
    struct in_addr a;

    if (inet_pton(AF_INET, text, &a) != 1)
        return false;
    *ip_r = ntohl(a.s_addr);
    return true;
}

/* "A/BITS" or "A-B/BITS". */
static bool parse_pool(const char *text, struct packetd *p)
{
    char first[64], *slash, *dash, *end;
    unsigned long bits;
    uint32_t last;

    if (strlen(text) >= sizeof(first))
        return false;
    strcpy(first, text);
    slash = strchr(first, '/');
    if (!slash)
        return false;
    *slash = 0;
    bits = strtoul(slash + 1, &end, 10);
    if (*end || !slash[1] || bits < 1 || bits > 31)
        return false;
    dash = strchr(first, '-');
    if (dash)
        *dash = 0;
    if (!parse_ip(first, &p->pool_first) ||
        !parse_ip(dash ? dash + 1 : first, &last) || last < p->pool_first ||
        last - p->pool_first >= PACKETD_POOL_MAX)
        return false;
    p->pool_count = last - p->pool_first + 1;
    p->netmask = ~0u << (32 - bits);
    return true;
}

enum {
    O_DIR = 256,
    O_STATE,
    O_CONF,
    O_LISTEN,
    O_PORT,
    O_IMAGE,
    O_BRIDGE,
    O_POOL,
    O_GATEWAY
};

static const struct option options[] = {
    { "dir", required_argument, NULL, O_DIR },
    { "state", required_argument, NULL, O_STATE },
    { "conf", required_argument, NULL, O_CONF },
    { "listen", required_argument, NULL, O_LISTEN },
    { "port", required_argument, NULL, O_PORT },
    { "image", required_argument, NULL, O_IMAGE },
    { "bridge", required_argument, NULL, O_BRIDGE },
    { "pool", required_argument, NULL, O_POOL },
    { "gateway", required_argument, NULL, O_GATEWAY },
    { "verbose", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

/* 0 go on, else the exit status + 1. */
static int take_option(struct packetd *p, int c)
{
    char *end;

    switch (c) {
    case O_DIR:
        p->keys_dir = optarg;
        return 0;
    case O_STATE:
        p->state_dir = optarg;
        return 0;
    case O_CONF:
        p->conf = optarg;
        return 0;
    case O_LISTEN:
        p->listen = optarg;
        return 0;
    case O_PORT:
        p->port = (uint16_t)strtoul(optarg, &end, 10);
        return *end || !*optarg || strtoul(optarg, NULL, 10) > 65535
                   ? bad("not a port", optarg) + 1
                   : 0;
    case O_IMAGE:
        p->image = optarg;
        return 0;
    case O_BRIDGE:
        p->bridge = optarg;
        return 0;
    case O_POOL:
        return parse_pool(optarg, p) ? 0 : bad("not a pool", optarg) + 1;
    case O_GATEWAY:
        return parse_ip(optarg, &p->gateway)
                   ? 0
                   : bad("not an address", optarg) + 1;
    case 'v':
        p->verbosity++;
        return 0;
    case 'h':
        usage(stdout);
        return 1;
    default:
        return 3;
    }
}

static volatile sig_atomic_t stop;

static void on_stop(int sig)
{
    stop = 1;
}

static void on_child(int sig)
{
}

/* Frees the places of sessions that have ended. */
static void reap(void)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        if (pid == watcher)
            watcher = 0;
        for (unsigned i = 0; i < SESSIONS_MAX; i++)
            if (sessions[i] == pid)
                sessions[i] = 0;
    }
}

/* A free place, or -1. */
static int free_slot(const struct packetd *p)
{
    unsigned limit = p->pool_count ? p->pool_count : SESSIONS_MAX;

    for (unsigned i = 0; i < limit; i++)
        if (!sessions[i])
            return (int)i;
    packetd_log("%u migrations and guests at once: no room for another", limit);
    return -1;
}

/* 0 in the child, which has none of our signals and connections. */
static pid_t start_process(const int *listeners)
{
    pid_t pid = fork();

    if (pid < 0)
        packetd_log("fork: %s", strerror(errno));
    if (pid == 0) {
        signal(SIGCHLD, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        close(listeners[0]);
    }
    return pid;
}

static pid_t start_child(unsigned slot, const int *listeners)
{
    pid_t pid = start_process(listeners);

    if (pid > 0)
        sessions[slot] = pid;
    return pid;
}

/* There is always one. */
static void keep_watcher(const struct packetd *p, const int *listeners)
{
    uint64_t now = mext_now_ms();
    pid_t pid;

    if (watcher || now < watcher_at)
        return;
    watcher_at = now + WATCHER_MS;
    pid = start_process(listeners);
    if (pid == 0) {
        close(listeners[1]);
        _exit(guests_watch(p));
    }
    if (pid > 0)
        watcher = pid;
}

static void on_connection(const struct packetd *p, const int *listeners)
{
    int fd = accept4(listeners[0], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int slot = fd < 0 ? -1 : free_slot(p);

    if (slot >= 0 && start_child((unsigned)slot, listeners) == 0) {
        close(listeners[1]);
        _exit(packetd_session(p, fd, (unsigned)slot));
    }
    if (fd >= 0)
        close(fd);
}

/* Nothing is answered, and nobody forked for, until the token is verified. */
static void on_datagram(const struct packetd *p, const int *listeners)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    uint8_t in[MEXT_TOKEN_LEN + 1], out[MEXT_RECEIPT_LEN];
    struct mext_token t;
    struct mext_why why;
    ssize_t n = recvfrom(listeners[1], in, sizeof(in), 0,
                         (struct sockaddr *)&from, &len);
    unsigned code;
    int slot;

    if (n < 0)
        return;
    code = packetd_judge(p, in, (size_t)n, &t, &why);
    if (code) {
        packetd_log("datagram refused: %s%s%s", mext_reason(code),
                    *why.text ? ": " : "", why.text);
        return;
    }
    slot = free_slot(p);
    if (slot < 0 || start_child((unsigned)slot, listeners) != 0)
        return;
    if (packetd_datagram(p, in, &t, out))
        _exit(1);
    _exit(sendto(listeners[1], out, sizeof(out), 0, (struct sockaddr *)&from,
                 len) != sizeof(out));
}

static int serve(const struct packetd *p, const int *listeners)
{
    struct sigaction sa = { .sa_handler = on_stop };
    struct pollfd pf[2] = { { .fd = listeners[0], .events = POLLIN },
                            { .fd = listeners[1], .events = POLLIN } };

    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = on_child;
    sigaction(SIGCHLD, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    while (!stop) {
        reap();
        keep_watcher(p, listeners);
        if (poll(pf, 2, 1000) <= 0)
            continue;
        if (pf[0].revents)
            on_connection(p, listeners);
        if (pf[1].revents)
            on_datagram(p, listeners);
    }
    if (watcher)
        kill(watcher, SIGTERM);
    packetd_log("stopped; migrations under way and guests go on");
    return 0;
}

static int run(struct packetd *p)
{
    char key[MEXT_KEY_TEXT_LEN], hex[2 * MEXT_DIGEST_LEN + 1];
    struct mext_why why;
    uint16_t port;
    int listeners[2];

    if (mext_identity_load(p->keys_dir, &p->self, &why) ||
        ms_image_measure(p->image, p->measurement, &why) ||
        mext_net_listen(p->listen, p->port, &listeners[0], &listeners[1], &port,
                        &why)) {
        packetd_log("%s", why.text);
        return 1;
    }
    mext_key_text(p->self.pk, key);
    sodium_bin2hex(hex, sizeof(hex), p->measurement, MEXT_DIGEST_LEN);
    packetd_log("key %s, mstrap SHA-256 %s", key, hex);
    packetd_log("listening on port %u", port);
    return serve(p, listeners);
}

int main(int argc, char **argv)
{
    struct packetd p = {
        .keys_dir = mext_keys_dir(),
        .state_dir = MEXT_STATEDIR "/lib/packetd",
        .conf = PACKETD_CONF,
        .port = MEXT_CONTROL_PORT,
        .image = MEXT_PKGLIBEXECDIR "/mstrap.elf",
        .bridge = "xenbr0",
    };
    int c, r;

    if (sodium_init() < 0) {
        packetd_log("libsodium cannot be initialised");
        return 1;
    }
    if (argc > 1) {
        r = packetd_keycmd(argc - 1, argv + 1);
        if (r >= 0)
            return r;
    }
    if (argc > 1 && !strcmp(argv[1], "request"))
        return packetd_request(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "check-config"))
        return packetd_check_config(argc - 1, argv + 1);
    if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
        usage(stdout);
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], "run")) {
        usage(stderr);
        return 2;
    }
    argc--;
    argv++;
    while ((c = getopt_long(argc, argv, "vh", options, NULL)) != -1)
        if ((r = take_option(&p, c)) != 0)
            return r - 1;
    if (optind < argc)
        return bad("unexpected word", argv[optind]);
    return run(&p);
}
