/* SPDX-License-Identifier: GPL-2.0-only */
/* mext_xen.h over the image back-end. */
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "mext_net.h"
#include "mext_xen.h"

_Static_assert(MEXT_SPECIALS == IMAGE_SPECIALS, "");

struct mext_dom {
    struct image_conn *conn;
    uint32_t domid;
    struct image_ram ram; /* once it is needed */
    bool logging;
    uint64_t nbits; /* of the dirty bitmap, 0: none */
    uint64_t *bits;
};

int mext_dom_open(uint32_t domid, struct mext_dom **d_r, struct mext_why *why)
{
    struct mext_dom *d = calloc(1, sizeof(*d));

    if (d)
        d->conn = image_open(NULL);
    if (!d || !d->conn) {
        free(d);
        return mext_fail(why, "cannot reach the hypervisor");
    }
    d->domid = domid;
    *d_r = d;
    return 0;
}

void mext_dom_close(struct mext_dom *d)
{
    if (!d)
        return;
    mext_dom_dirty_stop(d);
    image_ram_close(&d->ram);
    image_close(d->conn);
    free(d);
}

uint32_t mext_dom_id(const struct mext_dom *d)
{
    return d->domid;
}

static int call(struct mext_dom *d, struct image_msg *m, const char *what,
                struct mext_why *why)
{
    m->domid = d->domid;
    return image_call(d->conn, m)
               ? mext_fail(why, "%s failed for domain %u", what, d->domid)
               : 0;
}

static int map(struct mext_dom *d, struct mext_why *why)
{
    if (!d->ram.pages && image_ram_open(d->domid, false, &d->ram))
        return mext_fail(why, "domain %u has no memory", d->domid);
    return 0;
}

static uint64_t count(const uint64_t *bits)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < IMAGE_GFNS / 64; i++)
        n += (unsigned)__builtin_popcountll(bits[i]);
    return n;
}

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *why)
{
    struct image_domain i;

    memset(s_r, 0, sizeof(*s_r));
    if (image_info(d->conn, d->domid, &i) || map(d, why))
        return 0;
    *s_r = (struct mext_dom_state){
        .exists = true,
        .paused = i.paused,
        .shutdown = i.shutdown,
        .reason = i.reason,
        .pages = count(d->ram.present),
        .vcpus = i.vcpus,
    };
    return 0;
}

int mext_dom_pause(struct mext_dom *d, struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_PAUSE };

    return call(d, &m, "pause", why);
}

int mext_dom_unpause(struct mext_dom *d, struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_UNPAUSE };

    return call(d, &m, "unpause", why);
}

int mext_dom_max_gfn(struct mext_dom *d, uint64_t *gfn_r, struct mext_why *why)
{
    uint64_t i = IMAGE_GFNS / 64;

    if (map(d, why))
        return -1;
    while (i && !d->ram.present[i - 1])
        i--;
    *gfn_r = i ? i * 64 - 1 : 0;
    return 0;
}

int mext_dom_present(struct mext_dom *d, const uint64_t *gfn, unsigned n,
                     uint8_t *present_r, struct mext_why *why)
{
    if (map(d, why))
        return -1;
    for (unsigned i = 0; i < n; i++)
        present_r[i] = gfn[i] < IMAGE_GFNS && image_bit(d->ram.present, gfn[i]);
    return 0;
}

int mext_dom_specials(struct mext_dom *d, uint64_t gfn_r[MEXT_SPECIALS],
                      struct mext_why *why)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        gfn_r[i] = IMAGE_SPECIAL_GFN + i;
    return 0;
}

/* ---- log-dirty ---- */

static int log_dirty(struct mext_dom *d, bool on, struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_LOG, .a = on };

    return call(d, &m, "log-dirty mode", why);
}

int mext_dom_dirty_start(struct mext_dom *d, uint64_t n, struct mext_why *why)
{
    d->nbits = (n + 63) / 64 * 64;
    d->bits = d->nbits <= IMAGE_GFNS ? calloc(1, d->nbits / 8) : NULL;
    if (!d->bits || map(d, why) || log_dirty(d, true, why)) {
        mext_dom_dirty_stop(d);
        return mext_fail(why, "no dirty bitmap");
    }
    d->logging = true;
    return 0;
}

int mext_dom_dirty_fetch(struct mext_dom *d, bool final,
                         const uint64_t **bits_r, struct mext_why *why)
{
    for (uint64_t i = 0; i < d->nbits / 64; i++)
        if (d->ram.fresh[i])
            __atomic_store_n(&d->ram.fresh[i], 0, __ATOMIC_SEQ_CST);
    for (uint64_t i = 0; i < d->nbits / 64; i++) {
        uint64_t *word = &d->ram.dirty[i];

        d->bits[i] = __atomic_load_n(word, __ATOMIC_SEQ_CST)
                         ? __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST)
                         : 0;
    }
    *bits_r = d->bits;
    return 0;
}

int mext_dom_dirty_peek(struct mext_dom *d, const uint64_t **bits_r,
                        struct mext_why *why)
{
    memcpy(d->bits, d->ram.dirty, d->nbits / 8);
    *bits_r = d->bits;
    return 0;
}

