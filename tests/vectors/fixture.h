/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fixed identities, objects and messages for the unit tests, the committed
 * vectors and the fuzz corpora.  Nothing here is random or reads a clock.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "mext_agentmsg.h"
#include "mext_fate.h"
#include "mext_seal.h"
#include "mext_token.h"
#include "mext_whois.h"

#define FIX_NOW  1700000000 /* "now" of every test, seconds since 1970 */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* FIX_NEXT: the key that is to replace FIX_DEST. */
enum fix_who { FIX_SOURCE = 1, FIX_DEST, FIX_STRANGER, FIX_NEXT };

/* Ed25519 identity from the seed of 32 octets `who`. */
void fix_identity(struct mext_identity *id_r, enum fix_who who);
/* X25519 pair from the same seed. */
void fix_session(uint8_t sk_r[32], uint8_t pk_r[32], enum fix_who who);

/* A token of FIX_SOURCE for FIX_DEST, in the middle of all limits. */
void fix_token(struct mext_token *t_r);
/* The hello and receipt that answer fix_token. */
void fix_hello(struct mext_hello *h_r);
void fix_receipt(struct mext_receipt *r_r);

/* Their signed bytes. */
void fix_token_bytes(uint8_t out[MEXT_TOKEN_LEN]);
void fix_hello_bytes(uint8_t out[MEXT_HELLO_LEN]);
void fix_receipt_bytes(uint8_t out[MEXT_RECEIPT_LEN]);
/* "Who are you", its nonce, and what FIX_DEST answers, with or without next. */
void fix_nonce(uint8_t out[MEXT_NONCE_LEN]);
void fix_whois_bytes(uint8_t out[MEXT_WHOIS_LEN]);
void fix_iam_bytes(bool next, uint8_t out[MEXT_IAM_LEN]);
/* What FIX_SOURCE asks of fix_token's migration, what FIX_DEST answers. */
void fix_query(struct mext_query *q_r);
void fix_query_bytes(uint8_t out[MEXT_QUERY_LEN]);
void fix_fate(struct mext_fate *f_r);
void fix_fate_bytes(uint8_t out[MEXT_FATE_LEN]);
/* BLAKE2b-256 of fix_token_bytes. */
void fix_digest(uint8_t out[MEXT_DIGEST_LEN]);

/* Signs an object of len octets again, after its bytes were changed. */
void fix_resign(uint8_t *object, size_t len, enum fix_who who);

/* mext_trusts_fn: FIX_SOURCE is trusted, nobody else. */
bool fix_trusts(void *arg, const uint8_t pk[MEXT_KEY_LEN]);

/* Keys of FIX_SOURCE (secret) with FIX_DEST's session key; or the reverse. */
void fix_seal(struct mext_seal *s, enum fix_who own, const char *label,
              uint8_t dir, uint16_t index);

/* ---- objects to be refused, in the specification's order ---- */

#define FIX_OBJECT_MAX (MEXT_TOKEN_LEN + 1) /* the largest, and one beyond */

struct fix_bad {
    const char *name;
    int reason;       /* MEXT_E_* */
    int stage;        /* which of the specification's checks */
    size_t offset, n; /* big-endian number put there, if n */
    uint64_t value;
    void (*patch)(uint8_t *t);             /* further change before signing */
    void (*late)(uint8_t *t, size_t *len); /* change after signing */
    bool stranger;                         /* FIX_STRANGER signs */
};

struct fix_object {
    const char *name, *corpus;
    size_t len;
    enum fix_who signer;
    void (*good)(uint8_t *out); /* [len] */
    const struct fix_bad *bad;
    size_t nbad;
};

enum { FIX_TOKEN, FIX_HELLO, FIX_RECEIPT, FIX_QUERY, FIX_FATE, FIX_NOBJECTS };

extern const struct fix_object fix_objects[FIX_NOBJECTS];

/* An object with all of the n breakages applied, the last one first. */
void fix_break(const struct fix_object *o, const struct fix_bad *const *bad,
               size_t n, uint8_t out[FIX_OBJECT_MAX], size_t *len_r);

/* ---- one message of each type, and of each interesting shape ---- */

struct fix_data {
    const char *name;
    void (*fill)(struct mext_data *m);
};

struct fix_ctl {
    const char *name;
    void (*fill)(struct mext_ctl *m);
};

struct fix_agent {
    const char *name;
    struct mext_agentmsg m;
};

extern const struct fix_agent fix_agent[];
extern const size_t fix_nagent;
/* What they use, and a report. */
extern const uint8_t fix_agent_bits[MEXT_AGENT_BITS_MAX];
extern const char fix_agent_text[MEXT_TEXT_MAX + 1];
extern const char fix_agent_report[];

extern const struct fix_data fix_data[];
extern const size_t fix_ndata;
extern const struct fix_ctl fix_ctl[];
extern const size_t fix_nctl;

#endif
