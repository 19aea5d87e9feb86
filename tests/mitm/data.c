/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data channels: the product's source (mext_memory.c, mext_data.c) over a
 * made-up guest, and mstrap's channels and session, over loopback.
 *
 * The man in the middle and mstrap share a thread.  He collects what the source
 * says up to a barrier or END on every channel, changes it, and feeds mstrap
 * with it, a channel after the other.  If mstrap then is not where it should
 * be, nothing will come any more, and he lets the connections go.
 */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "guest.h"
#include "mext_memory.h"
#include "mitm.h"
#include "session.h"

#define PATIENCE_MS 60000 /* never waited for */
#define CHANNELS    2

/* Kinds beyond those of messages, MEXT_DATA_*. */
#define OPENING     0x100
#define PAGE        0x101
#define PACKED_PAGE 0x102
#define PIECE       0x103 /* of a batch */
#define DELTA       0x104

/*
 * Where an object is: found in an honest run, and again in the others.  Which
 * channel a batch of pages goes over is a matter of luck, so pages, and frames
 * of them, are known by where they belong: the frame's first gfn, and at, which
 * counts from the frame.  Of the others at counts those of their kind.
 */
struct place {
    unsigned kind, phase, channel, at;
    uint64_t base;
    uint8_t dir;
};

struct connection {
    int fd;
    unsigned index; /* of the channel */
    bool opened;    /* the middle has seen OPEN */
    struct mext_seal to_dest, to_source;
    struct mext_data pages; /* frame whose pages come next */
    unsigned next_page;
    struct ms_channel channel;
};

static struct {
    struct place target;
    enum op op;
    unsigned variant;
    bool applied;
    bool refuse; /* mstrap finds a gfn that it must not have */
    struct connection connection[CHANNELS];
    struct ms_session session;
    unsigned reason; /* mstrap's, MEXT_E_*, 0: none */
    bool lost;       /* a channel of the session is */
    int rc;          /* the source's */
    struct mext_why why;
    int listener;
    struct place seen[BATCH_MAX]; /* all objects, in an honest run */
    unsigned nseen;
} run;

static struct keys own, other;
static struct batch to_dest[CHANNELS], to_source[CHANNELS];

/* ---- mstrap ---- */

static int page(uint64_t gfn, uint8_t **page_r)
{
    if (run.refuse && gfn == GUEST_RAM / 2)
        return MEXT_E_GFN;
    return guest_receives(gfn, page_r);
}

static const struct ms_sink sink = { .page = page, .absent = guest_absent };

static void answer(struct connection *c, const struct mext_data *m)
{
    uint8_t frame[MS_FRAME_MAX];
    struct object o = {
        .kind = m->type,
        .dir = MEXT_DIR_TO_SOURCE,
        .channel = c->index,
        .head = MEXT_FRAME_HDR_LEN,
        .tag = MEXT_TAG_LEN,
        .p = frame,
    };

    o.n = ms_channel_seal(&c->channel, m, frame);
    if (o.n)
        batch_add(&to_source[c->index], &o, &c->to_source);
}

static struct connection *of_channel(const struct ms_channel *channel)
{
    for (unsigned i = 0; i < CHANNELS; i++)
        if (&run.connection[i].channel == channel)
            return &run.connection[i];
    abort();
}

static void act(int action)
{
    struct ms_counts n = ms_session_counts(&run.session);
    struct mext_data m = { .type = MEXT_DATA_BARRIER_ACK };

    if (action == MS_ACT_RELEASE)
        for (unsigned i = 0; i < CHANNELS; i++) {
            m.u.barrier.iteration = run.session.channel[i]->iteration;
            answer(of_channel(run.session.channel[i]), &m);
        }
    if (action == MS_ACT_COMPLETE) {
        m.type = MEXT_DATA_DONE;
        m.u.done.data = n.data;
        m.u.done.zero = n.zero;
        m.u.done.absent = n.absent;
        answer(of_channel(run.session.channel[0]), &m);
    }
}

