/* SPDX-License-Identifier: GPL-2.0-only */
#include <assert.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "admit_fields.h"
#include "mext_net.h"
#include "mext_text.h"

#define SHOWN_MAX 64 /* bytes of what a source wrote, in a refusal */

/* ---- words of a refusal ---- */

/* The field that is being read, as in "disks[1].format". */
static void field_path(const struct admit_judge *j, char out[256])
{
    size_t n = 0;

    out[0] = 0;
    for (unsigned i = 0; i < j->depth && n < 200; i++) {
        const struct admit_level *l = &j->levels[i];

        if (l->in->kind == ADMIT_LIST)
            n += (size_t)snprintf(out + n, 256 - n, "[%u]", l->count - 1);
        else if (l->now)
            n += (size_t)snprintf(out + n, 256 - n, "%s%s", n ? "." : "",
                                  l->now->name);
    }
    if (!n)
        strcpy(out, "the configuration");
}

static int refuse(struct admit_judge *j, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct admit_judge *j, const char *fmt, ...)
{
    char path[256], text[MEXT_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    field_path(j, path);
    return mext_fail(j->why, "%s: %s", path, text);
}

enum admit_verdict admit_lacks(struct admit_judge *j, const char *fmt, ...)
{
    char text[POLICY_PREFIX_MAX + 16];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    refuse(j, "not allowed: accept line %u (key %.64s) lacks %s", j->rule->line,
           j->key, text);
    return ADMIT_SAID;
}

/* ---- one value ---- */

static const char *word_name(unsigned bit)
{
    unsigned i = 0;

    while (bit >>= 1)
        i++;
    return policy_allow_words[i];
}

/* 0, or -1 and why. */
static int judge_value(struct admit_judge *j, const struct admit_field *f,
                       const struct admit_value *v)
{
    enum admit_verdict verdict = f->form ? f->form->fn(j, v) : ADMIT_YES;

    if (verdict == ADMIT_SAID)
        return -1;
    if (verdict == ADMIT_NO)
        return refuse(j, "not allowed: must be %s", f->form->text);
    if (!f->word || !j->rule || j->rule->allow & f->word ||
        (f->free && f->free->fn(j, v) == ADMIT_YES))
        return 0;
    admit_lacks(j, "allow=%s", word_name(f->word));
    return -1;
}

/* The field whose value comes now; NULL and why if none may. */
static const struct admit_field *next_field(struct admit_judge *j)
{
    struct admit_level *l;

    if (!j->depth)
        return &admit_root;
    l = &j->levels[j->depth - 1];
    if (l->in->kind == ADMIT_MAP)
        return l->now;
    if (l->count++ < l->in->max)
        return l->in->sub;
    refuse(j, "more than %llu elements", (unsigned long long)l->in->max);
    return NULL;
}

/* The field, if a value of this kind may stand there; else NULL and why. */
static const struct admit_field *take(struct admit_judge *j,
                                      enum admit_kind kind)
{
    static const char *const names[] = {
        [ADMIT_MAP] = "an object",
        [ADMIT_LIST] = "an array",
        [ADMIT_TEXT] = "a string",
        [ADMIT_WORD] = "a word",
        [ADMIT_BOOL] = "\"True\" or \"False\"",
        [ADMIT_FLAG] = "true or false",
        [ADMIT_NUMBER] = "a whole number",
    };
    const struct admit_field *f = next_field(j);
    enum admit_kind of = f ? f->kind : ADMIT_MAP;

    if (!f)
        return NULL;
    if (of == ADMIT_WORD || of == ADMIT_BOOL)
        of = ADMIT_TEXT;
    if (of == kind)
        return f;
    refuse(j, "not %s", names[f->kind]);
    return NULL;
}

/* ---- what the parser finds; 0 stops it ---- */

static int on_null(void *arg)
{
    if (next_field(arg))
        refuse(arg, "null");
    return 0;
}

static int on_boolean(void *arg, int value)
{
    static const struct admit_value v = { .text = "" };
    const struct admit_field *f = take(arg, ADMIT_FLAG);

    (void)value;
    return f && !judge_value(arg, f, &v);
}

/* Digits alone: libxl reads "1e5" and "-1" in its own way. */
static bool parse_number(const char *text, size_t len, uint64_t max,
                         uint64_t *v_r)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)text[i] - '0';

        if (digit > 9 || digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *v_r = v;
    return true;
}

