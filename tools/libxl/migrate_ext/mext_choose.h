/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Who receives a guest: what its type wants, or the operator.  Pure.
 */
#ifndef MEXT_CHOOSE_H
#define MEXT_CHOOSE_H

#include "mext_libxl.h"
#include "mext_sender.h"

/*
 * *receiver_r becomes MEXT_RECEIVER_*, and which one and why is said; -1 and
 * why if the guest cannot move so, or only so as the operator does not want.
 */
int mext_choose_receiver(const struct mext_request *rq,
                         const struct mext_guest *g, uint32_t *receiver_r,
                         mext_say_fn *say, void *arg, struct mext_why *why);

/* "mstrap", "dom0" */
const char *mext_receiver_word(uint32_t receiver);

#endif
