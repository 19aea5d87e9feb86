/* SPDX-License-Identifier: GPL-2.0-only */
#include "entropy.h"
#include "home.h"
#include "mext_unpack.h"
#include "net/connection.h"
#include "net/netfront.h"
#include "net/stack.h"
#include "receiver.h"
#include "state.h"
#include "text.h"
#include "tidy.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/xenstore.h"

#define FLUSH_TIMEOUT_MS 10000
#define CLOSE_TIMEOUT_MS 5000

/* DONE goes out; whether it arrives the source says by its acknowledgement. */
static void answer_source(void)
{
    ms_connections_done(ms_receiver_populated());
    ms_state_tell(MEXT_RCV_COMPLETE, "");
    ms_stack_flush(FLUSH_TIMEOUT_MS);
    ms_connections_abort();
}

/* The backend has let go when it is closed; its grants then end at once. */
static void close_vif(void)
{
    ms_netfront_close_begin();
    if (!ms_netfront_close_end(CLOSE_TIMEOUT_MS))
        ms_fail("vif backend does not close");
    if (!ms_gnttab_revoke())
        ms_fail("vif backend keeps pages");
}

/*
 * Xen clears the frames of a domain that dies, not what a living one gives
 * back: whoever gets mstrap's would find what is in them. The channels' keys
 * went with their connections.
 */
static void forget(void)
{
    ms_entropy_forget();
    mext_unpack_forget();
    ms_stack_wipe();
}

_Noreturn void ms_tidy(struct ms_session *session)
{
    struct ms_counts counts = ms_session_counts(session);
    uint64_t start = ms_now_ms();
    char text[160];

    answer_source();
    close_vif();
    ms_xs_reset_watches();
    ms_format(text, sizeof(text),
              "data=%lu zero=%lu absent=%lu populated=%lu ms=%lu", counts.data,
              counts.zero, counts.absent, ms_receiver_populated(),
              ms_now_ms() - start);
    ms_print("tidy %s", text);
    ms_evtchn_reset();
    ms_home_unmap();
    forget();
    mext_rcv_event(&session->state, MEXT_RCV_EV_TIDIED);
    ms_state_tell(session->state, text);
    ms_spin();
}
