/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables of octets in docs/specs are read, and each field that the codec
 * writes is looked for at the offset they state: every field of an object is
 * filled with octets found nowhere else in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define ROWS_MAX 32

struct row {
    unsigned offset, octets;
    char field[32];
};

/* What the codec was told to write in a field; number: big-endian there. */
struct want {
    const char *field;
    const void *bytes; /* NULL: a number */
    uint64_t number;
};

static FILE *open_spec(const char *name)
{
    const char *top = getenv("srcdir");
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/docs/specs/%s", top ? top : ".", name);
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    return f;
}

/* Rows of the first table of octets after the line with `mark`. */
static unsigned read_table(const char *name, const char *mark,
                           struct row rows[ROWS_MAX])
{
    FILE *f = open_spec(name);
    bool marked = false, table = false;
    unsigned n = 0;
    char line[512];

    while (fgets(line, sizeof(line), f)) {
        struct row *r = &rows[n];

        marked |= strstr(line, mark) != NULL;
        if (marked && !strncmp(line, "| offset |", 10))
            table = true;
        else if (table && line[0] != '|')
            break;
        else if (table && n < ROWS_MAX &&
                 sscanf(line, "| %u | %u | %31s", &r->offset, &r->octets,
                        r->field) == 3)
            n++;
    }
    fclose(f);
    return n;
}

static void check_field(const struct row *r, const struct want *w,
                        const uint8_t *object)
{
    uint8_t number[8];

    if (w->bytes) {
        ck_assert_msg(!memcmp(object + r->offset, w->bytes, r->octets), "%s",
                      r->field);
        return;
    }
    ck_assert_uint_le(r->octets, sizeof(number));
    mext_store64(number, w->number);
    ck_assert_msg(
        !memcmp(object + r->offset, number + 8 - r->octets, r->octets), "%s",
        r->field);
}

/* Each row has its field and each field its row. */
static void check_object(const struct row *rows, unsigned nrows,
                         const struct want *wants, const uint8_t *object,
                         size_t len)
{
    unsigned n = 0, at = 0;

    for (; wants[n].field; n++)
        ;
    ck_assert_uint_eq(nrows, n);
    for (unsigned i = 0; i < nrows; i++) {
        ck_assert_str_eq(rows[i].field, wants[i].field);
        ck_assert_uint_eq(rows[i].offset, at);
        at += rows[i].octets;
        ck_assert_uint_le(at, len);
        check_field(&rows[i], &wants[i], object);
    }
    ck_assert_uint_eq(at, len);
}

/* n octets counting up from first. */
static void count_up(uint8_t *p, size_t n, uint8_t first)
{
    while (n--)
        *p++ = first++;
}

START_TEST(token)
{
    char purpose[MEXT_PURPOSE_LEN] = MEXT_TOKEN_PURPOSE;
    uint8_t object[MEXT_TOKEN_LEN];
    struct mext_identity id;
    struct row rows[ROWS_MAX];
    struct mext_token t;

    fix_token(&t);
    count_up(t.id, sizeof(t.id), 0x10);
    count_up(t.audience, sizeof(t.audience), 0x30);
    count_up(t.session, sizeof(t.session), 0x50);
    count_up(t.image, sizeof(t.image), 0x70);
    count_up(t.config, sizeof(t.config), 0x90);
    t.issued = 0xb0b1b2b3b4b5b6b7;
    t.expiry = t.issued + 0x123;
    t.memory_kib = 0x01020304;
    t.vcpus = 0x41;
    t.channels = 7;
    t.port = 0xc0c1;
    t.ip = 0xd0d1d2d3;
    t.netmask = 0xfffff000;
    t.gateway = 0xe0e1e2e3;
    fix_identity(&id, FIX_SOURCE);
    ck_assert_int_eq(mext_token_sign(&t, &id, object), 0);

    const struct want wants[] = {
        { "purpose", purpose, 0 },
        { "id", t.id, 0 },
        { "issued", NULL, t.issued },
        { "expiry", NULL, t.expiry },
        { "audience", t.audience, 0 },
        { "source", id.pk, 0 },
        { "session", t.session, 0 },
        { "image", t.image, 0 },
        { "config", t.config, 0 },
        { "memory", NULL, t.memory_kib },
        { "vcpus", NULL, t.vcpus },
        { "channels", NULL, t.channels },
        { "port", NULL, t.port },
        { "ip", NULL, t.ip },
        { "netmask", NULL, t.netmask },
        { "gateway", NULL, t.gateway },
        { "receiver", NULL, 0 },
        { "signature", object + 248, 0 },
        { NULL, NULL, 0 },
    };

    check_object(rows, read_table("token.md", "## Token", rows), wants, object,
                 sizeof(object));
}
END_TEST

