/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attester, packetd's words for its key and the verifier, with a TPM of
 * swtpm: what it quotes is accepted, and nothing else that it can be made to
 * quote.
 */
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tss2/tss2_mu.h>

#include "akcmd.h"
#include "attest.h"
#include "fix_quote.h"
#include "tpm.h"
#include "unit.h"

#define OTHER_PCR 16 /* can be reset as well */

static char dir[64];   /* of the running test: sockets, state, keys */
static char tcti[128]; /* its TPM */
static char how[160];  /* "tpm:" and that */
static pid_t swtpm;
static struct mext_why why;
static uint8_t binding[MEXT_DIGEST_LEN], measurement[MEXT_DIGEST_LEN];

/* ---- a TPM for each test ---- */

static void run_swtpm(void)
{
    char state[96], server[128], ctrl[128], pid[128];
    int null = open("/dev/null", O_WRONLY);

    snprintf(state, sizeof(state), "dir=%s", dir);
    snprintf(server, sizeof(server), "type=unixio,path=%s/tpm", dir);
    snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s/tpm.ctrl", dir);
    snprintf(pid, sizeof(pid), "file=%s/pid", dir);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state,
           "--server", server, "--ctrl", ctrl, "--pid", pid, "--flags",
           "not-need-init,startup-clear", (char *)NULL);
    _exit(127);
}

/*
 * It writes its process id, here into a FIFO, once its sockets are there; if it
 * ends before, a pipe that only it holds is closed.
 */
static void start_tpm(void)
{
    struct pollfd pf[2] = { { .events = POLLIN }, { .events = POLLIN } };
    char path[128];
    int fds[2];

    snprintf(path, sizeof(path), "%s/pid", dir);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    pf[0].fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pipe(fds), 0);
    pf[1].fd = fds[0];
    swtpm = fork();
    ck_assert_int_ge(swtpm, 0);
    if (!swtpm)
        run_swtpm();
    close(fds[1]);
    ck_assert_int_gt(poll(pf, 2, -1), 0);
    ck_assert_msg(pf[0].revents & POLLIN, "swtpm does not start");
    close(pf[0].fd);
    close(pf[1].fd);
}

static void stop_tpm(void)
{
    kill(swtpm, SIGTERM);
    waitpid(swtpm, NULL, 0);
}

