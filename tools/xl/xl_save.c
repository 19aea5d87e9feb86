/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * `xl save --cooperative`: the stock xl saves into a pipe; what the guest's
 * agent calls free stays out, the rest goes to a file with a sum
 * (docs/specs/saved.md).  The guest ends when the file is on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "mext_help.h"
#include "mext_libxl.h"
#include "mext_pack.h"
#include "mext_resolve.h"
#include "mext_saved.h"
#include "mext_thin.h"
#include "xl_args.h"
#include "xl_json.h"
#include "xl_save.h"

#define EXIT_USAGE   2
#define EXIT_BOTH    3 /* saved, and still here */
#define EXIT_STOPPED 4 /* not saved, and the guest does not run */
#define PIPE_SIZE    (1 << 20)
#define PROGRESS_MS  1000

const char xl_save_help[] =
    " save --cooperative     Save a guest without its free memory, with a sum\n";

static const char usage[] =
    "Usage: xl [-v] save --cooperative [OPTION]... DOMAIN FILE [CONFIG]\n"
    "\n"
    "Saves a guest to FILE, as xl save does; the guest's agent says what need not\n"
    "be saved, and a sum of all of it stands at the file's end. The guest ends when\n"
    "the file is on disk. xl restore FILE brings it back.\n"
    "\n"
    "  -c                     the guest goes on afterwards\n"
    "  -p                     the guest stays, paused\n"
    "  --compress HOW         none (default: the stock xl restore takes the file, too),\n"
    "                         zstd, zstd:LEVEL (1 to 19)\n"
    "  --trim none|cache|deep what the guest gives up before (default none)\n"
    "  --no-agent             do without the help of the guest's agent\n"
    "  --json                 result as JSON on standard output\n"
    "  -q, --quiet            no progress\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0 saved; 1 not saved, the guest goes on as before; 2 usage;\n"
    "3 saved, but the guest could not be destroyed and is here, paused; 4 not saved,\n"
    "and the guest could not be let run.\n"
    "Ctrl-C lets the guest go on. See xl-save-cooperative(1).\n";

struct save {
    const char *domain, *file, *config;
    bool agent, stay, paused, json, quiet, help;
    unsigned trim, verbosity;
    int level; /* of Zstandard; 0: not packed */

    struct mext_lxl *lxl;
    struct mext_guest guest;
    struct mext_dom *dom;
    uint32_t domid;
    struct mext_help helper;
    struct mext_thin stream;
    uint64_t *bitmap;   /* free before the suspend, owned */
    uint64_t in, shown; /* bytes of the stock stream; ms */
    uint64_t began;
    bool stopped; /* the stock xl was told to suspend the guest */
    bool ended;   /* the guest did, by itself */
    struct mext_saved_out *out;
    struct mext_why why; /* writing failed */
};

static volatile sig_atomic_t cancelled;

static void on_signal(int n)
{
    cancelled = 1;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

/* A signal that is blocked waits as long as no poll has to. */
static int go_on(struct mext_why *why)
{
    sigset_t waiting;
    bool stop = cancelled;

    sigpending(&waiting);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        stop |= sigismember(&waiting, signals[i]) == 1;
    return stop ? mext_fail(why, "cancelled") : 0;
}

static void say(void *arg, const char *text)
{
    const struct save *s = arg;

    if (!s->quiet)
        fprintf(stderr, "xl save: %s\n", text);
}

static void progress(struct save *s)
{
    uint64_t now = mext_now_ms();

    if (s->quiet || now - s->shown < PROGRESS_MS)
        return;
    s->shown = now;
    fprintf(stderr,
            "xl save: %" PRIu64 " MB of the guest, %" PRIu64
            " MB in the file\n",
            s->in / 1000000, mext_saved_len(s->out) / 1000000);
}

/* ---- options ---- */

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "xl save: %s: \"%s\" (xl save --cooperative --help)\n",
            what, value);
    return -1;
}

