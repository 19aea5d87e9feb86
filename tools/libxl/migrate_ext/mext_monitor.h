/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What is said on a migration's monitor socket (docs/specs/monitor.md): lines,
 * each a flat JSON object.  Bytes in, records out; no descriptor and no state.
 * mext_steer.c carries them.
 */
#ifndef MEXT_MONITOR_H
#define MEXT_MONITOR_H

#include "mext_steer.h"

#define MEXT_MONITOR_LINE_MAX    4096 /* bytes, its newline counted */
#define MEXT_MONITOR_CLIENTS_MAX 8
#define MEXT_MONITOR_EVERY_MS    200 /* between two status lines */

/* Limits that can be wished for, as those of xl's options. */
#define MEXT_MONITOR_DOWNTIME_MAX   3600000 /* ms */
#define MEXT_MONITOR_ITERATIONS_MAX 1000
#define MEXT_MONITOR_TIMEOUT_MAX    604800000  /* ms, a week */
#define MEXT_MONITOR_RATE_MIN       1000000ULL /* bytes/s */
#define MEXT_MONITOR_RATE_MAX       1000000000000000ULL

enum mext_word {
    MEXT_WORD_STATUS = 1,
    MEXT_WORD_CANCEL,
    MEXT_WORD_LIMITS,
    MEXT_WORD_SWITCH_OVER,
};

struct mext_command {
    enum mext_word word;
    struct mext_wishes wishes; /* with LIMITS and SWITCH_OVER, else zeros */
};

/* Reads a command of n bytes, without its newline: 0, or -1 and why. */
int mext_command_parse(const char *line, size_t n, struct mext_command *c_r,
                       struct mext_why *why);

/* Writes a command, without newline, ended by a NUL; its length. */
size_t mext_command_text(const struct mext_command *c,
                         char out[MEXT_MONITOR_LINE_MAX]);

/* What the server says: where it is, or the answer to a command. */
struct mext_monitor_line {
    bool answer;   /* only ok and text are set */
    bool ok, last; /* last: text is set and no other line comes */
    char id[2 * MEXT_ID_LEN + 1], side[4];
    char guest[MEXT_ENTRY_NAME_MAX + 1], peer[MEXT_ENTRY_HOST_MAX + 1];
    char state[16], step[MEXT_ENTRY_TEXT_MAX + 1];
    char text[MEXT_TEXT_MAX + 1]; /* last: why it ended so; answer: why not */
    uint64_t iteration, sent, of; /* pages of this iteration */
    uint64_t wire_bytes, pages_per_s, seconds;
};

/*
 * Reads a server's line of n bytes, without its newline: 0, or -1 and why.
 * Keys that it does not know are passed over.
 */
int mext_monitor_parse(const char *line, size_t n,
                       struct mext_monitor_line *l_r, struct mext_why *why);

/*
 * Writes one, with its newline, not ended by a NUL; its length, 0 without
 * memory.  All texts must be printable ASCII (mext_show).
 */
size_t mext_monitor_text(const struct mext_monitor_line *l,
                         char out[MEXT_MONITOR_LINE_MAX]);

#endif
