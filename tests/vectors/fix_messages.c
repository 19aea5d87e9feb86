/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "fixture.h"

/* ---- data ---- */

static void pages_one(struct mext_data *m)
{
    m->type = MEXT_DATA_PAGES;
    m->u.pages.base = 0x12345;
    m->u.pages.span = 1;
    m->u.pages.map[0] = MEXT_MAP_DATA;
    m->u.pages.ndata = 1;
}

/* none, zero, data, zero, data: an odd span. */
static void pages_mixed(struct mext_data *m)
{
    static const unsigned map[] = { 0, 1, 2, 1, 2 };

    m->type = MEXT_DATA_PAGES;
    m->u.pages.base = 0;
    m->u.pages.span = COUNT(map);
    for (unsigned i = 0; i < COUNT(map); i++)
        mext_map_set(m->u.pages.map, i, map[i]);
    m->u.pages.ndata = 2;
}

/* Pages made smaller beside one that is not, the shortest and the longest. */
static void pages_packed(struct mext_data *m)
{
    m->type = MEXT_DATA_PAGES;
    m->u.pages.base = 0x500;
    m->u.pages.span = 3;
    m->u.pages.map[0] = MEXT_MAP_PACKED | MEXT_MAP_DATA << 2 |
                        MEXT_MAP_PACKED << 4;
    m->u.pages.ndata = 3;
    m->u.pages.len[0] = 1;
    m->u.pages.len[1] = MEXT_PAGE_SIZE;
    m->u.pages.len[2] = MEXT_PACKED_MAX;
    m->u.pages.coding[0] = m->u.pages.coding[2] = MEXT_CODING_LZ4;
}

/* A batch of two pieces and a page for which none is left, among others. */
static void pages_batch(struct mext_data *m)
{
    m->type = MEXT_DATA_PAGES;
    m->u.pages.base = 0x600;
    m->u.pages.span = 5;
    m->u.pages.map[0] = 0xff;
    m->u.pages.map[1] = MEXT_MAP_DATA;
    m->u.pages.ndata = 5;
    m->u.pages.len[0] = MEXT_PAGE_SIZE;
    m->u.pages.len[1] = 77;
    m->u.pages.len[2] = 0x102;
    m->u.pages.len[4] = MEXT_PAGE_SIZE;
    for (unsigned i = 0; i < 4; i++)
        m->u.pages.coding[i] = MEXT_CODING_ZSTD;
    m->u.pages.coding[1] = MEXT_CODING_LZ4;
    m->u.pages.batch = MEXT_PAGE_SIZE + 0x102;
}

/* What changed of two pages, the least and the most. */
static void pages_delta(struct mext_data *m)
{
    m->type = MEXT_DATA_PAGES;
    m->u.pages.base = 0x700;
    m->u.pages.span = 2;
    m->u.pages.map[0] = MEXT_MAP_PACKED | MEXT_MAP_PACKED << 2;
    m->u.pages.ndata = 2;
    m->u.pages.len[0] = 8;
    m->u.pages.len[1] = MEXT_DELTA_MAX;
    m->u.pages.coding[0] = m->u.pages.coding[1] = MEXT_CODING_DELTA;
}

/* As large as a batch may be. */
static void pages_batch_full(struct mext_data *m)
{
    m->type = MEXT_DATA_PAGES;
    m->u.pages.span = MEXT_BATCH_PAGES;
    m->u.pages.ndata = MEXT_BATCH_PAGES;
    memset(m->u.pages.map, 0xff, MEXT_BATCH_PAGES / 4);
    m->u.pages.batch = MEXT_BATCH_MAX;
    for (unsigned i = 0; i < MEXT_BATCH_PAGES; i++) {
        m->u.pages.coding[i] = MEXT_CODING_ZSTD;
        m->u.pages.len[i] = mext_batch_piece(MEXT_BATCH_MAX, i);
    }
}

/* All limits at once: span, data pages, highest gfn. */
static void pages_full(struct mext_data *m)
{
    m->type = MEXT_DATA_PAGES;
    m->u.pages.base = MEXT_GFN_MAX - (MEXT_PAGES_SPAN_MAX - 1);
    m->u.pages.span = MEXT_PAGES_SPAN_MAX;
    memset(m->u.pages.map, 0x55, sizeof(m->u.pages.map));
    for (unsigned i = 0; i < MEXT_PAGES_DATA_MAX; i++)
        mext_map_set(m->u.pages.map, i * 16 + 15, MEXT_MAP_DATA);
    m->u.pages.ndata = MEXT_PAGES_DATA_MAX;
}

static void barrier(struct mext_data *m)
{
    m->type = MEXT_DATA_BARRIER;
    m->u.barrier.iteration = 0x01020304;
}

static void barrier_ack(struct mext_data *m)
{
    m->type = MEXT_DATA_BARRIER_ACK;
    m->u.barrier.iteration = 1;
}

static void absent_none(struct mext_data *m)
{
    m->type = MEXT_DATA_ABSENT;
}

