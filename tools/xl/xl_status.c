/* SPDX-License-Identifier: LGPL-2.1-only */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_net.h"
#include "xl_args.h"
#include "xl_status.h"
#include "xl_status_run.h"

#define EXIT_USAGE 2
#define ID_MIN     4     /* hex digits that name a migration */
#define RECENT_S   86400 /* finished ones are shown so long */
#define LOOK_MS    1000  /* for the first line of a socket */

const char xl_status_help[] =
    " migrate-status         List this host's migrations, or show one\n"
    " migrate-cancel         Cancel a migration that is under way\n"
    " migrate-set            Change a migration that is under way\n";

static const char usage_status[] =
    "Usage: xl migrate-status [--json] [--all] [DOMAIN|ID]\n"
    "       xl migrate-status [--json] --watch DOMAIN|ID\n"
    "\n"
    "Without DOMAIN or ID lists this host's migrations: unfinished ones, and those\n"
    "that ended in the last day.  ID: at least four digits of what that shows.\n"
    "\n"
    "  --all     all that are kept; with a name, all of that guest's\n"
    "  --watch   show how the one named goes on until it ends\n"
    "  --json    as JSON, with --watch an object a line\n";
static const char usage_cancel[] =
    "Usage: xl migrate-cancel [--json] DOMAIN|ID\n"
    "\n"
    "Cancels a migration that is under way, on either host, and waits for its end.\n"
    "Exit status: 0 the guest stays where it was; 1 it was too late, or there is none;\n"
    "2 usage.\n";
static const char usage_set[] =
    "Usage: xl migrate-set DOMAIN|ID [OPTION]...\n"
    "\n"
    "Changes a migration that is under way, on the source's host.\n"
    "\n"
    "  --downtime MS      aim at so short a last copy\n"
    "  --iterations N     at most so many before the last copy\n"
    "  --bandwidth MB/S   use so much of the link; 0: as much as there is\n"
    "  --timeout S        give it up after so long since it began; 0: never\n"
    "  --switch-over      suspend the guest now, whatever is left to copy\n";

static const struct {
    const char *word, *usage;
} words[] = {
    [XL_WORD_STATUS] = { "migrate-status", usage_status },
    [XL_WORD_CANCEL] = { "migrate-cancel", usage_cancel },
    [XL_WORD_SET] = { "migrate-set", usage_set },
};

void xl_status_places(struct xl_places *p_r)
{
    *p_r = (struct xl_places){ MEXT_JOURNAL_DIR, MEXT_STEER_DIR,
                               (uint64_t)time(NULL), stdout, stderr };
}

static enum xl_word word_of(const char *text)
{
    enum xl_word w = 0;

    while (w < XL_WORDS && strcmp(words[w].word, text))
        w++;
    return w;
}

bool xl_status_word(const char *word)
{
    return word_of(word) < XL_WORDS;
}

/* ---- arguments ---- */

enum {
    O_JSON = 256,
    O_ALL,
    O_WATCH,
    O_DOWNTIME,
    O_ITERATIONS,
    O_RATE,
    O_TIMEOUT,
    O_NOW
};

static const struct option options[XL_WORDS][7] = {
    [XL_WORD_STATUS] = { { "json", no_argument, NULL, O_JSON },
                         { "all", no_argument, NULL, O_ALL },
                         { "watch", no_argument, NULL, O_WATCH },
                         { "help", no_argument, NULL, 'h' },
                         { 0 } },
    [XL_WORD_CANCEL] = { { "json", no_argument, NULL, O_JSON },
                         { "help", no_argument, NULL, 'h' },
                         { 0 } },
    [XL_WORD_SET] = { { "downtime", required_argument, NULL, O_DOWNTIME },
                      { "iterations", required_argument, NULL, O_ITERATIONS },
                      { "bandwidth", required_argument, NULL, O_RATE },
                      { "timeout", required_argument, NULL, O_TIMEOUT },
                      { "switch-over", no_argument, NULL, O_NOW },
                      { "help", no_argument, NULL, 'h' },
                      { 0 } },
};