static void setup(void)
{
    strcpy(dir, "/tmp/test_tpm.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(tcti, sizeof(tcti), "swtpm:path=%s/tpm", dir);
    snprintf(how, sizeof(how), "tpm:%s", tcti);
    fix_binding(binding);
    fix_measurement(measurement);
    start_tpm();
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    return remove(path);
}

static void teardown(void)
{
    stop_tpm();
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void says(const char *word)
{
    ck_assert_msg(strstr(why.text, word) != NULL, "\"%s\" without \"%s\"",
                  why.text, word);
}

/* ---- packetd's words, and what they print ---- */

/* Runs the words with --dir and --tcti; all that is printed is in out. */
static int words(char out[MEXT_AK_TEXT_MAX], const char *const *w)
{
    char *argv[16] = { "ak" };
    int argc = 1, rc;
    int saved[] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
    FILE *f = tmpfile();
    size_t n;

    while (*w)
        argv[argc++] = (char *)*w++;
    argv[argc++] = "--dir";
    argv[argc++] = dir;
    argv[argc++] = "--tcti";
    argv[argc++] = tcti;
    dup2(fileno(f), STDOUT_FILENO);
    dup2(fileno(f), STDERR_FILENO);
    rc = packetd_akcmd(argc, argv);
    fflush(stdout);
    dup2(saved[0], STDOUT_FILENO);
    dup2(saved[1], STDERR_FILENO);
    close(saved[0]);
    close(saved[1]);
    rewind(f);
    n = fread(out, 1, MEXT_AK_TEXT_MAX - 1, f);
    out[n] = 0;
    fclose(f);
    return rc;
}

#define WORDS(out, ...) words(out, (const char *const[]){ __VA_ARGS__, NULL })

/* Creates an AK and returns it as it was printed. */
static void create(struct mext_ak *ak_r)
{
    char text[MEXT_AK_TEXT_MAX];

    ck_assert_int_eq(WORDS(text, "create", "--platform", "0,7"), 0);
    ck_assert_int_eq(mext_ak_parse(text, strlen(text), ak_r, &why), 0);
}

/* ---- the TPM, besides the attester ---- */

static void extend(unsigned pcr, TPM2_ALG_ID bank, bool reset)
{
    TPML_DIGEST_VALUES v = { .count = 1 };
    struct tpm t;

    ck_assert_int_eq(tpm_open(&t, tcti, &why), 0);
    if (reset)
        ck_assert_uint_eq(Esys_PCR_Reset(t.esys, pcr, ESYS_TR_PASSWORD,
                                         ESYS_TR_NONE, ESYS_TR_NONE),
                          0);
    v.digests[0].hashAlg = bank;
    memcpy(v.digests[0].digest.sha256, measurement, MEXT_DIGEST_LEN);
    ck_assert_uint_eq(Esys_PCR_Extend(t.esys, pcr, ESYS_TR_PASSWORD,
                                      ESYS_TR_NONE, ESYS_TR_NONE, &v),
                      0);
    tpm_close(&t);
}

/* A quote as anybody may have one made, by the key of ak. */
static void quote(const struct mext_ak *ak, TPM2_ALG_ID bank, uint32_t pcrs,
                  struct mext_evidence *e_r)
{
    TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
    TPM2B_DATA data = { .size = MEXT_DIGEST_LEN };
    TPML_PCR_SELECTION s;
    TPM2B_ATTEST *attest;
    TPMT_SIGNATURE *sig;
    struct tpm t;
    size_t n = 0;
    ESYS_TR key;

    memcpy(data.buffer, binding, MEXT_DIGEST_LEN);
    tpm_select(&s, pcrs);
    s.pcrSelections[0].hash = bank;
    ck_assert_int_eq(tpm_open(&t, tcti, &why), 0);
    ck_assert_int_eq(tpm_ak(&t, ak, &key, &why), 0);
    ck_assert_uint_eq(Esys_Quote(t.esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                 ESYS_TR_NONE, &data, &scheme, &s, &attest,
                                 &sig),
                      0);
    tpm_close(&t);
    memcpy(e_r->attest, attest->attestationData, attest->size);
    e_r->attest_len = attest->size;
    ck_assert_uint_eq(
        Tss2_MU_TPMT_SIGNATURE_Marshal(sig, e_r->sig, sizeof(e_r->sig), &n), 0);
    e_r->sig_len = (uint16_t)n;
    Esys_Free(attest);
    Esys_Free(sig);
}

static int verify(const struct mext_evidence *e, const struct mext_ak *ak)
{
    return mext_quote_verify(e->attest, e->attest_len, e->sig, e->sig_len, ak,
                             binding, measurement, &why);
}

/* As packetd does, at its start and for a receipt. */
static void attested(struct mext_evidence *e_r)
{
    struct attester *a;

    ck_assert_msg(!attest_open(how, dir, &a, &why), "%s", why.text);
    ck_assert_uint_eq(a->type, MEXT_ATTESTER_TPM);
    ck_assert_msg(!attest_measure(a, measurement, &why), "%s", why.text);
    attest_close(a);
    ck_assert_int_eq(attest_open(how, dir, &a, &why), 0);
    ck_assert_msg(!attest_evidence(a, binding, e_r, &why), "%s", why.text);
    attest_close(a);
}

/* ---- the attester ---- */

START_TEST(accepted)
{
    struct mext_evidence e;
    struct mext_ak ak;

    create(&ak);
    for (unsigned i = 0; i < 3; i++) {
        attested(&e);
        ck_assert_msg(!verify(&e, &ak), "%s", why.text);
    }
}
END_TEST

START_TEST(of_something_else)
{
    struct mext_evidence e;
    struct mext_ak ak, other;

    create(&ak);
    attested(&e);
    fix_ak(&other, FIX_DEST);
    ck_assert_int_eq(verify(&e, &other), -1);
    says("AK");
    other = ak;
    other.measure = OTHER_PCR;
    ck_assert_int_eq(verify(&e, &other), -1);
    says("other PCRs");
    other = ak;
    other.pinned = 0;
    ck_assert_int_eq(verify(&e, &other), -1);
    says("other PCRs");
    other = ak;
    other.pcr[7][0] ^= 1;
    ck_assert_int_eq(verify(&e, &other), -1);
    says("hold");
    measurement[0] ^= 1;
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("hold");
    measurement[0] ^= 1;
    binding[0] ^= 1;
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("another receipt");
}
END_TEST

START_TEST(each_octet)
{
    struct mext_evidence e, cut;
    struct mext_ak ak;

    create(&ak);
    attested(&e);
    for (size_t i = 0; i < e.attest_len; i++) {
        e.attest[i] ^= 0x10;
        ck_assert_int_eq(verify(&e, &ak), -1);
        e.attest[i] ^= 0x10;
        cut = e;
        cut.attest_len = (uint16_t)i;
        ck_assert_int_eq(verify(&cut, &ak), -1);
    }
    for (size_t i = 0; i < e.sig_len; i++) {
        e.sig[i] ^= 0x10;
        ck_assert_int_eq(verify(&e, &ak), -1);
        e.sig[i] ^= 0x10;
        cut = e;
        cut.sig_len = (uint16_t)i;
        ck_assert_int_eq(verify(&cut, &ak), -1);
    }
    ck_assert_int_eq(verify(&e, &ak), 0);
}
END_TEST

START_TEST(other_quotes)
{
    struct mext_evidence e;
    struct mext_ak ak;
    uint32_t pcrs;

    create(&ak);
    attested(&e);
    pcrs = ak.pinned | 1u << ak.measure;
    quote(&ak, TPM2_ALG_SHA256, pcrs, &e);
    ck_assert_int_eq(verify(&e, &ak), 0);
    quote(&ak, TPM2_ALG_SHA1, pcrs, &e);
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("other PCRs");
    quote(&ak, TPM2_ALG_SHA256, pcrs | 2, &e);
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("other PCRs");
    extend(OTHER_PCR, TPM2_ALG_SHA256, true);
    quote(&ak, TPM2_ALG_SHA256, ak.pinned | 1u << OTHER_PCR, &e);
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("other PCRs");
}
END_TEST

/* Whoever measures besides packetd is seen. */
START_TEST(extended_twice)
{
    struct mext_evidence e;
    struct mext_ak ak;

    create(&ak);
    attested(&e);
    extend(ak.measure, TPM2_ALG_SHA256, false);
    quote(&ak, TPM2_ALG_SHA256, ak.pinned | 1u << ak.measure, &e);
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("hold");
    attested(&e);
    ck_assert_int_eq(verify(&e, &ak), 0);
    extend(0, TPM2_ALG_SHA256, false);
    attested(&e);
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("hold");
}
END_TEST

/* Not measured since the TPM was started. */
START_TEST(after_restart)
{
    struct mext_evidence e;
    struct mext_ak ak;

    create(&ak);
    attested(&e);
    stop_tpm();
    start_tpm();
    quote(&ak, TPM2_ALG_SHA256, ak.pinned | 1u << ak.measure, &e);
    ck_assert_int_eq(verify(&e, &ak), -1);
    says("hold");
    attested(&e);
    ck_assert_int_eq(verify(&e, &ak), 0);
}
END_TEST

START_TEST(key_alone)
{
    struct mext_evidence e;
    struct attester *a;

    ck_assert_int_eq(attest_open("key", dir, &a, &why), 0);
    ck_assert_uint_eq(a->type, MEXT_ATTESTER_KEY);
    ck_assert_int_eq(attest_measure(a, measurement, &why), 0);
    ck_assert_int_eq(attest_evidence(a, binding, &e, &why), 0);
    ck_assert_uint_eq(e.attest_len | e.sig_len, 0);
    attest_close(a);
    attest_close(NULL);
}
END_TEST

START_TEST(not_opened)
{
    static const char *const bad[] = { "", "tpm:", "TPM", "keys", "tpmx" };
    struct mext_ak ak, mine;
    struct attester *a;

    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_int_eq(attest_open(bad[i], dir, &a, &why), -1);
        says("neither");
    }
    ck_assert_int_eq(attest_open(how, dir, &a, &why), -1);
    says("ak create");
    /* an AK of another TPM, at a handle that is free or is not */
    fix_ak(&ak, FIX_DEST);
    ck_assert_int_eq(mext_ak_add(dir, NULL, &ak, &why), 0);
    ck_assert_int_eq(attest_open(how, dir, &a, &why), -1);
    says("find the AK");
    ck_assert_int_eq(attest_open("tpm:nonsense", dir, &a, &why), -1);
    says("no TPM 2.0");
    unlink(strcat(strcpy((char[128]){ 0 }, dir), "/host.ak"));
    create(&mine);
    unlink(strcat(strcpy((char[128]){ 0 }, dir), "/host.ak"));
    ck_assert_int_eq(mext_ak_add(dir, NULL, &ak, &why), 0);
    ck_assert_int_eq(attest_open(how, dir, &a, &why), -1);
    says("another key");
}
END_TEST

/* A PCR that cannot be reset from here: not made, and if a file has it, told. */
START_TEST(no_such_reset)
{
    char text[MEXT_AK_TEXT_MAX];
    struct attester *a;
    struct mext_ak ak;
    bool there;

    ck_assert_int_eq(WORDS(text, "create", "--pcr", "17"), 2);
    create(&ak);
    ak.measure = 17;
    unlink(strcat(strcpy((char[128]){ 0 }, dir), "/host.ak"));
    ck_assert_int_eq(mext_ak_add(dir, NULL, &ak, &why), 0);
    ck_assert_int_eq(mext_ak_load(dir, NULL, &ak, &there, &why), 0);
    ck_assert_uint_eq(ak.measure, 17);
    ck_assert_int_eq(attest_open(how, dir, &a, &why), 0);
    ck_assert_int_eq(attest_measure(a, measurement, &why), -1);
    says("measure into");
    attest_close(a);
}
END_TEST

/* ---- words ---- */

START_TEST(create_and_show)
{
    char first[MEXT_AK_TEXT_MAX], text[MEXT_AK_TEXT_MAX];
    char path[128];

    ck_assert_int_eq(WORDS(text, "show"), 1);
    ck_assert_ptr_nonnull(strstr(text, "packetd ak create"));
    ck_assert_int_eq(WORDS(first, "create", "--platform", "0,7", "--handle",
                           "0x81000123", "--pcr", "16"),
                     0);
    ck_assert_ptr_nonnull(strstr(first, "\nhandle 0x81000123\nmeasure 16\n"));
    ck_assert_int_eq(WORDS(text, "show"), 0);
    ck_assert_str_eq(first, text);
    ck_assert_int_eq(WORDS(text, "create"), 1);
    ck_assert_ptr_nonnull(strstr(text, "is not overwritten"));
    /* what is pinned is shown as it is now */
    extend(7, TPM2_ALG_SHA256, false);
    ck_assert_int_eq(WORDS(text, "show"), 0);
    ck_assert_str_ne(first, text);
    /* made again it is the same key, at the same handle or at another */
    snprintf(path, sizeof(path), "%s/host.ak", dir);
    unlink(path);
    ck_assert_int_eq(WORDS(text, "create", "--handle", "0x81000123"), 0);
    ck_assert_int_eq(memcmp(first, text, 15 + 7 + 120), 0);
    unlink(path);
    ck_assert_int_eq(WORDS(text, "create"), 0);
    ck_assert_int_eq(memcmp(first, text, 15 + 7 + 120), 0);
}
END_TEST

/* A handle that holds something else is left alone. */
START_TEST(handle_in_use)
{
    TPM2B_SENSITIVE_CREATE sensitive = { 0 };
    TPM2B_PUBLIC p = { 0 };
    TPML_PCR_SELECTION pcrs = { 0 };
    char text[MEXT_AK_TEXT_MAX];
    TPM2B_DATA data = { 0 };
    ESYS_TR key, kept;
    struct tpm t;

    p.publicArea.type = TPM2_ALG_ECC;
    p.publicArea.nameAlg = TPM2_ALG_SHA256;
    p.publicArea.objectAttributes = 0x40472; /* not restricted */
    p.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    p.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
    p.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    p.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    ck_assert_int_eq(tpm_open(&t, tcti, &why), 0);
    ck_assert_uint_eq(Esys_CreatePrimary(t.esys, ESYS_TR_RH_OWNER,
                                         ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &sensitive, &p, &data,
                                         &pcrs, &key, NULL, NULL, NULL, NULL),
                      0);
    ck_assert_uint_eq(Esys_EvictControl(t.esys, ESYS_TR_RH_OWNER, key,
                                        ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                        ESYS_TR_NONE, 0x81000123, &kept),
                      0);
    tpm_close(&t);
    ck_assert_int_eq(WORDS(text, "create", "--handle", "0x81000123"), 1);
    ck_assert_ptr_nonnull(strstr(text, "in use for something else"));
    ck_assert_int_eq(WORDS(text, "create"), 0);
}
END_TEST

START_TEST(enrol)
{
    char text[MEXT_AK_TEXT_MAX], own[128];
    struct mext_identity id;
    struct mext_ak ak, got;
    bool found;

    fix_identity(&id, FIX_DEST);
    create(&ak);
    snprintf(own, sizeof(own), "%s/host.ak", dir);
    ck_assert_int_eq(WORDS(text, "add", "dest", own), 1);
    ck_assert_int_eq(mext_trust_add(dir, "dest", id.pk, false, &why), 0);
    ck_assert_int_eq(WORDS(text, "add", "dest", "/dev/null"), 1);
    ck_assert_int_eq(WORDS(text, "add", "dest", own), 0);
    ck_assert_int_eq(mext_ak_load(dir, "dest", &got, &found, &why), 0);
    ck_assert(found && !memcmp(&ak, &got, sizeof(ak)));
    ck_assert_int_eq(WORDS(text, "add", "dest", own), 1);
    ck_assert_int_eq(WORDS(text, "remove", "dest"), 0);
    ck_assert_int_eq(WORDS(text, "remove", "dest"), 1);
}
END_TEST

START_TEST(usage)
{
    static const char *const bad[][4] = {
        { "create", "x" },
        { "show", "x" },
        { "add", "dest" },
        { "remove" },
        { "remove", "a", "b" },
        { "enrol" },
        { "create", "--pcr", "15" },
        { "create", "--pcr", "24" },
        { "create", "--pcr", "x" },
        { "create", "--pcr", "" },
        { "create", "--pcr", "23," },
        { "create", "--handle", "0x80ffffff" },
        { "create", "--handle", "0x81800000" },
        { "create", "--platform", "" },
        { "create", "--platform", "16" },
        { "create", "--platform", "0,x" },
        { "create", "--platform", "0," },
        { "create", "--platform", ",0" },
        { "create", "--what" },
    };
    static const char *const none[] = { NULL };
    char text[MEXT_AK_TEXT_MAX];

    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(words(text, bad[i]) == 2, "case %zu", i);
    ck_assert_int_eq(words(text, none), 2);
    ck_assert_int_eq(WORDS(text, "--help"), 0);
    ck_assert_ptr_nonnull(strstr(text, "Usage: packetd ak"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { accepted,       of_something_else,
                                   each_octet,     other_quotes,
                                   extended_twice, after_restart,
                                   key_alone,      not_opened,
                                   no_such_reset,  create_and_show,
                                   handle_in_use,  enrol,
                                   usage,          NULL };

    return unit_main(unit_suite_in("attest_tpm", tests, setup, teardown));
}
