/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_vectors VECTORS CORPUS: writes the committed test vectors and the fuzz
 * targets' corpora into two folders.  The same bytes on every run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "fix_gate.h"
#include "fix_journal.h"
#include "fix_quote.h"

static FILE *create(const char *dir, const char *sub, const char *name)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, sub);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name);
    f = fopen(path, "wb");
    if (!f) {
        perror(path);
        exit(1);
    }
    return f;
}

static void finish(FILE *f)
{
    if (fclose(f)) {
        perror("make_vectors");
        exit(1);
    }
}

static void save(const char *dir, const char *sub, const char *name,
                 const void *p, size_t n)
{
    FILE *f = create(dir, sub, name);

    fwrite(p, 1, n, f);
    finish(f);
}

/* ---- signed objects ---- */

static void save_object(const char *vectors, const char *corpus,
                        const struct fix_object *o)
{
    uint8_t bytes[FIX_OBJECT_MAX];
    char name[64];

    o->good(bytes);
    snprintf(name, sizeof(name), "%s-good", o->name);
    save(vectors, ".", name, bytes, o->len);
    save(corpus, o->corpus, name, bytes, o->len);
    for (size_t i = 0; i < o->nbad; i++) {
        const struct fix_bad *bad = &o->bad[i];
        size_t len;

        fix_break(o, &bad, 1, bytes, &len);
        snprintf(name, sizeof(name), "%s-bad-%s", o->name, bad->name);
        save(vectors, ".", name, bytes, len);
        save(corpus, o->corpus, name, bytes, len);
    }
}

/* ---- a TPM's evidence, and the AK that goes with it ---- */

static void save_quote(const char *vectors, const char *corpus,
                       const struct fix_bad_quote *bad)
{
    uint8_t body[4096];
    struct mext_evidence e;
    char name[64];
    size_t n;

    fix_quote(&e, bad);
    n = fix_quote_body(&e, body, sizeof(body));
    snprintf(name, sizeof(name), "quote-%s%s", bad ? "bad-" : "good",
             bad ? bad->name : "");
    save(vectors, ".", name, body, n);
    save(corpus, "quote", name, body, n);
}

static void save_quotes(const char *vectors, const char *corpus)
{
    uint8_t receipt[MEXT_RECEIPT_LEN];
    char text[MEXT_AK_TEXT_MAX];
    struct mext_ak ak;

    save_quote(vectors, corpus, NULL);
    for (size_t i = 0; i < fix_nbad_quotes; i++)
        save_quote(vectors, corpus, &fix_bad_quotes[i]);
    fix_tpm_receipt_bytes(receipt);
    save(vectors, ".", "receipt-tpm", receipt, sizeof(receipt));
    fix_ak(&ak, FIX_DEST);
    mext_ak_text(&ak, text);
    save(vectors, ".", "ak", text, strlen(text));
    save(corpus, "quote", "ak", text, strlen(text));
}

static void save_whois(const char *vectors, const char *corpus)
{
    uint8_t whois[MEXT_WHOIS_LEN], iam[MEXT_IAM_LEN];

    fix_whois_bytes(whois);
    save(vectors, ".", "whois", whois, sizeof(whois));
    save(corpus, "whois", "whois", whois, sizeof(whois));
    fix_iam_bytes(false, iam);
    save(vectors, ".", "iam", iam, sizeof(iam));
    save(corpus, "whois", "iam", iam, sizeof(iam));
    fix_iam_bytes(true, iam);
    save(vectors, ".", "iam-next", iam, sizeof(iam));
    save(corpus, "whois", "iam-next", iam, sizeof(iam));
}

/* Whole files; in the corpus single records, without zeros and checksum. */
static void save_journals(const char *vectors, const char *corpus)
{
    for (size_t i = 0; i < fix_njournals; i++) {
        const struct fix_journal *j = &fix_journals[i];
        uint8_t record[MEXT_JOURNAL_LEN];
        char name[64];
        FILE *f;

        snprintf(name, sizeof(name), "journal-%s", j->name);
        f = create(vectors, ".", name);
        for (unsigned k = 0; j->noted[k]; k++) {
            struct mext_entry e;

            fix_entry(j, k, &e);
            if (mext_entry_encode(&e, k + 1, record))
                abort();
            fwrite(record, 1, sizeof(record), f);
            snprintf(name, sizeof(name), "%s-%s", j->name,
                     mext_noted_name(e.noted));
            save(corpus, "journal", name, record, fix_record_head(record));
        }
        finish(f);
        save(corpus, "journal", j->name, record, sizeof(record));
    }
}

