/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What each host writes down of its migrations, so that it knows after a crash
 * or a power cut who may run the guest (docs/specs/journal.md).  A file for
 * each migration and side; whoever acts for one holds its lock, which the
 * kernel gives back when that process dies, however it does.
 *
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_JOURNAL_H
#define MEXT_JOURNAL_H

#include "mext_keys.h"

#define MEXT_JOURNAL_DIR MEXT_STATEDIR "/lib/packetd/migrations"

/* The format; sizes in bytes. */
#define MEXT_JOURNAL_MAGIC       "MEXTJNL1"
#define MEXT_JOURNAL_LEN         4096   /* a record */
#define MEXT_JOURNAL_RECORDS_MAX 64     /* in a file */
#define MEXT_JOURNAL_FILES_MAX   100000 /* more in the folder are not seen */
#define MEXT_JOURNAL_KEEP_DAYS   30     /* finished ones are kept so long */
#define MEXT_JOURNAL_KEEP_MAX    1000   /* ... and at most so many */
#define MEXT_BOOT_LEN            16
#define MEXT_UUID_LEN            16
#define MEXT_ENTRY_HOST_MAX      271 /* "HOST:PORT", bytes without the NUL */
#define MEXT_ENTRY_NAME_MAX      255
#define MEXT_ENTRY_TEXT_MAX      255

#define MEXT_JOURNAL_KEEP_S (MEXT_JOURNAL_KEEP_DAYS * 86400)

enum mext_side {
    MEXT_SIDE_SOURCE = 1,
    MEXT_SIDE_DEST = 2,
};

/* What is durable of the states of mext_commit.h. */
enum mext_noted {
    /* a source's */
    MEXT_NOTED_BEGUN = 1,
    MEXT_NOTED_COMMITTING = 2,
    MEXT_NOTED_STRANDED = 3,
    MEXT_NOTED_DONE = 4,
    MEXT_NOTED_KEPT = 5,
    /* a destination's */
    MEXT_NOTED_INCOMING = 17,
    MEXT_NOTED_COMMITTED = 18,
    MEXT_NOTED_RUNNING = 19,
    MEXT_NOTED_ABORTED = 20,
    MEXT_NOTED_LOST = 21,
};

struct mext_entry {
    uint8_t id[MEXT_ID_LEN]; /* the token's */
    enum mext_side side;
    enum mext_noted noted;
    uint64_t begun, changed;     /* seconds since 1970 */
    uint8_t boot[MEXT_BOOT_LEN]; /* of this host, when it was begun */
    uint8_t uuid[MEXT_UUID_LEN]; /* of the domain on this host */
    uint32_t domid;              /* likewise, 0: none yet */
    uint8_t ours[MEXT_KEY_LEN];  /* Ed25519 key of this host's in it */
    uint8_t theirs[MEXT_KEY_LEN];
    char host[MEXT_ENTRY_HOST_MAX + 1]; /* the other one: where to ask, or
                                           where it came from */
    char name[MEXT_ENTRY_NAME_MAX + 1]; /* the guest's own */
    char text[MEXT_ENTRY_TEXT_MAX + 1]; /* why it ended so, printable */
};

/* True if nobody has to do anything more about it. */
bool mext_noted_final(enum mext_noted n);
/* "begun", "committing", ... as in docs/specs/commit.md. */
const char *mext_noted_name(enum mext_noted n);
/* "out" of a source, "in" of a destination; also the end of file names. */
const char *mext_side_name(enum mext_side side);

/* ---- a record; pure ---- */

/*
 * Writes e as record number seq, the first is 1.  MEXT_ERR_FORMAT or
 * MEXT_ERR_LIMIT if no reader would take it.
 */
int mext_entry_encode(const struct mext_entry *e, uint32_t seq,
                      uint8_t out[MEXT_JOURNAL_LEN]);
