/* SPDX-License-Identifier: GPL-2.0-only */
/* What a source may send: configurations, good and bad, against a rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admit_cases.h"
#include "admit_fields.h"
#include "unit.h"

#define TEXT_MAX 300000

#define RULE \
    "accept web1 web-* memory=1024 vcpus=2 guests=2 disk=/dev/vg disk=/srv/x/" \
    " file=/boot/guest bridge=br0 bridge=ovs.10-20"

static struct policy policy;
static struct admit_guest guest;
static struct mext_why why;
static char text[TEXT_MAX];

static void no_error(void *arg, unsigned line, const char *error)
{
    (void)arg;
    ck_abort_msg("line %u: %s", line, error);
}

static void read_rules(const char *rules)
{
    FILE *f = fmemopen((void *)rules, strlen(rules), "r");

    ck_assert_ptr_nonnull(f);
    policy_parse(f, &policy, no_error, NULL);
    fclose(f);
}

/* A rule with options, and one that nothing but its form can offend. */
static void read_rule(const char *more)
{
    char line[1024];

    snprintf(line, sizeof(line), RULE " %s", more);
    read_rules(line);
}

static void read_open_rule(void)
{
    char line[1024] = "accept * * disk=/ file=/ bridge=br0 bridge=xenbr0";

    for (unsigned i = 0; policy_allow_words[i]; i++) {
        strcat(line, " allow=");
        strcat(line, policy_allow_words[i]);
    }
    read_rules(line);
}

/* Asks about text[0..n); a refusal says something, and that is clean. */
static int ask_about(size_t n)
{
    int rc;

    memset(&why, 0, sizeof(why));
    rc = admit_config(&policy, "web1", text, n, &guest, &why);
    ck_assert_msg(!rc == !*why.text, "%s", why.text);
    for (const char *c = why.text; *c; c++)
        ck_assert_msg(*c >= 0x20 && *c <= 0x7e, "%s", why.text);
    return rc;
}

static int ask(const char *json)
{
    snprintf(text, sizeof(text), "%s", json);
    return ask_about(strlen(text));
}

/* The base with its first `from` replaced. */
static int ask_changed(const char *from, const char *to)
{
    const char *at = strstr(base, from);

    ck_assert_msg(at, "not in the base: %s", from);
    snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - base), base, to,
             at + strlen(from));
    return ask_about(strlen(text));
}

/* ---- the tables of admit_cases.h ---- */

START_TEST(good_ones)
{
    read_rule("");
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(!ask_changed(good[i].from, good[i].to), "case %zu: %s", i,
                      why.text);
        ck_assert_ptr_eq(guest.rule, &policy.accepts[0]);
        ck_assert_uint_eq(guest.memory_kib, 1048576);
        ck_assert_str_eq(guest.name, strstr(good[i].to, "web-._+")
                                         ? "web-._+:@A9"
                                         : "web-1");
    }
    ck_assert(!ask_changed(B("\"max_vcpus\":2")));
    ck_assert_uint_eq(guest.vcpus, 2);
    ck_assert(!ask(base));
    ck_assert_uint_eq(guest.vcpus, 1);
}
END_TEST

/* As libxl wrote it, of a guest that runs. */
START_TEST(real_one)
{
    const char *top = getenv("srcdir");
    char name[4096];
    size_t n;
    FILE *f;

    snprintf(name, sizeof(name), "%s/tests/fuzz/corpus/admit/pvh",
             top ? top : ".");
    f = fopen(name, "r");
    ck_assert_ptr_nonnull(f);
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    read_rules("accept web1 helped memory=128 vcpus=1 disk=/dev/san/d3 "
               "bridge=xenbr0 file=/boot/guest/");
    ck_assert_msg(!ask_about(n), "%s", why.text);
    ck_assert_str_eq(guest.name, "helped");
    ck_assert_uint_eq(guest.memory_kib, 131072);
    ck_assert_uint_eq(guest.vcpus, 1);
    /* cut short anywhere it is nothing */
    while (n && text[n - 1] != '}')
        n--;
    while (n--)
        ck_assert_int_lt(ask_about(n), 0);
}
END_TEST

