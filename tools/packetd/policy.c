/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mext_source.h"
#include "policy.h"

#define WORDS_MAX 64 /* of a line */
#define BLANK     " \t\r\n"

#define ALNUM \
    "abcdefghijklmnopqrstuvwxyz" \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
    "0123456789"

const char *const policy_allow_words[] = {
    "backend",    "bootloader",   "coredump", "cpu-features", "cpu-pinning",
    "cpu-weight", "device-model", "dom0",     "image-format", "script",
    "vifname",    "xsm-label",    NULL,
};

/* ---- pieces of a line; an error's text, NULL if there is none ---- */

static bool take_number(const char *text, unsigned long min, unsigned long max,
                        unsigned long *v_r)
{
    char *end;

    errno = 0;
    *v_r = strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *v_r >= min &&
           *v_r <= max;
}

static const char *take_seconds(const char *text, struct policy_rule *r)
{
    unsigned long v = 0;

    r->never = !strcmp(text, "never");
    if (!r->never && !take_number(text, 0, POLICY_SECONDS_MAX, &v))
        return "the last word is neither \"never\" nor seconds, 0 to 31536000";
    r->seconds = (uint32_t)v;
    return NULL;
}

/* A pattern that nothing printable could match is a mistake. */
static const char *take_pattern(const char *text, char *out)
{
    if (strlen(text) > POLICY_PATTERN_MAX)
        return "a pattern is longer than 128 bytes";
    for (const char *c = text; *c; c++)
        if (*c <= 0x20 || *c > 0x7e)
            return "a pattern has a character that is not printable ASCII";
    strcpy(out, text);
    return NULL;
}

static const char *take_migrate(char *const *words, unsigned n, unsigned line,
                                struct policy *p)
{
    struct policy_rule r = { .seconds = 0 };
    const char *error;

    (void)line;
    if (n != 4)
        return "guest-migrate needs GUEST-PATTERN DESTINATION-PATTERN SECONDS";
    if (p->n == POLICY_RULES_MAX)
        return "more than 256 rules";
    error = take_pattern(words[1], r.guest);
    if (!error)
        error = take_pattern(words[2], r.dest);
    if (!error)
        error = take_seconds(words[3], &r);
    if (!error)
        p->rules[p->n++] = r;
    return error;
}

/* ---- options of accept ---- */

static const char *take_memory(const char *text, struct policy_accept *r)
{
    unsigned long v;

    if (r->memory_kib)
        return "memory= stands there twice";
    if (!take_number(text, MEXT_MEMORY_KIB_MIN >> 10, MEXT_MEMORY_KIB_MAX >> 10,
                     &v))
        return "memory= is in MiB, 4 to 1048576";
    r->memory_kib = (uint64_t)v << 10;
    return NULL;
}

static const char *take_vcpus(const char *text, struct policy_accept *r)
{
    unsigned long v;

    if (r->vcpus)
        return "vcpus= stands there twice";
    if (!take_number(text, 1, MEXT_VCPUS_MAX, &v))
        return "vcpus= is 1 to 128";
    r->vcpus = (unsigned)v;
    return NULL;
}

static const char *take_guests(const char *text, struct policy_accept *r)
{
    unsigned long v;

    if (r->guests)
        return "guests= stands there twice";
    if (!take_number(text, 1, POLICY_GUESTS_MAX, &v))
        return "guests= is 1 to 65535";
    r->guests = (unsigned)v;
    return NULL;
}

static const char *take_prefix(const char *text, struct policy_prefixes *p)
{
    if (!policy_path_plain(text, true))
        return "disk= and file= are absolute paths of at most 255 bytes, "
               "letters, digits and ._+:@%=~-, without // . and ..";
    if (p->n == POLICY_PREFIXES_MAX)
        return "more than 8 disk= or file=";
    strcpy(p->text[p->n++], text);
    return NULL;
}

