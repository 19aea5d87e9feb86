/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What xl save would write of an HVM guest that runs beat.S, made of the
 * structures of Xen's own headers.  The guest has printed 41 lines and waits
 * for an interrupt.
 */
#ifndef BUILD_GUEST_H
#define BUILD_GUEST_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_MAX   (4u << 20)
#define GUEST_PAGES 512u /* 2 MiB */
#define GUEST_BEATS 41u

struct guest_bytes {
    size_t n;
    size_t context, context_len; /* HVM_CONTEXT's body */
    uint8_t p[GUEST_MAX];
};

/* beat[n]: beat.S as a flat file, or anything of at least 28 bytes. */
void build_guest(struct guest_bytes *b, const void *beat, size_t n);
/* Where in b->p the content of an entry begins. */
uint8_t *guest_entry(struct guest_bytes *b, unsigned type, unsigned instance,
                     size_t *n_r);

#endif
