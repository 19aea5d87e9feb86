/* SPDX-License-Identifier: LGPL-2.1-only */
#include "mext_net.h"
#include "mext_steady.h"

int mext_steady(const struct mext_dom_state *now, uint64_t *size,
                struct mext_why *why)
{
    uint64_t before = *size;

    *size = now->pages;
    if (!before || now->pages <= before)
        return 0;
    return mext_fail(why, "memory was given to the guest while it was sent: "
                          "migrate it again when it has all of it");
}