START_TEST(hello)
{
    char purpose[MEXT_PURPOSE_LEN] = MEXT_HELLO_PURPOSE;
    uint8_t object[MEXT_HELLO_LEN];
    struct mext_identity id;
    struct row rows[ROWS_MAX];
    struct mext_hello h;

    fix_hello(&h);
    count_up(h.token, sizeof(h.token), 0x10);
    count_up(h.session, sizeof(h.session), 0x50);
    fix_identity(&id, FIX_DEST);
    ck_assert_int_eq(mext_hello_sign(&h, &id, object), 0);

    const struct want wants[] = {
        { "purpose", purpose, 0 },        { "token", h.token, 0 },
        { "destination", id.pk, 0 },      { "session", h.session, 0 },
        { "signature", object + 120, 0 }, { NULL, NULL, 0 },
    };

    check_object(rows, read_table("token.md", "## Hello", rows), wants, object,
                 sizeof(object));
}
END_TEST

START_TEST(receipt)
{
    char purpose[MEXT_PURPOSE_LEN] = MEXT_RECEIPT_PURPOSE;
    uint8_t object[MEXT_RECEIPT_LEN];
    struct mext_identity id;
    struct row rows[ROWS_MAX];
    struct mext_receipt r;

    fix_receipt(&r);
    count_up(r.token, sizeof(r.token), 0x10);
    count_up(r.id, sizeof(r.id), 0x30);
    count_up(r.measurement, sizeof(r.measurement), 0x50);
    count_up(r.measurement2, sizeof(r.measurement2), 0x90);
    count_up(r.session, sizeof(r.session), 0x70);
    r.issued = 0xb0b1b2b3b4b5b6b7;
    r.ip = 0xd0d1d2d3;
    r.port = 0xc0c1;
    r.channels = 7;
    r.domid = 0x61e2;
    r.attester = MEXT_ATTESTER_TPM;
    fix_identity(&id, FIX_DEST);
    ck_assert_int_eq(mext_receipt_sign(&r, &id, object), 0);

    const struct want wants[] = {
        { "purpose", purpose, 0 },
        { "token", r.token, 0 },
        { "id", r.id, 0 },
        { "destination", id.pk, 0 },
        { "measurement", r.measurement, 0 },
        { "measurement2", r.measurement2, 0 },
        { "session", r.session, 0 },
        { "issued", NULL, r.issued },
        { "ip", NULL, r.ip },
        { "port", NULL, r.port },
        { "channels", NULL, r.channels },
        { "domid", NULL, r.domid },
        { "attester", NULL, r.attester },
        { "reserved", NULL, 0 },
        { "signature", object + 224, 0 },
        { NULL, NULL, 0 },
    };

    check_object(rows, read_table("token.md", "## Receipt", rows), wants,
                 object, sizeof(object));
}
END_TEST

