/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sodium.h>

#include "keycmd.h"
#include "mext_keys.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* A word's arguments, options taken out. */
struct args {
    const char *dir;
    int n;
    char **v;
};

struct word {
    const char *name;
    int min, max;                     /* arguments */
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

static int print_key(const uint8_t pk[MEXT_KEY_LEN])
{
    char text[MEXT_KEY_TEXT_LEN];

    mext_key_text(pk, text);
    puts(text);
    return printed();
}

static int load_public(const char *dir, uint8_t pk_r[MEXT_KEY_LEN])
{
    struct mext_identity id;
    struct mext_why why;

    if (mext_identity_load(dir, &id, &why))
        return failed(&why);
    memcpy(pk_r, id.pk, MEXT_KEY_LEN);
    sodium_memzero(&id, sizeof(id));
    return DONE;
}

static int cmd_pubkey(const struct args *a)
{
    uint8_t pk[MEXT_KEY_LEN];
    int rc = load_public(a->dir, pk);

    return rc ? rc : print_key(pk);
}

static int cmd_genkey(const struct args *a)
{
    char path[4096];
    struct mext_why why;
    struct stat st;

    if (snprintf(path, sizeof(path), "%s/host.key", a->dir) <
            (int)sizeof(path) &&
        !lstat(path, &st)) {
        fprintf(stderr,
                "packetd: %s exists and is not overwritten: "
                "'packetd pubkey' prints its public key; to replace it, move "
                "it away first\n",
                path);
        return FAILED;
    }
    if (mext_identity_create(a->dir, &why))
        return failed(&why);
    return cmd_pubkey(a);
}

static int cmd_fingerprint(const struct args *a)
{
    uint8_t pk[MEXT_KEY_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_why why;

    if (!a->n) {
        int rc = load_public(a->dir, pk);

        if (rc)
            return rc;
    } else if (mext_trust_find(a->dir, a->v[0], pk, &why)) {
        return failed(&why);
    }
    mext_digest(pk, sizeof(pk), digest);
    for (unsigned i = 0; i < 16; i++)
        printf("%s%02x", i && i % 2 == 0 ? "-" : "", digest[i]);
    putchar('\n');
    return printed();
}

static void list_one(void *arg, const char *name,
                     const uint8_t pk[MEXT_KEY_LEN])
{
    char text[MEXT_KEY_TEXT_LEN];

    mext_key_text(pk, text);
    printf("%s\t%s\n", name, text);
}

static int cmd_trust_list(const struct args *a)
{
    mext_trust_each(a->dir, list_one, NULL);
    return printed();
}

/* The key argument, or all of standard input for "-". */
static int read_key(const char *text, uint8_t pk_r[MEXT_KEY_LEN])
{
    char buf[129];
    size_t n;

    if (!strcmp(text, "-")) {
        n = fread(buf, 1, sizeof(buf), stdin);
        if (n == sizeof(buf) || memchr(buf, 0, n))
            return MEXT_ERR_FORMAT;
        buf[n] = 0;
        text = buf;
    }
    return mext_key_parse(text, pk_r);
}

static int cmd_trust_add(const struct args *a)
{
    uint8_t pk[MEXT_KEY_LEN];
    struct mext_why why;

    if (read_key(a->v[1], pk)) {
        fprintf(stderr,
                "packetd: the key is not 32 octets in base64: take "
                "the line that 'packetd pubkey' prints on the other host\n");
        return FAILED;
    }
    if (mext_trust_add(a->dir, a->v[0], pk, &why))
        return failed(&why);
    return DONE;
}

static int cmd_trust_remove(const struct args *a)
{
    struct mext_why why;

    if (mext_trust_remove(a->dir, a->v[0], &why))
        return failed(&why);
    return DONE;
}

static const struct word trust_words[] = {
    { "list", 0, 0, cmd_trust_list, "trust list [--dir DIR]",
      "Prints the trusted hosts: a name, a tab and the public key a line." },
    { "add", 2, 2, cmd_trust_add, "trust add NAME KEY|- [--dir DIR]",
      "Trusts KEY (-: read from standard input) under NAME: it may send\n"
      "domains here, and as a destination NAME must prove to own it." },
    { "remove", 1, 1, cmd_trust_remove, "trust remove NAME [--dir DIR]",
      "Trusts the key under NAME no longer." },
    { NULL, 0, 0, NULL, NULL, NULL },
};

static const struct word words[] = {
    { "genkey", 0, 0, cmd_genkey, "genkey [--dir DIR]",
      "Creates this host's key and prints the public half; never overwrites." },
    { "pubkey", 0, 0, cmd_pubkey, "pubkey [--dir DIR]",
      "Prints this host's public key, for 'packetd trust add' elsewhere." },
    { "fingerprint", 0, 1, cmd_fingerprint, "fingerprint [NAME] [--dir DIR]",
      "Prints a short digest of this host's key, or of NAME's, to compare by\n"
      "eye or telephone." },
    { "trust", 0, 0, NULL, "trust list|add|remove [--dir DIR]",
      "Lists and changes the hosts that are trusted." },
    { NULL, 0, 0, NULL, NULL, NULL },
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
static int parse_options(int argc, char **argv, struct args *a, bool *help)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'd')
            a->dir = optarg;
        else if (c == 'h')
            *help = true;
        else
            return USAGE;
    }
    a->n = argc - optind;
    a->v = argv + optind;
    return -1;
}

int packetd_keycmd(int argc, char **argv)
{
    struct args a = { mext_keys_dir(), 0, NULL };
    const struct word *w = argc > 0 ? find(words, argv[0]) : NULL, *sub;
    bool help = false;
    int rc;

    if (!w)
        return -1;
    rc = parse_options(argc, argv, &a, &help);
    if (rc < 0 && !w->run && a.n && (sub = find(trust_words, a.v[0]))) {
        w = sub;
        a.n--;
        a.v++;
    }
    if (rc < 0 && help)
        return print_help(w);
    if (rc >= 0 || !w->run || a.n < w->min || a.n > w->max) {
        print_usage(stderr, w);
        return USAGE;
    }
    return w->run(&a);
}