/* As broken() in net/connection.c: a stranger goes, a channel is the end. */
static void broken(struct connection *c, unsigned reason)
{
    struct mext_data m = { .type = MEXT_DATA_ERROR };

    if (!run.reason)
        run.reason = reason;
    if (!ms_session_needs(&run.session, &c->channel)) {
        shutdown(c->fd, SHUT_RDWR);
        return;
    }
    run.lost = true;
    m.u.error.code = (uint16_t)reason;
    m.u.error.len = (uint16_t)strlen(mext_reason(reason));
    memcpy(m.u.error.text, mext_reason(reason), m.u.error.len);
    for (unsigned i = 0; i < CHANNELS; i++)
        if (run.connection[i].channel.proven)
            answer(&run.connection[i], &m);
}

/* As feed() there. */
static int feed(struct connection *c, const uint8_t *in, size_t n)
{
    int step, action;

    do {
        size_t used;

        step = ms_channel_feed(&c->channel, &sink, in, n, &used);
        if (step < 0)
            return step;
        in += used;
        n -= used;
        action = ms_session_step(&run.session, &c->channel, (enum ms_step)step);
        if (action < 0)
            return action;
        act(action);
    } while (n || step == MS_STEP_PROVEN);
    return 0;
}

static void feed_batch(struct connection *c, const struct batch *b)
{
    int step = 0;

    for (unsigned i = 0; i < b->n && !step && !run.lost; i++)
        if (b->o[i].n)
            step = feed(c, b->o[i].p, b->o[i].n);
    if (step < 0)
        broken(c, (unsigned)-step);
    else if (b->cut && !run.lost)
        broken(c, MEXT_E_LINK);
}

/* ---- the man in the middle ---- */

static bool donor(const struct object *o, enum op op, struct donor *d)
{
    static uint8_t open[MEXT_OPEN_LEN];
    struct mext_open m = { .count = CHANNELS };
    struct keys *k = op == SPLICE_SESSION ? &other : &own;
    unsigned channel = o->channel;
    uint8_t dir = o->dir;

    if (op == SPLICE_DIRECTION)
        dir ^= MEXT_DIR_TO_DEST ^ MEXT_DIR_TO_SOURCE;
    if (op == SPLICE_CHANNEL)
        channel ^= 1;
    mext_seal_init(&d->seal, &k->data, dir, (uint16_t)channel);
    if (o->plain)
        return true;
    memcpy(m.id, k->t.id, sizeof(m.id));
    m.index = (uint16_t)channel;
    if (mext_open_encode(&m, open))
        abort();
    d->bytes = open;
    d->n = sizeof(open);
    return op != SPLICE_DIRECTION; /* nobody else says OPEN */
}

