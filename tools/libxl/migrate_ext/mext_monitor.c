/* SPDX-License-Identifier: LGPL-2.1-only */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#include "mext_monitor.h"
#include "mext_net.h"
#include "mext_text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- a flat object ---- */

enum type { TEXT, NUMBER, FLAG };

struct field {
    const char *key;
    enum type type;
    void *to;   /* char[max], uint64_t or bool */
    size_t max; /* of TEXT */
    bool seen;
};

struct flat {
    struct field *fields;
    size_t n;
    bool strict; /* a key that is not among fields is an error */
    struct field *now;
    bool open;
    struct mext_why *why;
};

/* yajl's word for "go no further". */
static int stop(struct flat *f, const char *text)
{
    mext_fail(f->why, "%s", text);
    return 0;
}

static int wrong_type(struct flat *f)
{
    if (!f->now)
        return stop(f, "not a JSON object");
    mext_fail(f->why, "the value of \"%s\" is of the wrong kind", f->now->key);
    return 0;
}

/* Whether a value of this type is to be stored; *go_r: yajl goes on. */
static bool wanted(struct flat *f, enum type type, int *go_r)
{
    *go_r = 1;
    if (f->open && !f->now)
        return false; /* of a key that is passed over */
    if (f->open && f->now->type == type)
        return true;
    *go_r = wrong_type(f);
    return false;
}

static int on_null(void *arg)
{
    struct flat *f = arg;

    return f->open && !f->now ? 1 : wrong_type(f);
}

static int on_boolean(void *arg, int value)
{
    struct flat *f = arg;
    int go;

    if (wanted(f, FLAG, &go))
        *(bool *)f->now->to = value;
    return go;
}

static int on_number(void *arg, const char *s, size_t n)
{
    struct flat *f = arg;
    struct mext_text t = { s, s + n, false };
    int go;

    if (!wanted(f, NUMBER, &go))
        return go;
    *(uint64_t *)f->now->to = mext_text_number(&t, 0, UINT64_MAX);
    return mext_text_done(&t) || stop(f, "a number is not a whole one");
}

static int on_string(void *arg, const unsigned char *s, size_t n)
{
    struct flat *f = arg;
    int go;

    if (!wanted(f, TEXT, &go))
        return go;
    if (n >= f->now->max || !mext_printable((const char *)s, n))
        return stop(f, "a text is too long or not printable ASCII");
    memcpy(f->now->to, s, n);
    ((char *)f->now->to)[n] = 0;
    return 1;
}

static int on_start_map(void *arg)
{
    struct flat *f = arg;

    if (f->open)
        return stop(f, "an object in an object");
    f->open = true;
    return 1;
}

static int on_key(void *arg, const unsigned char *s, size_t n)
{
    struct flat *f = arg;

    f->now = NULL;
    for (size_t i = 0; i < f->n && !f->now; i++)
        if (strlen(f->fields[i].key) == n && !memcmp(f->fields[i].key, s, n))
            f->now = &f->fields[i];
    if (!f->now)
        return !f->strict || stop(f, "a key that there is not");
    if (f->now->seen)
        return stop(f, "a key stands there twice");
    f->now->seen = true;
    return 1;
}

static int on_start_array(void *arg)
{
    return stop(arg, "an array");
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_start_array = on_start_array,
};

static int flat_parse(struct flat *f, const char *line, size_t n)
{
    yajl_handle h = yajl_alloc(&callbacks, NULL, f);
    yajl_status st;

    if (!h)
        return mext_fail(f->why, "out of memory");
    mext_fail(f->why, "not a JSON object");
    st = yajl_parse(h, (const unsigned char *)line, n);
    if (st == yajl_status_ok)
        st = yajl_complete_parse(h);
    yajl_free(h);
    return st == yajl_status_ok && f->open ? 0 : -1;
}

/* ---- writing ---- */

static void put_text(yajl_gen g, const char *s)
{
    yajl_gen_string(g, (const unsigned char *)s, strlen(s));
}

static void put_fields(yajl_gen g, const struct field *f, size_t n)
{
    char digits[24];

    for (; n; n--, f++) {
        put_text(g, f->key);
        if (f->type == TEXT)
            put_text(g, f->to);
        else if (f->type == FLAG)
            yajl_gen_bool(g, *(bool *)f->to);
        else {
            snprintf(digits, sizeof(digits), "%" PRIu64, *(uint64_t *)f->to);
            yajl_gen_number(g, digits, strlen(digits));
        }
    }
}

