/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A further connection of a stream: JOIN, HERE, JOINED, pieces.  Connections, the
 * line's judgement of strangers and the pieces' order are the product's; what the
 * door and the monitor do with a JOIN is written here.
 *
 * All in one thread: an end says all that is due, the man in the middle hands over
 * what he has changed, then the other end reads what there is.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "line_conns.h"
#include "mext_pieces.h"
#include "mitm.h"

#define INDEX 1
#define CONNS 2

enum kind { JOIN, HERE, JOINED, FIRST_PIECE };

#define PIECES  3
#define OBJECTS (FIRST_PIECE + PIECES)

static struct {
    unsigned target; /* object that is tampered with */
    enum op op;
    unsigned variant;
    bool applied;
    bool taken;     /* by the line */
    bool answered;  /* the source knows */
    unsigned heard; /* pieces that went on */
    struct line_conns line;
    struct mext_conn source;
    int mitm_source, mitm_dest;
    struct mext_seal to_dest, to_source;
} run;

static struct keys own, other;
static struct batch batch;

/* ---- the man in the middle ---- */

static bool donor(const struct object *o, enum op op, struct donor *d)
{
    static uint8_t join[MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN];
    struct mext_open j = { .index = INDEX, .count = CONNS };
    struct keys *k = op == SPLICE_SESSION ? &other : &own;
    uint8_t dir = o->dir;

    if (op == SPLICE_DIRECTION)
        dir ^= MEXT_DIR_TO_DEST ^ MEXT_DIR_TO_SOURCE;
    mext_seal_init(&d->seal, &k->control, dir,
                   op == SPLICE_CHANNEL ? 0 : INDEX);
    if (o->plain)
        return true;
    /* Another connection's JOIN, or another migration's; none comes back. */
    if (op == SPLICE_DIRECTION || op == STOLEN)
        return false;
    memcpy(j.id, k->t.id, sizeof(j.id));
    j.count += op == SPLICE_CHANNEL;
    j.index += op == SPLICE_CHANNEL;
    mext_store32(join, MEXT_JOIN_LEN);
    ck_assert_int_eq(mext_join_encode(&j, join + MEXT_FRAME_HDR_LEN), 0);
    d->bytes = join;
    d->n = sizeof(join);
    return true;
}

/* All that an end has said, object by object from `kind` on. */
static void take(int fd, enum kind kind, struct mext_seal *s)
{
    static uint8_t buf[4096];

    batch_clear(&batch);
    for (;; kind++) {
        struct object o = { .kind = kind,
                            .p = buf,
                            .head = MEXT_FRAME_HDR_LEN };

        if (recv(fd, buf, o.head, MSG_DONTWAIT) != (ssize_t)o.head)
            return;
        o.n = o.head + mext_load32(buf);
        ck_assert_uint_le(o.n, sizeof(buf));
        ck_assert_int_eq(recv(fd, buf + o.head, o.n - o.head, MSG_WAITALL),
                         (ssize_t)(o.n - o.head));
        o.dir = kind == JOINED ? MEXT_DIR_TO_SOURCE : MEXT_DIR_TO_DEST;
        o.tag = kind == JOIN ? 0 : MEXT_TAG_LEN;
        batch_add(&batch, &o, o.tag ? s : NULL);
    }
}

static void deliver(int fd, enum kind first)
{
    unsigned i = run.target - first;

    if (run.target >= first && i < batch.n && run.op != NOTHING)
        run.applied = tamper(&batch, i, run.op, run.variant, donor);
    for (unsigned k = 0; k < batch.n; k++)
        send(fd, batch.o[k].p, batch.o[k].n, MSG_NOSIGNAL);
    if (batch.cut)
        shutdown(fd, SHUT_RDWR);
    batch_clear(&batch);
}

/* ---- the destination ---- */

/* What door and monitor make of it; fd is the line's then, or closed. */
static void pass_join(int fd)
{
    struct gate_msg m = { .type = GATE_JOIN, .fd = fd };
    uint8_t in[MEXT_JOIN_LEN];
    struct mext_why why;

    if (mext_net_recv_plain(fd, in, sizeof(in), 0, &why) != MEXT_JOIN_LEN ||
        mext_join_decode(in, &m.u.join) ||
        memcmp(m.u.join.id, own.t.id, MEXT_ID_LEN))
        close(fd);
    else
        line_conns_add(&run.line, &m);
}

static void hear_strangers(void)
{
    for (unsigned i = 0; i < LINE_STRANGERS_MAX; i++)
        for (unsigned k = 0; k < 2; k++) /* there is no more than one frame */
            line_conns_hear(&run.line, i);
    run.taken = run.line.conn[INDEX].fd >= 0;
}

static void hear_pieces(void)
{
    struct mext_pieces p = { .n = CONNS };
    struct mext_ctl m;
    struct mext_why why;

    while (run.taken &&
           mext_conn_take(&run.line.conn[INDEX], &m, NULL, &why) > 0) {
        ck_assert_uint_eq(m.type, MEXT_CTL_PIECE);
        ck_assert_int_eq(
            mext_pieces_put(&p, INDEX, m.u.piece.number, m.u.piece.len), 0);
        ck_assert_int_eq(mext_pieces_turn(&p), INDEX);
        ck_assert_uint_eq(*m.u.piece.bytes, run.heard++);
    }
}

