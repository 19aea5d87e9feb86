/* SPDX-License-Identifier: GPL-2.0-only */
/* packetd.conf: its grammar, and what its lines say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy.h"
#include "unit.h"

#define P16 "pppppppppppppppp"
#define A4 \
    " address=192.0.2.1 address=192.0.2.2-192.0.2.3 address=192.0.2.4" \
    " address=192.0.2.5"
#define P128 P16 P16 P16 P16 P16 P16 P16 P16

static char path[] = "/tmp/policy.XXXXXX";
static struct policy policy;
static char errors[1024];

static void note_error(void *arg, unsigned line, const char *text)
{
    size_t n = strlen(errors);

    snprintf(errors + n, sizeof(errors) - n, "%u: %s; ", line, text);
}

static unsigned read_text(const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    errors[0] = 0;
    return policy_read(path, &policy, note_error, NULL);
}

static void make_file(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    close(mkstemp(path));
}

static void remove_file(void)
{
    unlink(path);
}

START_TEST(rules)
{
    ck_assert_uint_eq(read_text("# who may go where\n"
                                "\n"
                                "guest-migrate  web-* host2\t60 # nightly\n"
                                "guest-migrate db ha?.example* never\r\n"
                                "guest-migrate db * 0"),
                      0);
    ck_assert_uint_eq(policy.n, 3);
    ck_assert_uint_eq(policy_find(&policy, "web-1", "host2")->seconds, 60);
    ck_assert_ptr_null(policy_find(&policy, "web-1", "host3"));
    ck_assert_ptr_null(policy_find(&policy, "web-1", "host2:7011"));
    ck_assert_ptr_null(policy_find(&policy, "xweb-1", "host2"));
    /* the first that matches */
    ck_assert(policy_find(&policy, "db", "hat.example:1")->never);
    ck_assert(!policy_find(&policy, "db", "host2:7011")->never);
    ck_assert_ptr_null(policy_find(&policy, "dbx", "host2"));
}
END_TEST

START_TEST(no_file)
{
    unlink(path);
    ck_assert_uint_eq(policy_read(path, &policy, note_error, NULL), 0);
    ck_assert_uint_eq(policy.n, 0);
    ck_assert_ptr_null(policy_find(&policy, "a", "b"));
}
END_TEST