/* The object of n fields; its length, 0 without memory. */
static size_t flat_text(const struct field *f, size_t n,
                        char out[MEXT_MONITOR_LINE_MAX])
{
    yajl_gen g = yajl_gen_alloc(NULL);
    const unsigned char *text = NULL;
    size_t len = 0;

    if (!g)
        return 0;
    yajl_gen_map_open(g);
    put_fields(g, f, n);
    yajl_gen_map_close(g);
    yajl_gen_get_buf(g, &text, &len);
    /* the fields' own limits keep it below, each character escaped or not */
    assert(len + 1 < MEXT_MONITOR_LINE_MAX);
    memcpy(out, text, len);
    yajl_gen_free(g);
    return len;
}

/* ---- commands ---- */

#define LIMITS 4

static const char *const words[] = {
    [MEXT_WORD_STATUS] = "status",
    [MEXT_WORD_CANCEL] = "cancel",
    [MEXT_WORD_LIMITS] = "limits",
    [MEXT_WORD_SWITCH_OVER] = "switch-over",
};

static enum mext_word word_of(const char *text)
{
    for (unsigned i = MEXT_WORD_STATUS; i < COUNT(words); i++)
        if (!strcmp(text, words[i]))
            return i;
    return 0;
}

/* A limit that was given is within its bounds. */
static int limit_ok(const struct field *f, uint64_t v, uint64_t min,
                    uint64_t max, struct mext_why *why)
{
    if (!f->seen || (v >= min && v <= max))
        return 0;
    return mext_fail(why, "%s is not from %" PRIu64 " to %" PRIu64, f->key, min,
                     max);
}

/* 0 stands for no limit. */
static uint64_t or_none(const struct field *f, uint64_t v)
{
    return f->seen && !v ? UINT64_MAX : v;
}

static int take_limits(const struct field *f, const uint64_t v[LIMITS],
                       struct mext_wishes *w, struct mext_why *why)
{
    if (!f[0].seen && !f[1].seen && !f[2].seen && !f[3].seen)
        return mext_fail(why, "\"limits\" names none");
    if (limit_ok(&f[0], v[0], 1, MEXT_MONITOR_DOWNTIME_MAX, why) ||
        limit_ok(&f[1], v[1], 1, MEXT_MONITOR_ITERATIONS_MAX, why) ||
        (v[2] && limit_ok(&f[2], v[2], MEXT_MONITOR_RATE_MIN,
                          MEXT_MONITOR_RATE_MAX, why)) ||
        (v[3] && limit_ok(&f[3], v[3], 1000, MEXT_MONITOR_TIMEOUT_MAX, why)))
        return -1;
    w->downtime_ms = (unsigned)v[0];
    w->iterations = (unsigned)v[1];
    w->bytes_per_s = or_none(&f[2], v[2]);
    w->timeout_ms = or_none(&f[3], v[3]);
    return 0;
}

int mext_command_parse(const char *line, size_t n, struct mext_command *c_r,
                       struct mext_why *why)
{
    struct mext_command c = { 0 };
    char word[16] = "";
    uint64_t v[LIMITS] = { 0 };
    struct field f[] = {
        { "do", TEXT, word, sizeof(word), false },
        { "downtime_ms", NUMBER, &v[0], 0, false },
        { "iterations", NUMBER, &v[1], 0, false },
        { "bytes_per_s", NUMBER, &v[2], 0, false },
        { "timeout_ms", NUMBER, &v[3], 0, false },
    };
    struct flat flat = { f, COUNT(f), true, NULL, false, why };

    if (n >= MEXT_MONITOR_LINE_MAX)
        return mext_fail(why, "a line is too long");
    /* none has an escape, and a JSON parser's worst code is for those */
    if (memchr(line, '\\', n) || !mext_printable(line, n))
        return mext_fail(why, "not printable ASCII without backslashes");
    if (flat_parse(&flat, line, n))
        return -1;
    c.word = word_of(word);
    if (!c.word)
        return mext_fail(why, "\"do\" is none of status, cancel, limits, "
                              "switch-over");
    if (c.word != MEXT_WORD_LIMITS &&
        (f[1].seen || f[2].seen || f[3].seen || f[4].seen))
        return mext_fail(why, "only \"limits\" takes limits");
    if (c.word == MEXT_WORD_LIMITS && take_limits(&f[1], v, &c.wishes, why))
        return -1;
    c.wishes.switch_over = c.word == MEXT_WORD_SWITCH_OVER;
    *c_r = c;
    return 0;
}