static const char *take_disk(const char *text, struct policy_accept *r)
{
    return take_prefix(text, &r->disks);
}

static const char *take_file(const char *text, struct policy_accept *r)
{
    return take_prefix(text, &r->files);
}

/* VLAN[-VLAN] */
static bool take_vlans(const char *text, struct policy_bridge *b)
{
    char first[8];
    size_t n = strcspn(text, "-");
    unsigned long from, to;

    if (n >= sizeof(first))
        return false;
    memcpy(first, text, n);
    first[n] = 0;
    if (!take_number(first, 1, POLICY_VLAN_MAX, &from))
        return false;
    to = from;
    if (text[n] && !take_number(text + n + 1, from, POLICY_VLAN_MAX, &to))
        return false;
    b->first = (unsigned)from;
    b->last = (unsigned)to;
    return true;
}

static const char *take_bridge(const char *text, struct policy_accept *r)
{
    struct policy_bridge b = { .first = 0 };
    const char *dot = strrchr(text, '.');
    size_t n = strlen(text);

    if (r->nbridges == POLICY_BRIDGES_MAX)
        return "more than 16 bridge=";
    if (dot && dot[1] >= '0' && dot[1] <= '9') {
        if (!take_vlans(dot + 1, &b))
            return "VLANs of bridge= are 1 to 4094, VLAN or VLAN-VLAN";
        n = (size_t)(dot - text);
    }
    if (n < 1 || n > POLICY_BRIDGE_MAX || text[0] == '-' || text[0] == '.' ||
        strspn(text, ALNUM "._-") < n)
        return "bridge= is the name of a bridge, at most 15 bytes";
    memcpy(b.name, text, n);
    r->bridges[r->nbridges++] = b;
    return NULL;
}

/* A or A-B */
static const char *take_address(const char *text, struct policy_accept *r)
{
    static const char bad[] = "address= is an IPv4 address, or two as in "
                              "192.0.2.10-192.0.2.19";
    char first[INET_ADDRSTRLEN];
    size_t n = strcspn(text, "-");
    struct in_addr a, b;

    if (r->nranges == POLICY_RANGES_MAX)
        return "more than 8 address=";
    if (n >= sizeof(first))
        return bad;
    memcpy(first, text, n);
    first[n] = 0;
    if (inet_pton(AF_INET, first, &a) != 1)
        return bad;
    b = a;
    if (text[n] && inet_pton(AF_INET, text + n + 1, &b) != 1)
        return bad;
    if (!a.s_addr || ntohl(b.s_addr) < ntohl(a.s_addr))
        return bad;
    r->ranges[r->nranges++] = (struct policy_range){ ntohl(a.s_addr),
                                                     ntohl(b.s_addr) };
    return NULL;
}

static bool take_allow_word(const char *word, size_t len, unsigned *allow)
{
    for (unsigned i = 0; policy_allow_words[i]; i++)
        if (strlen(policy_allow_words[i]) == len &&
            !memcmp(policy_allow_words[i], word, len)) {
            *allow |= 1U << i;
            return true;
        }
    return false;
}

static const char *take_allow(const char *text, struct policy_accept *r)
{
    size_t n;

    do {
        n = strcspn(text, ",");
        if (!take_allow_word(text, n, &r->allow))
            return "allow= has an unknown word: see packetd.conf(5)";
        text += n + 1;
    } while (text[-1]);
    return NULL;
}

static const char *take_option(const char *word, struct policy_accept *r)
{
    static const struct {
        const char *name;
        const char *(*take)(const char *text, struct policy_accept *r);
    } options[] = {
        { "memory=", take_memory }, { "vcpus=", take_vcpus },
        { "guests=", take_guests }, { "disk=", take_disk },
        { "bridge=", take_bridge }, { "file=", take_file },
        { "allow=", take_allow },   { "address=", take_address },
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        size_t n = strlen(options[i].name);

        if (!strncmp(word, options[i].name, n))
            return options[i].take(word + n, r);
    }
    return "unknown option: memory=, vcpus=, guests=, disk=, bridge=, file=, "
           "address= and allow= are known";
}

