/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MS_TIDY_H
#define MS_TIDY_H

#include "session.h"

/**
 * The memory is COMPLETE: tells the source, gives back everything a fresh
 * domain does not have, tells dom0 and waits to become the guest. This is
 * part of the guest's downtime.
 */
_Noreturn void ms_tidy(struct ms_session *session);

#endif
