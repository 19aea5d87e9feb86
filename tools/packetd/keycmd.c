/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>

#include "fetch.h"
#include "keycmd.h"
#include "mext_keys.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* Options that only some words take, as bits. */
enum {
    NEXT = 1,
    FINISH = 2,
    ALSO = 4,
    NAME = 8,
    FINGERPRINT = 16,
    YES = 32,
    HELP = 64,
};

/* A word's arguments, options taken out. */
struct args {
    const char *dir, *name, *fingerprint;
    unsigned given; /* bits of the options */
    int n;
    char **v;
};

struct word {
    const char *name;
    int min, max;     /* arguments */
    unsigned options; /* bits of those it takes, apart from HELP */
    int (*run)(const struct args *a); /* NULL: has words of its own */
    const char *usage;                /* behind "packetd " */
    const char *help;
};

static int failed(const struct mext_why *why)
{
    fprintf(stderr, "packetd: %s\n", why->text);
    return FAILED;
}

/* A full disk must not look like success. */
static int printed(void)
{
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "packetd: cannot write to standard output: %s\n",
                strerror(errno));
        return FAILED;
    }
    return DONE;
}

static void print_fingerprint(const uint8_t pk[MEXT_KEY_LEN])
{
    char text[MEXT_FINGERPRINT_LEN];

    mext_fingerprint(pk, text);
    puts(text);
}

/* Of host.key, or of next.key. */
static int load_public(const char *dir, bool next, uint8_t pk_r[MEXT_KEY_LEN])
{
    struct mext_identities ids;
    struct mext_why why;
    int rc = DONE;

    if (mext_identities_load(dir, &ids, &why))
        return failed(&why);
    if (next && ids.ntold < 2) {
        fprintf(stderr,
                "packetd: %s holds no next.key: packetd genkey --next\n", dir);
        rc = FAILED;
    } else {
        memcpy(pk_r, ids.id[next].pk, MEXT_KEY_LEN);
    }
    sodium_memzero(&ids, sizeof(ids));
    return rc;
}

static int cmd_pubkey(const struct args *a)
{
    char text[MEXT_KEY_TEXT_LEN];
    uint8_t pk[MEXT_KEY_LEN];

    if (load_public(a->dir, a->given & NEXT, pk))
        return FAILED;
    mext_key_text(pk, text);
    puts(text);
    return printed();
}

static int cmd_genkey(const struct args *a)
{
    struct mext_why why;

    if (mext_identity_create(a->dir, a->given & NEXT, &why))
        return failed(&why);
    return cmd_pubkey(a);
}

static int cmd_fingerprint(const struct args *a)
{
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_trusted t;
    struct mext_why why;

    if (!a->n) {
        if (load_public(a->dir, a->given & NEXT, pk))
            return FAILED;
        print_fingerprint(pk);
        return printed();
    }
    if (mext_trust_find(a->dir, a->v[0], &t, &why))
        return failed(&why);
    for (unsigned i = 0; i < t.n; i++)
        print_fingerprint(t.key[i]);
    return printed();
}

static int cmd_rotate(const struct args *a)
{
    struct mext_why why;

    if (a->given & FINISH ? mext_identity_finish(a->dir, &why)
                          : mext_identity_rotate(a->dir, &why))
        return failed(&why);
    return DONE;
}

/* ---- trust ---- */

static void list_one(void *arg, const char *name,
                     const uint8_t pk[MEXT_KEY_LEN])
{
    char text[MEXT_KEY_TEXT_LEN];

    mext_key_text(pk, text);
    printf("%s\t%s\n", name, text);
}

static int cmd_trust_list(const struct args *a)
{
    struct mext_why why;

    mext_trust_each(a->dir, list_one, NULL);
    if (printed())
        return FAILED;
    return mext_trust_check(a->dir, &why) ? failed(&why) : DONE;
}

/* The key argument, or all of standard input for "-". */
static int read_key(const char *text, uint8_t pk_r[MEXT_KEY_LEN])
{
    char buf[129];
    size_t n;

    if (!strcmp(text, "-")) {
        n = fread(buf, 1, sizeof(buf), stdin);
        if (n == sizeof(buf) || memchr(buf, 0, n))
            n = 0;
        buf[n] = 0;
        text = buf;
    }
    if (!mext_key_parse(text, pk_r))
        return DONE;
    fprintf(stderr,
            "packetd: the key is not 32 octets in base64: take the line that "
            "'packetd pubkey' prints on the other host\n");
    return FAILED;
}

static int cmd_trust_add(const struct args *a)
{
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_why why;

    if (read_key(a->v[1], pk))
        return FAILED;
    if (mext_trust_add(a->dir, a->v[0], pk, a->given & ALSO, &why))
        return failed(&why);
    return DONE;
}

static int cmd_trust_remove(const struct args *a)
{
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_why why;

    if (a->n > 1 && read_key(a->v[1], pk))
        return FAILED;
    if (mext_trust_remove(a->dir, a->v[0], a->n > 1 ? pk : NULL, &why))
        return failed(&why);
    return DONE;
}