static const char *take_accept(char *const *words, unsigned n, unsigned line,
                               struct policy *p)
{
    struct policy_accept *r = &p->accepts[p->naccepts];
    const char *error;

    if (n < 3)
        return "accept needs KEY-PATTERN GUEST-PATTERN";
    if (p->naccepts == POLICY_RULES_MAX)
        return "more than 256 rules";
    memset(r, 0, sizeof(*r));
    r->line = line;
    error = take_pattern(words[1], r->key);
    if (!error)
        error = take_pattern(words[2], r->guest);
    for (unsigned i = 3; i < n && !error; i++)
        error = take_option(words[i], r);
    if (!error)
        p->naccepts++;
    return error;
}

/* ---- lines and files ---- */

static const char *take_line(char *text, unsigned line, struct policy *p)
{
    char *words[WORDS_MAX], *save = NULL;
    unsigned n = 0;

    text[strcspn(text, "#")] = 0;
    for (char *w = strtok_r(text, BLANK, &save); w;
         w = strtok_r(NULL, BLANK, &save), n++)
        if (n < WORDS_MAX)
            words[n] = w;
    if (!n)
        return NULL;
    if (n > WORDS_MAX)
        return "more than 64 words";
    if (!strcmp(words[0], "guest-migrate"))
        return take_migrate(words, n, line, p);
    if (!strcmp(words[0], "accept"))
        return take_accept(words, n, line, p);
    return "unknown word, only \"accept\" and \"guest-migrate\" are known";
}

/* Who may write the file decides where guests go, and who sends them here. */
static const char *file_error(FILE *f)
{
    struct stat st;

    if (fstat(fileno(f), &st))
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a file";
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return "others may write it: chmod go-w";
    return NULL;
}

unsigned policy_parse(FILE *f, struct policy *p_r, policy_error_fn *error,
                      void *arg)
{
    unsigned n = 0, errors = 0;
    size_t room = 0;
    char *line = NULL;
    ssize_t len;

    p_r->n = p_r->naccepts = 0;
    while ((len = getline(&line, &room, f)) > 0) {
        const char *text;

        n++;
        len -= line[len - 1] == '\n';
        if (len > POLICY_LINE_MAX)
            text = "longer than 4094 bytes";
        else if (memchr(line, 0, (size_t)len))
            text = "has a byte that is zero";
        else
            text = take_line(line, n, p_r);
        if (text) {
            error(arg, n, text);
            errors++;
        }
    }
    if (!feof(f)) {
        error(arg, 0, "cannot be read");
        errors++;
    }
    free(line);
    return errors;
}

unsigned policy_read(const char *path, struct policy *p_r,
                     policy_error_fn *error, void *arg)
{
    FILE *f = fopen(path, "re");
    const char *text;
    unsigned errors;

    p_r->n = p_r->naccepts = 0;
    if (!f && errno == ENOENT)
        return 0;
    text = f ? file_error(f) : strerror(errno);
    if (text)
        error(arg, 0, text);
    errors = text ? 1 : policy_parse(f, p_r, error, arg);
    if (f)
        fclose(f);
    return errors;
}

/* ---- questions ---- */

const struct policy_rule *policy_find(const struct policy *p, const char *guest,
                                      const char *dest)
{
    for (unsigned i = 0; i < p->n; i++)
        if (!fnmatch(p->rules[i].guest, guest, 0) &&
            !fnmatch(p->rules[i].dest, dest, 0))
            return &p->rules[i];
    return NULL;
}

const struct policy_accept *policy_accept_find(const struct policy *p,
                                               const char *key,
                                               const char *guest)
{
    for (unsigned i = 0; i < p->naccepts; i++)
        if (!fnmatch(p->accepts[i].key, key, 0) &&
            !fnmatch(p->accepts[i].guest, guest, 0))
            return &p->accepts[i];
    return NULL;
}

