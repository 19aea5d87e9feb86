/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source's further connections for a stream: all are taken before it goes on,
 * one that is shut out tries again with the same octets, and a destination that has
 * given up is heard.  For another than the receipt names nothing is opened.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "mext_dest.h"
#include "unit.h"

#define WAIT_MS  60000
#define CHANNELS 3
#define HERE_LEN (MEXT_FRAME_HDR_LEN + 1 + MEXT_TAG_LEN)
#define SAID_LEN (MEXT_FRAME_HDR_LEN + MEXT_JOIN_LEN + HERE_LEN)

/* What the destination does with those who knock. */
enum manner {
    TAKES,      /* each */
    SHUTS_OUT,  /* the first two of each, before it hears them */
    TURNS_AWAY, /* the first of each, having heard it */
    ABORTS,     /* the second one, and says why on the control connection */
    HANGS_UP,   /* on both */
    ELSE,       /* answers another thing; then as ABORTS */
    OTHER_KEY,  /* the receipt is about another connection: nobody knocks */
};

static struct mext_why why;
static const struct mext_root root = { { 3, 1, 4 } };
static const uint8_t id[MEXT_ID_LEN] = "which migration";
static int tcp;
static unsigned port;

/* What the source has asked for, and who said hello. */
static struct mext_token token;
static struct mext_hello hello;

/* ---- the destination: a process, which ends with 0 if all was as it should ---- */

static int knocked(void)
{
    ck_assert_int_eq(mext_net_wait(&tcp, 1, WAIT_MS, &why), 0);
    return accept(tcp, NULL, NULL);
}

static void must(bool holds)
{
    if (!holds)
        _exit(1);
}

/* All that somebody says who wants to be connection i. */
static void hear(int fd, uint8_t said[SAID_LEN])
{
    must(!mext_net_recv(fd, said, SAID_LEN, WAIT_MS, &why));
}

static void is_join(const uint8_t said[SAID_LEN], uint16_t i)
{
    uint8_t here[HERE_LEN];
    struct mext_open o;
    struct mext_seal s;

    must(mext_load32(said) == MEXT_JOIN_LEN &&
         !mext_join_decode(said + MEXT_FRAME_HDR_LEN, &o) && o.index == i &&
         o.count == CHANNELS && !memcmp(o.id, id, sizeof(id)));
    memcpy(here, said + SAID_LEN - HERE_LEN, HERE_LEN);
    mext_seal_init(&s, &root, MEXT_DIR_TO_DEST, i);
    must(mext_load32(here) == 1 + MEXT_TAG_LEN &&
         !mext_frame_open(&s, here + MEXT_FRAME_HDR_LEN, 1 + MEXT_TAG_LEN) &&
         here[MEXT_FRAME_HDR_LEN] == MEXT_CTL_HERE);
}

static void say(int fd, uint16_t i, uint8_t type)
{
    struct mext_ctl m = { .type = type };
    struct mext_conn c;

    must(!mext_conn_init(&c, fd, &root, false, i) &&
         !mext_conn_send(&c, &m, WAIT_MS, &why));
    c.fd = -1; /* the caller's */
    mext_conn_close(&c);
}

/* Connection i, which comes as often as it must. */
static void serve(struct mext_conn *control, uint16_t i, enum manner how)
{
    uint8_t said[SAID_LEN], again[SAID_LEN];
    int fd = knocked();

    for (unsigned k = 0; how == SHUTS_OUT && k < 2; k++) {
        close(fd);
        fd = knocked();
    }
    hear(fd, said);
    is_join(said, i);
    if (how == TURNS_AWAY) {
        close(fd);
        fd = knocked();
        hear(fd, again);
        must(!memcmp(said, again, SAID_LEN));
    }
    if (i == 2 && how == ELSE)
        say(fd, i, MEXT_CTL_LOOKED);
    if (i == 2 && (how == ABORTS || how == ELSE))
        mext_conn_abort(control, MEXT_E_MEMORY, "no room for it");
    else if (i == 2 && how == HANGS_UP)
        shutdown(control->fd, SHUT_RDWR);
    else
        say(fd, i, MEXT_CTL_JOINED);
    if (i == 2 && how != TAKES)
        close(fd);
}

static void say_receipt(struct mext_conn *control, enum manner how)
{
    struct mext_ctl m = { .type = MEXT_CTL_RECEIPT };
    uint8_t bytes[MEXT_RECEIPT_LEN];
    struct mext_identity self;
    struct mext_receipt r;

    fix_identity(&self, FIX_DEST);
    fix_receipt(&r);
    r.ip = 0;
    r.channels = CHANNELS;
    memcpy(r.id, id, sizeof(id));
    memcpy(r.session, hello.session, sizeof(r.session));
    r.session[0] ^= how == OTHER_KEY;
    must(!mext_receipt_sign(&r, &self, bytes));
    m.u.receipt.bytes = bytes;
    must(!mext_conn_send(control, &m, WAIT_MS, &why));
}

