/* SPDX-License-Identifier: GPL-2.0-only */
/* AK files, the list of accepted measurements, and what a source asks for. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "fix_quote.h"
#include "mext_attest.h"
#include "unit.h"

static char dir[64]; /* of the running test */
static struct mext_why why;
static struct mext_attest attest;

static void setup(void)
{
    struct mext_identity id;

    strcpy(dir, "/tmp/test_attest.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    fix_identity(&id, FIX_DEST);
    ck_assert_int_eq(mext_trust_add(dir, "dest", id.pk, false, &why), 0);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    return remove(path);
}

static void teardown(void)
{
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

static void says(const char *word)
{
    ck_assert_msg(strstr(why.text, word) != NULL, "\"%s\" without \"%s\"",
                  why.text, word);
}

/* ---- the text of an AK ---- */

static int parse(const char *text)
{
    struct mext_ak ak;

    return mext_ak_parse(text, strlen(text), &ak, &why);
}

START_TEST(ak_text)
{
    char text[MEXT_AK_TEXT_MAX];
    uint8_t committed[4096];
    struct mext_ak ak, got;
    size_t n;

    fix_ak(&ak, FIX_DEST);
    mext_ak_text(&ak, text);
    ck_assert_int_eq(mext_ak_parse(text, strlen(text), &got, &why), 0);
    ck_assert(!memcmp(&ak, &got, sizeof(ak)));
    n = unit_vector("ak", committed, sizeof(committed));
    ck_assert(n == strlen(text) && !memcmp(text, committed, n));
    ak.pinned = 0xffff;
    mext_ak_text(&ak, text);
    ck_assert_int_eq(parse(text), 0);
    ak.pinned = 0;
    mext_ak_text(&ak, text);
    ck_assert_int_eq(parse(text), 0);
}
END_TEST

/* Any other octet, a missing or an added one makes it another text. */
START_TEST(ak_text_changed)
{
    char text[MEXT_AK_TEXT_MAX], changed[MEXT_AK_TEXT_MAX];
    struct mext_ak ak, got;
    const char *pcrs;
    size_t n;

    fix_ak(&ak, FIX_DEST);
    mext_ak_text(&ak, text);
    n = strlen(text);
    pcrs = strstr(text, "pcr 0");
    for (size_t i = 0; i < n; i++) {
        memcpy(changed, text, n);
        changed[i] ^= 0x20; /* also the case of a letter */
        if (!mext_ak_parse(changed, n, &got, &why))
            ck_assert(memcmp(&ak, &got, sizeof(ak)) != 0);
        /* Lines of PCRs may be left out. */
        ck_assert_int_eq(
            mext_ak_parse(text, i, &got, &why),
            text + i == pcrs || text + i == strstr(pcrs, "pcr 15") ? 0 : -1);
        memmove(changed, text, i);
        changed[i] = ' ';
        memcpy(changed + i + 1, text + i, n - i);
        ck_assert_int_eq(mext_ak_parse(changed, n + 1, &got, &why), -1);
    }
}
END_TEST

START_TEST(ak_text_refused)
{
    static const struct {
        const char *from, *to;
    } cases[] = {
        { "v1", "v2" },
        { "public ", "public" },
        { "0x81006d78", "0x80006d78" },
        { "0x81006d78", "0x81806d78" },
        { "0x81006d78", "0x81006D78" },
        { "0x81006d78", "0x081006d78" },
        { "measure 23", "measure 15" },
        { "measure 23", "measure 24" },
        { "measure 23", "measure 023" },
        { "pcr 0", "pcr 15" },
        { "pcr 0", "pcr 16" },
        { "pcr 15 6f", "pcr 15 6F" },
        { "pcr 15 6f", "pcr 15 " },
        { "pcr 15 6f", "pcr 15 6f6f" },
        { "pcr 15 6f", "pcr 15\n6f" },
        { "\npcr 15", "\n\npcr 15" },
        { "\npcr 15", "\r\npcr 15" },
    };
    char text[MEXT_AK_TEXT_MAX], changed[MEXT_AK_TEXT_MAX];
    struct mext_ak ak;

    fix_ak(&ak, FIX_DEST);
    mext_ak_text(&ak, text);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *at = strstr(text, cases[i].from);

        ck_assert_ptr_nonnull(at);
        snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text,
                 cases[i].to, at + strlen(cases[i].from));
        ck_assert_msg(parse(changed) == -1, "%s", cases[i].to);
    }
    /* 0 before 15, not behind it */
    ck_assert_int_eq(parse(""), -1);
}
END_TEST

