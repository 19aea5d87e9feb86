/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_STATE_H
#define MS_STATE_H

#include "mext_receiver.h"
#include "mstrap.h"

/**
 * Tells dom0 a state, in data/mstrap/state, with more behind its word unless
 * that is "". False if xenstore refuses.
 */
bool ms_state_tell(enum mext_rcv state, const char *more);

#endif
