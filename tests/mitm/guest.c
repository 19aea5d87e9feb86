/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "guest.h"
#include "mext_map.h"
#include "mext_wire.h"
#include "mext_xen.h"

#define UNTOUCHED 0xa5
#define VERSIONS  3

/*
 * So often it is asked for the dirty log before it stands still: twice in an
 * iteration that tells what is absent.
 */
#define LAST_ASKED 4

/* How often the guest has written a page; the source sends the last. */
static unsigned version[GUEST_GFNS], asked;
static uint8_t content[GUEST_GFNS][VERSIONS][MEXT_PAGE_SIZE];

static uint8_t received[GUEST_GFNS][MEXT_PAGE_SIZE];
static bool absent[GUEST_GFNS];
static uint64_t hidden = GUEST_GFNS; /* cannot be mapped */
static bool leaked; /* content was there when it was given back */

/*
 * Some it never has; some it gives up after they were sent; some it gets at the end,
 * which are not in the dirty log.
 */
static bool has_page(uint64_t gfn)
{
    if (gfn >= GUEST_RAM)
        return gfn >= GUEST_FIRMWARE;
    if (gfn % 64 >= 30 && gfn % 64 < 36)
        return asked < 2;
    if (gfn % 64 == 51 || gfn % 64 == 55)
        return asked > LAST_ASKED;
    return gfn % 64 < 50 || gfn % 64 > 55;
}

static bool is_special(uint64_t gfn)
{
    return gfn >= GUEST_GFNS - MEXT_SPECIALS;
}

/* A third is zero, a third packs, a third does not. */
static void fill(uint8_t *page, uint64_t gfn, unsigned v)
{
    uint8_t seed[32] = { (uint8_t)gfn, (uint8_t)v, (uint8_t)(gfn >> 8) };

    memset(page, 0, MEXT_PAGE_SIZE);
    if (gfn % 3 == 1)
        randombytes_buf_deterministic(page, MEXT_PAGE_SIZE, seed);
    else if (gfn % 3 == 2)
        randombytes_buf_deterministic(page + gfn, 64, seed);
}

void guest_init(void)
{
    static bool filled;

    for (uint64_t gfn = 0; !filled && gfn < GUEST_GFNS; gfn++)
        for (unsigned v = 0; v < VERSIONS; v++)
            fill(content[gfn][v], gfn, v);
    filled = true;
    memset(version, 0, sizeof(version));
    asked = 0;
    memset(received, UNTOUCHED, sizeof(received));
    memset(absent, 0, sizeof(absent));
    leaked = false;
}

int guest_receives(uint64_t gfn, uint8_t **page_r)
{
    if (gfn >= GUEST_GFNS || is_special(gfn))
        return MEXT_E_GFN;
    absent[gfn] = false;
    *page_r = received[gfn];
    return 0;
}

static bool untouched(uint64_t gfn)
{
    for (unsigned i = 0; i < MEXT_PAGE_SIZE; i++)
        if (received[gfn][i] != UNTOUCHED)
            return false;
    return true;
}

static bool wiped(uint64_t gfn)
{
    return sodium_is_zero(received[gfn], MEXT_PAGE_SIZE);
}

int guest_absent(uint64_t gfn, uint32_t count)
{
    for (; count--; gfn++) {
        if (gfn >= GUEST_GFNS)
            continue;
        absent[gfn] = true;
        leaked |= !untouched(gfn) && !wiped(gfn);
    }
    return 0;
}

void guest_hide(uint64_t gfn)
{
    hidden = gfn;
}

bool guest_leaked(void)
{
    return leaked;
}

bool guest_grew(void)
{
    return asked > LAST_ASKED;
}

static bool is_version(uint64_t gfn, unsigned v)
{
    return !memcmp(received[gfn], content[gfn][v], MEXT_PAGE_SIZE);
}

bool guest_page_right(uint64_t gfn, bool complete)
{
    if (is_special(gfn) || (gfn >= GUEST_RAM && !has_page(gfn)))
        return untouched(gfn);
    if (!has_page(gfn) && (complete ? absent[gfn] : wiped(gfn)))
        return true;
    if (complete)
        return is_version(gfn, version[gfn]) && !absent[gfn];
    for (unsigned v = 0; v <= version[gfn]; v++)
        if (is_version(gfn, v))
            return true;
    return untouched(gfn);
}

/* ---- mext_xen.h ---- */

uint32_t mext_dom_id(const struct mext_dom *d)
{
    return 1;
}

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *why)
{
    memset(s_r, 0, sizeof(*s_r));
    for (uint64_t gfn = 0; gfn < GUEST_GFNS; gfn++)
        s_r->pages += has_page(gfn);
    return 0;
}

int mext_dom_max_gfn(struct mext_dom *d, uint64_t *gfn_r, struct mext_why *why)
{
    *gfn_r = GUEST_GFNS - 1;
    return 0;
}

int mext_dom_present(struct mext_dom *d, const uint64_t *gfn, unsigned n,
                     uint8_t *present_r, struct mext_why *why)
{
    for (unsigned i = 0; i < n; i++)
        present_r[i] = has_page(gfn[i]);
    return 0;
}

int mext_dom_specials(struct mext_dom *d, uint64_t gfn_r[MEXT_SPECIALS],
                      struct mext_why *why)
{
    for (unsigned i = 0; i < MEXT_SPECIALS; i++)
        gfn_r[i] = GUEST_GFNS - 1 - i;
    return 0;
}

int mext_dom_dirty_start(struct mext_dom *d, uint64_t n, struct mext_why *why)
{
    return 0;
}

/* Each time it is asked the guest has written every fourth page, others. */
int mext_dom_dirty_fetch(struct mext_dom *d, bool final,
                         const uint64_t **bits_r, struct mext_why *why)
{
    static uint64_t bits[GUEST_GFNS / 64];

    for (unsigned i = 0; i < GUEST_GFNS / 64; i++)
        bits[i] = 0x1111111111111111ull << asked % 4;
    for (unsigned gfn = asked++ % 4; gfn < GUEST_GFNS; gfn += 4)
        version[gfn]++;
    *bits_r = bits;
    return 0;
}

int mext_dom_dirty_peek(struct mext_dom *d, const uint64_t **bits_r,
                        struct mext_why *why)
{
    static const uint64_t none[GUEST_GFNS / 64];

    *bits_r = none;
    return 0;
}

/* ---- mext_map.h ---- */

struct mext_map {
    uint8_t window[MEXT_WINDOW_MAX][MEXT_PAGE_SIZE];
};

int mext_map_open(uint32_t domid, struct mext_map **m_r, struct mext_why *why)
{
    *m_r = malloc(sizeof(**m_r));
    if (!*m_r)
        abort();
    return 0;
}

void mext_map_close(struct mext_map *m)
{
    free(m);
}

int mext_map_window(struct mext_map *m, const uint64_t *gfns, unsigned n,
                    int *err_r, const uint8_t **p_r, struct mext_why *why)
{
    for (unsigned i = 0; i < n; i++) {
        err_r[i] = gfns[i] == hidden ? -EINVAL : 0;
        memcpy(m->window[i], content[gfns[i]][version[gfns[i]]],
               MEXT_PAGE_SIZE);
    }
    *p_r = m->window[0];
    return 0;
}
