/* SPDX-License-Identifier: LGPL-2.1-only */
/* `xl migrate --cooperative --dry-run` */
#ifndef XL_LOOK_H
#define XL_LOOK_H

#include "mext_look.h"

/* Exit status. */
int xl_look(const struct mext_request *rq, bool json, bool quiet);

#endif
