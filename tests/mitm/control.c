/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control connection.  The source's handshake, the connections and the
 * checks of signed objects are the product's; what each end does with a
 * message is written here as a plot, since in the product it wants a Xen.
 *
 * The man in the middle and the destination share a thread: he hands over what
 * he has changed, then the destination reads with no patience, as all that
 * will ever come is there.  The source waits until it is answered or cut off.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include "fixture.h"
#include "mext_conn.h"
#include "mext_handshake.h"
#include "mitm.h"

#define PATIENCE_MS 60000 /* never waited for: the link is cut before */

enum kind {
    TOKEN,
    HELLO,
    REFUSE,
    CONFIG,
    STEP,
    RECEIPT,
    FINAL,
    PREPARED,
    COMMIT,
    RUNNING,
    GUEST,
    ABORT,
};

/* Who says it, and what. */
struct line {
    char who; /* 's'ource, 'd'estination */
    enum kind kind;
};

#define LINES_MAX 12
#define BEGINS \
    { 's', TOKEN }, { 'd', HELLO }, { 's', CONFIG }, { 'd', STEP }, \
        { 'd', STEP }, \
    { \
        'd', RECEIPT \
    }
#define PREPARES \
    BEGINS, { 's', FINAL }, \
    { \
        'd', PREPARED \
    }

static const struct plot {
    const char *name;
    unsigned from; /* the lines before are another plot's, too */
    struct line line[LINES_MAX];
    unsigned n;
} plots[] = {
    { "migrate",
      0,
      { PREPARES, { 's', COMMIT }, { 'd', RUNNING }, { 'd', GUEST } },
      11 },
    { "refused", 1, { { 's', TOKEN }, { 'd', REFUSE } }, 2 },
    { "source gives up", 6, { BEGINS, { 's', ABORT } }, 7 },
    { "destination gives up",
      7,
      { BEGINS, { 's', FINAL }, { 'd', ABORT } },
      8 },
    { "destination fails to commit",
      9,
      { PREPARES, { 's', COMMIT }, { 'd', ABORT } },
      10 },
};

/* What the source knows at the end. */
enum outcome { KEPT, DONE, UNKNOWN };

struct end {
    unsigned accepted; /* lines of the other's that were good */
    bool committed;    /* COMMIT was sent, or accepted */
    bool failed;
    struct mext_why why;
};

static struct {
    const struct plot *plot;
    unsigned target; /* line that is tampered with */
    enum op op;
    unsigned variant;
    bool applied;
    struct end source, dest;
    enum outcome outcome;
    int source_fd, dest_fd, mitm_source, mitm_dest;
} run;

static struct keys own, other;
static struct batch batch;
static uint8_t json[3000];

/* ---- what both ends say and understand ---- */

static uint8_t type_of(enum kind k)
{
    static const uint8_t types[] = {
        [CONFIG] = MEXT_CTL_CONFIG,     [STEP] = MEXT_CTL_STEP,
        [RECEIPT] = MEXT_CTL_RECEIPT,   [FINAL] = MEXT_CTL_FINAL,
        [PREPARED] = MEXT_CTL_PREPARED, [COMMIT] = MEXT_CTL_COMMIT,
        [RUNNING] = MEXT_CTL_RUNNING,   [GUEST] = MEXT_CTL_GUEST,
        [ABORT] = MEXT_CTL_ABORT,
    };

    return types[k];
}

static void receipt_bytes(uint8_t out[MEXT_RECEIPT_LEN])
{
    struct mext_identity id;
    struct mext_receipt r;

    fix_receipt(&r);
    memcpy(r.token, own.digest, sizeof(r.token));
    memcpy(r.id, own.t.id, sizeof(r.id));
    memcpy(r.session, own.mstrap_pk, sizeof(r.session));
    fix_identity(&id, FIX_DEST);
    if (mext_receipt_sign(&r, &id, out))
        abort();
}

static int say(struct mext_conn *c, enum kind k, struct mext_why *why)
{
    struct mext_ctl m = { .type = type_of(k) };
    uint8_t receipt[MEXT_RECEIPT_LEN];

    switch (k) {
    case CONFIG:
        m.u.config.memory_kib = own.t.memory_kib;
        m.u.config.json = json;
        m.u.config.json_len = sizeof(json);
        break;
    case FINAL:
        m.u.final.report_ms = 1000;
        m.u.final.context = json;
        m.u.final.context_len = 1000;
        break;
    case STEP:
        m.u.step.text = "starting";
        m.u.step.len = 8;
        break;
    case RECEIPT:
        receipt_bytes(receipt);
        m.u.receipt.bytes = receipt;
        break;
    case ABORT:
        mext_conn_abort(c, MEXT_E_HANDOVER, "it failed");
        return 0;
    default:
        break;
    }
    return mext_conn_send(c, &m, PATIENCE_MS, why);
}