/* ---- one run ---- */

static void say_join(void)
{
    struct mext_open j = { .index = INDEX, .count = CONNS };
    struct mext_ctl m = { .type = MEXT_CTL_HERE };
    uint8_t bytes[MEXT_JOIN_LEN];
    struct mext_why why;

    memcpy(j.id, own.t.id, sizeof(j.id));
    ck_assert_int_eq(mext_join_encode(&j, bytes), 0);
    ck_assert_int_eq(
        mext_net_send_plain(run.source.fd, bytes, sizeof(bytes), 0, &why), 0);
    ck_assert_int_eq(mext_conn_send(&run.source, &m, 0, &why), 0);
}

static void say_pieces(void)
{
    struct mext_why why;

    for (uint8_t i = 0; i < PIECES; i++) {
        struct mext_ctl m = { .type = MEXT_CTL_PIECE };

        m.u.piece.number = i;
        m.u.piece.bytes = (uint8_t[40]){ i };
        m.u.piece.n = m.u.piece.len = 40;
        ck_assert_int_eq(mext_conn_send(&run.source, &m, 0, &why), 0);
    }
}

static void hear_joined(void)
{
    struct mext_ctl m;
    struct mext_why why;

    run.answered = !mext_conn_recv(&run.source, &m, 0, NULL, &why) &&
                   m.type == MEXT_CTL_JOINED;
}

static void play(unsigned target, enum op op, unsigned variant)
{
    int a[2], b[2];

    memset(&run, 0, sizeof(run));
    run.target = target;
    run.op = op;
    run.variant = variant;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    run.mitm_source = a[1];
    run.mitm_dest = b[0];
    mext_seal_init(&run.to_dest, &own.control, MEXT_DIR_TO_DEST, INDEX);
    mext_seal_init(&run.to_source, &own.control, MEXT_DIR_TO_SOURCE, INDEX);
    ck_assert_int_eq(
        mext_conn_init(&run.source, a[0], &own.control, true, INDEX), 0);
    ck_assert_int_eq(line_conns_init(&run.line, CONNS, -1, &own.control), 0);
    run.line.open = true;

    say_join();
    take(run.mitm_source, JOIN, &run.to_dest);
    deliver(run.mitm_dest, JOIN);
    pass_join(b[1]);
    hear_strangers();
    take(run.mitm_dest, JOINED, &run.to_source);
    deliver(run.mitm_source, JOINED);
    hear_joined();
    if (run.answered) {
        say_pieces();
        take(run.mitm_source, FIRST_PIECE, &run.to_dest);
        deliver(run.mitm_dest, FIRST_PIECE);
    }
    hear_pieces();

    line_conns_close(&run.line);
    mext_conn_close(&run.source);
    close(run.mitm_source);
    close(run.mitm_dest);
}

/* ---- what must come of it ---- */

/* Pieces that go on although an object was tampered with. */
static unsigned still_heard(void)
{
    if (run.target < JOINED)
        return 0;
    /* What comes behind the last octet that the source reads is not read. */
    if (run.target == JOINED)
        return run.op == REPEAT ? PIECES : 0;
    return run.target - FIRST_PIECE + (run.op == REPEAT);
}

static void check_case(struct tally *t)
{
    bool repeated = run.op == REPEAT;

    ck_assert_msg(run.heard == still_heard(),
                  "object %u, %s, variant %u: %u pieces went on, not %u",
                  run.target, op_names[run.op], run.variant, run.heard,
                  still_heard());
    /* HERE, the second time, is what cannot be the first piece. */
    if (run.target < JOINED)
        ck_assert_int_eq(run.taken, run.target == HERE && repeated);
    else
        ck_assert(run.taken);
    if (run.target == JOINED)
        ck_assert_int_eq(run.answered, repeated);
    if (run.target == JOINED && repeated)
        t->harmless++;
    else
        t->refused++;
}

/* An object that is answered before the next one is said cannot be swapped. */
static bool impossible(unsigned i, enum op op)
{
    if (op == SWAP)
        return i == HERE || i == JOINED || i == OBJECTS - 1;
    return i == JOIN && (op == FLIP_TAG || op == SPLICE_DIRECTION);
}

static void prepare(void)
{
    keys_make(&own, 1);
    keys_make(&other, 2);
}

void join_cases(struct tally *t)
{
    prepare();
    for (unsigned i = 0; i < OBJECTS; i++)
        for (enum op op = 0; op < OPS; op++) {
            unsigned variant = 0;

            for (play(i, op, variant); run.applied; play(i, op, ++variant))
                check_case(t);
            ck_assert_msg((variant == 0) == impossible(i, op),
                          "object %u: %s was done %u times", i, op_names[op],
                          variant);
            t->impossible += variant == 0;
        }
}

/* An honest run ends well; a man with the key is seen by what he changes. */
void join_self_test(void)
{
    prepare();
    play(0, NOTHING, 0);
    ck_assert(run.taken && run.answered);
    ck_assert_uint_eq(run.heard, PIECES);
    play(HERE, STOLEN, 0); /* another message where HERE belongs */
    ck_assert(run.applied && !run.taken);
    play(FIRST_PIECE, STOLEN, 0); /* the last octet of a piece: any will do */
    ck_assert(run.applied);
    ck_assert_uint_eq(run.heard, PIECES);
}
