/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "mext_crypto.h"
#include "mext_dest.h"
#include "mext_fault.h"
#include "mext_handshake.h"

/* Deadlines, ms. */
#define CONNECT_MS 10000
#define ANSWER_MS  30000
#define BOOT_MS    120000 /* creating a domain may take a while */
#define JOIN_MS    30000  /* until a further connection is taken */
#define AGAIN_MS   200

/* Any receiver takes so many. */
#define CHANNELS_AUTO_MAX 4

/* More are not listened to. */
#define FINDINGS_MAX 256

static void config_message(struct mext_dest *d, struct mext_ctl *m)
{
    m->type = d->look ? MEXT_CTL_LOOK : MEXT_CTL_CONFIG;
    m->u.config.memory_kib = d->guest->max_kib;
    m->u.config.json = (const uint8_t *)d->guest->json;
    m->u.config.json_len = (uint32_t)strlen(d->guest->json);
    m->u.config.xen = d->policy->xen;
    m->u.config.nleaves = d->policy->nleaves;
    m->u.config.leaves = d->policy->leaves;
    m->u.config.nmsrs = d->policy->nmsrs;
    m->u.config.msrs = d->policy->msrs;
}

/* BLAKE2b-256 of the CONFIG body, for the token. */
static int config_digest(struct mext_dest *d, uint8_t out[MEXT_DIGEST_LEN],
                         struct mext_why *why)
{
    uint8_t *body = malloc(MEXT_CONTROL_BODY_MAX);
    struct mext_ctl m;
    struct mext_buf b;
    int rc = -1;

    config_message(d, &m);
    mext_buf_init(&b, body, body ? MEXT_CONTROL_BODY_MAX : 0);
    if (mext_ctl_encode(&m, &b))
        mext_fail(why, "the guest's configuration is too large");
    else
        rc = 0;
    if (!rc)
        mext_digest(body, b.pos, out);
    free(body);
    return rc;
}

/* More are of no use: mstrap, and packetd's line, open all on one CPU. */
static uint16_t channels_here(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    return (uint16_t)(cpus < 1                   ? 1
                      : cpus < CHANNELS_AUTO_MAX ? cpus
                                                 : CHANNELS_AUTO_MAX);
}

static void token_for_mstrap(const struct mext_dest *d, struct mext_token *t)
{
    const struct mext_request *rq = d->rq;

    memcpy(t->image, rq->image, sizeof(t->image));
    t->ip = rq->ip;
    t->netmask = rq->netmask;
    t->gateway = rq->gateway;
}

static int make_token(struct mext_dest *d, const uint8_t audience[MEXT_KEY_LEN],
                      uint8_t out[MEXT_TOKEN_LEN], struct mext_why *why)
{
    const struct mext_request *rq = d->rq;
    struct mext_token *t = &d->token;

    memset(t, 0, sizeof(*t));
    randombytes_buf(t->id, sizeof(t->id));
    t->issued = (uint64_t)time(NULL);
    t->expiry = t->issued + 300;
    memcpy(t->audience, audience, sizeof(t->audience));
    memcpy(t->source, d->self.pk, sizeof(t->source));
    randombytes_buf(d->secret, sizeof(d->secret));
    crypto_scalarmult_base(t->session, d->secret);
    t->memory_kib = d->guest->max_kib;
    t->vcpus = d->guest->vcpus;
    t->channels = rq->channels ? rq->channels : channels_here();
    t->port = rq->port;
    t->receiver = d->receiver;
    if (d->receiver == MEXT_RECEIVER_MSTRAP)
        token_for_mstrap(d, t);
    if (config_digest(d, t->config, why))
        return -1;
    if (mext_token_sign(t, &d->self, out))
        return mext_fail(why, "memory, vCPUs or mstrap's address are outside "
                              "what a token can carry");
    mext_digest(out, MEXT_TOKEN_LEN, d->digest);
    return 0;
}

/* One attempt, with one of the destination's keys. */
static int try_key(struct mext_dest *d, const char *host, uint16_t port,
                   const uint8_t key[MEXT_KEY_LEN], unsigned *refused_r,
                   struct mext_why *why)
{
    uint8_t token[MEXT_TOKEN_LEN];
    struct mext_why first;
    int fd;

