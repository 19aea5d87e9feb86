/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints the fault points of the effects of both tables, a line each. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

#include "mext_commit.h"

static void print(const char *side, unsigned effect)
{
    char name[64];

    snprintf(name, sizeof(name), "%s.%s", side, mext_effect_name(effect));
    for (char *p = name; *p; p++)
        *p = *p == ' ' ? '-' : (char)tolower(*p);
    printf("%s\n%s.done\n", name, name);
}

static void print_all(const char *side, const struct mext_transition *t,
                      size_t rows)
{
    bool seen[MEXT_EFFECTS] = { false };

    for (size_t i = 0; i < rows; i++)
        for (unsigned k = 0; k < MEXT_EFFECTS_MAX; k++)
            seen[t[i].effects[k]] = true;
    for (unsigned e = MEXT_DO_NOTHING + 1; e < MEXT_EFFECTS; e++)
        if (seen[e])
            print(side, e);
}

int main(void)
{
    print_all("source", mext_src_table, mext_src_rows);
    print_all("dest", mext_dst_table, mext_dst_rows);
    return 0;
}
