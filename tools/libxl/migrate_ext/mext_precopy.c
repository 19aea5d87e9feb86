/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stddef.h>

#include "mext_precopy.h"

/* An iteration shorter than this says little about the rate, us. */
#define MEASURABLE_US 20000

/* So few dirty pages are not worth another iteration. */
#define FEW_PAGES 32

/* So long its services hold still at least; half of HOLD_MS in mext_help.c. */
#define PREPARED_S 30

/*
 * What fits the downtime target and is no more than this is left for the end.
 * Much of it is written again, at the latest when the guest suspends, and
 * another iteration would send that twice: docs/performance.md, "A small rest".
 */
#define REST_PAGES 1024

/*
 * Pages a second; of an iteration that is too short to measure the longer one
 * before it knows better.
 */
static uint64_t rate(const struct mext_iteration *now,
                     const struct mext_iteration *before)
{
    const struct mext_iteration *i = now;

    if (before && now->us < MEASURABLE_US && before->us > now->us)
        i = before;
    return i->us ? i->pages * 1000000 / i->us : 0;
}

/* Pages that go within the downtime target. */
static uint64_t fitting(const struct mext_limits *l,
                        const struct mext_iteration *now,
                        const struct mext_iteration *before)
{
    return rate(now, before) * l->downtime_ms / 1000;
}

bool mext_precopy_outgrown(const struct mext_limits *l,
                           const struct mext_iteration *now,
                           const struct mext_iteration *before,
                           uint64_t written)
{
    uint64_t all = now->dirty + written;

    return written > now->dirty && all > FEW_PAGES &&
           all > 2 * fitting(l, now, before) &&
           all <= rate(now, before) * PREPARED_S;
}

uint64_t mext_precopy_rest_us(const struct mext_iteration *now,
                              const struct mext_iteration *before)
{
    uint64_t r = rate(now, before);

    return r ? now->dirty * 1000000 / r : 0;
}

/*
 * The rest was at least halved: another iteration costs as much time as the
 * rest would cost downtime, and leaves less of it.
 */
static bool converges(const struct mext_iteration *now,
                      const struct mext_iteration *before)
{
    return now->dirty * 2 <= (before ? before->dirty : now->pages);
}

enum mext_decision mext_precopy_decide(const struct mext_limits *l,
                                       const struct mext_iteration *now,
                                       const struct mext_iteration *before)
{
    bool fits = now->dirty <= fitting(l, now, before);

    if (now->dirty <= FEW_PAGES ||
        (fits && (now->dirty <= REST_PAGES || !converges(now, before))))
        return MEXT_STOP_FITS;
    if (now->grew && now->number <= l->iterations)
        return MEXT_GO_ON;
    if (now->number >= l->iterations)
        return fits ? MEXT_STOP_FITS : MEXT_STOP_LIMIT;
    /* From the third on: less than a tenth gained is no convergence. */
    if (!fits && before && now->number >= 3 &&
        now->dirty * 10 >= before->dirty * 9)
        return MEXT_STOP_STALLED;
    return MEXT_GO_ON;
}

const char *mext_decision_text(enum mext_decision d)
{
    static const char *const words[] = {
        [MEXT_GO_ON] = "another iteration",
        [MEXT_STOP_FITS] = "the rest fits the downtime target",
        [MEXT_STOP_LIMIT] = "iteration limit reached",
        [MEXT_STOP_STALLED] = "the guest writes as fast as it can be sent",
        [MEXT_STOP_ASKED] = "the rest goes now, as asked",
    };

    return words[d];
}
