/* SPDX-License-Identifier: LGPL-2.1-only */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "mext_choose.h"
#include "mext_crypto.h"
#include "mext_dest.h"
#include "mext_help.h"
#include "mext_look.h"
#include "mext_xen.h"

struct look {
    const struct mext_request *rq;
    const struct mext_look_events *ev;
    struct mext_lxl *lxl;
    struct mext_dom *dom;
    struct mext_guest guest;
    struct mext_policy policy;
    struct mext_dest dest;
    uint32_t domid;
    bool obstacle;
};

static void say(void *arg, const char *text)
{
    struct look *k = arg;

    k->ev->step(k->ev->arg, text);
}

static void found(struct look *k, enum mext_look_side side, unsigned kind,
                  const char *text)
{
    k->obstacle |= kind == MEXT_FINDING_OBSTACLE;
    k->ev->finding(k->ev->arg, side, kind, text);
}

static void there(void *arg, unsigned kind, const char *text)
{
    found(arg, MEXT_LOOK_THERE, kind, text);
}

static void here(struct look *k, unsigned kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void here(struct look *k, unsigned kind, const char *fmt, ...)
{
    char text[MEXT_TEXT_MAX + 1];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    found(k, MEXT_LOOK_HERE, kind, text);
}

static void look_at_state(struct look *k)
{
    struct mext_dom_state st;
    struct mext_why why;

    if (mext_dom_state(k->dom, &st, &why))
        here(k, MEXT_FINDING_OBSTACLE, "%s", why.text);
    else if (st.shutdown || st.dying)
        here(k, MEXT_FINDING_OBSTACLE, "it is not running");
    else if (st.paused)
        here(k, MEXT_FINDING_OBSTACLE, "it is paused: xl unpause it first");
    if (k->guest.obstacle)
        here(k, MEXT_FINDING_OBSTACLE,
             "it has %s, which cannot move: detach it first",
             k->guest.obstacle);
}

/* Who could help: only looked for. */
static void look_at_agent(struct look *k)
{
    struct mext_help h = {
        .domid = k->domid, .wanted = k->rq->agent, .say = say, .say_arg = k
    };

    if (!h.wanted)
        return;
    mext_help_begin(&h);
    if (h.agent[0])
        here(k, MEXT_FINDING_FINE, "its agent answers: %s", h.agent);
    else
        here(k, MEXT_FINDING_NOTE, "%s", h.why.text);
    mext_help_close(&h);
}

static int look_here(struct look *k, struct mext_why *why)
{
    char facts[128];

    if (mext_lxl_open(k->rq->verbosity, &k->lxl, why) ||
        mext_lxl_find(k->lxl, k->rq->domain, &k->domid, why) ||
        mext_lxl_guest(k->lxl, k->domid, &k->guest, why) ||
        mext_dom_open(k->domid, &k->dom, why) ||
        mext_choose_receiver(k->rq, &k->guest, &k->dest.receiver, say, k,
                             why) ||
        mext_dom_policy_get(k->dom, &k->policy, why))
        return -1;
    mext_lxl_facts(k->lxl, facts);
    here(k, MEXT_FINDING_NOTE, "%s", facts);
    if (!strcmp(k->guest.type, "hvm") && mext_lxl_device_model(facts))
        here(k, MEXT_FINDING_NOTE, "device model: %s", facts);
    look_at_state(k);
    look_at_agent(k);
    return 0;
}

/* Refused at the door is an obstacle like others. */
static int look_there(struct look *k, struct mext_why *why)
{
    if (!mext_dest_connect(&k->dest, why))
        return mext_dest_look(&k->dest, there, k, why);
    if (!k->dest.refused)
        return -1;
    there(k, MEXT_FINDING_OBSTACLE, why->text);
    return 0;
}

int mext_look(const struct mext_request *rq, const struct mext_look_events *ev,
              struct mext_why *why)
{
    struct look k = { .rq = rq, .ev = ev };
    int rc;

    k.dest = (struct mext_dest){ .rq = rq,
                                 .guest = &k.guest,
                                 .policy = &k.policy,
                                 .look = true,
                                 .say = say,
                                 .say_arg = &k };
    if (mext_crypto_init())
        return mext_fail(why, "libsodium cannot be initialised");
    rc = look_here(&k, why) || look_there(&k, why);
    mext_dest_close(&k.dest);
    mext_policy_free(&k.policy);
    mext_guest_free(&k.guest);
    mext_dom_close(k.dom);
    mext_lxl_close(k.lxl);
    mext_wipe(&k.dest, sizeof(k.dest));
    return rc ? -1 : k.obstacle;
}
