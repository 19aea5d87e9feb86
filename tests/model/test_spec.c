/* SPDX-License-Identifier: GPL-2.0-only */
/* docs/specs/commit.md has the rows of mext_commit.c, in their order. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mext_commit.h"
#include "unit.h"

#define TEXT_MAX 32768
#define ROW_MAX  256

static char text[TEXT_MAX];

static void read_text(void)
{
    const char *top = getenv("srcdir");
    char path[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/docs/specs/commit.md", top ? top : ".");
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_lt(n, sizeof(text) - 1);
    text[n] = '\0';
}

static void upper(char *to, const char *from)
{
    do
        *to++ = toupper((unsigned char)*from);
    while (*from++);
}

/* A row of the table as the text has it, without its end of line. */
static void row_text(const struct mext_transition *t,
                     const char *(*name)(unsigned), char row[ROW_MAX])
{
    char state[32], next[32];
    int n;

    upper(state, name(t->state));
    upper(next, name(t->next));
    n = snprintf(row, ROW_MAX, "| %s | %s | ", state,
                 mext_event_name(t->event));
    for (unsigned i = 0; i < MEXT_EFFECTS_MAX && t->effects[i]; i++)
        n += snprintf(row + n, ROW_MAX - n, "%s%s", i ? ", " : "",
                      mext_effect_name(t->effects[i]));
    snprintf(row + n, ROW_MAX - n, " | %s |", next);
}

/* Goes on to the next row of four cells below the heading; NULL: none. */
static const char *next_row(const char *at, char row[ROW_MAX])
{
    while (at && strncmp(at, "## ", 3)) {
        const char *end = strchr(at, '\n');
        size_t n = end ? (size_t)(end - at) : strlen(at);

        if (at[0] == '|' && at[1] == ' ' && strncmp(at, "| state |", 9) &&
            n < ROW_MAX) {
            memcpy(row, at, n);
            row[n] = '\0';
            return at + n;
        }
        at = end ? end + 1 : NULL;
    }
    return NULL;
}

static bool section_agrees(const char *in, const char *heading,
                           const struct mext_transition *t, size_t rows,
                           const char *(*name)(unsigned))
{
    char want[ROW_MAX], row[ROW_MAX];
    const char *at = strstr(in, heading);

    if (!at)
        return false;
    at += strlen(heading);
    for (size_t i = 0; i < rows; i++) {
        row_text(&t[i], name, want);
        at = next_row(at, row);
        if (!at || strcmp(row, want))
            return false;
    }
    return !next_row(at, row);
}

static bool agrees(const char *in)
{
    return section_agrees(in, "\n## Source\n", mext_src_table, mext_src_rows,
                          mext_src_name) &&
           section_agrees(in, "\n## Destination\n", mext_dst_table,
                          mext_dst_rows, mext_dst_name);
}

START_TEST(text_agrees)
{
    read_text();
    ck_assert(agrees(text));
}
END_TEST

static const struct {
    const char *from, *to;
} changes[] = {
    { "| READY | prepared | send COMMIT | ASKED |\n", "" },
    { "| COMMITTED | gone | note lost | LOST |\n", "" },
    { "| ASKED | silent | ask |", "| ASKED | silent | resume |" },
    { "| ASKED | silent |", "| ASKED | lost |" },
    { "| DOUBT | lost | note stranded | STRANDED |",
      "| DOUBT | lost | note stranded | KEPT |" },
    { "| destroy the copy, note done |", "| note done, destroy the copy |" },
    { "| unpause, send RUNNING, note running |", "| unpause, send RUNNING |" },
    { "| NEW | config |", "| NEW | failed | send ABORT | ABORTED |\n"
                          "| NEW | config |" },
    { "| COMMITTED | gone | note lost | LOST |\n",
      "| COMMITTED | gone | note lost | LOST |\n"
      "| LOST | failed | note aborted | ABORTED |\n" },
    { "\n## Destination\n", "\n## The destination\n" },
};

START_TEST(change_is_noticed)
{
    static char changed[TEXT_MAX + ROW_MAX];
    const char *from = changes[_i].from, *at;

    read_text();
    at = strstr(text, from);
    ck_assert_msg(at != NULL, "not in the text: %s", from);
    snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text,
             changes[_i].to, at + strlen(from));
    ck_assert_msg(!agrees(changed), "not noticed: %s", changes[_i].to);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("spec of commit");
    TCase *t = tcase_create("tables");

    tcase_add_test(t, text_agrees);
    tcase_add_loop_test(t, change_is_noticed, 0,
                        sizeof(changes) / sizeof(changes[0]));
    suite_add_tcase(s, t);
    return unit_main(s);
}
