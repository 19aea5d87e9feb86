/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static void defaults(struct agent_config *c)
{
    memset(c, 0, sizeof(*c));
    snprintf(c->hooks, sizeof(c->hooks), "%s/mext-agent", MEXT_SYSCONFDIR);
    c->hook_ms = 10000;
    c->free = c->calm = c->clock = c->announce = c->quiesce = true;
    c->trim = MEXT_AGENT_TRIM_DEEP;
}

static bool set_bool(bool *b, const char *value)
{
    *b = !strcmp(value, "yes");
    return *b || !strcmp(value, "no");
}

static bool set_trim(unsigned *t, const char *value)
{
    static const char *const words[] = { "none", "cache", "deep" };

    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(value, words[i])) {
            *t = i;
            return true;
        }
    return false;
}

/* As the kernel would write it: no empty part, none that is "." or "..". */
static bool is_plain(const char *w)
{
    char path[AGENT_PATH_MAX + 2];

    if (snprintf(path, sizeof(path), "/%s/", w) >= (int)sizeof(path))
        return false;
    return !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "..");
}

/* Names of cgroups, in words; none may leave the hierarchy or be all of it. */
static bool add_cgroups(struct agent_config *c, char *value)
{
    for (char *w; (w = strsep(&value, " \t"));) {
        while (*w == '/')
            w++;
        for (size_t n = strlen(w); n && w[n - 1] == '/'; n--)
            w[n - 1] = 0;
        if (!*w)
            continue;
        if (!is_plain(w) || strlen(w) >= AGENT_PATH_MAX ||
            c->ncgroups == AGENT_CGROUPS_MAX)
            return false;
        strcpy(c->cgroups[c->ncgroups++], w);
    }
    return true;
}

static bool set_ms(unsigned *ms, const char *value)
{
    char *end;
    unsigned long v = strtoul(value, &end, 10);

    *ms = (unsigned)v;
    return end != value && !*end && v >= 1 && v <= MEXT_AGENT_DEADLINE_MAX;
}

static bool set(struct agent_config *c, const char *key, char *value)
{
    if (!strcmp(key, "cgroups"))
        return add_cgroups(c, value);
    if (!strcmp(key, "hooks"))
        return value[0] == '/' && strlen(value) < sizeof(c->hooks) &&
               strcpy(c->hooks, value);
    if (!strcmp(key, "hook-timeout-ms"))
        return set_ms(&c->hook_ms, value);
    if (!strcmp(key, "trim"))
        return set_trim(&c->trim, value);
    return !strcmp(key, "free")       ? set_bool(&c->free, value)
           : !strcmp(key, "calm")     ? set_bool(&c->calm, value)
           : !strcmp(key, "clock")    ? set_bool(&c->clock, value)
           : !strcmp(key, "announce") ? set_bool(&c->announce, value)
           : !strcmp(key, "quiesce")  ? set_bool(&c->quiesce, value)
                                      : false;
}

/* White space off both ends. */
static char *trimmed(char *s)
{
    size_t n;

    s += strspn(s, " \t");
    n = strlen(s);
    while (n && strchr(" \t\r\n", s[n - 1]))
        s[--n] = 0;
    return s;
}

static bool take_line(struct agent_config *c, char *line)
{
    char *hash = strchr(line, '#'), *equals;

    if (hash)
        *hash = 0;
    line = trimmed(line);
    if (!*line)
        return true;
    equals = strchr(line, '=');
    if (!equals)
        return false;
    *equals = 0;
    return set(c, trimmed(line), trimmed(equals + 1));
}

int agent_config_read(const char *path, struct agent_config *c_r)
{
    FILE *f = fopen(path, "re");
    unsigned n = 0;
    char line[1024];

    defaults(c_r);
    if (!f && errno == ENOENT)
        return 0;
    if (!f) {
        agent_log("cannot read %s: %s", path, strerror(errno));
        return -1;
    }
    while (fgets(line, sizeof(line), f)) {
        n++;
        /* a line that is too long is not taken for two */
        if ((strchr(line, '\n') || feof(f)) && take_line(c_r, line))
            continue;
        agent_log("%s line %u is not understood, see mext-agent(8)", path, n);
        fclose(f);
        return -1;
    }
    fclose(f);
    return 0;
}
