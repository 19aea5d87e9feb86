/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <tss2/tss2_mu.h>

#include "mext_ak.h"
#include "mext_keyfile.h"
#include "mext_net.h"
#include "mext_text.h"

#define HEADER "xen-mext ak v1\n"
#define B64    sodium_base64_VARIANT_ORIGINAL
#define B64_DIGITS \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#define HEX_DIGITS "0123456789abcdef"

/* Owner's persistent handles, TPM 2.0 library, part 2, 7.5. */
#define HANDLE_MIN 0x81000000
#define HANDLE_MAX 0x817fffff

#define ATTRIBUTES \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
     TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | \
     TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT)

void mext_tss_quiet(void)
{
    setenv("TSS2_LOG", "all+none", 0);
}

/* ---- the key ---- */

static bool is_ak(const TPMT_PUBLIC *k)
{
    const TPMS_ECC_PARMS *p = &k->parameters.eccDetail;

    return k->type == TPM2_ALG_ECC && k->nameAlg == TPM2_ALG_SHA256 &&
           k->objectAttributes == ATTRIBUTES && !k->authPolicy.size &&
           p->symmetric.algorithm == TPM2_ALG_NULL &&
           p->scheme.scheme == TPM2_ALG_ECDSA &&
           p->scheme.details.ecdsa.hashAlg == TPM2_ALG_SHA256 &&
           p->curveID == TPM2_ECC_NIST_P256 && p->kdf.scheme == TPM2_ALG_NULL &&
           k->unique.ecc.x.size == 32 && k->unique.ecc.y.size == 32;
}

int mext_ak_public(const uint8_t *p, size_t n, struct mext_ak *ak_r,
                   struct mext_why *why)
{
    uint8_t again[MEXT_AK_PUBLIC_MAX];
    TPM2B_PUBLIC k = { 0 };
    size_t at = 0, len = 0;

    mext_tss_quiet();
    if (n > MEXT_AK_PUBLIC_MAX || Tss2_MU_TPM2B_PUBLIC_Unmarshal(p, n, &at, &k))
        return mext_fail(why, "the AK is not a TPM2B_PUBLIC");
    if (!is_ak(&k.publicArea))
        return mext_fail(why, "the AK is not a restricted ECDSA key on P-256 "
                              "with SHA-256 as 'packetd ak create' makes one");
    /* The size in front says nothing else, and nothing is left over. */
    if (Tss2_MU_TPM2B_PUBLIC_Marshal(&k, again, sizeof(again), &len) ||
        len != n || memcmp(again, p, n))
        return mext_fail(why, "the AK is not a TPM2B_PUBLIC and no more");
    memcpy(ak_r->public, p, n);
    ak_r->public_len = (uint16_t)n;
    memcpy(ak_r->x, k.publicArea.unique.ecc.x.buffer, sizeof(ak_r->x));
    memcpy(ak_r->y, k.publicArea.unique.ecc.y.buffer, sizeof(ak_r->y));
    return 0;
}

/* ---- text ---- */

void mext_ak_text(const struct mext_ak *ak, char out[MEXT_AK_TEXT_MAX])
{
    char b64[sodium_base64_ENCODED_LEN(MEXT_AK_PUBLIC_MAX, B64)];
    char hex[2 * MEXT_DIGEST_LEN + 1];
    int n;

    sodium_bin2base64(b64, sizeof(b64), ak->public, ak->public_len, B64);
    n = snprintf(out, MEXT_AK_TEXT_MAX,
                 HEADER "public %s\nhandle 0x%08x\nmeasure %u\n", b64,
                 ak->handle, ak->measure);
    for (unsigned i = 0; i < MEXT_AK_PINS; i++) {
        if (!(ak->pinned & 1u << i))
            continue;
        sodium_bin2hex(hex, sizeof(hex), ak->pcr[i], MEXT_DIGEST_LEN);
        n += snprintf(out + n, MEXT_AK_TEXT_MAX - (size_t)n, "pcr %u %s\n", i,
                      hex);
    }
}

static void take_public(struct mext_text *t, struct mext_ak *ak)
{
    char b64[sodium_base64_ENCODED_LEN(MEXT_AK_PUBLIC_MAX, B64)];
    uint8_t bin[MEXT_AK_PUBLIC_MAX];
    struct mext_why why;
    size_t n = 0;

    mext_text_expect(t, "public ");
    mext_text_take(t, mext_text_span(t, B64_DIGITS), b64, sizeof(b64));
    mext_text_expect(t, "\n");
    if (!t->bad && (sodium_base642bin(bin, sizeof(bin), b64, strlen(b64), NULL,
                                      &n, NULL, B64) ||
                    mext_ak_public(bin, n, ak, &why)))
        t->bad = true;
}