/* *aborted_r: the other end says that it gave up. */
static int hear(struct mext_conn *c, enum kind k, unsigned timeout_ms,
                unsigned *aborted_r, struct mext_why *why)
{
    const struct mext_asked asked = { .token = &own.t, .digest = own.digest };
    struct mext_receipt r;
    struct mext_ctl m;

    if (mext_conn_recv(c, &m, timeout_ms, aborted_r, why))
        return k == ABORT && *aborted_r == MEXT_E_HANDOVER ? 0 : -1;
    if (m.type != type_of(k))
        return mext_fail(why, "message 0x%02x out of turn", m.type);
    if (k == RECEIPT &&
        mext_receipt_verify(m.u.receipt.bytes, MEXT_RECEIPT_LEN, &asked, &r))
        return mext_fail(why, "the receipt is not for this token");
    return 0;
}

/* ---- the source ---- */

static int source_begins(struct mext_conn *c)
{
    struct end *e = &run.source;
    enum kind answer = run.plot->line[1].kind;
    unsigned refused = 0;
    struct mext_hello hello;
    struct mext_root root;

    if (mext_handshake(c, run.source_fd, own.token, own.source_secret, "dest",
                       PATIENCE_MS, &hello, &root, &refused, &e->why)) {
        close(run.source_fd);
        e->accepted += answer == REFUSE && refused == MEXT_E_UNTRUSTED;
        return -1;
    }
    e->accepted++;
    return 0;
}

/* As commit() in mext_sender.c judges what it hears after COMMIT. */
static void conclude(const struct line *l, unsigned aborted)
{
    if (l->kind == COMMIT)
        run.outcome = UNKNOWN;
    else if (l->who == 'd' && l->kind == RUNNING && !run.source.failed)
        run.outcome = DONE;
    else if (aborted && run.outcome == UNKNOWN)
        run.outcome = KEPT;
}

static void source_plays(struct mext_conn *c)
{
    struct end *e = &run.source;

    for (unsigned i = 2; i < run.plot->n && !e->failed; i++) {
        const struct line *l = &run.plot->line[i];
        unsigned aborted = 0;

        e->failed = l->who == 's'
                        ? say(c, l->kind, &e->why)
                        : hear(c, l->kind, PATIENCE_MS, &aborted, &e->why);
        e->committed |= l->kind == COMMIT;
        e->accepted += l->who == 'd' && !e->failed;
        conclude(l, aborted);
    }
    if (e->failed && !e->committed)
        mext_conn_abort(c, MEXT_E_CANCELLED, e->why.text);
    mext_conn_close(c);
}

/* ---- the destination ---- */

static bool trusts(void *arg, const uint8_t pk[MEXT_KEY_LEN])
{
    return run.plot->line[1].kind != REFUSE && fix_trusts(NULL, pk);
}

static int refuse(unsigned code)
{
    struct mext_ctl m = { .type = MEXT_CTL_ABORT,
                          .u.abort.code = (uint16_t)code };
    struct mext_why ignored;
    uint8_t out[64];
    struct mext_buf b;

    mext_buf_init(&b, out, sizeof(out));
    if (mext_ctl_encode(&m, &b))
        abort();
    mext_net_send_plain(run.dest_fd, out, b.pos, 0, &ignored);
    return mext_fail(&run.dest.why, "refused: %s", mext_reason(code));
}

static uint8_t token_digest[MEXT_DIGEST_LEN]; /* of what was read */
static struct mext_token token;

static int hear_token(void)
{
    uint8_t in[MEXT_TOKEN_LEN];
    struct mext_identity id;
    int n = mext_net_recv_plain(run.dest_fd, in, sizeof(in), 0, &run.dest.why);
    unsigned code;

    if (n < 0)
        return -1;
    fix_identity(&id, FIX_DEST);
    code = (unsigned)mext_token_verify(in, (size_t)n, id.pk, FIX_NOW, trusts,
                                       NULL, &token);
    if (code)
        return refuse(code);
    mext_digest(in, sizeof(in), token_digest);
    return 0;
}

