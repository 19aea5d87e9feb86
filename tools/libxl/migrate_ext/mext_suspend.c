/* SPDX-License-Identifier: LGPL-2.1-only */
#include <time.h>

#include "mext_net.h"
#include "mext_suspend.h"

#define REQUEST "control/shutdown"
#define ASKED   "mext-suspend" /* asked by a migration, and not let run since */

/*
 * A guest that took the request just before its withdrawal suspends, or gives up,
 * in this time: Linux has 20 s to freeze programs, and as long for its own threads.
 */
#define GRACE_MS 60000
#define STEP_MS  10

#define NOT_TOLD (-2) /* Xen does not say, and why */

/* 1 suspended, 0 not yet, -1 and why: it never will; or NOT_TOLD. */
static int look(struct mext_dom *d, struct mext_why *why)
{
    struct mext_dom_state st;

    if (mext_dom_state(d, &st, why))
        return NOT_TOLD;
    if (!st.exists || st.dying)
        return mext_fail(why, "the guest is gone");
    if (!st.shutdown)
        return 0;
    if (st.reason == MEXT_SHUTDOWN_SUSPEND)
        return 1;
    return mext_fail(why, "the guest %s instead of suspending",
                     st.reason == MEXT_SHUTDOWN_CRASH    ? "crashed"
                     : st.reason == MEXT_SHUTDOWN_REBOOT ? "rebooted"
                                                         : "shut down");
}

/* Looks again at each shutdown xenstore tells of, until `end`. */
static int wait_until(struct mext_dom *d, struct mext_store *s, uint64_t end,
                      struct mext_why *why)
{
    for (;;) {
        uint64_t now = mext_now_ms();
        int r = look(d, why);

        if (r || now >= end)
            return r;
        if (mext_store_wait(s, -1, (unsigned)(end - now), why) < 0)
            return -1;
    }
}

/* True if the guest had not taken the request yet: it does not any more. */
static bool withdraw(struct mext_dom *d, struct mext_store *s)
{
    struct mext_why quiet;

    return mext_store_replace(s, mext_dom_id(d), REQUEST, "suspend", "",
                              &quiet) > 0;
}

/* As look, but with patience. */
static int wait_late(struct mext_dom *d, unsigned timeout_ms,
                     struct mext_why *why)
{
    static const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
    uint64_t end = mext_now_ms() + timeout_ms;
    int r;

    while ((r = look(d, why)) == 0 && mext_now_ms() < end)
        nanosleep(&step, NULL);
    return r;
}

int mext_suspend_withdraw(struct mext_dom *d, struct mext_store *s,
                          struct mext_why *why)
{
    uint32_t domid = mext_dom_id(d);
    int asked = mext_store_there(s, domid, ASKED, why), r;

    if (asked < 0)
        return -1;
    r = wait_late(d, asked && !withdraw(d, s) ? GRACE_MS : 0, why);
    if (r == NOT_TOLD)
        return -1;
    if (r == 1 && asked)
        return 1;
    mext_store_remove(s, domid, ASKED);
    return 0;
}

int mext_suspend_mark(struct mext_store *s, uint32_t domid,
                      struct mext_why *why)
{
    return mext_store_tell(s, domid, ASKED, "", why);
}

void mext_suspend_forget(struct mext_store *s, uint32_t domid)
{
    mext_store_remove(s, domid, ASKED);
}

/* Nothing is written for a guest that is gone. */
static int ask(struct mext_dom *d, struct mext_store *s, struct mext_why *why)
{
    uint32_t domid = mext_dom_id(d);

    return mext_net_cancelled(why) || mext_suspend_mark(s, domid, why) ||
                   mext_store_tell(s, domid, REQUEST, "suspend", why)
               ? -1
               : 0;
}

int mext_suspend(struct mext_dom *d, struct mext_store *s, unsigned timeout_ms,
                 bool *suspended_r, struct mext_why *why)
{
    struct mext_why quiet;
    int r;

    *suspended_r = false;
    if (mext_store_watch(s, "@releaseDomain", why) || (r = look(d, why)) < 0)
        return -1;
    if (r) {
        mext_fail(why,
                  "the guest was suspended already, not by this migration");
        return 1;
    }
    if (ask(d, s, why)) {
        look(d, why); /* it may be gone, which is what there is to say then */
        return -1;
    }
    r = wait_until(d, s, mext_now_ms() + timeout_ms, why);
    *suspended_r = r == 1;
    if (r == 1)
        return 0;
    if (r == 0)
        mext_fail(why, "the guest did not suspend within %u ms", timeout_ms);
    *suspended_r = mext_suspend_withdraw(d, s, &quiet) != 0;
    return -1;
}