/* Lines that are refused, and a piece of what is said about them. */
static const struct {
    const char *line, *error;
} bad[] = {
    { "migrate a b 1", "unknown word" },
    { "Accept a b", "unknown word" },
    { "guest-migrate", "guest-migrate needs" },
    { "guest-migrate a b", "guest-migrate needs" },
    { "guest-migrate a b 1 2", "guest-migrate needs" },
    { "guest-migrate a b -1", "neither" },
    { "guest-migrate a b +1", "neither" },
    { "guest-migrate a b 1s", "neither" },
    { "guest-migrate a b 31536001", "neither" },
    { "guest-migrate a b 99999999999999999999", "neither" },
    { "guest-migrate a b Never", "neither" },
    { "guest-migrate a \xe9 1", "not printable" },
    { "guest-migrate " P128 "h b 1", "longer than 128" },
    { "guest-migrate a " P128 "h 1", "longer than 128" },
    { "accept", "accept needs" },
    { "accept a", "accept needs" },
    { "accept \x01 b", "not printable" },
    { "accept a \x7f", "not printable" },
    { "accept " P128 "h b", "longer than 128" },
    { "accept a " P128 "h", "longer than 128" },
    { "accept a b c", "unknown option" },
    { "accept a b memory", "unknown option" },
    { "accept a b Memory=4", "unknown option" },
    { "accept a b =4", "unknown option" },
    { "accept a b memory = 4", "unknown option" },
    { "accept a b memory=", "memory= is" },
    { "accept a b memory=3", "memory= is" },
    { "accept a b memory=1048577", "memory= is" },
    { "accept a b memory=18446744073709551620", "memory= is" },
    { "accept a b memory=1G", "memory= is" },
    { "accept a b memory=-4", "memory= is" },
    { "accept a b memory=4 memory=4", "memory= stands there twice" },
    { "accept a b vcpus=0", "vcpus= is" },
    { "accept a b vcpus=129", "vcpus= is" },
    { "accept a b vcpus=0x2", "vcpus= is" },
    { "accept a b vcpus=1 vcpus=2", "vcpus= stands there twice" },
    { "accept a b address=", "address= is" },
    { "accept a b address=192.0.2", "address= is" },
    { "accept a b address=192.0.2.1/24", "address= is" },
    { "accept a b address=0.0.0.0", "address= is" },
    { "accept a b address=192.0.2.2-192.0.2.1", "address= is" },
    { "accept a b address=192.0.2.1-", "address= is" },
    { "accept a b address=2001:db8::1", "address= is" },
    { "accept a b" A4 A4 " address=192.0.2.9", "more than 8 address=" },
    { "accept a b guests=0", "guests= is" },
    { "accept a b guests=65536", "guests= is" },
    { "accept a b guests=1 guests=1", "guests= stands there twice" },
    { "accept a b disk=", "absolute" },
    { "accept a b disk=dev/vg", "absolute" },
    { "accept a b disk=/dev//vg", "absolute" },
    { "accept a b disk=//", "absolute" },
    { "accept a b disk=/dev/./vg", "absolute" },
    { "accept a b disk=/dev/../vg", "absolute" },
    { "accept a b disk=/dev/..", "absolute" },
    { "accept a b disk=/.", "absolute" },
    { "accept a b disk=/dev/*", "absolute" },
    { "accept a b disk=/dev/\xc3\xa9", "absolute" },
    { "accept a b disk=/dev/a,b", "absolute" },
    { "accept a b file=/boot/$x", "absolute" },
    { "accept a b file=/" P128 P128, "absolute" },
    { "accept a b disk=/1 disk=/2 disk=/3 disk=/4 disk=/5 disk=/6 disk=/7 "
      "disk=/8 disk=/9",
      "more than 8" },
    { "accept a b file=/1 file=/2 file=/3 file=/4 file=/5 file=/6 file=/7 "
      "file=/8 file=/9",
      "more than 8" },
    { "accept a b bridge=", "name of a bridge" },
    { "accept a b bridge=.5", "name of a bridge" },
    { "accept a b bridge=-x", "name of a bridge" },
    { "accept a b bridge=br/0", "name of a bridge" },
    { "accept a b bridge=br0:5", "name of a bridge" },
    { "accept a b bridge=br*", "name of a bridge" },
    { "accept a b bridge=hhhhhhhhhhhhhhhh", "name of a bridge" },
    { "accept a b bridge=br0.0", "VLANs" },
    { "accept a b bridge=br0.4095", "VLANs" },
    { "accept a b bridge=br0.5-", "VLANs" },
    { "accept a b bridge=br0.5-4", "VLANs" },
    { "accept a b bridge=br0.5-4095", "VLANs" },
    { "accept a b bridge=br0.5x", "VLANs" },
    { "accept a b bridge=br0.5-6-7", "VLANs" },
    { "accept a b bridge=br0.18446744073709551617", "VLANs" },
    { "accept a b bridge=1 bridge=2 bridge=3 bridge=4 bridge=5 bridge=6 "
      "bridge=7 bridge=8 bridge=9 bridge=10 bridge=11 bridge=12 bridge=13 "
      "bridge=14 bridge=15 bridge=16 bridge=17",
      "more than 16" },
    { "accept a b allow=", "unknown word" },
    { "accept a b allow=all", "unknown word" },
    { "accept a b allow=script,", "unknown word" },
    { "accept a b allow=,script", "unknown word" },
    { "accept a b allow=script,,vifname", "unknown word" },
    { "accept a b allow=scrip", "unknown word" },
    { "accept a b allow=scripts", "unknown word" },
    { "accept a b allow=SCRIPT", "unknown word" },
};

START_TEST(bad_lines)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(read_text(bad[i].line) == 1, "case %zu: %s", i,
                      bad[i].line);
        ck_assert_msg(strstr(errors, bad[i].error), "case %zu: %s: %s", i,
                      bad[i].line, errors);
    }
    ck_assert_uint_eq(read_text("guest-migrate a b 1\nx\n\naccept c\n"), 2);
    ck_assert_ptr_nonnull(strstr(errors, "2: unknown"));
    ck_assert_ptr_nonnull(strstr(errors, "4: accept needs"));
}
END_TEST

