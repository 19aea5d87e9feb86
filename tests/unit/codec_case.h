/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of the codec share. */
#ifndef CODEC_CASE_H
#define CODEC_CASE_H

#include "unit.h"

/* The message at hand, and room for another; more than any body has. */
extern uint8_t body[MEXT_CONTROL_BODY_MAX + 1];
extern uint8_t again[MEXT_CONTROL_BODY_MAX + 1];

/*
 * Decoding n octets of body fails with rc (0: any error) and leaves the record
 * alone.  The octets are given in a block of their own size, for the sanitizer.
 */
void data_refused(size_t n, int rc);
void ctl_refused(size_t n, int rc);

#endif
