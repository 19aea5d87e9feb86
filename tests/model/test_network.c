/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "What comes over the network" in docs/specs/commit.md: each row is played to
 * mstrap's connections, channels and session in each state, and what happens is
 * what stands there.  lwIP is made up; a case is a process of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "lwip/priv/tcp_priv.h"

#include "net/connection.h"
#include "receiver.h"
#include "spec.h"
#include "unit.h"
#include "xen/clock.h"

#define CHANNELS   2
#define FIRST      MEXT_RCV_WAITING
#define LAST       MEXT_RCV_COMPLETE
#define GUEST_GFNS 64

/* A source's connection: what it says next, and what became of it. */
struct peer {
    struct tcp_pcb pcb;
    struct pbuf packet;
    struct mext_seal seal;
    uint8_t bytes[8192];
    size_t n;
    bool reset, held;
};

/* b is channel 1 from RECEIVING on, c channel 0 in COMPLETE. */
static struct peer a, b, c;
static struct ms_session session;
static uint8_t page[MEXT_PAGE_SIZE];
static struct mext_root root;

/* ---- lwIP, and the rest of mstrap ---- */

static struct peer *of(struct tcp_pcb *pcb)
{
    return pcb == &a.pcb ? &a : pcb == &b.pcb ? &b : &c;
}

void tcp_arg(struct tcp_pcb *pcb, void *arg)
{
    pcb->callback_arg = arg;
}

void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn fn)
{
    pcb->recv = fn;
}

void tcp_err(struct tcp_pcb *pcb, tcp_err_fn fn)
{
}

void tcp_abort(struct tcp_pcb *pcb)
{
    of(pcb)->reset = true;
}

void tcp_recved(struct tcp_pcb *pcb, u16_t n)
{
}

void tcp_setprio(struct tcp_pcb *pcb, u8_t prio)
{
}

err_t tcp_write(struct tcp_pcb *pcb, const void *p, u16_t n, u8_t flags)
{
    return ERR_OK;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
    return ERR_OK;
}

err_t tcp_rexmit(struct tcp_pcb *pcb)
{
    return ERR_OK;
}

u8_t pbuf_free(struct pbuf *p)
{
    (p == &a.packet ? &a : p == &b.packet ? &b : &c)->held = false;
    return 1;
}

u16_t pbuf_clen(const struct pbuf *p)
{
    return 1;
}

uint64_t ms_ns_at(uint64_t tsc)
{
    return 0;
}

_Noreturn void ms_fail(const char *format, ...)
{
    ck_abort_msg("%s", format);
    abort();
}

static int guest_page(uint64_t gfn, uint8_t **page_r)
{
    *page_r = page;
    return gfn < GUEST_GFNS ? 0 : MEXT_E_GFN;
}

static int guest_absent(uint64_t gfn, uint32_t count)
{
    return 0;
}

const struct ms_sink ms_receiver = { .page = guest_page,
                                     .absent = guest_absent };

/* ---- what a source says ---- */

static void open_as(struct peer *p, uint16_t index, uint16_t count)
{
    struct mext_open open = { .index = index, .count = count };

    mext_seal_init(&p->seal, &root, MEXT_DIR_TO_DEST, index);
    ck_assert_int_eq(mext_open_encode(&open, p->bytes), 0);
    p->n = MEXT_OPEN_LEN;
}

static void say(struct peer *p, const struct mext_data *m)
{
    uint8_t *frame = p->bytes + p->n;
    struct mext_buf body;
    size_t n;

    mext_buf_init(&body, frame + MEXT_FRAME_HDR_LEN, MEXT_DATA_BODY_MAX);
    ck_assert_int_eq(mext_data_encode(m, &body), 0);
    ck_assert_int_eq(
        mext_frame_seal(&p->seal, frame, body.pos, MEXT_DATA_BODY_MAX, &n), 0);
    p->n += n;
}

static void say_zero(struct peer *p, uint64_t gfn)
{
    struct mext_data m = { .type = MEXT_DATA_PAGES,
                           .u.pages = { .base = gfn, .span = 1 } };

    mext_map_set(m.u.pages.map, 0, MEXT_MAP_ZERO);
    say(p, &m);
}

static void say_barrier(struct peer *p, uint32_t iteration)
{
    say(p, &(struct mext_data){ .type = MEXT_DATA_BARRIER,
                                .u.barrier.iteration = iteration });
}

static void say_end(struct peer *p, uint64_t zero)
{
    say(p, &(struct mext_data){ .type = MEXT_DATA_END, .u.end.zero = zero });
}

static void accept(struct peer *p)
{
    ms_connection_accept(NULL, &p->pcb, ERR_OK);
}

static void closes(struct peer *p)
{
    p->pcb.recv(p->pcb.callback_arg, &p->pcb, NULL, ERR_OK);
}

