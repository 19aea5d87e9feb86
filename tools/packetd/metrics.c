/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "metrics.h"

static void head(FILE *f, const char *name, const char *type, const char *help)
{
    fprintf(f, "# HELP packetd_%s %s\n# TYPE packetd_%s %s\n", name, help, name,
            type);
}

static void print_refused(FILE *f, const struct metrics *m)
{
    const char *name = "tokens_refused_total";

    head(f, name, "counter",
         "Boot tokens and queries that were refused, by reason.");
    for (unsigned i = 0; i < GATE_REASONS; i++)
        if (m->refused[i])
            fprintf(f, "packetd_%s{reason=\"%s\"} %" PRIu64 "\n", name,
                    i ? mext_reason(i) : "over the rate", m->refused[i]);
}

static void print(FILE *f, const struct metrics *m)
{
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        { "tokens_taken_total", "counter", "Boot tokens that were taken.",
          m->taken },
        { "migrations_received_total", "counter",
          "Guests that were received and run.", m->received },
        { "migrations_failed_total", "counter",
          "Migrations to here that failed.", m->failed },
        { "migrations_running", "gauge", "Migrations to here under way.",
          m->running },
        { "door_starts_total", "counter",
          "Starts of the part that reads from the network.", m->doors },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        head(f, rows[i].name, rows[i].type, rows[i].help);
        fprintf(f, "packetd_%s %" PRIu64 "\n", rows[i].name, rows[i].value);
    }
    print_refused(f, m);
}

int metrics_write(const char *path, const struct metrics *m,
                  struct mext_why *why)
{
    char temporary[4096];
    FILE *f = NULL;
    int bad;

    if (snprintf(temporary, sizeof(temporary), "%s.new", path) <
        (int)sizeof(temporary))
        f = fopen(temporary, "we");
    if (!f)
        return mext_fail(why, "cannot write %.200s: %s", path, strerror(errno));
    print(f, m);
    bad = ferror(f);
    if ((fclose(f) || bad) || rename(temporary, path)) {
        mext_fail(why, "cannot write %.200s: %s", path, strerror(errno));
        unlink(temporary);
        return -1;
    }
    return 0;
}
