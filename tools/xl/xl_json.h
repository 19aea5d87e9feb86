/* SPDX-License-Identifier: LGPL-2.1-only */
/* JSON for those who script xl. */
#ifndef XL_JSON_H
#define XL_JSON_H

#include <stdint.h>
#include <stdio.h>

#include <yajl/yajl_gen.h>

/* A generator of JSON whose text goes to f as it comes. */
yajl_gen xl_json_open(FILE *f);
/* Ends what is written with a newline. */
void xl_json_close(FILE *f, yajl_gen g);
void xl_json_key(yajl_gen g, const char *key);
void xl_json_text(yajl_gen g, const char *key, const char *value);
void xl_json_number(yajl_gen g, const char *key, uint64_t value);

#endif