static int take_limit(struct xl_run *r, int c)
{
    unsigned long n = 0;

    r->set = true;
    switch (c) {
    case O_DOWNTIME:
        if (xl_number(r->p->err, optarg, 1, MEXT_MONITOR_DOWNTIME_MAX, &n))
            return -1;
        r->wishes.downtime_ms = (unsigned)n;
        return 0;
    case O_ITERATIONS:
        if (xl_number(r->p->err, optarg, 1, MEXT_MONITOR_ITERATIONS_MAX, &n))
            return -1;
        r->wishes.iterations = (unsigned)n;
        return 0;
    case O_RATE:
        if (xl_rate(r->p->err, optarg, &r->wishes.bytes_per_s))
            return -1;
        if (!r->wishes.bytes_per_s)
            r->wishes.bytes_per_s = UINT64_MAX;
        return 0;
    case O_TIMEOUT:
        if (xl_number(r->p->err, optarg, 0, MEXT_MONITOR_TIMEOUT_MAX / 1000,
                      &n))
            return -1;
        r->wishes.timeout_ms = n ? n * 1000 : UINT64_MAX;
        return 0;
    case O_NOW:
        r->wishes.switch_over = true;
        return 0;
    default:
        return -1;
    }
}

static int take(struct xl_run *r, int c)
{
    switch (c) {
    case 'h':
        r->help = true;
        return 0;
    case O_JSON:
        r->json = true;
        return 0;
    case O_ALL:
        r->all = true;
        return 0;
    case O_WATCH:
        r->watch = true;
        return 0;
    default:
        return take_limit(r, c);
    }
}

/* getopt's own words would go past p->err. */
static int wrong(struct xl_run *r, const char *text)
{
    fprintf(r->p->err, "xl %s: %s\n%s", words[r->word].word, text,
            words[r->word].usage);
    return -1;
}

static int parse(struct xl_run *r, int argc, char **argv)
{
    int c, names;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options[r->word], NULL)) != -1) {
        if (c == '?')
            return wrong(r, "there is no such option, or it needs a value");
        if (take(r, c))
            return -1;
    }
    if (r->help)
        return 0;
    names = argc - optind;
    if (names > 1 || (!names && (r->word != XL_WORD_STATUS || r->watch)))
        return wrong(r, "one DOMAIN or ID is to be named");
    if (r->word == XL_WORD_SET && !r->set)
        return wrong(r, "nothing is to be set");
    if (r->watch && r->all)
        return wrong(r, "--watch is for one, --all for many");
    r->name = names ? argv[optind] : NULL;
    return 0;
}

/* ---- what there is ---- */

static bool first_line(void *arg, const char *line, size_t n)
{
    struct xl_seen *m = arg;
    struct mext_why why;

    m->live = !mext_monitor_parse(line, n, &m->now, &why) && !m->now.answer;
    return true;
}

static void look(struct xl_run *r, struct xl_seen *m)
{
    struct mext_why why;

    if (m->alive)
        mext_steer_ask(r->p->sockets, m->e.id, m->e.side, NULL, LOOK_MS,
                       first_line, m, &why);
}

static bool on_entry(void *arg, const struct mext_entry *e, bool alive)
{
    struct xl_run *r = arg;
    struct xl_seen *more = reallocarray(r->seen, r->n + 1, sizeof(*r->seen));

    if (!more)
        return true;
    r->seen = more;
    r->seen[r->n] = (struct xl_seen){ .e = *e, .alive = alive };
    r->n++;
    return false;
}

int xl_run_read(struct xl_run *r)
{
    struct mext_why why;

    r->n = 0;
    if (!mext_journal_each(r->p->journal, on_entry, r, &why))
        return 0;
    fprintf(r->p->err, "xl: %s\n", why.text);
    return -1;
}

static bool recent(const struct xl_run *r, const struct xl_seen *m)
{
    return r->all || m->alive || !mext_noted_final(m->e.noted) ||
           m->e.changed + RECENT_S > r->p->now;
}

/* ---- the one that is named ---- */

static bool has_name(const struct xl_seen *m, const char *name)
{
    return !strcmp(m->e.name, name);
}

static bool has_number(const struct xl_seen *m, const char *name)
{
    char digits[16];

    snprintf(digits, sizeof(digits), "%u", m->e.domid);
    return m->alive && m->e.domid && !strcmp(digits, name);
}

bool xl_has_id(const struct mext_entry *e, const char *name)
{
    char id[2 * MEXT_ID_LEN + 1];
    size_t n = strlen(name);

    sodium_bin2hex(id, sizeof(id), e->id, MEXT_ID_LEN);
    return n >= ID_MIN && n < sizeof(id) && !strncasecmp(id, name, n);
}