START_TEST(bound_ones)
{
    for (size_t i = 0; i < COUNT(bound); i++) {
        char lacks[128];

        snprintf(lacks, sizeof(lacks),
                 ": not allowed: accept line 1 (key web1) lacks %s",
                 bound[i].lacks);
        read_rule("");
        ck_assert_msg(ask_changed(bound[i].from, bound[i].to), "case %zu: %s",
                      i, bound[i].to);
        ck_assert_msg(
            strlen(why.text) > strlen(lacks) &&
                !strcmp(why.text + strlen(why.text) - strlen(lacks), lacks),
            "case %zu: %s", i, why.text);
        read_rule(bound[i].lacks);
        ck_assert_msg(!ask_changed(bound[i].from, bound[i].to), "case %zu: %s",
                      i, why.text);
    }
}
END_TEST

/* No field with a word, and no word, is without a case above. */
static unsigned words_seen, fields_seen;

static void find_case(const char *path, const struct admit_field *f)
{
    char key[80];
    const char *name = strrchr(path, '.');
    bool found = false;

    if (!f->word)
        return;
    words_seen |= f->word;
    fields_seen++;
    snprintf(key, sizeof(key), "%s\":", name ? name + 1 : path);
    for (size_t i = 0; i < COUNT(bound); i++)
        found |= strstr(bound[i].to, key) && strstr(bound[i].lacks, "allow=");
    /* these two stand in the base */
    ck_assert_msg(found || !strcmp(path, "on_reboot") ||
                      !strcmp(path, "disks[].format"),
                  "no case for %s", path);
}

static void each_field(const struct admit_field *f, const char *path,
                       void (*fn)(const char *, const struct admit_field *))
{
    char below[200];

    if (*path)
        fn(path, f);
    if (f->kind == ADMIT_LIST) {
        snprintf(below, sizeof(below), "%s[]", path);
        each_field(f->sub, below, fn);
    }
    for (const struct admit_field *s = f->sub; f->kind == ADMIT_MAP && s->name;
         s++) {
        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "",
                 s->name);
        each_field(s, below, fn);
    }
}

START_TEST(every_word)
{
    words_seen = fields_seen = 0;
    each_field(&admit_root, "", find_case);
    ck_assert_uint_eq(words_seen, 2U * POLICY_XSM_LABEL - 1);
    ck_assert_uint_gt(fields_seen, 40);
}
END_TEST

START_TEST(refused_ones)
{
    read_open_rule();
    for (size_t i = 0; i < COUNT(refused); i++) {
        ck_assert_msg(ask_changed(refused[i].from, refused[i].to),
                      "case %zu: %s", i, refused[i].to);
        ck_assert_msg(strstr(why.text, refused[i].error),
                      "case %zu: %s: not: %s", i, refused[i].to, why.text);
    }
}
END_TEST

START_TEST(ends)
{
    read_open_rule();
    ck_assert(ask(""));
    ck_assert(ask(" "));
    ck_assert(ask("{}"));
    ck_assert_ptr_nonnull(strstr(why.text, "with c_info and b_info"));
    for (size_t n = 0; n < sizeof(base) - 1; n++) {
        memcpy(text, base, n);
        ck_assert_int_lt(ask_about(n), 0);
    }
    memcpy(text, base, sizeof(base));
    ck_assert_int_eq(ask_about(sizeof(base) - 1), 0);
    ck_assert_int_lt(ask_about(sizeof(base)), 0); /* with its NUL */
    strcat(text, "{}");
    ck_assert_int_lt(ask_about(sizeof(base) + 1), 0);
}
END_TEST

START_TEST(depth_and_size)
{
    const size_t n = sizeof(base) - 1;

    read_open_rule();
    memset(text, '[', MEXT_CONFIG_JSON_MAX);
    ck_assert_int_lt(ask_about(MEXT_CONFIG_JSON_MAX), 0);
    for (size_t i = 0; i + 5 <= MEXT_CONFIG_JSON_MAX; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    ck_assert_int_lt(ask_about(MEXT_CONFIG_JSON_MAX), 0);
    memset(text, ' ', MEXT_CONFIG_JSON_MAX + 1);
    memcpy(text, base, n);
    ck_assert_int_eq(ask_about(MEXT_CONFIG_JSON_MAX), 0);
    ck_assert_int_lt(ask_about(MEXT_CONFIG_JSON_MAX + 1), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "longer than 262144"));
}
END_TEST

/* As many of them as may be, and one more. */
static void count_elements(const char *from, const char *element, unsigned max)
{
    static char to[TEXT_MAX];
    size_t n = (size_t)sprintf(to, "%s", from);

    for (unsigned i = 1; i < max; i++)
        n += (size_t)sprintf(to + n, "%s,", element);
    ck_assert_msg(!ask_changed(from, to), "%s", why.text);
    sprintf(to + n, "%s,", element);
    ck_assert(ask_changed(from, to));
    ck_assert_ptr_nonnull(strstr(why.text, "]: more than"));
}

