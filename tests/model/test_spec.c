/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * docs/specs/commit.md has the rows of mext_commit.c and mext_receiver.c, in
 * their order.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mext_commit.h"
#include "mext_receiver.h"
#include "spec.h"
#include "unit.h"

static char text[SPEC_TEXT_MAX];

static void upper(char *to, const char *from)
{
    do
        *to++ = toupper((unsigned char)*from);
    while (*from++);
}

/* A row of a table as the text has it, without its end of line. */
static void transition_text(const struct mext_transition *t,
                            const char *(*name)(unsigned),
                            char row[SPEC_ROW_MAX])
{
    char state[32], next[32];
    int n;

    upper(state, name(t->state));
    upper(next, name(t->next));
    n = snprintf(row, SPEC_ROW_MAX, "| %s | %s | ", state,
                 mext_event_name(t->event));
    for (unsigned i = 0; i < MEXT_EFFECTS_MAX && t->effects[i]; i++)
        n += snprintf(row + n, SPEC_ROW_MAX - n, "%s%s", i ? ", " : "",
                      mext_effect_name(t->effects[i]));
    snprintf(row + n, SPEC_ROW_MAX - n, " | %s |", next);
}

static void src_text(size_t i, char row[SPEC_ROW_MAX])
{
    transition_text(&mext_src_table[i], mext_src_name, row);
}

static void dst_text(size_t i, char row[SPEC_ROW_MAX])
{
    transition_text(&mext_dst_table[i], mext_dst_name, row);
}

/* What it says is the next state's word, if that is another. */
static void rcv_text(size_t i, char row[SPEC_ROW_MAX])
{
    const struct mext_rcv_row *r = &mext_rcv_table[i];
    const char *word = mext_rcv_word(r->next);
    char state[32], next[32];

    upper(state, mext_rcv_name(r->state));
    upper(next, mext_rcv_name(r->next));
    snprintf(row, SPEC_ROW_MAX, "| %s | %s | %s | %s |", state,
             mext_rcv_event_name(r->event),
             strcmp(word, mext_rcv_word(r->state)) ? word : "nothing", next);
}

static const struct {
    const char *heading;
    const size_t *rows;
    void (*text)(size_t i, char row[SPEC_ROW_MAX]);
} tables[] = {
    { "## Source", &mext_src_rows, src_text },
    { "## Destination", &mext_dst_rows, dst_text },
    { "## mstrap", &mext_rcv_rows, rcv_text },
};

static bool table_agrees(const char *in, unsigned table)
{
    char want[SPEC_ROW_MAX], row[SPEC_ROW_MAX];
    const char *at = spec_section(in, tables[table].heading);

    for (size_t i = 0; i < *tables[table].rows; i++) {
        tables[table].text(i, want);
        at = spec_row(at, row);
        if (!at || strcmp(row, want))
            return false;
    }
    return !spec_row(at, row);
}

static bool agrees(const char *in)
{
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (!table_agrees(in, i))
            return false;
    return true;
}

START_TEST(text_agrees)
{
    spec_read(text);
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
    { "| WAITING | invited | nothing |", "| WAITING | invited | invited |" },
    { "| COMPLETE | tidied | tidy | TIDY |\n", "" },
    { "| COMPLETE | failed | failed | FAILED |\n",
      "| COMPLETE | failed | failed | FAILED |\n"
      "| TIDY | failed | failed | FAILED |\n" },
};

START_TEST(change_is_noticed)
{
    static char changed[SPEC_TEXT_MAX + SPEC_ROW_MAX];
    const char *from = changes[_i].from, *at;

    spec_read(text);
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
