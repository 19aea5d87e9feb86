/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A boot token in one datagram: an mstrap with the token's memory, address
 * and port is started and waits; a source finds it there over TCP.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "address.h"
#include "admit.h"
#include "ms_host.h"
#include "packetd.h"
#include "receipt.h"
#include "received.h"

#define MSTRAP_MS 60000

static int wait_waiting(struct ms_domain *m, struct mext_why *why)
{
    uint64_t end = mext_now_ms() + MSTRAP_MS;
    char path[64], detail[200];

    snprintf(path, sizeof(path), "/local/domain/%u/data/mstrap", m->domid);
    if (mext_store_watch(m->store, path, why))
        return -1;
    for (;;) {
        enum mext_rcv st = ms_state_read(m, detail, sizeof(detail));
        uint64_t now = mext_now_ms();

        if (st == MEXT_RCV_WAITING)
            return ms_keys_read(m, why);
        if (st == MEXT_RCV_FAILED)
            return mext_fail(why, "mstrap failed: %s", detail);
        if (now >= end)
            return mext_fail(why, "mstrap did not answer in time");
        if (mext_store_wait(m->store, -1, (unsigned)(end - now), why) < 0)
            return -1;
    }
}

/* It counts as a guest of its name; nobody else has the address. */
static int admit(const struct packetd *p, const char *key, const char *name,
                 const struct mext_token *t, struct ms_domain *m, int lock,
                 struct mext_why *why)
{
    const struct policy *policy = packetd_policy(p, why);
    const struct policy_accept *rule;
    int others;

    if (!policy || address_hold(t->ip, why))
        return -1;
    if (ms_find_waiting(m->lxl, m->store, t->ip, t->port, p->measurement))
        return mext_fail(why, "an mstrap waits at that address already");
    rule = policy_accept_find(policy, key, name);
    if (!rule)
        return 0;
    others = received_count(lock, m->store, policy, rule, why);
    return others < 0 || admit_count(rule, key, (unsigned)others, why) ? -1 : 0;
}

/* One domain is made at a time: others see its memory taken, and it counted. */
static int make(const struct packetd *p, const char *key, const char *name,
                const struct mext_token *t, const struct mext_launch *how,
                struct ms_domain *m, struct mext_why *why)
{
    int lock = received_lock(p->state_dir, why), rc;
    unsigned code;

    if (lock < 0)
        return -1;
    rc = admit(p, key, name, t, m, lock, why) ||
         mext_lxl_launch_bare(m->lxl, name, how, &m->domid, &code, why) ||
         received_note(lock, m->store, m->domid, key, why);
    close(lock);
    return rc ? -1 : 0;
}

static int launch(const struct packetd *p, const char *key,
                  const struct mext_token *t, struct ms_domain *m,
                  struct mext_why *why)
{
    char cmdline[128], name[32];
    struct mext_launch how = {
        .image = p->image,
        .bridge = p->bridge,
        .vif_script = p->vif_script,
        .cmdline = cmdline,
        .memory_kib = t->memory_kib,
        .vcpus = t->vcpus,
    };
    char hex[2 * MEXT_DIGEST_LEN + 1];

    sodium_bin2hex(hex, sizeof(hex), p->measurement, MEXT_DIGEST_LEN);
    packetd_cmdline(t->ip, t->netmask, t->gateway, t->port, cmdline);
    snprintf(name, sizeof(name), "mstrap-%02x%02x%02x%02x", t->id[0], t->id[1],
             t->id[2], t->id[3]);
    if (mext_lxl_open(p->verbosity, &m->lxl, why) ||
        mext_store_open(&m->store, why) ||
        make(p, key, name, t, &how, m, why) ||
        mext_dom_open(m->domid, &m->dom, why) || ms_seed(m, why) ||
        mext_store_write(m->store, m->domid, "mstrap/started-by", "packetd",
                         why) ||
        mext_store_write(m->store, m->domid, "mstrap/measurement", hex, why) ||
        mext_dom_unpause(m->dom, why))
        return -1;
    packetd_log("domain %u, %s, waits for a guest", m->domid, name);
    return wait_waiting(m, why);
}

/* The answer may not be longer than the token: without evidence. */
static int sign(const struct packetd *p, const uint8_t digest[MEXT_DIGEST_LEN],
                const struct mext_token *t, const struct ms_domain *m,
                uint8_t out[MEXT_RECEIPT_LEN], struct mext_why *why)
{
    const struct waiting w = { m->domid, t->ip, m->key };

    return packetd_receipt(p, digest, t, &w, out, NULL, why);
}

int packetd_datagram(const struct packetd *p, const uint8_t *in,
                     const char *key, const struct mext_token *t,
                     const struct gate_peer *from)
{
    struct gate_msg answer = { .type = GATE_ANSWER, .fd = -1 };
    uint8_t digest[MEXT_DIGEST_LEN];
    struct ms_domain m = { 0 };
    struct mext_why why;
    int rc;

    if (!t->ip) {
        packetd_log("a token in a datagram must name mstrap's address");
        return 1;
    }
    answer.u.answer.to = *from;
    answer.u.answer.n = MEXT_RECEIPT_LEN;
    mext_digest(in, MEXT_TOKEN_LEN, digest);
    rc = launch(p, key, t, &m, &why);
    address_let_go(); /* who waits has it now */
    rc = rc || sign(p, digest, t, &m, answer.u.answer.bytes, &why) ||
         gate_send(p->gate, &answer, &why);
    if (rc) {
        packetd_log("%s", why.text);
        if (m.domid)
            mext_lxl_destroy(m.lxl, m.domid, &why);
    }
    mext_dom_close(m.dom);
    mext_store_close(m.store);
    mext_lxl_close(m.lxl);
    return rc ? 1 : 0;
}