static int packing(const char *word, int *level_r)
{
    struct mext_packing p;

    if (!mext_packing_parse(word, &p) ||
        (p.by != MEXT_PACK_NONE && p.by != MEXT_PACK_ZSTD))
        return bad("not none, zstd or zstd:1 to zstd:19", word);
    *level_r = p.by == MEXT_PACK_ZSTD ? p.level : 0;
    return 0;
}

static int take(struct save *s, int c)
{
    switch (c) {
    case 'C':
        return 0;
    case 'c':
        s->stay = true;
        return 0;
    case 'p':
        s->paused = true;
        return 0;
    case 'z':
        return packing(optarg, &s->level);
    case 't':
        return xl_trim(stderr, optarg, &s->trim);
    case 'A':
        s->agent = false;
        return 0;
    case 'j':
        s->json = true;
        return 0;
    case 'q':
        s->quiet = true;
        return 0;
    case 'h':
        s->help = true;
        return 0;
    default:
        fputs("(xl save --cooperative --help)\n", stderr);
        return -1;
    }
}

static int parse(int argc, char **argv, struct save *s)
{
    static const struct option list[] = {
        { "cooperative", no_argument, NULL, 'C' },
        { "compress", required_argument, NULL, 'z' },
        { "trim", required_argument, NULL, 't' },
        { "no-agent", no_argument, NULL, 'A' },
        { "json", no_argument, NULL, 'j' },
        { "quiet", no_argument, NULL, 'q' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "cpqh", list, NULL)) != -1)
        if (take(s, c))
            return -1;
    if (s->help)
        return 0;
    if (s->stay && s->paused)
        return bad("it cannot go on and be paused", "-c -p");
    if (argc - optind < 2 || argc - optind > 3) {
        fputs(usage, stderr);
        return -1;
    }
    s->domain = argv[optind];
    s->file = argv[optind + 1];
    s->config = argv[optind + 2]; /* NULL behind the last */
    return 0;
}

/* ---- what is free ---- */

/*
 * The first pages are here, so the guest is suspended: what was free and was
 * not written since need not be saved.
 */
static void ask(void *arg, uint64_t *bitmap, uint64_t ngfns)
{
    struct save *s = arg;
    struct mext_dom_state st;
    const uint64_t *dirty;
    struct mext_why why;

    if (!ngfns)
        return;
    if (mext_dom_state(s->dom, &st, &why) || !st.shutdown ||
        st.reason != MEXT_SHUTDOWN_SUSPEND ||
        mext_dom_dirty_peek(s->dom, &dirty, &why)) {
        say(s, "all pages are saved: what was written is not known");
        return;
    }
    for (uint64_t w = 0; w < ngfns / 64; w++)
        bitmap[w] = s->bitmap[w] & ~dirty[w];
}

/* Only a hint: without it all pages are saved. */
static void ask_before(struct save *s)
{
    struct mext_why why;
    uint64_t top, words;

    s->helper = (struct mext_help){ .domid = s->domid,
                                    .wanted = s->agent,
                                    .trim = s->trim,
                                    .say = say,
                                    .say_arg = s };
    mext_help_begin(&s->helper);
    mext_help_close(&s->helper);
    if (strcmp(s->guest.type, "pvh")) {
        mext_sayf(say, s, "free pages are saved, too: it is a %s guest",
                  s->guest.type);
        return;
    }
    if (mext_dom_max_gfn(s->dom, &top, &why) ||
        mext_dom_dirty_start(s->dom, (top / 64 + 1) * 64, &why)) {
        mext_sayf(say, s, "free pages are saved, too: %.200s", why.text);
        return;
    }
    words = top / 64 + 1;
    s->bitmap = calloc(words, sizeof(*s->bitmap));
    s->stream.bitmap = calloc(words, sizeof(*s->bitmap));
    if (!s->bitmap || !s->stream.bitmap) {
        say(s, "free pages are saved, too: out of memory");
        return;
    }
    s->stream.ngfns = words * 64;
    mext_help_bitmap(&s->helper, s->bitmap, words * 64);
}

/* ---- the guest ---- */