static bool receive(int fd, uint8_t *p, size_t n)
{
    return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

static bool take_open(struct connection *c)
{
    uint8_t buf[MEXT_OPEN_LEN];
    struct object o = {
        .kind = OPENING, .dir = MEXT_DIR_TO_DEST, .p = buf, .n = sizeof(buf)
    };
    struct mext_open m;

    if (!receive(c->fd, buf, sizeof(buf)) || mext_open_decode(buf, &m))
        return false;
    c->opened = true;
    c->index = o.channel = m.index;
    mext_seal_init(&c->to_dest, &own.data, MEXT_DIR_TO_DEST, m.index);
    mext_seal_init(&c->to_source, &own.data, MEXT_DIR_TO_SOURCE, m.index);
    batch_add(&to_dest[c->index], &o, NULL);
    return true;
}

static bool take_page(struct connection *c)
{
    uint8_t buf[MEXT_PAGE_SIZE + MEXT_TAG_LEN];
    struct object o = { .dir = MEXT_DIR_TO_DEST,
                        .channel = c->index,
                        .tag = MEXT_TAG_LEN,
                        .p = buf };
    unsigned coding = c->pages.u.pages.coding[c->next_page];
    size_t n = c->pages.u.pages.len[c->next_page++];

    if (!n) /* behind the last piece */
        return true;
    o.kind = coding == MEXT_CODING_ZSTD    ? PIECE
             : coding == MEXT_CODING_LZ4   ? PACKED_PAGE
             : coding == MEXT_CODING_DELTA ? DELTA
                                           : PAGE;
    o.n = n + MEXT_TAG_LEN;
    if (!receive(c->fd, buf, o.n))
        return false;
    batch_add(&to_dest[c->index], &o, &c->to_dest);
    return true;
}

static bool take_frame(struct connection *c, unsigned *kind_r)
{
    uint8_t buf[MEXT_FRAME_HDR_LEN + MEXT_DATA_BODY_MAX];
    struct object o = { .dir = MEXT_DIR_TO_DEST,
                        .channel = c->index,
                        .head = MEXT_FRAME_HDR_LEN,
                        .tag = MEXT_TAG_LEN,
                        .p = buf },
                  *in;
    int n;

    if (!receive(c->fd, buf, o.head))
        return false;
    n = mext_frame_len(buf, MEXT_DATA_BODY_MAX);
    if (n < 0 || !receive(c->fd, buf + o.head, (size_t)n))
        return false;
    o.n = o.head + (size_t)n;
    in = batch_add(&to_dest[c->index], &o, &c->to_dest);
    in->kind = *kind_r = in->plain[0];
    c->pages.u.pages.ndata = 0;
    c->next_page = 0;
    return in->kind != MEXT_DATA_PAGES ||
           !mext_data_decode(in->plain, in->nplain, &c->pages);
}

/* What the source says until it waits. */
static bool collect(struct connection *c)
{
    unsigned kind = 0;

    while (kind != MEXT_DATA_BARRIER && kind != MEXT_DATA_END)
        if (!(!c->opened                              ? take_open(c)
              : c->next_page < c->pages.u.pages.ndata ? take_page(c)
                                                      : take_frame(c, &kind)))
            return false;
    return true;
}

/* The first gfn of a frame of pages. */
static uint64_t base_of(const struct object *o)
{
    struct mext_data m;

    if (mext_data_decode(o->plain, o->nplain, &m))
        abort();
    return m.u.pages.base;
}

static bool of_pages(unsigned kind)
{
    return kind == MEXT_DATA_PAGES || kind == PAGE || kind == PACKED_PAGE ||
           kind == PIECE || kind == DELTA;
}

/* Object i of the batch; frame is the last frame's. */
static struct place place_of(const struct batch *b, unsigned i, unsigned frame,
                             unsigned phase, unsigned channel)
{
    const struct object *o = &b->o[i];
    struct place p = { .kind = o->kind, .phase = phase, .dir = o->dir };

    if (of_pages(o->kind)) {
        p.at = i - frame;
        p.base = base_of(&b->o[frame]);
        return p;
    }
    p.channel = channel;
    for (unsigned k = 0; k < i; k++)
        p.at += b->o[k].kind == o->kind;
    return p;
}

static bool same_place(const struct place *a, const struct place *b)
{
    return a->kind == b->kind && a->phase == b->phase &&
           a->channel == b->channel && a->at == b->at && a->base == b->base &&
           a->dir == b->dir;
}

static void look(struct batch *b, unsigned phase, unsigned channel)
{
    unsigned frame = 0;

    for (unsigned i = 0; i < b->n; i++) {
        struct place p;

        if (b->o[i].kind == MEXT_DATA_PAGES)
            frame = i;
        p = place_of(b, i, frame, phase, channel);
        if (run.op == NOTHING) {
            run.seen[run.nseen++] = p;
        } else if (same_place(&p, &run.target)) {
            run.applied = tamper(b, i, run.op, run.variant, donor);
            return;
        }
    }
}

static void pass_back(unsigned phase)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct connection *c = &run.connection[i];
        struct batch *b = &to_source[c->index];

        look(b, phase, c->index);
        for (unsigned k = 0; k < b->n; k++)
            send(c->fd, b->o[k].p, b->o[k].n, MSG_NOSIGNAL);
        batch_clear(b);
    }
    /* What is missing does not come any more. */
    for (unsigned i = 0; i < CHANNELS; i++)
        if (run.applied && run.target.dir == MEXT_DIR_TO_SOURCE)
            shutdown(run.connection[i].fd, SHUT_WR);
}

