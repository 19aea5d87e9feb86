/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include <sodium.h>

#include "mext_attest.h"
#include "mext_keyfile.h"
#include "mext_net.h"
#include "mext_text.h"

#define FILE_MAX   16384
#define HEX_DIGITS "0123456789abcdefABCDEF"
#define BLANKS     " \t\r"

static void skip(struct mext_text *t, size_t n)
{
    t->at += n;
}

static void take_digest(struct mext_text *t, uint8_t out[MEXT_DIGEST_LEN])
{
    char hex[2 * MEXT_DIGEST_LEN + 1];
    size_t n = mext_text_span(t, HEX_DIGITS);

    mext_text_take(t, n, hex, sizeof(hex));
    if (t->bad || n != 2 * MEXT_DIGEST_LEN ||
        sodium_hex2bin(out, MEXT_DIGEST_LEN, hex, n, NULL, NULL, NULL))
        t->bad = true;
}

/* "SHA-256 [BLAKE2b-256] [# comment]"; a line with neither is no entry. */
static bool take_line(struct mext_attest *a, struct mext_text t)
{
    struct mext_accept e = { .has_blake2b = false };

    skip(&t, mext_text_span(&t, BLANKS));
    if (t.at == t.end || *t.at == '#')
        return true;
    take_digest(&t, e.sha256);
    skip(&t, mext_text_span(&t, BLANKS));
    if (t.at < t.end && *t.at != '#') {
        e.has_blake2b = true;
        take_digest(&t, e.blake2b);
        skip(&t, mext_text_span(&t, BLANKS));
    }
    if (t.bad || (t.at < t.end && *t.at != '#') || a->n == MEXT_ACCEPT_MAX)
        return false;
    a->accept[a->n++] = e;
    return true;
}

static int load_list(struct mext_attest *a, const char *dir,
                     struct mext_why *why)
{
    char text[FILE_MAX], *line = text, *end;
    struct mext_folder f;
    unsigned number = 1;
    int rc = 0;

    if (mext_folder_open(NULL, dir, &f, why))
        return -1;
    a->listed = mext_keyfile_there(&f, MEXT_ACCEPT_FILE);
    if (a->listed)
        rc = mext_keyfile_read(&f, MEXT_ACCEPT_FILE, false, text, sizeof(text),
                               why);
    mext_folder_close(&f);
    if (rc)
        return -1;
    for (; a->listed && *line; line = *end ? end + 1 : end, number++) {
        end = strchrnul(line, '\n');
        if (!take_line(a, (struct mext_text){ .at = line, .end = end }))
            return mext_fail(why,
                             "%.300s/" MEXT_ACCEPT_FILE
                             ":%u: not a SHA-256 in hex, or more than %d",
                             dir, number, MEXT_ACCEPT_MAX);
    }
    return 0;
}

int mext_attest_load(struct mext_attest *a_r, const char *dir, const char *peer,
                     bool list, struct mext_why *why)
{
    memset(a_r, 0, sizeof(*a_r));
    if (list && load_list(a_r, dir, why))
        return -1;
    return mext_ak_load(dir, peer, &a_r->ak, &a_r->tpm, why);
}

static bool accepted(const struct mext_attest *a, const struct mext_receipt *r)
{
    for (unsigned i = 0; i < a->n; i++) {
        const struct mext_accept *e = &a->accept[i];

        if (!memcmp(r->measurement, e->sha256, MEXT_DIGEST_LEN) &&
            (!e->has_blake2b ||
             !memcmp(r->measurement2, e->blake2b, MEXT_DIGEST_LEN)))
            return true;
    }
    return false;
}

int mext_attest_receipt(const struct mext_attest *a,
                        const struct mext_receipt *r, struct mext_why *why)
{
    char hex[2 * MEXT_DIGEST_LEN + 1];

    sodium_bin2hex(hex, sizeof(hex), r->measurement, MEXT_DIGEST_LEN);
    if (a->listed && !accepted(a, r))
        return mext_fail(why,
                         "the destination's mstrap, SHA-256 %s, is not in "
                         "the list of those accepted, " MEXT_ACCEPT_FILE,
                         hex);
    if (a->tpm && r->attester != MEXT_ATTESTER_TPM)
        return mext_fail(why, "the destination's TPM does not vouch for it, as "
                              "its AK enrolled here demands: packetd run "
                              "--attest tpm there");
    return 0;
}

int mext_attest_evidence(const struct mext_attest *a,
                         const struct mext_receipt *r,
                         const uint8_t binding[MEXT_DIGEST_LEN],
                         const struct mext_ctl *m, struct mext_why *why)
{
    if (!a->tpm)
        return 0;
    return mext_quote_verify(m->u.evidence.attest, m->u.evidence.attest_len,
                             m->u.evidence.sig, m->u.evidence.sig_len, &a->ak,
                             binding, r->measurement, why);
}

static int hear_evidence(const struct mext_attest *a, struct mext_conn *c,
                         const struct mext_receipt *r,
                         const uint8_t binding[MEXT_DIGEST_LEN],
                         unsigned timeout_ms, struct mext_why *why)
{
    struct mext_ctl m;

    if (mext_conn_recv(c, &m, timeout_ms, NULL, why))
        return -1;
    if (m.type != MEXT_CTL_EVIDENCE)
        return mext_fail(why,
                         "the destination sent message 0x%02x where "
                         "evidence belongs",
                         m.type);
    return mext_attest_evidence(a, r, binding, &m, why);
}

int mext_attest_hear(const struct mext_attest *a, struct mext_conn *c,
                     const uint8_t receipt[MEXT_RECEIPT_LEN],
                     const struct mext_asked *asked, unsigned timeout_ms,
                     struct mext_receipt *r_r, struct mext_why *why)
{
    uint8_t binding[MEXT_DIGEST_LEN];
    struct mext_receipt r;
    int code = mext_receipt_verify(receipt, MEXT_RECEIPT_LEN, asked, &r);

    if (code)
        return mext_fail(why, "the destination's receipt is refused: %s",
                         mext_reason((unsigned)code));
    mext_digest(receipt, MEXT_RECEIPT_LEN, binding);
    if (mext_attest_receipt(a, &r, why) ||
        (r.attester == MEXT_ATTESTER_TPM &&
         hear_evidence(a, c, &r, binding, timeout_ms, why)))
        return -1;
    *r_r = r;
    return 0;
}
