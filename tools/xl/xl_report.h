/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the operator sees of a migration: steps, progress, result. */
#ifndef XL_REPORT_H
#define XL_REPORT_H

#include "mext_sender.h"

/* Steps and progress on standard error; one moving line on a terminal. */
void xl_report_events(struct mext_events *ev_r, bool quiet);

/* From now on standard error is a log's. */
void xl_report_log(void);

/* The last words, and with json the result object on standard output. */
void xl_report_end(enum mext_outcome o, const struct mext_report *rep,
                   const struct mext_why *why, const struct mext_request *rq,
                   bool json);

#endif
