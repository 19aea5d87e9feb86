/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A migration that comes in (session.c), and the two ways in which the guest is
 * received: an mstrap that becomes it (session_mstrap.c), and libxl in this dom0,
 * which restores a stock stream (session_dom0.c).
 *
 * Functions return 0 or -1 with *why and the code for the source filled.
 */
#ifndef PACKETD_INCOMING_H
#define PACKETD_INCOMING_H

#include "commit.h"
#include "mext_inspect.h"
#include "mext_steer.h"
#include "mext_store.h"
#include "ms_host.h"
#include "packetd.h"

#define SESSION_SEND_MS 30000

/* A guest that libxl restores, by a process of its own (restore.h). */
struct dom0 {
    bool started;
    pid_t pid;                   /* of that process */
    int result;                  /* what it says at its end */
    int stream;                  /* what it reads; -1: all is written */
    uint8_t uuid[16];            /* that the domain will have */
    struct mext_inspect inspect; /* of what goes there */
    uint64_t bytes;              /* that did */
};

struct session {
    const struct packetd *p;
    const char *key; /* name of the source's */
    const struct policy *policy;
    const struct policy_accept *rule; /* of the policy, that lets it in */
    unsigned slot;
    char peer[64];
    struct mext_token token;
    uint8_t digest[MEXT_DIGEST_LEN];
    uint8_t hello[MEXT_KEY_LEN]; /* its session: our X25519 key */
    struct mext_conn conn;
    struct mext_lxl *lxl;
    struct mext_store *store;
    uint32_t domid;      /* of the receiving domain, 0: none yet */
    struct ms_domain ms; /* of receiver mstrap */
    struct dom0 dom0;    /* of receiver dom0 */
    struct commit commit;
    struct mext_steer *steer;
    bool adopted;                  /* mstrap was started by hand */
    bool minded;                   /* ... and its xl minds the guest */
    char *json, *name;             /* guest's, owned */
    enum mext_inspect_guest guest; /* what it is */
    uint32_t ip, netmask, gateway; /* mstrap's */
    uint32_t report_ms; /* how long the source waits for the guest's report */
};

/* Returns -1; the code is told to the source. */
int session_fail(struct session *s, unsigned code);

/* Tells log and source what is being done. */
void session_step(struct session *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Receives the message that is due; anything else ends the migration. */
int session_receive(struct session *s, struct mext_ctl *m, unsigned timeout_ms,
                    struct mext_why *why);

/*
 * The receipt, and what the attester has to say about it: mstrap waits at ip, or,
 * ip 0, libxl here; session: the key of who takes the memory.
 */
int session_receipt(struct session *s, uint32_t ip,
                    const uint8_t session[MEXT_KEY_LEN], struct mext_why *why);

/*
 * make() makes the domain, sets domid and notes it, if one more guest may come
 * in.  One domain is made at a time: others see its memory taken and the guest
 * counted.
 */
typedef int session_make_fn(struct session *s, const struct mext_launch *how,
                            struct mext_why *why);
int session_make_alone(struct session *s, const struct mext_launch *how,
                       session_make_fn *make, struct mext_why *why);

/*
 * The receiving domain is there, and the source is told so; m: CONFIG.  Then
 * all but the unpause.
 */
int mstrap_boot(struct session *s, const struct mext_ctl *m,
                struct mext_why *why);
int mstrap_hand_over(struct session *s, struct mext_why *why);
int dom0_boot(struct session *s, const struct mext_ctl *m,
              struct mext_why *why);
int dom0_hand_over(struct session *s, struct mext_why *why);

/* Answers LOOK, and that is all; the configuration is read, libxl open. */
int session_look(struct session *s, const struct mext_ctl *m,
                 struct mext_why *why);

/* libxl's process ends, and takes with it what it had not finished. */
void dom0_stop(struct session *s);

#endif
