/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mstrap against a source that means ill: it has the keys, so whatever it says
 * opens.  Sealing is left out for that: a tag is good unless it begins with
 * 0xff.  An input is pieces, each a channel (two bits), a length below 64 (six
 * bits) and octets, or, for length 63, two more octets of length before them.
 */
#include <string.h>

#include <sodium/crypto_aead_chacha20poly1305.h>

#include "fixture.h"
#include "fuzz.h"
#include "session.h"

const char fuzz_corpus[] = "session";
const size_t fuzz_mutations = 100000;

#define PEERS       4 /* one more than channels */
#define CHANNELS    3
#define GUEST_PAGES 32u
#define LONG        63u

static uint8_t guest[GUEST_PAGES][MEXT_PAGE_SIZE];
static struct ms_session session;
static struct ms_channel peers[PEERS];
static bool gone[PEERS], lost;
static uint64_t absent_pages, given_pages;

int crypto_aead_chacha20poly1305_ietf_decrypt_detached(
    unsigned char *m, unsigned char *nsec, const unsigned char *c,
    unsigned long long n, const unsigned char *tag, const unsigned char *ad,
    unsigned long long adlen, const unsigned char *nonce,
    const unsigned char *k)
{
    FUZZ_CHECK(m == c);
    if (tag[0] != 0xff)
        return 0;
    memset(m, 0, n);
    return -1;
}

static int fake_page(uint64_t gfn, uint8_t **page_r)
{
    FUZZ_CHECK(gfn <= MEXT_GFN_MAX && session.state == MEXT_RCV_RECEIVING);
    if (gfn >= GUEST_PAGES)
        return MEXT_E_GFN;
    given_pages++;
    *page_r = guest[gfn];
    return 0;
}

static int fake_absent(uint64_t gfn, uint32_t count)
{
    FUZZ_CHECK(count && gfn + count - 1 <= MEXT_GFN_MAX);
    FUZZ_CHECK(session.state == MEXT_RCV_RECEIVING);
    absent_pages += count;
    return 0;
}

static const struct ms_sink sink = { .page = fake_page, .absent = fake_absent };

static void start(void)
{
    ms_session_init(&session);
    memset(&session.root, 1, sizeof(session.root));
    session.channels = CHANNELS;
    session.state = MEXT_RCV_INVITED;
    for (unsigned i = 0; i < PEERS; i++)
        ms_channel_init(&peers[i]);
    memset(gone, 0, sizeof(gone));
    lost = false;
    absent_pages = given_pages = 0;
}

/* As feed() and broken() in net/connection.c. */
static void feed(unsigned i, const uint8_t *in, size_t n)
{
    struct ms_channel *c = &peers[i];
    int step;

    do {
        size_t used;

        step = ms_channel_feed(c, &sink, in, n, &used);
        FUZZ_CHECK(used <= n);
        FUZZ_CHECK(c->have <= c->need && step != 0);
        if (step > 0) {
            int action = ms_session_step(&session, c, (enum ms_step)step);

            step = action < 0 ? action : step;
        }
        in += used;
        n -= used;
        if (step < 0) {
            lost = ms_session_needs(&session, c);
            gone[i] = true;
            return;
        }
    } while (n || step == MS_STEP_PROVEN);
}

static void check(void)
{
    struct ms_counts sum = ms_session_counts(&session);

    /* A page that is on its way is given, and not yet counted. */
    FUZZ_CHECK(sum.data + sum.zero <= given_pages);
    FUZZ_CHECK(given_pages - sum.data - sum.zero <= PEERS);
    FUZZ_CHECK(sum.absent == absent_pages);
    for (unsigned i = 0; i < PEERS; i++)
        FUZZ_CHECK(gone[i] || !peers[i].proven ||
                   session.channel[peers[i].open.index] == &peers[i]);
    if (session.state != MEXT_RCV_COMPLETE)
        return;
    FUZZ_CHECK(sum.data + sum.zero == given_pages);
    for (unsigned i = 0; i < CHANNELS; i++)
        FUZZ_CHECK(session.channel[i]->state == MS_CHANNEL_ENDED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    while (size && !lost) {
        unsigned i = data[0] >> 6;
        size_t n = data[0] & 63, head = 1;

        if (n == LONG && size >= 3) {
            n = (size_t)data[1] << 8 | data[2];
            head = 3;
        }
        data += head;
        size -= head;
        if (n > size)
            n = size;
        if (!gone[i])
            feed(i, data, n);
        data += n;
        size -= n;
    }
    check();
    return 0;
}
