/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The xl front end: `xl migrate --cooperative` is ours, and so are the words of
 * xl_status.h, xl_resolve.h, xl_stream.h and xl_save.h; `xl help` lists them, and
 * every other word goes to the system's own xl, untouched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "config.h"
#include "mext_monitor.h"
#include "mext_resolve.h"
#include "xl_args.h"
#include "xl_detach.h"
#include "xl_look.h"
#include "xl_report.h"
#include "xl_resolve.h"
#include "xl_save.h"
#include "xl_status.h"
#include "xl_stream.h"

#define EXIT_USAGE 2

static const char help_line[] =
    " migrate --cooperative  Migrate a guest to packetd on another host\n";

static void usage(FILE *f)
{
    fputs(
        "Usage: xl [-v] migrate --cooperative [OPTION]... DOMAIN HOST[:PORT]\n"
        "       xl [-v] migrate --cooperative --receiver xl [-s COMMAND] DOMAIN HOST\n"
        "\n"
        "Moves a running guest to HOST, where packetd listens (default port 7010).\n"
        "\n"
        "  --receiver WHO         who receives: mstrap, a domain that becomes the guest\n"
        "                         (default for PVH guests); dom0, where packetd has libxl\n"
        "                         restore it (default for HVM and PV guests); or xl, the\n"
        "                         stock one through ssh, which gets the guest's free pages\n"
        "                         as empty ones; with xl only -s, --trim and --no-agent\n"
        "                         mean something; with dom0 not those marked (m), and\n"
        "                         what --compress says is none or lz4\n"
        "  -s COMMAND             instead of ssh, called with HOST and a command\n"
        "  --peer NAME            name under which HOST's key is trusted\n"
        "                         (default: HOST as written; packetd trust list)\n"
        "  --dry-run              move nothing: tell what would stand against it, here\n"
        "                         and there; exit status 1 if something does\n"
        "  -d, --detach           go on in the background once it has begun\n"
        "  --downtime MS      (m) aim at so short a last copy (default 300)\n"
        "  --iterations N     (m) at most so many before the last copy (default 10)\n"
        "  --on-stall WHAT        if the guest writes faster than can be sent:\n"
        "                         calm (its agent slows services, default), throttle\n"
        "                         (less and less CPU for it), cancel, or force (at once,\n"
        "                         whatever the downtime; also the end of the first two)\n"
        "  --bandwidth MB/S       use so much of the link (default: as much as there is)\n"
        "  --timeout S            give up if it is not there after so long (default: never)\n"
        "  --suspend-timeout S (m) how long the guest may take (default 60)\n"
        "  --channels N|auto      connections that the guest goes over, 1 to 16, a thread\n"
        "                         of this host for each; auto (default): one for each of\n"
        "                         its CPUs, at most 4\n"
        "  --trim none|cache|deep what the guest gives up before (default none)\n"
        "  --no-agent             do without the help of the guest's agent\n"
        "  --compress HOW         pages made smaller on their way: none, lz4 (default), zstd,\n"
        "                         zstd:LEVEL (1 to 19), or auto: as link and CPU allow\n"
        "  --expect-mstrap HASH (m) SHA-256 the receiver's mstrap must have (default: any in\n"
        "                         mstrap.accept beside the keys, if there is that file)\n"
        "  --mstrap-ip A/BITS (m) mstrap's address (default: HOST chooses)\n"
        "  --mstrap-port N    (m) (default 7011)\n"
        "  --mstrap-gateway A (m)\n"
        "  --keys DIR             (default /etc/xen/packetd)\n"
        "  --json                 result as JSON on standard output\n"
        "  -q, --quiet            no progress\n"
        "  -h, --help             this text\n"
        "\n"
        "Exit status: 0 the guest runs on HOST; 1 it runs here as before; 2 usage;\n"
        "3 not known (the text says what to look at). xl migrate-status shows migrations,\n"
        "xl migrate-cancel and Ctrl-C stop one. See xl-migrate-cooperative(1).\n",
        f);
}

/* ---- the stock xl ---- */

/* Our own file under another name would run itself for ever. */
static bool stock_is_self(void)
{
    struct stat a, b;

    return !stat(STOCK_XL, &a) && !stat("/proc/self/exe", &b) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int run_stock(char **argv)
{
    if (stock_is_self())
        fprintf(stderr, "xl: " STOCK_XL " is this very program: configure "
                        "with --with-stock-xl=PATH\n");
    else {
        execv(STOCK_XL, argv);
        fprintf(stderr, "xl: cannot run " STOCK_XL ": %s\n", strerror(errno));
    }
    return 127;
}

/* Stock help first, then our lines. */
static int help(char **argv)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(run_stock(argv));
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    fputs(help_line, stdout);
    fputs(xl_status_help, stdout);
    fputs(xl_resolve_help, stdout);
    fputs(xl_save_help, stdout);
    fputs(xl_stream_help, stdout);
    return 0;
}