static void take_handle(struct mext_text *t, struct mext_ak *ak)
{
    char hex[9];

    mext_text_expect(t, "handle 0x");
    mext_text_take(t, mext_text_span(t, HEX_DIGITS), hex, sizeof(hex));
    mext_text_expect(t, "\n");
    if (t->bad)
        return;
    ak->handle = (uint32_t)strtoul(hex, NULL, 16);
    if (ak->handle < HANDLE_MIN || ak->handle > HANDLE_MAX)
        t->bad = true;
}

static void take_pcr(struct mext_text *t, struct mext_ak *ak)
{
    char hex[2 * MEXT_DIGEST_LEN + 1];
    unsigned i;

    mext_text_expect(t, "pcr ");
    i = (unsigned)mext_text_number(t, 0, MEXT_AK_PINS - 1);
    mext_text_expect(t, " ");
    mext_text_take(t, mext_text_span(t, HEX_DIGITS), hex, sizeof(hex));
    mext_text_expect(t, "\n");
    if (t->bad)
        return;
    ak->pinned |= 1u << i;
    if (sodium_hex2bin(ak->pcr[i], MEXT_DIGEST_LEN, hex, strlen(hex), NULL,
                       NULL, NULL) ||
        strlen(hex) != 2 * MEXT_DIGEST_LEN)
        t->bad = true;
}

/* What is read is written again and compared: there is one text for each AK. */
int mext_ak_parse(const char *text, size_t n, struct mext_ak *ak_r,
                  struct mext_why *why)
{
    struct mext_text t = { .at = text, .end = text + n };
    char again[MEXT_AK_TEXT_MAX];
    struct mext_ak ak = { 0 };

    mext_text_expect(&t, HEADER);
    take_public(&t, &ak);
    take_handle(&t, &ak);
    mext_text_expect(&t, "measure ");
    ak.measure = (unsigned)mext_text_number(&t, 16, 23);
    mext_text_expect(&t, "\n");
    while (!t.bad && t.at < t.end)
        take_pcr(&t, &ak);
    if (!t.bad) {
        mext_ak_text(&ak, again);
        t.bad = strlen(again) != n || memcmp(again, text, n);
    }
    if (t.bad)
        return mext_fail(why, "this is not what 'packetd ak show' prints");
    *ak_r = ak;
    return 0;
}

/* ---- files ---- */

/* Where and what the file is.  NAME is that of a trusted host, so no path. */
static int open_folder(const char *dir, const char *name, bool change,
                       struct mext_folder *f_r, char file[96],
                       struct mext_why *why)
{
    struct mext_trusted keys;

    snprintf(file, 96, "%s.ak", name ? name : "host");
    if (name)
        return mext_trust_find(dir, name, &keys, why)
                   ? -1
                   : mext_folder_trust(dir, change, f_r, why);
    if (change ? mext_folder_make(NULL, dir, f_r, why)
               : mext_folder_open(NULL, dir, f_r, why))
        return -1;
    if (change && mext_folder_lock(f_r, why)) {
        mext_folder_close(f_r);
        return -1;
    }
    return 0;
}

int mext_ak_load(const char *dir, const char *name, struct mext_ak *ak_r,
                 bool *found_r, struct mext_why *why)
{
    char file[96], text[MEXT_AK_TEXT_MAX];
    struct mext_folder f;
    struct mext_why more;
    bool found;
    int rc = 0;

    if (open_folder(dir, name, false, &f, file, why))
        return -1;
    found = mext_keyfile_there(&f, file);
    if (found)
        rc = mext_keyfile_read(&f, file, false, text, sizeof(text), why);
    if (!rc && found && mext_ak_parse(text, strlen(text), ak_r, &more))
        rc = mext_fail(why, "%.300s/%s: %.120s", f.path, file, more.text);
    mext_folder_close(&f);
    if (!rc)
        *found_r = found;
    return rc;
}

int mext_ak_add(const char *dir, const char *name, const struct mext_ak *ak,
                struct mext_why *why)
{
    char file[96], text[MEXT_AK_TEXT_MAX];
    struct mext_folder f;
    int rc;

    if (open_folder(dir, name, true, &f, file, why))
        return -1;
    mext_ak_text(ak, text);
    rc = mext_keyfile_write(&f, file, 0644, text, false, why);
    mext_folder_close(&f);
    return rc;
}

int mext_ak_remove(const char *dir, const char *name, struct mext_why *why)
{
    char file[96];
    struct mext_folder f;
    int rc;

    if (open_folder(dir, name, true, &f, file, why))
        return -1;
    rc = mext_keyfile_remove(&f, file, why);
    mext_folder_close(&f);
    return rc;
}