bool policy_path_plain(const char *path, bool prefix)
{
    size_t n = strlen(path);

    if (n > POLICY_PREFIX_MAX || path[0] != '/' ||
        strspn(path, ALNUM "/._+:@%=~-") < n)
        return false;
    if (path[n - 1] == '/' && !prefix)
        return false;
    for (const char *c = path; *c; c += strcspn(c, "/")) {
        size_t len = strcspn(++c, "/");

        if ((!len && *c) || (len == 1 && c[0] == '.') ||
            (len == 2 && c[0] == '.' && c[1] == '.'))
            return false;
    }
    return true;
}

bool policy_on_its_way(const char *name)
{
    static const char *const ends[] = { MEXT_INCOMING_SUFFIX,
                                        MEXT_AWAY_SUFFIX };
    size_t n = strlen(name);

    for (unsigned i = 0; i < 2; i++) {
        size_t k = strlen(ends[i]);

        if (n >= k && !strcmp(name + n - k, ends[i]))
            return true;
    }
    return false;
}

bool policy_path_within(const struct policy_prefixes *p, const char *path)
{
    for (unsigned i = 0; i < p->n; i++) {
        size_t n = strlen(p->text[i]);

        if (!strncmp(path, p->text[i], n) &&
            (p->text[i][n - 1] == '/' || path[n] == '/' || !path[n]))
            return true;
    }
    return false;
}

bool policy_bridge_allowed(const struct policy_accept *r, const char *bridge)
{
    for (unsigned i = 0; i < r->nbridges; i++) {
        const struct policy_bridge *b = &r->bridges[i];
        size_t n = strlen(b->name);
        unsigned long vlan;

        if (strncmp(bridge, b->name, n))
            continue;
        if (!b->first
                ? !bridge[n]
                : bridge[n] == '.' && bridge[n + 1] != '0' &&
                      take_number(bridge + n + 1, b->first, b->last, &vlan))
            return true;
    }
    return false;
}

/* A guest's name may hold what fnmatch, or a line, takes for something else. */
static size_t quote(const char *s, char *out, size_t max)
{
    size_t n = 0;

    for (; *s && n + 2 < max; s++) {
        if (strchr("*?[\\", *s))
            out[n++] = '\\';
        out[n++] = *s <= 0x20 || *s > 0x7e || *s == '#' ? '?' : *s;
    }
    out[n] = 0;
    return n;
}

void policy_line(const char *guest, const char *dest, char *out, size_t max)
{
    char quoted[POLICY_PATTERN_MAX + 1];

    quote(guest, quoted, sizeof(quoted));
    snprintf(out, max, "guest-migrate %s %s 600", quoted, dest);
}

void policy_accept_line(const char *key, const char *guest, uint64_t memory_kib,
                        unsigned vcpus, char *out, size_t max)
{
    char quoted_key[POLICY_PATTERN_MAX + 1], quoted[POLICY_PATTERN_MAX + 1];

    quote(key, quoted_key, sizeof(quoted_key));
    if (guest)
        quote(guest, quoted, sizeof(quoted));
    snprintf(out, max, "accept %s %s memory=%llu vcpus=%u", quoted_key,
             guest ? quoted : "*",
             (unsigned long long)(memory_kib + 1023) >> 10, vcpus);
}

bool policy_address_allowed(const struct policy *p, const char *key,
                            uint32_t ip)
{
    for (unsigned i = 0; i < p->naccepts; i++) {
        const struct policy_accept *r = &p->accepts[i];

        for (unsigned k = 0; k < r->nranges && !fnmatch(r->key, key, 0); k++)
            if (ip >= r->ranges[k].first && ip <= r->ranges[k].last)
                return true;
    }
    return false;
}
