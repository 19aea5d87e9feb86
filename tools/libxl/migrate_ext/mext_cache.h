/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What the receiver has in some gfns, so that a page that is sent again can go as
 * what changed (docs/specs/transport.md, "PAGES").  Of bounded size: a page has one
 * place, and takes it from the one that was there.  One for all channels: its
 * functions may be called by threads at the same time, for different gfns.
 */
#ifndef MEXT_CACHE_H
#define MEXT_CACHE_H

#include "mext_codec.h"

struct mext_cache;

/* Room for so many pages, at least one; NULL if there is no memory. */
struct mext_cache *mext_cache_new(uint64_t pages);
void mext_cache_free(struct mext_cache *c); /* NULL too */

/*
 * page[4096] is sent for gfn, in one way or another, and will be as it is here:
 * remembered.  Returns the length of a delta in out[MEXT_DELTA_MAX] to what was
 * sent before, or 0 if that is not known, or too much has changed.
 */
unsigned mext_cache_send(struct mext_cache *c, uint64_t gfn,
                         const uint8_t *page, uint8_t *out);

/* Something else is sent for gfn. */
void mext_cache_drop(struct mext_cache *c, uint64_t gfn);

/*
 * The delta from old[4096] to page[4096] in out[MEXT_DELTA_MAX], both aligned to
 * 8; its length, or 0 if it gets too long.  Pure.
 */
unsigned mext_delta(const uint8_t *old, const uint8_t *page, uint8_t *out);

#endif