static void absent_full(struct mext_data *m)
{
    m->type = MEXT_DATA_ABSENT;
    m->u.absent.n = MEXT_ABSENT_MAX;
    for (unsigned i = 0; i < MEXT_ABSENT_MAX; i++) {
        m->u.absent.e[i].gfn = MEXT_GFN_MAX - i;
        m->u.absent.e[i].count = i + 1;
    }
}

static void end(struct mext_data *m)
{
    m->type = MEXT_DATA_END;
    m->u.end.data = 0x0102030405060708;
    m->u.end.zero = UINT64_MAX;
}

static void done(struct mext_data *m)
{
    m->type = MEXT_DATA_DONE;
    m->u.done.data = 1;
    m->u.done.zero = 2;
    m->u.done.absent = 3;
    m->u.done.populated = 4;
}

static void error_empty(struct mext_data *m)
{
    m->type = MEXT_DATA_ERROR;
    m->u.error.code = MEXT_E_COUNT;
}

static void error_full(struct mext_data *m)
{
    m->type = MEXT_DATA_ERROR;
    m->u.error.code = MEXT_E_GFN;
    m->u.error.len = MEXT_TEXT_MAX;
    for (unsigned i = 0; i < MEXT_TEXT_MAX; i++)
        m->u.error.text[i] = (char)(0x20 + i % 95);
}

const struct fix_data fix_data[] = {
    { "pages-one", pages_one },
    { "pages-mixed", pages_mixed },
    { "pages-packed", pages_packed },
    { "pages-delta", pages_delta },
    { "pages-batch", pages_batch },
    { "pages-batch-full", pages_batch_full },
    { "pages-full", pages_full },
    { "barrier", barrier },
    { "barrier-ack", barrier_ack },
    { "absent-none", absent_none },
    { "absent-full", absent_full },
    { "end", end },
    { "done", done },
    { "error-empty", error_empty },
    { "error-full", error_full },
};

const size_t fix_ndata = COUNT(fix_data);

/* ---- control ---- */

static uint8_t bulk[MEXT_CONTEXT_MAX + 1];

static void config_empty(struct mext_ctl *m)
{
    m->type = MEXT_CTL_CONFIG;
    m->u.config.json = m->u.config.leaves = m->u.config.msrs = bulk;
}

static void config_small(struct mext_ctl *m)
{
    static const char json[] = "{\"c_info\":{\"type\":\"pvh\"}}";
    static const struct mext_leaf l = { 1, 2, 3, 4, 5, 6 };
    static const struct mext_msr r = { 0x10a, 0, 0x0102030405060708 };
    static uint8_t leaves[2 * 24], msrs[16];

    mext_leaf_put(leaves, 1, &l);
    mext_msr_put(msrs, 0, &r);
    m->type = MEXT_CTL_CONFIG;
    m->u.config.memory_kib = 524288;
    m->u.config.xen = 4 << 16 | 17;
    m->u.config.json = (const uint8_t *)json;
    m->u.config.json_len = sizeof(json) - 1;
    m->u.config.leaves = leaves;
    m->u.config.nleaves = 2;
    m->u.config.msrs = msrs;
    m->u.config.nmsrs = 1;
}

static void config_full(struct mext_ctl *m)
{
    config_empty(m);
    m->u.config.memory_kib = UINT64_MAX;
    m->u.config.xen = UINT32_MAX;
    m->u.config.json_len = MEXT_CONFIG_JSON_MAX;
    m->u.config.nleaves = MEXT_LEAVES_MAX;
    m->u.config.nmsrs = MEXT_MSRS_MAX;
}

static void final_small(struct mext_ctl *m)
{
    m->type = MEXT_CTL_FINAL;
    m->u.final.tsc_mode = 1;
    m->u.final.tsc_khz = 2400000;
    m->u.final.tsc_incarnation = 3;
    m->u.final.tsc_nsec = 0x0102030405060708;
    m->u.final.target_kib = 524288;
    m->u.final.data = 10;
    m->u.final.zero = 20;
    m->u.final.absent = 30;
    m->u.final.report_ms = 5000;
    m->u.final.context = (const uint8_t *)"context";
    m->u.final.context_len = 7;
}

static void final_full(struct mext_ctl *m)
{
    final_small(m);
    m->u.final.context = bulk;
    m->u.final.context_len = MEXT_CONTEXT_MAX;
}

static void commit(struct mext_ctl *m)
{
    m->type = MEXT_CTL_COMMIT;
}

static void stream(struct mext_ctl *m)
{
    m->type = MEXT_CTL_STREAM;
    m->u.stream.bytes = (const uint8_t *)"LibxlFmt";
    m->u.stream.len = 8;
}

static void stream_full(struct mext_ctl *m)
{
    m->type = MEXT_CTL_STREAM;
    m->u.stream.bytes = bulk;
    m->u.stream.len = MEXT_STREAM_MAX;
}

static void packed(struct mext_ctl *m)
{
    m->type = MEXT_CTL_PACKED;
    m->u.packed.bytes = (const uint8_t *)"block";
    m->u.packed.n = 5;
    m->u.packed.len = 6;
}