/* ---- options ---- */

enum {
    O_COOP = 256,
    O_RECEIVER,
    O_PEER,
    O_DRY_RUN,
    O_DOWNTIME,
    O_ITERATIONS,
    O_STALL,
    O_RATE,
    O_TIMEOUT,
    O_SUSPEND,
    O_CHANNELS,
    O_COMPRESS,
    O_TRIM,
    O_NO_AGENT,
    O_EXPECT,
    O_IP,
    O_PORT,
    O_GATEWAY,
    O_KEYS,
    O_JSON
};

static const struct option options[] = {
    { "cooperative", no_argument, NULL, O_COOP },
    { "receiver", required_argument, NULL, O_RECEIVER },
    { "peer", required_argument, NULL, O_PEER },
    { "dry-run", no_argument, NULL, O_DRY_RUN },
    { "downtime", required_argument, NULL, O_DOWNTIME },
    { "iterations", required_argument, NULL, O_ITERATIONS },
    { "on-stall", required_argument, NULL, O_STALL },
    { "bandwidth", required_argument, NULL, O_RATE },
    { "timeout", required_argument, NULL, O_TIMEOUT },
    { "suspend-timeout", required_argument, NULL, O_SUSPEND },
    { "channels", required_argument, NULL, O_CHANNELS },
    { "compress", required_argument, NULL, O_COMPRESS },
    { "trim", required_argument, NULL, O_TRIM },
    { "no-agent", no_argument, NULL, O_NO_AGENT },
    { "expect-mstrap", required_argument, NULL, O_EXPECT },
    { "mstrap-ip", required_argument, NULL, O_IP },
    { "mstrap-port", required_argument, NULL, O_PORT },
    { "mstrap-gateway", required_argument, NULL, O_GATEWAY },
    { "keys", required_argument, NULL, O_KEYS },
    { "json", no_argument, NULL, O_JSON },
    { "detach", no_argument, NULL, 'd' },
    { "quiet", no_argument, NULL, 'q' },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "xl: %s: \"%s\" (xl migrate --cooperative --help)\n", what,
            value);
    return -1;
}

static int address(const char *text, uint32_t *ip_r)
{
    struct in_addr a;

    if (inet_pton(AF_INET, text, &a) != 1)
        return bad("not an IPv4 address", text);
    *ip_r = ntohl(a.s_addr);
    return 0;
}

/* "A/BITS" */
static int network(const char *text, uint32_t *ip_r, uint32_t *mask_r)
{
    char host[16];
    const char *slash = strchr(text, '/');
    unsigned long bits;

    if (!slash || (size_t)(slash - text) >= sizeof(host))
        return bad("not ADDRESS/BITS", text);
    memcpy(host, text, (size_t)(slash - text));
    host[slash - text] = 0;
    if (address(host, ip_r) || xl_number(stderr, slash + 1, 1, 31, &bits))
        return -1;
    *mask_r = ~0u << (32 - bits);
    return 0;
}

static int digest(const char *text, uint8_t out[MEXT_DIGEST_LEN])
{
    size_t n;

    if (sodium_hex2bin(out, MEXT_DIGEST_LEN, text, strlen(text), NULL, &n,
                       NULL) ||
        n != MEXT_DIGEST_LEN)
        return bad("not a SHA-256 in hex", text);
    return 0;
}

struct arguments {
    struct mext_request rq;
    bool json, quiet, help, detach, dry_run;
    bool stock;        /* xl receives */
    bool packetd_only; /* what only packetd can do */
    const char *ssh;   /* NULL: not given */
    char peer[256];
};

/* Options that mean something where the stock xl receives. */
static bool for_stock(int c)
{
    return c == O_COOP || c == O_RECEIVER || c == O_TRIM || c == O_NO_AGENT ||
           c == 's' || c == 'h';
}

/* The name of an option that only an mstrap, or pages of our own, can heed. */
static const char *for_mstrap(int c)
{
    static const int only[] = { O_DOWNTIME, O_ITERATIONS, O_SUSPEND, O_EXPECT,
                                O_IP,       O_PORT,       O_GATEWAY };

    for (size_t i = 0; i < sizeof(only) / sizeof(only[0]); i++)
        for (const struct option *o = options; c == only[i] && o->name; o++)
            if (o->val == c)
                return o->name;
    return NULL;
}

static int receiver(struct arguments *a, const char *word)
{
    a->stock = !strcmp(word, "xl");
    if (!strcmp(word, "mstrap"))
        a->rq.receiver = MEXT_RECEIVE_MSTRAP;
    else if (!strcmp(word, "dom0"))
        a->rq.receiver = MEXT_RECEIVE_DOM0;
    else if (!a->stock)
        return bad("neither mstrap, dom0 nor xl", word);
    return 0;
}

