/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_agentmsg: what is written is read back; everything else is refused. */
#include <stdlib.h>
#include <string.h>

#include "mext_agentmsg.h"
#include "unit.h"

static uint8_t body[MEXT_AGENT_BODY_MAX + 1];
#define bits fix_agent_bits
#define text fix_agent_text
static const uint8_t high[] = { 1, 2 }; /* too much for nine bits */

#define CHUNK MEXT_AGENT_CHUNK_GFNS

/* Above or below a limit, or against the format. */
static const struct mext_agentmsg bad[] = {
    { 0, 1, .u.hello = { 1 } },
    { 0x07, 1, .u.hello = { 1 } },
    { 0x88, 1, .u.hello = { 1 } },
    { MEXT_AGENT_HELLO, 1, .u.hello = { 0 } },
    { MEXT_AGENT_FREE, 2, .u.free = { 0, 1 } },
    { MEXT_AGENT_FREE, 2, .u.free = { 60001, 1 } },
    { MEXT_AGENT_FREE, 2, .u.free = { 1, 0 } },
    { MEXT_AGENT_FREE, 2, .u.free = { 1, MEXT_GFN_MAX + 2 } },
    { MEXT_AGENT_TRIM, 3, .u.trim = { 1, 0 } },
    { MEXT_AGENT_TRIM, 3, .u.trim = { 1, 3 } },
    { MEXT_AGENT_QUIESCE, 4, .u.quiesce = { 1, 0 } },
    { MEXT_AGENT_QUIESCE, 4, .u.quiesce = { 1, 600001 } },
    { MEXT_AGENT_RESUME, 5, .u.resume = { 1, 4, 0 } },
    { MEXT_AGENT_CALM, 6, .u.calm = { 1, 0 } },
    { MEXT_AGENT_CALM, 6, .u.calm = { 1, 101 } },
    { MEXT_AGENT_WELCOME, 1, .u.welcome = { 1, 32, 0, "" } },
    { MEXT_AGENT_WELCOME, 1, .u.welcome = { 1, 0, 2, "a\n" } },
    { MEXT_AGENT_WELCOME, 1, .u.welcome = { 1, 0, MEXT_TEXT_MAX + 1, text } },
    { MEXT_AGENT_BITMAP, 2, .u.bitmap = { 0, 0, bits } },
    { MEXT_AGENT_BITMAP, 2, .u.bitmap = { 0, CHUNK + 1, bits } },
    { MEXT_AGENT_BITMAP, 2, .u.bitmap = { 8, 8, bits } },
    { MEXT_AGENT_BITMAP, 2, .u.bitmap = { MEXT_GFN_MAX + 1, 8, bits } },
    { MEXT_AGENT_BITMAP, 2, .u.bitmap = { CHUNK, 9, high } },
    { MEXT_AGENT_FREE_END, 2, .u.free_end = { 2, 0 } },
    { MEXT_AGENT_ERROR, 9, .u.error = { 0, 0, "" } },
    { MEXT_AGENT_ERROR, 9, .u.error = { 1, 1, "\xe9" } },
};

/* A decoder sees a block of its own size, so that the sanitizer sees more. */
static int decode(const uint8_t *p, size_t n, struct mext_agentmsg *m_r)
{
    static uint8_t *kept;

    free(kept);
    kept = malloc(n ? n : 1);
    memcpy(kept, p, n);
    return mext_agentmsg_decode(kept, n, m_r);
}

static size_t encode(const struct mext_agentmsg *m)
{
    struct mext_buf b;

    mext_buf_init(&b, body, sizeof(body));
    ck_assert_int_eq(mext_agentmsg_encode(m, &b), 0);
    ck_assert_uint_le(b.pos, MEXT_AGENT_BODY_MAX);
    return b.pos;
}

static void refused(size_t n)
{
    struct mext_agentmsg m, before;

    memset(&m, 0xa5, sizeof(m));
    memcpy(&before, &m, sizeof(m));
    ck_assert_int_lt(decode(body, n, &m), 0);
    ck_assert(!memcmp(&m, &before, sizeof(m)));
}