static void packed_full(struct mext_ctl *m)
{
    m->type = MEXT_CTL_PACKED;
    m->u.packed.bytes = bulk;
    m->u.packed.n = MEXT_STREAM_MAX - 1;
    m->u.packed.len = MEXT_STREAM_MAX;
}

static void piece(struct mext_ctl *m)
{
    m->type = MEXT_CTL_PIECE;
    m->u.piece.number = 0x0102030405060708;
    m->u.piece.bytes = (const uint8_t *)"block";
    m->u.piece.n = 5;
    m->u.piece.len = 6;
}

static void piece_plain(struct mext_ctl *m)
{
    piece(m);
    m->u.piece.len = m->u.piece.n;
}

static void piece_full(struct mext_ctl *m)
{
    m->type = MEXT_CTL_PIECE;
    m->u.piece.number = UINT64_MAX;
    m->u.piece.bytes = bulk;
    m->u.piece.n = m->u.piece.len = MEXT_STREAM_MAX;
}

static void here(struct mext_ctl *m)
{
    m->type = MEXT_CTL_HERE;
}

static void joined(struct mext_ctl *m)
{
    m->type = MEXT_CTL_JOINED;
}

static void ended(struct mext_ctl *m)
{
    m->type = MEXT_CTL_ENDED;
    m->u.ended.bytes = 0x0102030405060708;
    m->u.ended.report_ms = MEXT_REPORT_MS_MAX;
}

static void look(struct mext_ctl *m)
{
    config_small(m);
    m->type = MEXT_CTL_LOOK;
}

static void finding(struct mext_ctl *m)
{
    m->type = MEXT_CTL_FINDING;
    m->u.finding.kind = MEXT_FINDING_OBSTACLE;
    m->u.finding.text = "this host lacks AVX2";
    m->u.finding.len = 20;
}

static void looked(struct mext_ctl *m)
{
    m->type = MEXT_CTL_LOOKED;
}

static void step(struct mext_ctl *m)
{
    m->type = MEXT_CTL_STEP;
    m->u.step.text = "domain built";
    m->u.step.len = 12;
}

static void receipt(struct mext_ctl *m)
{
    static uint8_t bytes[MEXT_RECEIPT_LEN];

    fix_receipt_bytes(bytes);
    m->type = MEXT_CTL_RECEIPT;
    m->u.receipt.bytes = bytes;
}

static void evidence(struct mext_ctl *m)
{
    m->type = MEXT_CTL_EVIDENCE;
    m->u.evidence.attest = (const uint8_t *)"a";
    m->u.evidence.attest_len = 1;
    m->u.evidence.sig = (const uint8_t *)"signature";
    m->u.evidence.sig_len = 9;
}

static void evidence_full(struct mext_ctl *m)
{
    m->type = MEXT_CTL_EVIDENCE;
    m->u.evidence.attest = m->u.evidence.sig = bulk;
    m->u.evidence.attest_len = MEXT_ATTEST_MAX;
    m->u.evidence.sig_len = MEXT_TPMSIG_MAX;
}

static void prepared(struct mext_ctl *m)
{
    m->type = MEXT_CTL_PREPARED;
    m->u.prepared.tidy_us = 1500;
    m->u.prepared.prepare_us = 0x0102030405060708;
}

static void guest(struct mext_ctl *m)
{
    m->type = MEXT_CTL_GUEST;
    m->u.guest.stopped_ms = 0x0102030405060708;
}

static void running(struct mext_ctl *m)
{
    m->type = MEXT_CTL_RUNNING;
    m->u.running.domid = 7;
    m->u.running.handover_us = 900;
}

static void abort_empty(struct mext_ctl *m)
{
    m->type = MEXT_CTL_ABORT;
    m->u.abort.code = MEXT_E_CANCELLED;
    m->u.abort.text = "";
}

static void abort_full(struct mext_ctl *m)
{
    static char text[MEXT_TEXT_MAX];

    memset(text, '~', sizeof(text));
    m->type = MEXT_CTL_ABORT;
    m->u.abort.code = 0xffff;
    m->u.abort.text = text;
    m->u.abort.len = sizeof(text);
}

const struct fix_ctl fix_ctl[] = {
    { "config-empty", config_empty },
    { "config-small", config_small },
    { "config-full", config_full },
    { "final-small", final_small },
    { "final-full", final_full },
    { "commit", commit },
    { "stream", stream },
    { "stream-full", stream_full },
    { "packed", packed },
    { "packed-full", packed_full },
    { "piece", piece },
    { "piece-plain", piece_plain },
    { "piece-full", piece_full },
    { "here", here },
    { "joined", joined },
    { "ended", ended },
    { "look", look },
    { "finding", finding },
    { "looked", looked },
    { "step", step },
    { "receipt", receipt },
    { "evidence", evidence },
    { "evidence-full", evidence_full },
    { "prepared", prepared },
    { "guest", guest },
    { "running", running },
    { "abort-empty", abort_empty },
    { "abort-full", abort_full },
};

const size_t fix_nctl = COUNT(fix_ctl);