static int cmd_trust_fetch(const struct args *a)
{
    const struct packetd_fetch f = {
        .dir = a->dir,
        .host = a->v[0],
        .name = a->name,
        .fingerprint = a->fingerprint,
        .yes = a->given & YES,
    };
    int rc = packetd_fetch(&f);

    return rc ? rc : printed();
}

/* ---- words ---- */

static const struct word trust_words[] = {
    { "list", 0, 0, 0, cmd_trust_list, "trust list [--dir DIR]",
      "Prints the trusted keys: a name, a tab and a public key a line." },
    { "add", 2, 2, ALSO, cmd_trust_add,
      "trust add NAME KEY|- [--also] [--dir DIR]",
      "Trusts KEY (-: read from standard input) under NAME: it may send what\n"
      "packetd.conf accepts from NAME, and as a destination NAME must prove to\n"
      "own it.\n\n"
      "  --also      beside the keys that NAME has, up to 4 in all" },
    { "remove", 1, 2, 0, cmd_trust_remove,
      "trust remove NAME [KEY|-] [--dir DIR]",
      "Trusts one key of NAME, or all of them, no longer." },
    { "fetch", 1, 1, NAME | FINGERPRINT | YES, cmd_trust_fetch,
      "trust fetch HOST[:PORT] [OPTION]...",
      "Asks packetd on HOST for its keys, shows their fingerprints, and trusts\n"
      "them as 'packetd trust add' does if you agree.\n\n"
      "  --name NAME        trusts them under NAME (default: HOST)\n"
      "  --fingerprint FP   does not ask: the first new key must have this one\n"
      "  --yes              does not ask: trusts whoever answers" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static const struct word words[] = {
    { "genkey", 0, 0, NEXT, cmd_genkey, "genkey [--next] [--dir DIR]",
      "Creates this host's key and prints the public half; never overwrites.\n\n"
      "  --next      the key that 'packetd rotate' will make the host's" },
    { "pubkey", 0, 0, NEXT, cmd_pubkey, "pubkey [--next] [--dir DIR]",
      "Prints this host's public key, for 'packetd trust add' elsewhere.\n\n"
      "  --next      that of the next key" },
    { "fingerprint", 0, 1, NEXT, cmd_fingerprint,
      "fingerprint [NAME|--next] [--dir DIR]",
      "Prints a short digest of this host's key, or of each of NAME's, to\n"
      "compare by eye or telephone.\n\n"
      "  --next      that of this host's next key" },
    { "rotate", 0, 0, FINISH, cmd_rotate, "rotate [--finish] [--dir DIR]",
      "Makes the next key this host's, and keeps the old one for tokens that\n"
      "name it.\n\n"
      "  --finish    removes the old key" },
    { "trust", 0, 0, 0, NULL, "trust list|add|remove|fetch ... [--dir DIR]",
      "Lists and changes the hosts that are trusted." },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static const struct word *find(const struct word *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

static void print_usage(FILE *f, const struct word *w)
{
    fprintf(f, "Usage: packetd %s\n", w->usage);
}

static int print_help(const struct word *w)
{
    print_usage(stdout, w);
    printf("\n%s\n\n"
           "  --dir DIR   folder of the keys (default: %s)\n"
           "  -h, --help  this text\n",
           w->help, mext_keys_dir());
    return printed();
}

/* Takes the options out of argv; -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct args *a)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 0 },
        { "help", no_argument, NULL, HELP },
        { "next", no_argument, NULL, NEXT },
        { "finish", no_argument, NULL, FINISH },
        { "also", no_argument, NULL, ALSO },
        { "name", required_argument, NULL, NAME },
        { "fingerprint", required_argument, NULL, FINGERPRINT },
        { "yes", no_argument, NULL, YES },
        { NULL, 0, NULL, 0 },
    };
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == '?')
            return USAGE;
        if (c == 'h')
            c = HELP;
        a->given |= (unsigned)c;
        if (!c)
            a->dir = optarg;
        else if (c == NAME)
            a->name = optarg;
        else if (c == FINGERPRINT)
            a->fingerprint = optarg;
    }
    a->n = argc - optind;
    a->v = argv + optind;
    return -1;
}

/* Number of arguments and options as the word takes them. */
static bool fits(const struct word *w, const struct args *a)
{
    return w->run && a->n >= w->min && a->n <= w->max &&
           !(a->given & ~w->options) &&
           !(a->n && a->given & NEXT); /* fingerprint: the one or the other */
}

int packetd_keycmd(int argc, char **argv)
{
    struct args a = { .dir = mext_keys_dir() };
    const struct word *w = argc > 0 ? find(words, argv[0]) : NULL, *sub;
    int rc;

    if (!w)
        return -1;
    rc = parse_options(argc, argv, &a);
    if (rc < 0 && !w->run && a.n && (sub = find(trust_words, a.v[0]))) {
        w = sub;
        a.n--;
        a.v++;
    }
    if (rc < 0 && a.given & HELP)
        return print_help(w);
    if (rc >= 0 || !fits(w, &a)) {
        print_usage(stderr, w);
        return USAGE;
    }
    return w->run(&a);
}