static int take(struct arguments *a, int c)
{
    struct mext_request *rq = &a->rq;
    unsigned long n = 0;
    int rc = 0;

    a->packetd_only |= !for_stock(c);
    if (!rq->mstrap_option)
        rq->mstrap_option = for_mstrap(c);

    switch (c) {
    case O_COOP:
        break;
    case O_RECEIVER:
        return receiver(a, optarg);
    case 's':
        a->ssh = optarg;
        break;
    case O_DRY_RUN:
        a->dry_run = true;
        break;
    case O_PEER:
        rq->peer = optarg;
        break;
    case O_DOWNTIME:
        rc = xl_number(stderr, optarg, 1, MEXT_MONITOR_DOWNTIME_MAX, &n);
        rq->limits.downtime_ms = (unsigned)n;
        break;
    case O_ITERATIONS:
        rc = xl_number(stderr, optarg, 1, MEXT_MONITOR_ITERATIONS_MAX, &n);
        rq->limits.iterations = (unsigned)n;
        break;
    case O_STALL:
        if (mext_on_stall_parse(optarg, &rq->on_stall))
            return bad("neither calm, throttle, cancel nor force", optarg);
        break;
    case O_RATE:
        return xl_rate(stderr, optarg, &rq->bytes_per_s);
    case O_TIMEOUT:
        rc = xl_number(stderr, optarg, 1, MEXT_MONITOR_TIMEOUT_MAX / 1000, &n);
        rq->timeout_ms = (unsigned)n * 1000;
        break;
    case O_SUSPEND:
        rc = xl_number(stderr, optarg, 1, 3600, &n);
        rq->suspend_timeout_ms = (unsigned)n * 1000;
        break;
    case O_CHANNELS:
        if (strcmp(optarg, "auto"))
            rc = xl_number(stderr, optarg, 1, MEXT_CHANNELS_MAX, &n);
        rq->channels = (uint16_t)n;
        break;
    case O_COMPRESS:
        if (!mext_packing_parse(optarg, &rq->packing))
            return bad("not auto, none, lz4, zstd or zstd:1 to zstd:19",
                       optarg);
        break;
    case O_TRIM:
        return xl_trim(stderr, optarg, &rq->trim);
    case O_NO_AGENT:
        rq->agent = false;
        break;
    case O_PORT:
        rc = xl_number(stderr, optarg, 1, 65535, &n);
        rq->port = (uint16_t)n;
        break;
    case O_EXPECT:
        return digest(optarg, rq->image);
    case O_IP:
        return network(optarg, &rq->ip, &rq->netmask);
    case O_GATEWAY:
        return address(optarg, &rq->gateway);
    case O_KEYS:
        rq->keys_dir = optarg;
        break;
    case O_JSON:
        a->json = true;
        break;
    case 'd':
        a->detach = true;
        break;
    case 'q':
        a->quiet = true;
        break;
    case 'h':
        a->help = true;
        break;
    default:
        fputs("(xl migrate --cooperative --help)\n", stderr);
        return -1;
    }
    return rc;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    struct mext_why why;
    uint16_t port;
    int c;

    while ((c = getopt_long(argc, argv, "dqhs:", options, NULL)) != -1)
        if (take(a, c))
            return -1;
    if (a->help)
        return 0;
    if (a->stock && a->packetd_only)
        return bad("only -s, --trim and --no-agent go with", "--receiver xl");
    if (a->rq.receiver == MEXT_RECEIVE_DOM0 && a->rq.mstrap_option)
        return bad("means nothing with --receiver dom0", a->rq.mstrap_option);
    if (a->ssh && (!a->stock || !*a->ssh))
        return bad("-s goes with --receiver xl and is not empty", a->ssh);
    if (argc - optind != 2) {
        usage(stderr);
        return -1;
    }
    a->rq.domain = argv[optind];
    a->rq.host = argv[optind + 1];
    if (a->stock)
        return 0;
    if (mext_net_split(a->rq.host, MEXT_CONTROL_PORT, a->peer, &port, &why))
        return bad(why.text, a->rq.host);
    if (!a->rq.peer)
        a->rq.peer = a->peer;
    return 0;
}

/* ---- the word ---- */

static void say_source(void *arg, const char *text)
{
    fprintf(stderr, "source: %s\n", text);
}

/*
 * The stock xl migrates; on its way to ssh the stream goes through xl-thin,
 * which asks the guest's agent.
 */
