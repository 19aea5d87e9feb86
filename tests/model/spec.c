/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "spec.h"

void spec_read(char text[SPEC_TEXT_MAX])
{
    const char *top = getenv("srcdir");
    char path[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/docs/specs/commit.md", top ? top : ".");
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    n = fread(text, 1, SPEC_TEXT_MAX - 1, f);
    fclose(f);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_lt(n, SPEC_TEXT_MAX - 1);
    text[n] = '\0';
}

const char *spec_section(const char *text, const char *heading)
{
    size_t n = strlen(heading);

    while (text && (strncmp(text, heading, n) || text[n] != '\n')) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return text ? text + n + 1 : NULL;
}

const char *spec_row(const char *at, char row[SPEC_ROW_MAX])
{
    while (at && *at != '#') {
        const char *end = strchr(at, '\n');
        size_t n = end ? (size_t)(end - at) : strlen(at);

        if (!strncmp(at, "| ", 2) && (!end || strncmp(end, "\n|-", 3)) &&
            n < SPEC_ROW_MAX) {
            memcpy(row, at, n);
            row[n] = '\0';
            return at + n + (end != NULL);
        }
        at = end ? end + 1 : NULL;
    }
    return NULL;
}