/* ---- messages ---- */

static void save_data(const char *vectors, const char *corpus)
{
    for (size_t i = 0; i < fix_ndata; i++) {
        uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX];
        struct mext_data m = { 0 };
        struct mext_seal s;
        struct mext_buf b;
        char name[64];
        size_t len;

        fix_data[i].fill(&m);
        mext_buf_init(&b, frame + MEXT_FRAME_HDR_LEN,
                      MEXT_DATA_BODY_MAX - MEXT_TAG_LEN);
        if (mext_data_encode(&m, &b))
            abort();
        save(corpus, "data", fix_data[i].name, b.p, b.pos);
        fix_seal(&s, FIX_SOURCE, MEXT_KDF_DATA,
                 m.type & 0x80 ? MEXT_DIR_TO_SOURCE : MEXT_DIR_TO_DEST, 0);
        if (mext_frame_seal(&s, frame, b.pos, MEXT_DATA_BODY_MAX, &len))
            abort();
        snprintf(name, sizeof(name), "frame-%s", fix_data[i].name);
        save(vectors, ".", name, frame, len);
    }
}

/* The largest messages test limits elsewhere; a corpus stays small. */
static void save_ctl(const char *corpus)
{
    static uint8_t body[4096];

    for (size_t i = 0; i < fix_nctl; i++) {
        struct mext_ctl m = { 0 };
        struct mext_buf b;

        fix_ctl[i].fill(&m);
        mext_buf_init(&b, body, sizeof(body));
        if (!mext_ctl_encode(&m, &b))
            save(corpus, "ctl", fix_ctl[i].name, b.p, b.pos);
    }
}

/* Without the ones that hold more keys than any other file is long. */
static void save_gate(const char *corpus)
{
    static struct gate_msg m;
    static uint8_t body[4096];

    for (size_t i = 0; i < fix_ngate; i++) {
        struct mext_buf b;

        memset(&m, 0, sizeof(m));
        fix_gate[i].fill(&m);
        mext_buf_init(&b, body, sizeof(body));
        if (!gate_encode(&m, &b))
            save(corpus, "gate", fix_gate[i].name, b.p, b.pos);
    }
}

/* Frames of the agent's vchan: they are not sealed. */
static void save_agent(const char *vectors, const char *corpus)
{
    static uint8_t frame[MEXT_FRAME_HDR_LEN + 4096];

    for (size_t i = 0; i < fix_nagent; i++) {
        struct mext_buf b;
        char name[64];

        mext_buf_init(&b, frame + MEXT_FRAME_HDR_LEN, 4096);
        if (mext_agentmsg_encode(&fix_agent[i].m, &b))
            continue;
        save(corpus, "agent", fix_agent[i].name, b.p, b.pos);
        mext_store32(frame, (uint32_t)b.pos);
        snprintf(name, sizeof(name), "agent-%s", fix_agent[i].name);
        save(vectors, ".", name, frame, MEXT_FRAME_HDR_LEN + b.pos);
    }
    save(corpus, "agent", "report", fix_agent_report, strlen(fix_agent_report));
    save(vectors, ".", "agent-report", fix_agent_report,
         strlen(fix_agent_report));
}

/* ---- a whole data channel: OPEN, PAGES with its pages, BARRIER, END ---- */

static void put_frame(FILE *f, struct mext_seal *s, const struct mext_data *m)
{
    uint8_t frame[MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX];
    struct mext_buf b;
    size_t len;

    mext_buf_init(&b, frame + MEXT_FRAME_HDR_LEN,
                  MEXT_DATA_BODY_MAX - MEXT_TAG_LEN);
    if (mext_data_encode(m, &b) ||
        mext_frame_seal(s, frame, b.pos, MEXT_DATA_BODY_MAX, &len))
        abort();
    fwrite(frame, 1, len, f);
}

