/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_mu.h>

#include "akcmd.h"
#include "mext_net.h"
#include "tpm.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* Of those for owners; "mx". */
#define HANDLE  0x81006d78
#define MEASURE 23

struct args {
    const char *dir, *tcti;
    struct mext_ak ak; /* what create is to make */
    int n;
    char **v;
};

static const char usage[] =
    "Usage: packetd ak create [OPTION]...     make this host's AK\n"
    "       packetd ak show [OPTION]...       print it, PCRs as they are now\n"
    "       packetd ak add NAME FILE|-        enrol another host's AK\n"
    "       packetd ak remove NAME            that host's TPM need not vouch\n"
    "\n"
    "An AK is a key in a host's TPM 2.0 that signs what mstrap was launched.\n"
    "What create and show print is enrolled, by add, where guests come from.\n"
    "\n"
    "  --dir DIR          folder of the keys\n"
    "  --tcti TCTI        the TPM (default " TPM_TCTI ")\n"
    "  --handle H         of the TPM, for the key (default 0x81006d78)\n"
    "  --pcr N            for the measurement, 16 or 23 (default 23)\n"
    "  --platform N,...   PCRs, 0 to 15, that must stay as they are now\n"
    "  -h, --help         this text\n";

static int failed(const struct mext_why *why)
{
    fprintf(stderr, "packetd: %s\n", why->text);
    return FAILED;
}

static int print(const struct mext_ak *ak)
{
    char text[MEXT_AK_TEXT_MAX];

    mext_ak_text(ak, text);
    fputs(text, stdout);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "packetd: cannot write to standard output: %s\n",
                strerror(errno));
        return FAILED;
    }
    return DONE;
}

/* ---- in the TPM ---- */

/*
 * A primary key: made from the TPM's own seed and this template, it is the
 * same one whenever it is made again, until the TPM is cleared.
 */
static TSS2_RC make_primary(struct tpm *t, ESYS_TR *key_r, TPM2B_PUBLIC **p_r)
{
    static const char unique[] = "xen-mext ak v1";
    TPM2B_SENSITIVE_CREATE no_password = { 0 };
    TPML_PCR_SELECTION no_pcrs = { 0 };
    TPM2B_DATA no_data = { 0 };
    TPM2B_PUBLIC p = { 0 };
    TPMT_PUBLIC *k = &p.publicArea;
    TPMS_ECC_PARMS *e = &k->parameters.eccDetail;

    k->type = TPM2_ALG_ECC;
    k->nameAlg = TPM2_ALG_SHA256;
    k->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                          TPMA_OBJECT_SENSITIVEDATAORIGIN |
                          TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                          TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
    e->symmetric.algorithm = TPM2_ALG_NULL;
    e->scheme.scheme = TPM2_ALG_ECDSA;
    e->scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    e->curveID = TPM2_ECC_NIST_P256;
    e->kdf.scheme = TPM2_ALG_NULL;
    k->unique.ecc.x.size = sizeof(unique) - 1;
    memcpy(k->unique.ecc.x.buffer, unique, sizeof(unique) - 1);
    return Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                              ESYS_TR_NONE, ESYS_TR_NONE, &no_password, &p,
                              &no_data, &no_pcrs, key_r, p_r, NULL, NULL, NULL);
}

static int take_public(struct mext_ak *ak, const TPM2B_PUBLIC *p,
                       struct mext_why *why)
{
    uint8_t buf[sizeof(*p)];
    size_t n = 0;

    if (Tss2_MU_TPM2B_PUBLIC_Marshal(p, buf, sizeof(buf), &n))
        return mext_fail(why, "the TPM made no proper key");
    return mext_ak_public(buf, n, ak, why);
}

/* Keeps the key at its handle; if there is one already it must be this. */
static int keep(struct tpm *t, ESYS_TR key, const struct mext_ak *ak,
                struct mext_why *why)
{
    ESYS_TR kept;
    TSS2_RC rc = Esys_EvictControl(t->esys, ESYS_TR_RH_OWNER, key,
                                   ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ak->handle, &kept);

    if (rc == TPM2_RC_NV_DEFINED) {
        if (tpm_ak(t, ak, &kept, why))
            return mext_fail(why,
                             "handle 0x%08x of the TPM is in use for "
                             "something else: choose another by --handle",
                             ak->handle);
    } else if (rc) {
        return tpm_failed(why, "keep the AK", rc);
    }
    Esys_TR_Close(t->esys, &kept);
    return 0;
}

static int make_key(struct tpm *t, struct mext_ak *ak, struct mext_why *why)
{
    TPM2B_PUBLIC *p = NULL;
    ESYS_TR key;
    TSS2_RC rc = make_primary(t, &key, &p);
    int r;

    if (rc)
        return tpm_failed(why, "make a key for its owner", rc);
    r = take_public(ak, p, why) || keep(t, key, ak, why) ? -1 : 0;
    Esys_Free(p);
    Esys_FlushContext(t->esys, key);
    return r;
}