/* Each octet of the key's public part but for the point is as it must be. */
START_TEST(ak_public)
{
    struct mext_ak ak, got;

    fix_ak(&ak, FIX_DEST);
    for (size_t i = 0; i < ak.public_len; i++) {
        bool point = (i >= 24 && i < 56) || i >= 58;

        ak.public[i] ^= 1;
        ck_assert_msg(mext_ak_public(ak.public, ak.public_len, &got, &why) ==
                          (point ? 0 : -1),
                      "octet %zu", i);
        ak.public[i] ^= 1;
        ck_assert_int_eq(mext_ak_public(ak.public, i, &got, &why), -1);
    }
    ak.public[ak.public_len] = 0;
    ck_assert_int_eq(mext_ak_public(ak.public, ak.public_len + 1u, &got, &why),
                     -1);
    ck_assert_int_eq(mext_ak_public(ak.public, MEXT_AK_PUBLIC_MAX, &got, &why),
                     -1);
}
END_TEST

/* ---- AK files ---- */

START_TEST(ak_files)
{
    static const char *const names[] = { NULL, "dest" };
    struct mext_ak ak, got;
    bool found = true;

    fix_ak(&ak, FIX_DEST);
    for (size_t i = 0; i < COUNT(names); i++) {
        memset(&got, 0, sizeof(got));
        ck_assert_int_eq(mext_ak_load(dir, names[i], &got, &found, &why), 0);
        ck_assert(!found);
        ck_assert_int_eq(mext_ak_add(dir, names[i], &ak, &why), 0);
        ck_assert_int_eq(mext_ak_load(dir, names[i], &got, &found, &why), 0);
        ck_assert(found && !memcmp(&ak, &got, sizeof(ak)));
        ck_assert_int_eq(mext_ak_add(dir, names[i], &ak, &why), -1);
        says("File exists");
    }
    ck_assert_int_eq(mext_ak_remove(dir, "dest", &why), 0);
    ck_assert_int_eq(mext_ak_remove(dir, "dest", &why), -1);
    says("cannot remove");
    ck_assert_int_eq(mext_ak_load(dir, "dest", &got, &found, &why), 0);
    ck_assert(!found);
}
END_TEST

START_TEST(ak_of_nobody)
{
    static const char *const names[] = { "nobody", "../dest", "", ".dest" };
    struct mext_ak ak;
    bool found;

    fix_ak(&ak, FIX_DEST);
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_int_eq(mext_ak_add(dir, names[i], &ak, &why), -1);
        ck_assert_int_eq(mext_ak_load(dir, names[i], &ak, &found, &why), -1);
        ck_assert_int_eq(mext_ak_remove(dir, names[i], &why), -1);
    }
}
END_TEST

