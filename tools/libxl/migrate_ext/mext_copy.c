/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_copy.h"
#include "mext_fault.h"

#define PACE_MS 5000 /* at most, before it is looked at again */

/* ---- while pages go ---- */

/* What was asked for at the monitor socket. */
static void take_wishes(struct mext_copy *c)
{
    struct mext_wishes w;

    if (!mext_steer_wishes(c->steer, &w))
        return;
    if (w.downtime_ms)
        c->limits.downtime_ms = w.downtime_ms;
    if (w.iterations)
        c->limits.iterations = w.iterations;
    c->switch_over |= w.switch_over;
    c->mem->hurry = c->switch_over;
    if (w.bytes_per_s)
        mext_pace_set(&c->pace,
                      w.bytes_per_s == UINT64_MAX ? 0 : w.bytes_per_s);
}

static void keep_pace(struct mext_copy *c)
{
    uint64_t us = mext_pace_wait(&c->pace, mext_now_us(),
                                 mext_memory_bytes(c->mem));
    struct mext_why quiet;
    int alarm = mext_memory_alarm(c->mem);

    if (us)
        mext_net_wait(&alarm, 1,
                      us > PACE_MS * 1000 ? PACE_MS : (unsigned)(us / 1000),
                      &quiet);
}

void mext_copy_progress(void *arg, uint64_t sent, uint64_t of)
{
    struct mext_copy *c = arg;
    uint64_t us = mext_now_us() - c->mem->iteration_start;
    struct mext_progress p = {
        .iteration = c->iterations,
        .sent = sent,
        /* the first iteration goes over holes, too */
        .of = of < c->ram_pages ? of : c->ram_pages,
        .wire_bytes = mext_memory_bytes(c->mem) + c->hear->control->sent,
        .rate = us ? sent * 1000000 / us : 0,
    };

    c->progress(c->arg, &p);
    mext_steer_tell(c->steer, &(struct mext_standing){
                                  .state = mext_src_name(c->machine->state),
                                  .iteration = p.iteration,
                                  .sent = sent,
                                  .of = p.of,
                                  .wire_bytes = p.wire_bytes,
                                  .pages_per_s = p.rate,
                              });
    take_wishes(c);
    if (!c->suspended)
        keep_pace(c);
}

/* ---- a guest that writes faster than can be sent ---- */

static bool throttled(struct mext_copy *c)
{
    struct mext_why why;
    unsigned percent;
    int r = mext_throttle_more(&c->throttle, &percent, &why);

    if (r > 0)
        mext_sayf(c->say, c->arg, "the guest is left %u %% of its CPUs' time",
                  percent);
    else if (r < 0)
        mext_sayf(c->say, c->arg, "the guest is not slowed down: %.180s",
                  why.text);
    return r > 0;
}

static int give_up(const struct mext_iteration *now, struct mext_why *why)
{
    return mext_fail(
        why,
        "after %u iterations %llu pages are still to be sent, and "
        "the downtime they mean was not wanted (--on-stall cancel): "
        "raise --downtime, or take another --on-stall",
        now->number, (unsigned long long)now->dirty);
}

/* 1: another iteration may do; 0: the rest goes; -1 and why: given up. */
static int stalled(struct mext_copy *c, const struct mext_iteration *now,
                   struct mext_why *why)
{
    switch (c->on_stall) {
    case MEXT_STALL_CALM:
        return mext_help_calm(c->help);
    case MEXT_STALL_THROTTLE:
        return throttled(c);
    case MEXT_STALL_CANCEL:
        return give_up(now, why);
    case MEXT_STALL_FORCE:
        break;
    }
    return 0;
}

/* ---- iterations ---- */

/* mstrap's connection ended: if the destination says why, that counts. */
static int iterate(struct mext_copy *c, struct mext_why *why)
{
    c->before = c->now;
    c->iterations++;
    if (mext_fault("source.iterate", why))
        return -1;
    if (mext_memory_iterate(c->mem, c->iterations, c->data_ms, &c->now, why)) {
        mext_hear_last_word(c->hear, why);
        return -1;
    }
    return mext_hear_now(c->hear, why);
}

/* The iteration before the last one; NULL: there was none. */
static const struct mext_iteration *before(const struct mext_copy *c)
{
    return c->before.number ? &c->before : NULL;
}

static void foresee(struct mext_copy *c)
{
    c->rest_pages = c->now.dirty;
    c->rest_us = mext_precopy_rest_us(&c->now, before(c));
}

int mext_copy_run(struct mext_copy *c, struct mext_why *why)
{
    enum mext_decision d;
    int more = 1;

    while (more) {
        if (iterate(c, why))
            return -1;
        take_wishes(c);
        d = c->switch_over
                ? MEXT_STOP_ASKED
                : mext_precopy_decide(&c->limits, &c->now, before(c));
        mext_sayf(c->say, c->arg,
                  "iteration %u: %llu pages (%llu with data) in %llu ms, %llu "
                  "dirty; %s",
                  c->now.number, (unsigned long long)c->now.pages,
                  (unsigned long long)c->now.data,
                  (unsigned long long)c->now.us / 1000,
                  (unsigned long long)c->now.dirty, mext_decision_text(d));
        if (c->now.grew)
            mext_sayf(c->say, c->arg,
                      "the guest got memory meanwhile: all of it goes again");
        more = d == MEXT_GO_ON;
        if (d == MEXT_STOP_STALLED || d == MEXT_STOP_LIMIT) {
            c->stalled = true;
            more = stalled(c, &c->now, why);
        }
        if (more < 0)
            return -1;
    }
    foresee(c);
    return 0;
}

int mext_copy_catch_up(struct mext_copy *c, struct mext_why *why)
{
    uint64_t written;

    if (c->switch_over || c->stalled)
        return 0;
    if (mext_memory_written(c->mem, &written, why))
        return -1;
    if (!mext_precopy_outgrown(&c->limits, &c->now, before(c), written))
        return 0;
    mext_sayf(c->say, c->arg,
              "%llu pages were written meanwhile: they go before the suspend",
              (unsigned long long)written);
    if (mext_memory_catch_up(c->mem, why) || iterate(c, why))
        return -1;
    if (c->now.grew) /* all of it is to do again */
        return mext_copy_run(c, why);
    foresee(c);
    return 0;
}

int mext_on_stall_parse(const char *word, enum mext_on_stall *s_r)
{
    static const char *const words[] = {
        [MEXT_STALL_CALM] = "calm",
        [MEXT_STALL_THROTTLE] = "throttle",
        [MEXT_STALL_CANCEL] = "cancel",
        [MEXT_STALL_FORCE] = "force",
    };

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (!strcmp(word, words[i])) {
            *s_r = (enum mext_on_stall)i;
            return 0;
        }
    return -1;
}
