/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The source's part in who runs the guest (docs/specs/commit.md): of a
 * migration under way, or of one whose process died, found in the journal.
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef MEXT_SOURCE_H
#define MEXT_SOURCE_H

#include "mext_commit.h"
#include "mext_journal.h"
#include "mext_libxl.h"
#include "mext_conn.h"

#define MEXT_AWAY_SUFFIX "--migratedaway"

struct mext_source {
    /* filled by the caller */
    const char *keys_dir;
    struct mext_lxl *lxl;
    mext_say_fn *say;
    void *say_arg;
    struct mext_conn *conn;         /* NULL: none, or none any more */
    void (*resumed)(void *say_arg); /* the guest runs again; may be NULL */
    bool ours; /* it is suspended by this migration's asking, or may be */
    /* private */
    struct mext_machine machine;
    struct mext_journal *journal;
    bool found;            /* in the journal, so the process is another one */
    bool beside;           /* it began while another one moved the guest */
    enum mext_event heard; /* the destination's last word; or SILENT */
    bool undecided;        /* it was: that it has not decided yet */
    uint32_t domid_there;  /* 0: not known */
    struct mext_why *why;  /* of the first failure of a call; else empty */
};

/* Is it a migration of this domain from here that is not over? */
bool mext_source_is_of(const struct mext_entry *e, uint32_t domid,
                       const uint8_t uuid[MEXT_UUID_LEN]);
/* why: the guest, by its name, is under way to host; -1. */
int mext_source_busy(const char *name, const char *host, struct mext_why *why);

/* State MEXT_SRC_NEW, of no migration yet. */
void mext_source_init(struct mext_source *s);

/*
 * A migration begins: e is what mext_journal_create wants.  On -1 nothing has
 * been begun.
 */
int mext_source_begin(struct mext_source *s, const char *dir,
                      struct mext_entry *e, struct mext_why *why);

/*
 * Takes one over that the journal tells of: its state follows from what is
 * noted.  1: it is under way in another process.
 */
int mext_source_take(struct mext_source *s, const char *dir,
                     const uint8_t id[MEXT_ID_LEN], struct mext_why *why);

/* An event of mext_commit.h, with its effects: as mext_machine_event. */
int mext_source_event(struct mext_source *s, enum mext_event ev,
                      struct mext_why *why);

/* True in DONE, KEPT and STRANDED. */
bool mext_source_over(const struct mext_source *s);

/*
 * Asks until it is over or timeout_ms have passed, at least once; s is in
 * ASKED, DOUBT or STRANDED.  A cancel ends it too.
 */
void mext_source_ask(struct mext_source *s, unsigned timeout_ms,
                     struct mext_why *why);

/*
 * The domain that was noted by an entry of this host's: 1 if it is there; 0 if not,
 * whatever has its number now; -1 if that cannot be told.
 */
int mext_domain_noted(struct mext_lxl *l, const struct mext_entry *e,
                      uint32_t domid, const uint8_t uuid[MEXT_UUID_LEN],
                      struct mext_domain_now *now_r);

/* The guest runs here: after a crash it has been resumed already. */
bool mext_source_runs_here(struct mext_source *s);

/* The name the guest has without the suffix of a copy left behind. */
void mext_source_home_name(const char *name, char out[256]);

void mext_source_close(struct mext_source *s);

#endif
