/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A man in the middle who knows the framing (docs/specs/transport.md).  He
 * takes what the ends send apart into objects, and changes one of them.  To
 * make it hard, he is told what is sealed and with which counter: when he puts
 * in an object from elsewhere, it says the same thing at the same place, and
 * only its key is another one.
 */
#ifndef MITM_H
#define MITM_H

#include "mext_net.h"
#include "mext_token.h"

#define BATCH_MAX 512

/* What he does to an object. */
enum op {
    FLIP_LENGTH, /* one bit; each of the 32 */
    FLIP_BODY,   /* one bit; some octets */
    FLIP_TAG,
    DROP,
    REPEAT,
    SWAP,     /* with the next one */
    TRUNCATE, /* what follows moves up */
    INSERT,   /* one of the same length before it, made up */
    CUT,      /* the link */
    SPLICE_CHANNEL,
    SPLICE_DIRECTION,
    SPLICE_SESSION,
    OPS,
    NOTHING, /* an honest run */
    STOLEN,  /* another content under the right key: what a test must see */
};

extern const char *const op_names[OPS];

/* One object on the wire; p and plain are owned by its batch. */
struct object {
    unsigned kind;
    uint8_t dir; /* MEXT_DIR_* */
    unsigned channel;
    size_t head, tag; /* octets of its length and of its tag, 0: it has none */
    uint8_t *p;
    size_t n;
    uint8_t *plain; /* what is sealed in it; NULL: it is plain itself */
    size_t nplain;
    uint64_t counter;
};

struct batch {
    struct object o[BATCH_MAX];
    unsigned n;
    bool cut; /* nothing comes behind it any more */
};

/* Takes copies; s opens a sealed object, NULL: it is plain. */
struct object *batch_add(struct batch *b, const struct object *o,
                         struct mext_seal *s);
void batch_clear(struct batch *b);

/* From elsewhere: a key, or for a plain object whole bytes. */
struct donor {
    struct mext_seal seal;
    const uint8_t *bytes;
    size_t n;
};

/* False: there is no such thing.  op: SPLICE_* or STOLEN. */
typedef bool donor_fn(const struct object *o, enum op op, struct donor *d_r);

/*
 * Does op to object i; variant counts from 0 the ways to do it.  False, and
 * nothing is changed, if there are no more of those, or none at all.
 */
bool tamper(struct batch *b, unsigned i, enum op op, unsigned variant,
            donor_fn *donor);

/* Keys of a migration, all of them. */
struct keys {
    uint8_t source_secret[32], dest_secret[32], mstrap_secret[32];
    uint8_t dest_pk[32], mstrap_pk[32];
    struct mext_token t;
    uint8_t token[MEXT_TOKEN_LEN], digest[MEXT_DIGEST_LEN];
    struct mext_root control, data;
};

/* The same for the same number. */
void keys_make(struct keys *k, uint8_t number);

/* What came of the cases. */
struct tally {
    unsigned refused, harmless, impossible;
};

/* All cases of the control connection, of a further one, of the data channels. */
void control_cases(struct tally *t);
void join_cases(struct tally *t);
void data_cases(struct tally *t);
/* The tests of the tests. */
void control_self_test(void);
void join_self_test(void);
void data_self_test(void);

#endif