static void play(enum manner how)
{
    struct mext_conn control;
    struct mext_ctl m;

    must(!mext_conn_init(&control, knocked(), &root, false, 0) &&
         !mext_conn_recv(&control, &m, WAIT_MS, NULL, &why) &&
         m.type == MEXT_CTL_CONFIG);
    say_receipt(&control, how);
    for (uint16_t i = 1; i < CHANNELS && how != OTHER_KEY; i++)
        serve(&control, i, how);
    /* until the source has closed */
    mext_conn_recv(&control, &m, WAIT_MS, NULL, &why);
    _exit(0);
}

/* ---- the source ---- */

static char json[] = "{}";
static const struct mext_request rq = { .host = "127.0.0.1" };
static const struct mext_guest guest = { .json = json };
static const struct mext_policy policy = { .nleaves = 0 };

static void on_step(void *arg, const char *text)
{
}

/* After the handshake, but for the control connection. */
static struct mext_dest source_end(void)
{
    struct mext_dest d = { .rq = &rq,
                           .guest = &guest,
                           .policy = &policy,
                           .receiver = MEXT_RECEIVER_DOM0,
                           .say = on_step,
                           .token = token,
                           .hello = hello,
                           .root = root };

    fix_digest(d.digest);
    return d;
}

/* mext_dest_boot's answer; the destination was content. */
static int boot(enum manner how, uint64_t *octets_r)
{
    struct mext_dest d = source_end();
    pid_t host = fork();
    int fd, rc, status;

    if (!host)
        play(how);
    ck_assert_int_eq(
        mext_net_connect("127.0.0.1", (uint16_t)port, WAIT_MS, &fd, &why), 0);
    ck_assert_int_eq(mext_conn_init(&d.conn, fd, &root, true, 0), 0);
    rc = mext_dest_ask(&d, &why) || mext_dest_boot(&d, &why) ? -1 : 0;
    *octets_r = mext_dest_bytes(&d) - d.conn.sent;
    mext_dest_close(&d);
    ck_assert_int_eq(waitpid(host, &status, 0), host);
    ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
    return rc;
}

static void setup(void)
{
    tcp = unit_listen(SOCK_STREAM, &port);
    fix_hello(&hello);
    fix_token(&token);
    memcpy(token.id, id, sizeof(id));
    memset(token.image, 0, sizeof(token.image));
    token.ip = 0;
    token.channels = CHANNELS;
    token.receiver = MEXT_RECEIVER_DOM0;
}

static void teardown(void)
{
    close(tcp);
}

START_TEST(all_are_taken)
{
    uint64_t octets;

    ck_assert_msg(!boot(TAKES, &octets), "%s", why.text);
    ck_assert_uint_eq(octets, (CHANNELS - 1) * SAID_LEN);
}
END_TEST

START_TEST(tries_again)
{
    uint64_t octets;

    ck_assert_msg(!boot(SHUTS_OUT, &octets), "%s", why.text);
    ck_assert_msg(!boot(TURNS_AWAY, &octets), "%s", why.text);
}
END_TEST

START_TEST(is_told)
{
    uint64_t octets;

    ck_assert_int_eq(boot(ABORTS, &octets), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no room for it"));
    ck_assert_int_eq(boot(ELSE, &octets), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "no room for it"));
    ck_assert_int_eq(boot(HANGS_UP, &octets), -1);
}
END_TEST

START_TEST(is_not_vouched_for)
{
    uint64_t octets;

    ck_assert_int_eq(boot(OTHER_KEY, &octets), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "receipt is refused"));
    ck_assert_uint_eq(octets, 0);
}
END_TEST

/* What is asked of it is done, and nobody would take it. */
START_TEST(is_cancelled)
{
    struct mext_dest d = source_end();
    struct mext_conn control;
    int p[2], ends[2];

    ck_assert_int_eq(pipe(p), 0);
    ck_assert_int_eq(write(p[1], "", 1), 1);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(mext_conn_init(&d.conn, ends[0], &root, true, 0), 0);
    ck_assert_int_eq(mext_conn_init(&control, ends[1], &root, false, 0), 0);
    say_receipt(&control, TAKES);
    mext_net_cancel_fd(p[0]);
    ck_assert_int_eq(mext_dest_boot(&d, &why), -1);
    ck_assert_str_eq(why.text, "cancelled");
    mext_net_cancel_fd(-1);
    mext_conn_close(&control);
    mext_dest_close(&d);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { all_are_taken,      tries_again,  is_told,
                                   is_not_vouched_for, is_cancelled, NULL };

    return unit_main(unit_suite_in("join", tests, setup, teardown));
}