/*
 * An LZ4 block made by hand, lest it change with the library: one letter, a
 * match of 4090 with it, five letters.
 */
static uint16_t one_letter(uint8_t *block, uint8_t letter)
{
    unsigned n = 0, rest = 4090 - 4 - 15;

    block[n++] = 1 << 4 | 15;
    block[n++] = letter;
    block[n++] = 1;
    block[n++] = 0;
    for (; rest >= 255; rest -= 255)
        block[n++] = 255;
    block[n++] = (uint8_t)rest;
    block[n++] = 5 << 4;
    memset(block + n, letter, 5);
    return (uint16_t)(n + 5);
}

/* Page i of the channel: all one letter. */
static const uint8_t *page_of(unsigned i, bool packed, uint16_t *len_r)
{
    static uint8_t page[MEXT_PAGE_SIZE];

    memset(page, 'A' + (int)i, sizeof(page));
    *len_r = packed ? one_letter(page, (uint8_t)('A' + i)) : MEXT_PAGE_SIZE;
    return page;
}

static void put_pages(FILE *f, struct mext_seal *s, const bool *packed,
                      unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t out[MEXT_PAGE_SIZE + MEXT_TAG_LEN];
        uint16_t len;
        const uint8_t *page = page_of(i, packed[i], &len);

        if (mext_page_seal(s, out, page, len))
            abort();
        fwrite(out, 1, len + MEXT_TAG_LEN, f);
    }
}

static void put_channel(FILE *f)
{
    struct mext_open o = { .index = 1, .count = 2 };
    struct mext_data m = { .type = MEXT_DATA_PAGES };
    const bool packed[] = { false, false, true };
    uint8_t open[MEXT_OPEN_LEN];
    struct mext_token t;
    struct mext_seal s;

    fix_token(&t);
    memcpy(o.id, t.id, sizeof(o.id));
    mext_open_encode(&o, open);
    fwrite(open, 1, sizeof(open), f);
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, o.index);
    m.u.pages.base = 0x100;
    m.u.pages.span = 4;
    m.u.pages.map[0] = MEXT_MAP_DATA | MEXT_MAP_ZERO << 2 | MEXT_MAP_DATA << 4 |
                       MEXT_MAP_PACKED << 6;
    page_of(2, true, &m.u.pages.len[2]);
    m.u.pages.coding[2] = MEXT_CODING_LZ4;
    put_frame(f, &s, &m);
    put_pages(f, &s, packed, 3);
    m = (struct mext_data){ .type = MEXT_DATA_BARRIER };
    m.u.barrier.iteration = 1;
    put_frame(f, &s, &m);
    m = (struct mext_data){ .type = MEXT_DATA_END };
    m.u.end.data = 3;
    m.u.end.zero = 1;
    put_frame(f, &s, &m);
}

static void save_channel(const char *dir, const char *sub)
{
    FILE *f = create(dir, sub, "channel");

    put_channel(f);
    finish(f);
}

/* A further connection: JOIN, then HERE and a piece, sealed. */
static void put_join(FILE *f)
{
    static const uint8_t types[] = { MEXT_CTL_HERE, MEXT_CTL_PIECE };
    struct mext_open o = { .index = 1, .count = 2 };
    uint8_t join[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN], frame[64];
    struct mext_token t;
    struct mext_seal s;

    fix_token(&t);
    memcpy(o.id, t.id, sizeof(o.id));
    mext_store32(join, MEXT_JOIN_LEN);
    mext_join_encode(&o, join + MEXT_FRAME_HDR_LEN);
    fwrite(join, 1, sizeof(join), f);
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_CONTROL, MEXT_DIR_TO_DEST, o.index);
    for (unsigned i = 0; i < 2; i++) {
        struct mext_ctl m = { .type = types[i] };
        struct mext_buf b;
        size_t len;

        if (i) {
            m.u.piece.bytes = (const uint8_t *)"piece";
            m.u.piece.n = m.u.piece.len = 5;
        }
        mext_buf_init(&b, frame + MEXT_FRAME_HDR_LEN,
                      sizeof(frame) - MEXT_FRAME_HDR_LEN - MEXT_TAG_LEN);
        if (mext_ctl_encode(&m, &b) ||
            mext_frame_seal(&s, frame, b.pos, MEXT_JOINED_BODY_MAX, &len))
            abort();
        fwrite(frame, 1, len, f);
    }
}

