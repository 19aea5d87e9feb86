/* SPDX-License-Identifier: LGPL-2.1-only */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mext_crypto.h"
#include "mext_resolve.h"
#include "xl_resolve.h"
#include "xl_status_run.h"

#define EXIT_USAGE  2
#define AT_ONCE     256
#define PATIENCE_MS 10000

const char xl_resolve_help[] =
    " migrate-resolve        Ends migrations from here that were broken off\n";

static const char usage[] =
    "Usage: xl migrate-resolve [DOMAIN|ID]\n"
    "       xl migrate-resolve --here|--there DOMAIN|ID\n"
    "\n"
    "Brings migrations from this host to their end whose xl died, or did not\n"
    "learn whether the guest runs at the destination: puts the guest back as it\n"
    "was, or asks the destination and acts on its word. Without a name: all.\n"
    "\n"
    "  --here       if the destination has no word: the guest shall run here;\n"
    "               first see that it has no domain there, running or paused\n"
    "  --there      the same: it runs there, the copy here goes\n"
    "  --keys DIR   (default /etc/xen/packetd)\n"
    "  -h, --help   this text\n"
    "\n"
    "ID: the first digits of it, at least 4, as xl migrate-status shows them.\n"
    "Exit status: 0 all of them are over; 1 one is not; 2 usage.\n";

struct wanted {
    const char *name; /* NULL: all */
    bool by_id;       /* name is that of a migration, not of a guest */
    struct mext_entry e[AT_ONCE];
    unsigned n;
};

static bool collect(void *arg, const struct mext_entry *e, bool alive)
{
    struct wanted *w = arg;
    bool named = !w->name ||
                 (w->by_id ? xl_has_id(e, w->name) : !strcmp(e->name, w->name));

    if (named && e->side == MEXT_SIDE_SOURCE && !mext_noted_final(e->noted))
        w->e[w->n++] = *e;
    return w->n == AT_ONCE;
}

/* Those of a guest, or one by its id. */
static int find(const char *dir, struct wanted *w, struct mext_why *why)
{
    if (mext_journal_each(dir, collect, w, why))
        return -1;
    w->by_id = w->name && !w->n;
    return w->by_id ? mext_journal_each(dir, collect, w, why) : 0;
}

static void say(void *arg, const char *text)
{
    fprintf(stderr, "source: %s\n", text);
}

static int resolve(const struct mext_resolver *r, const struct mext_entry *e)
{
    struct mext_why why;
    unsigned state;
    int rc = mext_resolve(r, e->id, &state, &why);

    if (rc > 0)
        fprintf(stderr,
                "source: the migration of %s to %s is under way: xl "
                "migrate-status, xl migrate-cancel\n",
                e->name, e->host);
    else if (rc < 0)
        fprintf(stderr, "source: %s: %s\n", e->name, why.text);
    else if (state == MEXT_SRC_DONE)
        printf("%s runs on %s\n", e->name, e->host);
    else
        printf("%s runs here as before\n", e->name);
    return rc;
}

/* Nothing is noted by that name: only the operator's word counts then. */
static int unnoted(const struct mext_resolver *r, const char *name)
{
    struct mext_entry e;
    struct mext_why why;
    int rc = -1;

    if (!name) {
        printf("no migration from here is broken off\n");
        return 0;
    }
    if (r->verdict != MEXT_VERDICT_HERE)
        mext_fail(&why,
                  "no migration of \"%.60s\" from here is broken off (xl "
                  "migrate-status --all)",
                  name);
    else
        rc = mext_resume_here(r, name, &e, &why);
    if (rc > 0)
        return resolve(r, &e) != 0;
    if (rc == 0) {
        printf("%s runs here\n", name);
        return 0;
    }
    fprintf(stderr, "source: %s\n", why.text);
    return 1;
}

static int run(struct mext_resolver *r, const char *name, unsigned verbosity)
{
    static struct wanted w;
    struct mext_why why;
    int rc = 0;

    w.name = name;
    if (find(r->dir, &w, &why) || mext_lxl_open(verbosity, &r->lxl, &why)) {
        fprintf(stderr, "source: %s\n", why.text);
        return 1;
    }
    if (!w.n)
        rc = unnoted(r, name);
    if (w.by_id && w.n > 1) {
        fprintf(stderr, XL_SEVERAL, name);
        w.n = 0;
        rc = 1;
    }
    for (unsigned i = 0; i < w.n; i++)
        rc |= resolve(r, &w.e[i]) != 0;
    mext_lxl_close(r->lxl);
    return rc;
}

int xl_resolve_run(int argc, char **argv, unsigned verbosity)
{
    static const struct option options[] = {
        { "here", no_argument, NULL, 'H' },
        { "there", no_argument, NULL, 'T' },
        { "keys", required_argument, NULL, 'k' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct mext_resolver r = { .dir = MEXT_JOURNAL_DIR,
                               .keys_dir = mext_keys_dir(),
                               .patience_ms = PATIENCE_MS,
                               .say = say };
    int c;

    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if (c == 'h') {
            fputs(usage, stdout);
            return 0;
        } else if (c == 'k') {
            r.keys_dir = optarg;
        } else if ((c == 'H' || c == 'T') && !r.verdict) {
            r.verdict = c == 'H' ? MEXT_VERDICT_HERE : MEXT_VERDICT_THERE;
        } else {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    if (argc - optind > 1 || (r.verdict && argc == optind)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (mext_crypto_init()) {
        fprintf(stderr, "source: libsodium cannot be initialised\n");
        return 1;
    }
    return run(&r, argv[optind], verbosity);
}
