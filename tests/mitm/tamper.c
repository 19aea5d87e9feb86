/* SPDX-License-Identifier: GPL-2.0-only */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "fixture.h"
#include "mitm.h"

/* So many octets of a body have a bit flipped, or all if there are fewer. */
#define BODY_OCTETS 28

const char *const op_names[OPS] = {
    "flip length",
    "flip body",
    "flip tag",
    "drop",
    "repeat",
    "swap",
    "truncate",
    "insert",
    "cut",
    "splice a channel",
    "splice the other direction",
    "splice session",
};

static uint8_t *copy(const uint8_t *p, size_t n)
{
    uint8_t *out = malloc(n ? n : 1);

    ck_assert_ptr_nonnull(out);
    if (n)
        memcpy(out, p, n);
    return out;
}

struct object *batch_add(struct batch *b, const struct object *o,
                         struct mext_seal *s)
{
    struct object *to = &b->o[b->n++];
    size_t n = o->n - o->head - o->tag;
    int rc;

    ck_assert_uint_le(b->n, BATCH_MAX);
    *to = *o;
    to->p = copy(o->p, o->n);
    to->plain = NULL;
    if (!s)
        return to;
    to->plain = copy(o->p + o->head, n + o->tag);
    to->nplain = n;
    to->counter = s->counter;
    rc = o->head ? mext_frame_open(s, to->plain, n + o->tag)
                 : mext_page_open(s, to->plain, n, to->plain + n);
    ck_assert_int_eq(rc, 0);
    return to;
}

void batch_clear(struct batch *b)
{
    while (b->n) {
        free(b->o[--b->n].p);
        free(b->o[b->n].plain);
    }
    b->cut = false;
}

static bool flip(struct object *o, size_t at, unsigned bit)
{
    o->p[at] ^= (uint8_t)(1 << bit % 8);
    return true;
}

static bool flip_body(struct object *o, unsigned variant)
{
    size_t n = o->n - o->head - o->tag;
    size_t octets = n < BODY_OCTETS ? n : BODY_OCTETS;

    if (variant >= octets)
        return false;
    return flip(o, o->head + variant * (n - 1) / (octets > 1 ? octets - 1 : 1),
                variant);
}

static bool drop(struct batch *b, unsigned i)
{
    free(b->o[i].p);
    free(b->o[i].plain);
    b->n--;
    memmove(&b->o[i], &b->o[i + 1], (b->n - i) * sizeof(b->o[0]));
    return true;
}

/* A copy of o comes before object i; garbage: of its size only. */
static bool insert(struct batch *b, unsigned i, bool garbage)
{
    struct object o = b->o[i];

    ck_assert_uint_lt(b->n, BATCH_MAX);
    o.p = copy(o.p, o.n);
    o.plain = o.plain ? copy(o.plain, o.nplain) : NULL;
    if (garbage)
        randombytes_buf_deterministic(o.p + o.head, o.n - o.head,
                                      (const uint8_t[32]){ 5 });
    memmove(&b->o[i + 1], &b->o[i], (b->n - i) * sizeof(b->o[0]));
    b->o[i] = o;
    b->n++;
    return true;
}

static bool swap(struct batch *b, unsigned i)
{
    struct object o = b->o[i];

    if (i + 1 == b->n)
        return false;
    b->o[i] = b->o[i + 1];
    b->o[i + 1] = o;
    return true;
}

static bool truncate_object(struct batch *b, unsigned i, unsigned variant)
{
    struct object *o = &b->o[i];
    const size_t less[] = { 1, o->n / 2, o->n - 1 };

    if (variant >= COUNT(less))
        return false;
    o->n -= less[variant];
    /* What comes next may begin with just that octet. */
    while (o->n > 1 && i + 1 < b->n && o->p[o->n] == o[1].p[0])
        o->n--;
    return true;
}

static bool cut(struct batch *b, unsigned i)
{
    while (b->n > i)
        drop(b, b->n - 1);
    b->cut = true;
    return true;
}

static bool put_in(struct object *o, const struct donor *d)
{
    struct mext_seal s = d->seal;
    size_t len = o->n;
    int rc;

    if (!o->plain) {
        free(o->p);
        o->p = copy(d->bytes, d->n);
        o->n = d->n;
        return true;
    }
    s.counter = o->counter;
    if (o->head) {
        memcpy(o->p + o->head, o->plain, o->nplain);
        rc = mext_frame_seal(&s, o->p, o->nplain, MEXT_CONTROL_BODY_MAX, &len);
    } else {
        rc = mext_page_seal(&s, o->p, o->plain, o->nplain);
    }
    ck_assert(!rc && len == o->n);
    return true;
}

bool tamper(struct batch *b, unsigned i, enum op op, unsigned variant,
            donor_fn *donor)
{
    struct object *o = &b->o[i];
    struct donor d = { .n = 0 };

    if (variant && op != FLIP_LENGTH && op != FLIP_BODY && op != FLIP_TAG &&
        op != TRUNCATE)
        return false;
    switch (op) {
    case FLIP_LENGTH:
        return o->head && variant < 32 && flip(o, variant / 8, variant);
    case FLIP_BODY:
        return flip_body(o, variant);
    case FLIP_TAG:
        return o->tag && variant < 4 &&
               flip(o, o->n - 1 - 5 * variant, variant);
    case DROP:
        return drop(b, i);
    case REPEAT:
        return insert(b, i, false);
    case SWAP:
        return swap(b, i);
    case TRUNCATE:
        return truncate_object(b, i, variant);
    case INSERT:
        return insert(b, i, true);
    case CUT:
        return cut(b, i);
    case STOLEN:
        if (o->plain)
            o->plain[o->nplain - 1] ^= 1;
        /* fall through */
    case SPLICE_CHANNEL:
    case SPLICE_DIRECTION:
    case SPLICE_SESSION:
        return donor(o, op, &d) && put_in(o, &d);
    default:
        return false;
    }
}

/* ---- keys ---- */

static void pair(uint8_t sk[32], uint8_t pk[32], uint8_t number, uint8_t which)
{
    memset(sk, which, 32);
    sk[31] = number;
    crypto_scalarmult_base(pk, sk);
}

void keys_make(struct keys *k, uint8_t number)
{
    struct mext_identity id;
    int rc;

    fix_token(&k->t);
    k->t.id[15] = number;
    memset(k->t.image, 0, sizeof(k->t.image));
    pair(k->source_secret, k->t.session, number, 0x41);
    pair(k->dest_secret, k->dest_pk, number, 0x42);
    pair(k->mstrap_secret, k->mstrap_pk, number, 0x43);
    fix_identity(&id, FIX_SOURCE);
    rc = mext_token_sign(&k->t, &id, k->token);
    mext_digest(k->token, sizeof(k->token), k->digest);
    rc |= mext_root_derive(&k->control, MEXT_KDF_CONTROL, k->source_secret,
                           k->dest_pk, k->digest, k->t.session, k->dest_pk);
    rc |= mext_root_derive(&k->data, MEXT_KDF_DATA, k->source_secret,
                           k->mstrap_pk, k->digest, k->t.session, k->mstrap_pk);
    ck_assert_int_eq(rc, 0);
}