static int say_hello(struct mext_conn *c)
{
    uint8_t out[MEXT_HELLO_LEN];
    struct mext_identity id;
    struct mext_hello h;
    struct mext_root root;

    fix_identity(&id, FIX_DEST);
    memcpy(h.token, token_digest, sizeof(h.token));
    memcpy(h.destination, id.pk, sizeof(h.destination));
    memcpy(h.session, own.dest_pk, sizeof(h.session));
    if (mext_root_derive(&root, MEXT_KDF_CONTROL, own.dest_secret,
                         token.session, token_digest, token.session,
                         h.session) ||
        mext_hello_sign(&h, &id, out) ||
        mext_net_send_plain(run.dest_fd, out, sizeof(out), 0, &run.dest.why))
        return -1;
    return mext_conn_init(c, run.dest_fd, &root, false, 0);
}

static int dest_plays(struct mext_conn *c, const struct line *l)
{
    struct end *e = &run.dest;
    unsigned aborted;
    int rc;

    if (l->kind == REFUSE)
        return 0; /* said by hear_token */
    if (l->kind == TOKEN)
        rc = hear_token();
    else if (l->kind == HELLO)
        rc = say_hello(c);
    else
        rc = l->who == 'd' ? say(c, l->kind, &e->why)
                           : hear(c, l->kind, 0, &aborted, &e->why);
    e->failed |= rc != 0;
    if (l->who == 's' && !rc) {
        e->accepted++;
        e->committed |= l->kind == COMMIT;
    }
    return rc;
}

/* ---- the man in the middle ---- */

static bool donor(const struct object *o, enum op op, struct donor *d)
{
    static uint8_t hello[MEXT_FRAME_HDR_LEN + MEXT_HELLO_LEN];
    static uint8_t plain[MEXT_FRAME_HDR_LEN + MEXT_TOKEN_LEN];
    const bool back = op == SPLICE_DIRECTION;
    struct keys *k = op == SPLICE_SESSION ? &other : &own;
    uint8_t dir = o->dir;

    if (back)
        dir ^= MEXT_DIR_TO_DEST ^ MEXT_DIR_TO_SOURCE;
    mext_seal_init(&d->seal, op == SPLICE_CHANNEL ? &own.data : &k->control,
                   dir, 0);
    if (o->plain)
        return true;
    /* There is one control connection: no other channel's token or hello. */
    if (op == SPLICE_CHANNEL || o->kind == REFUSE)
        return false;
    mext_store32(plain, MEXT_TOKEN_LEN);
    memcpy(plain + MEXT_FRAME_HDR_LEN, k->token, MEXT_TOKEN_LEN);
    mext_store32(hello, MEXT_HELLO_LEN);
    fix_hello_bytes(hello + MEXT_FRAME_HDR_LEN);
    d->bytes = (o->kind == TOKEN) != back ? plain : hello;
    d->n = d->bytes == plain ? sizeof(plain) : sizeof(hello);
    return true;
}

/* One object; false at the end, or if nothing is there and wait is false. */
static bool take(int fd, const struct line *l, struct mext_seal *s, bool wait)
{
    static uint8_t buf[MEXT_FRAME_HDR_LEN + 65536];
    struct object o = { .kind = l->kind, .p = buf, .head = MEXT_FRAME_HDR_LEN };
    uint32_t n;

    if (recv(fd, buf, o.head, MSG_WAITALL | (wait ? 0 : MSG_DONTWAIT)) !=
        (ssize_t)o.head)
        return false;
    n = mext_load32(buf);
    if (n > sizeof(buf) - o.head ||
        recv(fd, buf + o.head, n, MSG_WAITALL) != (ssize_t)n)
        abort();
    o.n = o.head + n;
    o.dir = l->who == 's' ? MEXT_DIR_TO_DEST : MEXT_DIR_TO_SOURCE;
    o.tag = l->kind > REFUSE ? MEXT_TAG_LEN : 0;
    batch_add(&batch, &o, o.tag ? s : NULL);
    return true;
}

static void deliver(int fd, unsigned i)
{
    bool hit = i == run.target;

    if (hit && run.op != NOTHING)
        run.applied = tamper(&batch, 0, run.op, run.variant, donor);
    for (unsigned k = 0; k < batch.n; k++)
        send(fd, batch.o[k].p, batch.o[k].n, MSG_NOSIGNAL);
    if (batch.cut)
        shutdown(fd, SHUT_RDWR);
}

