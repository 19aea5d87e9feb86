/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of an mstrap domain: measuring its image, telling it its
 * session, following its state, and the hand-over that makes it the guest.
 * Paths: docs/specs/xenstore.md.  Functions return 0 or -1 with *why filled.
 */
#ifndef MS_HOST_H
#define MS_HOST_H

#include "mext_libxl.h"
#include "mext_receiver.h"
#include "mext_store.h"
#include "mext_xen.h"

#define MS_IMAGE_COPY_MAX 32

/*
 * Opens an image, once: a sealed copy in memory, whose path for this process
 * and those it forks goes to copy_r, and its SHA-256 and BLAKE2b-256.  What is
 * launched from that path is what was measured.
 */
int ms_image_load(const char *path, char copy_r[MS_IMAGE_COPY_MAX],
                  uint8_t sha256_r[MEXT_DIGEST_LEN],
                  uint8_t blake2b_r[MEXT_DIGEST_LEN], struct mext_why *why);

/*
 * A waiting mstrap at this address that no session was given to yet: its
 * domid, or 0.  Only domains whose kernel has this measurement count, whatever
 * others may write about themselves: as packetd noted when it launched it, or
 * of the file that dom0's configuration of the domain names.
 */
uint32_t ms_find_waiting(struct mext_lxl *lxl, struct mext_store *store,
                         uint32_t ip, uint16_t port,
                         const uint8_t measurement[MEXT_DIGEST_LEN]);

/* A receiving domain as packetd holds it. */
struct ms_domain {
    uint32_t domid;
    int vif; /* migration vif, -1: none */
    unsigned vcpus;
    struct mext_dom *dom;
    struct mext_store *store;  /* the caller's */
    struct mext_lxl *lxl;      /* the caller's */
    enum mext_rcv seen;        /* last: what it may say next hangs on it */
    uint8_t key[MEXT_KEY_LEN]; /* once waiting */
    uint64_t own_gfn;          /* once waiting */
    uint32_t own_count;
};

/* Before the first unpause: mstrap/vif and mstrap/seed. */
int ms_seed(struct ms_domain *m, struct mext_why *why);

/* Writes mstrap/session; only to one that was seen waiting. */
int ms_invite(struct ms_domain *m, const uint8_t token[MEXT_DIGEST_LEN],
              const uint8_t session[MEXT_KEY_LEN], unsigned channels,
              struct mext_why *why);

/*
 * Reads data/mstrap/state; the rest of the value (counts, reason) goes to
 * detail[max], printable only.  MEXT_RCV_FAILED, with what is wrong as detail,
 * also for a value that is malformed, or that is no step from what was seen
 * last (docs/specs/commit.md); then it stays so.
 */
enum mext_rcv ms_state_read(struct ms_domain *m, char *detail, size_t max);

/* Reads and checks data/mstrap/key and own; only valid when waiting. */
int ms_keys_read(struct ms_domain *m, struct mext_why *why);

/*
 * All of the hand-over but the unpause (docs/architecture.md): the domain is
 * paused and still tidy; mstrap's pages go back to Xen, TSC and vCPU context are
 * the source's, mstrap's and the migration vif's nodes are gone.
 */
int ms_handover(struct ms_domain *m, const struct mext_tsc *tsc,
                const uint8_t *context, uint32_t context_len,
                uint64_t target_kib, struct mext_why *why);

#endif