    *refused_r = 0;
    if (make_token(d, key, token, why))
        return -1;
    if (mext_net_connect(host, port, CONNECT_MS, &fd, &first))
        return mext_fail(why,
                         "%.300s (does packetd run there, and does a firewall "
                         "let TCP and UDP port %u through?)",
                         first.text, port);
    if (mext_handshake(&d->conn, fd, token, d->secret, d->rq->peer, ANSWER_MS,
                       &d->hello, &d->root, refused_r, why)) {
        close(fd);
        return -1;
    }
    return 0;
}

/* Is the list of mstraps that are accepted asked? */
static bool by_list(const struct mext_dest *d)
{
    return d->receiver == MEXT_RECEIVER_MSTRAP &&
           sodium_is_zero(d->rq->image, sizeof(d->rq->image));
}

/* A destination whose key is being replaced has one or another of its keys. */
int mext_dest_connect(struct mext_dest *d, struct mext_why *why)
{
    struct mext_trusted peer;
    unsigned i = 0;
    char host[256];
    uint16_t port;
    int rc;

    if (mext_net_split(d->rq->host, MEXT_CONTROL_PORT, host, &port, why) ||
        mext_identity_load(d->rq->keys_dir, &d->self, why) ||
        mext_trust_find(d->rq->keys_dir, d->rq->peer, &peer, why) ||
        mext_attest_load(&d->attest, d->rq->keys_dir, d->rq->peer, by_list(d),
                         why))
        return -1;
    mext_sayf(d->say, d->say_arg, "connecting to packetd on %s port %u", host,
              port);
    do
        rc = try_key(d, host, port, peer.key[i], &d->refused, why);
    while (d->refused == MEXT_E_AUDIENCE && ++i < peer.n);
    mext_wipe(&d->self, sizeof(d->self)); /* signs nothing else */
    return rc;
}

/* Steps are said until there is the receipt. */
static int wait_for_it(struct mext_dest *d, struct mext_ctl *m,
                       struct mext_why *why)
{
    do {
        if (mext_conn_recv(&d->conn, m, BOOT_MS, NULL, why))
            return -1;
        if (m->type == MEXT_CTL_STEP)
            mext_sayf(d->say, d->say_arg, "destination: %.*s", m->u.step.len,
                      m->u.step.text);
    } while (m->type == MEXT_CTL_STEP);
    if (m->type != MEXT_CTL_RECEIPT)
        return mext_fail(why,
                         "the destination sent message 0x%02x where a receipt "
                         "belongs",
                         m->type);
    return 0;
}

static int hear_receipt(struct mext_dest *d, const uint8_t *bytes,
                        struct mext_why *why)
{
    const struct mext_asked asked = { &d->token, d->digest, d->hello.session };

    if (mext_attest_hear(&d->attest, &d->conn, bytes, &asked, ANSWER_MS,
                         &d->receipt, why))
        return -1;
    if (d->receipt.attester != MEXT_ATTESTER_TPM)
        return 0;
    if (d->attest.tpm)
        mext_sayf(d->say, d->say_arg, "the destination's TPM vouches for it");
    else
        mext_sayf(d->say, d->say_arg,
                  "the destination's TPM is not enrolled here: its word is not "
                  "looked at");
    return 0;
}

/* ---- further connections, for a stream ---- */

/* One attempt; c has no descriptor yet. */
static int try_join(struct mext_dest *d, struct mext_conn *c, uint16_t index,
                    struct mext_why *why)
{
    struct mext_open o = { .index = index, .count = d->token.channels };
    struct mext_ctl m = { .type = MEXT_CTL_HERE };
    uint8_t join[MEXT_JOIN_LEN];

    memcpy(o.id, d->token.id, sizeof(o.id));
    if (mext_join_encode(&o, join))
        return mext_fail(why, "no such connection");
    if (mext_net_connect_again(d->conn.fd, CONNECT_MS, &c->fd, why) ||
        mext_net_send_plain(c->fd, join, sizeof(join), ANSWER_MS, why))
        return -1;
    mext_count_add(&c->sent, MEXT_FRAME_HDR_LEN + sizeof(join));
    if (mext_conn_send(c, &m, ANSWER_MS, why) ||
        mext_conn_recv(c, &m, ANSWER_MS, NULL, why))
        return -1;
    return m.type == MEXT_CTL_JOINED
               ? 0
               : mext_fail(why, "message 0x%02x where JOINED belongs", m.type);
}

