/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_codec.h"

int mext_join_encode(const struct mext_open *o, uint8_t out[MEXT_JOIN_LEN])
{
    struct mext_buf b;

    mext_buf_init(&b, out, MEXT_JOIN_LEN);
    mext_put(&b, MEXT_JOIN_MAGIC, 8);
    mext_put(&b, o->id, MEXT_ID_LEN);
    mext_put16(&b, o->index);
    mext_put16(&b, o->count);
    return mext_buf_end(&b);
}

int mext_join_decode(const uint8_t in[MEXT_JOIN_LEN], struct mext_open *o_r)
{
    struct mext_buf b;
    struct mext_open o;

    mext_buf_init(&b, (uint8_t *)in, MEXT_JOIN_LEN);
    if (memcmp(mext_view(&b, 8), MEXT_JOIN_MAGIC, 8))
        return MEXT_ERR_FORMAT;
    mext_get(&b, o.id, MEXT_ID_LEN);
    o.index = mext_get16(&b);
    o.count = mext_get16(&b);
    if (o.count > MEXT_CHANNELS_MAX || !o.index || o.index >= o.count)
        return MEXT_ERR_LIMIT;
    *o_r = o;
    return 0;
}

static int config_put(const struct mext_ctl *m, struct mext_buf *b)
{
    if (m->u.config.json_len > MEXT_CONFIG_JSON_MAX ||
        m->u.config.nleaves > MEXT_LEAVES_MAX ||
        m->u.config.nmsrs > MEXT_MSRS_MAX)
        return MEXT_ERR_LIMIT;
    mext_put64(b, m->u.config.memory_kib);
    mext_put32(b, m->u.config.xen);
    mext_put32(b, m->u.config.json_len);
    mext_put(b, m->u.config.json, m->u.config.json_len);
    mext_put32(b, m->u.config.nleaves);
    mext_put(b, m->u.config.leaves, m->u.config.nleaves * 24u);
    mext_put32(b, m->u.config.nmsrs);
    mext_put(b, m->u.config.msrs, m->u.config.nmsrs * 16u);
    return 0;
}

static int config_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.config.memory_kib = mext_get64(b);
    m->u.config.xen = mext_get32(b);
    m->u.config.json_len = mext_get32(b);
    if (m->u.config.json_len > MEXT_CONFIG_JSON_MAX)
        return MEXT_ERR_LIMIT;
    m->u.config.json = mext_view(b, m->u.config.json_len);
    m->u.config.nleaves = mext_get32(b);
    if (m->u.config.nleaves > MEXT_LEAVES_MAX)
        return MEXT_ERR_LIMIT;
    m->u.config.leaves = mext_view(b, m->u.config.nleaves * 24u);
    m->u.config.nmsrs = mext_get32(b);
    if (m->u.config.nmsrs > MEXT_MSRS_MAX)
        return MEXT_ERR_LIMIT;
    m->u.config.msrs = mext_view(b, m->u.config.nmsrs * 16u);
    return 0;
}

static void final_put(const struct mext_ctl *m, struct mext_buf *b)
{
    mext_put32(b, m->u.final.tsc_mode);
    mext_put32(b, m->u.final.tsc_khz);
    mext_put32(b, m->u.final.tsc_incarnation);
    mext_put64(b, m->u.final.tsc_nsec);
    mext_put64(b, m->u.final.target_kib);
    mext_put64(b, m->u.final.data);
    mext_put64(b, m->u.final.zero);
    mext_put64(b, m->u.final.absent);
    mext_put32(b, m->u.final.report_ms);
    mext_put32(b, m->u.final.context_len);
    mext_put(b, m->u.final.context, m->u.final.context_len);
}

static int final_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.final.tsc_mode = mext_get32(b);
    m->u.final.tsc_khz = mext_get32(b);
    m->u.final.tsc_incarnation = mext_get32(b);
    m->u.final.tsc_nsec = mext_get64(b);
    m->u.final.target_kib = mext_get64(b);
    m->u.final.data = mext_get64(b);
    m->u.final.zero = mext_get64(b);
    m->u.final.absent = mext_get64(b);
    m->u.final.report_ms = mext_get32(b);
    m->u.final.context_len = mext_get32(b);
    if (m->u.final.report_ms > MEXT_REPORT_MS_MAX ||
        m->u.final.context_len > MEXT_CONTEXT_MAX)
        return MEXT_ERR_LIMIT;
    m->u.final.context = mext_view(b, m->u.final.context_len);
    return 0;
}

static bool stream_ok(const struct mext_ctl *m)
{
    return m->u.stream.len && m->u.stream.len <= MEXT_STREAM_MAX;
}

static int stream_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.stream.len = mext_get32(b);
    m->u.stream.bytes = mext_view(b, m->u.stream.len);
    return b->bad || stream_ok(m) ? 0 : MEXT_ERR_LIMIT;
}

static bool packed_ok(const struct mext_ctl *m)
{
    return m->u.packed.len <= MEXT_STREAM_MAX && m->u.packed.n &&
           m->u.packed.n < m->u.packed.len;
}

