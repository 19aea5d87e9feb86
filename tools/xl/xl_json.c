/* SPDX-License-Identifier: LGPL-2.1-only */
#include <inttypes.h>
#include <string.h>

#include "xl_json.h"

static void print(void *arg, const char *text, size_t n)
{
    fwrite(text, 1, n, arg);
}

yajl_gen xl_json_open(FILE *f)
{
    yajl_gen g = yajl_gen_alloc(NULL);

    if (g)
        yajl_gen_config(g, yajl_gen_print_callback, print, f);
    return g;
}

void xl_json_close(FILE *f, yajl_gen g)
{
    fputc('\n', f);
    yajl_gen_free(g);
}

void xl_json_key(yajl_gen g, const char *key)
{
    yajl_gen_string(g, (const unsigned char *)key, strlen(key));
}

void xl_json_text(yajl_gen g, const char *key, const char *value)
{
    xl_json_key(g, key);
    xl_json_key(g, value);
}

void xl_json_number(yajl_gen g, const char *key, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    xl_json_key(g, key);
    yajl_gen_number(g, digits, strlen(digits));
}
