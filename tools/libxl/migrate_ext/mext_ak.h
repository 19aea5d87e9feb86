/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A TPM's attestation key (AK) and what goes with it, as a file:
 * docs/specs/attestation.md, "AK file".  On the host that has the TPM it is
 * <dir>/host.ak; a host that sends guests there enrols a copy of it as
 * <dir>/trust.d/NAME.ak beside NAME.pub.
 */
#ifndef MEXT_AK_H
#define MEXT_AK_H

#include "mext_keys.h"

#define MEXT_AK_PUBLIC_MAX 128  /* bytes of a TPM2B_PUBLIC */
#define MEXT_AK_TEXT_MAX   4096 /* bytes of the file, with NUL */
#define MEXT_AK_PINS       16   /* PCRs 0 to 15 can be pinned */

struct mext_ak {
    uint8_t public[MEXT_AK_PUBLIC_MAX]; /* TPM2B_PUBLIC as marshalled */
    uint16_t public_len;                /* bytes */
    uint8_t x[32], y[32];               /* derived: the point on P-256 */
    uint32_t handle;                    /* persistent, in its own TPM */
    unsigned measure;                   /* PCR of the measurement, 16 to 23 */
    uint32_t pinned;                    /* bit n: PCR n is quoted, too */
    uint8_t pcr[MEXT_AK_PINS][MEXT_DIGEST_LEN]; /* and has this value */
};

/*
 * libtss2 prints what is wrong with a peer's bytes, unless it is told not to
 * before it is called for the first time.
 */
void mext_tss_quiet(void);

/*
 * Takes n bytes of a TPM2B_PUBLIC into public, x and y of *ak_r.  -1 and why
 * unless it is a restricted ECDSA key on P-256 with SHA-256 that cannot leave
 * its TPM.
 */
int mext_ak_public(const uint8_t *p, size_t n, struct mext_ak *ak_r,
                   struct mext_why *why);

/* Text of n bytes (no NUL needed) -> *ak_r; -1 and why. */
int mext_ak_parse(const char *text, size_t n, struct mext_ak *ak_r,
                  struct mext_why *why);
/* The one text of ak. */
void mext_ak_text(const struct mext_ak *ak, char out[MEXT_AK_TEXT_MAX]);

/*
 * Reads NAME's AK, or with name NULL the host's own.  *found_r: is there one?
 * If not, *ak_r is left alone.  -1 and why if a file cannot be used.
 */
int mext_ak_load(const char *dir, const char *name, struct mext_ak *ak_r,
                 bool *found_r, struct mext_why *why);

/*
 * Writes NAME's AK, or with name NULL the host's own; never replaces one.
 * NAME must have a key in trust.d.  -1 and why.
 */
int mext_ak_add(const char *dir, const char *name, const struct mext_ak *ak,
                struct mext_why *why);

/* Removes NAME's AK; -1 and why, also if there is none. */
int mext_ak_remove(const char *dir, const char *name, struct mext_why *why);

#endif