static int packed_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.packed.len = mext_get32(b);
    m->u.packed.n = mext_get32(b);
    m->u.packed.bytes = mext_view(b, m->u.packed.n);
    return b->bad || packed_ok(m) ? 0 : MEXT_ERR_LIMIT;
}

static bool piece_ok(const struct mext_ctl *m)
{
    return m->u.piece.len <= MEXT_STREAM_MAX && m->u.piece.n &&
           m->u.piece.n <= m->u.piece.len;
}

static void piece_put(const struct mext_ctl *m, struct mext_buf *b)
{
    mext_put64(b, m->u.piece.number);
    mext_put32(b, m->u.piece.len);
    mext_put32(b, m->u.piece.n);
    mext_put(b, m->u.piece.bytes, m->u.piece.n);
}

static int piece_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.piece.number = mext_get64(b);
    m->u.piece.len = mext_get32(b);
    m->u.piece.n = mext_get32(b);
    m->u.piece.bytes = mext_view(b, m->u.piece.n);
    return b->bad || piece_ok(m) ? 0 : MEXT_ERR_LIMIT;
}

static int ended_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.ended.bytes = mext_get64(b);
    m->u.ended.report_ms = mext_get32(b);
    return m->u.ended.report_ms > MEXT_REPORT_MS_MAX ? MEXT_ERR_LIMIT : 0;
}

static bool finding_ok(const struct mext_ctl *m)
{
    return m->u.finding.kind >= MEXT_FINDING_FINE &&
           m->u.finding.kind <= MEXT_FINDING_OBSTACLE;
}

static bool evidence_ok(const struct mext_ctl *m)
{
    return m->u.evidence.attest_len &&
           m->u.evidence.attest_len <= MEXT_ATTEST_MAX &&
           m->u.evidence.sig_len && m->u.evidence.sig_len <= MEXT_TPMSIG_MAX;
}

static void evidence_put(const struct mext_ctl *m, struct mext_buf *b)
{
    mext_put16(b, m->u.evidence.attest_len);
    mext_put(b, m->u.evidence.attest, m->u.evidence.attest_len);
    mext_put16(b, m->u.evidence.sig_len);
    mext_put(b, m->u.evidence.sig, m->u.evidence.sig_len);
}

static int evidence_get(struct mext_buf *b, struct mext_ctl *m)
{
    m->u.evidence.attest_len = mext_get16(b);
    m->u.evidence.attest = mext_view(b, m->u.evidence.attest_len);
    m->u.evidence.sig_len = mext_get16(b);
    m->u.evidence.sig = mext_view(b, m->u.evidence.sig_len);
    return b->bad || evidence_ok(m) ? 0 : MEXT_ERR_LIMIT;
}