static int on_number(void *arg, const char *text, size_t len)
{
    const struct admit_field *f = take(arg, ADMIT_NUMBER);
    struct admit_value v = { .text = "" };

    if (!f)
        return 0;
    if (!parse_number(text, len, f->max, &v.number)) {
        refuse(arg, "not a whole number from 0 to %llu",
               (unsigned long long)f->max);
        return 0;
    }
    return !judge_value(arg, f, &v);
}

static bool is_word(const char *text)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return *text && !text[strspn(text, chars)];
}

#define TEXT_ROOM 16385 /* of the longest text of a field, with NUL */
#define WORD_MAX  64

static int on_string(void *arg, const unsigned char *text, size_t len)
{
    const struct admit_field *f = take(arg, ADMIT_TEXT);
    char copy[TEXT_ROOM];
    struct admit_value v = { .text = copy, .len = len };
    size_t max;

    if (!f)
        return 0;
    max = f->kind == ADMIT_TEXT ? f->max : WORD_MAX;
    assert(max < sizeof(copy));
    if (len > max || memchr(text, 0, len)) {
        refuse(arg, "longer than %zu bytes, or with a zero byte", max);
        return 0;
    }
    memcpy(copy, text, len);
    copy[len] = 0;
    if ((f->kind == ADMIT_WORD && !is_word(copy)) ||
        (f->kind == ADMIT_BOOL && strcmp(copy, "True") &&
         strcmp(copy, "False"))) {
        refuse(arg, "no word of libxl's");
        return 0;
    }
    return !judge_value(arg, f, &v);
}

static int open_level(struct admit_judge *j, enum admit_kind kind)
{
    const struct admit_field *f = take(j, kind);
    static const struct admit_value v = { .text = "" };

    if (!f)
        return 0;
    /* A map is judged at its end, when it is known what was in it. */
    if (kind == ADMIT_LIST && judge_value(j, f, &v))
        return 0;
    assert(j->depth < ADMIT_DEPTH);
    j->levels[j->depth++] = (struct admit_level){ .in = f };
    return 1;
}

static int on_start_map(void *arg)
{
    return open_level(arg, ADMIT_MAP);
}

static int on_start_array(void *arg)
{
    return open_level(arg, ADMIT_LIST);
}

static int on_end_array(void *arg)
{
    struct admit_judge *j = arg;

    j->depth--;
    return 1;
}

static int on_end_map(void *arg)
{
    struct admit_judge *j = arg;
    const struct admit_level *l = &j->levels[--j->depth];
    struct admit_value v = { .text = "", .sub = l->in->sub, .seen = l->seen };

    return !judge_value(j, l->in, &v);
}

static int refuse_unknown(struct admit_judge *j, struct admit_level *l,
                          const char *key, size_t len)
{
    char text[SHOWN_MAX + 1];
    struct admit_field unknown = { .name = text };

    mext_show(key, len, text, sizeof(text));
    l->now = &unknown;
    refuse(j, "not allowed: no guest with it can come in");
    l->now = NULL;
    return 0;
}