/* The source's line i, and what the destination makes of it. */
static int pass_to_dest(struct mext_conn *c, unsigned i, struct mext_seal *s)
{
    const struct line *l = &run.plot->line[i];

    batch_clear(&batch);
    if (!take(run.mitm_source, l, s, true))
        return -1;
    deliver(run.mitm_dest, i);
    return dest_plays(c, l);
}

/* The destination's lines from i on, all that it says now; how many. */
static unsigned pass_to_source(struct mext_conn *c, unsigned i,
                               struct mext_seal *s)
{
    unsigned n = 0;

    batch_clear(&batch);
    for (; i + n < run.plot->n && run.plot->line[i + n].who == 'd'; n++) {
        const struct line *l = &run.plot->line[i + n];

        if (dest_plays(c, l) || !take(run.mitm_dest, l, s, false))
            abort();
    }
    for (unsigned k = 0; k < n; k++) {
        if (i + k != run.target || run.op == NOTHING)
            continue;
        run.applied = tamper(&batch, k, run.op, run.variant, donor);
    }
    for (unsigned k = 0; k < batch.n; k++)
        send(run.mitm_source, batch.o[k].p, batch.o[k].n, MSG_NOSIGNAL);
    /* What is missing does not come any more. */
    if (run.applied)
        shutdown(run.mitm_source, SHUT_WR);
    return n;
}

static void *middle(void *arg)
{
    struct mext_conn c = { .in = NULL, .fd = -1 };
    struct mext_seal to_dest, to_source;
    unsigned i = 0;

    mext_seal_init(&to_dest, &own.control, MEXT_DIR_TO_DEST, 0);
    mext_seal_init(&to_source, &own.control, MEXT_DIR_TO_SOURCE, 0);
    while (i < run.plot->n) {
        if (run.plot->line[i].who == 'd')
            i += pass_to_source(&c, i, &to_source);
        else if (pass_to_dest(&c, i, &to_dest)) {
            if (i + 1 < run.plot->n && run.plot->line[i + 1].kind == REFUSE)
                run.dest.failed = false; /* as it should */
            else
                break;
            i++;
        } else
            i++;
    }
    if (run.dest.failed && c.in)
        mext_conn_abort(&c, MEXT_E_LINK, run.dest.why.text);
    /* Whatever the destination still says passes unchanged. */
    batch_clear(&batch);
    while (take(run.mitm_dest, &(struct line){ 'd', TOKEN }, NULL, false))
        continue;
    for (unsigned k = 0; k < batch.n; k++)
        send(run.mitm_source, batch.o[k].p, batch.o[k].n, MSG_NOSIGNAL);
    batch_clear(&batch);
    shutdown(run.mitm_source, SHUT_WR);
    if (c.in)
        mext_conn_close(&c);
    else
        close(run.dest_fd);
    return NULL;
}

/* ---- one run ---- */

static void play(const struct plot *plot, unsigned target, enum op op,
                 unsigned variant)
{
    struct mext_conn c;
    pthread_t thread;
    int a[2], b[2];

    memset(&run, 0, sizeof(run));
    run.plot = plot;
    run.target = target;
    run.op = op;
    run.variant = variant;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    run.source_fd = a[0];
    run.mitm_source = a[1];
    run.mitm_dest = b[0];
    run.dest_fd = b[1];
    fcntl(run.source_fd, F_SETFL, O_NONBLOCK);
    fcntl(run.dest_fd, F_SETFL, O_NONBLOCK);
    ck_assert_int_eq(pthread_create(&thread, NULL, middle, NULL), 0);
    if (source_begins(&c))
        run.source.failed = true;
    else
        source_plays(&c);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close(run.mitm_source);
    close(run.mitm_dest);
}

/* Lines that an end hears before line i. */
static unsigned heard_before(const struct plot *p, unsigned i, char who)
{
    unsigned n = 0;

    while (i--)
        n += p->line[i].who == who;
    return n;
}

/*
 * What he may do without being noticed.  A repetition of the last thing that
 * an end reads is never read.  Nothing protects REFUSE, who can forge it can
 * cut the link as well: the words may be his, but all it does is end what has
 * not begun.
 */
static bool harmless(const struct line *l, enum op op)
{
    if (l->kind == REFUSE)
        return true;
    return op == REPEAT &&
           (l->kind == COMMIT || l->kind == GUEST || l->kind == ABORT);
}