START_TEST(elements)
{
    read_open_rule();
    count_elements("\"disks\":[",
                   "{\"pdev_path\":\"/a\",\"vdev\":\"a\",\"format\":\"raw\"}",
                   64);
    count_elements("\"nics\":[", "{}", 16);
}
END_TEST

/* ---- limits of the rule ---- */

START_TEST(memory)
{
    read_rule("");
    ck_assert(ask_changed("1048576", "1048577"));
    ck_assert_str_eq(why.text, "b_info: not allowed: accept line 1 (key web1) "
                               "lacks memory=1025");
    /* what Xen needs for the guest counts as well */
    ck_assert(ask_changed(B("\"shadow_memkb\":1")));
    ck_assert(ask_changed(B("\"iommu_memkb\":1024")));
    ck_assert_ptr_nonnull(strstr(why.text, "lacks memory=1025"));
    read_rule("allow=device-model");
    ck_assert(ask_changed(B("\"stubdomain_memkb\":1025")));
    ck_assert_ptr_nonnull(strstr(why.text, "lacks memory=1026"));
    read_rules("accept * * disk=/ bridge=br0 file=/");
    ck_assert(!ask_changed("1048576", "1073741824"));
    read_rules("accept * * memory=1048576 disk=/ bridge=br0 file=/");
    ck_assert(!ask_changed("1048576", "1073741824"));
    ck_assert(ask_changed("1048576,", "1073741824,\"shadow_memkb\":1073741824,"
                                      "\"iommu_memkb\":1073741824,"));
    ck_assert_ptr_nonnull(strstr(why.text, "lacks memory=3145728"));
}
END_TEST

START_TEST(vcpus)
{
    read_rule("");
    ck_assert(ask_changed(B("\"max_vcpus\":3")));
    ck_assert_str_eq(why.text, "b_info: not allowed: accept line 1 (key web1) "
                               "lacks vcpus=3");
    read_rules("accept * * disk=/ bridge=br0 file=/");
    ck_assert(!ask_changed(B("\"max_vcpus\":128")));
    ck_assert_uint_eq(guest.vcpus, 128);
}
END_TEST

START_TEST(count)
{
    read_rules(RULE "\naccept web1 *");
    ck_assert(!admit_count(&policy.accepts[0], "web1", 0, &why));
    ck_assert(!admit_count(&policy.accepts[0], "web1", 1, &why));
    ck_assert(admit_count(&policy.accepts[0], "web1", 2, &why));
    ck_assert_str_eq(why.text, "2 guests are here: accept line 1 (key web1) "
                               "lacks guests=3");
    ck_assert(!admit_count(&policy.accepts[1], "web1", 1000000, &why));
}
END_TEST

/* ---- which rule ---- */

START_TEST(token)
{
    policy.naccepts = 0;
    ck_assert(admit_token(&policy, "web1", 1048577, 2, 0, &why));
    ck_assert_str_eq(why.text,
                     "no accept line for key web1; add: accept web1 * "
                     "memory=1025 vcpus=2, with disk= bridge= file= as needed");
    read_rules("accept web1 a memory=64\naccept web1 b vcpus=1\n"
               "accept web2 c");
    ck_assert(!admit_token(&policy, "web1", 65536, 128, 0, &why));
    ck_assert(!admit_token(&policy, "web1", 65537, 1, 0, &why));
    ck_assert(admit_token(&policy, "web1", 65537, 2, 0, &why));
    ck_assert_str_eq(why.text, "not allowed: accept line 2 (key web1) lacks "
                               "memory=65 vcpus=2");
    ck_assert(!admit_token(&policy, "web2", 1ULL << 40, 128, 0, &why));
    ck_assert(admit_token(&policy, "web3", 4096, 1, 0, &why));
    ck_assert(admit_token(&policy, "web2", 4096, 1, POLICY_DOM0, &why));
    ck_assert_str_eq(why.text, "not allowed: accept line 3 (key web2) lacks "
                               "allow=dom0");
    read_rules("accept web1 * allow=dom0,script");
    ck_assert(!admit_token(&policy, "web1", 4096, 1, POLICY_DOM0, &why));
    ck_assert(admit_token(&policy, "web3", 4096, 1, POLICY_DOM0, &why));
    ck_assert_str_eq(why.text,
                     "no accept line for key web3; add: accept web3 * memory=4 "
                     "vcpus=1 allow=dom0, with disk= bridge= file= as needed");
}
END_TEST

