/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "What became of it": question and answer (what both of them are refused for
 * is in test_token as well), what packetd answers by what is noted, and a
 * source that asks over loopback.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_fate_ask.h"
#include "mext_net.h"
#include "packetd.h"
#include "unit.h"

#define ANSWER_MS 30000 /* for what must come: only a failure waits so long */

static struct mext_identity source, dest, stranger;
static struct mext_query query;
static uint8_t asked[MEXT_QUERY_LEN];
static struct mext_why why;

static void setup(void)
{
    fix_identity(&source, FIX_SOURCE);
    fix_identity(&dest, FIX_DEST);
    fix_identity(&stranger, FIX_STRANGER);
    fix_query(&query);
    fix_query_bytes(asked);
}

/* ---- question and answer ---- */

START_TEST(query_good)
{
    uint8_t again[MEXT_QUERY_LEN];
    struct mext_query q;

    ck_assert_int_eq(mext_query_verify(asked, sizeof(asked), &q), 0);
    ck_assert_mem_eq(&q, &query, sizeof(q));
    ck_assert_int_eq(mext_query_sign(&q, &source, again), 0);
    ck_assert_mem_eq(asked, again, sizeof(again));
}
END_TEST

/* Who may ask is not looked at; by whom it is signed, is. */
START_TEST(query_bad)
{
    struct mext_query q, before;

    memset(&q, 0xa5, sizeof(q));
    before = q;
    for (size_t n = 0; n < sizeof(asked); n++)
        ck_assert_int_eq(mext_query_verify(asked, n, &q), MEXT_ERR_FORMAT);
    for (size_t bit = 0; bit < sizeof(asked) * 8; bit++) {
        asked[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(mext_query_verify(asked, sizeof(asked), &q),
                         bit / 8 < MEXT_PURPOSE_LEN ? MEXT_ERR_FORMAT
                                                    : MEXT_ERR_AUTH);
        asked[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_mem_eq(&q, &before, sizeof(q));
    memcpy(query.source, stranger.pk, sizeof(query.source));
    ck_assert_int_eq(mext_query_sign(&query, &stranger, asked), 0);
    ck_assert_int_eq(mext_query_verify(asked, sizeof(asked), &q), 0);
}
END_TEST

START_TEST(sign_as_somebody_else)
{
    uint8_t out[MEXT_QUERY_LEN] = { 0 };
    struct mext_fate f;

    fix_fate(&f);
    ck_assert_int_eq(mext_query_sign(&query, &stranger, out), MEXT_ERR_AUTH);
    ck_assert_int_eq(mext_fate_sign(&f, asked, &source, out), MEXT_ERR_AUTH);
    ck_assert(sodium_is_zero(out, sizeof(out)));
}
END_TEST

static bool trusts_all(void *unused, const uint8_t pk[MEXT_KEY_LEN])
{
    return true;
}

/* A point of low order as a key makes any message verify, if let. */
START_TEST(low_order)
{
    struct mext_query q;
    uint8_t *key = asked + 104, *signature = asked + 136;

    memset(key, 0, MEXT_KEY_LEN);
    memset(signature, 0, MEXT_SIG_LEN);
    key[0] = signature[0] = 1;
    ck_assert_int_eq(
        mext_query_judge(asked, sizeof(asked), dest.pk, trusts_all, NULL, &q),
        MEXT_E_SIGNATURE);
}
END_TEST

START_TEST(fates)
{
    static const struct {
        struct mext_fate f;
        int rc;
    } rows[] = {
        { { 0, 0 }, MEXT_ERR_LIMIT },
        { { MEXT_FATE_PENDING, 0 }, 0 },
        { { MEXT_FATE_PENDING, 1 }, MEXT_ERR_LIMIT },
        { { MEXT_FATE_RUNNING, 0 }, 0 },
        { { MEXT_FATE_RUNNING, 1 }, 0 },
        { { MEXT_FATE_RUNNING, 32751 }, 0 },
        { { MEXT_FATE_RUNNING, 32752 }, MEXT_ERR_LIMIT },
        { { MEXT_FATE_RUNNING, UINT32_MAX }, MEXT_ERR_LIMIT },
        { { MEXT_FATE_ABORTED, 0 }, 0 },
        { { MEXT_FATE_ABORTED, 1 }, MEXT_ERR_LIMIT },
        { { MEXT_FATE_LOST, 0 }, 0 },
        { { MEXT_FATE_LOST, 1 }, MEXT_ERR_LIMIT },
        { { MEXT_FATE_UNKNOWN, 0 }, 0 },
        { { MEXT_FATE_UNKNOWN, 1 }, MEXT_ERR_LIMIT },
        { { 6, 0 }, MEXT_ERR_LIMIT },
        { { 255, 0 }, MEXT_ERR_LIMIT },
    };
    uint8_t out[MEXT_FATE_LEN];
    struct mext_fate f;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int rc = mext_fate_sign(&rows[i].f, asked, &dest, out);

        ck_assert_msg(rc == rows[i].rc, "row %zu: %d", i, rc);
        if (rc) {
            fix_fate_bytes(out);
            out[88] = rows[i].f.fate;
            mext_store32(out + 92, rows[i].f.domid);
            fix_resign(out, sizeof(out), FIX_DEST);
        }
        rc = mext_fate_verify(out, sizeof(out), asked, &f);
        ck_assert_msg(rc == rows[i].rc, "row %zu: %d", i, rc);
        if (!rc)
            ck_assert(f.fate == rows[i].f.fate && f.domid == rows[i].f.domid);
    }
}
END_TEST

/* Well signed, but the answer to another question: another nonce is enough. */
START_TEST(answer_to_another)
{
    uint8_t other[MEXT_QUERY_LEN], out[MEXT_FATE_LEN];
    struct mext_fate f;

    fix_fate(&f);
    query.nonce[0] ^= 1;
    ck_assert_int_eq(mext_query_sign(&query, &source, other), 0);
    ck_assert_int_eq(mext_fate_sign(&f, other, &dest, out), 0);
    ck_assert_int_eq(mext_fate_verify(out, sizeof(out), other, &f), 0);
    ck_assert_int_eq(mext_fate_verify(out, sizeof(out), asked, &f),
                     MEXT_ERR_AUTH);
}
END_TEST

/* ---- what packetd answers ---- */

static struct mext_entry noted;
static bool there, unreadable;
static unsigned pursued;

int mext_journal_read(const char *dir, const uint8_t id[MEXT_ID_LEN],
                      enum mext_side side, struct mext_entry *e_r,
                      struct mext_why *why_r)
{
    ck_assert_str_eq(dir, "/state/migrations");
    ck_assert_int_eq(side, MEXT_SIDE_DEST);
    if (!there || memcmp(id, noted.id, MEXT_ID_LEN))
        return mext_fail(why_r, "there is none"), unreadable ? -1 : 1;
    *e_r = noted;
    return 0;
}

void packetd_pursue(const struct packetd *p, const struct mext_entry *e)
{
    ck_assert_mem_eq(e, &noted, sizeof(noted));
    pursued++;
}

static uint8_t answer_of(uint32_t *domid_r)
{
    struct packetd p = { .state_dir = "/state" };
    struct mext_fate f = { .domid = 99 };

    pursued = 0;
    ck_assert_int_eq(packetd_fate(&p, &query, &f, &why), 0);
    *domid_r = f.domid;
    return f.fate;
}

static void set_noted(void)
{
    memset(&noted, 0, sizeof(noted));
    noted.side = MEXT_SIDE_DEST;
    noted.noted = MEXT_NOTED_RUNNING;
    noted.domid = 7;
    memcpy(noted.id, query.id, sizeof(noted.id));
    memcpy(noted.theirs, query.source, sizeof(noted.theirs));
    there = true;
}

/* As docs/specs/commit.md has it. */
START_TEST(by_what_is_noted)
{
    static const struct {
        enum mext_noted noted;
        uint8_t fate;
        uint32_t domid;
        unsigned pursued;
    } rows[] = {
        { MEXT_NOTED_INCOMING, MEXT_FATE_PENDING, 0, 1 },
        { MEXT_NOTED_COMMITTED, MEXT_FATE_PENDING, 0, 1 },
        { MEXT_NOTED_RUNNING, MEXT_FATE_RUNNING, 7, 0 },
        { MEXT_NOTED_ABORTED, MEXT_FATE_ABORTED, 0, 0 },
        { MEXT_NOTED_LOST, MEXT_FATE_LOST, 0, 0 },
        /* a source's have no business there */
        { MEXT_NOTED_BEGUN, MEXT_FATE_UNKNOWN, 0, 0 },
        { MEXT_NOTED_KEPT, MEXT_FATE_UNKNOWN, 0, 0 },
    };
    uint32_t domid;

    set_noted();
    for (size_t i = 0; i < COUNT(rows); i++) {
        noted.noted = rows[i].noted;
        ck_assert_uint_eq(answer_of(&domid), rows[i].fate);
        ck_assert_uint_eq(domid, rows[i].domid);
        ck_assert_uint_eq(pursued, rows[i].pursued);
    }
    /* What could not be signed would be no answer at all. */
    noted.noted = MEXT_NOTED_RUNNING;
    noted.domid = MEXT_DOMID_MAX + 1;
    ck_assert_uint_eq(answer_of(&domid), MEXT_FATE_RUNNING);
    ck_assert_uint_eq(domid, 0);
}
END_TEST

/* Nor is anything given up because somebody else asks. */
START_TEST(not_told)
{
    uint32_t domid;

    set_noted();
    noted.noted = MEXT_NOTED_INCOMING;
    memcpy(query.source, stranger.pk, sizeof(query.source));
    ck_assert_uint_eq(answer_of(&domid), MEXT_FATE_UNKNOWN);
    ck_assert_uint_eq(domid, 0);
    ck_assert_uint_eq(pursued, 0);
    fix_query(&query);
    query.id[0] ^= 1;
    ck_assert_uint_eq(answer_of(&domid), MEXT_FATE_UNKNOWN);
    there = false;
    ck_assert_uint_eq(answer_of(&domid), MEXT_FATE_UNKNOWN);
    ck_assert_uint_eq(pursued, 0);
}
END_TEST

/* Nothing is concluded from a journal that cannot be read. */
START_TEST(not_answered)
{
    struct packetd p = { .state_dir = "/state" };
    struct mext_fate f;

    there = false;
    unreadable = true;
    ck_assert_int_eq(packetd_fate(&p, &query, &f, &why), -1);
    unreadable = false;
}
END_TEST

START_TEST(long_state_folder)
{
    static char state[5000], out[4096];
    struct packetd p = { .state_dir = state };
    struct mext_fate f;

    memset(state, 'x', sizeof(state) - 1);
    ck_assert_int_eq(packetd_journal_dir(&p, out, &why), -1);
    ck_assert_int_eq(packetd_fate(&p, &query, &f, &why), -1);
}
END_TEST

/* ---- a source asks ---- */

/* What the host says to a question; its length, 0: silence. */
typedef size_t answer_fn(const uint8_t in[MEXT_QUERY_LEN], uint8_t *out);

static char at[32];
static pid_t host;

static void serve(int fd, answer_fn *answer)
{
    for (;;) {
        uint8_t in[MEXT_QUERY_LEN + 1], out[512];
        struct sockaddr_in from;
        socklen_t len = sizeof(from);
        ssize_t k = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from,
                             &len);
        size_t n = k == MEXT_QUERY_LEN ? answer(in, out) : 0;

        if (n)
            sendto(fd, out, n, 0, (struct sockaddr *)&from, len);
    }
}

static void start(answer_fn *answer)
{
    int tcp, udp;
    uint16_t port;

    ck_assert_int_eq(mext_net_listen("127.0.0.1", 0, &tcp, &udp, &port, &why),
                     0);
    snprintf(at, sizeof(at), "127.0.0.1:%u", port);
    host = fork();
    ck_assert_int_ge(host, 0);
    if (!host)
        serve(udp, answer);
    close(tcp);
    close(udp);
}

static void stop(void)
{
    kill(host, SIGKILL);
    waitpid(host, NULL, 0);
}

static int ask(unsigned timeout_ms, struct mext_fate *f_r)
{
    return mext_fate_ask(at, &query, &source, timeout_ms, f_r, &why);
}

static size_t runs(const uint8_t *in, uint8_t *out)
{
    struct mext_fate f;

    fix_fate(&f);
    return mext_fate_sign(&f, in, &dest, out) ? 0 : MEXT_FATE_LEN;
}

/* What was answered to another question of that source. */
static size_t stale(const uint8_t *in, uint8_t *out)
{
    fix_fate_bytes(out);
    return MEXT_FATE_LEN;
}

static size_t changed(const uint8_t *in, uint8_t *out)
{
    size_t n = runs(in, out);

    out[88] = MEXT_FATE_ABORTED;
    return n;
}

static size_t signed_by_another(const uint8_t *in, uint8_t *out)
{
    size_t n = runs(in, out);

    fix_resign(out, n, FIX_STRANGER);
    return n;
}

static size_t longer(const uint8_t *in, uint8_t *out)
{
    return runs(in, out) + 1;
}

static size_t echo(const uint8_t *in, uint8_t *out)
{
    memcpy(out, in, MEXT_QUERY_LEN);
    return MEXT_QUERY_LEN;
}

static size_t silent(const uint8_t *in, uint8_t *out)
{
    return 0;
}

/* Answers if this is a question like the fixture's, but with its own nonce. */
static size_t runs_if_fresh(const uint8_t *in, uint8_t *out)
{
    static uint8_t last[MEXT_NONCE_LEN];
    struct mext_query q;

    if (mext_query_verify(in, MEXT_QUERY_LEN, &q) ||
        !memcmp(q.nonce, query.nonce, sizeof(last)) ||
        !memcmp(q.nonce, last, sizeof(last)))
        return 0;
    memcpy(last, q.nonce, sizeof(last));
    memcpy(q.nonce, query.nonce, sizeof(q.nonce));
    return memcmp(&q, &query, sizeof(q)) ? 0 : runs(in, out);
}

START_TEST(answered)
{
    struct mext_fate f = { 0 };

    start(runs_if_fresh);
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(!ask(ANSWER_MS, &f), "%s", why.text);
        ck_assert_uint_eq(f.fate, MEXT_FATE_RUNNING);
        ck_assert_uint_eq(f.domid, 7);
    }
    stop();
}
END_TEST