/* Always: the guest runs on one side at most, and is gone from none. */
static void check_always(const char *name)
{
    ck_assert_msg(run.outcome != KEPT || !run.dest.committed ||
                      (run.plot->line[run.plot->n - 1].kind == ABORT),
                  "%s: it would run twice", name);
    ck_assert_msg(run.outcome != DONE || run.dest.committed,
                  "%s: it would run nowhere", name);
    ck_assert_msg(!run.source.failed || *run.source.why.text,
                  "%s: no reason given", name);
    ck_assert_msg(!run.dest.failed || *run.dest.why.text, "%s: no reason given",
                  name);
}

static void check_case(struct tally *t)
{
    const struct line *l = &run.plot->line[run.target];
    struct end *e = l->who == 's' ? &run.dest : &run.source;
    unsigned before = heard_before(run.plot, run.target, l->who);
    char name[160];

    snprintf(name, sizeof(name), "%s, line %u, %s, variant %u", run.plot->name,
             run.target, op_names[run.op], run.variant);
    check_always(name);
    if (harmless(l, run.op)) {
        ck_assert_msg(run.outcome != DONE || run.dest.committed, "%s", name);
        ck_assert_msg(l->kind != REFUSE || run.outcome == KEPT, "%s", name);
        t->harmless++;
        return;
    }
    /*
     * Another token of the same source is a good token, too; but then the
     * source does not take the hello.
     */
    if (l->kind == TOKEN && run.op == SPLICE_SESSION) {
        ck_assert_msg(run.source.failed && !run.source.accepted, "%s", name);
        t->refused++;
        return;
    }
    ck_assert_msg(e->failed, "%s: not noticed", name);
    ck_assert_msg(e->accepted == before + (run.op == REPEAT),
                  "%s: %u messages were accepted, not %u", name, e->accepted,
                  before);
    /* Only an authentic ABORT lets the guest go on here after COMMIT. */
    if (run.dest.committed && l->kind != GUEST && run.op != REPEAT)
        ck_assert_msg(run.outcome == UNKNOWN, "%s: %d", name, run.outcome);
    t->refused++;
}

/* A line that is answered before the next one is said cannot be swapped. */
static bool impossible(const struct plot *p, unsigned i, enum op op)
{
    const struct line *l = &p->line[i];

    if (op == SWAP)
        return i + 1 == p->n || l->who == 's' || p->line[i + 1].who == 's';
    if (op == FLIP_TAG)
        return l->kind <= REFUSE;
    if (op == SPLICE_CHANNEL)
        return l->kind <= REFUSE;
    return (op == SPLICE_DIRECTION || op == SPLICE_SESSION) &&
           l->kind == REFUSE;
}

static void prepare(void)
{
    keys_make(&own, 1);
    keys_make(&other, 2);
    memset(json, '{', sizeof(json));
}

void control_cases(struct tally *t)
{
    prepare();
    for (const struct plot *p = plots; p < plots + COUNT(plots); p++)
        for (unsigned i = p->from; i < p->n; i++)
            for (enum op op = 0; op < OPS; op++) {
                unsigned variant = 0;

                for (play(p, i, op, variant); run.applied;
                     play(p, i, op, ++variant))
                    check_case(t);
                ck_assert_msg((variant == 0) == impossible(p, i, op),
                              "%s, line %u: %s was done %u times", p->name, i,
                              op_names[op], variant);
                t->impossible += variant == 0;
            }
}

/* Honest runs end well; a man with the key is seen by what he changes. */
void control_self_test(void)
{
    static const enum outcome ends[] = { DONE, KEPT, KEPT, KEPT, KEPT };

    prepare();
    for (unsigned i = 0; i < COUNT(plots); i++) {
        const struct plot *p = &plots[i];

        play(p, 0, NOTHING, 0);
        ck_assert_msg(run.outcome == ends[i], "%s: %s / %s", p->name,
                      run.source.why.text, run.dest.why.text);
        ck_assert_uint_eq(run.source.accepted, heard_before(p, p->n, 'd'));
        ck_assert_uint_eq(run.dest.accepted,
                          heard_before(p, p->n, 's') - (i == 1));
        ck_assert(i == 1 || (!run.source.failed && !run.dest.failed));
    }
    /* The last octet of RUNNING is a number, and any number will do. */
    play(&plots[0], 9, STOLEN, 0);
    ck_assert(run.applied && !run.source.failed);
    play(&plots[0], 5, STOLEN, 0);
    ck_assert(run.applied && run.source.failed);
}
