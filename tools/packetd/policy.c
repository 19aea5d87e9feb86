/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy.h"

#define LINE_MAX_LEN 512 /* bytes, with newline */
#define WORDS        4   /* of a rule */
#define BLANK        " \t\r\n"

/* An error's text, NULL if there is none. */
static const char *take_seconds(const char *text, struct policy_rule *r)
{
    char *end;
    unsigned long v;

    r->never = !strcmp(text, "never");
    if (r->never)
        return NULL;
    v = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || v > POLICY_SECONDS_MAX)
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

static const char *take_rule(char *const words[WORDS], unsigned n,
                             struct policy *p)
{
    struct policy_rule r = { .seconds = 0 };
    const char *error;

    if (strcmp(words[0], "guest-migrate"))
        return "unknown word, only \"guest-migrate\" is known";
    if (n != WORDS)
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

static const char *take_line(char *line, struct policy *p)
{
    char *words[WORDS], *save = NULL;
    unsigned n = 0;

    line[strcspn(line, "#")] = 0;
    for (char *w = strtok_r(line, BLANK, &save); w;
         w = strtok_r(NULL, BLANK, &save), n++)
        if (n < WORDS)
            words[n] = w;
    return n ? take_rule(words, n, p) : NULL;
}

/* Who may write the file decides where guests go. */
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

static unsigned read_lines(FILE *f, struct policy *p, policy_error_fn *error,
                           void *arg)
{
    char line[LINE_MAX_LEN];
    unsigned n = 0, errors = 0;

    while (fgets(line, sizeof(line), f)) {
        const char *text;
        bool whole = strchr(line, '\n') || feof(f);

        n++;
        text = whole ? take_line(line, p) : "longer than 510 bytes";
        for (int c = 0; !whole && c != '\n' && c != EOF;)
            c = fgetc(f);
        if (text) {
            error(arg, n, text);
            errors++;
        }
    }
    if (ferror(f)) {
        error(arg, 0, "cannot be read");
        errors++;
    }
    return errors;
}

unsigned policy_read(const char *path, struct policy *p_r,
                     policy_error_fn *error, void *arg)
{
    FILE *f = fopen(path, "re");
    const char *text;
    unsigned errors;

    p_r->n = 0;
    if (!f && errno == ENOENT)
        return 0;
    text = f ? file_error(f) : strerror(errno);
    if (text)
        error(arg, 0, text);
    errors = text ? 1 : read_lines(f, p_r, error, arg);
    if (f)
        fclose(f);
    return errors;
}

const struct policy_rule *policy_find(const struct policy *p, const char *guest,
                                      const char *dest)
{
    for (unsigned i = 0; i < p->n; i++)
        if (!fnmatch(p->rules[i].guest, guest, 0) &&
            !fnmatch(p->rules[i].dest, dest, 0))
            return &p->rules[i];
    return NULL;
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