START_TEST(whois)
{
    char purpose[MEXT_PURPOSE_LEN] = MEXT_WHOIS_PURPOSE;
    uint8_t object[MEXT_WHOIS_LEN], nonce[MEXT_NONCE_LEN];
    uint8_t padding[MEXT_WHOIS_LEN] = { 0 };
    struct row rows[ROWS_MAX];

    count_up(nonce, sizeof(nonce), 0x10);
    mext_whois_make(nonce, object);

    const struct want wants[] = {
        { "purpose", purpose, 0 },
        { "nonce", nonce, 0 },
        { "padding", padding, 0 },
        { NULL, NULL, 0 },
    };

    check_object(rows, read_table("token.md", "## Who are you", rows), wants,
                 object, sizeof(object));
}
END_TEST

START_TEST(iam)
{
    char purpose[MEXT_PURPOSE_LEN] = MEXT_IAM_PURPOSE;
    uint8_t object[MEXT_IAM_LEN], nonce[MEXT_NONCE_LEN];
    struct mext_identity host, next;
    struct row rows[ROWS_MAX];

    fix_nonce(nonce);
    fix_identity(&host, FIX_DEST);
    fix_identity(&next, FIX_NEXT);
    fix_iam_bytes(true, object);

    const struct want wants[] = {
        { "purpose", purpose, 0 },
        { "nonce", nonce, 0 },
        { "host", host.pk, 0 },
        { "next", next.pk, 0 },
        { "host-signature", object + 120, 0 },
        { "next-signature", object + 184, 0 },
        { NULL, NULL, 0 },
    };

    check_object(rows, read_table("token.md", "## I am", rows), wants, object,
                 sizeof(object));
}
END_TEST

START_TEST(opening)
{
    struct mext_open o = { .index = 0x0506, .count = 0x0708 };
    uint8_t object[MEXT_OPEN_LEN];
    struct row rows[ROWS_MAX];

    count_up(o.id, sizeof(o.id), 0x10);
    ck_assert_int_eq(mext_open_encode(&o, object), 0);

    const struct want wants[] = {
        { "magic", MEXT_OPEN_MAGIC, 0 },
        { "id", o.id, 0 },
        { "index", NULL, o.index },
        { "count", NULL, o.count },
        { NULL, NULL, 0 },
    };

    check_object(rows,
                 read_table("transport.md", "OPEN, `MEXT_OPEN_LEN`", rows),
                 wants, object, sizeof(object));
}
END_TEST

START_TEST(joining)
{
    struct mext_open o = { .index = 0x0506, .count = 0x0708 };
    uint8_t object[MEXT_JOIN_LEN];
    struct row rows[ROWS_MAX];

    count_up(o.id, sizeof(o.id), 0x10);
    ck_assert_int_eq(mext_join_encode(&o, object), 0);

    const struct want wants[] = {
        { "magic", MEXT_JOIN_MAGIC, 0 },
        { "id", o.id, 0 },
        { "index", NULL, o.index },
        { "count", NULL, o.count },
        { NULL, NULL, 0 },
    };

    check_object(rows, read_table("transport.md", "`MEXT_JOIN_LEN`", rows),
                 wants, object, sizeof(object));
}
END_TEST

/* ---- bodies: types and octets as the tables of messages say ---- */