static int migrate_stock(const struct arguments *a)
{
    const char *ssh = a->ssh ? a->ssh : "ssh";
    char *argv[] = { "xl", "migrate", "-s", NULL, "--", NULL, NULL, NULL };
    struct mext_lxl *lxl;
    struct mext_why why;
    char *command;
    uint32_t domid;
    int rc;

    if (mext_lxl_open(a->rq.verbosity, &lxl, &why))
        goto failed;
    rc = mext_lxl_find(lxl, a->rq.domain, &domid, &why) ||
                 mext_resolve_former(lxl, domid, a->rq.keys_dir, say_source,
                                     NULL, &why)
             ? -1
             : 0;
    mext_lxl_close(lxl);
    if (rc)
        goto failed;
    rc = a->rq.agent
             ? asprintf(&command, MEXT_PKGLIBEXECDIR "/xl-thin %u %u %s", domid,
                        a->rq.trim, ssh)
             : asprintf(&command, MEXT_PKGLIBEXECDIR "/xl-thin %u - %s", domid,
                        ssh);
    if (rc < 0)
        return 1;
    argv[3] = command;
    argv[5] = (char *)a->rq.domain;
    argv[6] = (char *)a->rq.host;
    return run_stock(argv);
failed:
    fprintf(stderr, "source: %s\n", why.text);
    return 1;
}

static void begun(void *arg, const uint8_t id[MEXT_ID_LEN])
{
    xl_report_log();
    xl_detach_now(id);
}

static int migrate(int argc, char **argv, unsigned verbosity)
{
    struct arguments a = {
        .rq = {
            .keys_dir = mext_keys_dir(),
            .limits = { .downtime_ms = 300, .iterations = 10 },
            .suspend_timeout_ms = 60000,
            .agent = true,
            .packing = { .by = MEXT_PACK_LZ4 },
            .port = MEXT_DATA_PORT,
            .verbosity = verbosity,
        },
    };
    struct mext_report rep;
    struct mext_why why = { "" };
    struct mext_events ev;
    enum mext_outcome o;
    int rc;

    if (parse(argc, argv, &a))
        return EXIT_USAGE;
    if (a.help) {
        usage(stdout);
        return 0;
    }
    if (a.stock)
        return migrate_stock(&a);
    if (a.dry_run)
        return xl_look(&a.rq, a.json, a.quiet);
    if (a.detach) {
        rc = xl_detach(a.rq.domain, a.rq.host, a.json);
        if (rc >= 0)
            return rc;
    }
    signal(SIGPIPE, SIG_IGN);
    xl_report_events(&ev, a.quiet);
    if (a.detach)
        ev.begun = begun;
    o = mext_migrate(&a.rq, &ev, &rep, &why);
    xl_report_end(o, &rep, &why, &a.rq, a.json);
    return (int)o;
}

static int stream_word(int argc, char **argv, unsigned verbosity)
{
    return xl_stream_run(stdout, stderr, argc, argv);
}

static int status_word(int argc, char **argv, unsigned verbosity)
{
    struct xl_places p;

    xl_status_places(&p);
    return xl_status_run(&p, argc, argv);
}

/* What the stock xl takes before a word. */
struct before {
    unsigned verbosity;
    bool dry, unknown;
};

/* Where the word is. */
static int options_before(int argc, char **argv, struct before *b)
{
    int first = 1;

    for (; first < argc && argv[first][0] == '-'; first++)
        for (const char *p = argv[first] + 1; *p; p++) {
            b->verbosity += *p == 'v';
            b->dry |= *p == 'N';
            b->unknown |= !strchr("vftTN", *p);
        }
    return first;
}

typedef int word_fn(int argc, char **argv, unsigned verbosity);

/* Ours, or NULL. */
static word_fn *find_word(const char *word, bool cooperative)
{
    if (!strcmp(word, "migrate"))
        return cooperative ? migrate : NULL;
    if (!strcmp(word, "save"))
        return cooperative ? xl_save_run : NULL;
    if (!strcmp(word, "migrate-resolve"))
        return xl_resolve_run;
    if (!strcmp(word, "migrate-stream"))
        return stream_word;
    return xl_status_word(word) ? status_word : NULL;
}

int main(int argc, char **argv)
{
    struct before b = { 0 };
    bool ours = false;
    int first = options_before(argc, argv, &b), n, rc;
    const char *word;
    word_fn *run;

    for (int i = first; i < argc && strcmp(argv[i], "--"); i++)
        ours |= !strcmp(argv[i], "--cooperative");
    if (first == argc || b.unknown)
        return run_stock(argv);
    word = argv[first];
    n = argc - first;
    run = find_word(word, ours);
    if (run && b.dry) {
        fprintf(stderr,
                "xl: %s has no -N; xl migrate --cooperative --dry-run tells "
                "what would stand against a migration\n",
                word);
        return 2;
    }
    if (run)
        return run(n, argv + first, b.verbosity);
    if (!strcmp(word, "help") && n == 1)
        return help(argv);
    rc = strcmp(word, "restore") ? -1 : xl_restore_prepare(argc, argv, first);
    return rc < 0 ? run_stock(argv) : rc;
}
