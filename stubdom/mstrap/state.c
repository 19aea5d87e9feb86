/* SPDX-License-Identifier: GPL-2.0-only */
#include "state.h"
#include "text.h"
#include "xen/xenstore.h"

bool ms_state_tell(enum mext_rcv state, const char *more)
{
    char text[200];

    ms_format(text, sizeof(text), "%s%s%s", mext_rcv_word(state),
              *more ? " " : "", more);
    return ms_xs_write("data/mstrap/state", text);
}