START_TEST(accept_lines)
{
    const struct policy_accept *r;

    ck_assert_uint_eq(
        read_text("accept h1 web-* memory=4 vcpus=128 guests=65535 "
                  "disk=/dev/vg/ disk=/srv/x file=/ bridge=br0 bridge=b.r.7 "
                  "bridge=br0.1-4094 allow=script,backend allow=xsm-label # x\n"
                  "guest-migrate x * 0\n"
                  "accept h1 * memory=1048576\n"
                  "accept * web-9\n"),
        0);
    ck_assert_uint_eq(policy.naccepts, 3);
    r = policy_accept_find(&policy, "h1", "web-9");
    ck_assert_ptr_eq(r, &policy.accepts[0]);
    ck_assert_uint_eq(r->line, 1);
    ck_assert_uint_eq(r->memory_kib, 4096);
    ck_assert_uint_eq(r->vcpus, 128);
    ck_assert_uint_eq(r->guests, 65535);
    ck_assert_uint_eq(r->allow,
                      POLICY_SCRIPT | POLICY_BACKEND | POLICY_XSM_LABEL);
    ck_assert_uint_eq(r->disks.n, 2);
    ck_assert_uint_eq(r->files.n, 1);
    ck_assert_uint_eq(r->nbridges, 3);
    r = policy_accept_find(&policy, "h1", "db");
    ck_assert_uint_eq(r->line, 3);
    ck_assert_uint_eq(r->memory_kib, 1048576ULL << 10);
    ck_assert_uint_eq(r->vcpus + r->guests + r->allow + r->disks.n +
                          r->files.n + r->nbridges,
                      0);
    ck_assert_uint_eq(policy_accept_find(&policy, "h2", "web-9")->line, 4);
    ck_assert_ptr_null(policy_accept_find(&policy, "h2", "web-1"));
    ck_assert_ptr_null(policy_accept_find(&policy, "H1", "db"));
}
END_TEST

/* Each word has its bit, and all of them can stand in one line. */
START_TEST(allow_words)
{
    unsigned all = 0;

    for (unsigned i = 0; policy_allow_words[i]; i++) {
        char line[64];

        snprintf(line, sizeof(line), "accept a b allow=%s",
                 policy_allow_words[i]);
        ck_assert_uint_eq(read_text(line), 0);
        ck_assert_uint_eq(policy.accepts[0].allow, 1U << i);
        all |= 1U << i;
    }
    ck_assert_uint_eq(all, 2U * POLICY_XSM_LABEL - 1);
}
END_TEST

START_TEST(paths)
{
    static const char *const good[] = { "/dev/vg", "/dev/vg/x", "/a/b",
                                        "/a/b/c",  "/a/..b",    "/a/...",
                                        "/f",      "/f/g" };
    static const char *const outside[] = { "/dev/vg2", "/dev", "/a",   "/ab",
                                           "/x",       "/F",   "/a/bc" };
    static const char *const no_paths[] = {
        "",
        "a",
        "/",
        "/dev/vg/",
        "/dev/vg/../sda",
        "//a",
        "/a//b",
        "/a/b/.",
        "/a/b/..",
        "/./a",
        "/a b",
        "/a\n",
        "/a*",
        "/a?",
        "/a\\b",
        "/a;b",
        "/a'b",
        "/a\"b",
        "/a`b",
        "/a$b",
        "/a\xff",
        "/a(b",
        "/a|b",
        "/a&b",
        "/a<b",
        "/" P128 P128,
        "/a,b",
        "/a#b",
        "/a[b",
        "/a{b",
    };

    ck_assert_uint_eq(
        read_text("accept a b disk=/dev/vg disk=/a/b disk=/a/..b disk=/a/... "
                  "disk=/f\n"
                  "accept a b disk=/\naccept a b disk=/a/\naccept a b"),
        0);
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(policy_path_plain(good[i], false), "%s", good[i]);
        ck_assert_msg(policy_path_within(&policy.accepts[0].disks, good[i]),
                      "%s", good[i]);
        ck_assert(policy_path_within(&policy.accepts[1].disks, good[i]));
        ck_assert(!policy_path_within(&policy.accepts[3].disks, good[i]));
    }
    for (size_t i = 0; i < COUNT(outside); i++) {
        ck_assert_msg(policy_path_plain(outside[i], false), "%s", outside[i]);
        ck_assert_msg(!policy_path_within(&policy.accepts[0].disks, outside[i]),
                      "%s", outside[i]);
    }
    for (size_t i = 0; i < COUNT(no_paths); i++)
        ck_assert_msg(!policy_path_plain(no_paths[i], false), "%s",
                      no_paths[i]);
    ck_assert(policy_path_plain("/", true) && policy_path_plain("/a/", true));
    ck_assert(policy_path_within(&policy.accepts[2].disks, "/a/b"));
    ck_assert(!policy_path_within(&policy.accepts[2].disks, "/a"));
    ck_assert(!policy_path_within(&policy.accepts[2].disks, "/ab"));
}
END_TEST

