/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The source's way to packetd, with one or several keys trusted under its
 * name.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keydir.h"
#include "mext_crypto.h"
#include "mext_dest.h"

/* What the destination is like. */
struct host {
    enum fix_who key;    /* its own */
    unsigned refuse;     /* MEXT_E_*: whatever it is shown */
    enum fix_who signer; /* of hello, in place of the audience; or 0 */
};

static int tcp, seen[2]; /* seen: tokens, in the order they came */
static unsigned port;
static pid_t host;

static void setup(void)
{
    keydir_setup();
    tcp = unit_listen(SOCK_STREAM, &port);
    ck_assert_int_eq(pipe2(seen, O_NONBLOCK), 0);
    ck_assert_int_eq(mext_identity_create(dir, false, &why), 0);
    host = 0;
}

static void teardown(void)
{
    if (host > 0) {
        kill(host, SIGKILL);
        waitpid(host, NULL, 0);
    }
    close(tcp);
    close(seen[0]);
    close(seen[1]);
    keydir_teardown();
}

/* ---- the destination ---- */

static void say_no(int fd, unsigned code)
{
    struct mext_ctl m = { .type = MEXT_CTL_ABORT };
    uint8_t body[64];
    struct mext_buf b;

    m.u.abort.code = (uint16_t)code;
    mext_buf_init(&b, body, sizeof(body));
    mext_ctl_encode(&m, &b);
    mext_net_send_plain(fd, body, b.pos, 1000, &why);
}

static void answer(const struct host *h, int fd, const uint8_t *token)
{
    uint8_t hello_bytes[MEXT_HELLO_LEN], secret[32];
    struct mext_identity id;
    struct mext_hello hello;
    struct mext_token t;

    mext_token_parse(token, MEXT_TOKEN_LEN, &t);
    fix_identity(&id, h->key);
    if (h->refuse || memcmp(id.pk, t.audience, MEXT_KEY_LEN)) {
        say_no(fd, h->refuse ? h->refuse : MEXT_E_AUDIENCE);
        return;
    }
    mext_digest(token, MEXT_TOKEN_LEN, hello.token);
    memcpy(hello.destination, id.pk, MEXT_KEY_LEN);
    fix_session(secret, hello.session, FIX_DEST);
    mext_hello_sign(&hello, &id, hello_bytes);
    if (h->signer)
        fix_resign(hello_bytes, sizeof(hello_bytes), h->signer);
    mext_net_send_plain(fd, hello_bytes, sizeof(hello_bytes), 1000, &why);
}

static void serve(const struct host *h)
{
    for (;;) {
        uint8_t token[MEXT_TOKEN_LEN];
        int fd = accept(tcp, NULL, NULL);

        if (mext_net_recv_plain(fd, token, sizeof(token), 10000, &why) !=
                MEXT_TOKEN_LEN ||
            write(seen[1], token, sizeof(token)) != sizeof(token))
            _exit(1);
        answer(h, fd, token);
        close(fd);
    }
}

static void start(const struct host *h)
{
    host = fork();
    ck_assert_int_ge(host, 0);
    if (!host)
        serve(h);
}

/* ---- the source ---- */

static void trust(enum fix_who who)
{
    struct mext_trusted t;
    uint8_t pk[MEXT_KEY_LEN];

    public_of(who, pk, NULL);
    ck_assert_int_eq(mext_trust_read(dir, "127.0.0.1", &t, &why), 0);
    ck_assert_int_eq(mext_trust_add(dir, "127.0.0.1", pk, t.n > 0, &why), 0);
}

static void on_step(void *arg, const char *text)
{
}

/* mext_dest_connect; the last token it made. */
static int connect_to(struct mext_token *last_r)
{
    char where[32], json[] = "{}";
    struct mext_request rq = {
        .host = where, .peer = "127.0.0.1", .keys_dir = dir, .channels = 1
    };
    struct mext_guest guest = { .json = json, .max_kib = 65536, .vcpus = 1 };
    struct mext_policy policy = { .nleaves = 0 };
    struct mext_dest d = {
        .rq = &rq, .guest = &guest, .policy = &policy, .say = on_step
    };
    int rc;

    snprintf(where, sizeof(where), "127.0.0.1:%u", port);
    rq.port = MEXT_DATA_PORT;
    rc = mext_dest_connect(&d, &why);
    *last_r = d.token;
    mext_dest_close(&d);
    return rc;
}

