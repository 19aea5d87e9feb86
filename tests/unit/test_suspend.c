/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The suspend handshake, and what becomes of it when it is broken off: over a
 * domain and a xenstore of this file.  The guest takes the request, and suspends,
 * when it has been looked at so often.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mext_net.h"
#include "mext_suspend.h"
#include "unit.h"

#define NEVER   1000000u
#define WAIT_MS 60000 /* never waited for: it is cancelled before */

static char request[16];         /* control/shutdown */
static bool marked;              /* mext-suspend */
static unsigned looks;           /* since the request */
static unsigned takes, suspends; /* at which look */
static unsigned cancels;         /* likewise */
static bool gone;                /* before it was asked */
static bool crashes;             /* instead of suspending */
static bool mute, deaf;          /* Xen, xenstore say nothing */
static int cancel[2];
static struct mext_why why;

/* ---- the guest ---- */

uint32_t mext_dom_id(const struct mext_dom *d)
{
    return 7;
}

int mext_dom_state(struct mext_dom *d, struct mext_dom_state *s_r,
                   struct mext_why *w)
{
    looks++;
    if (looks >= takes && !strcmp(request, "suspend"))
        request[0] = 0;
    if (mute)
        return mext_fail(w, "no Xen");
    *s_r = (struct mext_dom_state){ .exists = !gone };
    if (looks >= suspends) {
        s_r->shutdown = true;
        s_r->reason = crashes ? MEXT_SHUTDOWN_CRASH : MEXT_SHUTDOWN_SUSPEND;
    }
    if (looks == cancels)
        ck_assert_int_eq(write(cancel[1], "", 1), 1);
    return 0;
}

/* ---- xenstore ---- */

int mext_store_watch(struct mext_store *s, const char *path, struct mext_why *w)
{
    return 0;
}

int mext_store_wait(struct mext_store *s, int also, unsigned timeout_ms,
                    struct mext_why *w)
{
    return mext_net_cancelled(w) ? -1 : 1;
}

int mext_store_tell(struct mext_store *s, uint32_t domid, const char *path,
                    const char *value, struct mext_why *w)
{
    if (gone)
        return mext_fail(w, "cannot write");
    if (!strcmp(path, "mext-suspend"))
        marked = true;
    else
        snprintf(request, sizeof(request), "%s", value);
    return 0;
}

int mext_store_replace(struct mext_store *s, uint32_t domid, const char *path,
                       const char *from, const char *to, struct mext_why *w)
{
    ck_assert_str_eq(path, "control/shutdown");
    if (strcmp(request, from))
        return 0;
    snprintf(request, sizeof(request), "%s", to);
    return 1;
}

int mext_store_there(struct mext_store *s, uint32_t domid, const char *path,
                     struct mext_why *w)
{
    return deaf ? mext_fail(w, "no xenstore") : marked;
}

void mext_store_remove(struct mext_store *s, uint32_t domid, const char *path)
{
    marked = false;
}

/* ---- tests ---- */

static void setup(void)
{
    request[0] = 0;
    marked = crashes = gone = mute = deaf = false;
    looks = 0;
    takes = suspends = cancels = NEVER;
    ck_assert_int_eq(pipe(cancel), 0);
    mext_net_cancel_fd(cancel[0]);
}

static void teardown(void)
{
    mext_net_cancel_fd(-1);
    close(cancel[0]);
    close(cancel[1]);
}

static int suspend(bool *suspended_r)
{
    int rc = mext_suspend(NULL, NULL, WAIT_MS, suspended_r, &why);

    ck_assert(marked == *suspended_r);
    return rc;
}

START_TEST(it_suspends)
{
    bool suspended;

    takes = 2;
    suspends = 5;
    ck_assert_int_eq(suspend(&suspended), 0);
    ck_assert(suspended);
}
END_TEST

/* Before the guest has seen it: it never will. */
START_TEST(cancelled_before)
{
    bool suspended;

    cancels = 3;
    ck_assert_int_eq(suspend(&suspended), -1);
    ck_assert(!suspended);
    ck_assert_str_eq(request, "");
    ck_assert_uint_le(looks, 5);
}
END_TEST

/* The guest has taken it: whoever cancelled is told that it has suspended. */
START_TEST(cancelled_between)
{
    bool suspended;

    takes = 2;
    cancels = 3;
    suspends = 20;
    ck_assert_int_eq(suspend(&suspended), -1);
    ck_assert(suspended);
    ck_assert_uint_eq(looks, 20);
}
END_TEST

START_TEST(ends_between)
{
    bool suspended;

    takes = 2;
    cancels = 3;
    suspends = 6;
    crashes = true;
    ck_assert_int_eq(suspend(&suspended), -1);
    ck_assert(!suspended);
}
END_TEST

/* By somebody else: it is theirs to let it run. */
START_TEST(suspended_before)
{
    bool suspended;

    suspends = 1;
    ck_assert_int_eq(suspend(&suspended), 1);
    ck_assert(!suspended);
    ck_assert_str_eq(request, "");
    ck_assert_uint_eq(looks, 1);
}
END_TEST

START_TEST(is_gone)
{
    bool suspended;

    gone = true;
    ck_assert_int_eq(suspend(&suspended), -1);
    ck_assert(!suspended);
    ck_assert_str_eq(request, "");
    ck_assert_str_eq(why.text, "the guest is gone");
}
END_TEST

/* Of a process that died: with its mark, and without. */
START_TEST(found)
{
    marked = true;
    suspends = 9;
    ck_assert_int_eq(mext_suspend_withdraw(NULL, NULL, &why), 1);
    ck_assert_uint_eq(looks, 9);
    ck_assert(marked); /* until it runs again */
    mext_suspend_forget(NULL, 7);
    looks = 9;
    ck_assert_int_eq(mext_suspend_withdraw(NULL, NULL, &why),
                     0); /* by somebody else */
    ck_assert_uint_eq(looks, 10);
    marked = true;
    strcpy(request, "suspend");
    looks = 0;
    ck_assert_int_eq(mext_suspend_withdraw(NULL, NULL, &why), 0);
    ck_assert_str_eq(request, "");
    ck_assert_uint_eq(looks, 1);
    ck_assert(!marked);
}
END_TEST

/* Nothing is concluded from that. */
START_TEST(not_told)
{
    marked = mute = true;
    ck_assert_int_eq(mext_suspend_withdraw(NULL, NULL, &why), -1);
    mute = false;
    deaf = true;
    ck_assert_int_eq(mext_suspend_withdraw(NULL, NULL, &why), -1);
    ck_assert(marked);
}
END_TEST

/* Nothing is asked of the guest any more. */
START_TEST(cancelled_at_first)
{
    bool suspended;

    ck_assert_int_eq(write(cancel[1], "", 1), 1);
    ck_assert_int_eq(suspend(&suspended), -1);
    ck_assert(!suspended && !marked);
    ck_assert_str_eq(request, "");
    ck_assert_str_eq(why.text, "cancelled");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { it_suspends,      cancelled_at_first,
                                   cancelled_before, cancelled_between,
                                   ends_between,     suspended_before,
                                   is_gone,          found,
                                   not_told,         NULL };

    return unit_main(unit_suite_in("suspend", tests, setup, teardown));
}
