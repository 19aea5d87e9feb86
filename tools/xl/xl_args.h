/* SPDX-License-Identifier: LGPL-2.1-only */
/* Arguments that several of xl's words take. */
#ifndef XL_ARGS_H
#define XL_ARGS_H

#include <stdint.h>
#include <stdio.h>

/* A decimal number from min to max; -1, and it was said on err, if it is not. */
int xl_number(FILE *err, const char *text, unsigned long min, unsigned long max,
              unsigned long *n_r);

/* A bandwidth in MB/s, as bytes/s, within the monitor's bounds; 0: any. */
int xl_rate(FILE *err, const char *text, uint64_t *bytes_per_s_r);

/* What the guest gives up before: none, cache or deep, MEXT_AGENT_TRIM_*. */
int xl_trim(FILE *err, const char *text, unsigned *level_r);

#endif