static int read_pins(struct tpm *t, struct mext_ak *ak, struct mext_why *why)
{
    uint8_t pcr[TPM_PCRS][MEXT_DIGEST_LEN];

    if (tpm_pcrs(t, ak->pinned, pcr, why))
        return -1;
    for (unsigned i = 0; i < MEXT_AK_PINS; i++)
        if (ak->pinned & 1u << i)
            memcpy(ak->pcr[i], pcr[i], MEXT_DIGEST_LEN);
    return 0;
}

/* ---- words ---- */

static int create(struct args *a)
{
    struct mext_ak old;
    struct mext_why why;
    struct tpm t;
    bool found;
    int rc;

    if (mext_ak_load(a->dir, NULL, &old, &found, &why))
        return failed(&why);
    if (found) {
        mext_fail(&why,
                  "%.300s/host.ak exists and is not overwritten: 'packetd ak "
                  "show' prints it; to replace it, move it away first",
                  a->dir);
        return failed(&why);
    }
    if (tpm_open(&t, a->tcti, &why))
        return failed(&why);
    rc = make_key(&t, &a->ak, &why) || read_pins(&t, &a->ak, &why) ||
         mext_ak_add(a->dir, NULL, &a->ak, &why);
    tpm_close(&t);
    return rc ? failed(&why) : print(&a->ak);
}

static int show(struct args *a)
{
    struct mext_why why;
    struct tpm t;
    ESYS_TR key;
    bool found;
    int rc;

    if (mext_ak_load(a->dir, NULL, &a->ak, &found, &why))
        return failed(&why);
    if (!found) {
        mext_fail(&why, "%.300s holds no host.ak: run packetd ak create",
                  a->dir);
        return failed(&why);
    }
    if (tpm_open(&t, a->tcti, &why))
        return failed(&why);
    rc = tpm_ak(&t, &a->ak, &key, &why) || read_pins(&t, &a->ak, &why);
    tpm_close(&t);
    return rc ? failed(&why) : print(&a->ak);
}

static int add(struct args *a)
{
    bool in = !strcmp(a->v[1], "-");
    FILE *f = in ? stdin : fopen(a->v[1], "r");
    char text[MEXT_AK_TEXT_MAX];
    struct mext_why why;
    size_t n;

    if (!f) {
        mext_fail(&why, "cannot open %.300s: %s", a->v[1], strerror(errno));
        return failed(&why);
    }
    n = fread(text, 1, sizeof(text), f);
    if (!in)
        fclose(f);
    if (mext_ak_parse(text, n, &a->ak, &why) ||
        mext_ak_add(a->dir, a->v[0], &a->ak, &why))
        return failed(&why);
    return DONE;
}

static int drop(struct args *a)
{
    struct mext_why why;

    return mext_ak_remove(a->dir, a->v[0], &why) ? failed(&why) : DONE;
}

static const struct word {
    const char *name;
    int n; /* arguments */
    int (*run)(struct args *a);
} words[] = {
    { "create", 0, create },
    { "show", 0, show },
    { "add", 2, add },
    { "remove", 1, drop },
};

/* ---- options ---- */

/* A number; behind it is the end, or a comma and more. */
static bool number(const char **text, unsigned long min, unsigned long max,
                   unsigned long *n_r)
{
    char *end;

    *n_r = strtoul(*text, &end, 0);
    if (end == *text || (*end && (*end != ',' || !end[1])) || *n_r < min ||
        *n_r > max)
        return false;
    *text = end + (*end == ',');
    return true;
}

static bool take(struct args *a, int c)
{
    const char *text = optarg;
    unsigned long n;

    switch (c) {
    case 'd':
        a->dir = optarg;
        return true;
    case 't':
        a->tcti = optarg;
        return true;
    case 'k':
        if (!number(&text, 0x81000000, 0x817fffff, &n))
            return false;
        a->ak.handle = (uint32_t)n;
        return !*text;
    case 'p':
        if (!number(&text, 16, 23, &n) || (n != 16 && n != 23))
            return false; /* an operating system resets no other */
        a->ak.measure = (unsigned)n;
        return !*text;
    case 'l':
        while (*text) {
            if (!number(&text, 0, MEXT_AK_PINS - 1, &n))
                return false;
            a->ak.pinned |= 1u << n;
        }
        return a->ak.pinned;
    default:
        return false;
    }
}

int packetd_akcmd(int argc, char **argv)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'd' },
        { "tcti", required_argument, NULL, 't' },
        { "handle", required_argument, NULL, 'k' },
        { "pcr", required_argument, NULL, 'p' },
        { "platform", required_argument, NULL, 'l' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    struct args a = { .dir = mext_keys_dir(),
                      .ak = { .handle = HANDLE, .measure = MEASURE } };
    int c;

    optind = 0;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return DONE;
        }
        if (!take(&a, c))
            goto wrong;
    }
    a.n = argc - optind - 1;
    a.v = argv + optind + 1;
    for (size_t i = 0; a.n >= 0 && i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(argv[optind], words[i].name) && a.n == words[i].n)
            return words[i].run(&a);
wrong:
    fputs(usage, stderr);
    return USAGE;
}