START_TEST(no_answer)
{
    answer_fn *const answers[] = { stale, changed, signed_by_another, longer,
                                   echo };
    struct mext_fate f = { .fate = 77 };

    for (size_t i = 0; i < COUNT(answers); i++) {
        start(answers[i]);
        ck_assert_int_eq(ask(ANSWER_MS, &f), -1);
        ck_assert_ptr_nonnull(strstr(why.text, "is not the packetd"));
        stop();
    }
    start(silent);
    ck_assert_int_eq(ask(50, &f), -1);
    stop();
    ck_assert_int_eq(ask(ANSWER_MS, &f), -1); /* nobody is there any more */
    ck_assert_int_eq(mext_fate_ask("a:0", &query, &source, 1, &f, &why), -1);
    ck_assert_int_eq(mext_fate_ask(at, &query, &dest, 1, &f, &why), -1);
    ck_assert_ptr_nonnull(strstr(why.text, "key"));
    ck_assert_uint_eq(f.fate, 77);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        query_good,
        query_bad,
        sign_as_somebody_else,
        low_order,
        fates,
        answer_to_another,
        by_what_is_noted,
        not_told,
        not_answered,
        long_state_folder,
        answered,
        no_answer,
        NULL,
    };

    return unit_main(unit_suite_in("fate", tests, setup, NULL));
}