START_TEST(bridges)
{
    static const char *const good[] = { "br0",    "ovs.20", "ovs.21",
                                        "ovs.30", "ovs.7",  "b.r" };
    static const char *const outside[] = {
        "",       "br",      "br00",    "br0.1",   "ovs",
        "ovs.19", "ovs.31",  "ovs.020", "ovs.+20", "ovs.20x",
        "ovs.",   "ovs. 20", "ovs.0",   "ovs.20.", "ovs.20:25",
        "ovs:20", "ovs.2 0", "b",       "b.r.1",   "ovs.18446744073709551636",
    };

    ck_assert_uint_eq(read_text("accept a b bridge=br0 bridge=ovs.20-30 "
                                "bridge=ovs.7 bridge=b.r\naccept a b"),
                      0);
    for (size_t i = 0; i < COUNT(good); i++) {
        ck_assert_msg(policy_bridge_allowed(&policy.accepts[0], good[i]), "%s",
                      good[i]);
        ck_assert(!policy_bridge_allowed(&policy.accepts[1], good[i]));
    }
    for (size_t i = 0; i < COUNT(outside); i++)
        ck_assert_msg(!policy_bridge_allowed(&policy.accepts[0], outside[i]),
                      "%s", outside[i]);
}
END_TEST

/* So many lines of each kind; that many and one more. */
static void fill(const char *format, char *text)
{
    size_t n = 0;

    for (unsigned i = 0; i < POLICY_RULES_MAX; i++)
        n += (size_t)sprintf(text + n, format, i);
    ck_assert_uint_eq(read_text(text), 0);
    sprintf(text + n, format, POLICY_RULES_MAX);
    ck_assert_uint_eq(read_text(text), 1);
    ck_assert_ptr_nonnull(strstr(errors, "257: more than 256"));
}

START_TEST(limits)
{
    static char text[POLICY_RULES_MAX * 32 + 64];

    fill("guest-migrate g%u h 1\n", text);
    fill("accept h g%u\n", text);
    /* the rest of a long line is not another line */
    memset(text, ' ', POLICY_LINE_MAX + 1);
    strcpy(text + POLICY_LINE_MAX + 1, "guest-migrate a b 1\n");
    ck_assert_uint_eq(read_text(text), 1);
    ck_assert_str_eq(errors, "1: longer than 4094 bytes; ");
    text[POLICY_LINE_MAX] = '\n';
    ck_assert_uint_eq(read_text(text), 0);
    ck_assert_uint_eq(policy.n, 1);
    strcpy(text, "accept a b");
    for (unsigned i = 3; i < 64; i++)
        strcat(text, " disk=/");
    ck_assert_uint_eq(read_text(text), 1);
    ck_assert_ptr_nonnull(strstr(errors, "more than 8"));
    strcat(text, " disk=/");
    ck_assert_uint_eq(read_text(text), 1);
    ck_assert_ptr_nonnull(strstr(errors, "more than 64 words"));
}
END_TEST

/* A line must not end, for us, before it does for who reads the file. */
START_TEST(zero_byte)
{
    char text[] = "accept a b memory=4\0vcpus=1\naccept c d";
    FILE *f = fmemopen(text, sizeof(text) - 1, "r");

    errors[0] = 0;
    ck_assert_uint_eq(policy_parse(f, &policy, note_error, NULL), 1);
    ck_assert_str_eq(errors, "1: has a byte that is zero; ");
    fclose(f);
}
END_TEST

START_TEST(not_a_file)
{
    errors[0] = 0;
    ck_assert_uint_eq(policy_read("/dev", &policy, note_error, NULL), 1);
    ck_assert_str_eq(errors, "0: not a file; ");
    errors[0] = 0;
    ck_assert_uint_eq(policy_read("/dev/null/x", &policy, note_error, NULL), 1);
    ck_assert_ptr_nonnull(strstr(errors, "0: "));
}
END_TEST

