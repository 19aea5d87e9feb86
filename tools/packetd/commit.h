/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packetd's part in who runs the guest (docs/specs/commit.md): of a migration
 * under way, or of one whose process died, found in the journal.
 * Functions return 0 or -1 with *why filled unless they say otherwise.
 */
#ifndef PACKETD_COMMIT_H
#define PACKETD_COMMIT_H

#include "mext_commit.h"
#include "mext_journal.h"
#include "mext_libxl.h"
#include "mext_conn.h"

struct commit {
    /* filled by the caller */
    struct mext_lxl *lxl;
    struct mext_conn *conn;       /* to the source; NULL: none */
    unsigned code;                /* MEXT_E_* of a failure, for the source */
    uint64_t tidy_us, prepare_us; /* for PREPARED */
    /* private */
    struct mext_machine machine;
    struct mext_journal *journal;
    uint32_t domid;              /* 0: none, as far as is known */
    uint8_t uuid[MEXT_UUID_LEN]; /* of it */
    bool found;     /* in the journal, so the process is another one */
    uint64_t since; /* us: COMMIT was read */
    struct mext_why *why;
};

/* State MEXT_DST_NEW. */
void commit_init(struct commit *c);

/* The configuration is admitted: e is what mext_journal_create wants. */
int commit_begin(struct commit *c, const char *dir, struct mext_entry *e,
                 struct mext_why *why);

/* There is a domain now, or was found: a restart has to know of it. */
int commit_domain(struct commit *c, uint32_t domid, const uint8_t uuid[16],
                  struct mext_why *why);

/* Takes over one that the journal tells of; 1: it is another process's. */
int commit_take(struct commit *c, const char *dir,
                const uint8_t id[MEXT_ID_LEN], struct mext_why *why);

/* 1 if the domain that was noted is there, not one that came after; 0; -1. */
int commit_domain_there(struct commit *c, struct mext_domain_now *now_r);

/* An event of mext_commit.h, with its effects: as mext_machine_event. */
int commit_event(struct commit *c, enum mext_event ev, struct mext_why *why);

void commit_close(struct commit *c);

#endif
