/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a door that somebody else has taken over may ask of the monitor, and
 * the reverse: what is accepted has one form and keeps to the limits.
 */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "gate.h"

const char fuzz_corpus[] = "gate";
const size_t fuzz_mutations = 100000;

static struct gate_msg m;

static void check_limits(void)
{
    switch (m.type) {
    case GATE_TRUST:
        FUZZ_CHECK(m.u.trust.nself <= GATE_SELF_MAX);
        FUZZ_CHECK(m.u.trust.n <= GATE_TRUST_MAX);
        break;
    case GATE_VERDICT:
        FUZZ_CHECK(strlen(m.u.verdict.why.text) <= MEXT_TEXT_MAX);
        break;
    case GATE_ANSWER:
        FUZZ_CHECK(m.u.answer.to.len && m.u.answer.to.len <= GATE_PEER_MAX);
        FUZZ_CHECK(m.u.answer.n <= MEXT_TOKEN_LEN);
        break;
    case GATE_WHOIS:
        FUZZ_CHECK(m.u.whois.from.len && m.u.whois.from.len <= GATE_PEER_MAX);
        break;
    case GATE_QUERY:
        FUZZ_CHECK(m.u.query.from.len && m.u.query.from.len <= GATE_PEER_MAX);
        break;
    case GATE_TOKEN:
        FUZZ_CHECK(m.u.token.from.len <= GATE_PEER_MAX);
        break;
    case GATE_JOIN:
        FUZZ_CHECK(m.u.join.count <= MEXT_CHANNELS_MAX);
        FUZZ_CHECK(m.u.join.index && m.u.join.index < m.u.join.count);
        break;
    default:
        FUZZ_CHECK(m.type == GATE_HELLO || m.type == GATE_REFUSED);
    }
}

static bool try_decode(const uint8_t *data, size_t size)
{
    static uint8_t again[GATE_MSG_MAX];
    struct mext_buf b;

    if (gate_decode(data, size, &m))
        return false;
    check_limits();
    mext_buf_init(&b, again, sizeof(again));
    FUZZ_CHECK(!gate_encode(&m, &b));
    FUZZ_CHECK(b.pos == size && !memcmp(again, data, size));
    return true;
}

/* The same as a packet, which has no descriptor with it. */
static void try_packet(const uint8_t *data, size_t size, bool good)
{
    struct mext_why why;
    int ends[2];

    FUZZ_CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    FUZZ_CHECK(send(ends[0], data, size, 0) == (ssize_t)size);
    close(ends[0]);
    if (good && m.type != GATE_JOIN &&
        (m.type != GATE_TOKEN || m.u.token.from.len))
        FUZZ_CHECK(!gate_recv(ends[1], &m, &why) && m.fd == -1);
    else
        FUZZ_CHECK(gate_recv(ends[1], &m, &why) == -1 && m.fd == -1);
    close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_packet(data, size, try_decode(data, size));
    return 0;
}