/* A file that is there and cannot be used is never as if it were not. */
START_TEST(ak_file_refused)
{
    char path[256], other[256], big[MEXT_AK_TEXT_MAX + 2];
    struct mext_ak ak;
    bool found;

    put_file("trust.d/dest.ak", "xen-mext ak v1\n");
    ck_assert_int_eq(mext_ak_load(dir, "dest", &ak, &found, &why), -1);
    says("trust.d/dest.ak");
    snprintf(path, sizeof(path), "%s/trust.d/dest.ak", dir);
    ck_assert_int_eq(chmod(path, 0664), 0);
    ck_assert_int_eq(mext_ak_load(dir, "dest", &ak, &found, &why), -1);
    says("chmod go-w");
    memset(big, '\n', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    put_file("trust.d/dest.ak", big);
    ck_assert_int_eq(mext_ak_load(dir, "dest", &ak, &found, &why), -1);
    says("longer");
    snprintf(path, sizeof(path), "%s/trust.d/dest.ak", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_int_eq(mext_ak_load(dir, "dest", &ak, &found, &why), -1);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(mext_ak_load(dir, "dest", &ak, &found, &why), -1);
    says("regular");
}
END_TEST

/* ---- accepted measurements ---- */

#define H8  "01234567"
#define H   H8 H8 H8 H8 H8 H8 H8 H8
#define H8B "89abcdef"
#define B   H8B H8B H8B H8B H8B H8B H8B H8B
#define H8C "89ABCDEF"
#define C   H8C H8C H8C H8C H8C H8C H8C H8C

static int load(bool list)
{
    return mext_attest_load(&attest, dir, "dest", list, &why);
}

START_TEST(list_lines)
{
    static const struct {
        const char *text;
        int n; /* -1: refused */
        const char *where;
    } cases[] = {
        { "", 0, NULL },
        { "\n \n\t# nothing\r\n", 0, NULL },
        { H, 1, NULL },
        { H "\n", 1, NULL },
        { "  " H "\t# release\r\n" B "\n", 2, NULL },
        { H " " B " # both\n", 1, NULL },
        { C " " B "#both\n", 1, NULL },
        { H "\n" H "0\n", -1, ":2:" },
        { "#\n\n0123\n", -1, ":3:" },
        { H " mstrap.elf\n", -1, ":1:" },
        { H " " B " " H "\n", -1, ":1:" },
        { H " 0123\n", -1, ":1:" },
        { H "x\n", -1, ":1:" },
        { "sha256 " H "\n", -1, ":1:" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int rc;

        put_file(MEXT_ACCEPT_FILE, cases[i].text);
        rc = load(true);
        ck_assert_msg(rc == (cases[i].n < 0 ? -1 : 0), "case %zu: %s", i,
                      why.text);
        if (cases[i].where)
            says(cases[i].where);
        else
            ck_assert(attest.listed && attest.n == (unsigned)cases[i].n);
    }
}
END_TEST

START_TEST(list_too_long)
{
    char text[(MEXT_ACCEPT_MAX + 1) * sizeof(H) + 1] = "";

    for (unsigned i = 0; i < MEXT_ACCEPT_MAX; i++)
        strcat(text, H "\n");
    put_file(MEXT_ACCEPT_FILE, text);
    ck_assert_int_eq(load(true), 0);
    strcat(text, H "\n");
    put_file(MEXT_ACCEPT_FILE, text);
    ck_assert_int_eq(load(true), -1);
    says(":65:");
}
END_TEST

START_TEST(list_not_there)
{
    struct mext_receipt r;

    fix_receipt(&r);
    ck_assert_int_eq(load(true), 0);
    ck_assert(!attest.listed && !attest.tpm);
    ck_assert_int_eq(mext_attest_receipt(&attest, &r, &why), 0);
    /* --expect-mstrap says it all */
    put_file(MEXT_ACCEPT_FILE, "wrong\n");
    ck_assert_int_eq(load(false), 0);
    ck_assert(!attest.listed);
}
END_TEST

/* Whoever can write it says what is accepted. */
START_TEST(list_of_others)
{
    char path[256];

    put_file(MEXT_ACCEPT_FILE, H "\n");
    snprintf(path, sizeof(path), "%s/" MEXT_ACCEPT_FILE, dir);
    ck_assert_int_eq(chmod(path, 0646), 0);
    ck_assert_int_eq(load(true), -1);
    says("chmod go-w");
}
END_TEST

START_TEST(list_judges)
{
    char sha[65], blake[65], text[512];
    struct mext_receipt r;

    fix_receipt(&r);
    sodium_bin2hex(sha, sizeof(sha), r.measurement, MEXT_DIGEST_LEN);
    sodium_bin2hex(blake, sizeof(blake), r.measurement2, MEXT_DIGEST_LEN);
    for (unsigned i = 0; i < 6; i++) {
        static const char *const forms[] = {
            "%.0s%.0s",     B "%.0s%.0s\n",     "%s " B "%.0s\n",
            B "\n%s%.0s\n", B " \n%s %s # x\n", "%s " B "\n%1$s %2$s\n"
        };

        snprintf(text, sizeof(text), forms[i], sha, blake);
        put_file(MEXT_ACCEPT_FILE, text);
        ck_assert_int_eq(load(true), 0);
        ck_assert_msg(mext_attest_receipt(&attest, &r, &why) ==
                          (i < 3 ? -1 : 0),
                      "%s", text);
        if (i < 3)
            says(sha);
    }
}
END_TEST

/* ---- the TPM's word ---- */

static void evidence(struct mext_ctl *m, struct mext_evidence *e)
{
    fix_quote(e, NULL);
    m->type = MEXT_CTL_EVIDENCE;
    m->u.evidence.attest = e->attest;
    m->u.evidence.attest_len = e->attest_len;
    m->u.evidence.sig = e->sig;
    m->u.evidence.sig_len = e->sig_len;
}

START_TEST(tpm_wanted)
{
    uint8_t binding[MEXT_DIGEST_LEN];
    struct mext_evidence e;
    struct mext_receipt r;
    struct mext_ak ak;
    struct mext_ctl m;

    fix_ak(&ak, FIX_DEST);
    ck_assert_int_eq(mext_ak_add(dir, "dest", &ak, &why), 0);
    ck_assert_int_eq(load(true), 0);
    ck_assert(attest.tpm);
    fix_receipt(&r);
    ck_assert_int_eq(mext_attest_receipt(&attest, &r, &why), -1);
    says("TPM");
    r.attester = MEXT_ATTESTER_TPM;
    ck_assert_int_eq(mext_attest_receipt(&attest, &r, &why), 0);
    fix_binding(binding);
    evidence(&m, &e);
    ck_assert_int_eq(mext_attest_evidence(&attest, &r, binding, &m, &why), 0);
    e.sig[10] ^= 1;
    ck_assert_int_eq(mext_attest_evidence(&attest, &r, binding, &m, &why), -1);
    e.sig[10] ^= 1;
    r.measurement[0] ^= 1;
    ck_assert_int_eq(mext_attest_evidence(&attest, &r, binding, &m, &why), -1);
}
END_TEST

START_TEST(tpm_not_wanted)
{
    uint8_t binding[MEXT_DIGEST_LEN];
    struct mext_evidence e;
    struct mext_receipt r;
    struct mext_ctl m;

    ck_assert_int_eq(load(true), 0);
    fix_receipt(&r);
    r.attester = MEXT_ATTESTER_TPM;
    ck_assert_int_eq(mext_attest_receipt(&attest, &r, &why), 0);
    fix_binding(binding);
    evidence(&m, &e);
    memset(e.sig, 0xff, sizeof(e.sig));
    ck_assert_int_eq(mext_attest_evidence(&attest, &r, binding, &m, &why), 0);
}
END_TEST

START_TEST(tpm_file_unusable)
{
    put_file("trust.d/dest.ak", "");
    ck_assert_int_eq(load(true), -1);
}
END_TEST

/* ---- the receipt and what follows it, over a connection ---- */

/* What the destination sends behind a receipt: nothing, a message, evidence. */
static const struct {
    uint16_t attester;
    uint8_t sends; /* MEXT_CTL_*, 0: nothing */
    bool spoilt, enrolled;
    const char *says; /* NULL: accepted */
} talks[] = {
    { MEXT_ATTESTER_KEY, 0, false, false, NULL },
    { MEXT_ATTESTER_KEY, 0, true, false, "receipt is refused" },
    { MEXT_ATTESTER_KEY, 0, false, true, "does not vouch" },
    { MEXT_ATTESTER_TPM, MEXT_CTL_EVIDENCE, false, false, NULL },
    { MEXT_ATTESTER_TPM, MEXT_CTL_EVIDENCE, false, true, NULL },
    { MEXT_ATTESTER_TPM, MEXT_CTL_EVIDENCE, true, true, "refused" },
    { MEXT_ATTESTER_TPM, MEXT_CTL_RUNNING, false, true, "0x84" },
    { MEXT_ATTESTER_TPM, MEXT_CTL_RUNNING, false, false, "0x84" },
    { MEXT_ATTESTER_TPM, 0, false, true, "closed" },
};

static int hear(size_t i, struct mext_conn *c, struct mext_receipt *r_r)
{
    uint8_t bytes[MEXT_RECEIPT_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_token t;
    const struct mext_asked asked = { &t, digest, NULL };

    if (talks[i].attester == MEXT_ATTESTER_TPM)
        fix_tpm_receipt_bytes(bytes);
    else
        fix_receipt_bytes(bytes);
    bytes[MEXT_RECEIPT_LEN - 1] ^= talks[i].spoilt;
    fix_token(&t);
    fix_digest(digest);
    memset(&attest, 0, sizeof(attest));
    attest.tpm = talks[i].enrolled;
    fix_ak(&attest.ak, FIX_DEST);
    return mext_attest_hear(&attest, c, bytes, &asked, 60000, r_r, &why);
}

START_TEST(heard)
{
    struct mext_conn s, d;
    struct mext_ctl m = { 0 };
    struct mext_evidence e;
    struct mext_receipt r;
    struct mext_root root;
    int pair[2], rc;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
                     0);
    memset(&root, 7, sizeof(root));
    ck_assert_int_eq(mext_conn_init(&s, pair[0], &root, true, 0), 0);
    ck_assert_int_eq(mext_conn_init(&d, pair[1], &root, false, 0), 0);
    if (talks[_i].sends == MEXT_CTL_EVIDENCE)
        evidence(&m, &e);
    m.type = talks[_i].sends;
    if (m.type)
        ck_assert_int_eq(mext_conn_send(&d, &m, 100, &why), 0);
    mext_conn_close(&d);
    rc = hear(_i, &s, &r);
    mext_conn_close(&s);
    ck_assert_msg(rc == (talks[_i].says ? -1 : 0), "%s", why.text);
    if (talks[_i].says)
        says(talks[_i].says);
    else
        ck_assert_uint_eq(r.attester, talks[_i].attester);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        ak_text,       ak_text_changed, ak_text_refused,   ak_public,
        ak_files,      ak_of_nobody,    ak_file_refused,   list_lines,
        list_too_long, list_not_there,  list_of_others,    list_judges,
        tpm_wanted,    tpm_not_wanted,  tpm_file_unusable, NULL
    };

    Suite *s = unit_suite_in("attest", tests, setup, teardown);
    TCase *c = tcase_create("heard");

    tcase_add_loop_test(c, heard, 0, COUNT(talks));
    suite_add_tcase(s, c);
    return unit_main(s);
}
