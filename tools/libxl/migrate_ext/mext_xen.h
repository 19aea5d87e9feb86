/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The one file that knows libxc: a domain as the hypervisor sees it.  Nothing
 * here maps guest memory; that is mext_map.h, linked into the source only.
 *
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_XEN_H
#define MEXT_XEN_H

#include "mext_keys.h"

struct mext_dom; /* an open handle to one domain */

/* As Xen's SHUTDOWN_*. */
#define MEXT_SHUTDOWN_POWEROFF 0
#define MEXT_SHUTDOWN_REBOOT   1
#define MEXT_SHUTDOWN_SUSPEND  2
#define MEXT_SHUTDOWN_CRASH    3

struct mext_dom_state {
    bool exists, paused, shutdown, dying;
    unsigned reason; /* MEXT_SHUTDOWN_*, when shutdown */
    uint64_t pages;  /* 4 KiB pages it has now */
    unsigned vcpus;  /* highest vCPU id + 1 */
};

int mext_dom_open(uint32_t domid, struct mext_dom **d_r, struct mext_why *why);
void mext_dom_close(struct mext_dom *d); /* log-dirty goes off too */
uint32_t mext_dom_id(const struct mext_dom *d);

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *why);
int mext_dom_pause(struct mext_dom *d, struct mext_why *why);
int mext_dom_unpause(struct mext_dom *d, struct mext_why *why);

/* Highest gfn that may have a page. */
int mext_dom_max_gfn(struct mext_dom *d, uint64_t *gfn_r, struct mext_why *why);

/*
 * present_r[i] = gfn[i] has a page of the guest's own (neither a hole nor a
 * grant, foreign or shared-info mapping).  n <= MEXT_PRESENT_MAX, of which libxc
 * keeps what it needs for that: a page, with a header (tools/libs/call/buffer.c).
 */
#define MEXT_PRESENT_MAX 448
int mext_dom_present(struct mext_dom *d, const uint64_t *gfn, unsigned n,
                     uint8_t *present_r, struct mext_why *why);

/* Ring pages that stay with a host: xenstore, console, ioreq, bufioreq. */
#define MEXT_SPECIALS 4
int mext_dom_specials(struct mext_dom *d, uint64_t gfn_r[MEXT_SPECIALS],
                      struct mext_why *why);

/*
 * Log-dirty.  start allocates a bitmap of n bits; fetch clears the
 * hypervisor's and returns ours (owned by d, valid until the next call), bit
 * g of word g/64 set if gfn g was written since the last fetch; final: the guest is
 * suspended, so also what Xen itself may write to then.  peek returns
 * the same and clears nothing.
 */
int mext_dom_dirty_start(struct mext_dom *d, uint64_t n, struct mext_why *why);
int mext_dom_dirty_fetch(struct mext_dom *d, bool final,
                         const uint64_t **bits_r, struct mext_why *why);
int mext_dom_dirty_peek(struct mext_dom *d, const uint64_t **bits_r,
                        struct mext_why *why);
void mext_dom_dirty_stop(struct mext_dom *d);
/* Turns it off, whoever turned it on and died since. */
void mext_dom_dirty_off(struct mext_dom *d);

/* vCPU and platform context, opaque; *p_r is malloc'ed, the caller frees. */
int mext_dom_context_get(struct mext_dom *d, uint8_t **p_r, uint32_t *len_r,
                         struct mext_why *why);
int mext_dom_context_set(struct mext_dom *d, const uint8_t *p, uint32_t len,
                         unsigned vcpus, struct mext_why *why);

struct mext_tsc {
    uint32_t mode, khz, incarnation;
    uint64_t nsec;
};
int mext_dom_tsc_get(struct mext_dom *d, struct mext_tsc *t_r,
                     struct mext_why *why);
int mext_dom_tsc_set(struct mext_dom *d, const struct mext_tsc *t,
                     struct mext_why *why);

/*
 * CPU policy in wire form: leaves of 24 and MSRs of 16 bytes (mext_leaf_put,
 * mext_msr_put), malloc'ed, the caller frees; and the version of the Xen that
 * says so, major << 16 | minor.
 */
struct mext_policy {
    uint32_t nleaves, nmsrs;
    uint8_t *leaves, *msrs;
    uint32_t xen;
};
int mext_dom_policy_get(struct mext_dom *d, struct mext_policy *p_r,
                        struct mext_why *why);
void mext_policy_free(struct mext_policy *p);
/* The most that this host gives to any guest, pv or not. */
int mext_host_policy_get(bool pv, struct mext_policy *p_r,
                         struct mext_why *why);
/* Only before the domain first runs; names the leaf or MSR Xen refuses. */
int mext_dom_policy_set(struct mext_dom *d, uint32_t nleaves,
                        const uint8_t *leaves, uint32_t nmsrs,
                        const uint8_t *msrs, struct mext_why *why);
/*
 * For a domain that has run already: 0 if its policy has all the guest saw,
 * -1 naming the first leaf or MSR that differs.
 */
int mext_dom_policy_same(struct mext_dom *d, uint32_t nleaves,
                         const uint8_t *leaves, uint32_t nmsrs,
                         const uint8_t *msrs, struct mext_why *why);

/* Gives n pages from gfn on back to Xen. */
int mext_dom_release(struct mext_dom *d, uint64_t gfn, uint32_t n,
                     struct mext_why *why);

/*
 * Lets the domain have ram_kib of RAM, with the slack and the page-table pool
 * that libxl gives a domain built with so much.
 */
int mext_dom_grow(struct mext_dom *d, uint64_t ram_kib, unsigned vcpus,
                  struct mext_why *why);

/*
 * Sets memory of the host aside, so that nobody else gets it, until the domain has
 * so many pages in all; 0: gives up what it has not taken.  Returns 0; 1: not yet,
 * since the domain's limit is not set, or no more, since it has them; -1 and why:
 * there is not so much.
 */
int mext_dom_claim(struct mext_dom *d, uint64_t pages, struct mext_why *why);

#endif