/* All that it has said goes in one packet. */
static void deliver(struct peer *p)
{
    if (p->reset || !p->n)
        return;
    p->packet = (struct pbuf){ .payload = p->bytes,
                               .len = (u16_t)p->n,
                               .tot_len = (u16_t)p->n };
    p->held = true;
    p->pcb.recv(p->pcb.callback_arg, &p->pcb, &p->packet, ERR_OK);
    if (!p->held)
        p->n = 0;
}

/* ---- the rows ---- */

static void as_opening(void)
{
    open_as(&a, 0, CHANNELS);
}

static void other_count(void)
{
    open_as(&a, 0, CHANNELS + 1);
}

static void taken_index(void)
{
    open_as(&a, 1, CHANNELS);
}

static void does_not_open(void)
{
    as_opening();
    say_barrier(&a, 1);
    a.bytes[a.n - 1] ^= 1;
}

static void pages(void)
{
    as_opening();
    say_zero(&a, 3);
}

static void page_does_not_open(void)
{
    struct mext_data m = { .type = MEXT_DATA_PAGES,
                           .u.pages = { .base = 3, .span = 1 } };

    as_opening();
    mext_map_set(m.u.pages.map, 0, MEXT_MAP_DATA);
    say(&a, &m);
    memset(a.bytes + a.n, 0, MEXT_PAGE_SIZE + MEXT_TAG_LEN);
    a.n += MEXT_PAGE_SIZE + MEXT_TAG_LEN;
}

static void other_gfn(void)
{
    as_opening();
    say_zero(&a, GUEST_GFNS);
}

static void barrier(void)
{
    as_opening();
    say_barrier(&a, 1);
}

static void other_iteration(void)
{
    as_opening();
    say_barrier(&a, 2);
}

static void barrier_after_end(void)
{
    say_end(&b, 1);
    deliver(&b);
    barrier();
}

static void absent(void)
{
    as_opening();
    say(&a, &(struct mext_data){ .type = MEXT_DATA_ABSENT,
                                 .u.absent = { 1, { { 3, 1 } } } });
}

static void end(void)
{
    as_opening();
    say_end(&a, 0);
}

static void last_end(void)
{
    say_end(&b, 1);
    deliver(&b);
    end();
}

static void other_counts(void)
{
    as_opening();
    say_end(&a, 1);
}

static void end_at_barrier(void)
{
    say_barrier(&b, 1);
    deliver(&b);
    end();
}

static void foreign(void)
{
    as_opening();
    say(&a, &(struct mext_data){ .type = MEXT_DATA_BARRIER_ACK });
}

static void behind_barrier(void)
{
    barrier();
    say_zero(&a, 3);
}

/* In COMPLETE on a channel, of course. */
static void behind_end(void)
{
    if (session.state == MEXT_RCV_COMPLETE) {
        say_zero(&b, 3);
        deliver(&b);
        a.reset = b.reset;
        return;
    }
    end();
    say_zero(&a, 3);
}

static void stranger_ends(void)
{
    closes(&a);
}

static void channel_ends(void)
{
    closes(&b);
    a.reset = b.reset;
}