/* A field may stand there once: libxl would take the first and ignore more. */
static int on_map_key(void *arg, const unsigned char *key, size_t len)
{
    struct admit_judge *j = arg;
    struct admit_level *l = &j->levels[j->depth - 1];
    const struct admit_field *f = l->in->sub;

    while (f->name && (strlen(f->name) != len || memcmp(f->name, key, len)))
        f++;
    l->now = f;
    if (!f->name)
        return refuse_unknown(j, l, (const char *)key, len);
    if (l->seen >> (f - l->in->sub) & 1) {
        refuse(j, "stands there twice");
        return 0;
    }
    l->seen |= 1ULL << (f - l->in->sub);
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

/* Reads it all, by a rule or, with NULL, for the name alone. */
static int read_config(const struct policy_accept *rule, const char *key,
                       const char *json, size_t len, struct admit_guest *g,
                       struct mext_why *why)
{
    struct admit_judge j = { .rule = rule, .key = key, .guest = g, .why = why };
    const unsigned char *text = (const unsigned char *)json;
    yajl_handle h = yajl_alloc(&callbacks, NULL, &j);
    yajl_status status;
    size_t at;

    if (!h)
        return mext_fail(why, "out of memory");
    *g = (struct admit_guest){ .rule = rule };
    status = yajl_parse(h, text, len);
    at = yajl_get_bytes_consumed(h);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(h);
    yajl_free(h);
    if (status == yajl_status_error)
        return mext_fail(why, "the configuration is no JSON at byte %zu", at);
    return status == yajl_status_ok ? 0 : -1;
}

/* ---- questions ---- */

/* Each option that is still missing is in the next refusal. */
#define AS_NEEDED ", with disk= bridge= file= as needed"

/* What a rule lacks, as it would stand in it. */
static int lacks(const struct policy_accept *r, const char *key,
                 uint64_t memory_kib, unsigned vcpus, unsigned allow,
                 struct mext_why *why)
{
    if (allow & ~r->allow)
        return admit_allows(r, key, allow, why);
    return mext_fail(why,
                     "not allowed: accept line %u (key %.64s) lacks "
                     "memory=%llu vcpus=%u",
                     r->line, key,
                     (unsigned long long)(memory_kib + 1023) >> 10, vcpus);
}

int admit_allows(const struct policy_accept *r, const char *key,
                 enum policy_allow word, struct mext_why *why)
{
    if (r->allow & word)
        return 0;
    return mext_fail(why,
                     "not allowed: accept line %u (key %.64s) lacks allow=%s",
                     r->line, key, word_name(word));
}

int admit_token(const struct policy *p, const char *key, uint64_t memory_kib,
                unsigned vcpus, unsigned allow, struct mext_why *why)
{
    const struct policy_accept *last = NULL;
    char line[300];

    for (unsigned i = 0; i < p->naccepts; i++) {
        const struct policy_accept *r = &p->accepts[i];

        if (fnmatch(r->key, key, 0))
            continue;
        if ((!r->memory_kib || memory_kib <= r->memory_kib) &&
            (!r->vcpus || vcpus <= r->vcpus) && !(allow & ~r->allow))
            return 0;
        last = r;
    }
    if (last)
        return lacks(last, key, memory_kib, vcpus, allow, why);
    policy_accept_line(key, NULL, memory_kib, vcpus, line, sizeof(line));
    return mext_fail(why, "no accept line for key %.64s; add: %s%s" AS_NEEDED,
                     key, line, allow & POLICY_DOM0 ? " allow=dom0" : "");
}

int admit_config(const struct policy *p, const char *key, const char *json,
                 size_t len, struct admit_guest *g_r, struct mext_why *why)
{
    const struct policy_accept *r;
    struct admit_guest g;
    char line[400];

    if (len > MEXT_CONFIG_JSON_MAX)
        return mext_fail(why, "the configuration is longer than %u bytes",
                         MEXT_CONFIG_JSON_MAX);
    if (read_config(NULL, key, json, len, &g, why))
        return -1;
    r = policy_accept_find(p, key, g.name);
    if (!r) {
        policy_accept_line(key, g.name, g.memory_kib, g.vcpus, line,
                           sizeof(line));
        return mext_fail(why,
                         "no accept line for key %.64s and this guest; add: "
                         "%s" AS_NEEDED,
                         key, line);
    }
    if (read_config(r, key, json, len, &g, why))
        return -1;
    *g_r = g;
    return 0;
}

int admit_count(const struct policy_accept *r, const char *key, unsigned others,
                struct mext_why *why)
{
    if (!r->guests || others < r->guests)
        return 0;
    return mext_fail(why,
                     "%u guests are here: accept line %u (key %.64s) lacks "
                     "guests=%u",
                     others, r->line, key, others + 1);
}