START_TEST(round_trip)
{
    for (size_t i = 0; i < fix_nagent; i++) {
        static uint8_t again[sizeof(body)];
        struct mext_agentmsg m;
        struct mext_buf b;
        size_t n = encode(&fix_agent[i].m);

        ck_assert_int_eq(decode(body, n, &m), 0);
        ck_assert_uint_eq(m.type, fix_agent[i].m.type);
        ck_assert_uint_eq(m.id, fix_agent[i].m.id);
        mext_buf_init(&b, again, n);
        ck_assert_int_eq(mext_agentmsg_encode(&m, &b), 0);
        ck_assert(b.pos == n && !memcmp(body, again, n));
    }
}
END_TEST

START_TEST(fields_are_where_they_belong)
{
    static const uint8_t free_wire[] = { 0x02, 0, 0, 0, 2, 0,    0, 0xea, 0x60,
                                         0,    0, 0, 0, 0, 0x10, 0, 0 };
    struct mext_agentmsg m;

    ck_assert_int_eq(decode(free_wire, sizeof(free_wire), &m), 0);
    ck_assert_uint_eq(m.id, 2);
    ck_assert_uint_eq(m.u.free.deadline_ms, 60000);
    ck_assert_uint_eq(m.u.free.ngfns, 0x100000);
}
END_TEST

START_TEST(cut_and_longer)
{
    for (size_t i = 0; i < fix_nagent; i++) {
        size_t n = encode(&fix_agent[i].m), step = n > 1000 ? 97 : 1;

        for (size_t cut = 0; cut < n; cut += step) {
            refused(cut);
            encode(&fix_agent[i].m);
        }
        body[n] = 0;
        refused(n + 1);
    }
}
END_TEST

START_TEST(bad_is_not_written)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mext_buf b;

        mext_buf_init(&b, body, sizeof(body));
        ck_assert_int_lt(mext_agentmsg_encode(&bad[i], &b), 0);
    }
}
END_TEST

/* A good message with the octets at `at` replaced. */
static void spoilt(const struct mext_agentmsg *m, size_t at, uint64_t v,
                   size_t size)
{
    size_t n = encode(m);

    while (size--) {
        body[at + size] = (uint8_t)v;
        v >>= 8;
    }
    refused(n);
}

START_TEST(bad_is_not_read)
{
    spoilt(&fix_agent[0].m, 0, 0, 1);                /* type */
    spoilt(&fix_agent[0].m, 0, 0x07, 1);             /* unknown */
    spoilt(&fix_agent[0].m, 5, 0, 2);                /* version 0 */
    spoilt(&fix_agent[2].m, 5, 60001, 4);            /* deadline */
    spoilt(&fix_agent[2].m, 9, MEXT_GFN_MAX + 2, 8); /* ngfns */
    spoilt(&fix_agent[4].m, 9, 3, 1);                /* level */
    spoilt(&fix_agent[6].m, 9, 600001, 4);           /* hold */
    spoilt(&fix_agent[8].m, 9, 4, 1);                /* flags */
    spoilt(&fix_agent[10].m, 9, 101, 1);             /* percent */
    spoilt(&fix_agent[13].m, 7, 32, 4);              /* abilities */
    spoilt(&fix_agent[13].m, 13, 0x1b, 1);           /* a control character */
    spoilt(&fix_agent[15].m, 5, 1, 8);               /* not a multiple */
    spoilt(&fix_agent[15].m, 5, 1ull << 63, 8);      /* a gfn too high */
    spoilt(&fix_agent[15].m, 13, 0xffffffff, 4);     /* count */
    spoilt(&fix_agent[15].m, 17, 0x0102, 2);         /* a bit behind count */
    spoilt(&fix_agent[17].m, 5, MEXT_GFN_MAX + 1ull, 8); /* beyond the last */
    spoilt(&fix_agent[18].m, 5, 2, 1);                   /* flags */
    spoilt(&fix_agent[24].m, 7, MEXT_TEXT_MAX + 1, 2);   /* text too long */
    spoilt(&fix_agent[24].m, 7, MEXT_TEXT_MAX - 1, 2);   /* an octet too many */
    spoilt(&fix_agent[24].m, 5, 0, 2);                   /* reason 0 */
}
END_TEST