/* Until the next barrier, or END; false when it is over. */
static bool pass(unsigned phase)
{
    bool answered;

    for (unsigned i = 0; i < CHANNELS; i++)
        if (!collect(&run.connection[i]))
            return false;
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct connection *c = &run.connection[i];

        look(&to_dest[c->index], phase, c->index);
        feed_batch(c, &to_dest[c->index]);
        batch_clear(&to_dest[c->index]);
    }
    answered = to_source[0].n || to_source[1].n;
    if (!answered && !run.reason)
        run.reason = MEXT_E_LINK; /* what mstrap waits for does not come */
    pass_back(phase);
    return answered && !run.lost;
}

static void *middle(void *arg)
{
    unsigned phase = 1;

    for (unsigned i = 0; i < CHANNELS; i++) {
        run.connection[i].fd = accept(run.listener, NULL, NULL);
        ms_channel_init(&run.connection[i].channel);
    }
    while (pass(phase) && run.session.state != MEXT_RCV_COMPLETE)
        phase++;
    for (unsigned i = 0; i < CHANNELS; i++) {
        shutdown(run.connection[i].fd, SHUT_RDWR);
        batch_clear(&to_dest[i]);
        batch_clear(&to_source[i]);
    }
    return NULL;
}

/* ---- the source ---- */

static void on_progress(void *arg, uint64_t sent, uint64_t of)
{
}

/*
 * Half of what was sent is remembered, the same in each run: which of two pages
 * keeps a place that both would have is a matter of luck.
 */
static void forget_some(struct mext_memory *m)
{
    for (uint64_t gfn = 0; gfn < GUEST_GFNS; gfn++)
        if (gfn / 16 % 2)
            mext_cache_drop(m->pages.cache, gfn);
}

/* While nothing is under way. */
static void pack_by(struct mext_memory *m, int by)
{
    for (unsigned i = 0; i < m->nchannels; i++)
        m->lane[i].packer.packing.by = by;
}

/*
 * Pages by themselves, then together, then by themselves; what is sent again as
 * what changed, as far as that is remembered.
 */
static int iterations(struct mext_memory *m)
{
    struct mext_iteration it;

    mext_cache_free(m->pages.cache);
    m->pages.cache = mext_cache_new(GUEST_GFNS);
    for (unsigned i = 0; i < m->nchannels; i++)
        m->lane[i].packer.cache = m->pages.cache;
    m->again = true;
    if (mext_memory_iterate(m, 1, PATIENCE_MS, &it, &run.why))
        return -1;
    forget_some(m);
    pack_by(m, MEXT_PACK_ZSTD);
    if (mext_memory_iterate(m, 2, PATIENCE_MS, &it, &run.why))
        return -1;
    forget_some(m);
    pack_by(m, MEXT_PACK_LZ4);
    return 0;
}

static int source(uint16_t port)
{
    const struct mext_packing packing = { .by = MEXT_PACK_LZ4, .level = 1 };
    struct mext_memory m = { .nchannels = 0 };
    int rc = mext_memory_connect(&m, INADDR_LOOPBACK, port, own.t.id, CHANNELS,
                                 &own.data, PATIENCE_MS, &run.why) ||
             mext_memory_measure(&m, NULL, GUEST_RAM, &run.why) ||
             mext_memory_start(&m, &packing, on_progress, NULL, &run.why) ||
             iterations(&m) || mext_memory_last(&m, PATIENCE_MS, &run.why) ||
             mext_memory_done(&m, PATIENCE_MS, &run.why);

    mext_memory_close(&m);
    return rc ? -1 : 0;
}

/* ---- one run ---- */

