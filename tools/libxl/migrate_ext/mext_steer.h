/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * A migration's monitor socket (docs/specs/monitor.md): unix, JSON lines, one
 * for each migration and side while it is under way.  The server is a thread
 * of the process that migrates; it never touches the migration, which looks at
 * what was asked for at points of its own.
 *
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_STEER_H
#define MEXT_STEER_H

#include "mext_journal.h"

#define MEXT_STEER_DIR MEXT_RUNDIR "/xen-migrate"

struct mext_steer;

/* What may be changed while it goes on; 0: as it is. */
struct mext_wishes {
    unsigned downtime_ms, iterations;
    uint64_t bytes_per_s; /* bandwidth; UINT64_MAX: no limit again */
    uint64_t timeout_ms;  /* of all until COMMIT; UINT64_MAX: no limit again */
    bool switch_over;     /* suspend now, whatever is dirty */
};

/* Where it is; strings are copied. */
struct mext_standing {
    const char *state; /* as in docs/specs/commit.md */
    const char *step;  /* a plain sentence; NULL: as it was */
    unsigned iteration;
    uint64_t sent, of; /* pages of this iteration */
    uint64_t wire_bytes;
    uint64_t pages_per_s;
};

/*
 * Opens the socket (mode 0600) DIR/ID.out (source) or DIR/ID.in and begins to
 * serve; a socket that is there is replaced, since the caller holds the
 * migration's lock.  From here on signals SIGINT, SIGTERM and SIGHUP of this
 * process cancel, as the word "cancel" on the socket does: it is what
 * mext_net_cancel_fd is given.  Of e id, side, host and name are used, copied.
 * One at a time in a process.
 */
int mext_steer_open(const char *dir, const struct mext_entry *e,
                    struct mext_steer **s_r, struct mext_why *why);
/*
 * Tells who looks `state` and text (why it ended so; NULL: nothing to say),
 * ends the thread, removes the socket, frees s.  The signals do what they did
 * before, and nothing cancels any more.  s may be NULL.
 */
void mext_steer_close(struct mext_steer *s, const char *state,
                      const char *text);

/*
 * Removes the socket of a process that died; e is of a migration whose journal
 * the caller has taken.
 */
void mext_steer_forget(const char *dir, const struct mext_entry *e);

/* All below are safe from any thread; s may be NULL (nothing is done). */
void mext_steer_tell(struct mext_steer *s, const struct mext_standing *st);
/*
 * What was wished since the last call, of each limit the last; true if there
 * is something, else *w_r is left alone.
 */
bool mext_steer_wishes(struct mext_steer *s, struct mext_wishes *w_r);
/* It is cancelled unless it comes to COMMIT within so long; 0: no limit. */
void mext_steer_limit(struct mext_steer *s, uint64_t timeout_ms);
/* If it was cancelled *why says by whom or what, else it is left alone. */
void mext_steer_why(struct mext_steer *s, struct mext_why *why);
/*
 * From here it cannot be cancelled: 0, and whoever tries is told why; -1 and
 * why if it was already.  The one place that decides between the two.
 */
int mext_steer_commit(struct mext_steer *s, struct mext_why *why);

/* ---- who looks and steers ---- */

#define MEXT_STEER_PATH_LEN 108 /* as much as a socket's address holds */

/* The name of a migration's socket; -1 and why if dir is too long. */
int mext_steer_path(const char *dir, const uint8_t id[MEXT_ID_LEN],
                    enum mext_side side, char out[MEXT_STEER_PATH_LEN],
                    struct mext_why *why);

/*
 * Connects to a migration's socket, sends one command (a JSON object without
 * newline; NULL: only listens) and calls fn with each line that comes, of n
 * bytes without its newline, until it returns true or the other side closes:
 * 0.  -1 if there is no such socket, or nothing comes for timeout_ms (at most
 * INT_MAX).
 */
typedef bool mext_line_fn(void *arg, const char *line, size_t n);
int mext_steer_ask(const char *dir, const uint8_t id[MEXT_ID_LEN],
                   enum mext_side side, const char *command,
                   unsigned timeout_ms, mext_line_fn *fn, void *arg,
                   struct mext_why *why);

#endif
