/* SPDX-License-Identifier: LGPL-2.1-only */
#include <string.h>

#include "mext_choose.h"

/* It maps 512 GiB, the hole below 4 GiB included (stubdom/mstrap/home.c). */
#define MSTRAP_KIB_MAX (511ULL << 20)

const char *mext_receiver_word(uint32_t receiver)
{
    return receiver == MEXT_RECEIVER_DOM0 ? "dom0" : "mstrap";
}

/* All of a guest that Xen cannot watch goes while it is suspended. */
static int accept_standstill(const struct mext_request *rq, mext_say_fn *say,
                             void *arg, struct mext_why *why)
{
    static const char what[] = "Xen here is built without shadow paging, so a "
                               "PV guest cannot run while it moves";

    if (rq->on_stall == MEXT_STALL_CANCEL)
        return mext_fail(why,
                         "%s, and a long downtime was not wanted (--on-stall "
                         "cancel)",
                         what);
    mext_sayf(say, arg, "%s: it stands still until all of it is there", what);
    return 0;
}

int mext_choose_receiver(const struct mext_request *rq,
                         const struct mext_guest *g, uint32_t *receiver_r,
                         mext_say_fn *say, void *arg, struct mext_why *why)
{
    bool asked = rq->receiver != MEXT_RECEIVE_AUTO;
    bool pvh = !strcmp(g->type, "pvh"), dom0;
    bool large = pvh && g->max_kib > MSTRAP_KIB_MAX;

    if (!pvh && strcmp(g->type, "hvm") && strcmp(g->type, "pv"))
        return mext_fail(why, "the type of \"%.64s\" is not known", g->name);
    if (rq->receiver == MEXT_RECEIVE_MSTRAP && !pvh)
        return mext_fail(why,
                         "\"%.64s\" is a %s guest, and an mstrap becomes PVH "
                         "guests only: --receiver dom0",
                         g->name, g->type);
    if (rq->receiver == MEXT_RECEIVE_MSTRAP && large)
        return mext_fail(why,
                         "\"%.64s\" has more memory than the 511 GiB that an "
                         "mstrap maps: --receiver dom0",
                         g->name);
    dom0 = asked ? rq->receiver == MEXT_RECEIVE_DOM0 : !pvh || large;
    *receiver_r = dom0 ? MEXT_RECEIVER_DOM0 : MEXT_RECEIVER_MSTRAP;
    mext_sayf(say, arg, "receiver %s: %s%s%s", mext_receiver_word(*receiver_r),
              asked ? "as asked, the guest is " : "the guest is ", g->type,
              large ? ", too large for an mstrap" : "");
    if (dom0 && rq->mstrap_option)
        mext_sayf(say, arg, "--%s means nothing there", rq->mstrap_option);
    return dom0 && !g->live ? accept_standstill(rq, say, arg, why) : 0;
}