static void save_join(const char *dir)
{
    FILE *f = create(dir, ".", "join");

    put_join(f);
    finish(f);
}

/* ---- index: what a reader needs to check the vectors elsewhere ---- */

static void put_hex(FILE *f, const char *name, const uint8_t *p, size_t n)
{
    fprintf(f, "%s ", name);
    while (n--)
        fprintf(f, "%02x", *p++);
    fputc('\n', f);
}

static void put_keys(FILE *f, const char *name, enum fix_who who)
{
    struct mext_identity id;
    uint8_t sk[32], pk[32];
    char key[64];

    fix_identity(&id, who);
    fix_session(sk, pk, who);
    snprintf(key, sizeof(key), "%s-seed", name);
    put_hex(f, key, id.sk, 32);
    snprintf(key, sizeof(key), "%s-public", name);
    put_hex(f, key, id.pk, 32);
    snprintf(key, sizeof(key), "%s-session-secret", name);
    put_hex(f, key, sk, 32);
    snprintf(key, sizeof(key), "%s-session-public", name);
    put_hex(f, key, pk, 32);
}

static void put_derived(FILE *f)
{
    uint8_t digest[MEXT_DIGEST_LEN];
    struct mext_seal s;

    fix_digest(digest);
    put_hex(f, "token-digest", digest, sizeof(digest));
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, 0);
    put_hex(f, "data-0-to-destination", s.key, sizeof(s.key));
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_DATA, MEXT_DIR_TO_DEST, 1);
    put_hex(f, "data-1-to-destination", s.key, sizeof(s.key));
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_DATA, MEXT_DIR_TO_SOURCE, 0);
    put_hex(f, "data-0-to-source", s.key, sizeof(s.key));
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_CONTROL, MEXT_DIR_TO_DEST, 0);
    put_hex(f, "control-to-destination", s.key, sizeof(s.key));
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_CONTROL, MEXT_DIR_TO_SOURCE, 0);
    put_hex(f, "control-to-source", s.key, sizeof(s.key));
    fix_seal(&s, FIX_SOURCE, MEXT_KDF_CONTROL, MEXT_DIR_TO_DEST, 1);
    put_hex(f, "control-1-to-destination", s.key, sizeof(s.key));
}

static void save_index(const char *vectors)
{
    FILE *f = create(vectors, ".", "INDEX");

    fprintf(f, "now %d\n", FIX_NOW);
    put_keys(f, "source", FIX_SOURCE);
    put_keys(f, "destination", FIX_DEST);
    put_keys(f, "stranger", FIX_STRANGER);
    put_keys(f, "next", FIX_NEXT);
    put_derived(f);
    for (size_t i = 0; i < FIX_NOBJECTS; i++)
        for (size_t j = 0; j < fix_objects[i].nbad; j++)
            fprintf(f, "%s-bad-%s reason %d\n", fix_objects[i].name,
                    fix_objects[i].bad[j].name, fix_objects[i].bad[j].reason);
    for (size_t i = 0; i < fix_nbad_quotes; i++)
        fprintf(f, "quote-bad-%s says %s\n", fix_bad_quotes[i].name,
                fix_bad_quotes[i].says);
    finish(f);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "Usage: make_vectors VECTORS CORPUS\n");
        return 2;
    }
    if (sodium_init() < 0)
        return 1;
    for (size_t i = 0; i < FIX_NOBJECTS; i++)
        save_object(argv[1], argv[2], &fix_objects[i]);
    save_quotes(argv[1], argv[2]);
    save_whois(argv[1], argv[2]);
    save_journals(argv[1], argv[2]);
    save_data(argv[1], argv[2]);
    save_ctl(argv[2]);
    save_gate(argv[2]);
    save_agent(argv[1], argv[2]);
    save_channel(argv[1], ".");
    save_channel(argv[2], "frame");
    save_join(argv[1]);
    save_index(argv[1]);
    return 0;
}