static bool has_id(const struct xl_seen *m, const char *name)
{
    return xl_has_id(&m->e, name);
}

/* Better to act on: one under way, then one unfinished, then the newest. */
static int rank(const struct xl_seen *m)
{
    return m->alive ? 2 : !mext_noted_final(m->e.noted);
}

typedef bool matches_fn(const struct xl_seen *m, const char *name);

/* The best of those that match; *many_r: they are of several migrations. */
static struct xl_seen *best(struct xl_run *r, matches_fn *matches, bool *many_r)
{
    struct xl_seen *b = NULL;

    *many_r = false;
    for (size_t i = r->n; i > 0; i--) {
        struct xl_seen *m = &r->seen[i - 1];

        if (!matches(m, r->name))
            continue;
        *many_r |= b && memcmp(b->e.id, m->e.id, MEXT_ID_LEN);
        if (!b || rank(m) > rank(b))
            b = m;
    }
    return b;
}

struct xl_seen *xl_run_find(struct xl_run *r)
{
    struct xl_seen *m;
    bool many;

    m = best(r, has_name, &many);
    if (!m)
        m = best(r, has_number, &many);
    if (m)
        return m;
    m = best(r, has_id, &many);
    if (m && !many)
        return m;
    fprintf(r->p->err,
            many ? XL_SEVERAL : "xl: there is no migration %s on this host\n",
            r->name);
    return NULL;
}

/* ---- migrate-status ---- */

static int show(struct xl_run *r, struct xl_seen *m, size_t n, bool one)
{
    for (size_t i = 0; i < n; i++)
        look(r, &m[i]);
    if (r->json)
        xl_view_json(r->p->out, m, n);
    else if (one)
        xl_view_one(r->p->out, m, r->p->now);
    else
        xl_view_table(r->p->out, m, n, r->p->now);
    return 0;
}

/* Those to be listed move to the front, the newest first. */
static int list(struct xl_run *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (recent(r, &r->seen[i]) &&
            (!r->name || has_name(&r->seen[i], r->name)))
            r->seen[n++] = r->seen[i];
    for (size_t i = 0; i < n / 2; i++) {
        struct xl_seen m = r->seen[i];

        r->seen[i] = r->seen[n - 1 - i];
        r->seen[n - 1 - i] = m;
    }
    return show(r, r->seen, n, false);
}

static bool watch_line(void *arg, const char *line, size_t n)
{
    struct xl_run *r = arg;
    struct mext_monitor_line l;
    struct mext_why why;

    if (mext_monitor_parse(line, n, &l, &why) || l.answer)
        return true;
    if (r->json)
        fprintf(r->p->out, "%.*s", (int)n, line);
    else
        xl_view_progress(r->p->out, &l);
    fputc('\n', r->p->out);
    fflush(r->p->out);
    return l.last;
}

static int watch(struct xl_run *r, struct xl_seen *m)
{
    struct mext_why why;

    if (!r->json)
        show(r, m, 1, true);
    else if (!m->alive)
        xl_view_last(r->p->out, m);
    fflush(r->p->out);
    if (m->alive && mext_steer_ask(r->p->sockets, m->e.id, m->e.side, NULL,
                                   INT_MAX, watch_line, r, &why)) {
        fprintf(r->p->err, "xl: %s\n", why.text);
        return 1;
    }
    return 0;
}

static int status(struct xl_run *r)
{
    struct xl_seen *m;
    bool many;

    if (!r->name || (r->all && best(r, has_name, &many)))
        return list(r);
    m = xl_run_find(r);
    if (!m)
        return 1;
    return r->watch ? watch(r, m) : show(r, m, 1, true);
}

/* ---- the words ---- */

static int act(struct xl_run *r)
{
    switch (r->word) {
    case XL_WORD_CANCEL:
        return xl_run_cancel(r);
    case XL_WORD_SET:
        return xl_run_set(r);
    default:
        return status(r);
    }
}

int xl_status_run(const struct xl_places *p, int argc, char **argv)
{
    struct xl_run r = { .p = p, .word = word_of(argv[0]) };
    int rc;

    if (parse(&r, argc, argv))
        return EXIT_USAGE;
    if (r.help) {
        fputs(words[r.word].usage, p->out);
        return 0;
    }
    rc = xl_run_read(&r) ? 1 : act(&r);
    free(r.seen);
    return rc;
}
