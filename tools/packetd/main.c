/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <sodium.h>

#include "akcmd.h"
#include "attest.h"
#include "door.h"
#include "keycmd.h"
#include "mext_crypto.h"
#include "mext_vif.h"
#include "ms_host.h"
#include "packetd.h"
#include "restore.h"
#include "service.h"

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
    fputs(
        "Usage: packetd run [OPTION]...   receive guests\n"
        "       packetd request ...           ask a host for an mstrap\n"
        "       packetd genkey|pubkey|fingerprint|rotate|trust ...   keys\n"
        "       packetd ak ...                the TPM's key for --attest tpm\n"
        "       packetd check-config [FILE]   the policy's errors\n"
        "\n"
        "  --dir DIR           keys (default " MEXT_SYSCONFDIR "/xen/packetd)\n"
        "  --state DIR         ids already seen, journal of migrations\n"
        "                      (default " MEXT_STATEDIR "/lib/packetd)\n"
        "  --conf FILE         what sources may send, which guests may move\n"
        "                      (default " PACKETD_CONF ")\n"
        "  --listen ADDRESS    default: all, IPv4\n"
        "  --port N            TCP and UDP, default 7010; 0 chooses one\n"
        "  --image FILE        mstrap (default " MEXT_PKGLIBEXECDIR
        "/mstrap.elf)\n"
        "  --bridge NAME       for migration vifs (default xenbr0)\n"
        "  --vif-script NAME   libxl's for them; default: packetd puts them on\n"
        "                      the bridge, if that is all there is to do\n"
        "  --pool A[-B]/BITS   addresses for mstraps, needed unless sources\n"
        "                      bring one\n"
        "  --gateway A         for mstraps\n"
        "  --attest key|tpm[:TCTI]   who vouches for who receives: the host's\n"
        "                      key (default), or its TPM as well\n"
        "  --metrics FILE      counts, for node-exporter's textfile\n"
        "  --user NAME         for what reads from the network (default\n"
        "                      packetd)\n"
        "  --rate N            connections and datagrams a second of one\n"
        "                      address that are looked at (default 20; 0: all)\n"
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
    O_VIF_SCRIPT,
    O_POOL,
    O_GATEWAY,
    O_ATTEST,
    O_METRICS,
    O_USER,
    O_RATE
};

static const struct option options[] = {
    { "dir", required_argument, NULL, O_DIR },
    { "state", required_argument, NULL, O_STATE },
    { "conf", required_argument, NULL, O_CONF },
    { "listen", required_argument, NULL, O_LISTEN },
    { "port", required_argument, NULL, O_PORT },
    { "image", required_argument, NULL, O_IMAGE },
    { "bridge", required_argument, NULL, O_BRIDGE },
    { "vif-script", required_argument, NULL, O_VIF_SCRIPT },
    { "pool", required_argument, NULL, O_POOL },
    { "gateway", required_argument, NULL, O_GATEWAY },
    { "attest", required_argument, NULL, O_ATTEST },
    { "metrics", required_argument, NULL, O_METRICS },
    { "user", required_argument, NULL, O_USER },
    { "rate", required_argument, NULL, O_RATE },
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
    case O_VIF_SCRIPT:
        p->vif_script = optarg;
        return 0;
    case O_POOL:
        return parse_pool(optarg, p) ? 0 : bad("not a pool", optarg) + 1;
    case O_GATEWAY:
        return parse_ip(optarg, &p->gateway)
                   ? 0
                   : bad("not an address", optarg) + 1;
    case O_ATTEST:
        p->attest = optarg;
        return 0;
    case O_METRICS:
        p->metrics = optarg;
        return 0;
    case O_USER:
        p->user_name = optarg;
        return 0;
    case O_RATE:
        p->rate = (uint32_t)strtoul(optarg, &end, 10);
        return *end || *optarg < '0' || *optarg > '9' || strlen(optarg) > 6
                   ? bad("not a rate", optarg) + 1
                   : 0;
    case 'v':
        p->verbosity++;
        return 0;
    case 'h':
        usage(stdout);
        return 1;
    default:
        fputs("(packetd --help)\n", stderr);
        return 3;
    }
}

