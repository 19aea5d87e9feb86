/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stream over several connections whose source means ill: whatever comes over
 * which of them, what goes on is numbered from 0 without a gap, nothing goes on
 * after the end, and a second, plainer reading of the specification says the same.
 *
 * The first octet is the number of connections.  Each message then: an octet for
 * the connection and what it is, one for the number, or the bytes of the end.
 */
#include <string.h>

#include "fuzz.h"
#include "mext_pieces.h"

const char fuzz_corpus[] = "pieces";
const size_t fuzz_mutations = 300000;

/* What is known of a number, or of the end. */
struct reading {
    bool has[256]; /* came, and has not gone on */
    unsigned of[256];
    unsigned next, end_bytes, end_of, bytes;
    bool end, ended;
    bool waits[MEXT_CHANNELS_MAX];
};

static uint32_t len_of(unsigned number)
{
    return 1 + number % 3;
}

/* False: against the specification. */
static bool take(struct reading *r, unsigned i, bool end, unsigned number)
{
    if (r->ended || (!end && (number < r->next || r->has[number])))
        return false;
    r->waits[i] = true;
    if (end) {
        r->end = true;
        r->end_of = i;
        r->end_bytes = number;
    } else {
        r->has[number] = true;
        r->of[number] = i;
    }
    return true;
}

/* What goes on next: the connection, or -1. */
static int turn(struct reading *r)
{
    bool end = r->end && !r->ended && r->end_bytes <= r->bytes;
    bool piece = !r->ended && r->next < 256 && r->has[r->next];
    unsigned i;

    if (!end && !piece)
        return -1;
    /* of two that could, that of the first connection */
    if (end && (!piece || r->end_of < r->of[r->next])) {
        r->ended = true;
        i = r->end_of;
    } else {
        i = r->of[r->next];
        r->has[r->next] = false;
        r->bytes += len_of(r->next++);
    }
    r->waits[i] = false;
    return (int)i;
}

static bool all_wait(const struct reading *r, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!r->waits[i])
            return false;
    return !r->ended;
}

/* One message; false: the migration has ended. */
static bool step(struct mext_pieces *p, struct reading *r, const uint8_t *in)
{
    unsigned i = in[0] % p->n;
    /* the end comes over the control connection only */
    bool end = i == 0 && in[0] >= 0xc0;
    int rc, a, b;

    FUZZ_CHECK(mext_pieces_kept(p, i) == r->waits[i]);
    if (r->waits[i])
        return true; /* nothing is read from it */
    rc = end ? mext_pieces_end(p, i, in[1])
             : mext_pieces_put(p, i, in[1], len_of(in[1]));
    FUZZ_CHECK((rc == 0) == take(r, i, end, in[1]));
    if (rc)
        return false;
    do {
        unsigned before = r->next;

        a = mext_pieces_turn(p);
        b = turn(r);
        FUZZ_CHECK(a == b);
        FUZZ_CHECK(p->next == r->next && r->next - before <= 1);
        FUZZ_CHECK(p->bytes == r->bytes && p->ended == r->ended);
    } while (a >= 0);
    FUZZ_CHECK(mext_pieces_stuck(p) == all_wait(r, p->n));
    return !mext_pieces_stuck(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mext_pieces p = { .n = 0 };
    struct reading r;

    if (!size)
        return 0;
    memset(&r, 0, sizeof(r));
    p.n = 1 + data[0] % MEXT_CHANNELS_MAX;
    for (size_t at = 1; at + 2 <= size; at += 2)
        if (!step(&p, &r, data + at))
            break;
    return 0;
}
