/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd.conf(5): which guests may move themselves, where to and how often,
 * and what a source that is trusted may make this host do.
 *
 *   guest-migrate GUEST-PATTERN DESTINATION-PATTERN SECONDS|never
 *   accept KEY-PATTERN GUEST-PATTERN [OPTION=VALUE]...
 *
 * Of each kind, the first line whose two patterns match is the one that counts.
 */
#ifndef PACKETD_POLICY_H
#define PACKETD_POLICY_H

#include <stdio.h>

#include "mext_keys.h"

#define POLICY_LINE_MAX     4094     /* bytes, without newline */
#define POLICY_RULES_MAX    256      /* lines of each kind */
#define POLICY_PATTERN_MAX  128      /* bytes */
#define POLICY_SECONDS_MAX  31536000 /* a year */
#define POLICY_GUESTS_MAX   65535
#define POLICY_PREFIXES_MAX 8   /* disk= of a rule; the same of file= */
#define POLICY_PREFIX_MAX   255 /* bytes of a path or a prefix */
#define POLICY_BRIDGES_MAX  16
#define POLICY_BRIDGE_MAX   15 /* bytes of an interface's name */
#define POLICY_VLAN_MAX     4094
#define POLICY_RANGES_MAX   8 /* address= of a rule */

struct policy_rule {
    char guest[POLICY_PATTERN_MAX + 1];
    char dest[POLICY_PATTERN_MAX + 1];
    uint32_t seconds; /* between two attempts of one guest */
    bool never;
};

/* Words of allow=, bits; packetd.conf(5) says what each is good and bad for. */
enum policy_allow {
    POLICY_BACKEND = 1 << 0,
    POLICY_BOOTLOADER = 1 << 1,
    POLICY_COREDUMP = 1 << 2,
    POLICY_CPU_FEATURES = 1 << 3,
    POLICY_CPU_PINNING = 1 << 4,
    POLICY_CPU_WEIGHT = 1 << 5,
    POLICY_DEVICE_MODEL = 1 << 6,
    POLICY_DOM0 = 1 << 7,
    POLICY_IMAGE_FORMAT = 1 << 8,
    POLICY_SCRIPT = 1 << 9,
    POLICY_VIFNAME = 1 << 10,
    POLICY_XSM_LABEL = 1 << 11,
};

/* Names of the words, the first for bit 0; ended by NULL. */
extern const char *const policy_allow_words[];

struct policy_prefixes {
    char text[POLICY_PREFIXES_MAX][POLICY_PREFIX_MAX + 1];
    unsigned n;
};

struct policy_bridge {
    char name[POLICY_BRIDGE_MAX + 1];
    unsigned first, last; /* VLANs; 0: the name alone */
};

/* IPv4 addresses, host byte order, both ends among them. */
struct policy_range {
    uint32_t first, last;
};

struct policy_accept {
    unsigned line; /* of the file */
    char key[POLICY_PATTERN_MAX + 1];
    char guest[POLICY_PATTERN_MAX + 1];
    uint64_t memory_kib;    /* of one guest, 0: as it likes */
    unsigned vcpus, guests; /* 0: as it likes */
    unsigned allow;         /* enum policy_allow */
    struct policy_prefixes disks, files;
    struct policy_bridge bridges[POLICY_BRIDGES_MAX];
    unsigned nbridges;
    struct policy_range ranges[POLICY_RANGES_MAX]; /* for mstrap */
    unsigned nranges;
};

struct policy {
    struct policy_rule rules[POLICY_RULES_MAX];
    unsigned n;
    struct policy_accept accepts[POLICY_RULES_MAX];
    unsigned naccepts;
};

/* Called for each bad line; line 0: the file as a whole. */
typedef void policy_error_fn(void *arg, unsigned line, const char *text);

/*
 * Reads a file; one that is not there has no rules.  How many errors there
 * were: with any, *p_r must not be used.
 */
unsigned policy_read(const char *path, struct policy *p_r,
                     policy_error_fn *error, void *arg);

/* The same from a stream, without the questions about the file; f stays open. */
unsigned policy_parse(FILE *f, struct policy *p_r, policy_error_fn *error,
                      void *arg);

/* The rule for a guest and a destination, NULL if there is none. */
const struct policy_rule *policy_find(const struct policy *p, const char *guest,
                                      const char *dest);

/* A line that would allow it, and nothing else, cut to max bytes. */
void policy_line(const char *guest, const char *dest, char *out, size_t max);

/* ---- guests that come in ---- */

/* The rule for a guest from a source, by its key's name; NULL: none. */
const struct policy_accept *policy_accept_find(const struct policy *p,
                                               const char *key,
                                               const char *guest);

/*
 * An accept line for that key and guest with no more than this memory and
 * these vCPUs, cut to max bytes; guest NULL: any.
 */
void policy_accept_line(const char *key, const char *guest, uint64_t memory_kib,
                        unsigned vcpus, char *out, size_t max);

/*
 * Absolute, at most POLICY_PREFIX_MAX bytes, no component that is empty, "."
 * or "..", and no character that a shell, or a libxl script, takes for more
 * than itself.  A slash at the end is one too many unless it is a prefix.
 */
bool policy_path_plain(const char *path, bool prefix);

/*
 * Is it the name of a domain on its way, from here or to here?  No guest may have
 * such a one.
 */
bool policy_on_its_way(const char *name);

/* Is a plain path one of the prefixes, or below one? */
bool policy_path_within(const struct policy_prefixes *p, const char *path);

/* May a source with this key give an mstrap that address? */
bool policy_address_allowed(const struct policy *p, const char *key,
                            uint32_t ip);

/* May a vif be on this bridge, as libxl writes it: NAME or NAME.VLAN? */
bool policy_bridge_allowed(const struct policy_accept *r, const char *bridge);

#endif