/* The next token that the destination was shown; false: there is none. */
static bool next_token(struct mext_token *t_r)
{
    uint8_t bytes[MEXT_TOKEN_LEN];

    return read(seen[0], bytes, sizeof(bytes)) == sizeof(bytes) &&
           !mext_token_parse(bytes, sizeof(bytes), t_r);
}

static void is_for(const struct mext_token *t, enum fix_who who)
{
    uint8_t pk[MEXT_KEY_LEN];

    public_of(who, pk, NULL);
    ck_assert(!memcmp(t->audience, pk, sizeof(pk)));
}

static void names(enum fix_who who)
{
    char print[MEXT_FINGERPRINT_LEN];
    uint8_t pk[MEXT_KEY_LEN];

    public_of(who, pk, NULL);
    mext_fingerprint(pk, print);
    says(print);
    says("packetd fingerprint 127.0.0.1");
    says("packetd trust remove 127.0.0.1");
}

START_TEST(its_key)
{
    static const struct host h = { FIX_DEST, 0, 0 };
    struct mext_token last, t;

    trust(FIX_DEST);
    start(&h);
    ck_assert_int_eq(connect_to(&last), 0);
    ck_assert(next_token(&t));
    is_for(&t, FIX_DEST);
    ck_assert(!next_token(&t));
}
END_TEST

/* Of a host that finished its rotation; each token is a new one. */
START_TEST(its_second_key)
{
    static const struct host h = { FIX_NEXT, 0, 0 };
    struct mext_token last, first, second;

    trust(FIX_DEST);
    trust(FIX_NEXT);
    start(&h);
    ck_assert_int_eq(connect_to(&last), 0);
    is_for(&last, FIX_NEXT);
    ck_assert(next_token(&first));
    is_for(&first, FIX_DEST);
    ck_assert(next_token(&second));
    is_for(&second, FIX_NEXT);
    ck_assert(memcmp(first.id, second.id, sizeof(first.id)));
    ck_assert(memcmp(first.session, second.session, sizeof(first.session)));
    ck_assert(!next_token(&first));
}
END_TEST

START_TEST(none_of_its_keys)
{
    static const struct host h = { FIX_STRANGER, 0, 0 };
    struct mext_token last, t;

    trust(FIX_DEST);
    trust(FIX_NEXT);
    start(&h);
    ck_assert_int_eq(connect_to(&last), -1);
    names(FIX_NEXT);
    ck_assert(next_token(&t));
    ck_assert(next_token(&t));
    ck_assert(!next_token(&t));
}
END_TEST

/* Any other refusal counts. */
START_TEST(refused)
{
    static const struct host h = { FIX_DEST, MEXT_E_UNTRUSTED, 0 };
    struct mext_token last, t;

    trust(FIX_DEST);
    trust(FIX_NEXT);
    start(&h);
    ck_assert_int_eq(connect_to(&last), -1);
    says("refused by the destination");
    ck_assert(next_token(&t));
    ck_assert(!next_token(&t));
}
END_TEST

/* Nobody else is believed, nor asked again, though it is a key of the name. */
START_TEST(signed_by_another)
{
    static const struct host h = { FIX_DEST, 0, FIX_NEXT };
    struct mext_token last, t;

    trust(FIX_DEST);
    trust(FIX_NEXT);
    start(&h);
    ck_assert_int_eq(connect_to(&last), -1);
    says("not signed by the key");
    names(FIX_DEST);
    ck_assert(next_token(&t));
    ck_assert(!next_token(&t));
}
END_TEST

START_TEST(unknown_host)
{
    struct mext_token last;

    ck_assert_int_eq(connect_to(&last), -1);
    says("packetd trust fetch 127.0.0.1");
    trust(FIX_DEST);
    ck_assert_int_eq(chmod(path("trust.d"), 0777), 0);
    ck_assert_int_eq(connect_to(&last), -1);
    says("chmod go-w");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        its_key, its_second_key,    none_of_its_keys,
        refused, signed_by_another, unknown_host,
        NULL,
    };

    return unit_main(unit_suite_in("connect", tests, setup, teardown));
}