START_TEST(writable_by_others)
{
    read_text("guest-migrate a b 1\n");
    chmod(path, 0620);
    ck_assert_uint_eq(policy_read(path, &policy, note_error, NULL), 1);
    ck_assert_ptr_nonnull(strstr(errors, "others may write"));
}
END_TEST

/* Of any line of that key; both ends belong to it. */
START_TEST(addresses)
{
    static const struct {
        const char *key;
        uint32_t ip;
        bool allowed;
    } rows[] = {
        { "h1", 0xc000020a, true },  { "h1", 0xc0000214, true },
        { "h1", 0xc0000209, false }, { "h1", 0xc0000215, false },
        { "h1", 0xc0000251, true },  { "h2", 0xc0000251, true },
        { "h2", 0xc000020a, false }, { "h1", 0, false },
    };

    ck_assert_uint_eq(
        read_text("accept h1 web address=192.0.2.10-192.0.2.20\n"
                  "accept h? db address=192.0.2.80 address=192.0.2.81\n"),
        0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_msg(policy_address_allowed(&policy, rows[i].key,
                                             rows[i].ip) == rows[i].allowed,
                      "row %zu", i);
}
END_TEST

/* What a refusal proposes allows just that. */
START_TEST(proposed_line)
{
    char line[300];

    policy_line("a*[b]?\\c", "host2:7011", line, sizeof(line));
    ck_assert_uint_eq(read_text(line), 0);
    ck_assert_ptr_nonnull(policy_find(&policy, "a*[b]?\\c", "host2:7011"));
    ck_assert_ptr_null(policy_find(&policy, "axxbx\\c", "host2:7011"));
    ck_assert_ptr_null(policy_find(&policy, "a*[b]?\\c", "host2"));
    policy_line("my #1", "host2", line, sizeof(line));
    ck_assert_str_eq(line, "guest-migrate my??1 host2 600");
}
END_TEST

START_TEST(proposed_accept_line)
{
    const struct policy_accept *r;
    char line[300];

    policy_accept_line("h-1.x_", "a*[b]?\\c", 4097, 3, line, sizeof(line));
    ck_assert_uint_eq(read_text(line), 0);
    r = policy_accept_find(&policy, "h-1.x_", "a*[b]?\\c");
    ck_assert_uint_eq(r->memory_kib, 5 << 10);
    ck_assert_uint_eq(r->vcpus, 3);
    ck_assert_ptr_null(policy_accept_find(&policy, "h-1.x_", "axxbx\\c"));
    ck_assert_ptr_null(policy_accept_find(&policy, "h-1xx_", "a*[b]?\\c"));
    policy_accept_line("h", NULL, 4096, 1, line, sizeof(line));
    ck_assert_str_eq(line, "accept h * memory=4 vcpus=1");
}
END_TEST

/* Nothing in the example counts as it is; what it proposes is a policy. */
START_TEST(example)
{
    const char *top = getenv("srcdir");
    static char name[4096], text[16384];
    size_t n, lines = 0;
    FILE *f;

    snprintf(name, sizeof(name), "%s/docs/packetd.conf.example",
             top ? top : ".");
    f = fopen(name, "r");
    ck_assert_ptr_nonnull(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    ck_assert_uint_eq(read_text(text), 0);
    ck_assert_uint_eq(policy.n + policy.naccepts, 0);
    for (char *c = text; (c = strstr(c, "\n#")); c++)
        if (c[2] != ' ' && c[2] != '\n' && c[2] != '#') {
            c[1] = ' ';
            lines++;
        }
    ck_assert_uint_eq(read_text(text), 0);
    ck_assert_uint_eq(policy.n + policy.naccepts, lines);
    ck_assert_uint_gt(policy.n, 0);
    ck_assert_uint_gt(policy.naccepts, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        rules,         no_file,
        not_a_file,    bad_lines,
        limits,        zero_byte,
        accept_lines,  allow_words,
        paths,         bridges,
        addresses,     writable_by_others,
        proposed_line, proposed_accept_line,
        example,       NULL,
    };

    return unit_main(unit_suite_in("policy", tests, make_file, remove_file));
}