START_TEST(first_rule)
{
    read_rules("accept web2 *  disk=/ file=/ bridge=br0\n"
               "accept web1 db disk=/ file=/ bridge=br0\n"
               "accept web[13] web-* disk=/dev/vg\n"
               "accept web1 *  disk=/ file=/ bridge=br0\n");
    ck_assert(ask(base));
    ck_assert_str_eq(why.text,
                     "b_info.kernel: not allowed: accept line 3 (key web1) "
                     "lacks file=/boot/guest/vmlinuz");
    ck_assert(!ask_changed("web-1", "mail"));
    ck_assert_uint_eq(guest.rule->line, 4);
    policy.naccepts = 3;
    ck_assert(ask_changed("web-1", "mail"));
    ck_assert_str_eq(why.text,
                     "no accept line for key web1 and this guest; add: accept "
                     "web1 mail memory=1024 vcpus=1, with disk= bridge= file= "
                     "as needed");
    policy.naccepts = 0;
    ck_assert(ask(base));
}
END_TEST

/* A rule that says nothing allows no disk, no vif and no file. */
START_TEST(bare_rule)
{
    read_rules("accept * *");
    ck_assert(!ask("{\"c_info\":{\"type\":\"pvh\",\"name\":\"a\"},"
                   "\"b_info\":{\"max_memkb\":4096}}"));
    ck_assert(ask("{\"c_info\":{\"type\":\"pvh\",\"name\":\"a\"},\"b_info\":{"
                  "\"max_memkb\":4096},\"nics\":[{}]}"));
    ck_assert_ptr_nonnull(strstr(why.text, "nics[0]: not allowed"));
    ck_assert_ptr_nonnull(strstr(why.text, "lacks bridge=xenbr0"));
}
END_TEST

/* The longest things a refusal can hold leave their end in it. */
START_TEST(long_words)
{
    char path[256], rules[600];

    memset(path, 'p', 255);
    path[0] = '/';
    path[255] = 0;
    read_rule("");
    ck_assert(ask_changed("/dev/vg/a", path));
    ck_assert_str_eq(why.text + strlen(why.text) - 255, path);
    snprintf(rules, sizeof(rules), "accept x %.128s", path + 1);
    read_rules(rules);
    ck_assert(ask_changed("web-1", path + 56));
    ck_assert_ptr_nonnull(strstr(why.text, "no accept line for key web1 and"));
}
END_TEST

/* ---- docs/specs/policy.md ---- */

static char *doc;
static unsigned rows;

static void find_row(const char *path, const struct admit_field *f)
{
    static const char *const kinds[] = {
        [ADMIT_MAP] = "object",    [ADMIT_LIST] = "array",
        [ADMIT_TEXT] = "string",   [ADMIT_WORD] = "word",
        [ADMIT_BOOL] = "defbool",  [ADMIT_FLAG] = "bool",
        [ADMIT_NUMBER] = "number",
    };
    char row[512], max[32] = "", word[80] = "";
    unsigned bit = 0;

    if (f->max)
        snprintf(max, sizeof(max), " %llu", (unsigned long long)f->max);
    while (f->word >> bit > 1)
        bit++;
    if (f->word)
        snprintf(word, sizeof(word), "`%s`%s%s", policy_allow_words[bit],
                 f->free ? " unless " : "", f->free ? f->free->text : "");
    snprintf(row, sizeof(row), "\n| `%s` | %s%s | %s | %s |\n", path,
             kinds[f->kind], max, f->form ? f->form->text : "", word);
    ck_assert_msg(strstr(doc, row), "not in docs/specs/policy.md:%s", row);
    rows++;
}

START_TEST(document)
{
    const char *top = getenv("srcdir");
    static char name[4096];
    unsigned there = 0;
    size_t n;
    FILE *f;

    doc = text;
    rows = 0;
    snprintf(name, sizeof(name), "%s/docs/specs/policy.md", top ? top : ".");
    f = fopen(name, "r");
    ck_assert_ptr_nonnull(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    each_field(&admit_root, "", find_row);
    for (const char *c = doc; (c = strstr(c, "\n| `")); c++)
        there++;
    ck_assert_uint_eq(rows, there);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        good_ones, real_one,   bound_ones, every_word, refused_ones,
        ends,      elements,   memory,     vcpus,      count,
        token,     first_rule, bare_rule,  long_words, depth_and_size,
        document,  NULL,
    };

    return unit_main(unit_suite("admit", tests));
}
