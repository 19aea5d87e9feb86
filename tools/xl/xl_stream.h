/* SPDX-License-Identifier: LGPL-2.1-only */
/* xl migrate-stream: saved guests and migration streams, looked at as files. */
#ifndef XL_STREAM_H
#define XL_STREAM_H

#include <stdio.h>

/* Its line of `xl help`. */
extern const char xl_stream_help[];

/* Runs the word argv[0] with its arguments; the exit status. */
int xl_stream_run(FILE *out, FILE *err, int argc, char **argv);

#endif