static void invite(void)
{
    struct ms_invitation invitation = { .channels = CHANNELS };

    memcpy(invitation.token_digest, own.digest, MEXT_DIGEST_LEN);
    memcpy(invitation.source_key, own.t.session, MEXT_KEY_LEN);
    ms_session_init(&run.session);
    mext_rcv_event(&run.session.state, MEXT_RCV_EV_LISTENING);
    ck_assert(ms_session_invite(&run.session, &invitation, own.mstrap_secret,
                                own.mstrap_pk));
}

static void play(const struct place *target, bool refuse, enum op op,
                 unsigned variant)
{
    pthread_t thread;
    uint16_t port;
    int udp;

    memset(&run, 0, sizeof(run));
    run.target = *target;
    run.op = op;
    run.variant = variant;
    run.refuse = refuse;
    guest_init();
    invite();
    ck_assert_int_eq(
        mext_net_listen("127.0.0.1", 0, &run.listener, &udp, &port, &run.why),
        0);
    fcntl(run.listener, F_SETFL, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, middle, NULL), 0);
    run.rc = source(port);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close(run.listener);
    close(udp);
    for (unsigned i = 0; i < CHANNELS; i++)
        close(run.connection[i].fd);
}

/* True where a page was on its way when its channel broke. */
static bool on_its_way(uint64_t gfn)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        const struct ms_channel *c = &run.connection[i].channel;

        if (c->next < c->span && c->base + c->next == gfn)
            return true;
        /* A batch's pages wait for each other. */
        if (c->batch && gfn >= c->base && gfn < c->base + c->span)
            return true;
    }
    return false;
}

/* The gfn of a page that is neither untouched nor right, or GUEST_GFNS. */
static uint64_t wrong_page(void)
{
    bool complete = run.session.state == MEXT_RCV_COMPLETE;

    for (uint64_t gfn = 0; gfn < GUEST_GFNS; gfn++)
        if (!guest_page_right(gfn, complete) && (complete || !on_its_way(gfn)))
            return gfn;
    return GUEST_GFNS;
}

/*
 * What he may do without being noticed.  mstrap does not look at the id in
 * OPEN, octets 8 to 23, since the keys say whose channel it is.  Nothing is
 * read behind DONE and ERROR, nor behind the END that makes the memory complete.
 */
static bool harmless(void)
{
    const struct place *t = &run.target;

    if (t->kind == OPENING)
        return run.op == SPLICE_SESSION ||
               (run.op == FLIP_BODY && run.variant >= 8 && run.variant < 24);
    return run.op == REPEAT &&
           (t->kind == MEXT_DATA_DONE || t->kind == MEXT_DATA_ERROR ||
            (t->kind == MEXT_DATA_END && t->channel == CHANNELS - 1));
}

static void check_case(struct tally *t)
{
    bool back = run.target.dir == MEXT_DIR_TO_SOURCE;
    char name[160];
    uint64_t gfn;

    snprintf(name, sizeof(name), "kind 0x%03x, phase %u, channel %u, %s, %u",
             run.target.kind, run.target.phase, run.target.channel,
             op_names[run.op], run.variant);
    gfn = wrong_page();
    ck_assert_msg(gfn == GUEST_GFNS, "%s: page %u is wrong", name,
                  (unsigned)gfn);
    if (harmless()) {
        ck_assert_msg(run.rc == (run.refuse ? -1 : 0), "%s: %s", name,
                      run.why.text);
        t->harmless++;
        return;
    }
    ck_assert_msg(run.rc == -1 && *run.why.text, "%s: not noticed", name);
    ck_assert_msg(back || run.reason, "%s: mstrap gives no reason", name);
    ck_assert_msg(back || run.session.state != MEXT_RCV_COMPLETE,
                  "%s: taken for complete", name);
    ck_assert_msg(!back || !strstr(run.why.text, "mstrap: "),
                  "%s: believed: %s", name, run.why.text);
    t->refused++;
}

/* ---- which objects ---- */

/* In which what is sent for the last time comes, as the channels are proven in the first. */
#define LATE 3