void mext_dom_dirty_off(struct mext_dom *d)
{
    struct mext_why quiet;

    log_dirty(d, false, &quiet);
    d->logging = false;
}

void mext_dom_dirty_stop(struct mext_dom *d)
{
    if (d->logging)
        mext_dom_dirty_off(d);
    free(d->bits);
    d->bits = NULL;
    d->nbits = 0;
}

/* ---- vCPUs ---- */

int mext_dom_context_get(struct mext_dom *d, uint8_t **p_r, uint32_t *len_r,
                         struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_CONTEXT_GET };

    if (call(d, &m, "reading the vCPU context", why))
        return -1;
    *p_r = malloc(m.len + 1);
    if (!*p_r)
        return mext_fail(why, "out of memory");
    memcpy(*p_r, m.data, m.len);
    *len_r = m.len;
    return 0;
}

int mext_dom_context_set(struct mext_dom *d, const uint8_t *p, uint32_t len,
                         unsigned vcpus, struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_CONTEXT_SET, .len = len };

    if (len > sizeof(m.data))
        return mext_fail(why, "a context of %u octets", len);
    memcpy(m.data, p, len);
    return call(d, &m, "loading the vCPU context", why);
}

int mext_dom_tsc_get(struct mext_dom *d, struct mext_tsc *t_r,
                     struct mext_why *why)
{
    struct image_domain i;

    if (image_info(d->conn, d->domid, &i))
        return mext_fail(why, "domain %u is gone", d->domid);
    *t_r = (struct mext_tsc){ i.tsc.mode, i.tsc.khz, i.tsc.incarnation,
                              i.tsc.nsec };
    return 0;
}

int mext_dom_tsc_set(struct mext_dom *d, const struct mext_tsc *t,
                     struct mext_why *why)
{
    struct image_domain i = { .tsc = { t->mode, t->khz, t->incarnation,
                                       t->nsec } };
    struct image_msg m = { .op = IMAGE_TSC_SET, .len = sizeof(i.tsc) };

    memcpy(m.data, &i.tsc, sizeof(i.tsc));
    return call(d, &m, "setting the TSC state", why);
}

/* ---- CPU policy: one for all ---- */

#define LEAVES 3
#define MSRS   1

void mext_policy_free(struct mext_policy *p)
{
    free(p->leaves);
    free(p->msrs);
    memset(p, 0, sizeof(*p));
}

int mext_dom_policy_get(struct mext_dom *d, struct mext_policy *p_r,
                        struct mext_why *why)
{
    struct mext_msr msr = { 0xce, 0, 0x80000000 };

    *p_r = (struct mext_policy){ LEAVES, MSRS, malloc(LEAVES * 24),
                                 malloc(MSRS * 16), 4 << 16 | 17 };
    if (!p_r->leaves || !p_r->msrs) {
        mext_policy_free(p_r);
        return mext_fail(why, "out of memory");
    }
    for (uint32_t i = 0; i < LEAVES; i++) {
        struct mext_leaf leaf = { i, 0, i * 3 + 1, 2, 3, 4 };

        mext_leaf_put(p_r->leaves, i, &leaf);
    }
    mext_msr_put(p_r->msrs, 0, &msr);
    return 0;
}

int mext_host_policy_get(bool pv, struct mext_policy *p_r, struct mext_why *why)
{
    return mext_dom_policy_get(NULL, p_r, why);
}

int mext_dom_policy_set(struct mext_dom *d, uint32_t nleaves,
                        const uint8_t *leaves, uint32_t nmsrs,
                        const uint8_t *msrs, struct mext_why *why)
{
    return mext_dom_policy_same(d, nleaves, leaves, nmsrs, msrs, why);
}

int mext_dom_policy_same(struct mext_dom *d, uint32_t nleaves,
                         const uint8_t *leaves, uint32_t nmsrs,
                         const uint8_t *msrs, struct mext_why *why)
{
    struct mext_policy own;
    bool same;

    if (mext_dom_policy_get(d, &own, why))
        return -1;
    same = nleaves == LEAVES && nmsrs == MSRS &&
           !memcmp(leaves, own.leaves, LEAVES * 24) &&
           !memcmp(msrs, own.msrs, MSRS * 16);
    mext_policy_free(&own);
    return same ? 0 : mext_fail(why, "another CPU policy");
}

int mext_dom_release(struct mext_dom *d, uint64_t gfn, uint32_t n,
                     struct mext_why *why)
{
    struct image_msg m = { .op = IMAGE_RELEASE, .a = gfn, .b = n };

    return call(d, &m, "giving pages back", why);
}

int mext_dom_claim(struct mext_dom *d, uint64_t pages, struct mext_why *why)
{
    static unsigned times;

    /* An image has its memory from the beginning; Xen is not ready at once. */
    return pages && times++ < 2;
}

int mext_dom_grow(struct mext_dom *d, uint64_t ram_kib, unsigned vcpus,
                  struct mext_why *why)
{
    return mext_fail(why, "an image does not grow");
}
