/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd.conf(5): which guests may move themselves, where to and how often.
 *
 *   guest-migrate GUEST-PATTERN DESTINATION-PATTERN SECONDS|never
 *
 * The first line whose two patterns match is the one that counts.
 */
#ifndef PACKETD_POLICY_H
#define PACKETD_POLICY_H

#include "mext_keys.h"

#define POLICY_RULES_MAX   256
#define POLICY_PATTERN_MAX 128      /* bytes */
#define POLICY_SECONDS_MAX 31536000 /* a year */

struct policy_rule {
    char guest[POLICY_PATTERN_MAX + 1];
    char dest[POLICY_PATTERN_MAX + 1];
    uint32_t seconds; /* between two attempts of one guest */
    bool never;
};

struct policy {
    struct policy_rule rules[POLICY_RULES_MAX];
    unsigned n;
};

/* Called for each bad line; line 0: the file as a whole. */
typedef void policy_error_fn(void *arg, unsigned line, const char *text);

/*
 * Reads a file; one that is not there has no rules.  How many errors there
 * were: with any, *p_r must not be used.
 */
unsigned policy_read(const char *path, struct policy *p_r,
                     policy_error_fn *error, void *arg);

/* The rule for a guest and a destination, NULL if there is none. */
const struct policy_rule *policy_find(const struct policy *p, const char *guest,
                                      const char *dest);

/* A line that would allow it, and nothing else, cut to max bytes. */
void policy_line(const char *guest, const char *dest, char *out, size_t max);

#endif