/* Octets of each field behind the type: "u64 base, u16 span" is 8, 2. */
START_TEST(data_bodies)
{
    static const struct {
        const char *name;
        uint8_t type;
        size_t n;
    } cases[] = {
        { "pages-one", 0x01, 1 + 8 + 2 + 1 },
        { "pages-packed", 0x01, 1 + 8 + 2 + 1 + 2 * 2 },
        { "pages-delta", 0x01, 1 + 8 + 2 + 1 + 2 * 2 },
        { "pages-batch", 0x01, 1 + 8 + 2 + 2 + 4 * 2 + 4 },
        { "pages-batch-full", 0x01, 1 + 8 + 2 + 8 + 32 * 2 + 4 },
        { "pages-full", 0x01, 1 + 8 + 2 + 256 },
        { "barrier", 0x02, 1 + 4 },
        { "absent-none", 0x03, 1 + 2 },
        { "absent-full", 0x03, 1 + 2 + 64 * (8 + 4) },
        { "end", 0x04, 1 + 8 + 8 },
        { "barrier-ack", 0x81, 1 + 4 },
        { "done", 0x82, 1 + 4 * 8 },
        { "error-empty", 0x83, 1 + 2 + 2 },
        { "error-full", 0x83, 1 + 2 + 2 + 512 },
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t j = 0; j < fix_ndata; j++) {
            struct mext_data m = { 0 };
            uint8_t body[MEXT_DATA_BODY_MAX];
            struct mext_buf b;

            if (strcmp(fix_data[j].name, cases[i].name))
                continue;
            fix_data[j].fill(&m);
            mext_buf_init(&b, body, sizeof(body));
            ck_assert_int_eq(mext_data_encode(&m, &b), 0);
            ck_assert_uint_eq(body[0], cases[i].type);
            ck_assert_uint_eq(b.pos, cases[i].n);
        }
}
END_TEST

/* Fields in the order of the text: numbers that count up octet by octet. */
START_TEST(final_body)
{
    struct mext_ctl m = { .type = MEXT_CTL_FINAL };
    uint8_t body[128], want[61];
    struct mext_buf b;

    count_up(want, sizeof(want), 2);
    want[0] = 0x02;
    mext_store32(want + 53, 0x300);
    mext_store32(want + 57, 3);
    m.u.final.tsc_mode = 0x03040506;
    m.u.final.tsc_khz = 0x0708090a;
    m.u.final.tsc_incarnation = 0x0b0c0d0e;
    m.u.final.tsc_nsec = 0x0f10111213141516;
    m.u.final.target_kib = 0x1718191a1b1c1d1e;
    m.u.final.data = 0x1f20212223242526;
    m.u.final.zero = 0x2728292a2b2c2d2e;
    m.u.final.absent = 0x2f30313233343536;
    m.u.final.report_ms = 0x300;
    m.u.final.context = (const uint8_t *)"ctx";
    m.u.final.context_len = 3;
    mext_buf_init(&b, body, sizeof(body));
    ck_assert_int_eq(mext_ctl_encode(&m, &b), 0);
    ck_assert_uint_eq(b.pos, sizeof(want) + 3);
    ck_assert(!memcmp(body, want, sizeof(want)));
    ck_assert(!memcmp(body + sizeof(want), "ctx", 3));
}
END_TEST

START_TEST(config_body)
{
    uint8_t body[256], leaf[24], msr[16],
        want[67] = { 0x01, 9, 8, 7, 6, 5,   4,   3, 2, 0, 4, 0,
                     17,   0, 0, 0, 2, '{', '}', 0, 0, 0, 1 };
    struct mext_ctl m = { .type = MEXT_CTL_CONFIG };
    struct mext_buf b;

    count_up(leaf, sizeof(leaf), 0x40);
    count_up(msr, sizeof(msr), 0x80);
    memcpy(want + 23, leaf, sizeof(leaf));
    mext_store32(want + 47, 1);
    memcpy(want + 51, msr, sizeof(msr));
    m.u.config.memory_kib = 0x0908070605040302;
    m.u.config.xen = 4 << 16 | 17;
    m.u.config.json = (const uint8_t *)"{}";
    m.u.config.json_len = 2;
    m.u.config.nleaves = m.u.config.nmsrs = 1;
    m.u.config.leaves = leaf;
    m.u.config.msrs = msr;
    mext_buf_init(&b, body, sizeof(body));
    ck_assert_int_eq(mext_ctl_encode(&m, &b), 0);
    ck_assert_uint_eq(b.pos, sizeof(want));
    ck_assert(!memcmp(body, want, sizeof(want)));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        token,   hello,       receipt,    whois,       iam,  opening,
        joining, data_bodies, final_body, config_body, NULL,
    };

    return unit_main(unit_suite("layout", tests));
}
