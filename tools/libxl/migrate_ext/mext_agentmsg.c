/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_agentmsg.h"
#include "mext_text.h"

/* One number of a message: where it is, how wide, what it may be. */
struct field {
    uint8_t type; /* of the message */
    uint8_t size; /* octets on the wire and in the record */
    uint16_t at;  /* in struct mext_agentmsg */
    uint64_t min, max;
};

#define U64_MAX UINT64_MAX
#define FIELD(message, member, lo, hi) \
    { \
        MEXT_AGENT_##message, sizeof(((struct mext_agentmsg *)0)->u.member), \
            offsetof(struct mext_agentmsg, u.member), lo, hi \
    }

/* In the order of the wire; texts and bits follow the numbers. */
static const struct field fields[] = {
    FIELD(HELLO, hello.version, 1, 0xffff),
    FIELD(FREE, free.deadline_ms, 1, MEXT_AGENT_DEADLINE_MAX),
    FIELD(FREE, free.ngfns, 1, MEXT_GFN_MAX + 1),
    FIELD(TRIM, trim.deadline_ms, 1, MEXT_AGENT_DEADLINE_MAX),
    FIELD(TRIM, trim.level, MEXT_AGENT_TRIM_CACHE, MEXT_AGENT_TRIM_DEEP),
    FIELD(QUIESCE, quiesce.deadline_ms, 1, MEXT_AGENT_DEADLINE_MAX),
    FIELD(QUIESCE, quiesce.hold_ms, 1, MEXT_AGENT_HOLD_MAX),
    FIELD(RESUME, resume.deadline_ms, 1, MEXT_AGENT_DEADLINE_MAX),
    FIELD(RESUME, resume.flags, 0,
          MEXT_AGENT_RESUME_ANNOUNCE | MEXT_AGENT_RESUME_CLOCK),
    FIELD(RESUME, resume.real_ms, 0, U64_MAX),
    FIELD(CALM, calm.hold_ms, 1, MEXT_AGENT_HOLD_MAX),
    FIELD(CALM, calm.percent, 1, 100),
    FIELD(WELCOME, welcome.version, 1, 0xffff),
    FIELD(WELCOME, welcome.abilities, 0, 2 * MEXT_AGENT_CAN_CLOCK - 1),
    FIELD(WELCOME, welcome.len, 0, MEXT_TEXT_MAX),
    FIELD(BITMAP, bitmap.first, 0, MEXT_GFN_MAX),
    FIELD(BITMAP, bitmap.count, 1, MEXT_AGENT_CHUNK_GFNS),
    FIELD(FREE_END, free_end.flags, 0, MEXT_AGENT_FREE_ZERO),
    FIELD(FREE_END, free_end.pages, 0, U64_MAX),
    FIELD(TRIMMED, trimmed.before_kib, 0, U64_MAX),
    FIELD(TRIMMED, trimmed.after_kib, 0, U64_MAX),
    FIELD(QUIESCED, quiesced.took_ms, 0, 0xffffffff),
    FIELD(QUIESCED, quiesced.cgroups, 0, 0xffff),
    FIELD(QUIESCED, quiesced.hooks, 0, 0xffff),
    FIELD(RESUMED, resumed.took_ms, 0, 0xffffffff),
    FIELD(RESUMED, resumed.hooks, 0, 0xffff),
    FIELD(RESUMED, resumed.announced, 0, 0xffff),
    FIELD(RESUMED, resumed.before_ms, 0, U64_MAX),
    FIELD(RESUMED, resumed.after_ms, 0, U64_MAX),
    FIELD(CALMED, calmed.cgroups, 0, 0xffff),
    FIELD(ERROR, error.code, 1, 0xffff),
    FIELD(ERROR, error.len, 0, MEXT_TEXT_MAX),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static uint64_t load(const void *p, unsigned size)
{
    uint64_t v64;
    uint32_t v32;
    uint16_t v16;

    switch (size) {
    case 1:
        return *(const uint8_t *)p;
    case 2:
        memcpy(&v16, p, 2);
        return v16;
    case 4:
        memcpy(&v32, p, 4);
        return v32;
    default:
        memcpy(&v64, p, 8);
        return v64;
    }
}

static void store(void *p, unsigned size, uint64_t v)
{
    uint16_t v16 = (uint16_t)v;
    uint32_t v32 = (uint32_t)v;

    switch (size) {
    case 1:
        *(uint8_t *)p = (uint8_t)v;
        break;
    case 2:
        memcpy(p, &v16, 2);
        break;
    case 4:
        memcpy(p, &v32, 4);
        break;
    default:
        memcpy(p, &v, 8);
    }
}

static void put(struct mext_buf *b, unsigned size, uint64_t v)
{
    if (size == 1)
        mext_put8(b, (uint8_t)v);
    else if (size == 2)
        mext_put16(b, (uint16_t)v);
    else if (size == 4)
        mext_put32(b, (uint32_t)v);
    else
        mext_put64(b, v);
}

static uint64_t get(struct mext_buf *b, unsigned size)
{
    return size == 1   ? mext_get8(b)
           : size == 2 ? mext_get16(b)
           : size == 4 ? mext_get32(b)
                       : mext_get64(b);
}

static bool bits_ok(const struct mext_agentmsg *m)
{
    uint32_t count = m->u.bitmap.count;

    return m->u.bitmap.first % MEXT_AGENT_CHUNK_GFNS == 0 &&
           count - 1 <= MEXT_GFN_MAX - m->u.bitmap.first &&
           (count % 8 == 0 || m->u.bitmap.bits[count / 8] >> count % 8 == 0);
}

/* The bytes behind the numbers: how many, and the pointer to them. */
static size_t tail(struct mext_agentmsg *m, const uint8_t ***p_r)
{
    switch (m->type) {
    case MEXT_AGENT_WELCOME:
        *p_r = (const uint8_t **)&m->u.welcome.text;
        return m->u.welcome.len;
    case MEXT_AGENT_ERROR:
        *p_r = (const uint8_t **)&m->u.error.text;
        return m->u.error.len;
    case MEXT_AGENT_BITMAP:
        *p_r = &m->u.bitmap.bits;
        return (m->u.bitmap.count + 7) / 8;
    default:
        *p_r = NULL;
        return 0;
    }
}

static int check(const struct mext_agentmsg *m)
{
    if (m->type == MEXT_AGENT_BITMAP && !bits_ok(m))
        return MEXT_ERR_FORMAT;
    if (m->type == MEXT_AGENT_WELCOME &&
        !mext_printable(m->u.welcome.text, m->u.welcome.len))
        return MEXT_ERR_FORMAT;
    if (m->type == MEXT_AGENT_ERROR &&
        !mext_printable(m->u.error.text, m->u.error.len))
        return MEXT_ERR_FORMAT;
    return 0;
}

int mext_agentmsg_encode(const struct mext_agentmsg *m, struct mext_buf *b)
{
    struct mext_agentmsg copy = *m;
    const uint8_t **p;
    size_t n = 0;
    int rc;

    mext_put8(b, m->type);
    mext_put32(b, m->id);
    for (size_t i = 0; i < NFIELDS; i++) {
        const struct field *f = &fields[i];
        uint64_t v = load((const uint8_t *)m + f->at, f->size);

        if (f->type != m->type)
            continue;
        if (v < f->min || v > f->max)
            return MEXT_ERR_LIMIT;
        put(b, f->size, v);
        n++;
    }
    if (!n)
        return MEXT_ERR_FORMAT;
    rc = check(m);
    if (rc)
        return rc;
    n = tail(&copy, &p);
    if (p)
        mext_put(b, *p, n);
    return b->bad ? MEXT_ERR_FULL : 0;
}

static int get_fields(struct mext_buf *b, struct mext_agentmsg *m)
{
    unsigned n = 0;

    for (size_t i = 0; i < NFIELDS; i++) {
        const struct field *f = &fields[i];
        uint64_t v;

        if (f->type != m->type)
            continue;
        v = get(b, f->size);
        if (b->bad)
            return MEXT_ERR_FORMAT;
        if (v < f->min || v > f->max)
            return MEXT_ERR_LIMIT;
        store((uint8_t *)m + f->at, f->size, v);
        n++;
    }
    return n ? 0 : MEXT_ERR_FORMAT;
}

int mext_agentmsg_decode(const uint8_t *body, size_t len,
                         struct mext_agentmsg *m_r)
{
    struct mext_agentmsg m = { 0 };
    const uint8_t **p;
    struct mext_buf b;
    size_t n;
    int rc;

    mext_buf_init(&b, (uint8_t *)body, len);
    m.type = mext_get8(&b);
    m.id = mext_get32(&b);
    if (b.bad)
        return MEXT_ERR_FORMAT;
    rc = get_fields(&b, &m);
    if (rc)
        return rc;
    n = tail(&m, &p);
    if (p)
        *p = mext_view(&b, n);
    rc = mext_buf_end(&b);
    if (!rc)
        rc = check(&m);
    if (!rc)
        *m_r = m;
    return rc;
}

/* ---- report ---- */

/* Appends; the callers' texts are far below the limit. */
static char *add(char *at, const char *s)
{
    size_t n = strlen(s);

    memcpy(at, s, n + 1);
    return at + n;
}

static char *add_number(char *at, uint64_t v)
{
    char digits[21], *p = digits + sizeof(digits) - 1;

    *p = 0;
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    return add(at, p);
}

static char *add_time(char *at, const char *name,
                      const struct mext_agent_time *t)
{
    at = add_number(add(at, name), t->real);
    at = add_number(add(at, ","), t->boot);
    return add_number(add(at, ","), t->mono);
}

void mext_agent_report_text(const struct mext_agent_report *r,
                            char out[MEXT_AGENT_REPORT_MAX + 1])
{
    char *at = add_number(add(out, "v1 n="), r->n);

    at = add_time(at, " quiesced=", &r->quiesced);
    at = add_time(at, " resumed=", &r->resumed);
    add_time(at, " thawed=", &r->thawed);
}

static void parse_time(struct mext_text *t, const char *name,
                       struct mext_agent_time *out)
{
    mext_text_expect(t, name);
    out->real = mext_text_number(t, 0, INT64_MAX);
    mext_text_expect(t, ",");
    out->boot = mext_text_number(t, 0, INT64_MAX);
    mext_text_expect(t, ",");
    out->mono = mext_text_number(t, 0, INT64_MAX);
}

int mext_agent_report_parse(const char *text, size_t len,
                            struct mext_agent_report *r_r)
{
    struct mext_text t = { text, text + len, len > MEXT_AGENT_REPORT_MAX };
    struct mext_agent_report r;

    mext_text_expect(&t, "v1 n=");
    r.n = (uint32_t)mext_text_number(&t, 0, UINT32_MAX);
    parse_time(&t, " quiesced=", &r.quiesced);
    parse_time(&t, " resumed=", &r.resumed);
    parse_time(&t, " thawed=", &r.thawed);
    if (!mext_text_done(&t))
        return MEXT_ERR_FORMAT;
    *r_r = r;
    return 0;
}

const char *mext_agent_reason(unsigned code)
{
    static const char *const words[] = {
        [MEXT_AGENT_E_MALFORMED] = "malformed message",
        [MEXT_AGENT_E_UNKNOWN] = "it does not do that",
        [MEXT_AGENT_E_DENIED] = "the guest's configuration refuses",
        [MEXT_AGENT_E_FAILED] = "failed",
        [MEXT_AGENT_E_DEADLINE] = "not in time",
        [MEXT_AGENT_E_UNSURE] = "free pages cannot be told safely",
        [MEXT_AGENT_E_STATE] = "not now",
    };

    if (code >= sizeof(words) / sizeof(words[0]) || !words[code])
        return "unknown reason";
    return words[code];
}

uint64_t mext_agent_report_gap(const struct mext_agent_report *r)
{
    if (!r->quiesced.real || r->thawed.real < r->quiesced.real)
        return 0;
    return r->thawed.real - r->quiesced.real;
}