START_TEST(nothing_beyond_the_room)
{
    for (size_t i = 0; i < fix_nagent; i++) {
        size_t n = encode(&fix_agent[i].m);
        struct mext_buf b;

        mext_buf_init(&b, body, n - 1);
        ck_assert_int_eq(mext_agentmsg_encode(&fix_agent[i].m, &b),
                         MEXT_ERR_FULL);
    }
}
END_TEST

START_TEST(report)
{
    struct mext_agent_report r = {
        .n = 20,
        .quiesced = { 1700000000123, 5000, 4000 },
        .resumed = { 1700000000323, 5200, 4003 },
        .thawed = { 1700000000330, 5207, 4010 },
    };
    const char *want = fix_agent_report;
    char out[MEXT_AGENT_REPORT_MAX + 1];
    struct mext_agent_report back;

    mext_agent_report_text(&r, out);
    ck_assert_str_eq(out, want);
    ck_assert_int_eq(mext_agent_report_parse(out, strlen(out), &back), 0);
    ck_assert_uint_eq(back.thawed.mono, 4010);
    mext_agent_report_text(&back, out);
    ck_assert_str_eq(out, want);
    ck_assert_uint_eq(mext_agent_report_gap(&back), 207);
    back.thawed.real = back.quiesced.real - 1; /* its clock was set back */
    ck_assert_uint_eq(mext_agent_report_gap(&back), 0);
    back = r;
    back.quiesced.real = 0; /* it was not asked to hold still */
    ck_assert_uint_eq(mext_agent_report_gap(&back), 0);
    for (size_t n = 0; n < strlen(want) - 3; n++)
        ck_assert_int_lt(mext_agent_report_parse(want, n, &back), 0);
}
END_TEST

START_TEST(report_refused)
{
    static const char *const texts[] = {
        "",
        "v2 n=1 quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1",
        "v1 n=01 quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1",
        "v1 n=-1 quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1",
        "v1 n=4294967296 quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1",
        "v1 n=1 quiesced=1,1 resumed=1,1,1 thawed=1,1,1",
        "v1 n=1 quiesced=1,1,1 resumed=,1,1 thawed=1,1,1",
        "v1 n=1 quiesced=9223372036854775808,1,1 resumed=1,1,1 thawed=1,1,1",
        "v1 n=1 quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1 ",
        "v1 n=1 quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1\n",
        "v1 n=1  quiesced=1,1,1 resumed=1,1,1 thawed=1,1,1",
    };
    struct mext_agent_report r, before;
    char longer[MEXT_AGENT_REPORT_MAX + 2];

    memset(&r, 0xa5, sizeof(r));
    memcpy(&before, &r, sizeof(r));
    for (size_t i = 0; i < COUNT(texts); i++)
        ck_assert_int_lt(
            mext_agent_report_parse(texts[i], strlen(texts[i]), &r), 0);
    memset(longer, '1', sizeof(longer));
    memcpy(longer, "v1 n=", 5);
    ck_assert_int_lt(mext_agent_report_parse(longer, sizeof(longer), &r), 0);
    ck_assert(!memcmp(&r, &before, sizeof(r)));
}
END_TEST

START_TEST(reasons)
{
    ck_assert_str_eq(mext_agent_reason(MEXT_AGENT_E_STATE), "not now");
    ck_assert_str_eq(mext_agent_reason(0), "unknown reason");
    ck_assert_str_eq(mext_agent_reason(65535), "unknown reason");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        round_trip,      fields_are_where_they_belong,
        cut_and_longer,  bad_is_not_written,
        bad_is_not_read, nothing_beyond_the_room,
        report,          report_refused,
        reasons,         NULL
    };

    return unit_main(unit_suite("agent", tests));
}
