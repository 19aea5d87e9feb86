/* SPDX-License-Identifier: LGPL-2.1-only */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mext_agentmsg.h"
#include "mext_monitor.h"
#include "xl_args.h"

int xl_number(FILE *err, const char *text, unsigned long min, unsigned long max,
              unsigned long *n_r)
{
    char *end;

    errno = 0;
    *n_r = strtoul(text, &end, 10);
    if (!errno && !*end && isdigit((unsigned char)*text) && *n_r >= min &&
        *n_r <= max)
        return 0;
    fprintf(err, "xl: \"%s\" is not a number from %lu to %lu\n", text, min,
            max);
    return -1;
}

int xl_rate(FILE *err, const char *text, uint64_t *bytes_per_s_r)
{
    unsigned long mb;

    if (xl_number(err, text, 0, MEXT_MONITOR_RATE_MAX / 1000000, &mb))
        return -1;
    *bytes_per_s_r = mb * 1000000;
    return 0;
}

int xl_trim(FILE *err, const char *text, unsigned *level_r)
{
    static const char *const levels[] = {
        [0] = "none",
        [MEXT_AGENT_TRIM_CACHE] = "cache",
        [MEXT_AGENT_TRIM_DEEP] = "deep",
    };

    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (!strcmp(text, levels[i])) {
            *level_r = i;
            return 0;
        }
    fprintf(err, "xl: \"%s\" is neither none, cache nor deep\n", text);
    return -1;
}