static int open_guest(struct save *s, struct mext_why *why)
{
    struct mext_dom_state st;

    if (mext_lxl_open(s->verbosity, &s->lxl, why) ||
        mext_lxl_find(s->lxl, s->domain, &s->domid, why) ||
        mext_resolve_former(s->lxl, s->domid, mext_keys_dir(), say, s, why) ||
        mext_lxl_guest(s->lxl, s->domid, &s->guest, why) ||
        mext_dom_open(s->domid, &s->dom, why) ||
        mext_dom_state(s->dom, &st, why))
        return -1;
    if (st.shutdown || st.dying)
        return mext_fail(why, "\"%s\" is not running", s->guest.name);
    if (st.paused)
        return mext_fail(why,
                         "\"%s\" is paused and cannot suspend: xl unpause it "
                         "first",
                         s->guest.name);
    return 0;
}

/*
 * Nothing came of it: it runs as before.  One that did not is left as it was.  False:
 * it should, and does not.
 */
static bool let_go_on(struct save *s)
{
    struct mext_domain_now now;
    struct mext_why why;
    int r;

    if (!s->stopped)
        return true;
    mext_dom_dirty_stop(s->dom);
    r = mext_lxl_now(s->lxl, s->domid, &now);
    s->ended = r > 0 || (!r && now.stopped && !now.suspended);
    if (s->ended)
        return true;
    if (r < 0)
        mext_fail(&why, "Xen does not say how it is");
    else if (now.suspended)
        r = mext_lxl_resume(s->lxl, s->domid, &why);
    else if (now.paused)
        r = mext_lxl_unpause(s->lxl, s->domid, &why);
    if (r)
        fprintf(stderr, "xl save: %s is not let run: %s\n", s->guest.name,
                why.text);
    return !r;
}

/* ---- the stock xl, and what it writes ---- */

/* Out of reach of the terminal's Ctrl-C: it ends when the pipe does. */
static pid_t start_stock(const struct save *s, int *pipe_r)
{
    char path[32], domid[16];
    char *argv[] = { "xl",  "save", s->stay ? "-c" : "-p", "--",
                     domid, path,   (char *)s->config,     NULL };
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        return -1;
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE);
    snprintf(domid, sizeof(domid), "%u", s->domid);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        fcntl(ends[1], F_SETFD, 0);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execv(STOCK_XL, argv);
        fprintf(stderr, "xl save: cannot run " STOCK_XL ": %s\n",
                strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    *pipe_r = ends[0];
    return pid;
}

static int write_out(void *arg, const void *p, size_t n)
{
    struct save *s = arg;

    return mext_saved_write(s->out, p, n, &s->why);
}

/* Until the stock xl closes its end. */
static int relay(struct save *s, int from, const sigset_t *unblocked,
                 struct mext_why *why)
{
    static char buf[1 << 16];
    struct pollfd p = { .fd = from, .events = POLLIN };
    ssize_t n;

    for (;;) {
        if (go_on(why))
            return -1;
        if (ppoll(&p, 1, NULL, unblocked) < 0) {
            if (errno == EINTR)
                continue;
            return mext_fail(why, "%s", strerror(errno));
        }
        n = read(from, buf, sizeof(buf));
        if (n < 0)
            return mext_fail(why, "%s", strerror(errno));
        if (n == 0)
            return 0;
        s->in += (uint64_t)n;
        if (mext_thin_feed(&s->stream, buf, (size_t)n)) {
            *why = s->why;
            return -1;
        }
        progress(s);
    }
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int save_stock(struct save *s, const sigset_t *unblocked,
                      struct mext_why *why)
{
    int from, rc, status;
    pid_t pid = start_stock(s, &from);