/* The last of a kind that comes in phase LATE, or else at all. */
static bool find(unsigned kind, uint8_t dir, struct place *p_r)
{
    bool found = false;

    for (unsigned i = 0; i < run.nseen; i++) {
        const struct place *p = &run.seen[i];

        if (p->kind != kind || p->dir != dir)
            continue;
        if (kind == MEXT_DATA_ERROR && p->channel)
            continue; /* the source reads it on the first */
        if (!found || p->phase == LATE || p_r->phase != LATE)
            *p_r = *p;
        found = true;
    }
    return found;
}

static bool impossible(const struct place *p, enum op op)
{
    switch (op) {
    case FLIP_LENGTH:
        return p->kind >= OPENING;
    case FLIP_TAG:
    case SPLICE_DIRECTION:
        return p->kind == OPENING;
    case SWAP: /* the other end is waited for */
        return p->kind == MEXT_DATA_BARRIER || p->kind == MEXT_DATA_END ||
               p->dir == MEXT_DIR_TO_SOURCE;
    default:
        return false;
    }
}

static void cases_of(const struct place *p, bool refuse, struct tally *t)
{
    for (enum op op = 0; op < OPS; op++) {
        unsigned variant = 0;

        for (play(p, refuse, op, variant); run.applied;
             play(p, refuse, op, ++variant))
            check_case(t);
        ck_assert_msg((variant == 0) == impossible(p, op),
                      "kind 0x%03x: %s was done %u times", p->kind,
                      op_names[op], variant);
        t->impossible += variant == 0;
    }
}

static void prepare(void)
{
    keys_make(&own, 1);
    keys_make(&other, 2);
}

void data_cases(struct tally *t)
{
    static const unsigned kinds[] = {
        OPENING,
        MEXT_DATA_PAGES,
        PAGE,
        PACKED_PAGE,
        PIECE,
        DELTA,
        MEXT_DATA_BARRIER,
        MEXT_DATA_ABSENT,
        MEXT_DATA_END,
        MEXT_DATA_BARRIER_ACK,
        MEXT_DATA_DONE,
        MEXT_DATA_ERROR,
    };
    const struct place none = { 0 };

    prepare();
    for (unsigned i = 0; i < COUNT(kinds); i++) {
        bool refuse = kinds[i] == MEXT_DATA_ERROR;
        uint8_t dir = kinds[i] & 0x80 ? MEXT_DIR_TO_SOURCE : MEXT_DIR_TO_DEST;
        struct place p;

        play(&none, refuse, NOTHING, 0);
        ck_assert_msg(find(kinds[i], dir, &p), "kind 0x%03x is not sent",
                      kinds[i]);
        cases_of(&p, refuse, t);
    }
}

/* An honest run is right to the last page; one with a stolen key is not. */
void data_self_test(void)
{
    const struct place none = { 0 };
    struct place p;

    prepare();
    play(&none, false, NOTHING, 0);
    ck_assert_msg(!run.rc, "%s", run.why.text);
    ck_assert_int_eq(run.session.state, MEXT_RCV_COMPLETE);
    ck_assert_uint_eq(run.reason, 0);
    ck_assert(!guest_leaked());
    ck_assert(guest_grew());
    ck_assert_uint_eq(wrong_page(), GUEST_GFNS);
    ck_assert(find(PAGE, MEXT_DIR_TO_DEST, &p));
    play(&p, false, STOLEN, 0);
    ck_assert(run.applied);
    ck_assert_uint_ne(wrong_page(), GUEST_GFNS);
    play(&none, true, NOTHING, 0);
    ck_assert_uint_eq(run.reason, MEXT_E_GFN);
    ck_assert_ptr_nonnull(strstr(run.why.text, "mstrap: "));
    /* a page that the source cannot read is not passed over */
    guest_hide(1);
    play(&none, false, NOTHING, 0);
    ck_assert_int_eq(run.rc, -1);
    ck_assert_str_eq(run.why.text,
                     "gfn 0x1 of the guest is there and cannot be mapped");
    guest_hide(GUEST_GFNS);
}