int mext_ctl_encode(const struct mext_ctl *m, struct mext_buf *b)
{
    int rc;

    mext_put8(b, m->type);
    switch (m->type) {
    case MEXT_CTL_CONFIG:
    case MEXT_CTL_LOOK:
        rc = config_put(m, b);
        if (rc)
            return rc;
        break;
    case MEXT_CTL_FINAL:
        if (m->u.final.report_ms > MEXT_REPORT_MS_MAX ||
            m->u.final.context_len > MEXT_CONTEXT_MAX)
            return MEXT_ERR_LIMIT;
        final_put(m, b);
        break;
    case MEXT_CTL_COMMIT:
    case MEXT_CTL_LOOKED:
    case MEXT_CTL_HERE:
    case MEXT_CTL_JOINED:
        break;
    case MEXT_CTL_STREAM:
        if (!stream_ok(m))
            return MEXT_ERR_LIMIT;
        mext_put32(b, m->u.stream.len);
        mext_put(b, m->u.stream.bytes, m->u.stream.len);
        break;
    case MEXT_CTL_PACKED:
        if (!packed_ok(m))
            return MEXT_ERR_LIMIT;
        mext_put32(b, m->u.packed.len);
        mext_put32(b, m->u.packed.n);
        mext_put(b, m->u.packed.bytes, m->u.packed.n);
        break;
    case MEXT_CTL_PIECE:
        if (!piece_ok(m))
            return MEXT_ERR_LIMIT;
        piece_put(m, b);
        break;
    case MEXT_CTL_ENDED:
        if (m->u.ended.report_ms > MEXT_REPORT_MS_MAX)
            return MEXT_ERR_LIMIT;
        mext_put64(b, m->u.ended.bytes);
        mext_put32(b, m->u.ended.report_ms);
        break;
    case MEXT_CTL_STEP:
        mext_put_text(b, m->u.step.text, m->u.step.len);
        break;
    case MEXT_CTL_FINDING:
        if (!finding_ok(m))
            return MEXT_ERR_LIMIT;
        mext_put8(b, m->u.finding.kind);
        mext_put_text(b, m->u.finding.text, m->u.finding.len);
        break;
    case MEXT_CTL_RECEIPT:
        mext_put(b, m->u.receipt.bytes, MEXT_RECEIPT_LEN);
        break;
    case MEXT_CTL_EVIDENCE:
        if (!evidence_ok(m))
            return MEXT_ERR_LIMIT;
        evidence_put(m, b);
        break;
    case MEXT_CTL_PREPARED:
        mext_put64(b, m->u.prepared.tidy_us);
        mext_put64(b, m->u.prepared.prepare_us);
        break;
    case MEXT_CTL_RUNNING:
        mext_put32(b, m->u.running.domid);
        mext_put64(b, m->u.running.handover_us);
        break;
    case MEXT_CTL_GUEST:
        mext_put64(b, m->u.guest.stopped_ms);
        break;
    case MEXT_CTL_ABORT:
        mext_put16(b, m->u.abort.code);
        mext_put_text(b, m->u.abort.text, m->u.abort.len);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return b->bad ? MEXT_ERR_FULL : 0;
}

static int ctl_get(const uint8_t *body, size_t len, struct mext_ctl *m)
{
    struct mext_buf b;
    int rc = 0;

    mext_buf_init(&b, (uint8_t *)body, len);
    m->type = mext_get8(&b);
    switch (m->type) {
    case MEXT_CTL_CONFIG:
    case MEXT_CTL_LOOK:
        rc = config_get(&b, m);
        break;
    case MEXT_CTL_FINAL:
        rc = final_get(&b, m);
        break;
    case MEXT_CTL_COMMIT:
    case MEXT_CTL_LOOKED:
    case MEXT_CTL_HERE:
    case MEXT_CTL_JOINED:
        break;
    case MEXT_CTL_STREAM:
        rc = stream_get(&b, m);
        break;
    case MEXT_CTL_PACKED:
        rc = packed_get(&b, m);
        break;
    case MEXT_CTL_PIECE:
        rc = piece_get(&b, m);
        break;
    case MEXT_CTL_ENDED:
        rc = ended_get(&b, m);
        break;
    case MEXT_CTL_STEP:
        m->u.step.text = (const char *)mext_get_text(&b, &m->u.step.len);
        break;
    case MEXT_CTL_FINDING:
        m->u.finding.kind = mext_get8(&b);
        m->u.finding.text = (const char *)mext_get_text(&b, &m->u.finding.len);
        rc = b.bad || finding_ok(m) ? 0 : MEXT_ERR_LIMIT;
        break;
    case MEXT_CTL_RECEIPT:
        m->u.receipt.bytes = mext_view(&b, MEXT_RECEIPT_LEN);
        break;
    case MEXT_CTL_EVIDENCE:
        rc = evidence_get(&b, m);
        break;
    case MEXT_CTL_PREPARED:
        m->u.prepared.tidy_us = mext_get64(&b);
        m->u.prepared.prepare_us = mext_get64(&b);
        break;
    case MEXT_CTL_RUNNING:
        m->u.running.domid = mext_get32(&b);
        m->u.running.handover_us = mext_get64(&b);
        break;
    case MEXT_CTL_GUEST:
        m->u.guest.stopped_ms = mext_get64(&b);
        break;
    case MEXT_CTL_ABORT:
        m->u.abort.code = mext_get16(&b);
        m->u.abort.text = (const char *)mext_get_text(&b, &m->u.abort.len);
        break;
    default:
        return MEXT_ERR_FORMAT;
    }
    return rc ? rc : mext_buf_end(&b);
}

int mext_ctl_decode(const uint8_t *body, size_t len, struct mext_ctl *m_r)
{
    struct mext_ctl m;
    int rc = ctl_get(body, len, &m);

    if (!rc)
        *m_r = m;
    return rc;
}

void mext_leaf_get(const uint8_t *leaves, unsigned i, struct mext_leaf *l_r)
{
    struct mext_buf b;

    mext_buf_init(&b, (uint8_t *)leaves + i * 24u, 24);
    l_r->leaf = mext_get32(&b);
    l_r->subleaf = mext_get32(&b);
    l_r->a = mext_get32(&b);
    l_r->b = mext_get32(&b);
    l_r->c = mext_get32(&b);
    l_r->d = mext_get32(&b);
}

void mext_leaf_put(uint8_t *leaves, unsigned i, const struct mext_leaf *l)
{
    struct mext_buf b;

    mext_buf_init(&b, leaves + i * 24u, 24);
    mext_put32(&b, l->leaf);
    mext_put32(&b, l->subleaf);
    mext_put32(&b, l->a);
    mext_put32(&b, l->b);
    mext_put32(&b, l->c);
    mext_put32(&b, l->d);
}

void mext_msr_get(const uint8_t *msrs, unsigned i, struct mext_msr *m_r)
{
    struct mext_buf b;

    mext_buf_init(&b, (uint8_t *)msrs + i * 16u, 16);
    m_r->idx = mext_get32(&b);
    m_r->flags = mext_get32(&b);
    m_r->val = mext_get64(&b);
}

void mext_msr_put(uint8_t *msrs, unsigned i, const struct mext_msr *m)
{
    struct mext_buf b;

    mext_buf_init(&b, msrs + i * 16u, 16);
    mext_put32(&b, m->idx);
    mext_put32(&b, m->flags);
    mext_put64(&b, m->val);
}