    if (pid < 0)
        return mext_fail(why, "%s", strerror(errno));
    s->stopped = true;
    rc = relay(s, from, unblocked, why);
    close(from); /* makes it give up if it is not through */
    status = wait_for(pid);
    if (!rc && status)
        rc = mext_fail(why, "the stock xl save failed, see above");
    if (!rc && s->stream.odd)
        mext_sayf(say, s, "free pages were saved, too: %s", s->stream.odd);
    return rc;
}

/* ---- the whole ---- */

static int save(struct save *s, struct mext_why *why)
{
    sigset_t mask, before;
    int rc = -1;

    sigemptyset(&mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        signal(signals[i], on_signal);
        sigaddset(&mask, signals[i]);
    }
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &mask, &before);
    s->stream.out = write_out;
    s->stream.ask = ask;
    s->stream.arg = s;
    if (!open_guest(s, why) &&
        !mext_saved_create(s->file, s->level, &s->out, why)) {
        ask_before(s);
        rc = go_on(why) ? -1 : save_stock(s, &before, why);
    }
    return rc || mext_saved_flush(s->out, why) || go_on(why) ||
           mext_saved_name(s->out, why);
}

/* -1 and why: it is here, paused. */
static int end_guest(struct save *s, struct mext_why *why)
{
    if (s->stay || s->paused)
        return 0;
    return mext_lxl_destroy(s->lxl, s->domid, why);
}

static void print_json(const struct save *s, int status,
                       const struct mext_why *why)
{
    static const char *const results[] = { "saved", "kept", "", "both",
                                           "stopped" };
    yajl_gen g = xl_json_open(stdout);

    if (!g)
        return;
    yajl_gen_config(g, yajl_gen_beautify, 1);
    yajl_gen_map_open(g);
    xl_json_text(g, "result", results[status]);
    xl_json_text(g, "file", s->file);
    if (s->out)
        xl_json_number(g, "file_bytes", mext_saved_len(s->out));
    xl_json_number(g, "stream_bytes", s->in);
    xl_json_number(g, "free_pages", s->stream.pages);
    xl_json_number(g, "trimmed_kib", s->helper.trimmed_kib);
    xl_json_number(g, "total_ms", mext_now_ms() - s->began);
    if (status)
        xl_json_text(g, "why", why->text);
    yajl_gen_map_close(g);
    yajl_gen_free(g);
}

static void report(const struct save *s, int status, const struct mext_why *why)
{
    if (s->json)
        print_json(s, status, why);
    if (status == 1)
        fprintf(stderr, "xl save: not saved, %s %s: %s\n",
                s->guest.name ? s->guest.name : s->domain,
                s->ended     ? "has ended"
                : s->stopped ? "goes on"
                             : "is as it was",
                why->text);
    else if (status == EXIT_STOPPED)
        fprintf(stderr,
                "xl save: not saved, and %s stands still: %s (xl "
                "migrate-resolve --here %s, or xl unpause)\n",
                s->guest.name, why->text, s->guest.name);
    else if (status)
        fprintf(stderr,
                "xl save: saved, but %s is still here, paused: %s (xl destroy "
                "%s)\n",
                s->guest.name, why->text, s->guest.name);
    else if (!s->quiet)
        fprintf(stderr,
                "xl save: %s: %" PRIu64 " MB of %" PRIu64 " MB, %" PRIu64
                " free pages left out, %.1f s\n",
                s->file, mext_saved_len(s->out) / 1000000, s->in / 1000000,
                s->stream.pages, (double)(mext_now_ms() - s->began) / 1000);
}

int xl_save_run(int argc, char **argv, unsigned verbosity)
{
    static struct save s = { .agent = true };
    struct mext_why why = { "" };
    int status = 0;

    s.verbosity = verbosity;
    if (parse(argc, argv, &s))
        return EXIT_USAGE;
    if (s.help) {
        fputs(usage, stdout);
        return 0;
    }
    s.began = s.shown = mext_now_ms();
    if (save(&s, &why)) {
        status = let_go_on(&s) ? 1 : EXIT_STOPPED;
    } else if (end_guest(&s, &why)) {
        status = EXIT_BOTH;
    }
    report(&s, status, &why);
    mext_saved_close(s.out);
    free(s.bitmap);
    free(s.stream.bitmap);
    mext_guest_free(&s.guest);
    mext_dom_close(s.dom);
    mext_lxl_close(s.lxl);
    return status;
}