static const struct {
    const char *what;
    void (*play)(void);
} rows[] = {
    { "OPEN", as_opening },
    { "OPEN with another count", other_count },
    { "OPEN of an index that is a channel's", taken_index },
    { "a first frame that does not open", does_not_open },
    { "PAGES", pages },
    { "PAGES, and a page that does not open", page_does_not_open },
    { "PAGES with a gfn that is not the guest's", other_gfn },
    { "BARRIER", barrier },
    { "BARRIER of another iteration than the next", other_iteration },
    { "BARRIER after another channel's END", barrier_after_end },
    { "ABSENT", absent },
    { "END", end },
    { "END on the last channel", last_end },
    { "END with other counts", other_counts },
    { "END while another channel waits at a barrier", end_at_barrier },
    { "BARRIER_ACK, DONE, ERROR or no message at all", foreign },
    { "anything between BARRIER and its acknowledgement", behind_barrier },
    { "anything behind END", behind_end },
    { "the end of a connection that is no channel", stranger_ends },
    { "the end of a channel", channel_ends },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The cells of a row of the text; it is the one with that name. */
static void cells(size_t row, char line[SPEC_ROW_MAX],
                  const char *cell_r[LAST + 1])
{
    static char text[SPEC_TEXT_MAX];
    const char *at;
    char *rest = line;
    char *name;

    spec_read(text);
    at = spec_section(text, "### What comes over the network");
    for (size_t i = 0; i <= row; i++)
        at = spec_row(at, line);
    ck_assert(at != NULL);
    strsep(&rest, "|");
    name = strsep(&rest, "|");
    ck_assert_uint_eq(strlen(name), strlen(rows[row].what) + 2);
    ck_assert(!memcmp(name + 1, rows[row].what, strlen(rows[row].what)));
    for (unsigned state = FIRST; state <= LAST; state++) {
        char *cell = strsep(&rest, "|");

        ck_assert(cell && *cell == ' ');
        cell[strlen(cell) - 1] = '\0';
        cell_r[state] = cell + 1;
    }
    ck_assert_str_eq(rest, "");
    ck_assert(row + 1 < ROWS || !spec_row(at, (char[SPEC_ROW_MAX]){ 0 }));
}

/* ---- the states ---- */

static void invite(void)
{
    struct ms_invitation invitation = { .channels = CHANNELS };
    uint8_t sk[32], pk[32], source_sk[32];

    fix_session(sk, pk, FIX_DEST);
    fix_session(source_sk, invitation.source_key, FIX_SOURCE);
    ck_assert(ms_session_invite(&session, &invitation, sk, pk));
    ms_connections_invited();
}

/* What the source has from mstrap's receipt. */
static void know_root(void)
{
    uint8_t sk[32], pk[32], dest_sk[32], dest_pk[32];
    const uint8_t digest[MEXT_DIGEST_LEN] = { 0 };

    fix_session(sk, pk, FIX_SOURCE);
    fix_session(dest_sk, dest_pk, FIX_DEST);
    ck_assert_int_eq(mext_root_derive(&root, MEXT_KDF_DATA, sk, dest_pk, digest,
                                      pk, dest_pk),
                     0);
}

static void complete(void)
{
    accept(&c);
    open_as(&c, 0, CHANNELS);
    say_end(&c, 0);
    deliver(&c);
    say_end(&b, 1);
    deliver(&b);
}

/* With connection b, and a unless it comes when all is complete. */
static void go_to(enum mext_rcv state, bool late)
{
    know_root();
    ms_session_init(&session);
    ms_connections_init(&session);
    ck_assert_int_eq(mext_rcv_event(&session.state, MEXT_RCV_EV_LISTENING), 0);
    if (!late)
        accept(&a);
    accept(&b);
    if (state >= MEXT_RCV_INVITED)
        invite();
    if (state >= MEXT_RCV_RECEIVING) {
        open_as(&b, 1, CHANNELS);
        say_zero(&b, 10);
        deliver(&b);
    }
    if (state >= MEXT_RCV_COMPLETE)
        complete();
    if (late)
        accept(&a);
    ck_assert_int_eq(session.state, state);
}

static const char *outcome(enum mext_rcv before)
{
    unsigned reason;

    if (ms_connections_failure(&reason))
        return "failed";
    if (a.reset)
        return "dropped";
    if (a.held)
        return "held";
    if (session.state == before)
        return "taken";
    return session.state == MEXT_RCV_COMPLETE ? "all ended" : "opened";
}

START_TEST(happens_as_it_stands_there)
{
    size_t row = (size_t)_i % ROWS;
    enum mext_rcv state = FIRST + (enum mext_rcv)(_i / ROWS);
    const char *cell[LAST + 1];
    char line[SPEC_ROW_MAX];

    cells(row, line, cell);
    if (!strcmp(cell[state], "–"))
        return;
    go_to(state, state == MEXT_RCV_COMPLETE && rows[row].play != stranger_ends);
    rows[row].play();
    deliver(&a);
    ck_assert_msg(!strcmp(outcome(state), cell[state]), "%s, %s: %s",
                  mext_rcv_name(state), rows[row].what, outcome(state));
    if (strcmp(cell[state], "held"))
        return;
    invite();
    ck_assert_msg(!strcmp(outcome(MEXT_RCV_INVITED), cell[MEXT_RCV_INVITED]),
                  "held, then %s: %s", rows[row].what,
                  outcome(MEXT_RCV_INVITED));
}
END_TEST

/* A second invitation, or one at the wrong time, changes nothing. */
START_TEST(invited_once)
{
    struct ms_invitation invitation = { .channels = 1 };
    uint8_t sk[32], pk[32];
    enum mext_rcv state = FIRST + (enum mext_rcv)_i;

    go_to(state, false);
    fix_session(sk, pk, FIX_DEST);
    memcpy(invitation.source_key, pk, sizeof(pk));
    ck_assert_int_eq(ms_session_invite(&session, &invitation, sk, pk),
                     state == MEXT_RCV_WAITING);
    if (state != MEXT_RCV_WAITING) {
        ck_assert_int_eq(session.state, state);
        ck_assert_uint_eq(session.channels, CHANNELS);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mstrap's network");
    TCase *t = tcase_create("what comes");

    tcase_add_loop_test(t, happens_as_it_stands_there, 0,
                        (int)(ROWS * (LAST - FIRST + 1)));
    tcase_add_loop_test(t, invited_once, 0, LAST - FIRST + 1);
    suite_add_tcase(s, t);
    return unit_main(s);
}