/*
 * Reads one: MEXT_ERR_FORMAT if it is none of this version, MEXT_ERR_AUTH if it
 * is torn, MEXT_ERR_LIMIT.
 */
int mext_entry_decode(const uint8_t in[MEXT_JOURNAL_LEN], uint32_t *seq_r,
                      struct mext_entry *e_r);

/* ---- files ---- */

/*
 * One file that is open and locked.  A child that was forked has the lock as
 * well until it closes the journal, calls exec or dies; closing it there leaves
 * it locked here.
 */
struct mext_journal;

/*
 * Makes the file of a new migration: durable, with e as its first record, when
 * this returns.  begun, changed and boot are filled in here, in *e, and host,
 * name and text made printable.  Fails if there is one of that id and side.
 * dir and the folders above it are made if need be.
 */
int mext_journal_create(const char *dir, struct mext_entry *e,
                        struct mext_journal **j_r, struct mext_why *why);

/*
 * Opens the file of a migration and locks it.  1 (and no why) if another
 * process holds it, or this one: that migration is under way; -1 if there is
 * none, or none that is whole.
 */
int mext_journal_take(const char *dir, const uint8_t id[MEXT_ID_LEN],
                      enum mext_side side, struct mext_journal **j_r,
                      struct mext_why *why);

/* What the last good record says; lives as long as j. */
const struct mext_entry *mext_journal_entry(const struct mext_journal *j);

/* The domain, once there is one; goes into the records that follow. */
void mext_journal_domain(struct mext_journal *j, uint32_t domid,
                         const uint8_t uuid[MEXT_UUID_LEN]);

/*
 * Appends a record; durable when this returns 0.  text may be NULL; it is made
 * printable and cut.  After -1 it may or may not be on disk, and the next one
 * goes over it.
 */
int mext_journal_note(struct mext_journal *j, enum mext_noted n,
                      const char *text, struct mext_why *why);

/*
 * The descriptor that has the lock: a process that inherits it keeps the migration
 * one that is under way.
 */
int mext_journal_lock(const struct mext_journal *j);

/* Unlocks and closes; NULL is allowed. */
void mext_journal_close(struct mext_journal *j);

/*
 * Reads one without locking it: 0; 1 and why if there is none, or none that is
 * whole, so nothing is noted; -1 and why if it cannot be read.
 */
int mext_journal_read(const char *dir, const uint8_t id[MEXT_ID_LEN],
                      enum mext_side side, struct mext_entry *e_r,
                      struct mext_why *why);

/*
 * Calls fn with each, the oldest first, until it returns true; alive: a process
 * holds it.  Who acts on one takes it first and looks again.  A folder that is
 * not there has none.  Files that are not whole are left out.  -1 if the folder
 * cannot be read.
 */
typedef bool mext_entry_fn(void *arg, const struct mext_entry *e, bool alive);
int mext_journal_each(const char *dir, mext_entry_fn *fn, void *arg,
                      struct mext_why *why);

/*
 * For who looks again and again: those for which fn has once returned true are passed
 * over, and their files not read any more.  In no order; *k, zeros at first, is what is
 * passed over.
 */
struct mext_journal_known {
    struct mext_journal_name *v; /* private */
    size_t n;
};
int mext_journal_others(const char *dir, struct mext_journal_known *k,
                        mext_entry_fn *fn, void *arg, struct mext_why *why);

/*
 * Removes finished ones whose last note is older than MEXT_JOURNAL_KEEP_S at
 * `now`, in seconds since 1970, or, beginning with the oldest, that are more
 * than MEXT_JOURNAL_KEEP_MAX; and files without a whole record (their migration
 * had not begun to act), but for those of another version.  Never one that a
 * process holds.
 */
void mext_journal_expire(const char *dir, uint64_t now);

/* Of this boot of this host: /proc/sys/kernel/random/boot_id. */
int mext_boot_id(uint8_t boot_r[MEXT_BOOT_LEN], struct mext_why *why);

#endif