/* The sockets that the service manager holds for us, or our own. */
static int listen_at(const struct packetd *p, int listeners_r[2],
                     uint16_t *port_r, struct mext_why *why)
{
    int n = service_sockets(listeners_r, port_r, why);

    if (n)
        return n < 0 ? -1 : 0;
    return mext_net_listen(p->listen, p->port, &listeners_r[0], &listeners_r[1],
                           port_r, why);
}

/* What was measured is told to whoever is to vouch for it. */
static int measure(const struct packetd *p, struct mext_why *why)
{
    struct attester *a;
    int rc;

    if (attest_open(p->attest, p->keys_dir, &a, why))
        return -1;
    rc = attest_measure(a, p->measurement, why);
    attest_close(a);
    return rc;
}

/* Where libxl will look for it. */
static int script_find(const char *name, struct mext_why *why)
{
    char path[300];

    if (!name)
        return 0;
    snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : MEXT_XEN_SCRIPTS,
             name);
    return access(path, X_OK)
               ? mext_fail(why, "--vif-script: %s: %s", path, strerror(errno))
               : 0;
}

static int run(struct packetd *p)
{
    static char image[MS_IMAGE_COPY_MAX];
    char key[MEXT_KEY_TEXT_LEN], hex[2 * MEXT_DIGEST_LEN + 1];
    char fingerprint[MEXT_FINGERPRINT_LEN];
    struct mext_why why;
    uint16_t port;
    int listeners[2];

    if (script_find(p->vif_script, &why) ||
        jail_user_find(p->user_name, &p->user, &why) ||
        mext_identities_load(p->keys_dir, &p->ids, &why) ||
        ms_image_load(p->image, image, p->measurement, p->measurement2, &why) ||
        measure(p, &why) || listen_at(p, listeners, &port, &why)) {
        packetd_log("%s", why.text);
        return 1;
    }
    mext_key_text(p->ids.id[0].pk, key);
    mext_fingerprint(p->ids.id[0].pk, fingerprint);
    sodium_bin2hex(hex, sizeof(hex), p->measurement, MEXT_DIGEST_LEN);
    packetd_log("key %s, fingerprint %s", key, fingerprint);
    packetd_log("mstrap SHA-256 %s", hex);
    if (mext_trust_check(p->keys_dir, &why))
        packetd_log("%s", why.text);
    packetd_log("listening on port %u", port);
    p->image = image;
    return packetd_monitor(p, listeners);
}

/* A part that `packetd run` started: WORD UID GID. */
static int jailed(char **argv)
{
    struct jail_user u = { (uid_t)strtoul(argv[2], NULL, 10),
                           (gid_t)strtoul(argv[3], NULL, 10) };

    prctl(PR_SET_NAME, argv[1][1] == 'd' ? "packetd-door" : "packetd-line");
    return !strcmp(argv[1], DOOR_WORD) ? packetd_door(&u) : packetd_line(&u);
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
        .user_name = "packetd",
        .rate = 20,
        .attest = "key",
    };
    bool line = argc == 4 && !strcmp(argv[1], LINE_WORD);
    int c, r;

    if ((line ? mext_crypto_init() : sodium_init()) < 0) {
        packetd_log("libsodium cannot be initialised");
        return 1;
    }
    if (argc == 4 && !strcmp(argv[1], RESTORE_WORD))
        _exit(packetd_restore());
    if (line || (argc == 4 && !strcmp(argv[1], DOOR_WORD)))
        _exit(jailed(argv));
    if (argc > 1) {
        r = packetd_keycmd(argc - 1, argv + 1);
        if (r >= 0)
            return r;
    }
    if (argc > 1 && !strcmp(argv[1], "request"))
        return packetd_request(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "ak"))
        return packetd_akcmd(argc - 1, argv + 1);
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
