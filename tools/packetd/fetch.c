/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "fetch.h"
#include "mext_net.h"
#include "mext_whois.h"

/* Datagrams get lost. */
#define TRIES     4
#define ANSWER_MS 1500

struct fetch {
    const struct packetd_fetch *want;
    char host[256];
    uint16_t port;
    const char *name;
    struct mext_trusted old; /* keys trusted under the name */
    struct mext_iam iam;     /* keys it has */
    const uint8_t *news[MEXT_IAM_KEYS];
    unsigned n; /* of news */
};

static int failed(const struct mext_why *why)
{
    fprintf(stderr, "packetd: %s\n", why->text);
    return 1;
}

static int ask_once(struct fetch *f, struct mext_why *why)
{
    uint8_t nonce[MEXT_NONCE_LEN], out[MEXT_WHOIS_LEN], in[MEXT_IAM_LEN + 1];
    int n;

    randombytes_buf(nonce, sizeof(nonce));
    mext_whois_make(nonce, out);
    n = mext_net_ask(f->host, f->port, out, sizeof(out), in, sizeof(in),
                     ANSWER_MS, why);
    if (n < 0)
        return -1;
    if (mext_iam_verify(in, (size_t)n, nonce, &f->iam))
        return mext_fail(why,
                         "what answers on %s port %u does not prove that it "
                         "has a key",
                         f->host, f->port);
    return 0;
}

static int ask(struct fetch *f, struct mext_why *why)
{
    struct mext_why last;

    for (unsigned i = 0; i < TRIES; i++)
        if (!ask_once(f, &last))
            return 0;
    return mext_fail(why,
                     "%s; is packetd running there, and UDP port %u open? "
                     "Otherwise packetd trust add",
                     last.text, f->port);
}

/* Which of its keys are not trusted yet.  One that was must be among them. */
static int compare(struct fetch *f, struct mext_why *why)
{
    char had[MEXT_FINGERPRINT_LEN], has[MEXT_FINGERPRINT_LEN];

    for (unsigned i = 0; i < f->iam.n; i++)
        if (!mext_trusted_has(&f->old, f->iam.key[i]))
            f->news[f->n++] = f->iam.key[i];
    if (!f->old.n || !f->n || f->news[0] != f->iam.key[0])
        return 0;
    mext_fingerprint(f->old.key[0], had);
    mext_fingerprint(f->iam.key[0], has);
    return mext_fail(why,
                     "%s is trusted with another key: %s, not %s. Somebody "
                     "may be in between. Compare 'packetd fingerprint' there; "
                     "if it has a new key, packetd trust remove %s, then "
                     "fetch again",
                     f->name, had, has, f->name);
}

/* ---- the operator ---- */

static void show(const struct fetch *f)
{
    char key[MEXT_KEY_TEXT_LEN], print[MEXT_FINGERPRINT_LEN];

    printf("%s port %u:\n", f->host, f->port);
    for (unsigned i = 0; i < f->n; i++) {
        mext_key_text(f->news[i], key);
        mext_fingerprint(f->news[i], print);
        printf("  %s %s\n      fingerprint %s\n",
               f->news[i] == f->iam.key[0] ? "key " : "next", key, print);
    }
}

/* In any case, with or without the hyphens, and white space around. */
static bool same_print(const char *text, const char *print)
{
    while (isspace((unsigned char)*text))
        text++;
    for (; *print; print++) {
        if (*print == '-' && *text != '-')
            continue;
        if (tolower((unsigned char)*text++) != *print)
            return false;
    }
    return !text[strspn(text, " \t\r\n")];
}

static bool ask_operator(const struct fetch *f, const char *print)
{
    char line[256];

    printf("Compare with what 'packetd fingerprint%s' prints there.\n"
           "Trust it as %s (yes, no, or the fingerprint)? ",
           f->news[0] == f->iam.key[0] ? "" : " --next", f->name);
    for (;;) {
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
            return false;
        if (same_print(line, print) || !strcasecmp(line, "yes\n"))
            return true;
        if (!strcasecmp(line, "no\n"))
            return false;
        printf("Please type yes, no, or the fingerprint: ");
    }
}

/* What is agreed to is the first new key; it signed for the other. */
static int agreed(const struct fetch *f, struct mext_why *why)
{
    const struct packetd_fetch *w = f->want;
    char print[MEXT_FINGERPRINT_LEN];

    mext_fingerprint(f->news[0], print);
    if (w->fingerprint && !same_print(w->fingerprint, print))
        return mext_fail(why,
                         "the fingerprint is %s, not %.100s: another host, or "
                         "somebody in between; nothing was trusted",
                         print, w->fingerprint);
    if (w->fingerprint || w->yes)
        return 0;
    if (!isatty(STDIN_FILENO))
        return mext_fail(why, "no terminal to ask on: give the fingerprint "
                              "that 'packetd fingerprint' prints there by "
                              "--fingerprint, or --yes to trust whoever "
                              "answers");
    return ask_operator(f, print) ? 0 : mext_fail(why, "nothing was trusted");
}

/* ---- the whole ---- */

static int run(struct fetch *f, struct mext_why *why)
{
    const struct packetd_fetch *w = f->want;

    if (mext_net_split(w->host, MEXT_CONTROL_PORT, f->host, &f->port, why))
        return -1;
    f->name = w->name ? w->name : f->host;
    if (mext_trust_read(w->dir, f->name, &f->old, why) || ask(f, why) ||
        compare(f, why))
        return -1;
    if (!f->n) {
        printf("%s is trusted already.\n", f->name);
        return 0;
    }
    show(f);
    if (agreed(f, why))
        return -1;
    for (unsigned i = 0; i < f->n; i++)
        if (mext_trust_add(w->dir, f->name, f->news[i], f->old.n + i > 0, why))
            return -1;
    printf("Trusted as %s.\n", f->name);
    return 0;
}

int packetd_fetch(const struct packetd_fetch *want)
{
    struct fetch f = { .want = want };
    struct mext_why why;

    return run(&f, &why) ? failed(&why) : 0;
}
