/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Migrations whose source's process died, or ended in doubt: brought to an end
 * (docs/specs/commit.md, "After a crash").
 */
#ifndef MEXT_RESOLVE_H
#define MEXT_RESOLVE_H

#include "mext_source.h"

/* What the operator says who has looked. */
enum mext_verdict {
    MEXT_VERDICT_NONE,
    MEXT_VERDICT_HERE,
    MEXT_VERDICT_THERE,
};

struct mext_resolver {
    const char *dir, *keys_dir;
    struct mext_lxl *lxl;
    enum mext_verdict verdict;
    unsigned patience_ms; /* so long the destination is asked */
    mext_say_fn *say;
    void *say_arg;
};

/*
 * The migration id of this host's, as its source.  0: it is over, *state_r says
 * how (MEXT_SRC_DONE or KEPT; nothing is done to one that was).  1: it is under
 * way in another process.  -1 and why: it is not over yet.  The operator's word
 * counts only if the destination has none, not even that it is still at it.
 */
int mext_resolve(const struct mext_resolver *r, const uint8_t id[MEXT_ID_LEN],
                 unsigned *state_r, struct mext_why *why);

/*
 * The same for all migrations of the domain that were broken off: 0 if there are
 * none any more and it is here; -1 and why if not, or if one is under way.
 */
int mext_resolve_domain(const struct mext_resolver *r, uint32_t domid,
                        struct mext_why *why);

/*
 * The same, before something else is done with the domain: a destination that does
 * not answer is asked for a few seconds only.
 */
int mext_resolve_former(struct mext_lxl *l, uint32_t domid,
                        const char *keys_dir, mext_say_fn *say, void *arg,
                        struct mext_why *why);

/*
 * A suspended copy that no journal tells of runs again under its own name;
 * domain: its name, with or without MEXT_AWAY_SUFFIX, or number.  0; 1: the
 * journal tells of it, and nothing was done: *e_r is what mext_resolve is to end;
 * -1 and why.
 */
int mext_resume_here(const struct mext_resolver *r, const char *domain,
                     struct mext_entry *e_r, struct mext_why *why);

#endif