size_t mext_command_text(const struct mext_command *c,
                         char out[MEXT_MONITOR_LINE_MAX])
{
    const struct mext_wishes *w = &c->wishes;
    uint64_t v[LIMITS] = { w->downtime_ms, w->iterations,
                           w->bytes_per_s == UINT64_MAX ? 0 : w->bytes_per_s,
                           w->timeout_ms == UINT64_MAX ? 0 : w->timeout_ms };
    struct field f[LIMITS + 1] = { { "do", TEXT, (void *)words[c->word], 0,
                                     false } };
    size_t n = 1;

    if (w->downtime_ms)
        f[n++] = (struct field){ "downtime_ms", NUMBER, &v[0], 0, false };
    if (w->iterations)
        f[n++] = (struct field){ "iterations", NUMBER, &v[1], 0, false };
    if (w->bytes_per_s)
        f[n++] = (struct field){ "bytes_per_s", NUMBER, &v[2], 0, false };
    if (w->timeout_ms)
        f[n++] = (struct field){ "timeout_ms", NUMBER, &v[3], 0, false };
    n = flat_text(f, n, out);
    out[n] = 0;
    return n;
}

/* ---- what the server says ---- */

/* The fields of a status line; ok comes last, a status has none. */
#define STATUS_FIELDS(l) \
    { \
        { "id", TEXT, (l)->id, sizeof((l)->id), false }, \
            { "side", TEXT, (l)->side, sizeof((l)->side), false }, \
            { "guest", TEXT, (l)->guest, sizeof((l)->guest), false }, \
            { "peer", TEXT, (l)->peer, sizeof((l)->peer), false }, \
            { "state", TEXT, (l)->state, sizeof((l)->state), false }, \
            { "step", TEXT, (l)->step, sizeof((l)->step), false }, \
            { "iteration", NUMBER, &(l)->iteration, 0, false }, \
            { "sent", NUMBER, &(l)->sent, 0, false }, \
            { "of", NUMBER, &(l)->of, 0, false }, \
            { "wire_bytes", NUMBER, &(l)->wire_bytes, 0, false }, \
            { "pages_per_s", NUMBER, &(l)->pages_per_s, 0, false }, \
            { "seconds", NUMBER, &(l)->seconds, 0, false }, \
            { "text", TEXT, (l)->text, sizeof((l)->text), false }, \
            { "ok", FLAG, &(l)->ok, 0, false }, \
            { "why", TEXT, (l)->text, sizeof((l)->text), false }, \
    }
#define TEXT_FIELD 12 /* in it */
#define OK_FIELD   13
#define WHY_FIELD  14

int mext_monitor_parse(const char *line, size_t n,
                       struct mext_monitor_line *l_r, struct mext_why *why)
{
    struct mext_monitor_line l = { 0 };
    struct field f[] = STATUS_FIELDS(&l);
    struct flat flat = { f, COUNT(f), false, NULL, false, why };

    if (n >= MEXT_MONITOR_LINE_MAX)
        return mext_fail(why, "a line is too long");
    if (flat_parse(&flat, line, n))
        return -1;
    l.answer = f[OK_FIELD].seen;
    l.last = f[TEXT_FIELD].seen;
    for (size_t i = 0; !l.answer && i < TEXT_FIELD; i++)
        if (!f[i].seen)
            return mext_fail(why, "\"%s\" is missing", f[i].key);
    if (l.answer ? l.last || f[WHY_FIELD].seen == l.ok : f[WHY_FIELD].seen)
        return mext_fail(why, "neither a status nor an answer");
    *l_r = l;
    return 0;
}

size_t mext_monitor_text(const struct mext_monitor_line *l,
                         char out[MEXT_MONITOR_LINE_MAX])
{
    struct mext_monitor_line copy = *l;
    struct field f[] = STATUS_FIELDS(&copy);
    size_t n;

    if (l->answer)
        n = flat_text(&f[OK_FIELD], l->ok ? 1 : 2, out);
    else
        n = flat_text(f, l->last ? TEXT_FIELD + 1 : TEXT_FIELD, out);
    if (n)
        out[n++] = '\n';
    return n;
}