/* Whether another attempt is worth it, after a while: the destination goes on. */
static bool join_again(struct mext_dest *d, uint64_t end, struct mext_why *why)
{
    struct mext_why quiet;
    struct mext_ctl m;

    if (mext_net_cancelled(why))
        return false;
    if (mext_now_ms() >= end) {
        quiet = *why;
        mext_fail(why, "a further connection is not taken: %.300s", quiet.text);
        return false;
    }
    if (mext_net_wait(&d->conn.fd, 1, AGAIN_MS, &quiet) < 0)
        return !mext_net_cancelled(why);
    if (!mext_conn_recv(&d->conn, &m, ANSWER_MS, NULL, why))
        mext_fail(why, "the destination sent message 0x%02x out of turn",
                  m.type);
    return false;
}

/*
 * A door that many knock at shuts out some.  Each attempt says the same octets, so
 * no key seals two things as its first.
 */
static int join(struct mext_dest *d, uint16_t index, struct mext_why *why)
{
    struct mext_conn *c = &d->joined[index - 1];
    uint64_t end = mext_now_ms() + JOIN_MS;
    int rc;

    if (mext_fault("source.join", why))
        return -1;
    do {
        mext_conn_close(c);
        if (mext_conn_init(c, -1, &d->root, true, index))
            return mext_fail(why, "out of memory");
        rc = try_join(d, c, index, why);
    } while (rc && join_again(d, end, why));
    return rc;
}

/* libxl waits for the stream: now all ways for it; no data channel. */
static int join_all(struct mext_dest *d, struct mext_why *why)
{
    int rc = 0;

    for (uint16_t i = 1; i < d->token.channels && !rc; i++)
        rc = join(d, i, why);
    mext_wipe(d->secret, sizeof(d->secret));
    return rc;
}

int mext_dest_ask(struct mext_dest *d, struct mext_why *why)
{
    struct mext_ctl m;

    config_message(d, &m);
    return mext_conn_send(&d->conn, &m, ANSWER_MS, why);
}

int mext_dest_boot(struct mext_dest *d, struct mext_why *why)
{
    struct mext_ctl m;
    int rc = wait_for_it(d, &m, why) || hear_receipt(d, m.u.receipt.bytes, why)
                 ? -1
                 : 0;

    if (!rc && d->receiver == MEXT_RECEIVER_DOM0)
        rc = join_all(d, why);
    mext_wipe(&d->root, sizeof(d->root));
    return rc;
}

int mext_dest_look(struct mext_dest *d, mext_finding_fn *fn, void *arg,
                   struct mext_why *why)
{
    char text[MEXT_TEXT_MAX + 1];
    struct mext_ctl m;

    config_message(d, &m);
    if (mext_conn_send(&d->conn, &m, ANSWER_MS, why))
        return -1;
    for (unsigned i = 0; i < FINDINGS_MAX; i++) {
        if (mext_conn_recv(&d->conn, &m, ANSWER_MS, NULL, why))
            return -1;
        if (m.type == MEXT_CTL_LOOKED)
            return 0;
        if (m.type != MEXT_CTL_FINDING)
            return mext_fail(why,
                             "the destination sent message 0x%02x where a "
                             "finding belongs",
                             m.type);
        snprintf(text, sizeof(text), "%.*s", m.u.finding.len, m.u.finding.text);
        fn(arg, m.u.finding.kind, text);
    }
    return mext_fail(why, "the destination does not come to an end");
}

int mext_dest_root(struct mext_dest *d, struct mext_root *root_r,
                   struct mext_why *why)
{
    int rc = mext_root_derive(root_r, MEXT_KDF_DATA, d->secret,
                              d->receipt.session, d->digest, d->token.session,
                              d->receipt.session);

    mext_wipe(d->secret, sizeof(d->secret));
    if (rc)
        return mext_fail(why, "mstrap's session key is unusable");
    return 0;
}

uint64_t mext_dest_bytes(const struct mext_dest *d)
{
    uint64_t n = mext_count(&d->conn.sent);

    for (unsigned i = 0; i < MEXT_CHANNELS_MAX - 1; i++)
        n += mext_count(&d->joined[i].sent);
    return n;
}

void mext_dest_close(struct mext_dest *d)
{
    mext_conn_close(&d->conn);
    for (unsigned i = 0; i < MEXT_CHANNELS_MAX - 1; i++)
        mext_conn_close(&d->joined[i]);
    mext_wipe(&d->root, sizeof(d->root));
    mext_wipe(d->secret, sizeof(d->secret));
}
