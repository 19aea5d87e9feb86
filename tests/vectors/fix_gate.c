/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "fix_gate.h"
#include "fixture.h"

static void trust_none(struct gate_msg *m)
{
    m->type = GATE_TRUST;
}

static void trust_some(struct gate_msg *m)
{
    m->type = GATE_TRUST;
    m->u.trust.rate = 20;
    m->u.trust.nself = 1;
    memset(m->u.trust.self, 0x11, MEXT_KEY_LEN);
    m->u.trust.n = 2;
    memset(m->u.trust.keys, 0x22, MEXT_KEY_LEN);
    memset(m->u.trust.keys + 1, 0x33, MEXT_KEY_LEN);
}

static void trust_full(struct gate_msg *m)
{
    m->type = GATE_TRUST;
    m->u.trust.rate = UINT32_MAX;
    m->u.trust.nself = GATE_SELF_MAX;
    m->u.trust.n = GATE_TRUST_MAX;
    for (unsigned i = 0; i < GATE_SELF_MAX; i++)
        memset(m->u.trust.self[i], (int)i, MEXT_KEY_LEN);
    for (unsigned i = 0; i < GATE_TRUST_MAX; i++)
        memset(m->u.trust.keys[i], (int)i, MEXT_KEY_LEN);
}

static void verdict_taken(struct gate_msg *m)
{
    m->type = GATE_VERDICT;
}

static void verdict_refused(struct gate_msg *m)
{
    m->type = GATE_VERDICT;
    m->u.verdict.code = MEXT_E_REPLAY;
    strcpy(m->u.verdict.why.text, "seen ~ before");
}

static void verdict_full(struct gate_msg *m)
{
    m->type = GATE_VERDICT;
    m->u.verdict.code = UINT16_MAX;
    memset(m->u.verdict.why.text, '~', MEXT_TEXT_MAX);
}

static void set_peer(struct gate_peer *p, uint8_t len)
{
    p->len = len;
    for (uint8_t i = 0; i < len; i++)
        p->addr[i] = (uint8_t)(0x40 + i);
}

static void answer(struct gate_msg *m)
{
    m->type = GATE_ANSWER;
    set_peer(&m->u.answer.to, sizeof(struct sockaddr_in));
    m->u.answer.n = MEXT_RECEIPT_LEN;
    fix_receipt_bytes(m->u.answer.bytes);
}

static void answer_full(struct gate_msg *m)
{
    m->type = GATE_ANSWER;
    set_peer(&m->u.answer.to, GATE_PEER_MAX);
    m->u.answer.n = sizeof(m->u.answer.bytes);
    memset(m->u.answer.bytes, 0x55, sizeof(m->u.answer.bytes));
}

static void answer_empty(struct gate_msg *m)
{
    m->type = GATE_ANSWER;
    set_peer(&m->u.answer.to, 1);
}

static void hello(struct gate_msg *m)
{
    m->type = GATE_HELLO;
}

static void token_tcp(struct gate_msg *m)
{
    m->type = GATE_TOKEN;
    fix_token_bytes(m->u.token.bytes);
}

static void token_udp(struct gate_msg *m)
{
    token_tcp(m);
    set_peer(&m->u.token.from, sizeof(struct sockaddr_in6));
}

static void whois(struct gate_msg *m)
{
    m->type = GATE_WHOIS;
    fix_whois_bytes(m->u.whois.bytes);
    set_peer(&m->u.whois.from, sizeof(struct sockaddr_in6));
}

static void query(struct gate_msg *m)
{
    m->type = GATE_QUERY;
    fix_query_bytes(m->u.query.bytes);
    set_peer(&m->u.query.from, sizeof(struct sockaddr_in));
}

static void refused(struct gate_msg *m)
{
    m->type = GATE_REFUSED;
    for (unsigned i = 0; i < GATE_REASONS; i++)
        m->u.refused.n[i] = 0x0102030405060708 * i;
}

static void join(struct gate_msg *m)
{
    m->type = GATE_JOIN;
    memset(m->u.join.id, 0x66, MEXT_ID_LEN);
    m->u.join.index = 1;
    m->u.join.count = 2;
}

static void join_last(struct gate_msg *m)
{
    join(m);
    m->u.join.count = MEXT_CHANNELS_MAX;
    m->u.join.index = MEXT_CHANNELS_MAX - 1;
}

const struct fix_gate fix_gate[] = {
    { "trust-none", trust_none },
    { "trust-some", trust_some },
    { "trust-full", trust_full },
    { "verdict-taken", verdict_taken },
    { "verdict-refused", verdict_refused },
    { "verdict-full", verdict_full },
    { "answer", answer },
    { "answer-full", answer_full },
    { "answer-empty", answer_empty },
    { "hello", hello },
    { "token-tcp", token_tcp },
    { "token-udp", token_udp },
    { "refused", refused },
    { "whois", whois },
    { "query", query },
    { "join", join },
    { "join-last", join_last },
};

const size_t fix_ngate = COUNT(fix_gate);
